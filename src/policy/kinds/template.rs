// SPDX-License-Identifier: Apache-2.0
//! The condition on what templates ask of the boolean attributes of an object: `asks = { extractable = true }`.

use event::nearest::nearest;
use event::record::Flags;
use toml::de::{DeTable, DeValue};

use super::Kind;
use crate::diagnostic::Report;
use crate::problem::{Problem, Wanted};
use crate::reader::{Value, boolean, wrong_type};

const ASKS: Wanted = Wanted { what: "table of attributes", example: "{ extractable = true }" };

/// What a template says of these attributes. With `every`, no template of the call may say otherwise.
#[derive(Debug)]
pub(crate) struct Asks {
    flags: Flags,
    every: bool,
}

impl Kind for Asks {
    type How = ();
    type Fact<'f> = [Flags; 2];

    #[inline(never)]
    fn read(value: &Value<'_>, (): (), every: bool, report: &mut Report<'_>) -> Option<Asks> {
        let DeValue::Table(table) = value.get_ref() else {
            return wrong_type(value, ASKS, report);
        };
        if table.is_empty() {
            report.add(value.span(), Problem::EmptyList);
            return None;
        }
        let flags = flags(table, u32::MAX, None, report);
        Some(Asks { flags, every })
    }

    fn met_by(&self, templates: [Flags; 2]) -> bool {
        let (wanted, wish) = (self.flags.known, self.flags.set);
        let [first, second] = templates;
        let right = |flags: Flags| flags.known & !(flags.set ^ wish);
        let wrong = |flags: Flags| flags.known & (flags.set ^ wish);
        wanted & !(right(first) | right(second)) == 0
            && !(self.every && wanted & (wrong(first) | wrong(second)) != 0)
    }

    fn covers(&self, narrow: &Asks) -> bool {
        self.every <= narrow.every
            && self.flags.known & !narrow.flags.known == 0
            && self.flags.known & (self.flags.set ^ narrow.flags.set) == 0
    }
}

/// The wishes of a table for boolean attributes, those of `which` and no others; `besides` is a key for something else.
#[inline(never)]
pub(crate) fn flags(
    table: &DeTable<'_>,
    which: u32,
    besides: Option<&'static str>,
    report: &mut Report<'_>,
) -> Flags {
    let names = || Flags::ALL.iter().filter(|flag| which & flag.0 != 0);
    let mut flags = Flags::default();
    for (name, wish) in table.iter().filter(|(name, _)| besides != Some(name.get_ref().as_ref())) {
        match names().find(|flag| flag.2 == name.get_ref().as_ref()) {
            Some((bit, ..)) => {
                if let Some(wish) = boolean(wish, report) {
                    flags.tell(*bit, wish);
                }
            }
            None => {
                let known: Vec<_> = names().map(|flag| flag.2).chain(besides).collect();
                let near = nearest(name.get_ref(), known.iter().copied());
                let word = name.get_ref().to_string();
                report.add(name.span(), Problem::UnknownWord { what: "attribute", word, near, known });
            }
        }
    }
    flags
}
