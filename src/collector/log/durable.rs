// SPDX-License-Identifier: Apache-2.0
//! How much of the log is durable, and in which segments it lies. Followers wait here for more.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// A place in the log: between two events, or within one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Index of the first event of the segment.
    pub(crate) segment: u64,
    /// Bytes before it in the segment.
    pub(crate) offset: u64,
}

/// An end of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) place: Place,
    /// Events before it: the index of the next one.
    pub(crate) index: u64,
    /// Nothing more will come.
    pub(crate) closed: bool,
}

/// The durable part of the log.
#[derive(Debug, Default)]
pub(crate) struct Durable {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    end: End,
    /// The closed segments by their first event, with their bytes.
    closed: BTreeMap<u64, u64>,
}

impl Durable {
    /// The durable end now.
    pub(crate) fn end(&self) -> End {
        self.state.lock().end
    }

    /// Waits until there is more than `place`, or the log is closed, or `patience` is over.
    pub(crate) fn wait(&self, place: Place, patience: Duration) -> End {
        let mut state = self.state.lock();
        if state.end.place <= place && !state.end.closed {
            self.changed.wait_for(&mut state, patience);
        }
        state.end
    }

    /// How many bytes of `segment` may be read, and which segment follows it.
    pub(crate) fn extent(&self, segment: u64) -> (u64, Option<u64>) {
        let state = self.state.lock();
        match state.closed.get(&segment) {
            Some(bytes) => {
                let next = state.closed.range(segment + 1..).next().map(|(first, _)| *first);
                (*bytes, Some(next.unwrap_or(state.end.place.segment)))
            }
            None => (state.end.place.offset, None),
        }
    }

    /// The segment in which the event `index` is, or would be.
    pub(crate) fn segment_of(&self, index: u64) -> u64 {
        let state = self.state.lock();
        let end = state.end.place.segment;
        if index >= end {
            return end;
        }
        let before = state.closed.range(..=index).next_back();
        before.or_else(|| state.closed.first_key_value()).map_or(end, |(first, _)| *first)
    }

    /// The first segment that there is.
    pub(crate) fn first(&self) -> u64 {
        self.segment_of(0)
    }

    /// Begins with the segments that there are: the closed ones with their bytes, and the newest, of which nothing
    /// counts as durable yet.
    pub(super) fn start(&self, closed: BTreeMap<u64, u64>, newest: u64) {
        let end = End { place: Place { segment: newest, offset: 0 }, index: newest, closed: false };
        *self.state.lock() = State { end, closed };
    }

    /// Says how far the log is durable; where that is in another segment, the one before it is complete.
    pub(super) fn publish(&self, place: Place, index: u64) {
        let mut state = self.state.lock();
        let before = state.end.place;
        if before.segment != place.segment {
            state.closed.insert(before.segment, before.offset);
        }
        (state.end.place, state.end.index) = (place, index);
        self.changed.notify_all();
    }

    /// Says that nothing more will come.
    pub(crate) fn close(&self) {
        self.state.lock().end.closed = true;
        self.changed.notify_all();
    }
}
