// SPDX-License-Identifier: Apache-2.0
//! Quarantine in the way of a call: a rule orders it, and every later call of who is held is refused in its name, all
//! but those that end something or cannot do harm.

use cryptoki_sys::CK_SESSION_HANDLE;
use event::Function::{self, *};
use event::record::Verdict as Said;
use event::wire::{FOLLOWS, Tag};
use policy::{Extent, Verdict};

use super::Call;
use crate::quarantine::{Order, Whom};
use crate::recorder::{Recorder, boot_time, utc_seconds};

/// What who is held can do still.
const FREE: &[Function] = &[
    C_Initialize,
    C_Finalize,
    C_GetInfo,
    C_GetFunctionList,
    C_GetInterfaceList,
    C_GetInterface,
    C_CloseSession,
    C_CloseAllSessions,
    C_GetSessionInfo,
    C_Logout,
    C_SessionCancel,
];

const SECOND: u64 = 1_000_000_000;

impl Call<'_> {
    /// Refuses the call if it is of somebody who is held.
    #[cold]
    pub(super) fn is_held(&mut self, recorder: &Recorder) -> bool {
        if FREE.contains(&self.header.function) {
            return false;
        }
        let Some((of, order)) = recorder.quarantine().order(self.header.session, boot_time()) else {
            return false;
        };
        self.header.verdict = Said::Deny;
        self.header.enforced = true;
        // Verdict and policy of a record belong together, and this verdict is older than the policy may be.
        let mark = order.policy.mark(Some(recorder));
        (self.header.policy, self.header.policy_defined) = (mark.word, mark.defined);
        let place = recorder.place_of(order.rule);
        let text = if place == FOLLOWS { order.rule } else { &[] };
        self.frame.words(Tag::Rule, [u64::MAX, place], text.iter().copied());
        self.tell_quarantine(of, order.until_utc);
        self.refusal = Some(order.rv);
        true
    }

    /// Carries out what a rule orders besides refusing; in shadow and in observe mode it is told, and nobody is held.
    #[cold]
    pub(super) fn quarantine(&mut self, verdict: Verdict<'_>) {
        let Some(ordered) = verdict.rule().quarantine() else { return };
        let Some(recorder) = self.recorder.filter(|_| verdict.refuses()) else {
            return self.tell_quarantine(ordered.of, None);
        };
        let whom = match (ordered.of, self.header.session) {
            (Extent::Session, Some(handle)) => {
                // Of a session that is not known its closing alone is heard, not that of all of its slot.
                Whom::Session { slot: self.session.map_or(u64::MAX, |session| session.slot), handle }
            }
            _ => Whom::Process,
        };
        let (now, span) = (boot_time(), ordered.seconds.saturating_mul(SECOND));
        let order = Order {
            until: now.saturating_add(span),
            until_utc: utc_seconds().map(|utc| utc.saturating_mul(SECOND).saturating_add(span)),
            rv: verdict.rv(),
            policy: self.policy,
            rule: self.policy.text(verdict.rule()),
        };
        let of = recorder.quarantine().hold(whom, order, now);
        self.tell_quarantine(of, order.until_utc);
    }

    fn tell_quarantine(&mut self, of: Extent, until: Option<u64>) {
        self.frame.words(Tag::Quarantine, [of as u64, until.unwrap_or(u64::MAX)], std::iter::empty());
    }

    /// A session is over, and with it its quarantine.
    #[inline]
    pub(super) fn release(&self, handle: CK_SESSION_HANDLE) {
        self.release_if(|_, held| held == handle);
    }

    /// Sessions (slot, handle) are over, and with them their quarantines.
    #[inline]
    pub(super) fn release_if(&self, which: impl Fn(u64, u64) -> bool) {
        if let Some(recorder) = self.recorder.filter(|recorder| recorder.quarantine().holds_any()) {
            recorder.quarantine().ended(which);
        }
    }
}
