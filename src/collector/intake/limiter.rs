// SPDX-License-Identifier: Apache-2.0
//! Refusals are told one by one as long as they are few; a flood of them is told by number, so that nobody can fill
//! the log by knocking at the door.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Refusals told one by one in each second.
const EACH_SECOND: u32 = 20;
/// Kinds of refusal counted apart.
const KINDS: usize = 16;

/// How many refusals were told in this second, and how many were not.
#[derive(Debug)]
pub(crate) struct Limiter {
    since: Instant,
    told: u32,
    untold: BTreeMap<String, u64>,
}

impl Limiter {
    pub(crate) fn new(now: Instant) -> Limiter {
        Limiter { since: now, told: 0, untold: BTreeMap::new() }
    }

    /// Whether one more is told; it is counted where it is not.
    pub(crate) fn passes(&mut self, reason: &str) -> bool {
        if self.since.elapsed() > Duration::from_secs(1) {
            (self.since, self.told) = (Instant::now(), 0);
        }
        self.told = self.told.saturating_add(1);
        if self.told <= EACH_SECOND {
            return true;
        }
        let known = self.untold.len() < KINDS || self.untold.contains_key(reason);
        *self.untold.entry(if known { reason } else { "other reasons" }.to_owned()).or_default() += 1;
        false
    }

    /// Those not told since the last time, by reason.
    pub(crate) fn overflow(&mut self) -> BTreeMap<String, u64> {
        std::mem::take(&mut self.untold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_by_number_and_no_refusal_is_forgotten() {
        let mut limiter = Limiter::new(Instant::now() + Duration::from_secs(3600));
        let told = (0..1000).filter(|n| limiter.passes(&format!("reason {}", n % 50))).count() as u64;
        assert_eq!(told, 20);
        let overflow = limiter.overflow();
        assert!(overflow.len() <= KINDS + 1);
        assert_eq!(told + overflow.values().sum::<u64>(), 1000);
        assert!(limiter.overflow().is_empty());
    }
}
