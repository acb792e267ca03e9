// SPDX-License-Identifier: Apache-2.0
//! The condition on bytes with a meaning for people: labels, ids, paths, names.

use super::Kind;
use crate::diagnostic::Report;
use crate::glob::{self, Pattern, Piece};
use crate::problem::{Problem, Wanted};
use crate::reader::{Value, list, text};

const TEXTS: Wanted = Wanted { what: "list of texts", example: "[\"tls-*\"]" };
/// The longest pattern, in bytes.
const LONGEST: usize = 1024;

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Like {
    /// As it is.
    Text,
    /// As it is, or `0x` and hexadecimal digits, two to a byte.
    Bytes,
}

/// One of these texts. A single one is kept at hand: most rules that name a key name one.
#[derive(Debug)]
pub(crate) enum Texts {
    One(Pattern),
    Several(Box<[Pattern]>),
}

impl Texts {
    fn patterns(&self) -> &[Pattern] {
        match self {
            Texts::One(pattern) => std::slice::from_ref(pattern),
            Texts::Several(patterns) => patterns,
        }
    }

    /// The texts, where none of them is a pattern.
    pub(crate) fn exactly(&self) -> Option<Vec<&[u8]>> {
        self.patterns().iter().map(Pattern::text).collect()
    }
}

impl Kind for Texts {
    type How = Like;
    type Fact<'f> = Option<&'f [u8]>;

    #[inline(never)]
    fn read(value: &Value<'_>, like: Like, _: bool, report: &mut Report<'_>) -> Option<Texts> {
        let mut patterns = list(value, TEXTS, report, |entry, report| {
            let written = text(entry, LONGEST, report)?;
            let pieces = match written.strip_prefix("0x").filter(|_| like == Like::Bytes) {
                Some(digits) => bytes(digits),
                None => pieces(&written),
            };
            let Some(pieces) = pieces else {
                report.add(entry.span(), Problem::BadPattern { word: written.into() });
                return None;
            };
            let pattern = Pattern::new(&pieces);
            if pattern.is_none() {
                report.add(entry.span(), Problem::LongPattern { word: written.into(), most: glob::LONGEST });
            }
            pattern
        })?;
        let one = if patterns.len() == 1 { patterns.pop() } else { None };
        Some(one.map_or_else(|| Texts::Several(patterns.into()), Texts::One))
    }

    fn met_by(&self, text: Option<&[u8]>) -> bool {
        text.is_some_and(|text| self.patterns().iter().any(|pattern| pattern.matches(text)))
    }

    fn covers(&self, narrow: &Texts) -> bool {
        narrow.patterns().iter().all(|narrow| self.patterns().iter().any(|wide| wide.covers(narrow)))
    }
}

/// Text, in which `\` takes its meaning from what follows.
fn pieces(text: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        pieces.push(match byte {
            b'*' => Piece::Many,
            b'?' => Piece::One,
            b'\\' => Piece::Byte(bytes.next().filter(|next| b"*?\\".contains(next))?),
            byte => Piece::Byte(byte),
        });
    }
    Some(pieces)
}

/// Pairs of hexadecimal digits, `*` and `?`.
fn bytes(digits: &str) -> Option<Vec<Piece>> {
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let mut pieces = Vec::with_capacity(digits.len());
    let mut digits = digits.bytes();
    while let Some(digit) = digits.next() {
        pieces.push(match digit {
            b'*' => Piece::Many,
            b'?' => Piece::One,
            digit => Piece::Byte(value(digit)? << 4 | value(digits.next()?)?),
        });
    }
    (!pieces.is_empty()).then_some(pieces)
}
