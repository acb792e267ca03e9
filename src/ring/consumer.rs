// SPDX-License-Identifier: Apache-2.0
//! The collector's end of a ring whose producer may be hostile: copies with `pread`, answers with `pwrite`.
//!
//! There is no mapping on purpose. A mapped page of a file that its owner truncates is a SIGBUS; a `pread` of it is
//! a short read. That holds for spool files too, which cannot be sealed, and a copy has to be made in any case.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use crate::Backing;
use crate::definitions::Definitions;
use crate::error::{Corrupt, Fault, Refused};
use crate::frame::{SPAN_MAX, word_at};
use crate::layout::{
    Books, CONTROL_BYTES, HEADER_BYTES, HEADER_USED, HEARTBEAT_AT, Header, POLICY_AT, QUARANTINE_AT, index,
};
use crate::loss::Counters;
use crate::reader::{Medium, Reader, Scratch};
use crate::system::{self, Seals};

/// One frame, as long as the callback lasts.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The lane it came through.
    pub lane: u16,
    /// Where it stands in its lane, bytes since the ring was made.
    pub position: u64,
    /// What was published: 8 to 4096 bytes.
    pub bytes: &'a [u8],
}

/// The reading end of one ring.
#[derive(Debug)]
pub struct Consumer {
    file: Arc<File>,
    header: Header,
    hello: Vec<u8>,
    lanes: Vec<Lane>,
    /// The control blocks as last copied.
    control: Vec<u8>,
    scratch: Scratch,
    /// The lane that the next poll starts with.
    turn: usize,
    dead: bool,
    /// The file itself failed; nothing more is read from it.
    broken: bool,
}

#[derive(Debug)]
struct Lane {
    reader: Reader,
    counters: Counters,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Sound,
    Found(Fault),
    Quarantined,
}

impl Consumer {
    /// Checks a ring and opens it at what was last acknowledged.
    ///
    /// `expect` says how the ring came: over a socket ([`Backing::Memfd`]: the seals are required) or from a spool
    /// folder that the caller trusts to be a local file system ([`Backing::File`]).
    ///
    /// # Errors
    /// [`Refused`] says what is wrong with it.
    pub fn open(file: File, expect: Backing<'_>) -> Result<Consumer, Refused> {
        let status = file.metadata().map_err(|error| Refused::System(error.raw_os_error().unwrap_or(0)))?;
        if !status.is_file() {
            return Err(Refused::Kind);
        }
        match expect {
            Backing::Memfd => match system::seals(&file) {
                Seals::Fixed => {}
                Seals::Loose => return Err(Refused::Unsealed),
                Seals::ReadOnly => return Err(Refused::WriteSealed),
            },
            Backing::File(_) if status.nlink() > 1 => return Err(Refused::Links(status.nlink())),
            Backing::File(_) => {}
        }
        let mut page = [0; HEADER_USED];
        file.read(0, &mut page).map_err(Refused::File)?;
        let header = Header::decode(&page)?;
        let layout = header.layout;
        if status.size() != layout.total() {
            return Err(Refused::Size { found: status.size(), expected: layout.total() });
        }
        let mut hello = vec![0; index(header.hello_bytes)];
        file.read(layout.hello_at(), &mut hello).map_err(Refused::File)?;

        let mut consumer = Consumer {
            file: Arc::new(file),
            header,
            hello,
            lanes: Vec::with_capacity(usize::from(layout.lanes())),
            control: vec![0; index(CONTROL_BYTES) * usize::from(layout.lanes())],
            scratch: Scratch::default(),
            turn: 0,
            dead: false,
            broken: false,
        };
        // A descriptor opened for reading only, or in huge pages, could be read but never acknowledged.
        let heartbeat = word_at(&page, HEARTBEAT_AT).unwrap_or(0);
        consumer.file.write(HEARTBEAT_AT, &[heartbeat]).map_err(Refused::File)?;
        consumer.file.read(HEADER_BYTES, &mut consumer.control).map_err(Refused::File)?;
        for (lane, block) in (0..layout.lanes()).zip(consumer.control.chunks(index(CONTROL_BYTES))) {
            let books = Books::decode(block);
            let (control_at, data_at) = (layout.control_at(lane), layout.lane_at(lane));
            consumer.lanes.push(Lane {
                reader: Reader::new(header.geometry(), control_at, data_at, books.tail),
                counters: books.counters,
                state: State::Sound,
            });
        }
        Ok(consumer)
    }

