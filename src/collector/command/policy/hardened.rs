// SPDX-License-Identifier: Apache-2.0
//! What a policy adds to the templates of a call, as policies, events and people call it.

use std::collections::BTreeSet;

use collector::render::Shown;
use event::attribute::{self, CKA_END_DATE};
use event::record::Flags;
use policy::Verdict;
use serde_json::{Value, json};

use super::known::Known;
use super::recorded::HardenedLine;

/// What is added to the templates of one call.
#[derive(Debug, Clone, Default)]
pub(super) struct Hardened {
    /// Whether it is added, or would be where its rule is carried out.
    pub(super) applied: bool,
    added: Vec<Added>,
}

#[derive(Debug, Clone)]
struct Added {
    template: u64,
    attribute: u64,
    value: Value,
}

impl Hardened {
    /// What a verdict adds, if it adds anything.
    pub(super) fn of(verdict: Verdict<'_>, call: &Known) -> Option<Hardened> {
        let (harden, applied) = verdict.harden()?;
        let mut added = Vec::new();
        for (template, additions) in (0..).zip(harden.additions(&call.facts())) {
            for (bit, attribute, _) in Flags::ALL {
                let value = additions.flags.value(*bit);
                added.extend(value.map(|value| Added {
                    template,
                    attribute: *attribute,
                    value: value.into(),
                }));
            }
            let end = additions.end.map(|end| String::from_utf8_lossy(&end).into_owned());
            let dashes = |end: &str| format!("{}-{}-{}", &end[..4], &end[4..6], &end[6..]);
            added.extend(end.map(|end| Added {
                template,
                attribute: CKA_END_DATE,
                value: dashes(&end).into(),
            }));
        }
        (!added.is_empty()).then_some(Hardened { applied, added })
    }

    /// What an event tells, if it tells anything.
    pub(super) fn told(lines: &[HardenedLine]) -> Option<Hardened> {
        let applied = lines.first()?.applied;
        let each = |line: &HardenedLine| {
            let template = line.template;
            let attributes = line.attributes.clone().into_iter();
            attributes.map(move |added| Added {
                template,
                attribute: added.number,
                value: added.value.unwrap_or_default(),
            })
        };
        Some(Hardened { applied, added: lines.iter().flat_map(each).collect() })
    }

    /// The attributes by their words in policies.
    pub(super) fn names(&self) -> BTreeSet<&'static str> {
        self.added.iter().filter_map(|added| word(added.attribute)).collect()
    }

    /// For a terminal.
    pub(super) fn text(&self) -> String {
        let one = |added: &Added| {
            let second = if added.template == 0 { "" } else { " (private key)" };
            let value = added.value.as_str().map_or_else(|| added.value.to_string(), str::to_owned);
            format!("{}={}{second}", attribute::display(added.attribute), Shown(&value))
        };
        let would = if self.applied { "" } else { "would add " };
        format!("{would}{}", self.added.iter().map(one).collect::<Vec<_>>().join(", "))
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let one = |added: &Added| {
            let name = attribute::name(added.attribute);
            json!({"template": added.template, "number": added.attribute, "name": name, "value": added.value})
        };
        json!({"applied": self.applied, "attributes": self.added.iter().map(one).collect::<Vec<_>>()})
    }
}

/// The word of an attribute in policies.
fn word(attribute: u64) -> Option<&'static str> {
    let flag = Flags::ALL.iter().find(|(_, number, _)| *number == attribute).map(|(.., name)| *name);
    flag.or((attribute == CKA_END_DATE).then_some("end_date"))
}

/// Every word that attributes can have there.
pub(super) fn words() -> impl Iterator<Item = &'static str> {
    Flags::ALL.iter().map(|(.., name)| *name).chain(["end_date"])
}
