// SPDX-License-Identifier: Apache-2.0
//! One call while it is under way. Its methods are the words of `event::table`: each reads one kind of argument, and
//! no other code reads the caller's memory. `secret` takes nothing, so that no PIN can be recorded by mistake.
//!
//! Pointers are read as PKCS#11 lets the vendor read them: inputs before the call, outputs only after an answer that
//! defines them. A record is what was seen here; the caller's other threads may change it under us.
#![allow(unsafe_code)]

mod parameter;
mod read;

use cryptoki_sys::*;
use event::mechanism::{self, Operation, Shape};
use event::record::{Header, Verdict as Said, operation_id};
use event::wire::{Frame, MAX_FRAME, Tag};
use event::{Active, Function, curve, wire};
use std::ffi::c_void;
use std::mem::MaybeUninit;

use crate::facts::{self, Session};
use crate::recorder::{Place, Recorder};
use crate::start::Shim;
use crate::thread;
use parameter::Parameters;
use read::Attribute;

/// Room for a record on the caller's stack.
pub(crate) const BUFFER: usize = MAX_FRAME;

/// A call under way.
pub(crate) struct Call<'b> {
    shim: &'static Shim,
    recorder: Option<&'static Recorder>,
    place: Place,
    header: Header,
    frame: Frame<'b>,
    session: Option<Session>,
    /// What the policy is asked.
    asked: Option<policy::Facts>,
    /// The caller's mechanism, copied, so that what was judged is what is forwarded. `pParameter` stays the caller's:
    /// some modules write into it.
    mechanism: Option<CK_MECHANISM>,
    refusal: Option<CK_RV>,
    /// Keys and templates read so far; the first of them is the one that is judged.
    keys: u32,
    /// What the call does to the session's operations, once its answer is known.
    effect: Effect,
}

/// See [`Call::take_effect`].
#[derive(Clone, Copy)]
enum Effect {
    None,
    Starts(Active),
    Continues(Active),
    Ends(Active),
}

/// Words that are said before the call.
impl<'b> Call<'b> {
    #[inline]
    pub(crate) fn begin(
        shim: &'static Shim,
        function: Function,
        buffer: &'b mut [MaybeUninit<u8>; BUFFER],
    ) -> Self {
        let recorder = shim.recorder();
        let place = recorder.map_or(Place::NOWHERE, Recorder::begin);
        Call {
            shim,
            recorder,
            header: Header {
                function,
                thread: place.thread,
                sequence: place.sequence,
                start: place.start,
                end: 0,
                rv: CKR_OK,
                operation: 0,
                bytes_in: None,
                bytes_out: None,
                session: None,
                policy: shim.policy_prefix,
                verdict: Said::NotJudged,
                enforced: false,
                size_query: false,
                truncated: false,
                degraded: false,
                answered_here: false,
            },
            place,
            frame: Frame::new(buffer),
            session: None,
            asked: None,
            mechanism: None,
            refusal: None,
            keys: 0,
            effect: Effect::None,
        }
    }

    /// The session; with it the token.
    #[inline]
    pub(crate) fn session(&mut self, handle: CK_SESSION_HANDLE) {
        self.header.session = Some(handle);
        let Some(facts) = self.facts() else { return };
        self.session = facts.session(handle);
        if self.session.is_none() && facts.may_miss_sessions() {
            self.learn_session(handle);
        }
        if let Some(session) = &self.session {
            facts.tell_session(session, &mut self.frame);
        }
    }

    #[cold]
    fn learn_session(&mut self, handle: CK_SESSION_HANDLE) {
        let mut info = CK_SESSION_INFO::default();
        if self.shim.vendor.own().session_info(handle, &mut info) != Some(CKR_OK) {
            return;
        }
        self.remember_session(info.slotID, handle, info.flags & CKF_RW_SESSION != 0);
        self.session = self.facts().and_then(|facts| facts.session(handle));
    }

    fn remember_session(&mut self, slot: CK_SLOT_ID, handle: CK_SESSION_HANDLE, read_write: bool) {
        let Some(recorder) = self.recorder else { return };
        let facts = recorder.facts();
        // A second is long enough for tools that open and close sessions in a row, and too short to exchange a token.
        let oldest = self.header.start.saturating_sub(recorder.ticks_per_second());
        if facts.token(slot, oldest, |token| facts.session_opened(slot, handle, read_write, token)) {
            return;
        }
        if let Some(token) = facts::learn_token(self.shim.vendor.own(), slot) {
            facts.token_learnt(slot, &token, self.header.start);
            facts.session_opened(slot, handle, read_write, &token);
        }
    }

