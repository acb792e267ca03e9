// SPDX-License-Identifier: Apache-2.0
//! The functions whose answer does not follow from their facts: life cycle, discovery, information, attributes.
//! `special!` names them; every other function has nothing between its words.

use std::ffi::{c_char, c_void};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use cryptoki_sys::*;

use crate::call::Call;
use crate::discovery;
use crate::misbehaviour::{self, Misbehaviour, wanted};
use crate::token::{MECHANISMS, SLOT};

macro_rules! special {
    ($call:ident C_Initialize($args:ident)) => {
        $call.initialize($args)
    };
    ($call:ident C_Finalize($reserved:ident)) => {
        $call.finalize($reserved)
    };
    ($call:ident C_GetInfo($info:ident)) => {
        $call.info($info)
    };
    ($call:ident C_GetFunctionList($list:ident)) => {
        $call.function_list($list)
    };
    ($call:ident C_GetInterfaceList($list:ident, $count:ident)) => {
        $call.interface_list($list, $count)
    };
    ($call:ident C_GetInterface($name:ident, $version:ident, $found:ident, $flags:ident)) => {
        $call.interface($name, $version, $found, $flags)
    };
    ($call:ident C_GetSlotList($present:ident, $list:ident, $count:ident)) => {
        $call.slots()
    };
    ($call:ident C_GetSlotInfo($slot:ident, $info:ident)) => {
        $call.slot_info($info)
    };
    ($call:ident C_GetTokenInfo($slot:ident, $info:ident)) => {
        $call.token_info($info)
    };
    ($call:ident C_GetMechanismList($slot:ident, $list:ident, $count:ident)) => {
        $call.mechanisms()
    };
    ($call:ident C_GetMechanismInfo($slot:ident, $number:ident, $info:ident)) => {
        $call.mechanism_info($number, $info)
    };
    ($call:ident C_GetSessionInfo($session:ident, $info:ident)) => {
        $call.session_info($info)
    };
    ($call:ident C_GetObjectSize($session:ident, $object:ident, $size:ident)) => {
        $call.put($size, 512)
    };
    ($call:ident C_GetAttributeValue($session:ident, $object:ident, $template:ident, $count:ident)) => {
        $call.attribute_values($object, $template, $count)
    };
    ($call:ident C_FindObjectsInit($($rest:ident),*)) => {
        $call.find()
    };
    ($call:ident C_FindObjects($session:ident, $found:ident, $room:ident, $count:ident)) => {
        $call.find_next($room, $count)
    };
    ($call:ident C_GenerateRandom($session:ident, $at:ident, $length:ident)) => {
        $call.random($at, $length)
    };
    ($call:ident C_Login($($rest:ident),*)) => {
        $call.pin()
    };
    ($call:ident C_GetFunctionStatus($session:ident)) => {
        Err(CKR_FUNCTION_NOT_PARALLEL)
    };
    ($call:ident C_CancelFunction($session:ident)) => {
        Err(CKR_FUNCTION_NOT_PARALLEL)
    };
    ($call:ident C_WaitForSlotEvent($flags:ident, $slot:ident, $reserved:ident)) => {
        $call.slot_event($slot)
    };
    ($call:ident C_GetSessionValidationFlags($session:ident, $kind:ident, $flags:ident)) => {
        $call.put($flags, 0)
    };
    ($call:ident C_AsyncComplete($($rest:ident),*)) => {
        Err(CKR_SESSION_ASYNC_NOT_SUPPORTED)
    };
    ($call:ident C_AsyncGetID($($rest:ident),*)) => {
        Err(CKR_SESSION_ASYNC_NOT_SUPPORTED)
    };
    ($call:ident C_AsyncJoin($($rest:ident),*)) => {
        Err(CKR_SESSION_ASYNC_NOT_SUPPORTED)
    };
    ($call:ident $other:ident($($argument:ident),*)) => {
        Ok::<(), CK_RV>(())
    };
}
pub(crate) use special;

impl Call {
    pub(crate) fn pin(&mut self) -> Result<(), CK_RV> {
        if wanted(Misbehaviour::WrongPins) { Err(CKR_PIN_INCORRECT) } else { Ok(()) }
    }

