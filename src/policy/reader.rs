// SPDX-License-Identifier: Apache-2.0
//! Reads TOML values of the expected kinds, each with its place. What is not as expected goes to the
//! report, and reading goes on: a file's mistakes are told all at once.

use crate::diagnostic::Report;
use crate::problem::{Problem, Wanted, is_printable};
use event::nearest::nearest;
use std::borrow::Cow;
use std::ops::{Range, RangeInclusive};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The most entries of a list: more than twice the mechanisms that there are.
const LONGEST_LIST: usize = 1024;

/// A TOML value and its place in the text.
pub(crate) type Value<'t> = Spanned<DeValue<'t>>;

/// A table of the file: the top level, or one `[[rule]]`.
pub(crate) struct Section<'a> {
    table: &'a DeTable<'a>,
    span: Range<usize>,
}

impl<'a> Section<'a> {
    /// The table whose header is at `span`.
    pub(crate) fn new(table: &'a DeTable<'a>, span: Range<usize>) -> Section<'a> {
        Section { table, span }
    }

    /// The place of the section's header.
    pub(crate) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The value of `key`, if it is written.
    pub(crate) fn value(&self, key: &str) -> Option<&'a Value<'a>> {
        self.table.get(key)
    }

    /// The place of the value of `key`; of the header where it is not written.
    pub(crate) fn span_of(&self, key: &str) -> Range<usize> {
        self.value(key).map_or_else(|| self.span(), Spanned::span)
    }

    /// Its keys with their values.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (&'a Spanned<Cow<'a, str>>, &'a Value<'a>)> {
        self.table.iter()
    }

    /// How many keys it has.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// The entries of the list `key`; what is no list is one entry.
    pub(crate) fn entries(&self, key: &str) -> &'a [Value<'a>] {
        self.value(key).map_or(&[], entries)
    }

    /// Reports every key that is not among `known`.
    pub(crate) fn refuse_others(&self, known: &[&'static str], report: &mut Report<'_>) {
        for key in self.table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let near = nearest(key.get_ref(), known.iter().copied());
            let known = known.to_vec();
            report.add(key.span(), Problem::UnknownKey { key: key.get_ref().to_string(), near, known });
        }
    }

    /// Reports that `key` is missing.
    pub(crate) fn missing(&self, key: &'static str, example: &'static str, report: &mut Report<'_>) {
        report.add(self.span(), Problem::Missing { key, example });
    }
}

/// Printable text of one to `most` bytes.
pub(crate) fn text(value: &Value<'_>, most: usize, report: &mut Report<'_>) -> Option<Box<str>> {
    let text = string(value, Wanted { what: "text", example: "\"text in quotes\"" }, report)?;
    let problem = if text.trim().is_empty() {
        Problem::EmptyText
    } else if text.len() > most {
        Problem::LongText { bytes: text.len(), most }
    } else if let Some(character) = text.chars().find(|c| !is_printable(*c)) {
        Problem::UnprintableText { character }
    } else {
        return Some(text.into());
    };
    report.add(value.span(), problem);
    None
}

/// `true` or `false`.
pub(crate) fn boolean(value: &Value<'_>, report: &mut Report<'_>) -> Option<bool> {
    match value.get_ref() {
        DeValue::Boolean(boolean) => Some(*boolean),
        _ => wrong_type(value, Wanted { what: "truth value", example: "false" }, report),
    }
}

/// A number within `range`.
pub(crate) fn number(
    value: &Value<'_>,
    wanted: Wanted,
    range: RangeInclusive<u64>,
    report: &mut Report<'_>,
) -> Option<u64> {
    let DeValue::Integer(integer) = value.get_ref() else {
        return wrong_type(value, wanted, report);
    };
    let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|n| range.contains(n));
    if number.is_none() {
        let (least, most) = range.into_inner();
        report.add(value.span(), Problem::OutOfRange { found: integer.to_string(), least, most });
    }
    number
}

