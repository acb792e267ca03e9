// SPDX-License-Identifier: Apache-2.0
//! The condition on what templates ask of the boolean attributes of an object: `asks = { extractable = true }`.

use event::nearest::nearest;
use event::record::Flags;
use toml::de::DeValue;

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
        let mut flags = Flags::default();
        for (name, wish) in table {
            let known = Flags::ALL.iter().find(|flag| flag.2 == name.get_ref().as_ref());
            match (known, boolean(wish, report)) {
                (Some((bit, ..)), Some(wish)) => flags.tell(*bit, wish),
                (Some(_), None) => {}
                (None, _) => {
                    let known: Vec<_> = Flags::ALL.iter().map(|flag| flag.2).collect();
                    let near = nearest(name.get_ref(), known.iter().copied());
                    let word = name.get_ref().to_string();
                    report.add(name.span(), Problem::UnknownWord { what: "attribute", word, near, known });
                }
            }
        }
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
