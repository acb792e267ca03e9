// SPDX-License-Identifier: Apache-2.0
//! Calls that one event will tell of: which they are, and from where on the ring must hold them until it is durable.

use std::time::{Duration, Instant};

use crate::render::Range;

/// How long calls may wait for the event that tells of them.
const LONGEST: Duration = Duration::from_secs(1);
/// Ranges of numbers that one event may name.
const MOST: usize = 256;

/// Calls that are received and stand in no event yet.
#[derive(Debug, Default)]
pub(super) struct Covers {
    ranges: Vec<Range>,
    /// Where the first of them stands in each lane.
    held: Vec<(u16, u64)>,
    since: Option<Instant>,
}

impl Covers {
    /// Notes a call, with its lane, its number and its position in the ring.
    pub(super) fn add(&mut self, lane: u16, sequence: u64, position: u64, now: Instant) {
        self.since.get_or_insert(now);
        match self.ranges.last_mut() {
            Some(range) if range.lane == lane && range.last.checked_add(1) == Some(sequence) => {
                range.last = sequence;
                return;
            }
            _ => self.ranges.push(Range { lane, first: sequence, last: sequence }),
        }
        if !self.held.iter().any(|(known, _)| *known == lane) {
            self.held.push((lane, position));
        }
    }

    /// Which they are.
    pub(super) fn ranges(&self) -> &[Range] {
        &self.ranges
    }

    /// The first position of a lane that must not be acknowledged.
    pub(super) fn held(&self, lane: u16) -> u64 {
        let held = self.held.iter().find(|(known, _)| *known == lane);
        held.map_or(u64::MAX, |(_, position)| *position)
    }

    /// Whether they must be told of now: `reached` is how far each lane is read, `room` how much of a lane may be held.
    pub(super) fn are_due(&self, now: Instant, reached: &[u64], room: u64) -> bool {
        let Some(since) = self.since else { return false };
        let far = |(lane, position): &(u16, u64)| {
            reached.get(usize::from(*lane)).is_some_and(|reached| reached.saturating_sub(*position) > room)
        };
        now.saturating_duration_since(since) >= LONGEST
            || self.ranges.len() >= MOST
            || self.held.iter().any(far)
    }

    /// Forgets them, and keeps the room.
    pub(super) fn clear(&mut self) {
        self.ranges.clear();
        self.held.clear();
        self.since = None;
    }
}
