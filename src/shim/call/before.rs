// SPDX-License-Identifier: Apache-2.0
//! The words that are said before a call: who calls, with which mechanism, on which key, what is asked for.
#![allow(unsafe_code)]

use cryptoki_sys::*;
use event::mechanism::{self, Operation, Shape};
use event::wire::{self, Tag};
use event::wire::{KeyView, TokenView};
use event::{Active, Function, attribute};
use policy::{Act, Subject};
use std::ffi::c_void;

use super::parameter::{self, Parameters};
use super::read;
use super::{Call, asked};
use crate::facts::{self, Session};
use crate::recorder::Recorder;

/// Words that are said before the call.
impl<'b> Call<'b> {
    /// The session; with it the token.
    #[inline]
    pub(crate) fn session(&mut self, handle: CK_SESSION_HANDLE) {
        self.header.session = Some(handle);
        if let Some(facts) = self.facts() {
            self.session = facts.session(handle);
            if self.session.is_none() && facts.may_miss_sessions() {
                self.learn_session(handle);
            }
            if let Some(session) = &self.session {
                facts.tell_session(session, &mut self.frame);
            }
        }
        if self.policy.policy.hides() {
            self.look_at_session(handle);
        }
    }

    #[cold]
    pub(super) fn learn_session(&mut self, handle: CK_SESSION_HANDLE) {
        let mut info = CK_SESSION_INFO::default();
        if self.shim.vendor.own().session_info(handle, &mut info) != Some(CKR_OK) {
            return;
        }
        self.remember_session(info.slotID, handle, info.flags & CKF_RW_SESSION != 0);
        self.session = self.facts().and_then(|facts| facts.session(handle));
    }

    pub(super) fn remember_session(&mut self, slot: CK_SLOT_ID, handle: CK_SESSION_HANDLE, read_write: bool) {
        let Some(recorder) = self.recorder else { return };
        let facts = recorder.facts();
        // A second is long enough for tools that open and close sessions in a row, and too short to exchange a token.
        let oldest = self.header.start.saturating_sub(recorder.ticks_per_second());
        if facts.token(slot, oldest, |token| facts.session_opened(slot, handle, read_write, token)) {
            return;
        }
        if let Some(token) =
            facts::learn_token(self.shim.vendor.own(), slot).map(|token| recorder.define(&token))
        {
            facts.token_learnt(slot, &token, self.header.start);
            facts.session_opened(slot, handle, read_write, &token);
        }
    }

    #[inline]
    pub(crate) fn slot(&mut self, slot: CK_SLOT_ID) {
        self.frame.number(Tag::Slot, slot);
        if let Some(asked) = &mut self.asked {
            asked.token.slot = Some(slot);
        }
        if self.policy.policy.hides() {
            self.look_at_slot(slot);
        }
    }

    /// The mechanism of a call that does `operation` with it. NULL cancels an operation and is not judged
    /// (PKCS#11 3.0, section 5.8.1).
    #[inline]
    pub(crate) fn mechanism(&mut self, operation: Operation, pointer: *mut CK_MECHANISM) {
        // SAFETY: NULL, or the caller's mechanism as PKCS#11 demands it.
        let Some(mechanism) = (unsafe { read::mechanism(pointer) }) else { return };
        self.mechanism = Some(mechanism);
        let act = operation.into();
        if self.policy.policy.asks_more(act) {
            self.ask(act, Some(mechanism.mechanism));
        }
        let Some(parameters) = self.parameters.take() else { return };
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
        unsafe { parameter::decode(shape, mechanism.pParameter, length, parameters) };
        self.frame.mechanism(mechanism.mechanism, parameters.as_slice());
        self.header.truncated |= parameters.overflowed();
        let parameters: &Parameters = parameters;
        match &mut self.asked {
            Some(asked) => asked.parameters = parameters.as_slice(),
            None => self.asked_mechanism = Some((act, mechanism.mechanism, parameters.as_slice())),
        }
    }

