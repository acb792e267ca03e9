// SPDX-License-Identifier: Apache-2.0
//! The words of `event::pkcs11!`, as a token would live by them: a word checks, changes or delivers, and its error is
//! the answer of the call. The shim reads the same words as facts to record; here they are state.

use cryptoki_sys::*;
use event::Function;

use crate::call::Call;
use crate::measure;
use crate::misbehaviour::{Misbehaviour, wanted};
use crate::object::{self, Object};
use crate::token::{MECHANISMS, Operation, SLOT, Session};

/// What is done without a mechanism; to search is an operation of its own kind.
pub(crate) enum Deed {
    Administer,
    Open,
    State,
    Login,
    Import,
    Copy,
    Destroy,
    Read,
    Modify,
    DigestKey,
}

impl From<Kind> for Option<Deed> {
    fn from(_: Kind) -> Option<Deed> {
        None
    }
}

/// Kinds of operation: first those of which a session can have one active, then those of one call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Find,
    Encrypt,
    Decrypt,
    Digest,
    Sign,
    SignRecover,
    Verify,
    VerifyRecover,
    MessageEncrypt,
    MessageDecrypt,
    MessageSign,
    MessageVerify,
    VerifySignature,
    Generate,
    GenerateKeyPair,
    Wrap,
    Unwrap,
    Derive,
    Encapsulate,
    Decapsulate,
}

impl Kind {
    /// How many kinds can be active.
    pub(crate) const ACTIVE: usize = event::Active::COUNT;
}

/// What each word does before the call's own part.
impl Call {
    pub(crate) fn session(&mut self, handle: CK_SESSION_HANDLE) -> Result<(), CK_RV> {
        self.session = handle;
        self.token.session(handle).map(drop)
    }

    pub(crate) fn slot(&mut self, slot: CK_SLOT_ID) -> Result<(), CK_RV> {
        if slot == SLOT { Ok(()) } else { Err(CKR_SLOT_ID_INVALID) }
    }

    pub(crate) fn mechanism(&mut self, kind: Kind, at: *const CK_MECHANISM) -> Result<(), CK_RV> {
        let starts_operation = (kind as usize) < Kind::ACTIVE;
        if at.is_null() {
            self.cancel = starts_operation;
            return if starts_operation { Ok(()) } else { Err(CKR_ARGUMENTS_BAD) };
        }
        // SAFETY: the caller's pointer, not NULL; read once, as the answer must not depend on a second look.
        let mechanism = unsafe { at.read_volatile() };
        measure::mechanism_arrived(at, &mechanism);
        self.mechanism = Some(mechanism.mechanism);
        self.mechanism_type(mechanism.mechanism)
    }

    pub(crate) fn mechanism_type(&mut self, number: CK_MECHANISM_TYPE) -> Result<(), CK_RV> {
        let known = MECHANISMS.iter().any(|(offered, ..)| *offered == number);
        if known { Ok(()) } else { Err(CKR_MECHANISM_INVALID) }
    }

    pub(crate) fn key(&mut self, handle: CK_OBJECT_HANDLE) -> Result<(), CK_RV> {
        if self.key == 0 {
            self.key = handle;
        }
        let known = self.cancel || self.token.objects.contains_key(&handle);
        if known { Ok(()) } else { Err(CKR_KEY_HANDLE_INVALID) }
    }

    pub(crate) fn object(&mut self, handle: CK_OBJECT_HANDLE) -> Result<(), CK_RV> {
        let optional = self.function == Function::C_SetOperationState && handle == 0;
        let known = optional || self.token.objects.contains_key(&handle);
        if known { Ok(()) } else { Err(CKR_OBJECT_HANDLE_INVALID) }
    }

    pub(crate) fn template(&mut self, at: *const CK_ATTRIBUTE, count: CK_ULONG) -> Result<(), CK_RV> {
        if at.is_null() && count > 0 {
            return Err(CKR_ARGUMENTS_BAD);
        }
        // SAFETY: the caller's template; a NULL one is empty.
        self.templates.push(unsafe { object::read(at, count) });
        Ok(())
    }

    pub(crate) fn attributes(&mut self, at: *const CK_ATTRIBUTE, count: CK_ULONG) -> Result<(), CK_RV> {
        if at.is_null() && count > 0 { Err(CKR_ARGUMENTS_BAD) } else { Ok(()) }
    }

    pub(crate) fn secret(&mut self) -> Result<(), CK_RV> {
        Ok(())
    }

    pub(crate) fn user(&mut self, _user: CK_USER_TYPE) -> Result<(), CK_RV> {
        Ok(())
    }

    pub(crate) fn username(&mut self, at: *const CK_UTF8CHAR, length: CK_ULONG) -> Result<(), CK_RV> {
        if at.is_null() && length > 0 { Err(CKR_ARGUMENTS_BAD) } else { Ok(()) }
    }

    pub(crate) fn flags(&mut self, _flags: CK_FLAGS) -> Result<(), CK_RV> {
        Ok(())
    }