/// One of the words that `known` lists with their meanings; `wanted` says what kind of word it is.
pub(crate) fn word<T: Copy>(
    value: &Value<'_>,
    wanted: Wanted,
    known: impl Iterator<Item = (&'static str, T)> + Clone,
    report: &mut Report<'_>,
) -> Option<T> {
    let word = string(value, wanted, report)?;
    let meaning = known.clone().find(|(name, _)| *name == word).map(|(_, meaning)| meaning);
    if meaning.is_none() {
        unknown_word(value, wanted.what, word, known.map(|(name, _)| name).collect(), report);
    }
    meaning
}

/// Reports a word that is none of those that are known.
#[inline(never)]
fn unknown_word(
    value: &Value<'_>,
    what: &'static str,
    word: &str,
    known: Vec<&'static str>,
    report: &mut Report<'_>,
) {
    let near = nearest(word, known.iter().copied());
    report.add(value.span(), Problem::UnknownWord { what, word: word.to_owned(), near, known });
}

/// The entries of a list; what is no list is the one entry of one.
fn entries<'v, 't>(value: &'v Value<'t>) -> &'v [Value<'t>] {
    match value.get_ref() {
        DeValue::Array(entries) => entries,
        _ => std::slice::from_ref(value),
    }
}

/// A list with at least one entry and none twice; one entry may stand without brackets. The entries that `read` refuses are left out of the
/// result, so it has the length of what is written only where the report did not grow.
pub(crate) fn list<T: PartialEq>(
    value: &Value<'_>,
    wanted: Wanted,
    report: &mut Report<'_>,
    mut read: impl FnMut(&Value<'_>, &mut Report<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let entries = list_entries(value, wanted, report)?;
    let mut list = Vec::with_capacity(entries.len());
    for entry in entries.iter() {
        match read(entry, report) {
            Some(meaning) if list.contains(&meaning) => {
                repeated(entry, report);
            }
            meaning => list.extend(meaning),
        }
    }
    Some(list)
}

/// What a list has, at least one entry.
#[inline(never)]
fn list_entries<'v, 't>(
    value: &'v Value<'t>,
    wanted: Wanted,
    report: &mut Report<'_>,
) -> Option<&'v [Value<'t>]> {
    if matches!(value.get_ref(), DeValue::Table(_)) {
        return wrong_type(value, wanted, report);
    }
    let entries = entries(value);
    if entries.is_empty() || entries.len() > LONGEST_LIST {
        let most = LONGEST_LIST;
        report.add(
            value.span(),
            if entries.is_empty() { Problem::EmptyList } else { Problem::LongList { most } },
        );
        return None;
    }
    Some(entries)
}

#[inline(never)]
fn repeated(entry: &Value<'_>, report: &mut Report<'_>) {
    report.add(entry.span(), Problem::Repeated { word: shown(entry.get_ref()) });
}

/// Reports that `value` is of another type than `wanted`.
pub(crate) fn wrong_type<T>(value: &Value<'_>, wanted: Wanted, report: &mut Report<'_>) -> Option<T> {
    add_wrong_type(value, wanted, report);
    None
}

#[inline(never)]
fn add_wrong_type(value: &Value<'_>, wanted: Wanted, report: &mut Report<'_>) {
    let found = match value.get_ref() {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    report.add(value.span(), Problem::WrongType { wanted, found });
}

/// Text, as it is.
pub(crate) fn string<'v>(value: &'v Value<'_>, wanted: Wanted, report: &mut Report<'_>) -> Option<&'v str> {
    match value.get_ref() {
        DeValue::String(string) => Some(string),
        _ => wrong_type(value, wanted, report),
    }
}

/// An entry as it is written.
pub(crate) fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(string) => string.to_string(),
        DeValue::Integer(integer) => integer.to_string(),
        _ => String::new(),
    }
}
