// SPDX-License-Identifier: Apache-2.0
//! The condition on how often something happened before: `rate = { failed = 5, within = "5min", per = "token" }`. It is
//! met once so many calls that meet all other conditions of its rule have come. Who counts them is `counters.rs`; judging
//! reads the answer.

use toml::de::DeValue;

use super::Kind;
use crate::diagnostic::Report;
use crate::problem::{Problem, Wanted};
use crate::reader::{Section, Value, number, word, wrong_type};
use crate::span;

const RATE: Wanted = Wanted { what: "rate", example: "{ failed = 5, within = \"5min\", per = \"token\" }" };
const COUNT: Wanted = Wanted { what: "number of calls", example: "failed = 5" };
const PER: Wanted = Wanted { what: "scope", example: "\"token\"" };
const KEYS: [&str; 4] = ["failed", "calls", "within", "per"];
/// Above this it is no limit.
const MOST: u64 = 1_000_000;

/// Whose calls are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Per {
    /// All of the process.
    Process,
    /// Those of a session.
    Session,
    /// Those of the process on one token.
    Token,
    /// Those of the process on one key, by its handle.
    Key,
}

impl Per {
    const WORDS: [(&'static str, Per); 4] =
        [("process", Per::Process), ("session", Per::Session), ("token", Per::Token), ("key", Per::Key)];
}

/// See the module.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    /// Only calls that failed count.
    pub(crate) failed: bool,
    /// So many do not meet it yet.
    pub(crate) most: u32,
    /// Seconds.
    pub(crate) within: u64,
    pub(crate) per: Per,
    /// Its place among the rates of the policy, given once all rules are read.
    pub(crate) place: u8,
}

impl Kind for Rate {
    type How = ();
    /// A bit for each rate of the policy: whether it is reached.
    type Fact<'f> = u64;

    fn read(value: &Value<'_>, (): (), every: bool, report: &mut Report<'_>) -> Option<Rate> {
        let DeValue::Table(table) = value.get_ref() else {
            return wrong_type(value, RATE, report);
        };
        if every {
            report.add(value.span(), Problem::RateInAllow);
        }
        let table = Section::new(table, value.span());
        table.refuse_others(&KEYS, report);
        let per = table.value("per").map(|per| word(per, PER, Per::WORDS.into_iter(), report));
        let within = match table.value("within") {
            Some(within) => span::seconds(within, report),
            None => {
                table.missing("within", "within = \"5min\"", report);
                None
            }
        };
        let (failed, most) = match (table.value("failed"), table.value("calls")) {
            (Some(failed), None) => (true, failed),
            (None, Some(calls)) => (false, calls),
            (Some(_), Some(calls)) => {
                report.add(calls.span(), Problem::RateOfBoth);
                return None;
            }
            (None, None) => {
                table.missing("failed", "failed = 5", report);
                return None;
            }
        };
        let most = u32::try_from(number(most, COUNT, 1..=MOST, report)?).ok()?;
        Some(Rate { failed, most, within: within?, per: per.unwrap_or(Some(Per::Process))?, place: 0 })
    }

    fn met_by(&self, reached: u64) -> bool {
        reached >> self.place & 1 != 0
    }

    /// Of calls that both rules are for in all they are for: windows of different lengths are cut differently.
    fn covers(&self, narrow: &Rate) -> bool {
        (self.failed, self.within, self.per) == (narrow.failed, narrow.within, narrow.per)
            && self.most <= narrow.most
    }
}