    /// What a call without a mechanism does, where the policy has something to say of it.
    #[inline]
    pub(crate) fn does(&mut self, act: Act) {
        if self.policy.policy.considers(act) {
            self.ask(act, None);
        }
    }

    /// Data to be signed: its length. Where the policy asks which digest it names (PKCS#1 v1.5 and ECDSA sign whatever
    /// they are given), its first bytes are compared with the known names, and forgotten.
    #[inline]
    pub(crate) fn signs(&mut self, active: Active, data: *mut CK_BYTE, length: CK_ULONG) {
        self.header.bytes_in = Some(length);
        if self.policy.policy.considers(Act::SignData) {
            self.look_at_data(active, data, length);
        }
    }

    #[cold]
    fn look_at_data(&mut self, active: Active, data: *mut CK_BYTE, length: CK_ULONG) {
        let Some((facts, session)) = self.facts().zip(self.session.as_ref()) else { return };
        let (_, mechanism) = facts.operation(session, active);
        // SAFETY: the caller's data as PKCS#11 demands it.
        let head = unsafe { read::bytes(data, length, asked::DIGEST_INFO_HEAD) };
        // ECDSA and DSA sign a number: zeros before it change its length, not the number.
        let zeros = match mechanism {
            CKM_ECDSA | CKM_DSA => head.iter().take_while(|byte| **byte == 0).count() as CK_ULONG,
            _ => 0,
        };
        let input = policy::Input { length: Some(length - zeros), digest: asked::digest_of(head) };
        self.ask(Act::SignData, Some(mechanism));
        if let Some(asked) = &mut self.asked {
            asked.input = input;
        }
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

    /// The same at the beginning of a message that is encrypted: its parts have the same parameter again.
    #[inline]
    pub(crate) fn begins_message(&mut self, active: Active, parameter: *mut c_void, length: CK_ULONG) {
        self.message(active, parameter, length);
        if self.policy.policy.considers(Act::EncryptMessage) {
            self.message_nonce(active, parameter, length);
        }
    }

    /// Tells the policy of the token and of who is logged in to it, where the policy asks.
    #[inline]
    pub(super) fn name_token(&mut self, asked: &mut policy::Facts<'b>) {
        if self.policy.policy.asks(Subject::Token, asked.act) {
            self.look_up_token(asked);
        }
    }

    #[cold]
    fn look_up_token(&mut self, asked: &mut policy::Facts<'b>) {
        let Some(slot) = self.session.map(|session| session.slot).or(asked.token.slot) else { return };
        asked.token.slot = Some(slot);
        let Some((facts, room)) = self.facts().zip(self.token_room.take()) else { return };
        let Some((length, user)) = facts.ask_token(slot, room) else { return };
        asked.user = asked.user.or(Some(user));
        // SAFETY: so many words were written.
        let words: &'b [u64] = unsafe { room[..length].assume_init_ref() };
        if let Ok(token) = TokenView::read(read::bytes_of(words)) {
            asked.token = asked::token(&token);
        }
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
        if self.policy.policy.considers(Act::See) {
            self.look_at_object(handle);
        }
        let known = self.recorder.map(Recorder::facts).zip(self.session);
        let mut told =
            known.and_then(|(facts, session)| facts.tell_key(session.slot, handle, &mut self.frame));
        if let (None, Some((facts, session))) = (told, known)
            && (learn || self.asked.is_some())
        {
            told = self.learn_key(facts, &session, handle);
        }
        if told.is_none() {
            // Nothing is known but the handle.
            self.frame.number(Tag::Key, handle);
        }
        if self.asked.is_some() {
            self.ask_of_key(handle, told);
        }
    }

    /// Tells the policy of a key, where it asks.
    fn ask_of_key(&mut self, handle: CK_OBJECT_HANDLE, told: Option<facts::Key>) {
        let number = self.keys;
        self.keys += 1;
        self.names(number, handle);
        let Some(asked) =
            self.asked.as_mut().filter(|asked| self.policy.policy.asks(Subject::Key, asked.act))
        else {
            return;
        };
        let Some((told, room)) = told.zip(self.key_room.get_mut(number).and_then(Option::take)) else {
            return;
        };
        let Some(length) = facts::encoded(&told, room) else { return };
        // SAFETY: so many words were written.
        let words: &'b [u64] = unsafe { room[..length].assume_init_ref() };
        // Shorter than a key can be where there was no room for it.
        let Ok(key) = KeyView::read(read::bytes_of(words)) else { return };
        match number {
            0 => asked.key = asked::known(&key),
            _ => asked.target = asked::known(&key),
        }
    }

    /// Asks the vendor for a key, on the caller's session: only where no private operation is between its Init and
    /// its end, because a context-specific login may belong there and nothing else (PKCS#11 3.2, section 5.6.8).
    #[cold]
    fn learn_key(
        &mut self,
        facts: &'static facts::Facts,
        session: &Session,
        handle: CK_OBJECT_HANDLE,
    ) -> Option<facts::Key> {
        let private =
            [Active::Sign, Active::SignRecover, Active::Decrypt, Active::MessageSign, Active::MessageDecrypt];
        if private.iter().any(|active| facts.operation(session, *active).0 != 0) {
            self.header.degraded = true;
            return None;
        }
        let words = facts::learn_key(self.shim.vendor.own(), self.header.session?, handle)?;
        facts.key_learnt(session.slot, handle, &self.recorder?.define(&words));
        facts.tell_key(session.slot, handle, &mut self.frame)
    }

    /// A template of attributes to set or to search by; what it asks for is judged.
    pub(crate) fn template(&mut self, pointer: *mut CK_ATTRIBUTE, count: CK_ULONG) {
        // SAFETY: NULL, or the caller's template as PKCS#11 demands it.
        let attributes = || unsafe { read::template(pointer, count) };
        self.frame.template(count, attributes().map(|attribute| attribute.for_record()));
        let number = self.templates;
        self.templates += 1;
        let Some(asked) = &mut self.asked else { return };
        self.longest_template = self.longest_template.max(count);
        // SAFETY: as above.
        let wanted = asked::wanted(unsafe { read::template_to_judge(pointer, count) }, count);
        match number {
            0 => asked.template = wanted,
            _ => asked.private_template = wanted,
        }
    }

    /// The attributes that `C_GetAttributeValue` is asked for.
    pub(crate) fn attributes(&mut self, pointer: *mut CK_ATTRIBUTE, count: CK_ULONG) {
        // SAFETY: NULL, or the caller's template as PKCS#11 demands it.
        let numbers = unsafe { read::numbers(pointer, count) };
        self.frame.words(Tag::Attributes, [], numbers);
        if let Some(asked) = &mut self.asked {
            // SAFETY: as above.
            let mut numbers = unsafe { read::numbers_to_judge(pointer, count) };
            asked.template.present = numbers.len() > 0;
            // What is not looked at may be anything.
            asked.template.secret = numbers.len() as CK_ULONG != count || numbers.any(attribute::is_secret);
        }
    }

    #[inline]
    pub(crate) fn input(&mut self, length: CK_ULONG) {
        self.header.bytes_in = Some(length);
    }

    #[inline]
    pub(crate) fn flags(&mut self, flags: CK_FLAGS) {
        self.frame.number(Tag::Flags, flags);
        if let Some(asked) = &mut self.asked {
            asked.flags = Some(flags);
        }
    }

    #[inline]
    pub(crate) fn user(&mut self, user: CK_USER_TYPE) {
        self.frame.number(Tag::User, user);
        if let Some(asked) = &mut self.asked {
            asked.user = Some(user);
        }
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
