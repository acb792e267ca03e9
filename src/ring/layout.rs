// SPDX-License-Identifier: Apache-2.0
//! Where everything lies in a ring: the header, the control blocks, HELLO, the lanes. Both sides use these
//! definitions; the consumer takes nothing from a header that is not checked here.

use std::mem::{offset_of, size_of};
use std::sync::atomic::AtomicU64;

use crate::clock::{Clock, Triple};
use crate::error::{Error, Refused};
use crate::frame::{Geometry, word_at};
use crate::lane::Control;
use crate::loss::{Counters, LOSS_SLOTS};

/// First word of every ring.
pub const MAGIC: u64 = u64::from_ne_bytes(*b"p11gring");
/// Version of everything that RING.md describes.
pub const VERSION: u64 = 1;
/// Bytes before the control blocks.
pub const HEADER_BYTES: u64 = 4096;
/// Bytes of one lane's control block: two cache lines, so that neighbours are never prefetched as a pair.
pub const CONTROL_BYTES: u64 = 128;
/// Bytes set aside for HELLO.
pub const HELLO_MAX: u64 = 64 * 1024;
/// Bytes set aside for definitions.
pub const DEFINITIONS_BYTES: u64 = 128 * 1024;
/// Longest definition, in bytes.
pub const DEFINITION_MAX: u64 = 1024;
/// Most lanes in a ring.
pub const LANES_MAX: u16 = 64;
/// Smallest lane, in bytes.
pub const LANE_MIN: u64 = 64 * 1024;
/// Largest lane, in bytes.
pub const LANE_MAX: u64 = 16 * 1024 * 1024;
/// Shortest body of a frame, in bytes.
pub const BODY_MIN: u64 = 8;
/// Longest body of a frame, in bytes.
pub const BODY_MAX: u64 = 4096;

const PAGE: u64 = 4096;

/// The header as it lies in memory, all of it 64-bit words in the host's byte order.
/// Three parts on cache lines of their own: written once, written by the producer, written by the consumer.
#[repr(C)]
pub(crate) struct Page {
    pub(crate) magic: AtomicU64,
    pub(crate) version: AtomicU64,
    pub(crate) lanes: AtomicU64,
    pub(crate) lane_bytes: AtomicU64,
    pub(crate) hello_bytes: AtomicU64,
    pub(crate) salt: AtomicU64,
    pub(crate) stream: [AtomicU64; 2],
    pub(crate) pid: AtomicU64,
    pub(crate) generation: AtomicU64,
    pub(crate) boot: [AtomicU64; 2],
    pub(crate) clock: AtomicU64,
    pub(crate) first: [AtomicU64; 3],

    pub(crate) closed: AtomicU64,
    /// Odd while `latest` is being written.
    pub(crate) stamps: AtomicU64,
    pub(crate) latest: [AtomicU64; 3],
    /// Bytes of definitions, the last of which may not be whole yet.
    pub(crate) defined: AtomicU64,
    _producer: [AtomicU64; 10],

    pub(crate) heartbeat: AtomicU64,
    pub(crate) policy: AtomicU64,
    pub(crate) quarantine: AtomicU64,
}

/// Bytes of the header that carry anything.
pub(crate) const HEADER_USED: usize = size_of::<Page>();
/// Offsets of the words that the consumer writes.
pub(crate) const HEARTBEAT_AT: u64 = offset_of!(Page, heartbeat) as u64;
pub(crate) const POLICY_AT: u64 = offset_of!(Page, policy) as u64;
pub(crate) const QUARANTINE_AT: u64 = offset_of!(Page, quarantine) as u64;
/// Offset of `tail` and, directly behind it, its mirror in a control block.
pub(crate) const TAIL_AT: u64 = offset_of!(Control<AtomicU64>, tail) as u64;

const _: () = {
    assert!(HEADER_USED as u64 <= HEADER_BYTES);
    assert!(offset_of!(Page, closed) == 128 && offset_of!(Page, heartbeat) == 256);
    assert!(size_of::<Control<AtomicU64>>() as u64 == CONTROL_BYTES);
    assert!(offset_of!(Control<AtomicU64>, mirror) as u64 == TAIL_AT + 8);
};

/// How many lanes a ring has and how large each is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    lanes: u16,
    lane_bytes: u64,
}

impl Layout {
    /// `lanes` in 1..=64, `lane_bytes` a power of two from 64 KiB to 16 MiB.
    ///
    /// # Errors
    /// [`Error::Layout`] outside of these bounds.
    pub const fn new(lanes: u16, lane_bytes: u64) -> Result<Layout, Error> {
        let lanes_fit = 1 <= lanes && lanes <= LANES_MAX;
        let bytes_fit = LANE_MIN <= lane_bytes && lane_bytes <= LANE_MAX && lane_bytes.is_power_of_two();
        if lanes_fit && bytes_fit {
            Ok(Layout { lanes, lane_bytes })
        } else {
            Err(Error::Layout { lanes: lanes as u64, lane_bytes })
        }
    }

    /// Number of lanes.
    #[must_use]
    pub const fn lanes(&self) -> u16 {
        self.lanes
    }

    /// Bytes of each lane.
    #[must_use]
    pub const fn lane_bytes(&self) -> u64 {
        self.lane_bytes
    }

    /// Offset of a lane's control block.
    #[must_use]
    pub const fn control_at(&self, lane: u16) -> u64 {
        HEADER_BYTES + lane as u64 * CONTROL_BYTES
    }

    /// Offset of HELLO.
    #[must_use]
    pub const fn hello_at(&self) -> u64 {
        self.control_at(self.lanes).next_multiple_of(PAGE)
    }

