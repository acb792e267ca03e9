// SPDX-License-Identifier: Apache-2.0
//! One call while it is under way. Its methods are the words of `event::table`: each reads one kind of argument, and
//! no other code reads the caller's memory. `secret` takes nothing, so that no PIN can be recorded by mistake.
//!
//! Pointers are read as PKCS#11 lets the vendor read them: inputs before the call, outputs only after an answer that
//! defines them. A record is what was seen here; the caller's other threads may change it under us.

mod after;
mod asked;
mod before;
mod counted;
mod derivation;
mod harden;
mod held;
mod instead;
mod parameter;
mod read;
mod remembered;
mod sight;

use cryptoki_sys::*;
use event::parameter::Parameter;
use event::record::{Header, Verdict as Said};
use event::wire::{Frame, MAX_SECTIONS, Tag};
use event::{Active, Function};
use policy::Subject;
use std::mem::MaybeUninit;

use crate::facts::{Facts, KEY_WORDS, Session, TOKEN_WORDS};
use crate::in_force::InForce;
use crate::recorder::{self, Place, Recorder};
use crate::start::Shim;
use crate::thread;
use harden::Hardening;
pub(crate) use harden::Templates;
use parameter::Parameters;
use remembered::Remembered;

/// Memory of one call on the caller's stack. None of it is cleared: that would cost more than the call.
pub(crate) struct Room<'b> {
    facts: MaybeUninit<policy::Facts<'b>>,
    sections: [MaybeUninit<u8>; MAX_SECTIONS],
    parameters: Parameters,
    keys: [[MaybeUninit<u64>; KEY_WORDS]; 2],
    token: [MaybeUninit<u64>; TOKEN_WORDS],
}

impl Room<'_> {
    /// Room for a call.
    #[inline]
    pub(crate) const fn new() -> Self {
        Room {
            facts: MaybeUninit::uninit(),
            sections: [const { MaybeUninit::uninit() }; MAX_SECTIONS],
            parameters: Parameters::new(),
            keys: [[const { MaybeUninit::uninit() }; KEY_WORDS]; 2],
            token: [const { MaybeUninit::uninit() }; TOKEN_WORDS],
        }
    }
}