    pub(crate) fn initialize(&mut self, args: *const c_void) -> Result<(), CK_RV> {
        if self.token.initialized {
            return Err(CKR_CRYPTOKI_ALREADY_INITIALIZED);
        }
        if !misbehaviour::understood() {
            return Err(CKR_GENERAL_ERROR);
        }
        // SAFETY: NULL, or a `CK_C_INITIALIZE_ARGS` by the caller's promise.
        if let Some(args) = unsafe { args.cast::<CK_C_INITIALIZE_ARGS>().as_ref() } {
            let callbacks = [
                args.CreateMutex.is_some(),
                args.DestroyMutex.is_some(),
                args.LockMutex.is_some(),
                args.UnlockMutex.is_some(),
            ];
            if callbacks != [callbacks[0]; 4] {
                return Err(CKR_ARGUMENTS_BAD);
            }
        }
        self.token.start();
        Ok(())
    }

    pub(crate) fn finalize(&mut self, reserved: *const c_void) -> Result<(), CK_RV> {
        if !reserved.is_null() {
            return Err(CKR_ARGUMENTS_BAD);
        }
        self.token.initialized = false;
        Ok(())
    }

    pub(crate) fn info(&mut self, at: *mut CK_INFO) -> Result<(), CK_RV> {
        self.put(
            at,
            CK_INFO {
                cryptokiVersion: CK_VERSION { major: 3, minor: 2 },
                manufacturerID: padded("p11guard tests"),
                flags: 0,
                libraryDescription: padded("stub vendor"),
                libraryVersion: CK_VERSION { major: 1, minor: 0 },
            },
        )
    }

    pub(crate) fn function_list(&mut self, at: *mut *mut CK_FUNCTION_LIST) -> Result<(), CK_RV> {
        self.put(at, discovery::function_list())
    }

    pub(crate) fn interface_list(
        &mut self,
        at: *mut CK_INTERFACE,
        count: *mut CK_ULONG,
    ) -> Result<(), CK_RV> {
        if wanted(Misbehaviour::NoInterface) {
            return Err(CKR_FUNCTION_NOT_SUPPORTED);
        }
        let offered = discovery::interfaces();
        // SAFETY: the caller's pointers, NULL or with the room that the count says.
        unsafe {
            let room = count.as_mut().ok_or(CKR_ARGUMENTS_BAD)?;
            let had = std::mem::replace(room, offered.len() as CK_ULONG);
            if at.is_null() {
                return Ok(());
            }
            if had < *room {
                return Err(CKR_BUFFER_TOO_SMALL);
            }
            at.copy_from(offered.as_ptr(), offered.len());
        }
        Ok(())
    }

    pub(crate) fn interface(
        &mut self,
        name: *const CK_UTF8CHAR,
        version: *const CK_VERSION,
        at: *mut *mut CK_INTERFACE,
        flags: CK_FLAGS,
    ) -> Result<(), CK_RV> {
        if wanted(Misbehaviour::NoInterface) {
            return Err(CKR_FUNCTION_NOT_SUPPORTED);
        }
        // SAFETY: the caller's pointers: NULL, a terminated string, a version.
        let (name, version) = unsafe {
            let name = (!name.is_null()).then(|| std::ffi::CStr::from_ptr(name.cast::<c_char>()).to_bytes());
            (name, version.as_ref().copied())
        };
        let found = discovery::interface(name, version, flags).ok_or(CKR_ARGUMENTS_BAD)?;
        self.put(at, (&raw const *found).cast_mut())
    }

    pub(crate) fn slots(&mut self) -> Result<(), CK_RV> {
        self.list = vec![SLOT];
        Ok(())
    }

    pub(crate) fn slot_event(&mut self, at: *mut CK_SLOT_ID) -> Result<(), CK_RV> {
        static TOLD: AtomicU32 = AtomicU32::new(0);
        if wanted(Misbehaviour::SlotEvents) && TOLD.fetch_add(1, Relaxed) < 2 {
            return self.put(at, SLOT);
        }
        Err(CKR_NO_EVENT)
    }

    pub(crate) fn slot_info(&mut self, at: *mut CK_SLOT_INFO) -> Result<(), CK_RV> {
        self.put(
            at,
            CK_SLOT_INFO {
                slotDescription: padded("stub slot"),
                manufacturerID: padded("p11guard tests"),
                flags: CKF_TOKEN_PRESENT,
                ..Default::default()
            },
        )
    }

    pub(crate) fn token_info(&mut self, at: *mut CK_TOKEN_INFO) -> Result<(), CK_RV> {
        let sessions = self.token.sessions.len() as CK_ULONG;
        self.put(
            at,
            CK_TOKEN_INFO {
                label: padded("stub token"),
                manufacturerID: padded("p11guard tests"),
                model: padded("measure"),
                serialNumber: padded("0000000000000001"),
                flags: CKF_RNG | CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED | CKF_TOKEN_INITIALIZED,
                ulSessionCount: sessions,
                ulMaxPinLen: 64,
                ulMinPinLen: 4,
                utcTime: padded(""),
                ..Default::default()
            },
        )
    }

