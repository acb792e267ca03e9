// SPDX-License-Identifier: Apache-2.0
//! What this process has put among its ring's definitions, so that nothing stands there twice: an application that
//! opens a session for every signature learns the same key every time.

use event::wire::FOLLOWS;
use parking_lot::Mutex;
use ring::Producer;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// Stands where the place of a rule is not asked for yet. Places are multiples of eight.
const NOT_YET: u64 = 1;

/// See the module.
pub(super) struct Definitions {
    places: Mutex<BTreeMap<Box<[u64]>, u64>>,
    rules: Box<[AtomicU64]>,
}

impl Definitions {
    /// Nothing, for a ring that is new.
    pub(super) fn new(rules: usize) -> Definitions {
        let rules = (0..rules).map(|_| AtomicU64::new(NOT_YET)).collect();
        Definitions { places: Mutex::default(), rules }
    }

    /// Where facts are defined, from now on at the latest; [`FOLLOWS`] where the ring has no room for them.
    pub(super) fn place(&self, facts: &[u64], ring: &Producer) -> u64 {
        let mut places = self.places.lock();
        if let Some(place) = places.get(facts) {
            return *place;
        }
        let bytes: Vec<u8> = facts.iter().flat_map(|word| word.to_le_bytes()).collect();
        let place = ring.define(&bytes).unwrap_or(FOLLOWS);
        // What has no place is not kept, or a process that learns keys for ever would fill its memory with them.
        if place != FOLLOWS {
            places.insert(facts.into(), place);
        }
        place
    }

    /// Where the text of a rule is defined.
    #[inline]
    pub(super) fn rule(&self, rule: usize, text: &[u64], ring: &Producer) -> u64 {
        let Some(known) = self.rules.get(rule) else { return FOLLOWS };
        // Acquire: the definition that another thread wrote comes before the record that speaks of it.
        match known.load(Ordering::Acquire) {
            NOT_YET => self.define_rule(known, text, ring),
            place => place,
        }
    }

    #[cold]
    fn define_rule(&self, known: &AtomicU64, text: &[u64], ring: &Producer) -> u64 {
        let place = self.place(text, ring);
        known.store(place, Ordering::Release);
        place
    }
}
