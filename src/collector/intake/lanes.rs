// SPDX-License-Identifier: Apache-2.0
//! The books of a lane: which sequence numbers are stored, which are missing, and which of the missing are known to
//! be lost. A number is stored at most once; memory is bounded however a hostile stream numbers its frames.

use std::collections::BTreeMap;

use ring::Counters;
use serde::{Deserialize, Serialize};

use crate::render::Range;

/// Holes kept for a lane; with more, the oldest is given up. An honest lane has one for each time its ring was full.
const MOST_HOLES: usize = 4096;

/// Sequence numbers from 1 to `high`, all but those in `holes`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    high: u64,
    /// First to last missing number, both included.
    holes: BTreeMap<u64, u64>,
}

impl Seen {
    /// Notes a number; `false` if it was there before, or is no number.
    pub(crate) fn insert(&mut self, number: u64) -> bool {
        if number > self.high {
            self.reach(number - 1);
            self.high = number;
            return true;
        }
        let Some((&first, &last)) = self.holes.range(..=number).next_back() else { return false };
        if last < number {
            return false;
        }
        self.holes.remove(&first);
        if first < number {
            self.holes.insert(first, number - 1);
        }
        if number < last {
            self.holes.insert(number + 1, last);
        }
        true
    }

    /// Notes that numbers up to `high` were given out.
    pub(crate) fn reach(&mut self, high: u64) {
        if high <= self.high {
            return;
        }
        match self.holes.last_entry() {
            // The hole at the end grows.
            Some(mut last) if *last.get() == self.high => *last.get_mut() = high,
            _ => drop(self.holes.insert(self.high + 1, high)),
        }
        self.high = high;
        while self.holes.len() > MOST_HOLES {
            self.holes.pop_first();
        }
    }

    /// The highest number that is known to have been given out.
    pub(crate) fn high(&self) -> u64 {
        self.high
    }

    /// Notes numbers, and how many of them are new.
    pub(crate) fn insert_all(&mut self, first: u64, last: u64) -> u64 {
        self.reach(last);
        let before = self.missing_count();
        self.settle(first.max(1), last);
        before - self.missing_count()
    }

    /// Takes back numbers that were all noted.
    fn take_back(&mut self, first: u64, last: u64) {
        self.holes.insert(first, last);
    }

    /// The missing numbers, as first and last of each hole.
    pub(crate) fn missing(&self) -> impl Iterator<Item = (u64, u64)> {
        self.holes.iter().map(|(first, last)| (*first, *last))
    }

    /// How many numbers are missing.
    pub(crate) fn missing_count(&self) -> u64 {
        self.missing().fold(0, |sum, (first, last)| sum.saturating_add(last - first).saturating_add(1))
    }

    /// Takes numbers out of the missing ones: what became of them is known.
    pub(crate) fn settle(&mut self, first: u64, last: u64) {
        self.reach(last);
        let overlapping: Vec<_> =
            self.holes.range(..=last).filter(|(_, end)| **end >= first).map(|(a, b)| (*a, *b)).collect();
        for (begin, end) in overlapping {
            self.holes.remove(&begin);
            if begin < first {
                self.holes.insert(begin, first - 1);
            }
            if last < end {
                self.holes.insert(last + 1, end);
            }
        }
    }
}

/// One lane of a stream, as far as the log tells of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lane {
    pub(crate) seen: Seen,
    /// Calls in the log.
    pub(crate) stored: u64,
    /// Frames that were no records of calls, each a control event in the log.
    pub(crate) malformed: u64,
    /// Losses that the log tells of, by reason.
    pub(crate) reported: Vec<u64>,
    /// Losses whose numbers are known: no longer missing.
    pub(crate) settled: u64,
    /// Frames that the log may hold although the ring still does: the collector ended before it could say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) again: Option<Again>,
}

/// What was read from the log behind the last state of the books.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Again {
    /// Malformed frames among it: they have no number to know them by.
    pub(crate) malformed: u64,
}

impl Lane {
    /// Frames received.
    pub(crate) fn received(&self) -> u64 {
        self.stored.saturating_add(self.malformed)
    }