    pub(crate) fn mechanisms(&mut self) -> Result<(), CK_RV> {
        self.list = MECHANISMS.iter().map(|(number, ..)| *number).collect();
        Ok(())
    }

    pub(crate) fn mechanism_info(
        &mut self,
        number: CK_MECHANISM_TYPE,
        at: *mut CK_MECHANISM_INFO,
    ) -> Result<(), CK_RV> {
        let (_, least, most) =
            MECHANISMS.iter().find(|(known, ..)| *known == number).ok_or(CKR_MECHANISM_INVALID)?;
        self.put(
            at,
            CK_MECHANISM_INFO {
                ulMinKeySize: *least,
                ulMaxKeySize: *most,
                flags: CKF_HW | CKF_SIGN | CKF_ENCRYPT,
            },
        )
    }

    pub(crate) fn session_info(&mut self, at: *mut CK_SESSION_INFO) -> Result<(), CK_RV> {
        let user = self.token.user;
        let handle = self.session;
        let flags = self.token.session(handle)?.flags;
        let state = match (user, flags & CKF_RW_SESSION != 0) {
            (Some(CKU_SO), _) => CKS_RW_SO_FUNCTIONS,
            (Some(_), true) => CKS_RW_USER_FUNCTIONS,
            (Some(_), false) => CKS_RO_USER_FUNCTIONS,
            (None, true) => CKS_RW_PUBLIC_SESSION,
            (None, false) => CKS_RO_PUBLIC_SESSION,
        };
        self.put(at, CK_SESSION_INFO { slotID: SLOT, state, flags, ulDeviceError: 0 })
    }

    /// Every entry is answered, whatever becomes of the others; the last error is the answer of the call.
    pub(crate) fn attribute_values(
        &mut self,
        object: CK_OBJECT_HANDLE,
        at: *mut CK_ATTRIBUTE,
        count: CK_ULONG,
    ) -> Result<(), CK_RV> {
        let object = self.token.objects.get(&object).ok_or(CKR_OBJECT_HANDLE_INVALID)?;
        let mut answer = Ok(());
        for place in 0..count as usize {
            // SAFETY: the caller's template of `count` attributes; `attributes` has refused NULL.
            answer = unsafe { object.answer(&mut *at.add(place)) }.and(answer);
        }
        answer
    }

    pub(crate) fn find(&mut self) -> Result<(), CK_RV> {
        let template = self.templates.first().cloned().unwrap_or_default();
        let objects = self.token.objects.iter();
        self.list =
            objects.filter(|(_, object)| object.matches(&template)).map(|(handle, _)| *handle).collect();
        Ok(())
    }

    pub(crate) fn find_next(&mut self, room: CK_ULONG, count: *mut CK_ULONG) -> Result<(), CK_RV> {
        let session = self.session;
        let active = self.token.session(session)?.active(crate::words::Kind::Find);
        let search = active.as_mut().ok_or(CKR_OPERATION_NOT_INITIALIZED)?;
        let next = search.found.len().min(room as usize);
        self.list = search.found.drain(..next).collect();
        self.put(count, room)
    }

    /// Fixed bytes: a measuring device must answer twice the same.
    pub(crate) fn random(&mut self, at: *mut CK_BYTE, length: CK_ULONG) -> Result<(), CK_RV> {
        if at.is_null() && length > 0 {
            return Err(CKR_ARGUMENTS_BAD);
        }
        // SAFETY: the caller's buffer of `length` bytes; a NULL one has none.
        unsafe { at.write_bytes(0x42, length as usize) };
        Ok(())
    }

    /// Hands `value` to the caller, who must have given a place for it.
    pub(crate) fn put<T>(&mut self, at: *mut T, value: T) -> Result<(), CK_RV> {
        if at.is_null() {
            return Err(CKR_ARGUMENTS_BAD);
        }
        // SAFETY: the caller's pointer, not NULL.
        unsafe { at.write_unaligned(value) };
        Ok(())
    }
}

fn padded<const SIZE: usize>(text: &str) -> [u8; SIZE] {
    let mut field = [b' '; SIZE];
    field[..text.len()].copy_from_slice(text.as_bytes());
    field
}
