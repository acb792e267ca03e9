// SPDX-License-Identifier: Apache-2.0
//! Which calls a rule is for: the acts and the mechanisms that it names. Rules are found by these.

use std::sync::LazyLock;

use event::mechanism::{self, Family};
use event::nearest::nearest;
use toml::de::DeValue;

use crate::act::{Act, Acts, GROUPS};
use crate::diagnostic::Report;
use crate::glob::{Pattern, Piece};
use crate::problem::{Problem, Wanted};
use crate::reader::{Value, list, number, string, wrong_type};

const OPERATIONS: Wanted = Wanted { what: "list of operations", example: "[\"sign\", \"verify\"]" };
const OPERATION: Wanted = Wanted { what: "operation", example: "\"sign\"" };
const MECHANISMS: Wanted =
    Wanted { what: "list of mechanisms", example: "[\"CKM_ECDSA_SHA256\", 0x80000001]" };
const MECHANISM: Wanted = Wanted { what: "mechanism", example: "\"CKM_ECDSA_SHA256\"" };

/// What a word for a whole family begins with.
const FAMILY: &str = "family:";

/// The acts that a list of acts and groups means.
pub(crate) fn operations(value: &Value<'_>, report: &mut Report<'_>) -> Option<Acts> {
    let acts = list(value, OPERATIONS, report, |entry, report| {
        let word = string(entry, OPERATION, report)?;
        let group =
            GROUPS.iter().find(|group| group.0 == word).map(|group| group.1.iter().copied().collect());
        let acts: Option<Acts> =
            group.or_else(|| Act::from_name(word).map(|act| [act].into_iter().collect()));
        if acts.is_none() {
            let acts = Act::ALL.iter().map(|act| act.name());
            let known: Vec<_> = acts.chain(GROUPS.iter().map(|group| group.0)).collect();
            let near = nearest(word, known.iter().copied());
            let problem = Problem::UnknownWord { what: OPERATION.what, word: word.to_owned(), near, known };
            report.add(entry.span(), problem);
        }
        acts
    })?;
    Some(acts.into_iter().flat_map(|acts| acts.iter().collect::<Vec<_>>()).collect())
}

/// Mechanisms, each once.
#[derive(Debug)]
pub(crate) struct Mechanisms(Box<[u64]>);

/// What one entry of the list stands for.
#[derive(Debug, PartialEq, Eq)]
enum Entry {
    One(u64),
    Several(Vec<u64>),
}

impl Mechanisms {
    /// Those that a list names.
    pub(crate) fn read(value: &Value<'_>, report: &mut Report<'_>) -> Option<Mechanisms> {
        let entries = list(value, MECHANISMS, report, read_entry)?;
        if entries.iter().all(|entry| matches!(entry, Entry::One(_))) {
            let one = |entry: Entry| if let Entry::One(number) = entry { Some(number) } else { None };
            return Some(Mechanisms(entries.into_iter().filter_map(one).collect()));
        }
        let mut numbers: Vec<u64> = entries.into_iter().flat_map(Entry::numbers).collect();
        numbers.sort_unstable();
        numbers.dedup();
        Some(Mechanisms(numbers.into()))
    }

    /// Their `CKM_` numbers.
    pub(crate) fn numbers(&self) -> &[u64] {
        &self.0
    }
}

impl Entry {
    fn numbers(self) -> Vec<u64> {
        match self {
            Entry::One(number) => vec![number],
            Entry::Several(numbers) => numbers,
        }
    }
}

/// The mechanisms that a right entry stands for.
pub(crate) fn entry(entry: &Value<'_>) -> Vec<u64> {
    read_entry(entry, &mut Report::new("")).map_or_else(Vec::new, Entry::numbers)
}

/// A mechanism by its name in PKCS#11 3.2, or by number: vendors' have no other name.
pub(super) fn one(entry: &Value<'_>, wanted: Wanted, report: &mut Report<'_>) -> Option<u64> {
    let word = match entry.get_ref() {
        DeValue::String(word) => word,
        DeValue::Integer(_) => return number(entry, wanted, 0..=u64::MAX, report),
        _ => return wrong_type(entry, wanted, report),
    };
    let known = by_word(word);
    if known.is_none() {
        let word = word.to_string();
        report.add(entry.span(), Problem::UnknownMechanism { near: mechanism::nearest(&word), word });
    }
    known
}

fn read_entry(entry: &Value<'_>, report: &mut Report<'_>) -> Option<Entry> {
    if let DeValue::String(word) = entry.get_ref() {
        if let Some(name) = word.strip_prefix(FAMILY) {
            return family(name, entry, report).map(Entry::Several);
        }
        if word.contains(['*', '?']) {
            return pattern(word, entry, report).map(Entry::Several);
        }
    }
    one(entry, MECHANISM, report).map(Entry::One)
}

fn family(name: &str, entry: &Value<'_>, report: &mut Report<'_>) -> Option<Vec<u64>> {
    let family = Family::from_name(&name.to_ascii_lowercase());
    if family.is_none() {
        let known: Vec<_> = Family::ALL.iter().map(|family| family.name()).collect();
        let near = nearest(name, known.iter().copied());
        report.add(entry.span(), Problem::UnknownWord { what: "family", word: name.to_owned(), near, known });
    }
    let family = family?;
    Some(mechanism::ALL.iter().filter(|known| known.family == family).map(|known| known.number).collect())
}

fn pattern(word: &str, entry: &Value<'_>, report: &mut Report<'_>) -> Option<Vec<u64>> {
    let piece = |byte| match byte {
        b'*' => Piece::Many,
        b'?' => Piece::One,
        byte => Piece::Byte(byte),
    };
    let pattern = Pattern::new(&word.bytes().map(piece).collect::<Vec<_>>());
    let called = |name: &str| pattern.as_ref().is_some_and(|pattern| pattern.matches(name.as_bytes()));
    let known = mechanism::ALL
        .iter()
        .filter(|known| called(known.name) || known.aliases.iter().any(|name| called(name)));
    let numbers: Vec<u64> = known.map(|known| known.number).collect();
    if numbers.is_empty() {
        report.add(entry.span(), Problem::MatchesNothing { word: word.to_owned() });
        return None;
    }
    Some(numbers)
}

/// Every name with its number, sorted by name: a large policy names thousands.
static BY_NAME: LazyLock<Vec<(&str, u64)>> = LazyLock::new(|| {
    let named = |known: &'static mechanism::Mechanism| {
        known.aliases.iter().copied().chain([known.name]).map(|name| (name, known.number))
    };
    let mut names: Vec<_> = mechanism::ALL.iter().flat_map(named).collect();
    names.sort_unstable();
    names
});

fn by_word(word: &str) -> Option<u64> {
    match BY_NAME.binary_search_by_key(&word, |named| named.0) {
        Ok(place) => Some(BY_NAME[place].1),
        Err(_) if word.starts_with("0x") => mechanism::parse(word),
        Err(_) => None,
    }
}