/// A call under way.
pub(crate) struct Call<'b> {
    shim: &'static Shim,
    policy: &'static InForce,
    recorder: Option<&'static Recorder>,
    place: Place<'static>,
    header: Header,
    frame: Frame<'b>,
    session: Option<Session>,
    /// What the policy is asked.
    asked: Option<&'b mut policy::Facts<'b>>,
    /// What it is asked where mechanism and parameter are all that it asks for.
    asked_mechanism: Option<(policy::Act, CK_MECHANISM_TYPE, &'b [Parameter])>,
    /// Where what it is asked lies.
    facts_room: Option<&'b mut MaybeUninit<policy::Facts<'b>>>,
    parameters: Option<&'b mut Parameters>,
    key_room: [Option<&'b mut [MaybeUninit<u64>; KEY_WORDS]>; 2],
    token_room: Option<&'b mut [MaybeUninit<u64>; TOKEN_WORDS]>,
    /// The caller's mechanism, copied, so that what was judged is what is forwarded. `pParameter` stays the caller's:
    /// some modules write into it.
    mechanism: Option<CK_MECHANISM>,
    refusal: Option<CK_RV>,
    /// Keys and templates read so far.
    keys: usize,
    templates: usize,
    /// The count of attributes of the longest of them.
    longest_template: CK_ULONG,
    /// What the policy adds to them.
    hardening: Option<Hardening>,
    /// What the guards remember, where the policy has any that ask.
    remembers: Option<Remembered>,
    /// What was counted, where the policy has rates.
    counted: Option<policy::Counted>,
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

/// The steps of the gate.
impl<'b> Call<'b> {
    #[inline]
    pub(crate) fn begin(shim: &'static Shim, function: Function, room: &'b mut Room<'b>) -> Self {
        let recorder = shim.recorder();
        let Room { facts, sections, parameters, keys: [first, second], token } = room;
        let place = recorder.map_or(Place::NOWHERE, Recorder::begin);
        let policy = shim.policy.in_force();
        let mark = policy.mark(recorder);
        Call {
            shim,
            policy,
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
                policy: mark.word,
                policy_defined: mark.defined,
                verdict: Said::NotJudged,
                enforced: false,
                size_query: false,
                truncated: false,
                degraded: false,
                answered_here: false,
                is_notice: false,
            },
            place,
            frame: Frame::new(sections),
            session: None,
            asked: None,
            asked_mechanism: None,
            facts_room: Some(facts),
            parameters: Some(parameters),
            key_room: [Some(first), Some(second)],
            token_room: Some(token),
            mechanism: None,
            refusal: None,
            keys: 0,
            remembers: None,
            counted: None,
            templates: 0,
            longest_template: 0,
            hardening: None,
            effect: Effect::None,
        }
    }

    /// Begins the question to the policy, once for a call: what the call does, and with which mechanism. Of its own, since
    /// a hundred functions would each have a copy of all the fields that are not known yet.
    #[inline(never)]
    fn ask(&mut self, act: policy::Act, mechanism: Option<CK_MECHANISM_TYPE>) {
        if let Some(room) = self.facts_room.take() {
            self.asked = Some(room.write(policy::Facts::of(self.header.function, act, mechanism)));
        }
    }

    /// Asks whether the caller is held, and the policy, if there is something to ask.
    #[inline(always)]
    pub(crate) fn judge(&mut self) {
        if let Some(recorder) = self.recorder.filter(|recorder| recorder.quarantine().holds_any())
            && self.is_held(recorder)
        {
            return;
        }
        if self.asked_mechanism.is_some() {
            self.judge_mechanism();
        } else if self.asked.is_some() {
            self.judge_asked();
        }
    }

    #[inline(never)]
    fn judge_mechanism(&mut self) {
        let Some((act, mechanism, parameters)) = self.asked_mechanism.take() else { return };
        let verdict = self.policy.policy.judge_mechanism(act, mechanism, parameters);
        let function = self.header.function;
        self.obey(verdict, || policy::Facts {
            parameters,
            ..policy::Facts::of(function, act, Some(mechanism))
        });
    }

    #[inline(never)]
    fn judge_asked(&mut self) {
        let Some(asked) = self.asked.take() else { return };
        let (policy, act) = (&self.policy.policy, asked.act);
        if policy.hides() && !self.sees(asked.parameters) {
            return;
        }
        if let Some(process) = &self.policy.process {
            asked.process = process.facts();
        }
        if policy.asks(Subject::Time, act) {
            asked.time = recorder::utc_seconds();
        }
        self.name_token(asked);
        self.recall(asked);
        if policy.asks(Subject::Past, act) {
            self.count_call(asked);
        }
        self.obey(policy.judge(asked), || *asked);
    }

    /// Notes the verdict on what was `asked`, and refuses the call if it says so.
    #[inline]
    fn obey(&mut self, verdict: policy::Verdict<'_>, asked: impl FnOnce() -> policy::Facts<'b>) {
        self.say(verdict);
        if self.counted.is_some() {
            self.count_verdict(verdict.refuses());
        }
        if verdict.action() == policy::Action::Quarantine {
            self.quarantine(verdict);
        }
        if verdict.refuses() {
            self.refusal = Some(verdict.rv());
            self.tell_instead(&asked());
        } else if self.templates != 0 && self.policy.policy.hardens() {
            self.note_hardening(verdict, &asked());
        }
    }

    /// Puts a verdict into the record, where none is that is stricter. Of several sections the last counts.
    #[inline(never)]
    fn say(&mut self, verdict: policy::Verdict<'_>) {
        let said = match verdict.action() {
            policy::Action::Allow => Said::Allow,
            policy::Action::Warn => Said::Warn,
            policy::Action::Deny | policy::Action::Quarantine => Said::Deny,
        };
        if self.header.verdict as u8 > said as u8 {
            return;
        }
        self.header.verdict = said;
        self.header.enforced = verdict.enforced();
        let (place, text) = self.policy.rule(verdict.rule(), self.recorder);
        let nested = verdict.nested().unwrap_or(u64::MAX);
        self.frame.words(Tag::Rule, [nested, place], text.iter().copied());
    }

    /// Our own code failed before the call could be judged.
    #[cold]
    pub(crate) fn faulted(&mut self) {
        self.header.degraded = true;
        if self.shim.on_fault == settings::OnFault::Deny {
            self.refusal = Some(CKR_FUNCTION_FAILED);
        }
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

    /// Publishes the record.
    #[inline]
    pub(crate) fn record(&mut self) {
        let Some(recorder) = self.recorder else { return };
        if let Some(trace) = thread::trace(self.shim.trace) {
            self.frame.trace(&trace);
        }
        if recorder.publish(&self.place, &mut self.frame, &self.header) {
            recorder.look(self.header.end, &self.shim.policy);
        }
    }

    /// Our own code failed after the call: what was read by then is published, or the record is counted as lost.
    #[cold]
    pub(crate) fn record_what_there_is(&mut self) {
        self.header.degraded = true;
        if crate::gate::ours(|| self.record()).is_none()
            && let Some(recorder) = self.recorder
        {
            recorder.lose(&self.place);
        }
    }

    /// The mechanism to forward: the copy that was judged, or NULL as the caller had it.
    #[inline]
    pub(crate) fn mechanism_to_forward(&mut self, pointer: *mut CK_MECHANISM) -> *mut CK_MECHANISM {
        self.mechanism.as_mut().map_or(pointer, std::ptr::from_mut)
    }

    pub(crate) fn policy(&self) -> &'static policy::Policy {
        &self.policy.policy
    }

    #[inline]
    fn facts(&self) -> Option<&'static Facts> {
        self.recorder.map(Recorder::facts)
    }
}