    #[inline]
    pub(crate) fn slot(&mut self, slot: CK_SLOT_ID) {
        self.frame.number(Tag::Slot, slot);
    }

    /// The mechanism of a call that does `operation` with it. NULL cancels an operation and is not judged
    /// (PKCS#11 3.0, section 5.8.1).
    #[inline]
    pub(crate) fn mechanism(&mut self, operation: Operation, pointer: *mut CK_MECHANISM) {
        // SAFETY: NULL, or the caller's mechanism as PKCS#11 demands it.
        let Some(mechanism) = (unsafe { read::mechanism(pointer) }) else { return };
        self.mechanism = Some(mechanism);
        self.asked = Some(policy::Facts::of(operation, mechanism.mechanism));
        let mut parameters = Parameters::new();
        let shape = mechanism::by_number(mechanism.mechanism).map_or(Shape::Bytes, |known| known.parameter);
        use Function::*;
        let shape = match self.header.function {
            C_WrapKey | C_UnwrapKey => shape.in_wrapping(),
            C_WrapKeyAuthenticated | C_UnwrapKeyAuthenticated => shape.in_messages(),
            C_MessageEncryptInit | C_MessageDecryptInit | C_MessageSignInit | C_MessageVerifyInit => {
                shape.in_messages()
            }
            _ => shape,
        };
        let length = usize::try_from(mechanism.ulParameterLen).unwrap_or(usize::MAX);
        // SAFETY: the caller's parameter as PKCS#11 demands it for this mechanism.
        unsafe { parameter::decode(shape, mechanism.pParameter, length, &mut parameters) };
        self.frame.mechanism(mechanism.mechanism, parameters.as_slice());
        self.header.truncated |= parameters.overflowed();
    }

    /// A mechanism asked about by its number.
    #[inline]
    pub(crate) fn mechanism_type(&mut self, mechanism: CK_MECHANISM_TYPE) {
        self.frame.mechanism(mechanism, &[]);
    }

    /// The parameter of one message; the mechanism is the one that the operation was started with.
    #[inline]
    pub(crate) fn message(&mut self, active: Active, parameter: *mut c_void, length: CK_ULONG) {
        let Some((facts, session)) = self.recorder.map(Recorder::facts).zip(self.session.as_ref()) else {
            return;
        };
        let (_, mechanism) = facts.operation(session, active);
        let Some(known) = mechanism::by_number(mechanism) else { return };
        let mut parameters = Parameters::new();
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        // SAFETY: the caller's parameter as PKCS#11 demands it for messages of this mechanism.
        unsafe { parameter::decode(known.parameter.in_messages(), parameter, length, &mut parameters) };
        self.frame.message(parameters.as_slice());
        self.header.truncated |= parameters.overflowed();
    }

    /// A key that the call works with: its facts are learnt where they are not known.
    #[inline]
    pub(crate) fn key(&mut self, handle: CK_OBJECT_HANDLE) {
        self.known(handle, true);
    }

    /// An object that the call mentions: its facts are told where they are known.
    #[inline]
    pub(crate) fn object(&mut self, handle: CK_OBJECT_HANDLE) {
        self.known(handle, false);
    }

    #[inline]
    fn known(&mut self, handle: CK_OBJECT_HANDLE, learn: bool) {
        let first = self.keys == 0;
        self.keys += 1;
        let known = self.recorder.map(Recorder::facts).zip(self.session);
        let mut size =
            known.and_then(|(facts, session)| facts.tell_key(session.slot, handle, &mut self.frame));
        if let (None, true, Some((facts, session))) = (size, learn, known) {
            size = self.learn_key(facts, &session, handle);
        }
        let Some(size) = size else {
            // Nothing is known but the handle.
            return self.frame.words(Tag::Key, unknown_key(handle).into_iter());
        };
        if let (true, Some(asked)) = (first, &mut self.asked) {
            (asked.key_bits, asked.curve) = facts::size_of_key(size);
        }
    }