    /// Offset of the definitions.
    #[must_use]
    pub const fn definitions_at(&self) -> u64 {
        self.hello_at() + HELLO_MAX
    }

    /// Offset of a lane's frames.
    #[must_use]
    pub const fn lane_at(&self, lane: u16) -> u64 {
        self.definitions_at() + DEFINITIONS_BYTES + lane as u64 * self.lane_bytes
    }

    /// Bytes of the whole ring.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.lane_at(self.lanes)
    }
}

/// What a ring says about itself. The process wrote it: evidence of nothing but its own claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Lanes and their size.
    pub layout: Layout,
    /// Random name of the stream.
    pub stream: [u8; 16],
    /// Process id that the producer saw, in its own pid namespace.
    pub pid: u64,
    /// 1 in the process that loaded the library, one more after each fork.
    pub generation: u64,
    /// Boot id of the host, zero where the producer could not read it.
    pub boot: [u8; 16],
    /// What the ticks in frames and triples are.
    pub clock: Clock,
    /// Clock triple from creation.
    pub first: Triple,
    /// Clock triple from the last [`Producer::stamp`](crate::Producer::stamp).
    pub latest: Triple,
    /// The producer has said that it will publish no more.
    pub closed: bool,
    pub(crate) hello_bytes: u64,
    pub(crate) salt: u64,
    pub(crate) stamps: u64,
}

impl Header {
    /// Reads and checks the header's bytes; what lies beyond `bytes` reads as zero.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Header, Refused> {
        let word = |offset: usize| word_at(bytes, offset as u64).unwrap_or(0);
        let id = |offset: usize| {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&word(offset).to_ne_bytes());
            id[8..].copy_from_slice(&word(offset + 8).to_ne_bytes());
            id
        };
        let triple = |offset: usize| Triple {
            ticks: word(offset),
            monotonic: word(offset + 8),
            utc: word(offset + 16),
        };
        if word(offset_of!(Page, magic)) != MAGIC {
            return Err(Refused::Magic);
        }
        let version = word(offset_of!(Page, version));
        if version != VERSION {
            return Err(Refused::Version(version));
        }
        let (lanes, lane_bytes) = (word(offset_of!(Page, lanes)), word(offset_of!(Page, lane_bytes)));
        let layout = u16::try_from(lanes)
            .ok()
            .and_then(|count| Layout::new(count, lane_bytes).ok())
            .ok_or(Refused::Layout { lanes, lane_bytes })?;
        let hello_bytes = word(offset_of!(Page, hello_bytes));
        if hello_bytes > HELLO_MAX {
            return Err(Refused::Hello(hello_bytes));
        }
        let clock = word(offset_of!(Page, clock));
        Ok(Header {
            layout,
            stream: id(offset_of!(Page, stream)),
            pid: word(offset_of!(Page, pid)),
            generation: word(offset_of!(Page, generation)),
            boot: id(offset_of!(Page, boot)),
            clock: Clock::from_word(clock).ok_or(Refused::Clock(clock))?,
            first: triple(offset_of!(Page, first)),
            latest: triple(offset_of!(Page, latest)),
            closed: word(offset_of!(Page, closed)) != 0,
            hello_bytes,
            salt: word(offset_of!(Page, salt)),
            stamps: word(offset_of!(Page, stamps)),
        })
    }

    pub(crate) const fn geometry(&self) -> Geometry {
        Geometry { lane_bytes: self.layout.lane_bytes, salt: self.salt }
    }
}

/// One lane's control block, copied.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Books {
    pub(crate) head: u64,
    pub(crate) tail: u64,
    pub(crate) counters: Counters,
}

impl Books {
    /// Reads a control block; what lies beyond `bytes` reads as zero.
    pub(crate) fn decode(bytes: &[u8]) -> Books {
        let word = |offset: usize| word_at(bytes, offset as u64).unwrap_or(0);
        let mut lost = [0; LOSS_SLOTS];
        for (slot, count) in lost.iter_mut().enumerate() {
            *count = word(offset_of!(Control<AtomicU64>, lost) + slot * 8);
        }
        Books {
            head: word(offset_of!(Control<AtomicU64>, head)),
            tail: word(offset_of!(Control<AtomicU64>, tail)),
            counters: Counters {
                attempted: word(offset_of!(Control<AtomicU64>, attempted)),
                published: word(offset_of!(Control<AtomicU64>, published)),
                lost,
            },
        }
    }
}

/// An offset or length of the ring as an index into memory; both are 64 bits wide on every host that compiles this.
#[allow(clippy::cast_possible_truncation)]
pub(crate) const fn index(offset: u64) -> usize {
    offset as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_follow_each_other_without_overlap() {
        let layout = Layout::new(64, LANE_MIN).unwrap();
        assert_eq!(layout.control_at(0), HEADER_BYTES);
        assert_eq!(layout.hello_at(), HEADER_BYTES + 64 * CONTROL_BYTES);
        assert_eq!(layout.definitions_at(), layout.hello_at() + HELLO_MAX);
        assert_eq!(layout.lane_at(0), layout.definitions_at() + DEFINITIONS_BYTES);
        assert_eq!(layout.total(), layout.lane_at(63) + LANE_MIN);
    }

    #[test]
    fn sizes_outside_the_bounds_are_errors() {
        for (lanes, bytes) in
            [(0, LANE_MIN), (65, LANE_MIN), (1, 0), (1, LANE_MIN / 2), (1, LANE_MIN + 8), (1, LANE_MAX * 2)]
        {
            assert!(Layout::new(lanes, bytes).is_err(), "{lanes} lanes of {bytes}");
        }
    }
}
