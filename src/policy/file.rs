// SPDX-License-Identifier: Apache-2.0
//! The file as it is written: which keys there are, at the top and in a rule, and what each may hold.
//! Refuses what it does not know; whether the rules make sense together is for `sense.rs`.

use crate::conditions::Conditions;
use crate::diagnostic::Report;
use crate::problem::{Problem, Wanted};
use crate::reader::{Section, boolean, number, text, word, wrong_type};
use crate::rule::{Action, Mode, Rule};
use crate::sense;
use toml::de::{DeTable, DeValue};

/// The longest name, in bytes.
const NAME: usize = 100;
/// The longest reason or remedy, in bytes: they travel in events.
const SENTENCE: usize = event::wire::MAX_RULE_TEXT;

const VERSION: Wanted = Wanted { what: "number", example: "version = 1" };
const MODE: Wanted = Wanted { what: "mode", example: "mode = \"observe\"" };
const ACTION: Wanted = Wanted { what: "action", example: "\"allow\"" };
const RULE: Wanted = Wanted { what: "list of rules", example: "[[rule]]" };

/// A policy as it is written.
pub(crate) struct File {
    pub(crate) name: Box<str>,
    pub(crate) mode: Mode,
    pub(crate) default: Action,
    pub(crate) rules: Vec<Rule>,
}

/// Reads the policy; what comes back is of use only if nothing was reported.
pub(crate) fn read(source: &str, report: &mut Report<'_>) -> Option<File> {
    let (document, errors) = DeTable::parse_recoverable(source);
    for error in &errors {
        report.add(error.span().unwrap_or_default(), Problem::Syntax { message: error.message().to_owned() });
    }
    // What is left of a text that is not TOML says little of what was meant.
    if !errors.is_empty() {
        return None;
    }

    let top = Section::new(document.get_ref(), 0..0);
    top.refuse_others(&["version", "name", "mode", "default", "rule"], report);
    version(&top, report);
    let name = top.value("name").map(|value| text(value, NAME, report));
    let mode = top.value("mode").map(|value| word(value, MODE, Mode::WORDS.into_iter(), report));
    let default = top.value("default").map(|value| word(value, ACTION, Action::WORDS.into_iter(), report));
    let rules = rules(&top, report);
    Some(File {
        name: name.unwrap_or_else(|| Some("unnamed".into()))?,
        mode: mode.unwrap_or(Some(Mode::Enforce))?,
        default: default.unwrap_or(Some(Action::Deny))?,
        rules: rules?,
    })
}

fn version(top: &Section<'_>, report: &mut Report<'_>) {
    match top.value("version") {
        None => top.missing("version", "version = 1", report),
        Some(value) => {
            let found = number(value, VERSION, 0..=u64::MAX, report);
            if let Some(found) = found.filter(|version| *version != 1) {
                report.add(value.span(), Problem::Version { found: found.to_string() });
            }
        }
    }
}

fn rules(top: &Section<'_>, report: &mut Report<'_>) -> Option<Vec<Rule>> {
    let Some(value) = top.value("rule") else {
        return Some(Vec::new());
    };
    let DeValue::Array(tables) = value.get_ref() else {
        return wrong_type(value, RULE, report);
    };
    let before = report.len();
    let mut rules: Vec<(Rule, Section<'_>)> = Vec::with_capacity(tables.len());
    for (place, table) in tables.iter().enumerate() {
        if let DeValue::Table(keys) = table.get_ref() {
            let section = Section::new(keys, table.span());
            rules.extend(rule(place, &section, report).map(|rule| (rule, section)));
        } else {
            wrong_type::<()>(table, RULE, report);
        }
    }
    sense::unique_names(&rules, report);
    // Which rule shadows which is known only where every rule could be read.
    if report.len() == before {
        sense::all_reachable(&rules, report);
    }
    Some(rules.into_iter().map(|(rule, _)| rule).collect())
}

fn rule(place: usize, section: &Section<'_>, report: &mut Report<'_>) -> Option<Rule> {
    let before = report.len();
    let known = [&["name", "action", "enforce", "reason", "remedy"], Conditions::KEYS].concat();
    section.refuse_others(&known, report);
    let name = match section.value("name") {
        Some(value) => text(value, NAME, report),
        None => {
            section.missing("name", "name = \"sign-with-ecdsa\"", report);
            None
        }
    };
    let action = match section.value("action") {
        Some(value) => word(value, ACTION, Action::WORDS.into_iter(), report),
        None => {
            section.missing("action", "action = \"allow\"", report);
            None
        }
    };
    let enforce = section.value("enforce").and_then(|value| boolean(value, report)).unwrap_or(true);
    let reason = section.value("reason").and_then(|value| text(value, SENTENCE, report));
    let remedy = section.value("remedy").and_then(|value| text(value, SENTENCE, report));
    let conditions = Conditions::read(section, report);
    let rule = Rule { place, name: name?, action: action?, enforce, reason, remedy, conditions };
    if report.len() == before {
        sense::of_one(&rule, section, report);
    }
    Some(rule)
}
