// SPDX-License-Identifier: Apache-2.0
//! The consumer's half of the lane protocol: copy, prove, copy again, hand on. Believes nothing but commit words,
//! and those only where an honest producer could have put them.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{Ordering, fence};

use crate::error::Fault;
use crate::frame::{Found, Geometry, WORD, span, word_at};
use crate::layout::{TAIL_AT, index};

/// What a ring is read from and acknowledged to: its file in life, loom's words in the model.
pub(crate) trait Medium {
    /// Copies bytes. Whatever is read later is at least as new as what was copied here.
    fn read(&self, at: u64, into: &mut [u8]) -> Result<(), Fault>;

    /// Writes words, after everything read before.
    fn write(&self, at: u64, words: &[u64]) -> Result<(), Fault>;
}

impl Medium for File {
    fn read(&self, at: u64, into: &mut [u8]) -> Result<(), Fault> {
        self.read_exact_at(into, at).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => Fault::Truncated,
            _ => Fault::Unreadable(error.raw_os_error().unwrap_or(0)),
        })?;
        fence(Ordering::Acquire);
        Ok(())
    }

    fn write(&self, at: u64, words: &[u64]) -> Result<(), Fault> {
        let mut bytes = [0; 16];
        for (slot, word) in bytes.chunks_exact_mut(8).zip(words) {
            slot.copy_from_slice(&word.to_ne_bytes());
        }
        fence(Ordering::Release);
        self.write_all_at(&bytes[..words.len() * 8], at)
            .map_err(|error| Fault::Unwritable(error.raw_os_error().unwrap_or(0)))
    }
}

/// Room for copies, shared by all lanes of a ring.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    first: Vec<u8>,
    second: Vec<u8>,
    /// Offset of the commit word in the copies, and length of the body, of each proven frame.
    frames: Vec<(u64, u64)>,
}

/// One lane as the consumer knows it.
#[derive(Debug)]
pub(crate) struct Reader {
    geometry: Geometry,
    control_at: u64,
    data_at: u64,
    /// Acknowledged.
    tail: u64,
    /// Handed on.
    pub(crate) position: u64,
    /// The furthest head ever seen; it never goes back.
    head: u64,
}

impl Reader {
    pub(crate) fn new(geometry: Geometry, control_at: u64, data_at: u64, tail: u64) -> Reader {
        Reader { geometry, control_at, data_at, tail, position: tail, head: tail }
    }

    /// Takes a head read from the control block; `true` if there is something to read.
    pub(crate) fn look(&mut self, head: u64) -> Result<bool, Fault> {
        if !head.is_multiple_of(WORD) || !self.tail.is_multiple_of(WORD) {
            return Err(Fault::Unaligned);
        }
        if head < self.head {
            return Err(Fault::Backwards);
        }
        if head - self.tail > self.geometry.lane_bytes {
            return Err(Fault::Overfull);
        }
        self.head = head;
        Ok(head != self.position)
    }

    /// Hands on committed bodies from the position onwards, at most `budget` bytes of the lane, and returns their
    /// number. `dead` says that no producer can commit any more: what was reserved and never committed is skipped.
    ///
    /// Bodies handed on before a fault was found are sound. Each comes with its position in the lane.
    pub(crate) fn advance(
        &mut self,
        medium: &impl Medium,
        mut budget: u64,
        dead: bool,
        scratch: &mut Scratch,
        hand_on: &mut dyn FnMut(u64, &[u8]),
    ) -> Result<usize, Fault> {
        let mut handed_on = 0;
        loop {
            let window = budget.min(self.head - self.position).min(self.geometry.bytes_to_end(self.position));
            if window == 0 {
                return Ok(handed_on);
            }
            let at = self.data_at + self.geometry.offset(self.position);
            scratch.first.resize(index(window), 0);
            medium.read(at, &mut scratch.first)?;
            let (proven, fault) = self.prove(&scratch.first, dead, &mut scratch.frames);
            if proven != 0 {
                // The first copy may hold a commit word newer than the body copied beside it: the kernel copies in
                // an order of its own. Bodies are taken from a second copy, made after the words were seen.
                scratch.second.resize(index(proven), 0);
                medium.read(at, &mut scratch.second)?;
                for &(offset, body) in &scratch.frames {
                    if word_at(&scratch.first, offset) != word_at(&scratch.second, offset) {
                        return Err(Fault::Changed);
                    }
                    let from = index(offset + WORD);
                    let body = scratch.second.get(from..from + index(body)).ok_or(Fault::PastHead)?;
                    hand_on(self.position + offset, body);
                    handed_on += 1;
                }
                self.position += proven;
            }
            if let Some(fault) = fault {
                return Err(fault);
            }
            if handed_on == 0 {
                // Filler and gaps are free of charge: 0 has to mean that nothing was there.
                if proven == 0 {
                    return Ok(0);
                }
            } else if proven < window {
                return Ok(handed_on);
            } else {
                budget -= proven;
            }
        }
    }

    /// Tells the producers that everything handed on may be overwritten, or what of it lies before `end`.
    pub(crate) fn acknowledge(&mut self, medium: &impl Medium, end: u64) -> Result<(), Fault> {
        let tail = self.position.min(end);
        if tail > self.tail {
            medium.write(self.control_at + TAIL_AT, &[tail, !tail])?;
            self.tail = tail;
        }
        Ok(())
    }

    /// The furthest head seen.
    pub(crate) fn head(&self) -> u64 {
        self.head
    }

    /// Notes the committed frames of a window that starts at the position; how far they reach and what ended them.
    fn prove(&self, window: &[u8], dead: bool, frames: &mut Vec<(u64, u64)>) -> (u64, Option<Fault>) {
        frames.clear();
        let mut offset = 0;
        while let Some(word) = word_at(window, offset) {
            let step = match self.geometry.judge(word, self.position + offset, self.head) {
                Ok(Found::Pad(length)) => length,
                Ok(Found::Body(body)) => span(body),
                // Only a tag can end a gap of unknown length, and a tag is right at one position only.
                Ok(Found::Uncommitted) if dead => WORD,
                Ok(Found::Uncommitted) => break,
                Err(fault) => return (offset, Some(fault)),
            };
            if offset + step > window.len() as u64 {
                break;
            }
            if let Ok(Found::Body(body)) = self.geometry.judge(word, self.position + offset, self.head) {
                frames.push((offset, body));
            }
            offset += step;
        }
        (offset, None)
    }
}
