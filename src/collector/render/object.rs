// SPDX-License-Identifier: Apache-2.0
//! The words in which objects of an event are written. What is absent is left out; what is bytes is never lost.

use std::fmt;

use event::record::Text;
use event::value::Named;

use super::json::{Json, List, Object, object};

impl Object<'_> {
    /// A member, if it is known.
    pub(super) fn known(&mut self, name: &str, value: Option<impl Json>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    /// A member, if it has elements.
    pub(super) fn list(&mut self, name: &str, elements: impl ExactSizeIterator<Item: Json> + Clone) {
        if elements.len() > 0 {
            self.put(name, List(elements));
        }
    }

    /// A member that is `true` or absent.
    pub(super) fn mark(&mut self, name: &str, value: bool) {
        self.known(name, value.then_some(true));
    }

    /// Text, unless it is empty. Beside it stand `<name>_hex` where it is not UTF-8 and `<name>_length` where it
    /// was longer than what was kept.
    pub(super) fn text(&mut self, name: &str, text: &Text) {
        let cut = text.length as usize > text.bytes.len();
        match utf8(&text.bytes, cut) {
            Some("") if !cut => return,
            Some(whole) => self.put(name, whole),
            None => self.lossy(name, &text.bytes),
        }
        if cut {
            self.beside(name, "_length", text.length);
        }
    }

    /// Text, if it is known.
    pub(super) fn known_text(&mut self, name: &str, text: Option<&Text>) {
        text.into_iter().for_each(|text| self.text(name, text));
    }

    /// Text of which nothing was cut, if it is known.
    pub(super) fn bytes(&mut self, name: &str, text: Option<&[u8]>) {
        match text.map(|bytes| (bytes, std::str::from_utf8(bytes))) {
            Some((_, Ok(text))) => self.put(name, text),
            Some((bytes, Err(_))) => self.lossy(name, bytes),
            None => {}
        }
    }

    /// Text that is not UTF-8, as near as that comes, and what it is in truth.
    pub(super) fn lossy(&mut self, name: &str, bytes: &[u8]) {
        self.put(name, &*String::from_utf8_lossy(bytes));
        self.beside(name, "_hex", Hex(bytes));
    }

    /// Bytes as hexadecimal digits, unless there are none; `<name>_length` as for text.
    pub(super) fn hex(&mut self, name: &str, text: &Text) {
        let cut = text.length as usize > text.bytes.len();
        if text.bytes.is_empty() && !cut {
            return;
        }
        self.put(name, Hex(&text.bytes));
        if cut {
            self.beside(name, "_length", text.length);
        }
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

impl Json for Word {
    fn json(&self, out: &mut Vec<u8>) {
        object(out, |o| {
            o.put("number", self.0.number);
            o.known("name", self.0.name);
        });
    }
}

/// A `CK_VERSION`: major and minor, with a dot.
pub(super) struct Version(pub(super) u8, pub(super) u8);

impl Json for Version {
    fn json(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        u64::from(self.0).json(out);
        out.push(b'.');
        u64::from(self.1).json(out);
        out.push(b'"');
    }
}

/// Bytes as lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy)]
pub struct Hex<'a>(pub &'a [u8]);

impl Hex<'_> {
    /// Appends the digits alone.
    pub(super) fn digits(self, out: &mut Vec<u8>) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let pair = |byte: &u8| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
        out.extend(self.0.iter().flat_map(pair));
    }
}

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Json for Hex<'_> {
    fn json(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        self.digits(out);
        out.push(b'"');
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

impl Json for Date<'_> {
    fn json(&self, out: &mut Vec<u8>) {
        let (year, month, day) = (&self.0[..4], &self.0[4..6], &self.0[6..]);
        [year, "-", month, "-", day].concat().json(out);
    }
}
