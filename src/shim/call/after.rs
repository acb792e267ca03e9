// SPDX-License-Identifier: Apache-2.0
//! The words that are said after a call: what came back, and what it changed. Outputs are read only after an answer
//! that defines them.
#![allow(unsafe_code)]

use cryptoki_sys::*;
use event::record::operation_id;
use event::wire::Tag;
use event::{Active, Function};

use super::{Call, Effect};
use crate::recorder::Recorder;

/// Words that are said after the call.
impl Call<'_> {
    /// Data given back. The length is defined after CKR_OK and after CKR_BUFFER_TOO_SMALL (PKCS#11 3.2, section 5.2).
    #[inline]
    pub(crate) fn output(&mut self, buffer: *mut CK_BYTE, length: *mut CK_ULONG) {
        let rv = self.header.rv;
        self.header.size_query =
            rv == CKR_BUFFER_TOO_SMALL || (rv == CKR_OK && buffer.is_null() && !length.is_null());
        if (rv == CKR_OK || rv == CKR_BUFFER_TOO_SMALL) && !length.is_null() {
            // SAFETY: the vendor has just written there.
            self.header.bytes_out = Some(unsafe { length.read_unaligned() });
        }
    }

    /// A buffer of fixed length that was filled.
    #[inline]
    pub(crate) fn filled(&mut self, length: CK_ULONG) {
        if self.header.rv == CKR_OK {
            self.header.bytes_out = Some(length);
        }
    }

    /// How many were given.
    #[inline]
    pub(crate) fn count<T>(&mut self, list: *mut T, count: *mut CK_ULONG) {
        let rv = self.header.rv;
        self.header.size_query = rv == CKR_BUFFER_TOO_SMALL || (rv == CKR_OK && list.is_null());
        if (rv == CKR_OK || rv == CKR_BUFFER_TOO_SMALL) && !count.is_null() {
            // SAFETY: the vendor has just written there.
            self.frame.number(Tag::Count, unsafe { count.read_unaligned() });
        }
    }

    /// An object that the call made.
    #[inline]
    pub(crate) fn created(&mut self, handle: *mut CK_OBJECT_HANDLE) {
        // C_EncapsulateKey with a NULL ciphertext asks for a length and makes nothing.
        if self.header.rv == CKR_OK && !handle.is_null() && !self.header.size_query {
            // SAFETY: the vendor has just written there.
            let handle = unsafe { handle.read_unaligned() };
            self.frame.number(Tag::Created, handle);
            self.remember_made(handle);
        }
    }

    pub(crate) fn object_changed(&mut self, handle: CK_OBJECT_HANDLE) {
        if let Some((facts, session)) = self.facts().zip(self.session.as_ref()) {
            facts.key_changed(session.slot, handle);
            if self.header.function == Function::C_DestroyObject && self.header.rv == CKR_OK {
                self.forget(|place| place == (session.slot, handle));
            }
        }
    }

    pub(crate) fn session_opened(
        &mut self,
        handle: *mut CK_SESSION_HANDLE,
        slot: CK_SLOT_ID,
        flags: CK_FLAGS,
    ) {
        if self.header.rv == CKR_OK && !handle.is_null() {
            // SAFETY: the vendor has just written there.
            let handle = unsafe { handle.read_unaligned() };
            self.remember_session(slot, handle, flags & CKF_RW_SESSION != 0);
            self.session(handle);
        }
    }

    pub(crate) fn session_closed(&mut self, handle: CK_SESSION_HANDLE) {
        if matches!(self.header.rv, CKR_OK | CKR_SESSION_HANDLE_INVALID | CKR_SESSION_CLOSED) {
            self.release(handle);
        }
        if let Some((facts, session)) = self.facts().zip(self.session.as_ref())
            && matches!(self.header.rv, CKR_OK | CKR_SESSION_HANDLE_INVALID | CKR_SESSION_CLOSED)
        {
            facts.session_closed(session.slot, handle);
        }
    }

    pub(crate) fn sessions_closed(&mut self, slot: CK_SLOT_ID) {
        if let Some(facts) = self.facts().filter(|_| self.header.rv == CKR_OK) {
            facts.slot_closed(slot);
            self.forget(|place| place.0 == slot);
            self.release_if(|of, _| of == slot);
        }
    }

    /// A context-specific login is for one operation and changes nothing (PKCS#11 3.2, section 5.6.8).
    pub(crate) fn logged_in(&mut self, _handle: CK_SESSION_HANDLE, user: CK_USER_TYPE) {
        if self.header.rv == CKR_OK && user != CKU_CONTEXT_SPECIFIC {
            self.user_changed(Some(user));
        }
    }

    pub(crate) fn logged_out(&mut self, _handle: CK_SESSION_HANDLE) {
        if self.header.rv == CKR_OK {
            self.user_changed(None);
        }
    }

    fn user_changed(&mut self, user: Option<u64>) {
        if let Some((facts, session)) = self.facts().zip(self.session.as_ref()) {
            facts.user_changed(session.slot, user);
        }
    }

    pub(crate) fn token_changed(&mut self, slot: CK_SLOT_ID) {
        if let Some(facts) = self.facts().filter(|_| self.header.rv == CKR_OK) {
            facts.token_changed(slot);
            self.forget(|place| place.0 == slot);
        }
    }

    #[inline]
    pub(crate) fn starts(&mut self, active: Active) {
        self.effect = Effect::Starts(active);
    }

    #[inline]
    pub(crate) fn continues(&mut self, active: Active) {
        self.effect = Effect::Continues(active);
    }

    #[inline]
    pub(crate) fn ends(&mut self, active: Active) {
        self.effect = Effect::Ends(active);
    }

    pub(crate) fn cancelled(&mut self, flags: CK_FLAGS) {
        let Some((facts, session)) = self.facts().zip(self.session.as_ref()) else { return };
        for (active, flag) in Active::ALL {
            if self.header.rv == CKR_OK && flags & flag != 0 {
                facts.set_operation(session, active, 0, 0);
            }
        }
    }

    /// Carries the call's effect on the session's active operation into what is remembered. A size query and a buffer
    /// that was too small end nothing; any other error of a running operation ends it (PKCS#11 3.2, section 5.2).
    #[inline(always)]
    pub(crate) fn take_effect(&mut self) {
        if !matches!(self.effect, Effect::None) || self.remembers.is_some() {
            self.change_operations();
        }
    }

    fn change_operations(&mut self) {
        if self.header.rv == CKR_OK {
            self.remember_nonce();
        }
        let Some((facts, session)) = self.recorder.map(Recorder::facts).zip(self.session.as_ref()) else {
            return;
        };
        let failed = self.header.rv != CKR_OK && self.header.rv != CKR_BUFFER_TOO_SMALL;
        match self.effect {
            Effect::Starts(active)
                if self.header.rv == CKR_OK && self.header.function != Function::C_FindObjectsInit =>
            {
                match &self.mechanism {
                    Some(mechanism) => {
                        let id = operation_id(self.place.number, self.header.sequence);
                        self.header.operation = id;
                        facts.set_operation(session, active, id, mechanism.mechanism);
                        if let Some(remembered) = &self.remembers {
                            facts.set_key(session, active, remembered.handles[0]);
                        }
                    }
                    None => facts.set_operation(session, active, 0, 0),
                }
            }
            Effect::Starts(active) if self.header.rv == CKR_OK => {
                self.header.operation = operation_id(self.place.number, self.header.sequence);
                facts.set_operation(session, active, self.header.operation, 0);
            }
            Effect::Continues(active) if failed => facts.set_operation(session, active, 0, 0),
            Effect::Ends(active) if failed || !self.header.size_query => {
                facts.set_operation(session, active, 0, 0)
            }
            _ => (),
        }
    }
}
