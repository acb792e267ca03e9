// SPDX-License-Identifier: Apache-2.0
//! Conditions on one number, and on one truth value.

use toml::de::DeValue;

use super::Kind;
use crate::diagnostic::Report;
use crate::problem::{Problem, Wanted};
use crate::reader::{Value, boolean, number};

/// What a number counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unit {
    /// In messages.
    pub(crate) wanted: Wanted,
    /// The word for it.
    pub(crate) name: &'static str,
    /// How many of it there are in other units that it is taken for.
    pub(crate) others: &'static [(&'static str, u64)],
}

macro_rules! units {
    ($($constant:ident $name:literal $what:literal $example:literal [$($other:literal $times:literal)*];)*) => {
        impl Unit {
            $(pub(crate) const $constant: Unit = Unit {
                wanted: Wanted { what: $what, example: $example },
                name: $name,
                others: &[$(($other, $times)),*],
            };)*
        }
    };
}

units! {
    BITS "bits" "number of bits" "256" ["bit" 1 "byte" 8 "bytes" 8];
    BYTES "bytes" "number of bytes" "32" ["byte" 1 "kB" 1000 "KiB" 1024];
    ROUNDS "iterations" "number of iterations" "600000" [];
    DAYS "days" "number of days" "365" ["day" 1 "week" 7 "weeks" 7 "year" 365 "years" 365];
    PLAIN "" "number" "65537" [];
}

/// Reads a number that counts `unit`; one with another unit behind it is told how much that would be.
pub(super) fn count(value: &Value<'_>, unit: Unit, report: &mut Report<'_>) -> Option<u64> {
    if let DeValue::String(text) = value.get_ref() {
        let digits = text.trim().bytes().take_while(u8::is_ascii_digit).count();
        let (digits, written) = text.trim().split_at(digits);
        if let Ok(amount) = digits.parse::<u64>() {
            let written = written.trim();
            let times = unit.others.iter().find(|other| other.0 == written).map(|other| other.1);
            let times = times.or((written.is_empty() || written == unit.name).then_some(1));
            let amount = times.and_then(|times| amount.checked_mul(times));
            report.add(value.span(), Problem::Unit { text: text.to_string(), unit: unit.name, amount });
            return None;
        }
    }
    number(value, unit.wanted, 1..=u64::from(u32::MAX), report)
}

/// At least so many.
#[derive(Debug)]
pub(crate) struct AtLeast(u64);

impl Kind for AtLeast {
    type How = Unit;
    type Fact<'f> = Option<u64>;

    #[inline(never)]
    fn read(value: &Value<'_>, unit: Unit, _: bool, report: &mut Report<'_>) -> Option<AtLeast> {
        count(value, unit, report).map(AtLeast)
    }

    fn met_by(&self, number: Option<u64>) -> bool {
        number.is_some_and(|number| number >= self.0)
    }

    fn covers(&self, narrow: &AtLeast) -> bool {
        self.0 <= narrow.0
    }

    fn limit(&self) -> Option<u64> {
        Some(self.0)
    }
}

/// At most so many.
#[derive(Debug)]
pub(crate) struct AtMost(u64);

impl Kind for AtMost {
    type How = Unit;
    type Fact<'f> = Option<u64>;

    #[inline(never)]
    fn read(value: &Value<'_>, unit: Unit, _: bool, report: &mut Report<'_>) -> Option<AtMost> {
        count(value, unit, report).map(AtMost)
    }

    fn met_by(&self, number: Option<u64>) -> bool {
        number.is_some_and(|number| number <= self.0)
    }

    fn covers(&self, narrow: &AtMost) -> bool {
        self.0 >= narrow.0
    }

    fn limit(&self) -> Option<u64> {
        Some(self.0)
    }
}

/// True, or false.
#[derive(Debug)]
pub(crate) struct Is(bool);

impl Is {
    /// Whether `true` is asked.
    pub(crate) fn is_true(&self) -> bool {
        self.0
    }
}

impl Kind for Is {
    type How = ();
    type Fact<'f> = Option<bool>;

    #[inline(never)]
    fn read(value: &Value<'_>, (): (), _: bool, report: &mut Report<'_>) -> Option<Is> {
        boolean(value, report).map(Is)
    }

    fn met_by(&self, fact: Option<bool>) -> bool {
        fact == Some(self.0)
    }

    fn covers(&self, narrow: &Is) -> bool {
        self.0 == narrow.0
    }
}