    /// Asks the vendor for a key, on the caller's session: only where no private operation is between its Init and
    /// its end, because a context-specific login may belong there and nothing else (PKCS#11 3.2, section 5.6.8).
    #[cold]
    fn learn_key(
        &mut self,
        facts: &facts::Facts,
        session: &Session,
        handle: CK_OBJECT_HANDLE,
    ) -> Option<u64> {
        let private =
            [Active::Sign, Active::SignRecover, Active::Decrypt, Active::MessageSign, Active::MessageDecrypt];
        if private.iter().any(|active| facts.operation(session, *active).0 != 0) {
            self.header.degraded = true;
            return None;
        }
        let words = facts::learn_key(self.shim.vendor.own(), self.header.session?, handle)?;
        facts.key_learnt(session.slot, handle, &words);
        facts.tell_key(session.slot, handle, &mut self.frame)
    }

    /// A template of attributes to set or to search by; the key size that it asks for is judged.
    pub(crate) fn template(&mut self, pointer: *mut CK_ATTRIBUTE, count: CK_ULONG) {
        // SAFETY: NULL, or the caller's template as PKCS#11 demands it.
        let attributes = || unsafe { read::template(pointer, count) };
        self.frame.template(count, attributes().map(|attribute| attribute.for_record()));
        let generates = matches!(self.asked, Some(asked) if matches!(asked.operation, Operation::Generate | Operation::GenerateKeyPair));
        if let (true, Some(asked)) = (generates, &mut self.asked) {
            for attribute in attributes() {
                size_asked(asked, &attribute);
            }
        }
    }

    /// The attributes that `C_GetAttributeValue` is asked for.
    pub(crate) fn attributes(&mut self, pointer: *mut CK_ATTRIBUTE, count: CK_ULONG) {
        // SAFETY: NULL, or the caller's template as PKCS#11 demands it.
        let attributes = unsafe { read::template(pointer, count) };
        self.frame.attributes(attributes.map(|attribute| attribute.number));
    }

    #[inline]
    pub(crate) fn input(&mut self, length: CK_ULONG) {
        self.header.bytes_in = Some(length);
    }

    #[inline]
    pub(crate) fn flags(&mut self, flags: CK_FLAGS) {
        self.frame.number(Tag::Flags, flags);
    }

    #[inline]
    pub(crate) fn user(&mut self, user: CK_USER_TYPE) {
        self.frame.number(Tag::User, user);
    }

    pub(crate) fn username(&mut self, pointer: *mut CK_UTF8CHAR, length: CK_ULONG) {
        // SAFETY: the caller's user name as PKCS#11 demands it.
        let name = unsafe { read::bytes(pointer, length, wire::MAX_TEXT) };
        self.frame.text(Tag::Username, name);
    }

    /// A PIN, which nothing is read of.
    #[inline]
    pub(crate) fn secret(&mut self) {}