    /// What a call does without a mechanism is said for those who judge; a module has nothing to do with it.
    pub(crate) fn does(&mut self, _what: impl Into<Option<Deed>>) -> Result<(), CK_RV> {
        Ok(())
    }

    pub(crate) fn signs(&mut self, _kind: Kind, _data: *mut CK_BYTE, length: CK_ULONG) -> Result<(), CK_RV> {
        self.input(length)
    }

    pub(crate) fn wraps(&mut self, _key: *mut CK_BYTE, _length: *mut CK_ULONG) -> Result<(), CK_RV> {
        Ok(())
    }

    pub(crate) fn wrapped(&mut self, _key: *mut CK_BYTE, length: CK_ULONG) -> Result<(), CK_RV> {
        self.input(length)
    }

    pub(crate) fn input(&mut self, length: CK_ULONG) -> Result<(), CK_RV> {
        self.input = length;
        Ok(())
    }

    pub(crate) fn part_of(&mut self, kind: Kind) -> Result<(), CK_RV> {
        self.kind = Some(kind);
        self.operation(kind).map(drop)
    }

    pub(crate) fn begins_message(
        &mut self,
        kind: Kind,
        at: *const std::ffi::c_void,
        length: CK_ULONG,
    ) -> Result<(), CK_RV> {
        self.message(kind, at, length)
    }

    pub(crate) fn message(
        &mut self,
        _kind: Kind,
        at: *const std::ffi::c_void,
        length: CK_ULONG,
    ) -> Result<(), CK_RV> {
        if at.is_null() && length > 0 { Err(CKR_ARGUMENTS_BAD) } else { Ok(()) }
    }
}

/// What each word does after it.
impl Call {
    pub(crate) fn starts(&mut self, kind: Kind) -> Result<(), CK_RV> {
        let started = Operation {
            mechanism: self.mechanism.unwrap_or(0),
            input: 0,
            found: std::mem::take(&mut self.list),
        };
        let cancel = self.cancel;
        let active = self.token.session(self.session)?.active(kind);
        match (cancel, &active) {
            (true, _) => *active = None,
            (false, Some(_)) => return Err(CKR_OPERATION_ACTIVE),
            (false, None) => *active = Some(started),
        }
        Ok(())
    }

    pub(crate) fn continues(&mut self, kind: Kind) -> Result<(), CK_RV> {
        let input = if self.sized { 0 } else { self.input };
        self.operation(kind)?.input += input;
        Ok(())
    }

    pub(crate) fn ends(&mut self, kind: Kind) -> Result<(), CK_RV> {
        self.operation(kind)?;
        if !self.sized {
            *self.token.session(self.session)?.active(kind) = None;
        }
        Ok(())
    }

    /// Delivers bytes that depend only on the function, the mechanism and the lengths (PKCS#11 3.2, section 5.2).
    pub(crate) fn output(&mut self, at: *mut CK_BYTE, length: *mut CK_ULONG) -> Result<(), CK_RV> {
        if length.is_null() {
            return Err(CKR_ARGUMENTS_BAD);
        }
        let session = self.session;
        let operation = self.kind.and_then(|kind| self.token.session(session).ok()?.active(kind).clone());
        let operation = operation.unwrap_or_default();
        let size = self.output_size();
        // SAFETY: the caller's pointers, checked against NULL; `at` has the room that `length` says.
        unsafe {
            let room = *length;
            *length = size;
            if at.is_null() {
                self.sized = true;
                return Ok(());
            }
            if room < size {
                return Err(CKR_BUFFER_TOO_SMALL);
            }
            let seed = self.function as u64 + operation.mechanism + operation.input + self.input;
            for place in 0..size {
                *at.add(place as usize) = seed.wrapping_add(31 * place).to_le_bytes()[0];
            }
            if wanted(Misbehaviour::LyingLengths) {
                *length = size + 0x1000_0000;
            }
        }
        Ok(())
    }

    /// Delivers `list` (PKCS#11 3.2, section 5.2).
    pub(crate) fn count(&mut self, at: *mut CK_ULONG, count: *mut CK_ULONG) -> Result<(), CK_RV> {
        if count.is_null() {
            return Err(CKR_ARGUMENTS_BAD);
        }
        let size = self.list.len() as CK_ULONG;
        // SAFETY: the caller's pointers, checked against NULL; `at` has the room that `count` says.
        unsafe {
            let room = *count;
            *count = size;
            if at.is_null() {
                return Ok(());
            }
            if room < size {
                return Err(CKR_BUFFER_TOO_SMALL);
            }
            at.copy_from(self.list.as_ptr(), self.list.len());
        }
        Ok(())
    }

    pub(crate) fn filled(&mut self, _length: CK_ULONG) -> Result<(), CK_RV> {
        Ok(())
    }

