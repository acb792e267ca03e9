// SPDX-License-Identifier: Apache-2.0
//! What a frame becomes in the log: a call, a part of an operation, a notice, or the word that it was none of them. Each
//! number of a lane is entered once.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use event::record::{Call, Header};
use event::wire::{self, Definitions, Malformed};
use ring::Frame;
use serde_json::Map;

use super::account::Account;
use super::fold::Place;
use super::forms::{Forms, Known};
use super::operations::Operations;
use super::summary::Summary;
use crate::clock::Reading;
use crate::log::Log;
use crate::render::{Hex, Moment};
use crate::stream::Stream;

/// Where the frames of one stream are entered.
pub(super) struct Desk<'a> {
    pub(super) stream: &'a Arc<Stream>,
    pub(super) account: &'a mut Account,
    pub(super) operations: &'a mut Operations,
    pub(super) summary: &'a mut Summary,
    pub(super) reading: Reading,
    pub(super) now: Instant,
    /// Up to this position a lane holds frames that may stand in the log already.
    pub(super) old: &'a [u64],
    pub(super) log: &'a mut Log,
}

impl Desk<'_> {
    /// Makes an event of a frame, or of a part of one.
    pub(super) fn take(&mut self, frame: Frame<'_>, forms: &mut Forms, definitions: &mut impl Definitions) {
        let taken = if wire::is_notice(frame.bytes) {
            wire::decode(frame.bytes, definitions)
                .map(|notice| (notice.header.sequence, self.notice(frame, &notice)))
        } else {
            wire::header(frame.bytes).and_then(|header| {
                if self.operations.takes(&header) {
                    return Ok((header.sequence, self.part(frame, &header)));
                }
                let known = forms.of(self.stream, frame, &header, self.operations, definitions)?;
                Ok((header.sequence, self.call(frame, &header, known)))
            })
        };
        match taken {
            Ok((number, Entry::Repeated)) => self.no_record(frame, &Wrong::Repeated(number)),
            Ok(_) => {}
            Err(malformed) => self.no_record(frame, &Wrong::Malformed(malformed)),
        }
    }

    /// A call that is told with its operation.
    fn part(&mut self, frame: Frame<'_>, header: &Header) -> Entry {
        let entry = self.enter(frame, header.sequence);
        if entry == Entry::New {
            self.operations.add(header, self.place(frame), self.reading, self.log);
        }
        entry
    }

    /// A call that is an event, or that begins an operation which is told as a whole.
    fn call(&mut self, frame: Frame<'_>, header: &Header, known: &Known) -> Entry {
        let entry = self.enter(frame, header.sequence);
        if entry == Entry::Repeated {
            return entry;
        }
        let place = self.place(frame);
        let Desk { operations, summary, reading, log, .. } = self;
        let whole = known.whole();
        if let (Entry::New, Some(group)) = (entry, known.group()) {
            summary.add(group, header, place);
        } else if entry == Entry::New && whole.is_none() {
            operations.interrupt(header, *reading, log);
            let moment = Moment {
                index: 0,
                lane: frame.lane,
                sequence: header.sequence,
                time_ns: reading.utc(header.start),
                duration_ns: reading.span(header.start, header.end),
                operation: header.operation,
            };
            log.call(known.form(), moment);
        }
        if let Some(facts) = known.begins() {
            operations.begin(header, facts, whole, *reading, log);
        }
        if entry == Entry::New && whole.is_some() {
            operations.add(header, place, *reading, log);
        }
        operations.end(header);
        entry
    }

    /// What a library says of itself.
    fn notice(&mut self, frame: Frame<'_>, notice: &Call) -> Entry {
        let entry = self.enter(frame, notice.header.sequence);
        // A newer library says something that this program has no name for.
        let (Call { header, policy, notice: Some(notice), .. }, Entry::New) = (notice, entry) else {
            return entry;
        };
        let mut fields = Map::new();
        fields.insert("lane".into(), frame.lane.into());
        fields.insert("sequence".into(), header.sequence.into());
        if let Some(policy) = policy {
            fields.insert("policy".into(), Hex(&policy.hash).to_string().into());
            fields.insert("policy_revision".into(), policy.revision.into());
            fields.insert("policy_name".into(), String::from_utf8_lossy(&policy.name.bytes).into());
        }
        if !notice.text.is_empty() {
            fields.insert("error".into(), String::from_utf8_lossy(&notice.text).into());
        }
        self.log.control(notice.what.name(), &fields, Some(self.stream));
        entry
    }

    fn place(&self, frame: Frame<'_>) -> Place {
        Place { lane: frame.lane, position: frame.position, now: self.now }
    }

    /// Enters the number of a frame into the books.
    fn enter(&mut self, frame: Frame<'_>, sequence: u64) -> Entry {
        let is_old = self.old.get(usize::from(frame.lane)).is_some_and(|old| frame.position < *old);
        let lane = self.account.lane(frame.lane);
        if !is_old {
            lane.again = None;
        }
        if lane.seen.insert(sequence) {
            lane.stored += 1;
            Entry::New
        } else if lane.again.is_some() {
            // It was durable when the last collector ended, only not acknowledged.
            Entry::Again
        } else {
            Entry::Repeated
        }
    }

    /// Counts a frame that is no record, and says so.
    fn no_record(&mut self, frame: Frame<'_>, error: &Wrong) {
        let lane = self.account.lane(frame.lane);
        if let (Wrong::Malformed(_), Some(again)) =
            (error, lane.again.as_mut().filter(|again| again.malformed > 0))
        {
            again.malformed -= 1;
            return;
        }
        lane.malformed += 1;
        // It has no number to know it by if the ring hands it out again: nothing may make the ring hold it.
        self.operations.tell(|_| true, self.reading, self.log);
        self.summary.tell(|_| true, self.stream, self.reading, self.log);
        let mut fields = Map::new();
        fields.insert("lane".into(), frame.lane.into());
        fields.insert("error".into(), error.to_string().into());
        self.log.control("frame.malformed", &fields, Some(self.stream));
    }
}

/// What the books say of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    New,
    /// It stands in the log, where the last collector wrote it.
    Again,
    /// It came before.
    Repeated,
}

/// Why a frame is no event.
enum Wrong {
    Malformed(Malformed),
    /// Its number came before.
    Repeated(u64),
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wrong::Malformed(malformed) => malformed.fmt(f),
            Wrong::Repeated(sequence) => write!(f, "the sequence number {sequence} came before"),
        }
    }
}