    /// The operation that the call is a part of.
    #[inline]
    pub(crate) fn part_of(&mut self, active: Active) {
        if let Some((facts, session)) = self.recorder.map(Recorder::facts).zip(self.session.as_ref()) {
            self.header.operation = facts.operation(session, active).0;
        }
    }
}

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
            self.frame.number(Tag::Created, unsafe { handle.read_unaligned() });
        }
    }

    pub(crate) fn object_changed(&mut self, handle: CK_OBJECT_HANDLE) {
        if let Some((facts, session)) = self.facts().zip(self.session.as_ref()) {
            facts.key_changed(session.slot, handle);
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
        if let Some((facts, session)) = self.facts().zip(self.session.as_ref())
            && matches!(self.header.rv, CKR_OK | CKR_SESSION_HANDLE_INVALID | CKR_SESSION_CLOSED)
        {
            facts.session_closed(session.slot, handle);
        }
    }

    pub(crate) fn sessions_closed(&mut self, slot: CK_SLOT_ID) {
        if let Some(facts) = self.facts().filter(|_| self.header.rv == CKR_OK) {
            facts.slot_closed(slot);
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
}

/// The steps of the gate.
impl Call<'_> {
    /// Asks the policy, if there is something to ask.
    #[inline]
    pub(crate) fn judge(&mut self) {
        let Some(asked) = &self.asked else { return };
        let verdict = self.shim.policy.judge(asked);
        self.header.verdict = match verdict.action() {
            policy::Action::Allow => Said::Allow,
            policy::Action::Warn => Said::Warn,
            policy::Action::Deny => Said::Deny,
        };
        self.header.enforced = verdict.enforced();
        self.frame.section(Tag::Rule, self.shim.rule_text(verdict.rule()));
        if verdict.refuses() {
            self.refusal = Some(CKR_MECHANISM_INVALID);
        }
    }

    /// Our own code failed before the call could be judged.
    #[cold]
    pub(crate) fn faulted(&mut self) {
        self.header.degraded = true;
        if self.shim.on_fault == settings::OnFault::Deny {
            self.refusal = Some(CKR_FUNCTION_FAILED);
        }
    }

    #[cold]
    pub(crate) fn degraded(&mut self) {
        self.header.degraded = true;
    }

    /// What the caller gets instead of the vendor's answer.
    #[inline]
    pub(crate) fn refusal(&self) -> Option<CK_RV> {
        self.refusal
    }

    /// The call was answered here.
    #[inline]
    pub(crate) fn answered(&mut self, rv: CK_RV) {
        self.header.answered_here = true;
        self.returned(rv);
    }

    /// The caller gets this answer.
    #[inline]
    pub(crate) fn returned(&mut self, rv: CK_RV) {
        self.header.rv = rv;
        self.header.end = self.recorder.map_or(0, Recorder::now);
    }

    #[inline]
    pub(crate) fn reached_vendor(&self) -> bool {
        !self.header.answered_here
    }

    #[inline]
    pub(crate) fn rv(&self) -> CK_RV {
        self.header.rv
    }

    /// Carries the call's effect on the session's active operation into what is remembered. A size query and a buffer
    /// that was too small end nothing; any other error of a running operation ends it (PKCS#11 3.2, section 5.2).
    #[inline]
    pub(crate) fn take_effect(&mut self) {
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

    /// Publishes the record.
    #[inline]
    pub(crate) fn record(&mut self) {
        let Some(recorder) = self.recorder else { return };
        if let Some(trace) = thread::trace(self.shim.trace) {
            self.frame.trace(&trace);
        }
        recorder.publish(&self.place, &mut self.frame, &self.header);
    }

    /// The record could not be published: it is counted as lost.
    #[cold]
    pub(crate) fn lose(&self) {
        if let Some(recorder) = self.recorder {
            recorder.lose(&self.place);
        }
    }

    /// The mechanism to forward: the copy that was judged, or NULL as the caller had it.
    #[inline]
    pub(crate) fn mechanism_to_forward(&mut self, pointer: *mut CK_MECHANISM) -> *mut CK_MECHANISM {
        self.mechanism.as_mut().map_or(pointer, std::ptr::from_mut)
    }

    pub(crate) fn shim(&self) -> &'static Shim {
        self.shim
    }

    #[inline]
    fn facts(&self) -> Option<&'static facts::Facts> {
        self.recorder.map(Recorder::facts)
    }
}

/// Words of an encoded key before its texts.
const UNKNOWN_WORDS: usize = 9;

/// The encoded form of a key of which nothing is known but its handle.
fn unknown_key(handle: u64) -> [u64; UNKNOWN_WORDS] {
    // No class, no type; no bits, no curve, no allowed mechanisms; no flags, no dates; three empty texts of five bytes.
    [handle, u64::MAX, u64::MAX, 0x0000_ffff_ffff_ffff, 0, 0, 0, 0, 0]
}

/// What a template for a new key says of its size.
fn size_asked(asked: &mut policy::Facts, attribute: &Attribute<'_>) {
    let number = |bytes: &[u8]| bytes.try_into().map(u64::from_le_bytes).ok();
    let Some(value) = attribute.value else { return };
    match attribute.number {
        CKA_MODULUS_BITS => asked.key_bits = number(value).and_then(|bits| u32::try_from(bits).ok()),
        CKA_VALUE_LEN => {
            asked.key_bits = number(value).and_then(|bytes| u32::try_from(bytes.checked_mul(8)?).ok())
        }
        CKA_PRIME => asked.key_bits = u32::try_from(attribute.length.saturating_mul(8)).ok(),
        CKA_EC_PARAMS => {
            if let curve::Parameters::Named(named) = curve::from_parameters(value) {
                asked.key_bits = Some(u32::from(named.bits));
                let place = curve::ALL.iter().position(|known| std::ptr::eq(known, named));
                asked.curve = place.and_then(|place| u16::try_from(place).ok());
            }
        }
        _ => (),
    }
}
