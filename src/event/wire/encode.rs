// SPDX-License-Identifier: Apache-2.0
//! Writing a record: into memory the caller owns, without allocation. What does not fit is left out whole and marked.

// Every cast here is of a length that the constants of the format bound.
#![allow(clippy::cast_possible_truncation)]

use std::mem::MaybeUninit;

use super::{HEADER, MAX_NOTICE, MAX_PART, MAX_RULE, MAX_RULE_TEXT, MAX_TEXT, NONE, Tag, VERSION};
use crate::parameter::Parameter;
use crate::record::{Header, Key, Policy, Rule, Text, Token, Trace, What};

/// A frame being written, over memory that need not be initialised: clearing it would cost more than writing it.
#[derive(Debug)]
pub struct Frame<'a, R: Room + ?Sized = [MaybeUninit<u8>]> {
    bytes: &'a mut R,
    used: usize,
    truncated: bool,
}

impl<'a, R: Room + ?Sized> Frame<'a, R> {
    /// A frame whose sections are written to `bytes`, [`super::MAX_SECTIONS`] of them.
    pub fn new(bytes: &'a mut R) -> Frame<'a, R> {
        Frame { bytes, used: 0, truncated: false }
    }

    /// Marks that something was shortened or left out.
    pub fn truncated(&mut self) {
        self.truncated = true;
    }

    /// A section of ready words. Where facts are known by their place among the ring's definitions, that is the last
    /// of `first`; where it is [`FOLLOWS`](super::FOLLOWS), the facts are the rest.
    #[inline]
    pub fn words<const N: usize>(
        &mut self,
        tag: Tag,
        first: [u64; N],
        rest: impl ExactSizeIterator<Item = u64>,
    ) {
        let start = self.used;
        let end = start + HEAD + 8 * (N + rest.len());
        if self.bytes.put_words(start, head(tag, end - start - HEAD), first, rest) {
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
        self.words(tag, [value], std::iter::empty());
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

    /// What a notice says; of a longer text the beginning.
    pub fn notice(&mut self, what: What, text: &str) {
        self.compose(Tag::Notice, |out| {
            out.u64(what as u64);
            out.bytes(&text.as_bytes()[..text.floor_char_boundary(MAX_NOTICE)]);
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
        out.bytes(&[0; HEAD]);
        write(&mut out);
        let end = out.used;
        out.bytes(&[0; 8][..end.next_multiple_of(8) - end]);
        let (next, overflow) = (out.used, out.overflow);
        if overflow {
            return self.truncated();
        }
        self.bytes.put(start, &head(tag, end - start - HEAD).to_le_bytes());
        self.used = next;
    }

    /// The finished frame: the fixed part as words, and behind it the memory, of which so many bytes are written.
    #[inline]
    pub fn finish(&mut self, header: &Header) -> ([u64; HEADER / 8], &R, usize) {
        let flags = u8::from(header.enforced)
            | u8::from(header.size_query) << 1
            | u8::from(self.truncated || header.truncated) << 2
            | u8::from(header.degraded) << 3
            | u8::from(header.answered_here) << 4
            | u8::from(header.policy_defined) << 5
            | u8::from(header.is_notice) << 6;
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
        (words.map(u64::to_le), self.bytes, self.used)
    }
}

/// Encodes a token into `bytes` and gives the length.
pub fn encode_token(token: &Token, bytes: &mut [u8; MAX_PART]) -> usize {
    encode(bytes, |out| {
        out.u64(token.slot);
        out.bytes(&[token.firmware.0, token.firmware.1, token.hardware.0, token.hardware.1]);
        for text in [&token.label, &token.serial, &token.model, &token.manufacturer] {
            out.kept(text, MAX_TEXT);
        }
    })
}

/// Encodes a key, all but its handle, into `bytes` and gives the length.
pub fn encode_key(key: &Key, bytes: &mut [u8; MAX_PART]) -> usize {
    encode(bytes, |out| {
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
        out.u64(key.parameter_set.unwrap_or(0));
        out.u64(key.exponent.unwrap_or(0));
    })
}

/// Encodes a policy into `bytes` and gives the length.
pub fn encode_policy(policy: &Policy, bytes: &mut [u8; MAX_PART]) -> usize {
    encode(bytes, |out| {
        out.bytes(&policy.hash);
        out.u64(policy.revision);
        out.kept(&policy.name, MAX_TEXT);
    })
}

/// Encodes a rule into `bytes` and gives the length.
pub fn encode_rule(rule: &Rule, bytes: &mut [u8; MAX_RULE]) -> usize {
    encode(bytes, |out| {
        for text in [&rule.name, &rule.conditions, &rule.clause] {
            out.kept(text, MAX_TEXT);
        }
        for text in [&rule.reason, &rule.remedy] {
            out.kept(text, MAX_RULE_TEXT);
        }
    })
}

/// Encodes into cleared memory; what does not fit is left out, field by field.
fn encode(bytes: &mut [u8], write: impl FnOnce(&mut Out<'_, [u8]>)) -> usize {
    let mut out = Out { bytes, used: 0, overflow: false };
    write(&mut out);
    out.used
}

/// Bytes of a section's head.
const HEAD: usize = 8;

/// The head of a section. A frame is shorter than 64 KiB, so the length fits.
const fn head(tag: Tag, length: usize) -> u64 {
    tag as u64 | (length as u64) << 16
}

/// Memory that can be written to.
pub trait Room {
    /// Writes `bytes` at `place`; false where they do not fit.
    fn put(&mut self, place: usize, bytes: &[u8]) -> bool;

    /// Writes a section's head and its words at `place`; false where they do not fit.
    fn put_words<const N: usize>(
        &mut self,
        place: usize,
        head: u64,
        first: [u64; N],
        rest: impl ExactSizeIterator<Item = u64>,
    ) -> bool;
}

macro_rules! room {
    ($byte:ty, $copy:ident) => {
        impl Room for [$byte] {
            #[inline]
            fn put(&mut self, place: usize, bytes: &[u8]) -> bool {
                self.get_mut(place..place + bytes.len()).map(|room| _ = room.$copy(bytes)).is_some()
            }

            #[inline]
            fn put_words<const N: usize>(
                &mut self,
                place: usize,
                head: u64,
                first: [u64; N],
                rest: impl ExactSizeIterator<Item = u64>,
            ) -> bool {
                let end = place + HEAD + 8 * (N + rest.len());
                let Some((to_head, words)) =
                    self.get_mut(place..end).and_then(|room| room.split_at_mut_checked(HEAD))
                else {
                    return false;
                };
                to_head.$copy(&head.to_le_bytes());
                let (to_first, to_rest) = words.split_at_mut(8 * N);
                for (to, from) in to_first.chunks_exact_mut(8).zip(first) {
                    to.$copy(&from.to_le_bytes());
                }
                for (to, from) in to_rest.chunks_exact_mut(8).zip(rest) {
                    to.$copy(&from.to_le_bytes());
                }
                true
            }
        }
    };
}

room!(u8, copy_from_slice);
room!(MaybeUninit<u8>, write_copy_of_slice);

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