    /// Takes back calls that were entered and are not in the log.
    pub(crate) fn take_back(&mut self, calls: &Range) {
        self.seen.take_back(calls.first, calls.last);
        self.stored = self.stored.saturating_sub(calls.count());
    }

    /// Whether `counters` tell of losses that the log does not.
    pub(crate) fn has_grown(&self, counters: &Counters) -> bool {
        counters.lost.iter().enumerate().any(|(slot, lost)| self.reported_for(slot) < *lost)
    }

    /// Losses for the reason at `slot` that the log tells of.
    pub(crate) fn reported_for(&self, slot: usize) -> u64 {
        self.reported.get(slot).copied().unwrap_or(0)
    }

    /// The numbers that are known to be lost: all that are missing, once they are as many as the losses. `lost` was
    /// read before `attempted`, so every loss counted in it has a number up to that one.
    pub(crate) fn lost_numbers(&mut self, lost: u64, attempted: u64) -> Option<Vec<(u64, u64)>> {
        self.seen.reach(attempted);
        let unsettled = lost.checked_sub(self.settled)?;
        (unsettled > 0 && self.seen.missing_count() == unsettled).then(|| self.seen.missing().collect())
    }

    /// Notes a loss as the log tells of it.
    pub(crate) fn lose(&mut self, reported: Vec<u64>, numbers: &[(u64, u64)]) {
        self.reported = reported;
        for (first, last) in numbers {
            if first <= last {
                self.seen.settle(*first, *last);
                self.settled = self.settled.saturating_add(last - first).saturating_add(1);
            }
        }
    }
}

/// What became of a lane's calls, once nothing more comes: `attempted` is the sum of the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Numbers given out.
    pub(crate) attempted: u64,
    /// Calls in the log.
    pub(crate) stored: u64,
    /// Frames that were no records.
    pub(crate) malformed: u64,
    /// Losses that the stream counted.
    pub(crate) lost: u64,
    /// Begun and never ended: what came of them is not known.
    pub(crate) unfinished: u64,
    /// What does not add up: published and not received, or counted more often than begun.
    pub(crate) unexplained: u64,
}

impl Totals {
    /// The totals of a lane whose ring is drained.
    pub(crate) fn of(lane: &Lane, counters: &Counters) -> Totals {
        let (received, lost) = (lane.received(), counters.lost_in_all());
        // A process killed between committing a frame and counting it has published one more than it says.
        let published = counters.published.max(received);
        let ended = published.saturating_add(lost);
        Totals {
            attempted: counters.attempted,
            stored: lane.stored,
            malformed: lane.malformed,
            lost,
            unfinished: counters.attempted.saturating_sub(ended),
            unexplained: (published - received).saturating_add(ended.saturating_sub(counters.attempted)),
        }
    }

