// SPDX-License-Identifier: Apache-2.0
//! What was seen of one operation with one mechanism. A condition is learnt only where every call told its fact: an
//! unknown fact meets no condition.

use std::collections::{BTreeMap, BTreeSet};

use event::mechanism::{self, Family};
use event::names;
use event::parameter::{Field, Parameter};
use event::parameter_set;

use super::super::findings::key_words;
use super::super::known::Known;

/// Conditions that are learnt as a list of what was seen, and the fields they ask of.
const LISTED: [(&str, &[Field]); 4] = [
    ("hash", &[Field::Hash, Field::DigestMechanism]),
    ("mgf", &[Field::Mgf]),
    ("kdf", &[Field::Kdf]),
    ("prf", &[Field::Prf, Field::PrfMechanism]),
];
/// Conditions that are learnt as the least that was seen, and the fields they ask of.
const LEAST: [(&str, &[Field]); 5] = [
    ("min_salt_len", &[Field::SaltLen]),
    ("min_tag_bits", &[Field::TagBits]),
    ("min_iv_len", &[Field::IvLen, Field::NonceLen]),
    ("min_mac_len", &[Field::MacLen]),
    ("min_iterations", &[Field::Iterations]),
];

/// The families whose keys lie on curves.
const CURVED: [Family; 3] = [Family::Ec, Family::Edwards, Family::Montgomery];

/// The calls of one operation with one mechanism.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) count: u64,
    pub(super) failed: u64,
    /// UTC seconds since 1970.
    pub(super) first: u64,
    /// UTC seconds since 1970.
    pub(super) last: u64,
    bits: Told<u32>,
    curves: Told<u16>,
    sets: Told<&'static str>,
    listed: [Told<(&'static str, u64)>; LISTED.len()],
    least: [Told<u64>; LEAST.len()],
    /// How often each was seen.
    pub(super) keys: BTreeMap<String, u64>,
    pub(super) programs: BTreeMap<String, u64>,
    pub(super) services: BTreeMap<String, u64>,
}

/// What was told of one fact.
#[derive(Debug)]
struct Told<T> {
    values: BTreeSet<T>,
    unknown: bool,
}

impl<T> Default for Told<T> {
    fn default() -> Told<T> {
        Told { values: BTreeSet::new(), unknown: false }
    }
}

impl<T: Ord + Copy> Told<T> {
    fn add(&mut self, value: Option<T>) {
        match value {
            Some(value) => drop(self.values.insert(value)),
            None => self.unknown = true,
        }
    }

    /// Adds all that one call told.
    fn add_all(&mut self, values: impl Iterator<Item = T>) {
        let mut values = values.peekable();
        self.unknown |= values.peek().is_none();
        self.values.extend(values);
    }

    /// The values, where every call told one.
    fn all(&self) -> Option<&BTreeSet<T>> {
        Some(&self.values).filter(|values| !self.unknown && !values.is_empty())
    }
}

impl Seen {
    /// Adds a call that was made at `time`.
    pub(super) fn add(&mut self, call: &Known, time: u64, failed: bool) {
        self.first = if self.count == 0 { time } else { self.first.min(time) };
        self.last = self.last.max(time);
        self.count += 1;
        self.failed += u64::from(failed);
        let key = call.subject();
        self.bits.add(key.bits.filter(|bits| *bits > 0));
        self.sets.add(
            key.key_type
                .zip(key.parameter_set)
                .and_then(|(key_type, set)| parameter_set::by_number(key_type, set).map(|known| known.name)),
        );
        self.curves.add(key.curve.filter(|_| !key.explicit_curve));
        let values = |fields: &'static [Field]| {
            call.parameters.iter().filter(move |parameter| fields.contains(&parameter.field))
        };
        for ((_, fields), told) in LISTED.iter().zip(&mut self.listed) {
            // A pseudo-random function can be listed by its name alone.
            let listable =
                |parameter: &&Parameter| parameter.field != Field::Prf || !name(parameter).is_empty();
            told.add_all(values(fields).filter(listable).map(|parameter| (name(parameter), parameter.value)));
        }
        for ((_, fields), told) in LEAST.iter().zip(&mut self.least) {
            told.add_all(values(fields).map(|parameter| parameter.value));
        }
        let text =
            |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|text| String::from_utf8_lossy(text).into_owned());
        let words = key_words(key.label.as_deref(), key.id.as_deref());
        let seen = [
            (&mut self.keys, Some(words).filter(|words| !words.is_empty())),
            (&mut self.programs, text(&call.process.exe)),
            (&mut self.services, text(&call.process.service)),
        ];
        for (counts, name) in seen {
            if let Some(name) = name {
                *counts.entry(name).or_default() += 1;
            }
        }
    }

    /// The places of the curves of all keys, where all lie on named curves and the mechanism works on such.
    pub(super) fn curves(&self, number: u64) -> Option<&BTreeSet<u16>> {
        let curved = mechanism::by_number(number).is_none_or(|known| CURVED.contains(&known.family));
        self.curves.all().filter(|_| curved)
    }

    /// The names of the parameter sets of all keys, where all have one.
    pub(super) fn sets(&self) -> Option<&BTreeSet<&'static str>> {
        self.sets.all()
    }

    /// The size of the smallest key, where all told theirs.
    pub(super) fn bits(&self) -> Option<u32> {
        self.bits.all()?.first().copied()
    }

    /// What is listed, by the key of the condition: names, or the numbers of what has none.
    pub(super) fn listed(&self) -> impl Iterator<Item = (&'static str, &BTreeSet<(&'static str, u64)>)> {
        LISTED.iter().zip(&self.listed).filter_map(|((key, _), told)| Some((*key, told.all()?)))
    }

    /// Least numbers by the key of the condition; one that asks for nothing is left out.
    pub(super) fn least(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let all = LEAST.iter().zip(&self.least);
        all.filter_map(|((key, _), told)| Some((*key, *told.all()?.first()?))).filter(|(_, least)| *least > 0)
    }
}

/// What a field names; empty where its number has no name.
fn name(parameter: &Parameter) -> &'static str {
    let number = parameter.value;
    let found = match parameter.field {
        Field::Mgf => names::mgf::name(number),
        Field::Kdf => names::kdf::name(number),
        Field::Prf => names::prf::name(number),
        _ => mechanism::name(number),
    };
    found.unwrap_or_default()
}
