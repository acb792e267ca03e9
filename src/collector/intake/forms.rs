// SPDX-License-Identifier: Apache-2.0
//! Frames of one stream that say the same of all but their moment are read and rendered once. What a frame says is
//! compared byte by byte, so a form is never used for a call that it does not describe.

use std::sync::Arc;

use event::record::{Call, Header};
use event::wire::{self, Definitions, Malformed};
use ring::Frame;

use super::fold::{goes_on, is_plain};
use super::operations::Operations;
use super::summary::Group;
use crate::levels::{Level, Levels};
use crate::render::Form;
use crate::stream::{OperationFacts, Stream};

/// Forms kept, all streams together. Each has one place where it can be, and makes way for the next that belongs there.
const KEPT: usize = 512;

/// The forms of the calls that were last seen.
#[derive(Debug)]
pub(crate) struct Forms {
    levels: Levels,
    places: Vec<Option<Box<Known>>>,
}

/// What is known of all frames that are alike.
#[derive(Debug, Default)]
pub(crate) struct Known {
    stream: Option<Arc<Stream>>,
    /// The fixed part, without the moment.
    header: Option<Header>,
    /// The frame behind its fixed part.
    sections: Vec<u8>,
    /// What the Init of their operation said.
    facts: Option<Arc<OperationFacts>>,
    /// What they say to the later calls of the operation that they begin, if they begin one.
    begins: Option<Arc<OperationFacts>>,
    /// Of the call, or of the operation that it begins and that is told as a whole.
    form: Arc<Form>,
    is_whole: bool,
    /// The group that the calls are summed up in, where they are no events.
    group: Option<Arc<Group>>,
}

impl Forms {
    /// None is known yet.
    pub(crate) fn new(levels: Levels) -> Forms {
        Forms { levels, places: (0..KEPT).map(|_| None).collect() }
    }

    /// The form of a frame with this fixed part; the rest of it is read if none like it is known.
    ///
    /// # Errors
    /// [`Malformed`] if the frame is no record.
    pub(crate) fn of(
        &mut self,
        stream: &Arc<Stream>,
        frame: Frame<'_>,
        header: &Header,
        operations: &Operations,
        definitions: &mut impl Definitions,
    ) -> Result<&Known, Malformed> {
        let sections = frame.bytes.get(wire::HEADER..).ok_or(Malformed::Short)?;
        let facts = operations.of(frame.lane, header);
        let began = Operations::began(frame.lane, header);
        let alike = timeless(header, began);
        let place = &mut self.places[place(stream, &alike, facts, sections)];
        let known = match place.take() {
            Some(known) if known.is(stream, &alike, sections, facts) => known,
            other => {
                let call = wire::decode(frame.bytes, definitions)?;
                let mut known = other.unwrap_or_default();
                let level = level(&call, facts, &self.levels);
                known.is_whole = began && level == Level::Operations && is_told_whole(&call);
                let summed = level == Level::Summary && goes_on(&call.header);
                known.group = summed.then(|| Arc::new(Group::of(&call, facts.map(|facts| &**facts))));
                // The old one may still be that of an operation under way.
                if Arc::get_mut(&mut known.form).is_none() {
                    known.form = Arc::default();
                }
                if let Some(form) = Arc::get_mut(&mut known.form).filter(|_| !summed) {
                    match known.is_whole {
                        true => form.set_whole(&call, stream),
                        false => form.set(&call, stream, facts.map(|facts| &**facts)),
                    }
                }
                // As the whole frame has it: where a definition was not found it is degraded, unlike the fixed part
                // alone, so that the next frame like it is read anew.
                known.header = Some(timeless(&call.header, began));
                known.stream = Some(Arc::clone(stream));
                known.sections.clear();
                known.sections.extend_from_slice(sections);
                known.facts = facts.cloned();
                known.begins = began.then(|| Arc::new(said(&call)));
                known
            }
        };
        Ok(place.insert(known))
    }
}

impl Known {
    fn is(
        &self,
        stream: &Arc<Stream>,
        header: &Header,
        sections: &[u8],
        facts: Option<&Arc<OperationFacts>>,
    ) -> bool {
        self.stream.as_ref().is_some_and(|known| Arc::ptr_eq(known, stream))
            && self.header.as_ref() == Some(header)
            && self.sections == sections
            && self.facts.as_ref() == facts
    }

