// SPDX-License-Identifier: Apache-2.0
//! Writing a record: into memory the caller owns, without allocation. What does not fit is left out whole and marked.

// Every cast here is of a length that the constants of the format bound.
#![allow(clippy::cast_possible_truncation)]

use std::mem::MaybeUninit;

use super::{HEADER, MAX_PART, MAX_RULE_TEXT, MAX_TEXT, NONE, Tag, VERSION};
use crate::parameter::Parameter;
use crate::record::{Header, Key, Rule, Session, Text, Trace};

/// A frame being written, over memory that need not be initialised: clearing it would cost more than writing it.
#[derive(Debug)]
pub struct Frame<'a, R: Room + ?Sized = [MaybeUninit<u8>]> {
    bytes: &'a mut R,
    used: usize,
    truncated: bool,
}

impl<'a, R: Room + ?Sized> Frame<'a, R> {
    /// A frame over `bytes`, [`super::MAX_FRAME`] of them; the fixed part is written last, by [`Frame::finish`].
    pub fn new(bytes: &'a mut R) -> Frame<'a, R> {
        Frame { bytes, used: HEADER, truncated: false }
    }

    /// Marks that something was shortened or left out.
    pub fn truncated(&mut self) {
        self.truncated = true;
    }

    /// A section of ready bytes.
    pub fn section(&mut self, tag: Tag, payload: &[u8]) {
        self.compose(tag, |out| out.bytes(payload));
    }

    /// A section of ready words.
    #[inline]
    pub fn words(&mut self, tag: Tag, words: impl ExactSizeIterator<Item = u64>) {
        let start = self.used;
        let end = start + 4 + 8 * words.len();
        let head = u32::from(tag as u16) | ((end - start - 4) as u32) << 16;
        if self.bytes.put_words(start, head, words) {
            self.used = end;
        } else {
            self.truncated();
        }
    }

    /// How much is written: a mark to go back to.
    #[inline]
    pub fn mark(&self) -> usize {
        self.used
    }

    /// Takes back what was written since `mark`.
    #[inline]
    pub fn back_to(&mut self, mark: usize) {
        self.used = mark;
    }

    /// A section of one number.
    #[inline]
    pub fn number(&mut self, tag: Tag, value: u64) {
        self.words(tag, std::iter::once(value));
    }

    /// A section of text, cut to [`MAX_TEXT`].
    pub fn text(&mut self, tag: Tag, text: &[u8]) {
        self.compose(tag, |out| out.text(text, text.len(), MAX_TEXT));
    }

    /// A mechanism and the fields of its parameter.
    pub fn mechanism(&mut self, number: u64, parameters: &[Parameter]) {
        self.compose(Tag::Mechanism, |out| {
            out.u64(number);
            out.parameters(parameters);
        });
    }

    /// The fields of a message parameter.
    pub fn message(&mut self, parameters: &[Parameter]) {
        self.compose(Tag::Message, |out| out.parameters(parameters));
    }

    /// The attributes asked for; `count` of them in all.
    pub fn attributes(&mut self, attributes: impl Iterator<Item = u64>) {
        self.compose(Tag::Attributes, |out| attributes.for_each(|attribute| out.u64(attribute)));
    }

    /// A template of `count` attributes, those given as (number, `ulValueLen`, value where it may be kept).
    pub fn template<'v>(
        &mut self,
        count: u64,
        attributes: impl Iterator<Item = (u64, u64, Option<&'v [u8]>)>,
    ) {
        self.compose(Tag::Template, |out| {
            out.u64(count);
            for (attribute, length, value) in attributes {
                out.u64(attribute);
                out.u64(length);
                out.u8(u8::from(value.is_some()));
                out.text(value.unwrap_or_default(), 0, MAX_TEXT);
            }
        });
    }

    /// The trace context.
    pub fn trace(&mut self, trace: &Trace) {
        self.compose(Tag::Trace, |out| {
            out.bytes(&trace.trace_id);
            out.bytes(&trace.span_id);
            out.u8(trace.flags);
        });
    }

    /// A section that `write` fills; left out whole where it does not fit.
    pub fn compose(&mut self, tag: Tag, write: impl FnOnce(&mut Out<'_, R>)) {
        let start = self.used;
        let mut out = Out { bytes: &mut *self.bytes, used: start, overflow: false };
        out.bytes(&[0; 4]);
        write(&mut out);
        let (end, overflow) = (out.used, out.overflow);
        if overflow {
            return self.truncated();
        }
        // A frame is shorter than 64 KiB, so the length fits.
        let head = (tag as u32) | ((end - start - 4) as u32) << 16;
        self.bytes.put(start, &head.to_le_bytes());
        self.used = end;
    }

    /// Writes the fixed part, and gives back the memory with the length of the finished frame: so many bytes from its
    /// start are written.
    #[inline]
    pub fn finish(&mut self, header: &Header) -> (&mut R, usize) {
        let flags = u8::from(header.enforced)
            | u8::from(header.size_query) << 1
            | u8::from(self.truncated || header.truncated) << 2
            | u8::from(header.degraded) << 3
            | u8::from(header.answered_here) << 4;
        let first =
            u64::from(VERSION) | u64::from(header.function as u16) << 16 | u64::from(header.thread) << 32;
        let words = [
            first,
            header.sequence,
            header.start,
            header.end,
            header.rv,
            header.operation,
            header.bytes_in.unwrap_or(NONE),
            header.bytes_out.unwrap_or(NONE),
            header.session.unwrap_or(NONE),
            header.policy,
            u64::from(header.verdict as u8) | u64::from(flags) << 8,
        ];
        let mut fixed = [0; HEADER];
        for (to, from) in fixed.chunks_exact_mut(8).zip(words) {
            to.copy_from_slice(&from.to_le_bytes());
        }
        self.bytes.put(0, &fixed);
        (&mut *self.bytes, self.used)
    }
}

/// Encodes a session into `bytes` and gives the length.
pub fn encode_session(session: &Session, bytes: &mut [u8; MAX_PART]) -> usize {
    encode(bytes, |out| {
        out.u64(session.id);
        out.u64(session.handle);
        out.u64(session.slot);
        out.u64(session.user.unwrap_or(NONE));
        out.bytes(&[
            u8::from(session.read_write),
            session.firmware.0,
            session.firmware.1,
            session.hardware.0,
        ]);
        out.bytes(&[session.hardware.1, 0, 0, 0]);
        for text in [&session.label, &session.serial, &session.model, &session.manufacturer] {
            out.kept(text, MAX_TEXT);
        }
    })
}

/// Encodes a key into `bytes` and gives the length.
pub fn encode_key(key: &Key, bytes: &mut [u8; MAX_PART]) -> usize {
    encode(bytes, |out| {
        out.u64(key.handle);
        out.u64(key.class.unwrap_or(NONE));
        out.u64(key.key_type.unwrap_or(NONE));
        out.bytes(&key.bits.unwrap_or(u32::MAX).to_le_bytes());
        out.bytes(&key.curve.unwrap_or(u16::MAX).to_le_bytes());
        let allowed = &key.allowed_mechanisms[..key.allowed_mechanisms.len().min(16)];
        out.bytes(&(allowed.len() as u16).to_le_bytes());
        out.bytes(&key.flags.known.to_le_bytes());
        out.bytes(&key.flags.set.to_le_bytes());
        out.bytes(&key.start.unwrap_or_default());
        out.bytes(&key.end.unwrap_or_default());
        allowed.iter().for_each(|mechanism| out.u64(*mechanism));
        for text in [&key.label, &key.id, &key.unique_id] {
            out.kept(text, MAX_TEXT);
        }
    })
}

/// The size of an encoded key, bits.
pub fn key_bits(encoded: &[u8]) -> Option<u32> {
    let bits = u32::from_le_bytes(encoded.get(24..28)?.try_into().ok()?);
    (bits != u32::MAX).then_some(bits)
}

/// The place of an encoded key's curve in `curve::ALL`.
pub fn key_curve(encoded: &[u8]) -> Option<u16> {
    let curve = u16::from_le_bytes(encoded.get(28..30)?.try_into().ok()?);
    (curve != u16::MAX).then_some(curve)
}

/// Encodes a rule into `bytes` and gives the length.
pub fn encode_rule(rule: &Rule, bytes: &mut [u8; MAX_PART]) -> usize {
    encode(bytes, |out| {
        for text in [&rule.name, &rule.reason, &rule.remedy] {
            out.kept(text, MAX_RULE_TEXT);
        }
    })
}

/// Encodes into cleared memory; what does not fit is left out, field by field.
fn encode(bytes: &mut [u8; MAX_PART], write: impl FnOnce(&mut Out<'_, [u8]>)) -> usize {
    let mut out = Out { bytes: bytes.as_mut_slice(), used: 0, overflow: false };
    write(&mut out);
    out.used
}

/// Memory that can be written to.
pub trait Room {
    /// Writes `bytes` at `place`; false where they do not fit.
    fn put(&mut self, place: usize, bytes: &[u8]) -> bool;

    /// Writes a section's head and its words at `place`; false where they do not fit.
    fn put_words(&mut self, place: usize, head: u32, words: impl ExactSizeIterator<Item = u64>) -> bool;
}

impl Room for [u8] {
    #[inline]
    fn put(&mut self, place: usize, bytes: &[u8]) -> bool {
        self.get_mut(place..place + bytes.len()).map(|room| room.copy_from_slice(bytes)).is_some()
    }

    #[inline]
    fn put_words(&mut self, place: usize, head: u32, words: impl ExactSizeIterator<Item = u64>) -> bool {
        let Some(room) = self.get_mut(place..place + 4 + 8 * words.len()) else { return false };
        let (first, rest) = room.split_at_mut(4);
        first.copy_from_slice(&head.to_le_bytes());
        for (to, from) in rest.chunks_exact_mut(8).zip(words) {
            to.copy_from_slice(&from.to_le_bytes());
        }
        true
    }
}

impl Room for [MaybeUninit<u8>] {
    #[inline]
    fn put(&mut self, place: usize, bytes: &[u8]) -> bool {
        self.get_mut(place..place + bytes.len()).map(|room| room.write_copy_of_slice(bytes)).is_some()
    }

    #[inline]
    fn put_words(&mut self, place: usize, head: u32, words: impl ExactSizeIterator<Item = u64>) -> bool {
        let Some(room) = self.get_mut(place..place + 4 + 8 * words.len()) else { return false };
        let (first, rest) = room.split_at_mut(4);
        first.write_copy_of_slice(&head.to_le_bytes());
        for (to, from) in rest.chunks_exact_mut(8).zip(words) {
            to.write_copy_of_slice(&from.to_le_bytes());
        }
        true
    }
}

/// A cursor that never writes past its end.
#[derive(Debug)]
pub struct Out<'a, R: Room + ?Sized = [MaybeUninit<u8>]> {
    bytes: &'a mut R,
    used: usize,
    overflow: bool,
}

impl<R: Room + ?Sized> Out<'_, R> {
    /// Appends bytes.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        if self.bytes.put(self.used, bytes) {
            self.used += bytes.len();
        } else {
            self.overflow = true;
        }
    }

    /// Appends a number.
    #[inline]
    pub fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    fn kept(&mut self, text: &Text, most: usize) {
        self.text(&text.bytes, text.length as usize, most);
    }

    fn text(&mut self, text: &[u8], length: usize, most: usize) {
        let kept = &text[..text.len().min(most)];
        let length = u32::try_from(length.max(text.len())).unwrap_or(u32::MAX);
        self.bytes(&length.to_le_bytes());
        // A byte holds both limits.
        self.u8(kept.len() as u8);
        self.bytes(kept);
    }

    fn parameters(&mut self, parameters: &[Parameter]) {
        for parameter in parameters {
            self.bytes(&[parameter.depth, parameter.field as u8]);
            self.u64(parameter.value);
        }
    }
}
