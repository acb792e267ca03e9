// SPDX-License-Identifier: Apache-2.0
//! What a call may see: every object that it names, in its arguments and inside its mechanism's parameter, and every
//! slot, by number or through a session. What the policy hides is answered as what does not exist, and the vendor is not
//! asked. Nothing of this runs where the policy has no rule for it.
//!
//! Each object is judged by itself whenever it is named or found: no list of what was shown is kept, so searches on
//! several sessions cannot get into each other's way, and a handle that was guessed is judged as one that was found.
#![allow(unsafe_code)]

use cryptoki_sys::*;
use event::Function;
use event::mechanism::{self, Shape};
use event::parameter::{Field, Kind, Parameter};
use event::record::Verdict as Said;
use event::wire::{KeyView, Tag, TokenView};
use policy::{Act, Action, Facts, Subject, Verdict};
use std::ffi::c_void;
use std::mem::MaybeUninit;

use super::parameter::holds_handles;
use super::{Call, asked, read};
use crate::facts::{self, KEY_WORDS, TOKEN_WORDS};
use crate::recorder::{self, Recorder};

/// More data parameters than this no key derivation has.
const MOST_DATA: usize = 64;

/// How the parameters of key derivation by SP 800-108 begin, with and without feedback.
#[repr(C)]
struct Derivation {
    prf: CK_ULONG,
    count: CK_ULONG,
    data: *const CK_PRF_DATA_PARAM,
}