    /// What the calls say to the later calls of the operation that they begin, if they begin one.
    pub(super) fn begins(&self) -> Option<&Arc<OperationFacts>> {
        self.begins.as_ref()
    }

    /// The form of the operation that the calls begin, where that is told as a whole.
    pub(super) fn whole(&self) -> Option<&Arc<Form>> {
        Some(&self.form).filter(|_| self.is_whole)
    }

    /// The group that the calls are summed up in, where they are.
    pub(super) fn group(&self) -> Option<&Arc<Group>> {
        self.group.as_ref()
    }

    /// The form of each call, where it is an event.
    pub(super) fn form(&self) -> &Form {
        &self.form
    }
}

/// Whether the operation that a call began is told as a whole. The messages of one operation have parameters of their
/// own, and what was warned of is an event.
fn is_told_whole(init: &Call) -> bool {
    is_plain(&init.header) && !init.header.function.name().starts_with("C_Message")
}

/// The level of a call: that of its key, or of its operation's.
fn level(call: &Call, facts: Option<&Arc<OperationFacts>>, levels: &Levels) -> Level {
    let key = call.keys.first().or(facts.and_then(|facts| facts.key.as_ref()));
    levels.of(call.header.function, key)
}

/// What an Init says to the later calls of its operation.
fn said(init: &Call) -> OperationFacts {
    OperationFacts {
        mechanism: init.mechanism.as_ref().map(|mechanism| mechanism.number),
        key: init.keys.first().cloned(),
    }
}

/// The fixed part without the moment: of the operation, only whether there is one and whether this call began it.
fn timeless(header: &Header, began: bool) -> Header {
    let operation = u64::from(header.operation != 0) + u64::from(began);
    Header { sequence: 0, start: 0, end: 0, operation, ..*header }
}