    /// Both together.
    pub(crate) fn and(self, other: Totals) -> Totals {
        Totals {
            attempted: self.attempted.saturating_add(other.attempted),
            stored: self.stored.saturating_add(other.stored),
            malformed: self.malformed.saturating_add(other.malformed),
            lost: self.lost.saturating_add(other.lost),
            unfinished: self.unfinished.saturating_add(other.unfinished),
            unexplained: self.unexplained.saturating_add(other.unexplained),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(seen: &Seen) -> Vec<(u64, u64)> {
        seen.missing().collect()
    }

    fn counters(attempted: u64, published: u64, ring_full: u64) -> Counters {
        let mut counters = Counters { attempted, published, ..Counters::default() };
        counters.lost[0] = ring_full;
        counters
    }

    #[test]
    fn numbers_in_any_order_leave_exactly_the_missing_ones() {
        let mut seen = Seen::default();
        for number in [3, 1, 9, 7, 8] {
            assert!(seen.insert(number) && !seen.insert(number));
        }
        assert_eq!(missing(&seen), [(2, 2), (4, 6)]);
        seen.reach(12);
        seen.reach(20);
        assert_eq!((missing(&seen), seen.missing_count()), (vec![(2, 2), (4, 6), (10, 20)], 15));
        assert!(seen.insert(5) && seen.insert(10) && seen.insert(20) && !seen.insert(0));
        assert_eq!(missing(&seen), [(2, 2), (4, 4), (6, 6), (11, 19)]);
        seen.settle(2, 12);
        assert_eq!(missing(&seen), [(13, 19)]);
        assert!(!seen.insert(4) && seen.insert(13) && seen.insert(u64::MAX));
    }

    #[test]
    fn a_stream_that_numbers_wildly_takes_bounded_memory() {
        let mut seen = Seen::default();
        (1..100_000).for_each(|n| assert!(seen.insert(2 * n)));
        assert_eq!(seen.holes.len(), MOST_HOLES);
    }

    #[test]
    fn numbers_taken_back_are_as_if_they_had_never_come() {
        let mut lane = Lane::default();
        lane.stored = lane.seen.insert_all(1, 9);
        assert_eq!((lane.seen.insert_all(4, 12), lane.seen.insert_all(4, 12), lane.seen.high), (3, 0, 12));
        lane.stored += 3;
        for (first, last) in [(11, 12), (2, 4), (5, 5)] {
            lane.take_back(&Range { lane: 0, first, last });
        }
        assert_eq!((lane.stored, lane.seen.missing_count()), (6, 6));
        assert!([2, 3, 4, 5, 11, 12].into_iter().all(|number| lane.seen.insert(number)));
        assert!(lane.seen.insert(13) && lane.seen.holes.is_empty());
    }

    #[test]
    fn the_lost_are_named_once_they_are_all_that_is_missing() {
        let mut lane = Lane::default();
        assert!((1..=4).all(|n| lane.seen.insert(n)));
        lane.stored = 4;
        assert_eq!(lane.lost_numbers(2, 7), None, "one of 5, 6, 7 is still under way");
        lane.seen.insert(6);
        lane.stored += 1;
        assert_eq!(lane.lost_numbers(2, 7).unwrap(), [(5, 5), (7, 7)]);
        lane.lose(vec![2], &[(5, 5), (7, 7)]);
        assert_eq!((lane.lost_numbers(2, 7), lane.settled), (None, 2));
        assert!(!lane.has_grown(&counters(7, 5, 2)) && lane.has_grown(&counters(8, 5, 3)));
        assert_eq!(lane.lost_numbers(3, 8).unwrap(), [(8, 8)]);
    }

    #[test]
    fn what_was_attempted_is_the_sum_of_what_became_of_it() {
        let lane = |stored, malformed| Lane { stored, malformed, ..Lane::default() };
        for (lane, counters, unfinished, unexplained) in [
            (lane(7, 0), counters(10, 7, 3), 0, 0),
            (lane(7, 1), counters(10, 8, 1), 1, 0),
            (lane(8, 0), counters(10, 7, 1), 1, 0),
            (lane(5, 0), counters(10, 8, 2), 0, 3),
        ] {
            let totals = Totals::of(&lane, &counters);
            assert_eq!((totals.unfinished, totals.unexplained), (unfinished, unexplained));
            let sum = totals.stored + totals.malformed + totals.lost + totals.unfinished + totals.unexplained;
            assert_eq!(sum, totals.attempted);
        }
        assert_eq!(
            Totals::of(&lane(5, 0), &counters(3, 5, 0)).unexplained,
            2,
            "a loss or a call was invented"
        );
        Totals::of(&lane(5, 0), &counters(u64::MAX, u64::MAX, u64::MAX))
            .and(Totals::of(&lane(u64::MAX, 1), &counters(1, 1, 1)));
    }

    #[test]
    fn the_books_survive_being_written_down() {
        let mut lane = Lane::default();
        lane.seen.insert(5);
        lane.lose(vec![1, 0], &[(2, 2)]);
        lane.again = Some(Again { malformed: 1 });
        let written = serde_json::to_string(&lane).unwrap();
        assert_eq!(serde_json::from_str::<Lane>(&written).unwrap(), lane);
    }
}
