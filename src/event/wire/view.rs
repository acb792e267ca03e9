// SPDX-License-Identifier: Apache-2.0
//! Encoded keys and tokens, read where they lie: judging a call by them allocates nothing.

use super::decode::{In, Malformed};
use crate::record::{Flags, Key, Text, Token};

/// Text as it lies in an encoded form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TextView<'a> {
    /// The bytes kept.
    pub bytes: &'a [u8],
    /// The length the text had, bytes.
    pub length: u32,
}

impl TextView<'_> {
    pub(super) fn to_text(self) -> Text {
        Text { bytes: self.bytes.to_vec(), length: self.length }
    }
}

/// An encoded [`Key`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // As in Key.
pub struct KeyView<'a> {
    pub class: Option<u64>,
    pub key_type: Option<u64>,
    pub bits: Option<u32>,
    pub curve: Option<u16>,
    pub flags: Flags,
    pub start: Option<[u8; 8]>,
    pub end: Option<[u8; 8]>,
    allowed: In<'a>,
    pub label: TextView<'a>,
    pub id: TextView<'a>,
    pub unique_id: TextView<'a>,
    pub parameter_set: Option<u64>,
    pub exponent: Option<u64>,
}

impl<'a> KeyView<'a> {
    /// Reads an encoded key.
    ///
    /// # Errors
    /// [`Malformed::Short`] where it ends too early.
    // Inlined, with all that it takes: what is written to memory in pieces and read back whole has to be waited for, and
    // this is on the way of every call that is judged by its key.
    #[inline]
    pub fn read(encoded: &'a [u8]) -> Result<KeyView<'a>, Malformed> {
        let mut key = In(encoded);
        let date = |digits: u64| (digits != 0).then_some(digits.to_le_bytes());
        let (class, key_type) = (key.optional()?, key.optional()?);
        let (bits, curve, allowed) = (key.u32()?, key.u16()?, key.u16()?);
        Ok(KeyView {
            class,
            key_type,
            bits: (bits != u32::MAX).then_some(bits),
            curve: (curve != u16::MAX).then_some(curve),
            flags: Flags { known: key.u32()?, set: key.u32()? },
            start: date(key.u64()?),
            end: date(key.u64()?),
            allowed: In(key.take(8 * usize::from(allowed))?),
            label: key.text()?,
            id: key.text()?,
            unique_id: key.text()?,
            parameter_set: key.later(),
            exponent: key.later(),
        })
    }

    /// `CKA_ALLOWED_MECHANISMS`, as far as kept.
    pub fn allowed_mechanisms(&self) -> impl Iterator<Item = u64> {
        self.allowed.0.as_chunks().0.iter().map(|number| u64::from_le_bytes(*number))
    }

    /// The key as a record has it.
    pub fn to_key(&self, handle: u64) -> Key {
        Key {
            handle,
            class: self.class,
            key_type: self.key_type,
            bits: self.bits,
            curve: self.curve,
            parameter_set: self.parameter_set,
            exponent: self.exponent,
            flags: self.flags,
            start: self.start,
            end: self.end,
            label: self.label.to_text(),
            id: self.id.to_text(),
            unique_id: self.unique_id.to_text(),
            allowed_mechanisms: self.allowed_mechanisms().collect(),
        }
    }
}

/// An encoded [`Token`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // As in Token.
pub struct TokenView<'a> {
    pub slot: u64,
    pub firmware: (u8, u8),
    pub hardware: (u8, u8),
    pub label: TextView<'a>,
    pub serial: TextView<'a>,
    pub model: TextView<'a>,
    pub manufacturer: TextView<'a>,
}

impl<'a> TokenView<'a> {
    /// Reads an encoded token.
    ///
    /// # Errors
    /// [`Malformed::Short`] where it ends too early.
    pub fn read(encoded: &'a [u8]) -> Result<TokenView<'a>, Malformed> {
        let mut token = In(encoded);
        let slot = token.u64()?;
        let [f0, f1, h0, h1] = token.array()?;
        Ok(TokenView {
            slot,
            firmware: (f0, f1),
            hardware: (h0, h1),
            label: token.text()?,
            serial: token.text()?,
            model: token.text()?,
            manufacturer: token.text()?,
        })
    }

    /// The token as a record has it.
    pub fn to_token(&self) -> Token {
        Token {
            slot: self.slot,
            label: self.label.to_text(),
            serial: self.serial.to_text(),
            model: self.model.to_text(),
            manufacturer: self.manufacturer.to_text(),
            firmware: self.firmware,
            hardware: self.hardware,
        }
    }
}
