// SPDX-License-Identifier: Apache-2.0
//! What this process has put among its ring's definitions, so that nothing stands there twice: an application that
//! opens a session for every signature learns the same key every time.

use event::wire::FOLLOWS;
use parking_lot::Mutex;
use ring::Producer;
use std::collections::BTreeMap;

/// See the module.
#[derive(Default)]
pub(super) struct Definitions(Mutex<BTreeMap<Box<[u64]>, u64>>);

impl Definitions {
    /// Where facts are defined, from now on at the latest; [`FOLLOWS`] where the ring has no room for them.
    pub(super) fn place(&self, facts: &[u64], ring: &Producer) -> u64 {
        let mut places = self.0.lock();
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
}