/// Where a form belongs. Nothing but speed depends on how well this spreads.
fn place(stream: &Stream, header: &Header, facts: Option<&Arc<OperationFacts>>, sections: &[u8]) -> usize {
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let key = facts.and_then(|facts| facts.key.as_ref()).map_or(0, |key| key.handle);
    let fixed = [
        u64::from_ne_bytes(*stream.id.first_chunk().unwrap_or(&[0; 8])),
        header.function as u64,
        u64::from(header.thread),
        header.rv,
        header.bytes_in.unwrap_or(0),
        header.bytes_out.unwrap_or(0),
        header.session.unwrap_or(0),
        key,
    ];
    let (words, _) = sections.as_chunks();
    let hash = words.iter().map(|word| u64::from_ne_bytes(*word)).chain(fixed).fold(0, mix);
    // The upper bits are those into which all others went.
    usize::try_from(hash >> 32).unwrap_or(0) % KEPT
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use event::Function;
    use event::record::{Token, Verdict, operation_id};
    use event::wire::{MAX_PART, MAX_SECTIONS, Tag, encode_token};

    use super::*;
    use crate::clock::Host;
    use crate::log::Log;
    use crate::render::Moment;
    use crate::rig::{call, consumer, producer};
    use crate::stream::Process;

    type Table = BTreeMap<u64, Vec<u8>>;

    fn header() -> Header {
        call(Function::C_Sign, 7).header
    }

    fn frame(header: &Header, fill: impl FnOnce(&mut wire::Frame<'_, [u8]>)) -> Vec<u8> {
        let mut room = [0; MAX_SECTIONS];
        let mut frame = wire::Frame::new(&mut room[..]);
        fill(&mut frame);
        let (fixed, sections, length) = frame.finish(header);
        [fixed.map(u64::to_ne_bytes).as_flattened(), &sections[..length]].concat()
    }

    fn stream(pid: u32) -> Arc<Stream> {
        Arc::new(Stream { id: [1; 16], process: Process { pid, ..Process::default() }, hello: Vec::new() })
    }

    fn line(
        forms: &mut Forms,
        stream: &Arc<Stream>,
        bytes: &[u8],
        operations: &Operations,
        definitions: &mut Table,
    ) -> String {
        let header = wire::header(bytes).unwrap();
        let frame = Frame { lane: 2, position: 0, bytes };
        let known = forms.of(stream, frame, &header, operations, definitions).unwrap();
        let Header { sequence, operation, .. } = header;
        let moment = Moment { index: 1, lane: 2, sequence, time_ns: 3, duration_ns: 4, operation };
        let mut out = Vec::new();
        known.form.fill(&mut out, &moment);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn whatever_came_before_an_event_says_what_its_own_frame_says() {
        let base = header();
        let headers = [
            base,
            Header { sequence: 8, start: 1, end: 2, ..base },
            Header { function: Function::C_Verify, ..base },
            Header { thread: 2, ..base },
            Header { rv: 0x70, ..base },
            Header { operation: operation_id(2, 7), ..base },
            Header { operation: operation_id(2, 5), ..base },
            Header { operation: operation_id(2, 6), ..base },
            Header { operation: operation_id(2, 4), ..base },
            Header { bytes_in: Some(1), ..base },
            Header { bytes_out: Some(1), ..base },
            Header { session: None, ..base },
            Header { policy: 1, ..base },
            Header { verdict: Verdict::Deny, ..base },
            Header { enforced: true, ..base },
            Header { size_query: true, ..base },
            Header { truncated: true, ..base },
            Header { degraded: true, ..base },
            Header { answered_here: true, ..base },
        ];
        let mut frames: Vec<_> = headers.iter().map(|header| frame(header, |_| {})).collect();
        frames.extend((0..2000).map(|count| frame(&base, |frame| frame.number(Tag::Count, count))));
        frames.push(frame(&base, |frame| frame.number(Tag::Slot, 1)));
        let folder = tempfile::tempdir().unwrap();
        let mut log = Log::open(folder.path(), None).unwrap();
        let reading = Host::watch().reading(consumer(&producer(ring::Backing::Memfd)).header());
        let mut operations = Operations::default();
        for (sequence, mechanism) in [(5, 1), (6, 2)] {
            let facts = OperationFacts { mechanism: Some(mechanism), key: None };
            let init = Header { operation: operation_id(2, sequence), ..base };
            operations.begin(&init, &Arc::new(facts), None, reading, &mut log);
        }
        let (mut forms, streams) = (Forms::new(Levels::CALLS), [stream(1), stream(2)]);
        // Forwards, backwards, and each twice in turn, by two streams of one id.
        for bytes in frames.iter().chain(frames.iter().rev()).flat_map(|bytes| [bytes; 2]) {
            for stream in &streams {
                let mut alone = Forms::new(Levels::CALLS);
                let expected = line(&mut alone, stream, bytes, &operations, &mut Table::new());
                assert_eq!(line(&mut forms, stream, bytes, &operations, &mut Table::new()), expected);
            }
        }
    }

    #[test]
    fn frames_that_are_alike_are_read_once_unless_something_was_missing() {
        let token =
            Token { label: event::record::Text { bytes: b"hsm".to_vec(), length: 3 }, ..Token::default() };
        let mut part = [0; MAX_PART];
        let length = encode_token(&token, &mut part);
        let mut table = Table::from([(64, part[..length].to_vec())]);
        let bytes = frame(&header(), |frame| {
            frame
                .compose(Tag::Session, |out| [1, u64::MAX, 0, 64].into_iter().for_each(|word| out.u64(word)));
        });
        let (mut forms, stream, operations) = (Forms::new(Levels::CALLS), stream(1), Operations::default());
        let mut next = |table: &mut Table| line(&mut forms, &stream, &bytes, &operations, table);
        assert!(next(&mut Table::new()).contains("\"degraded\":true"));
        let whole = next(&mut table);
        assert!(whole.contains("\"label\":\"hsm\"") && !whole.contains("degraded"), "{whole}");
        assert_eq!(next(&mut Table::new()), whole);
    }

    #[test]
    fn a_frame_that_is_no_record_is_told_each_time() {
        let (mut forms, stream, operations) = (Forms::new(Levels::CALLS), stream(1), Operations::default());
        let good = frame(&header(), |_| {});
        assert!(wire::header(&good[..20]).is_err() && wire::header(&[]).is_err());
        let bytes = [&good[..], &[1, 0, 9]].concat();
        for _ in 0..2 {
            let frame = Frame { lane: 2, position: 0, bytes: &bytes };
            let read = forms.of(&stream, frame, &header(), &operations, &mut Table::new());
            assert!(read.is_err());
        }
    }
}
