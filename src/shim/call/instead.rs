// SPDX-License-Identifier: Apache-2.0
//! What a refused caller could ask for instead: mechanisms of its own token, of the same family and for the same
//! operation, that the policy would allow with the same key.

use event::mechanism;
use event::wire::Tag;
use policy::Facts;

use super::Call;
use crate::mechanisms;

/// More than this many are not named.
const MOST: usize = 16;

impl Call<'_> {
    /// Names the mechanisms that would be allowed in place of the one that was refused.
    #[cold]
    pub(super) fn tell_instead(&mut self, asked: &Facts<'_>) {
        let known = asked.mechanism.and_then(mechanism::by_number).zip(asked.act.operation());
        let (Some((refused, operation)), Some(slot)) = (known, self.session.map(|session| session.slot))
        else {
            return;
        };
        let Ok(offered) = mechanisms::whole(self.shim.vendor.own(), slot) else { return };
        let allowed = |number: &u64| {
            let fits = |other: &mechanism::Mechanism| {
                other.number != refused.number
                    && other.family == refused.family
                    && other.operations.contains(operation)
            };
            let facts = Facts { mechanism: Some(*number), parameters: &[], ..*asked };
            mechanism::by_number(*number).is_some_and(fits) && !self.policy.policy.judge(&facts).refuses()
        };
        let mut instead: Vec<u64> = offered.into_iter().filter(allowed).collect();
        instead.truncate(MOST);
        if !instead.is_empty() {
            self.frame.words(Tag::Instead, [], instead.into_iter());
        }
    }
}
