// SPDX-License-Identifier: Apache-2.0
//! `enforce`: whether, and if so where and when, a rule is carried out. A stage is said in the words of conditions, of
//! those that a whole process meets or does not: what a rule does must not depend on the call twice.

use toml::de::DeValue;

use crate::day;
use crate::diagnostic::Report;
use crate::facts::Facts;
use crate::kinds::{From, Kind, Like, Texts, Until};
use crate::problem::{Problem, Wanted};
use crate::reader::{Section, Value, wrong_type};
use crate::subject::Subject;

const ENFORCE: Wanted = Wanted {
    what: "truth value and no stage",
    example: "false` or `{ host = \"web-*\", from = 2027-01-01 }",
};

/// Whether a rule is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Enforce {
    /// It is.
    Always,
    /// It is in shadow: its verdict is recorded, and the call goes on.
    Never,
    /// Where and when the conditions of its stage are met; else it is in shadow.
    Staged,
}

macro_rules! stage {
    ($($key:ident: $kind:ident($how:expr), |$facts:ident| $fact:expr;)*) => {
        /// Where and when a rule is carried out: where all that is said holds.
        #[derive(Debug, Default)]
        pub(crate) struct Stage { $($key: Option<$kind>),* }

        const KEYS: &[&str] = &[$(stringify!($key)),*];

        impl Stage {
            fn take(&mut self, key: &str, value: &Value<'_>, report: &mut Report<'_>) {
                match key {
                    $(stringify!($key) => self.$key = $kind::read(value, $how, false, report),)*
                    _ => {}
                }
            }

            /// Whether it is there for a call.
            #[cold]
            pub(crate) fn is_met(&self, facts: &Facts<'_>) -> bool {
                true $(&& {
                    let $facts = facts;
                    self.$key.as_ref().is_none_or(|wanted| wanted.met_by($fact))
                })*
            }
        }
    };
}

// The keys are those of the conditions that say the same.
stage! {
    host: Texts(Like::Text), |facts| facts.process.host;
    service: Texts(Like::Text), |facts| facts.process.service;
    unit: Texts(Like::Text), |facts| facts.process.unit;
    container: Texts(Like::Text), |facts| facts.process.container;
    from: From(()), |facts| facts.time.map(day::of_time);
    until: Until(()), |facts| facts.time.map(day::of_time);
}

impl Stage {
    /// Whether it depends on facts of this kind.
    pub(crate) fn asks(&self, subject: Subject) -> bool {
        match subject {
            Subject::Process => {
                [&self.host, &self.service, &self.unit, &self.container].into_iter().any(Option::is_some)
            }
            Subject::Time => self.days() != [None; 2],
            _ => false,
        }
    }

    /// Its first and its last day.
    pub(crate) fn days(&self) -> [Option<u64>; 2] {
        [self.from.as_ref().and_then(Kind::limit), self.until.as_ref().and_then(Kind::limit)]
    }
}

/// Reads the value of the key: how the rule is enforced, and its stage.
#[inline(never)]
pub(crate) fn read(value: &Value<'_>, report: &mut Report<'_>) -> Option<(Enforce, Stage)> {
    let mut stage = Stage::default();
    let table = match value.get_ref() {
        DeValue::Boolean(true) => return Some((Enforce::Always, stage)),
        DeValue::Boolean(false) => return Some((Enforce::Never, stage)),
        DeValue::Table(table) => table,
        _ => return wrong_type(value, ENFORCE, report),
    };
    let section = Section::new(table, value.span());
    if section.len() == 0 {
        report.add(value.span(), Problem::EmptyTable { what: "says neither where nor when" });
    }
    section.refuse_others(KEYS, report);
    for (key, value) in section.keys() {
        stage.take(key.get_ref(), value, report);
    }
    Some((Enforce::Staged, stage))
}

#[cfg(test)]
mod tests {
    use super::KEYS;
    use crate::conditions::Condition;

    #[test]
    fn a_stage_speaks_as_conditions_do() {
        assert!(KEYS.iter().all(|key| Condition::KEYS.contains(key)));
    }
}
