// SPDX-License-Identifier: Apache-2.0
//! An operation that becomes one event: what its calls so far add up to.

use std::sync::Arc;
use std::time::Instant;

use event::Function;
use event::record::{Header, Verdict};

use super::covers::Covers;
use crate::clock::Reading;
use crate::log::Log;
use crate::render::{Folded, Form, Moment};

const CKR_OK: u64 = 0;
const CKR_BUFFER_TOO_SMALL: u64 = 0x150;

/// An operation that is told as a whole, or in parts where it takes long.
#[derive(Debug)]
pub(super) struct Fold {
    form: Arc<Form>,
    /// The policy that its Init was judged by.
    policy: u64,
    part: Part,
}

/// The calls since the last event that told of the operation.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) covers: Covers,
    start: u64,
    end: u64,
    busy: u64,
    calls: u64,
    size_queries: u64,
    bytes_in: u64,
    bytes_out: u64,
}

/// Where a call came from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) lane: u16,
    pub(super) position: u64,
    pub(super) now: Instant,
}

impl Fold {
    /// The operation whose Init has this form and this fixed part. Nothing of it is noted.
    pub(super) fn new(form: &Arc<Form>, init: &Header, part: Part) -> Fold {
        Fold { form: Arc::clone(form), policy: init.policy, part }
    }

    /// Whether a call says nothing but that the operation went on. A call that failed, was refused or warned of, was not
    /// judged as the Init was, or worked on a key of its own, is an event.
    pub(super) fn takes(&self, header: &Header) -> bool {
        goes_on(header) && header.policy == self.policy && header.function != Function::C_DigestKey
    }

    /// Notes a call.
    pub(super) fn add(&mut self, header: &Header, place: Place) {
        let part = &mut self.part;
        part.covers.add(place.lane, header.sequence, place.position, place.now);
        part.start = if part.calls == 0 { header.start } else { part.start.min(header.start) };
        part.end = part.end.max(header.end);
        part.busy = part.busy.saturating_add(header.end.saturating_sub(header.start));
        part.calls += 1;
        if asks_again(header) {
            part.size_queries += 1;
        } else {
            part.bytes_in = part.bytes_in.saturating_add(header.bytes_in.unwrap_or(0));
            part.bytes_out = part.bytes_out.saturating_add(header.bytes_out.unwrap_or(0));
        }
    }

    /// Appends what was noted to the log. `ended`: the call that ended the operation, and what it gave.
    pub(super) fn tell(&mut self, id: u64, ended: Option<(Function, u64)>, reading: Reading, log: &mut Log) {
        let part = &mut self.part;
        let Some(first) = part.covers.ranges().first() else { return };
        let moment = Moment {
            index: 0,
            lane: first.lane,
            sequence: first.first,
            time_ns: reading.utc(part.start),
            duration_ns: reading.span(part.start, part.end),
            operation: id,
        };
        let folded = Folded {
            rv: ended.map_or(CKR_OK, |(_, rv)| rv),
            calls: part.calls,
            size_queries: part.size_queries,
            bytes_in: part.bytes_in,
            bytes_out: part.bytes_out,
            busy_ns: reading.span(0, part.busy),
            ended_by: ended.map(|(function, _)| function),
            covers: part.covers.ranges(),
        };
        log.operation(&self.form, moment, &folded);
        part.clear();
    }

    /// What was noted and not told.
    pub(super) fn covers(&self) -> &Covers {
        &self.part.covers
    }

    /// Gives back the room.
    pub(super) fn into_part(mut self) -> Part {
        self.part.clear();
        self.part
    }
}

impl Part {
    fn clear(&mut self) {
        self.covers.clear();
        (self.start, self.end, self.busy) = (0, 0, 0);
        (self.calls, self.size_queries, self.bytes_in, self.bytes_out) = (0, 0, 0, 0);
    }
}

/// Whether the policy had nothing against the call, and it was recorded as the vendor answered it.
pub(super) fn is_plain(header: &Header) -> bool {
    matches!(header.verdict, Verdict::NotJudged | Verdict::Allow) && !header.degraded && !header.answered_here
}

/// Whether the call says nothing but that work went on: it did not fail, and lost nothing on its way here.
pub(super) fn goes_on(header: &Header) -> bool {
    (header.rv == CKR_OK || header.rv == CKR_BUFFER_TOO_SMALL) && is_plain(header) && !header.truncated
}

/// Whether the caller has to call again for what it wants: neither a size nor `CKR_BUFFER_TOO_SMALL` ends an operation
/// (PKCS#11 3.2, section 5.2).
pub(super) fn asks_again(header: &Header) -> bool {
    header.size_query || header.rv == CKR_BUFFER_TOO_SMALL
}
