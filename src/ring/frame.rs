// SPDX-License-Identifier: Apache-2.0
//! The commit word that opens every frame, and the judgement of what stands at a position of a lane.
//! Pure arithmetic on bytes already copied; refuses everything that an honest producer could not have written.

use crate::error::Fault;
use crate::layout::{BODY_MAX, BODY_MIN, index};

/// Bytes of the commit word before each body.
pub(crate) const WORD: u64 = 8;
/// The most a frame takes: commit word and longest body.
pub(crate) const SPAN_MAX: u64 = WORD + BODY_MAX;

const LENGTH_BITS: u32 = 16;
const PAD: u64 = 1 << 15;
const LENGTH: u64 = PAD - 1;
const TAG: u64 = (1 << 48) - 1;

/// The bit that every salt has set. Positions never reach it, so the zeroes of a fresh page match no tag.
const SALT_FLOOR: u64 = 1 << 47;

/// Where a lane's frames lie and how its tags are made: what both sides must agree on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    pub(crate) lane_bytes: u64,
    pub(crate) salt: u64,
}

/// What stands at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A committed body of this many bytes, directly after the commit word.
    Body(u64),
    /// Filler of this many bytes, commit word included, up to the end of the lane.
    Pad(u64),
    /// Reserved at most; bytes of an earlier lap look like this too.
    Uncommitted,
}

/// Makes a salt out of random bits.
pub(crate) const fn salt(random: u64) -> u64 {
    (random & TAG) | SALT_FLOOR
}

/// Bytes that a frame with a body this long takes in a lane.
pub(crate) const fn span(body: u64) -> u64 {
    (WORD + body).next_multiple_of(WORD)
}

impl Geometry {
    /// Offset of a position inside the lane.
    pub(crate) const fn offset(&self, position: u64) -> u64 {
        position & (self.lane_bytes - 1)
    }

    /// Bytes from a position to the end of the lane.
    pub(crate) const fn bytes_to_end(&self, position: u64) -> u64 {
        self.lane_bytes - self.offset(position)
    }

    /// The word that commits a body of `body` bytes at `position`.
    pub(crate) const fn commit(&self, position: u64, body: u64) -> u64 {
        (self.tag(position) << LENGTH_BITS) | (WORD + body)
    }

    /// The word that marks everything from `position` to the end of the lane as filler.
    pub(crate) const fn pad(&self, position: u64) -> u64 {
        (self.tag(position) << LENGTH_BITS) | PAD | self.bytes_to_end(position)
    }

    /// Judges the word found at `position`, with `head` as the end of what was reserved.
    pub(crate) fn judge(&self, word: u64, position: u64, head: u64) -> Result<Found, Fault> {
        if word >> LENGTH_BITS != self.tag(position) {
            return Ok(Found::Uncommitted);
        }
        let length = word & LENGTH;
        if word & PAD != 0 {
            // Only filler too short for some frame is ever needed, and what follows it was reserved with it.
            let fits = length == self.bytes_to_end(position) && length < SPAN_MAX && length < head - position;
            return if fits { Ok(Found::Pad(length)) } else { Err(Fault::Pad) };
        }
        let body = length.wrapping_sub(WORD);
        if !(BODY_MIN..=BODY_MAX).contains(&body) {
            return Err(Fault::Length);
        }
        if span(body) > head - position {
            return Err(Fault::PastHead);
        }
        if span(body) > self.bytes_to_end(position) {
            return Err(Fault::CrossesEnd);
        }
        Ok(Found::Body(body))
    }

    const fn tag(&self, position: u64) -> u64 {
        ((position / WORD) ^ self.salt) & TAG
    }
}

/// The word at a byte offset of a copied stretch; `None` past its end.
pub(crate) fn word_at(bytes: &[u8], offset: u64) -> Option<u64> {
    let word = bytes.get(index(offset)..)?.first_chunk()?;
    Some(u64::from_ne_bytes(*word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LANE: Geometry = Geometry { lane_bytes: 65536, salt: salt(0x1234_5678_9abc) };

    #[test]
    fn a_word_is_valid_at_its_own_position_only() {
        let word = LANE.commit(4096, 200);
        assert_eq!(LANE.judge(word, 4096, 1 << 20), Ok(Found::Body(200)));
        for lap in 1..1000 {
            let position = 4096 + lap * LANE.lane_bytes;
            assert_eq!(LANE.judge(word, position, position + 4096), Ok(Found::Uncommitted), "lap {lap}");
        }
    }

    #[test]
    fn a_fresh_page_holds_no_frame_at_any_position() {
        for position in [0, 8, 65528, 1 << 40, (1 << 50) - 8] {
            assert_eq!(LANE.judge(0, position, position + 8192), Ok(Found::Uncommitted));
        }
    }

    #[test]
    fn lengths_that_no_producer_writes_are_faults() {
        let tag = LANE.commit(0, 8) & !LENGTH;
        for length in [0, 1, 7, 8, 15, 8 + BODY_MAX + 1, LENGTH] {
            assert_eq!(LANE.judge(tag | length, 0, 65536), Err(Fault::Length), "length {length}");
        }
        assert_eq!(LANE.judge(LANE.commit(0, 200), 0, 200), Err(Fault::PastHead));
        assert_eq!(LANE.judge(LANE.commit(65528, 8), 65528, 65544), Err(Fault::CrossesEnd));
    }

    #[test]
    fn a_pad_reaches_exactly_to_the_end_of_the_lane() {
        assert_eq!(LANE.judge(LANE.pad(65520), 65520, 66000), Ok(Found::Pad(16)));
        assert_eq!(LANE.judge(LANE.pad(65520) + 8, 65520, 66000), Err(Fault::Pad));
        assert_eq!(LANE.judge(LANE.pad(65520), 65520, 65536), Err(Fault::Pad), "no frame behind it");
        assert_eq!(LANE.judge(LANE.pad(57344), 57344, 70000), Err(Fault::Pad), "longer than any frame");
    }
}
