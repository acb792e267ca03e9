// SPDX-License-Identifier: Apache-2.0
//! The event of a call with gaps for what is never the same twice: its number, its time, its place in the stream.
//! Calls of which all else is alike have one form, made once and filled in for each of them.

use event::record::Call;
use event::value::rv;

use super::call::Event;
use super::folded::Folded;
use super::json::Json;
use super::object::Word;
use super::time::Utc;
use crate::stream::{OperationFacts, Stream};

/// Bytes that are looked at together.
const PIECE: usize = 32;

/// What is said of one call alone.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Position of the event in the log, from 0.
    pub index: u64,
    /// The lane of the stream's ring that the call came in by.
    pub lane: u16,
    /// Position of the call in its lane.
    pub sequence: u64,
    /// When the call came in, UTC nanoseconds since 1970.
    pub time_ns: u64,
    /// How long it took, nanoseconds.
    pub duration_ns: u64,
    /// The operation that it belongs to, as in the record.
    pub operation: u64,
}

/// A part of a [`Moment`], where it stands in a form: a control character, which rendered text never has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Gap {
    Index,
    /// Lane and sequence, within the id of the event.
    Path,
    Time,
    TimeNs,
    Duration,
    Lane,
    Sequence,
    /// Lane and sequence of the operation's Init.
    Operation,
    /// What became of a whole operation.
    Rv,
    BytesIn,
    BytesOut,
    Folded,
}

impl Gap {
    /// By number.
    const ALL: [Gap; 12] = [
        Gap::Index,
        Gap::Path,
        Gap::Time,
        Gap::TimeNs,
        Gap::Duration,
        Gap::Lane,
        Gap::Sequence,
        Gap::Operation,
        Gap::Rv,
        Gap::BytesIn,
        Gap::BytesOut,
        Gap::Folded,
    ];

    fn fill(self, out: &mut Vec<u8>, moment: &Moment, folded: &Folded<'_>) {
        match self {
            Gap::Index => moment.index.json(out),
            Gap::Path => path(out, moment.lane.into(), moment.sequence),
            Gap::Time => Utc(moment.time_ns).json(out),
            Gap::TimeNs => moment.time_ns.json(out),
            Gap::Duration => moment.duration_ns.json(out),
            Gap::Lane => u64::from(moment.lane).json(out),
            Gap::Sequence => moment.sequence.json(out),
            Gap::Operation => {
                out.push(b'"');
                path(out, moment.operation >> 48, moment.operation & 0xffff_ffff_ffff);
                out.push(b'"');
            }
            Gap::Rv => Word(rv::display(folded.rv)).json(out),
            Gap::BytesIn => folded.bytes_in.json(out),
            Gap::BytesOut => folded.bytes_out.json(out),
            Gap::Folded => folded.json(out),
        }
    }
}

fn path(out: &mut Vec<u8>, lane: u64, sequence: u64) {
    lane.json(out);
    out.push(b'/');
    sequence.json(out);
}

impl Json for Gap {
    fn json(&self, out: &mut Vec<u8>) {
        out.push(*self as u8);
    }
}

/// An event of a call: one line of JSON in printable ASCII, its newline included, with gaps.
#[derive(Debug, Default)]
pub struct Form {
    text: Vec<u8>,
    /// Where there is which gap.
    gaps: Vec<(usize, Gap)>,
}

impl Form {
    /// Makes this the form of a call that came in by `stream`. `facts`: what the Init of its operation said, for the
    /// later calls of an operation.
    pub fn set(&mut self, call: &Call, stream: &Stream, facts: Option<&OperationFacts>) {
        self.make(&Event { call, stream, facts, whole: false });
    }

    /// Makes this the form of the operation that `init` began.
    pub fn set_whole(&mut self, init: &Call, stream: &Stream) {
        self.make(&Event { call: init, stream, facts: None, whole: true });
    }

    fn make(&mut self, event: &Event<'_>) {
        self.text.clear();
        event.json(&mut self.text);
        self.gaps.clear();
        for (number, bytes) in self.text.chunks(PIECE).enumerate() {
            // Most pieces have no gap, which is seen of all their bytes at once.
            if bytes.iter().fold(false, |found, byte| found | (*byte < b' ')) {
                let gap = |(at, byte): (usize, &u8)| {
                    Some((number * PIECE + at, *Gap::ALL.get(usize::from(*byte))?))
                };
                self.gaps.extend(bytes.iter().enumerate().filter_map(gap));
            }
        }
        self.text.push(b'\n');
    }

    /// Appends the event of one call.
    pub fn fill(&self, out: &mut Vec<u8>, moment: &Moment) {
        self.fill_whole(out, moment, &Folded::default());
    }

    /// Appends the event of an operation; the moment is that of the first call that it tells of.
    pub fn fill_whole(&self, out: &mut Vec<u8>, moment: &Moment, folded: &Folded<'_>) {
        let mut from = 0;
        for (at, gap) in &self.gaps {
            out.extend_from_slice(&self.text[from..*at]);
            gap.fill(out, moment, folded);
            from = at + 1;
        }
        out.extend_from_slice(&self.text[from..]);
    }
}