impl Call<'_> {
    /// An object that stands in the call's arguments.
    #[cold]
    pub(super) fn look_at_object(&mut self, handle: CK_OBJECT_HANDLE) {
        use Function::*;
        // Both keys of a wrapping are counted, since where the policy hides anything it is asked of every mechanism.
        let number = self.keys;
        let function = self.header.function;
        // An Init without a mechanism ends an operation, whatever key it names; and no key is no object.
        let cancels = self.mechanism.is_none() && function.name().ends_with("Init");
        if self.refusal.is_some() || cancels || function == C_SetOperationState && handle == 0 {
            return;
        }
        let rv = match function {
            C_WrapKey | C_WrapKeyAuthenticated if number == 0 => CKR_WRAPPING_KEY_HANDLE_INVALID,
            C_UnwrapKey | C_UnwrapKeyAuthenticated => CKR_UNWRAPPING_KEY_HANDLE_INVALID,
            C_CopyObject | C_DestroyObject | C_GetObjectSize | C_GetAttributeValue | C_SetAttributeValue => {
                CKR_OBJECT_HANDLE_INVALID
            }
            _ => CKR_KEY_HANDLE_INVALID,
        };
        let verdict = self.sight(Some(handle), true);
        self.seen(verdict, rv);
    }

    /// The session that the call works in: one of a hidden slot is none. It may be closed all the same, since that takes
    /// nothing and a policy may have changed since it was opened.
    #[cold]
    #[inline(never)]
    pub(super) fn look_at_session(&mut self, handle: CK_SESSION_HANDLE) {
        if matches!(self.header.function, Function::C_OpenSession | Function::C_CloseSession) {
            return;
        }
        if self.session.is_none() {
            self.learn_session(handle);
        }
        if let Some(session) = self.session
            && let Some(verdict) = self.sight_of_slot(session.slot)
        {
            self.seen(verdict, CKR_SESSION_HANDLE_INVALID);
        }
    }

    /// A slot that the call names.
    #[cold]
    #[inline(never)]
    pub(super) fn look_at_slot(&mut self, slot: CK_SLOT_ID) {
        let Some(verdict) = self.sight_of_slot(slot) else { return };
        // Who asks too early hears that from the vendor.
        let early = || {
            let told = self.shim.vendor.own().token_info(slot, &mut CK_TOKEN_INFO::default());
            told == Some(CKR_CRYPTOKI_NOT_INITIALIZED)
        };
        if !verdict.refuses() || !early() {
            self.seen(verdict, CKR_SLOT_ID_INVALID);
        }
    }

    /// Judges the objects inside the mechanism's parameter, now that all arguments are read; false where something that the
    /// call names is not there: then it is not judged further.
    #[cold]
    #[inline(never)]
    pub(super) fn sees(&mut self, parameters: &[Parameter]) -> bool {
        if self.refusal.is_none() && self.policy().considers(Act::See) {
            self.look_at_parameter(parameters);
        }
        self.refusal.is_none()
    }

    /// Every handle in the parameter. A parameter with places for handles that could not be read may hold any, and is
    /// judged as an object of which nothing is known.
    fn look_at_parameter(&mut self, parameters: &[Parameter]) {
        let Some(mechanism) = self.mechanism else { return };
        let shape = mechanism::by_number(mechanism.mechanism).map_or(Shape::Bytes, |known| known.parameter);
        let is_handle = |parameter: &&Parameter| parameter.field.kind() == Kind::Handle;
        let read_any = parameters.iter().filter(is_handle).any(|parameter| parameter.depth == 0);
        let unread = parameters.iter().any(|parameter| {
            parameter.field == Field::Malformed && (parameter.depth > 0 || holds_handles(shape) && !read_any)
        });
        if unread {
            self.look_at_inner(None);
        }
        for parameter in
            parameters.iter().filter(is_handle).filter(|parameter| is_used(parameter, parameters))
        {
            self.look_at_inner(Some(parameter.value));
        }
        if matches!(shape, Shape::Sp800108Kdf | Shape::Sp800108FeedbackKdf) {
            self.look_at_derivation(mechanism.pParameter, mechanism.ulParameterLen);
        }
    }

    /// The data that goes into a key derivation by SP 800-108: keys among it (PKCS#11 3.2, `CK_SP800_108_KEY_HANDLE`).
    fn look_at_derivation(&mut self, parameter: *const c_void, length: CK_ULONG) {
        if parameter.is_null() || length < size_of::<Derivation>() as CK_ULONG {
            return;
        }
        // SAFETY: the caller's parameter, long enough; any bytes are such a structure.
        let derivation = unsafe { parameter.cast::<Derivation>().read_unaligned() };
        if derivation.data.is_null() {
            return;
        }
        let count = usize::try_from(derivation.count).unwrap_or(usize::MAX);
        for place in 0..count.min(MOST_DATA) {
            // SAFETY: as many as the caller says, as PKCS#11 demands it.
            let data = unsafe { derivation.data.add(place).read_unaligned() };
            if data.type_ == CK_SP800_108_KEY_HANDLE {
                // SAFETY: NULL or as many bytes as the caller says.
                let handle = unsafe { read::structure::<CK_OBJECT_HANDLE>(data.pValue, data.ulValueLen) };
                self.look_at_inner(handle);
            }
        }
        if count > MOST_DATA {
            self.look_at_inner(None);
        }
    }

    /// An object inside the parameter; none for one that cannot be read. Its record stands behind those of the
    /// arguments. Not every function with a mechanism lists a code for a handle that is not its key's, so it is the
    /// parameter that is invalid.
    fn look_at_inner(&mut self, handle: Option<CK_OBJECT_HANDLE>) {
        // No handle is 0 (PKCS#11 3.2, section 3.5): there it says that there is no object.
        if self.refusal.is_some() || handle == Some(0) {
            return;
        }
        let verdict = self.sight(handle, true);
        if let Some(handle) = handle {
            self.tell_object(handle);
        }
        self.seen(verdict, CKR_MECHANISM_PARAM_INVALID);
    }

    /// Puts an object into the record.
    fn tell_object(&mut self, handle: CK_OBJECT_HANDLE) {
        let known = self.recorder.map(Recorder::facts).zip(self.session);
        let told = known.and_then(|(facts, session)| facts.tell_key(session.slot, handle, &mut self.frame));
        if told.is_none() {
            self.frame.number(Tag::Key, handle);
        }
    }

    /// Whether a search may give this object to the caller.
    #[inline(never)]
    pub(crate) fn shows_object(&mut self, handle: CK_OBJECT_HANDLE) -> bool {
        // Not kept: what is only found must not push out what is used.
        let verdict = self.sight(Some(handle), false);
        if !verdict.refuses() && self.is_news(verdict) {
            self.known_words(handle, true, &mut [MaybeUninit::uninit(); KEY_WORDS]);
            self.tell_object(handle);
        }
        self.shows(verdict)
    }

    /// Whether the caller may hear of this slot.
    #[inline(never)]
    pub(crate) fn shows_slot(&mut self, slot: CK_SLOT_ID) -> bool {
        self.sight_of_slot(slot).is_none_or(|verdict| self.shows(verdict))
    }

    /// Records a verdict that hides nothing, where it is worth it.
    fn shows(&mut self, verdict: Verdict<'static>) -> bool {
        if verdict.refuses() {
            return false;
        }
        if self.is_news(verdict) {
            self.say(verdict);
        }
        true
    }

    /// Whether a verdict that hides nothing is stricter than all that was said: seeing many objects is recorded once.
    fn is_news(&self, verdict: Verdict<'_>) -> bool {
        match verdict.action() {
            Action::Allow => false,
            Action::Warn => matches!(self.header.verdict, Said::NotJudged | Said::Allow),
            Action::Deny | Action::Quarantine => self.header.verdict != Said::Deny,
        }
    }

    /// Refuses with `rv` what is hidden, notes what is not.
    #[inline(never)]
    fn seen(&mut self, verdict: Verdict<'static>, rv: CK_RV) {
        if self.refusal.is_some() || self.shows(verdict) {
            return;
        }
        // Where the session itself is gone, the vendor is the one to say so: applications open another one then.
        let gone = self.header.session.is_some_and(|session| {
            let told = self.shim.vendor.own().session_info(session, &mut CK_SESSION_INFO::default());
            matches!(
                told,
                Some(
                    CKR_SESSION_HANDLE_INVALID
                        | CKR_SESSION_CLOSED
                        | CKR_CRYPTOKI_NOT_INITIALIZED
                        | CKR_TOKEN_NOT_PRESENT
                        | CKR_DEVICE_REMOVED
                )
            )
        });
        if !gone {
            self.say(verdict);
            self.refusal = Some(rv);
        }
    }

    /// What the policy says of seeing an object; none for one that cannot be told. What is learnt of it is kept where
    /// `keep` says so.
    #[inline(never)]
    fn sight(&mut self, handle: Option<CK_OBJECT_HANDLE>, keep: bool) -> Verdict<'static> {
        let handle = handle.filter(|_| self.policy().asks(Subject::Key, Act::See));
        let mut room = [MaybeUninit::uninit(); KEY_WORDS];
        let length = handle.and_then(|handle| self.known_words(handle, keep, &mut room));
        // SAFETY: so many words were written.
        let words = unsafe { room[..length.unwrap_or(0)].assume_init_ref() };
        let mut facts = Facts::of(self.header.function, Act::See, None);
        if let Ok(key) = KeyView::read(read::bytes_of(words)) {
            facts.key = asked::known(&key);
        }
        let slot = self.session.map(|session| session.slot);
        self.judge_sight(&mut facts, slot, &mut [MaybeUninit::uninit(); TOKEN_WORDS])
    }

    /// What the policy says of seeing a slot: with the token in it, or where there is none now, the last that was there.
    /// None where it has no rule for slots.
    #[inline(never)]
    fn sight_of_slot(&mut self, slot: CK_SLOT_ID) -> Option<Verdict<'static>> {
        self.policy().considers(Act::SeeToken).then(|| {
            let mut facts = Facts::of(self.header.function, Act::SeeToken, None);
            self.judge_sight(&mut facts, Some(slot), &mut [MaybeUninit::uninit(); TOKEN_WORDS])
        })
    }

    #[inline(never)]
    fn judge_sight<'w>(
        &mut self,
        facts: &mut Facts<'w>,
        slot: Option<CK_SLOT_ID>,
        room: &'w mut [MaybeUninit<u64>; TOKEN_WORDS],
    ) -> Verdict<'static> {
        let policy = self.policy();
        if let Some(process) = &self.policy.process {
            facts.process = process.facts();
        }
        if policy.asks(Subject::Time, facts.act) {
            facts.time = recorder::utc_seconds();
        }
        facts.token.slot = slot;
        if let Some(slot) = slot.filter(|_| policy.asks(Subject::Token, facts.act))
            && let Some((length, user)) = self.token_words(slot, room)
        {
            facts.user = user;
            // SAFETY: so many words were written.
            let words: &'w [u64] = unsafe { room[..length].assume_init_ref() };
            if let Ok(token) = TokenView::read(read::bytes_of(words)) {
                facts.token = asked::token(&token);
            }
        }
        policy.judge(facts)
    }

    /// The encoded facts of an object, learnt where they are not known: in the middle of an operation as well, where the
    /// caller is about to do with the session what this does.
    fn known_words(
        &mut self,
        handle: CK_OBJECT_HANDLE,
        keep: bool,
        room: &mut [MaybeUninit<u64>; KEY_WORDS],
    ) -> Option<usize> {
        let session = self.header.session?;
        if self.session.is_none() {
            self.learn_session(session);
        }
        let known = self.recorder.zip(self.session);
        if let Some((recorder, session)) = known
            && let Some(length) = recorder.facts().ask_key(session.slot, handle, room)
        {
            return Some(length);
        }
        let words = facts::learn_key(self.shim.vendor.own(), session, handle)?;
        if let Some((recorder, session)) = known.filter(|_| keep) {
            recorder.facts().key_learnt(session.slot, handle, &recorder.define(&words));
        }
        Some(copied(&words, room))
    }

    /// The encoded facts of the token in a slot, and who is logged in to it.
    fn token_words(
        &self,
        slot: CK_SLOT_ID,
        room: &mut [MaybeUninit<u64>; TOKEN_WORDS],
    ) -> Option<(usize, Option<u64>)> {
        let learn = || facts::learn_token(self.shim.vendor.own(), slot);
        let Some(recorder) = self.recorder else { return Some((copied(&learn()?, room), None)) };
        let facts = recorder.facts();
        let oldest = self.header.start.saturating_sub(recorder.ticks_per_second());
        if !facts.token(slot, oldest, |_| ())
            && let Some(token) = learn()
        {
            facts.token_learnt(slot, &recorder.define(&token), self.header.start);
        }
        facts.ask_token(slot, room).map(|(length, user)| (length, Some(user)))
    }
}

/// Whether a handle in a parameter means an object: flags beside some say whether they do, and where they do not,
/// anything may stand there.
fn is_used(handle: &Parameter, parameters: &[Parameter]) -> bool {
    let told = |field: Field| {
        let beside = parameters.iter().filter(|other| other.depth == handle.depth);
        beside.into_iter().find(|other| other.field == field).map(|other| other.value)
    };
    match handle.field {
        Field::SaltKey => !matches!(told(Field::SaltType), Some(CKF_HKDF_SALT_NULL | CKF_HKDF_SALT_DATA)),
        Field::PreviousKey => told(Field::HasPreviousKey) != Some(0),
        Field::OtherKey => told(Field::RekeyOrDh) != Some(0) && told(Field::HasSeedKey) != Some(0),
        _ => true,
    }
}

/// Copies words; how many.
fn copied(words: &[u64], room: &mut [MaybeUninit<u64>]) -> usize {
    for (to, from) in room.iter_mut().zip(words) {
        to.write(*from);
    }
    words.len().min(room.len())
}
