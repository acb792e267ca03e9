// SPDX-License-Identifier: Apache-2.0
//! Arguments for any function, made from their names in the table of functions, and the call with them.
//! Everything a function could write to lies in marked memory of the frame, so that a write shows.

use std::ffi::c_void as CK_VOID;

use cryptoki_sys::*;
use event::Function;

/// Room of every buffer, in 64-bit cells; lengths that a function may fill are given as a quarter of it.
const ROOM: usize = 2048;
const MARK: u64 = 0xa5a5_a5a5_a5a5_a5a5;

/// Which of the pointers are to be NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Null {
    None,
    All,
    Only(usize),
}

/// The arguments of one call.
pub(crate) struct Frame {
    pub(crate) session: CK_SESSION_HANDLE,
    pub(crate) key: CK_OBJECT_HANDLE,
    pub(crate) mechanism: CK_MECHANISM,
    /// Hand over NULL for the mechanism.
    pub(crate) cancel: bool,
    pub(crate) null: Null,
    /// The number for the argument of this name, in place of the usual one.
    pub(crate) other: Option<(&'static str, u64)>,
    parameter: [u8; 16],
    label: [u8; 4],
    template: CK_ATTRIBUTE,
    memory: Vec<Box<[u64; ROOM]>>,
    before: Vec<Box<[u64; ROOM]>>,
    pointers: usize,
}

impl Frame {
    /// Arguments for `session`, with this mechanism and a 16-byte parameter.
    pub(crate) fn new(session: CK_SESSION_HANDLE, mechanism: CK_MECHANISM_TYPE) -> Box<Frame> {
        let mut frame = Box::new(Frame {
            session,
            key: 1,
            mechanism: CK_MECHANISM { mechanism, ..Default::default() },
            cancel: false,
            null: Null::None,
            other: None,
            parameter: [7; 16],
            label: *b"made",
            template: CK_ATTRIBUTE::default(),
            memory: Vec::new(),
            before: Vec::new(),
            pointers: 0,
        });
        frame.mechanism.pParameter = (&raw mut frame.parameter).cast();
        frame.mechanism.ulParameterLen = 16;
        frame.template =
            CK_ATTRIBUTE { type_: CKA_LABEL, pValue: (&raw mut frame.label).cast(), ulValueLen: 4 };
        frame
    }

    /// How many pointers the last call had.
    pub(crate) fn pointers(&self) -> usize {
        self.pointers
    }

    /// Whether the last call wrote nothing to any place it was given.
    pub(crate) fn untouched(&self) -> bool {
        self.memory == self.before
    }

    /// A digest of all that the last call could have written.
    pub(crate) fn digest(&self) -> u64 {
        let cells = self.memory.iter().flat_map(|buffer| buffer.iter());
        cells.fold(0xcbf2_9ce4_8422_2325, |digest, cell| (digest ^ cell).wrapping_mul(0x0100_0000_01b3))
    }

    fn pointer(&mut self, name: &str) -> *mut CK_VOID {
        let place = self.pointers;
        self.pointers += 1;
        if self.null == Null::All || self.null == Null::Only(place) {
            return std::ptr::null_mut();
        }
        match name {
            "pMechanism" if self.cancel => std::ptr::null_mut(),
            "pMechanism" => (&raw mut self.mechanism).cast(),
            "pTemplate" | "pPublicKeyTemplate" | "pPrivateKeyTemplate" => (&raw mut self.template).cast(),
            // Life cycle: no arguments, and a reserved pointer that must be NULL.
            "pInitArgs" | "pReserved" | "pApplication" => std::ptr::null_mut(),
            _ => {
                let mut buffer = Box::new([MARK; ROOM]);
                match name {
                    "pInterfaceName" => buffer[0] = u64::from_ne_bytes(*b"PKCS 11\0"),
                    "pVersion" => buffer[0] = u64::from_ne_bytes([3, 0, 0, 0, 0, 0, 0, 0]),
                    _ if name.starts_with("pul") => buffer[0] = (ROOM / 4) as u64,
                    _ => {}
                }
                self.before.push(buffer.clone());
                self.memory.push(buffer);
                self.memory.last_mut().map_or(std::ptr::null_mut(), |buffer| buffer.as_mut_ptr().cast())
            }
        }
    }

    fn number(&self, function: Function, name: &str) -> u64 {
        if let Some((_, number)) = self.other.filter(|(other, _)| *other == name) {
            return number;
        }
        match (function, name) {
            (_, "hSession") => self.session,
            (Function::C_OpenSession, "flags") => CKF_SERIAL_SESSION | CKF_RW_SESSION,
            (Function::C_WaitForSlotEvent, "flags") => CKF_DONT_BLOCK,
            (_, "flags") => 0,
            (_, "slotID") => 7,
            (_, "userType") => CKU_USER,
            (_, "tokenPresent") => 1,
            (Function::C_GetMechanismInfo, _) => self.mechanism.mechanism,
            (Function::C_FindObjects, _) => 4,
            (Function::C_AsyncJoin | Function::C_GetSessionValidationFlags, _) => 1,
            (_, "ulCount") => 1,
            (_, name) if name.ends_with("AttributeCount") => 1,
            (_, name) if name.starts_with('h') => self.key,
            _ => 32,
        }
    }
}

/// A type of argument, made for a name.
trait Argument {
    fn made(frame: &mut Frame, function: Function, name: &str) -> Self;
}

impl Argument for u64 {
    fn made(frame: &mut Frame, function: Function, name: &str) -> u64 {
        frame.number(function, name)
    }
}

impl Argument for u8 {
    fn made(frame: &mut Frame, function: Function, name: &str) -> u8 {
        u8::from(frame.number(function, name) != 0)
    }
}

impl<T> Argument for *mut T {
    fn made(frame: &mut Frame, _function: Function, name: &str) -> *mut T {
        frame.pointer(name).cast()
    }
}

impl Argument for CK_NOTIFY {
    fn made(_frame: &mut Frame, _function: Function, _name: &str) -> CK_NOTIFY {
        None
    }
}

macro_rules! invocations {
    ($(($major:literal, $minor:literal) $name:ident($($argument:ident: $type:ty),*) [$($before:tt)*] -> [$($after:tt)*];)*) => {
        /// Calls `function` of `table` with the arguments of `frame`; `None` where the table has no such function.
        pub(crate) fn invoke(table: &CK_FUNCTION_LIST_3_2, function: Function, frame: &mut Frame) -> Option<CK_RV> {
            frame.memory.clear();
            frame.before.clear();
            frame.pointers = 0;
            match function {
                // SAFETY: every pointer is NULL or into memory of the frame that is larger than what its name may fill.
                $(Function::$name => table.$name.map(|call| unsafe {
                    call($(<$type>::made(frame, function, stringify!($argument))),*)
                }),)*
            }
        }

        /// Whether `table` has `function`.
        pub(crate) fn offers(table: &CK_FUNCTION_LIST_3_2, function: Function) -> bool {
            match function {
                $(Function::$name => table.$name.is_some(),)*
            }
        }
    };
}
event::pkcs11!(invocations);