    /// What the producer said about itself before it handed the ring over.
    #[must_use]
    pub fn hello(&self) -> &[u8] {
        &self.hello
    }

    /// What its frames speak of by place. Of its own, so that it can be asked while frames are handed on.
    #[must_use]
    pub fn definitions(&self) -> Definitions {
        Definitions::new(Arc::clone(&self.file), self.header.layout.definitions_at())
    }

    /// The header, as of `open` or the last [`refresh`](Consumer::refresh).
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Each lane's counters, as of the last poll or refresh. A snapshot of a running process need not add up.
    pub fn counters(&self) -> impl ExactSizeIterator<Item = &Counters> {
        self.lanes.iter().map(|lane| &lane.counters)
    }

    /// Whether the producer has said, as of the last refresh, that it publishes no more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.header.closed
    }

    /// Reads the closed flag, the latest clock triple and the counters again. A triple that is being written just
    /// now is left for the next time. Nothing else in the header is believed twice.
    ///
    /// # Errors
    /// [`Corrupt`] if the file cannot be read, once.
    pub fn refresh(&mut self) -> Result<(), Corrupt> {
        if self.broken {
            return Ok(());
        }
        let mut pages = [[0; HEADER_USED]; 2];
        for page in &mut pages {
            self.file.read(0, page).map_err(|fault| self.broke(fault))?;
        }
        if let [Ok(first), Ok(second)] = pages.map(|page| Header::decode(&page)) {
            self.header.closed |= second.closed;
            let still = first.latest == second.latest && first.stamps == second.stamps;
            if still && second.stamps.is_multiple_of(2) {
                self.header.latest = second.latest;
            }
        }
        self.copy_books().map(|_| ())
    }

    /// Hands every frame committed since the last poll to `hand_on`, about `max_bytes` of them, and returns how many.
    /// Every lane that has something gets an equal share, at least one frame's worth; 0 means that there was nothing.
    ///
    /// # Errors
    /// [`Corrupt`] for the first lane found corrupt, after all others were served; it is told once, and that lane
    /// is not read again. The frames handed on are sound either way.
    pub fn poll(&mut self, max_bytes: usize, hand_on: &mut dyn FnMut(Frame<'_>)) -> Result<usize, Corrupt> {
        if self.broken {
            return Ok(0);
        }
        let waiting = self.copy_books()?;
        let share = (max_bytes as u64 / waiting.max(1)).max(SPAN_MAX);
        let lanes = self.lanes.len();
        let mut handed_on = 0;
        for turn in 0..lanes {
            let index = (self.turn + turn) % lanes;
            let (Some(lane), Ok(number)) = (self.lanes.get_mut(index), u16::try_from(index)) else {
                continue;
            };
            if lane.state != State::Sound {
                continue;
            }
            let mut frame = |position, bytes: &[u8]| {
                handed_on += 1;
                hand_on(Frame { lane: number, position, bytes });
            };
            let read = lane.reader.advance(&*self.file, share, self.dead, &mut self.scratch, &mut frame);
            if let Err(fault) = read {
                lane.state = State::Found(fault);
            }
        }
        self.turn = (self.turn + 1) % lanes;
        self.report().map_or(Ok(handed_on), Err)
    }

    /// Frees what was polled for the producers. Call it once the batch is durable, never earlier: from then on the
    /// ring no longer holds it.
    ///
    /// # Errors
    /// [`Corrupt`] if the file cannot be written, once.
    pub fn acknowledge(&mut self) -> Result<(), Corrupt> {
        self.acknowledge_before(&mut |_| u64::MAX)
    }

    /// As [`acknowledge`](Consumer::acknowledge), but of each lane only what stands before the position that `end`
    /// names: the ring goes on holding the frame there and all behind it, and a new consumer is handed them again.
    ///
    /// # Errors
    /// [`Corrupt`] if the file cannot be written, once.
    pub fn acknowledge_before(&mut self, end: &mut dyn FnMut(u16) -> u64) -> Result<(), Corrupt> {
        if self.broken {
            return Ok(());
        }
        let mut lanes = (0..).zip(&mut self.lanes);
        let written = lanes.try_for_each(|(number, lane)| lane.reader.acknowledge(&*self.file, end(number)));
        written.map_err(|fault| self.broke(fault))
    }

    /// The end of what was ever reserved in each lane, as of `open`, the last poll or refresh.
    pub fn heads(&self) -> impl ExactSizeIterator<Item = u64> {
        self.lanes.iter().map(|lane| lane.reader.head())
    }

    /// Says that the producing process is dead for certain, so that polls skip what it reserved and never committed.
    /// With a live one this would free bytes that a stopped thread is still about to write.
    pub fn producer_is_dead(&mut self) {
        self.dead = true;
    }

    /// Tells the producer that somebody is reading: the collector's `CLOCK_MONOTONIC` in nanoseconds.
    ///
    /// # Errors
    /// [`Corrupt`] if the file cannot be written, once.
    pub fn beat(&mut self, monotonic: u64) -> Result<(), Corrupt> {
        self.tell(HEARTBEAT_AT, monotonic)
    }

    /// Tells the producer which generation of the policy is in force.
    ///
    /// # Errors
    /// [`Corrupt`] if the file cannot be written, once.
    pub fn tell_policy(&mut self, generation: u64) -> Result<(), Corrupt> {
        self.tell(POLICY_AT, generation)
    }

    /// Writes the quarantine word; 0 lifts it.
    ///
    /// # Errors
    /// [`Corrupt`] if the file cannot be written, once.
    pub fn quarantine(&mut self, word: u64) -> Result<(), Corrupt> {
        self.tell(QUARANTINE_AT, word)
    }

    fn tell(&mut self, at: u64, word: u64) -> Result<(), Corrupt> {
        if self.broken {
            return Ok(());
        }
        self.file.write(at, &[word]).map_err(|fault| self.broke(fault))
    }

    /// Copies all control blocks at once; the number of lanes that have something to read.
    fn copy_books(&mut self) -> Result<u64, Corrupt> {
        self.file.read(HEADER_BYTES, &mut self.control).map_err(|fault| self.broke(fault))?;
        let mut waiting = 0;
        for (lane, block) in self.lanes.iter_mut().zip(self.control.chunks(index(CONTROL_BYTES))) {
            let books = Books::decode(block);
            lane.counters = books.counters;
            if lane.state == State::Sound {
                match lane.reader.look(books.head) {
                    Ok(more) => waiting += u64::from(more),
                    Err(fault) => lane.state = State::Found(fault),
                }
            }
        }
        Ok(waiting)
    }

    /// The next corruption that was not told yet. A file cut short concerns the ring, not one lane.
    fn report(&mut self) -> Option<Corrupt> {
        let found = self.lanes.iter_mut().enumerate().find_map(|(index, lane)| match lane.state {
            State::Found(fault) => {
                lane.state = State::Quarantined;
                Some((u16::try_from(index).ok(), lane.reader.position, fault))
            }
            _ => None,
        });
        let (lane, position, fault) = found?;
        if matches!(fault, Fault::Truncated | Fault::Unreadable(_)) {
            return Some(self.broke(fault));
        }
        Some(Corrupt { lane, position, fault })
    }

    fn broke(&mut self, fault: Fault) -> Corrupt {
        self.broken = true;
        Corrupt { lane: None, position: 0, fault }
    }
}
