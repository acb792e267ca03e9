// SPDX-License-Identifier: Apache-2.0
//! Counting in the way of a call, where the policy has rates: it counts before it is judged, and is taken back where it
//! turns out not to count. Refusals of our own count in none.

use cryptoki_sys::CK_INVALID_HANDLE;
use policy::{Belongs, Facts, failed};

use super::Call;
use crate::recorder::{Recorder, boot_time};

impl Call<'_> {
    /// Counts the call, and tells which rates are reached.
    #[cold]
    pub(super) fn count_call(&mut self, asked: &mut Facts<'_>) {
        let policy = &self.policy.policy;
        let Some(recorder) = self.recorder else { return };
        let counting = policy.counting(asked);
        if counting == 0 {
            return;
        }
        let session = self.session.as_ref();
        let belongs = Belongs {
            session: session.map(|session| recorder.facts().session_id(session)),
            token: session.map(|session| session.slot).or(asked.token.slot),
            key: self.remembers.map(|names| names.handles[0]).filter(|handle| *handle != CK_INVALID_HANDLE),
        };
        let mut counters = recorder.counters().lock();
        // Read under the lock, so that no call is counted before one that came earlier.
        let counted = counters.come(policy, counting, belongs, boot_time());
        asked.memory.reached = counted.reached();
        self.counted = Some(counted);
    }

    /// Counts what goes on as well where a rate is reached; what is refused does not count.
    #[cold]
    pub(super) fn count_verdict(&mut self, refused: bool) {
        let policy = &self.policy.policy;
        let Some((recorder, mut counted)) = self.recorder.zip(self.counted.take()) else { return };
        let mut counters = recorder.counters().lock();
        if refused {
            counters.refused(policy, &counted);
        } else {
            counters.goes_on(policy, &mut counted);
            self.counted = Some(counted).filter(|counted| counted.may_change(policy));
        }
    }

    /// Takes a call back that did not fail.
    #[inline]
    pub(crate) fn count_answer(&mut self) {
        if self.counted.is_some() {
            self.count_answered();
        }
    }

    #[cold]
    fn count_answered(&mut self) {
        if let Some((counters, counted)) = self.recorder.map(Recorder::counters).zip(self.counted.take())
            && !failed(self.header.rv)
        {
            counters.lock().succeeded(&self.policy.policy, &counted);
        }
    }
}
