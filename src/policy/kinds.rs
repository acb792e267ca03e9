// SPDX-License-Identifier: Apache-2.0
//! The kinds of conditions: how each is written in TOML, which facts meet it, and which other conditions it
//! includes. An unknown fact meets none: an `allow` with a smallest key refuses, by the default, a key that
//! nobody could measure.

use crate::diagnostic::Report;
use crate::problem::{Problem, Wanted};
use crate::reader::{Value, list, number, string, word, wrong_type};
use event::mechanism::{Operation, Operations};
use event::nearest::nearest;
use event::{curve, mechanism};
use toml::de::DeValue;

const OPERATIONS: Wanted = Wanted { what: "list of operations", example: "[\"sign\", \"verify\"]" };
const OPERATION: Wanted = Wanted { what: "operation", example: "\"sign\"" };
const MECHANISMS: Wanted =
    Wanted { what: "list of mechanisms", example: "[\"CKM_ECDSA_SHA256\", 0x80000001]" };
const MECHANISM: Wanted = Wanted { what: "mechanism", example: "\"CKM_ECDSA_SHA256\"" };
const CURVES: Wanted = Wanted { what: "list of curves", example: "[\"P-256\", \"P-384\"]" };
const CURVE: Wanted = Wanted { what: "curve", example: "\"P-256\"" };
const BITS: Wanted = Wanted { what: "number of bits", example: "256" };

/// What can be read from the value of a key.
pub(crate) trait Written: Sized {
    /// The condition; what is wrong with it goes to the report.
    fn read(value: &Value<'_>, report: &mut Report<'_>) -> Option<Self>;
}

/// A condition that is held against a fact of the call.
pub(crate) trait Condition: Written {
    /// The fact.
    type Fact<'f>;

    /// Whether the fact meets the condition.
    fn met_by(&self, fact: Self::Fact<'_>) -> bool;

    /// Whether every fact that meets `narrow` meets this one too.
    fn covers(&self, narrow: &Self) -> bool;
}

impl Written for Operations {
    fn read(value: &Value<'_>, report: &mut Report<'_>) -> Option<Operations> {
        let known = Operation::ALL.iter().map(|operation| (operation.name(), *operation));
        let operations =
            list(value, OPERATIONS, report, |entry, report| word(entry, OPERATION, known.clone(), report))?;
        Some(operations.into_iter().collect())
    }
}

/// Mechanisms, in the order of the file.
#[derive(Debug)]
pub(crate) struct Mechanisms(Box<[u64]>);

impl Mechanisms {
    /// Their `CKM_` numbers.
    pub(crate) fn numbers(&self) -> &[u64] {
        &self.0
    }
}

impl Written for Mechanisms {
    fn read(value: &Value<'_>, report: &mut Report<'_>) -> Option<Mechanisms> {
        list(value, MECHANISMS, report, mechanism).map(|list| Mechanisms(list.into()))
    }
}

/// A mechanism by its name in PKCS#11 3.2, or by number: vendors' have no other name.
fn mechanism(entry: &Value<'_>, report: &mut Report<'_>) -> Option<u64> {
    let word = match entry.get_ref() {
        DeValue::String(word) => word,
        DeValue::Integer(_) => return number(entry, MECHANISM, 0..=u64::MAX, report),
        _ => return wrong_type(entry, MECHANISM, report),
    };
    let known = mechanism::parse(word);
    if known.is_none() {
        let word = word.to_string();
        let problem = if word.contains(['*', '?']) {
            Problem::Pattern { word }
        } else {
            Problem::UnknownMechanism { near: mechanism::nearest(&word), word }
        };
        report.add(entry.span(), problem);
    }
    known
}

/// At least so many bits.
#[derive(Debug)]
pub(crate) struct AtLeast(pub(crate) u32);

impl Written for AtLeast {
    fn read(value: &Value<'_>, report: &mut Report<'_>) -> Option<AtLeast> {
        bits(value, report).map(AtLeast)
    }
}

impl Condition for AtLeast {
    type Fact<'f> = Option<u32>;

    fn met_by(&self, bits: Option<u32>) -> bool {
        bits.is_some_and(|bits| bits >= self.0)
    }

    fn covers(&self, narrow: &AtLeast) -> bool {
        self.0 <= narrow.0
    }
}

/// At most so many bits.
#[derive(Debug)]
pub(crate) struct AtMost(pub(crate) u32);

impl Written for AtMost {
    fn read(value: &Value<'_>, report: &mut Report<'_>) -> Option<AtMost> {
        bits(value, report).map(AtMost)
    }
}

impl Condition for AtMost {
    type Fact<'f> = Option<u32>;

    fn met_by(&self, bits: Option<u32>) -> bool {
        bits.is_some_and(|bits| bits <= self.0)
    }

    fn covers(&self, narrow: &AtMost) -> bool {
        self.0 >= narrow.0
    }
}

fn bits(value: &Value<'_>, report: &mut Report<'_>) -> Option<u32> {
    number(value, BITS, 1..=u64::from(u32::MAX), report).and_then(|bits| bits.try_into().ok())
}

/// Named curves, by their places in `event::curve::ALL`.
#[derive(Debug)]
pub(crate) struct Curves(Box<[u16]>);

impl Written for Curves {
    fn read(value: &Value<'_>, report: &mut Report<'_>) -> Option<Curves> {
        list(value, CURVES, report, curve).map(|list| Curves(list.into()))
    }
}

/// A curve by any of its names.
fn curve(entry: &Value<'_>, report: &mut Report<'_>) -> Option<u16> {
    let word = string(entry, CURVE, report)?;
    let known = curve::by_name(word);
    if known.is_none() {
        let near = nearest(word, curve::names());
        let known = curve::ALL.iter().map(|curve| curve.name).collect();
        report
            .add(entry.span(), Problem::UnknownWord { what: CURVE.what, word: word.to_owned(), near, known });
    }
    let place = curve::ALL.iter().zip(0_u16..).find(|(curve, _)| known.is_some_and(|known| known == *curve));
    place.map(|(_, place)| place)
}

impl Condition for Curves {
    type Fact<'f> = Option<u16>;

    fn met_by(&self, curve: Option<u16>) -> bool {
        curve.is_some_and(|curve| self.0.contains(&curve))
    }

    fn covers(&self, narrow: &Curves) -> bool {
        narrow.0.iter().all(|curve| self.0.contains(curve))
    }
}
