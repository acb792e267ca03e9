// SPDX-License-Identifier: Apache-2.0
//! So much of a thing for each user and no more, so that one of them cannot take it from the others.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

type Used = Arc<Mutex<HashMap<u32, u64>>>;

/// What each user may take.
#[derive(Debug, Clone)]
pub(crate) struct Quota {
    limit: u64,
    used: Used,
}

/// What was taken; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Ticket {
    uid: u32,
    amount: u64,
    used: Used,
}

impl Quota {
    pub(crate) fn new(limit: u64) -> Quota {
        Quota { limit, used: Used::default() }
    }

    /// Takes `amount` for a user, unless that is more than is left.
    pub(crate) fn take(&self, uid: u32, amount: u64) -> Option<Ticket> {
        let mut used = self.used.lock();
        let taken = used.entry(uid).or_default();
        let sum = taken.checked_add(amount).filter(|sum| *sum <= self.limit)?;
        *taken = sum;
        Some(Ticket { uid, amount, used: Arc::clone(&self.used) })
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut used = self.used.lock();
        if let Some(taken) = used.get_mut(&self.uid) {
            *taken -= self.amount;
            if *taken == 0 {
                used.remove(&self.uid);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_user_takes_nothing_from_another_and_gives_back_what_he_took() {
        let quota = Quota::new(2);
        let first = quota.take(1, 1).unwrap();
        let _second = quota.take(1, 1).unwrap();
        assert!(quota.take(1, 1).is_none() && quota.take(1, u64::MAX).is_none());
        assert!(quota.take(2, 2).is_some());
        drop(first);
        assert!(quota.take(1, 1).is_some());
        assert_eq!(quota.used.lock().len(), 1);
    }
}