    pub(crate) fn created(&mut self, at: *mut CK_OBJECT_HANDLE) -> Result<(), CK_RV> {
        if self.sized {
            return Ok(());
        }
        if at.is_null() {
            return Err(CKR_ARGUMENTS_BAD);
        }
        let mut object = match self.function {
            Function::C_CopyObject => self.token.objects[&self.key].clone(),
            _ => Object::default(),
        };
        if !self.templates.is_empty() {
            object.set(&self.templates.remove(0));
        }
        let handle = self.token.fresh();
        self.token.objects.insert(handle, object);
        // SAFETY: the caller's pointer, not NULL.
        unsafe { *at = handle };
        Ok(())
    }

    pub(crate) fn object_changed(&mut self, handle: CK_OBJECT_HANDLE) -> Result<(), CK_RV> {
        match (self.function, self.templates.first()) {
            (Function::C_SetAttributeValue, Some(template)) => {
                if let Some(object) = self.token.objects.get_mut(&handle) {
                    object.set(template);
                }
            }
            _ => drop(self.token.objects.remove(&handle)),
        }
        Ok(())
    }

    pub(crate) fn session_opened(
        &mut self,
        at: *mut CK_SESSION_HANDLE,
        _slot: CK_SLOT_ID,
        flags: CK_FLAGS,
    ) -> Result<(), CK_RV> {
        if at.is_null() {
            return Err(CKR_ARGUMENTS_BAD);
        }
        if flags & CKF_SERIAL_SESSION == 0 {
            return Err(CKR_SESSION_PARALLEL_NOT_SUPPORTED);
        }
        let handle = self.token.fresh();
        self.token.sessions.insert(handle, Session::new(flags));
        // SAFETY: the caller's pointer, not NULL.
        unsafe { *at = handle };
        Ok(())
    }

    pub(crate) fn session_closed(&mut self, handle: CK_SESSION_HANDLE) -> Result<(), CK_RV> {
        self.token.sessions.remove(&handle);
        if self.token.sessions.is_empty() {
            self.token.user = None;
        }
        Ok(())
    }

    pub(crate) fn sessions_closed(&mut self, _slot: CK_SLOT_ID) -> Result<(), CK_RV> {
        self.token.sessions.clear();
        self.token.user = None;
        Ok(())
    }

    pub(crate) fn token_changed(&mut self, _slot: CK_SLOT_ID) -> Result<(), CK_RV> {
        if !self.token.sessions.is_empty() {
            return Err(CKR_SESSION_EXISTS);
        }
        self.token.objects = object::built_in();
        Ok(())
    }

    pub(crate) fn logged_in(&mut self, _handle: CK_SESSION_HANDLE, user: CK_USER_TYPE) -> Result<(), CK_RV> {
        match (user, self.token.user) {
            (CKU_CONTEXT_SPECIFIC, _) => Ok(()),
            (CKU_SO | CKU_USER, None) => {
                self.token.user = Some(user);
                Ok(())
            }
            (CKU_SO | CKU_USER, Some(_)) => Err(CKR_USER_ALREADY_LOGGED_IN),
            _ => Err(CKR_USER_TYPE_INVALID),
        }
    }

    pub(crate) fn logged_out(&mut self, _handle: CK_SESSION_HANDLE) -> Result<(), CK_RV> {
        self.token.user.take().map(drop).ok_or(CKR_USER_NOT_LOGGED_IN)
    }

    pub(crate) fn cancelled(&mut self, flags: CK_FLAGS) -> Result<(), CK_RV> {
        let kinds = [
            (CKF_MESSAGE_ENCRYPT, Kind::MessageEncrypt),
            (CKF_MESSAGE_DECRYPT, Kind::MessageDecrypt),
            (CKF_MESSAGE_SIGN, Kind::MessageSign),
            (CKF_MESSAGE_VERIFY, Kind::MessageVerify),
            (CKF_FIND_OBJECTS, Kind::Find),
            (CKF_ENCRYPT, Kind::Encrypt),
            (CKF_DECRYPT, Kind::Decrypt),
            (CKF_DIGEST, Kind::Digest),
            (CKF_SIGN, Kind::Sign),
            (CKF_SIGN_RECOVER, Kind::SignRecover),
            (CKF_VERIFY, Kind::Verify),
            (CKF_VERIFY_RECOVER, Kind::VerifyRecover),
        ];
        let session = self.token.session(self.session)?;
        for (_, kind) in kinds.iter().filter(|(flag, _)| flags & flag != 0) {
            *session.active(*kind) = None;
        }
        Ok(())
    }

    fn operation(&mut self, kind: Kind) -> Result<&mut Operation, CK_RV> {
        self.token.session(self.session)?.active(kind).as_mut().ok_or(CKR_OPERATION_NOT_INITIALIZED)
    }

    fn output_size(&self) -> CK_ULONG {
        match self.function {
            Function::C_Sign | Function::C_SignFinal | Function::C_SignRecover => 64,
            Function::C_SignMessage | Function::C_SignMessageNext => 64,
            Function::C_Digest | Function::C_DigestFinal => 32,
            Function::C_EncryptFinal | Function::C_DecryptFinal => 16,
            Function::C_WrapKey | Function::C_WrapKeyAuthenticated => 40,
            Function::C_EncapsulateKey => 48,
            Function::C_GetOperationState => 24,
            _ => self.input,
        }
    }
}
