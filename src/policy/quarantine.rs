// SPDX-License-Identifier: Apache-2.0
//! What `action = "quarantine"` says besides: who is held, and for how long. Holding them is the library's part.

use event::record::Extent;

use crate::diagnostic::Report;
use crate::problem::{Problem, Wanted};
use crate::reader::{Section, word};
use crate::rule::Action;
use crate::span;

const OF: Wanted = Wanted { what: "extent of a quarantine", example: "\"session\"" };
/// The keys of a rule that belong to it.
const KEYS: [&str; 2] = ["of", "expires"];

/// A quarantine as a rule orders it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quarantine {
    /// Whose calls are refused.
    pub of: Extent,
    /// How long, in seconds.
    pub seconds: u64,
}

/// The quarantine that a rule orders; the keys that say so are refused in every other rule.
pub(crate) fn read(
    section: &Section<'_>,
    action: Option<Action>,
    report: &mut Report<'_>,
) -> Option<Quarantine> {
    if action != Some(Action::Quarantine) {
        for key in KEYS.into_iter().filter(|_| action.is_some()) {
            if section.value(key).is_some() {
                report.add(section.span_of(key), Problem::OnlyInQuarantine { key });
            }
        }
        return None;
    }
    let of = section
        .value("of")
        .map(|value| word(value, OF, Extent::ALL.into_iter().map(|of| (of.name(), of)), report));
    let Some(expires) = section.value("expires") else {
        section.missing("expires", "expires = \"10min\"", report);
        return None;
    };
    let seconds = span::seconds(expires, report)?;
    Some(Quarantine { of: of.unwrap_or(Some(Extent::Session))?, seconds })
}
