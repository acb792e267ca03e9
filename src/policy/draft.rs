// SPDX-License-Identifier: Apache-2.0
//! Reads one `[[rule]]`: its name, its action and what is said of it here, its conditions by their registry.

use event::value::rv::CKR_FUNCTION_REJECTED;

use crate::act::Acts;
use crate::conditions::Condition;
use crate::diagnostic::Report;
use crate::harden::Harden;
use crate::kinds::{Mechanisms, operations};
use crate::problem::Wanted;
use crate::quarantine;
use crate::reader::{Section, text, word};
use crate::refusal;
use crate::rule::{Action, Rule};
use crate::sense;
use crate::stage::{self, Enforce, Stage};

/// The longest name, in bytes.
pub(crate) const NAME: usize = 100;
/// The longest reason, remedy or clause, in bytes: they travel in events.
const SENTENCE: usize = event::wire::MAX_RULE_TEXT;

pub(crate) const ACTION: Wanted = Wanted { what: "action", example: "\"allow\"" };
const STATUS: Wanted = Wanted { what: "status", example: "\"unverified\"" };
const RV: Wanted = Wanted { what: "return value", example: "\"mechanism\"" };

/// The keys of a rule that are no conditions.
const KEYS: [&str; 12] = [
    "name", "action", "of", "expires", "enforce", "harden", "reason", "remedy", "clause", "edition",
    "status", "rv",
];
/// The conditions by which rules are found.
const FOUND_BY: [&str; 2] = ["operation", "mechanism"];

/// The rule, if nothing of it was reported that it cannot do without.
pub(crate) fn rule(section: &Section<'_>, report: &mut Report<'_>) -> Option<Rule> {
    let before = report.len();
    if section.value("name").is_none() {
        section.missing("name", "name = \"sign-with-ecdsa\"", report);
    }
    let action = match section.value("action") {
        Some(value) => word(value, ACTION, Action::WORDS.into_iter(), report),
        None => {
            section.missing("action", "action = \"allow\"", report);
            None
        }
    };
    let (mut name, mut reason, mut remedy, mut clause, mut edition) = (None, None, None, None, None);
    let (mut rv, mut acts, mut mechanism) = (None, None, None);
    let (mut enforce, mut harden) = ((Enforce::Always, Stage::default()), None);
    let (mut verified, mut unknown) = (true, false);
    let mut conditions = Vec::with_capacity(section.len());
    for (key, value) in section.keys() {
        match key.get_ref().as_ref() {
            "action" | "of" | "expires" => {}
            "name" => name = text(value, NAME, report),
            "operation" => acts = operations(value, report),
            "mechanism" => mechanism = Mechanisms::read(value, report),
            "reason" => reason = text(value, SENTENCE, report),
            "remedy" => remedy = text(value, SENTENCE, report),
            "clause" => clause = text(value, SENTENCE, report),
            "edition" => edition = text(value, SENTENCE, report),
            "enforce" => enforce = stage::read(value, report).unwrap_or(enforce),
            "harden" => harden = Harden::read(value, report),
            "rv" => rv = word(value, RV, refusal::WORDS.into_iter(), report),
            "status" => {
                let words = [("verified", true), ("unverified", false)];
                verified = word(value, STATUS, words.into_iter(), report).unwrap_or(true);
            }
            other => {
                let every = action == Some(Action::Allow);
                unknown |= !Condition::read(other, value, every, report, &mut conditions);
            }
        }
    }
    if unknown {
        section.refuse_others(&[&FOUND_BY[..], Condition::KEYS, &KEYS[..]].concat(), report);
    }
    let quarantine = quarantine::read(section, action, report);
    conditions.sort_unstable_by_key(Condition::place);

    let mut rule = Rule {
        place: 0,
        name: name?,
        action: action?,
        enforce: enforce.0,
        stage: enforce.1,
        harden,
        reason,
        remedy,
        clause,
        edition,
        profile: None,
        rv,
        quarantine,
        words: words(acts.is_some(), mechanism.is_some(), &conditions),
        acts: acts.unwrap_or(Acts::UNNAMED),
        mechanism,
        conditions: conditions.into(),
    };
    if report.len() == before {
        sense::of_one(&rule, section, report);
    }
    if rule.mechanism.is_some() {
        rule.acts = rule.acts.intersection(Acts::WITH_MECHANISM);
    }
    // What nobody could check against the primary text refuses nothing.
    if !verified && rule.action.refuses() {
        (rule.action, rule.quarantine) = (Action::Warn, None);
    }
    // Nothing is wrong with the call that is refused: it may come again, and be right then.
    if rule.quarantine.is_some() || rule.conditions.iter().any(|condition| condition.rate_of().is_some()) {
        rule.rv = rule.rv.or(Some(CKR_FUNCTION_REJECTED));
    }
    Some(rule)
}

/// The keys of a rule's conditions, as events show them.
fn words(acts: bool, mechanism: bool, conditions: &[Condition]) -> Box<str> {
    let mut words = String::new();
    let found_by =
        FOUND_BY.into_iter().zip([acts, mechanism]).filter(|(_, asked)| *asked).map(|(key, _)| key);
    for key in found_by.chain(conditions.iter().map(|condition| Condition::KEYS[condition.place()])) {
        if !words.is_empty() {
            words.push_str(", ");
        }
        words.push_str(key);
    }
    if words.is_empty() { "any call".into() } else { words.into() }
}
