// SPDX-License-Identifier: Apache-2.0
//! One call while it is under way. Its methods are the words of `event::table`: each reads one kind of argument, and
//! no other code reads the caller's memory. `secret` takes nothing, so that no PIN can be recorded by mistake.
//!
//! Pointers are read as PKCS#11 lets the vendor read them: inputs before the call, outputs only after an answer that
//! defines them. A record is what was seen here; the caller's other threads may change it under us.

mod after;
mod before;
mod parameter;
mod read;

use cryptoki_sys::*;
use event::record::{Header, Verdict as Said};
use event::wire::{FOLLOWS, Frame, MAX_SECTIONS, Tag};
use event::{Active, Function};
use std::mem::MaybeUninit;

use crate::facts::{Facts, Session};
use crate::recorder::{Place, Recorder};
use crate::start::Shim;
use crate::thread;

/// Room for a record's sections on the caller's stack.
pub(crate) const BUFFER: usize = MAX_SECTIONS;

/// A call under way.
pub(crate) struct Call<'b> {
    shim: &'static Shim,
    recorder: Option<&'static Recorder>,
    place: Place<'static>,
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

/// The steps of the gate.
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

    /// Asks the policy, if there is something to ask.
    #[inline(always)]
    pub(crate) fn judge(&mut self) {
        if let Some(asked) = self.asked {
            self.judge_of(&asked);
        }
    }

    fn judge_of(&mut self, asked: &policy::Facts) {
        let verdict = self.shim.policy.judge(asked);
        self.header.verdict = match verdict.action() {
            policy::Action::Allow => Said::Allow,
            policy::Action::Warn => Said::Warn,
            policy::Action::Deny => Said::Deny,
        };
        self.header.enforced = verdict.enforced();
        let (rule, text) = (verdict.rule().place(), self.shim.rule_text(verdict.rule()));
        let place = self.recorder.map_or(FOLLOWS, |recorder| recorder.rule(rule, text));
        let text = if place == FOLLOWS { text } else { &[] };
        self.frame.words(Tag::Rule, [place], text.iter().copied());
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
        recorder.publish(&self.place, &mut self.frame, &self.header);
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

    pub(crate) fn shim(&self) -> &'static Shim {
        self.shim
    }

    #[inline]
    fn facts(&self) -> Option<&'static Facts> {
        self.recorder.map(Recorder::facts)
    }
}
