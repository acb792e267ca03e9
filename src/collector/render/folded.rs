// SPDX-License-Identifier: Apache-2.0
//! What an event says of calls that it tells of together: how many, what came of them, and which they are.

use event::Function;

use super::json::{Json, object};

/// Calls of one lane with consecutive numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The lane.
    pub lane: u16,
    /// Sequence number of the first.
    pub first: u64,
    /// Sequence number of the last.
    pub last: u64,
}

impl Range {
    /// How many they are.
    pub fn count(self) -> u64 {
        self.last.saturating_sub(self.first).saturating_add(1)
    }
}

/// An operation, or the part of it that came since the last event that told of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Folded<'a> {
    /// What the operation ended with; 0 while it has not.
    pub rv: u64,
    /// Calls covered.
    pub calls: u64,
    /// Those of them that asked for a length, or whose buffer was too small.
    pub size_queries: u64,
    /// Bytes handed in by all others.
    pub bytes_in: u64,
    /// Bytes given back by all others.
    pub bytes_out: u64,
    /// Time spent in the calls, nanoseconds; the event's duration has the time between them as well.
    pub busy_ns: u64,
    /// The call that ended the operation; none while it goes on.
    pub ended_by: Option<Function>,
    /// Which calls are covered.
    pub covers: &'a [Range],
}

impl Json for Folded<'_> {
    fn json(&self, out: &mut Vec<u8>) {
        object(out, |o| {
            o.put("calls", self.calls);
            if self.size_queries > 0 {
                o.put("size_queries", self.size_queries);
            }
            o.put("busy_ns", self.busy_ns);
            match self.ended_by {
                Some(function) => o.put("ended_by", function.name()),
                None => o.put("open", true),
            }
            o.put("covers", self.covers);
        });
    }
}

impl Json for Range {
    fn json(&self, out: &mut Vec<u8>) {
        [u64::from(self.lane), self.first, self.last].as_slice().json(out);
    }
}
