// SPDX-License-Identifier: Apache-2.0
//! Conditions on fields of mechanism parameters, of which a call may have several: those of nested mechanisms count.

use event::mechanism;
use event::parameter::{Field, Kind as Reading, Parameter};
use toml::de::DeValue;

use super::number::count;
use super::words::entry;
use super::{Kind, Unit, Words, mechanisms};
use crate::diagnostic::Report;
use crate::reader::{Value, list};

/// What a call says to one condition: the values of some fields, and what is built into its mechanism or data.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Values<'c> {
    pub(crate) parameters: &'c [Parameter],
    pub(crate) fields: &'static [Field],
    /// `CKM_` numbers besides.
    pub(crate) more: [Option<u64>; 2],
}

impl Values<'_> {
    /// Every value, and how it reads: the same number names different things in different fields.
    fn iter(self) -> impl Iterator<Item = (Reading, u64)> {
        let fields = self.parameters.iter().filter(move |parameter| self.fields.contains(&parameter.field));
        let more = self.more.into_iter().flatten().map(|mechanism| (Reading::Mechanism, mechanism));
        fields.map(|parameter| (parameter.field.kind(), parameter.value)).chain(more)
    }

    fn meet(self, every: bool, mut right: impl FnMut((Reading, u64)) -> bool) -> bool {
        let mut values = self.iter();
        if every { values.next().is_some_and(&mut right) && values.all(right) } else { values.any(right) }
    }
}

macro_rules! limits {
    ($($(#[$doc:meta])* $kind:ident $within:tt;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub(crate) struct $kind {
                limit: u64,
                every: bool,
            }

            impl Kind for $kind {
                type How = Unit;
                type Fact<'f> = Values<'f>;

                #[inline(never)]
                fn read(value: &Value<'_>, unit: Unit, every: bool, report: &mut Report<'_>) -> Option<$kind> {
                    count(value, unit, report).map(|limit| $kind { limit, every })
                }

                fn met_by(&self, values: Values<'_>) -> bool {
                    values.meet(self.every, |(_, value)| value $within self.limit)
                }

                fn covers(&self, narrow: &$kind) -> bool {
                    self.every <= narrow.every && narrow.limit $within self.limit
                }

                // Of two fields one may be small enough and the other large enough.
                fn limit(&self) -> Option<u64> {
                    self.every.then_some(self.limit)
                }
            }
        )*
    };
}

limits! {
    /// Fields of at least so many.
    EachAtLeast >=;
    /// Fields of at most so many.
    EachAtMost <=;
}

/// Fields that name one of these.
#[derive(Debug)]
pub(crate) struct EachOf {
    named: Box<[(Reading, u64)]>,
    every: bool,
}

impl EachOf {
    /// What one of the values decides whatever the others are.
    pub(crate) fn settled(&self, value: (Reading, u64)) -> Option<bool> {
        (self.named.contains(&value) != self.every).then_some(!self.every)
    }
}

impl Kind for EachOf {
    /// The names, how their numbers read, and whether mechanisms are named as well.
    type How = (Words, Reading, bool);
    type Fact<'f> = Values<'f>;

    #[inline(never)]
    fn read(
        value: &Value<'_>,
        (words, reading, mechanisms): Self::How,
        every: bool,
        report: &mut Report<'_>,
    ) -> Option<EachOf> {
        let named = list(value, words.wanted, report, |value, report| {
            let is_mechanism = match value.get_ref() {
                DeValue::String(word) => word.starts_with("CKM_"),
                _ => true,
            };
            if mechanisms && is_mechanism {
                mechanisms::one(value, words.entry, report).map(|number| (Reading::Mechanism, number))
            } else {
                entry(value, words, report).map(|number| (reading, number))
            }
        })?;
        Some(EachOf { named: named.into(), every })
    }

    fn met_by(&self, values: Values<'_>) -> bool {
        values.meet(self.every, |value| self.named.contains(&value))
    }

    fn covers(&self, narrow: &EachOf) -> bool {
        self.every <= narrow.every && narrow.named.iter().all(|value| self.named.contains(value))
    }
}

/// The hash function that is built into a mechanism.
pub(crate) fn built_in_hash(mechanism: Option<u64>) -> Option<u64> {
    mechanism.and_then(mechanism::by_number)?.digest
}
