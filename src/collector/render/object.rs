// SPDX-License-Identifier: Apache-2.0
//! The words in which objects of an event are written. What is absent is left out; what is bytes is never lost.

use std::fmt::{self, Display};

use event::record::Text;
use event::value::Named;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// An object being written.
pub(super) struct Object<M>(M);

/// Writes an object with what `fill` puts into it.
pub(super) fn object<S: Serializer>(
    serializer: S,
    fill: impl FnOnce(&mut Object<S::SerializeMap>) -> Result<(), S::Error>,
) -> Result<S::Ok, S::Error> {
    let mut object = Object(serializer.serialize_map(None)?);
    fill(&mut object)?;
    object.0.end()
}

impl<M: SerializeMap> Object<M> {
    /// A member.
    pub(super) fn put(&mut self, name: &str, value: impl Serialize) -> Result<(), M::Error> {
        self.0.serialize_entry(name, &value)
    }

    /// A member, if it is known.
    pub(super) fn known(&mut self, name: &str, value: Option<impl Serialize>) -> Result<(), M::Error> {
        value.map_or(Ok(()), |value| self.put(name, value))
    }

    /// A member, if it has elements.
    pub(super) fn list<T: Serialize>(&mut self, name: &str, values: &[T]) -> Result<(), M::Error> {
        if values.is_empty() { Ok(()) } else { self.put(name, values) }
    }

    /// A member that is `true` or absent.
    pub(super) fn mark(&mut self, name: &str, value: bool) -> Result<(), M::Error> {
        if value { self.put(name, true) } else { Ok(()) }
    }

    /// Text, unless it is empty. Beside it stand `<name>_hex` where it is not UTF-8 and `<name>_length` where it
    /// was longer than what was kept.
    pub(super) fn text(&mut self, name: &str, text: &Text) -> Result<(), M::Error> {
        let cut = text.length as usize > text.bytes.len();
        match utf8(&text.bytes, cut) {
            Some("") if !cut => return Ok(()),
            Some(whole) => self.put(name, whole)?,
            None => {
                self.put(name, String::from_utf8_lossy(&text.bytes))?;
                self.beside(name, "_hex", Hex(&text.bytes))?;
            }
        }
        if cut { self.beside(name, "_length", text.length) } else { Ok(()) }
    }

    /// Text, if it is known.
    pub(super) fn known_text(&mut self, name: &str, text: Option<&Text>) -> Result<(), M::Error> {
        text.map_or(Ok(()), |text| self.text(name, text))
    }

    /// Text of which nothing was cut, if it is known.
    pub(super) fn bytes(&mut self, name: &str, text: Option<&[u8]>) -> Result<(), M::Error> {
        let Some(text) = text else { return Ok(()) };
        match std::str::from_utf8(text) {
            Ok(text) => self.put(name, text),
            Err(_) => {
                self.put(name, String::from_utf8_lossy(text))?;
                self.beside(name, "_hex", Hex(text))
            }
        }
    }

    /// Bytes as hexadecimal digits, unless there are none; `<name>_length` as for text.
    pub(super) fn hex(&mut self, name: &str, text: &Text) -> Result<(), M::Error> {
        let cut = text.length as usize > text.bytes.len();
        if text.bytes.is_empty() && !cut {
            return Ok(());
        }
        self.put(name, Hex(&text.bytes))?;
        if cut { self.beside(name, "_length", text.length) } else { Ok(()) }
    }

    fn beside(&mut self, name: &str, suffix: &str, value: impl Serialize) -> Result<(), M::Error> {
        self.0.serialize_entry(&Shown(format_args!("{name}{suffix}")), &value)
    }
}

/// The bytes as text, if they are UTF-8. A text that was cut may end within a character: that is left out.
pub(super) fn utf8(bytes: &[u8], cut: bool) -> Option<&str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(fault) if cut && fault.error_len().is_none() => {
            std::str::from_utf8(&bytes[..fault.valid_up_to()]).ok()
        }
        Err(_) => None,
    }
}

/// A number of the standard with its name, if it has one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word(pub(super) Named);

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object(serializer, |o| {
            o.put("number", self.0.number)?;
            o.known("name", self.0.name)
        })
    }
}

/// Anything that can be displayed, as a JSON string.
pub(super) struct Shown<T>(pub(super) T);

impl<T: Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Bytes as lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hex<'a>(pub(super) &'a [u8]);

impl Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        // Written in pieces of some length: a formatter is slow to call.
        for bytes in self.0.chunks(32) {
            let mut digits = [0; 64];
            for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
                pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
            }
            f.write_str(std::str::from_utf8(&digits[..2 * bytes.len()]).unwrap_or_default())?;
        }
        Ok(())
    }
}

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A `CK_DATE`, with dashes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Date<'a>(&'a str);

impl Date<'_> {
    /// The date, if it is one in eight ASCII digits.
    pub(super) fn read(date: &[u8]) -> Option<Date<'_>> {
        let text = std::str::from_utf8(date).ok()?;
        (text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(Date(text))
    }
}

impl Serialize for Date<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (year, month, day) = (&self.0[..4], &self.0[4..6], &self.0[6..]);
        serializer.collect_str(&format_args!("{year}-{month}-{day}"))
    }
}
