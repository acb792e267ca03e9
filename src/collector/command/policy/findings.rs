// SPDX-License-Identifier: Apache-2.0
//! What a policy would have refused or warned of: the same rule on the same use of a key by the same program is one
//! finding, counted.

use std::collections::HashMap;

use collector::render::{Hex, Shown, Utc};
use event::{Function, mechanism};
use policy::{Act, Action, Rule, Verdict};
use serde_json::{Value, json};

use super::hardened::Hardened;
use super::known::{Known, Thing};

/// Findings of one policy.
#[derive(Default)]
pub(super) struct Findings<'p> {
    found: HashMap<Use<'p>, Finding<'p>>,
    /// Calls that were judged.
    pub(super) judged: u64,
    /// Calls that would be refused.
    pub(super) denied: u64,
    /// Of those the ones that were refused when they were made.
    pub(super) denied_then: u64,
    /// Calls that would be warned of.
    pub(super) warned: u64,
    /// Calls whose templates would be added to.
    pub(super) hardened: u64,
}

#[derive(PartialEq, Eq, Hash)]
struct Use<'p> {
    rule: &'p str,
    function: Function,
    mechanism: Option<u64>,
    nested: Option<u64>,
    key: Key,
    program: Option<Vec<u8>>,
    service: Option<Vec<u8>>,
}

#[derive(PartialEq, Eq, Hash, Clone)]
struct Key {
    label: Option<Vec<u8>>,
    id: Option<Vec<u8>>,
}

/// A rule on one use of a key by one program.
pub(super) struct Finding<'p> {
    pub(super) rule: &'p Rule,
    pub(super) action: Action,
    pub(super) enforced: bool,
    pub(super) function: Function,
    pub(super) act: Act,
    pub(super) mechanism: Option<u64>,
    /// The mechanism inside the other's parameter that decided.
    pub(super) nested: Option<u64>,
    key: Key,
    pub(super) program: Option<String>,
    pub(super) service: Option<String>,
    pub(super) count: u64,
    pub(super) denied_then: u64,
    /// UTC seconds since 1970.
    pub(super) first: u64,
    /// UTC seconds since 1970.
    pub(super) last: u64,
}

impl<'p> Findings<'p> {
    /// Counts a verdict on a call that was made at `time`, in seconds.
    pub(super) fn add(&mut self, call: &Known, verdict: Verdict<'p>, time: u64, denied_then: bool) {
        self.judged += 1;
        self.hardened += u64::from(Hardened::of(verdict, call).is_some());
        match verdict.action() {
            Action::Allow => return,
            Action::Warn => self.warned += 1,
            Action::Deny | Action::Quarantine => {
                self.denied += 1;
                self.denied_then += u64::from(denied_then);
            }
        }
        let thing = call.subject();
        let told = |bytes: &Option<Vec<u8>>| bytes.clone().filter(|bytes| !bytes.is_empty());
        let key = Key { label: told(&thing.label), id: told(&thing.id) };
        let text =
            |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|text| String::from_utf8_lossy(text).into_owned());
        let used = Use {
            rule: verdict.rule().name(),
            function: call.function,
            mechanism: call.mechanism,
            nested: verdict.nested(),
            key: key.clone(),
            program: call.process.exe.clone(),
            service: call.process.service.clone(),
        };
        let finding = self.found.entry(used).or_insert_with(|| Finding {
            rule: verdict.rule(),
            action: verdict.action(),
            enforced: verdict.enforced(),
            function: call.function,
            act: call.act,
            mechanism: call.mechanism,
            nested: verdict.nested(),
            key,
            program: text(&call.process.exe),
            service: text(&call.process.service),
            count: 0,
            denied_then: 0,
            first: time,
            last: time,
        });
        finding.count += 1;
        finding.denied_then += u64::from(denied_then);
        finding.first = finding.first.min(time);
        finding.last = finding.last.max(time);
    }

    /// The findings: refusals first, and the most frequent first.
    pub(super) fn sorted(self) -> Vec<Finding<'p>> {
        let mut findings: Vec<_> = self.found.into_values().collect();
        findings.sort_by_cached_key(|finding| {
            let order = (!finding.action.refuses(), u64::MAX - finding.count, finding.rule.place());
            (order, finding.function, finding.mechanism, finding.key_words(), finding.program.clone())
        });
        findings
    }
}

impl Finding<'_> {
    /// The mechanism by name, with the one inside that decided.
    pub(super) fn mechanism_words(&self) -> String {
        let Some(number) = self.mechanism else { return String::new() };
        match self.nested.filter(|nested| *nested != number) {
            Some(nested) => format!("{} in {}", mechanism::display(nested), mechanism::display(number)),
            None => mechanism::display(number).to_string(),
        }
    }

    /// The key by its label or id.
    pub(super) fn key_words(&self) -> String {
        key_words(self.key.label.as_deref(), self.key.id.as_deref())
    }

    /// The program without its folder.
    pub(super) fn program_words(&self) -> String {
        let program = self.program.as_deref().unwrap_or_default();
        Shown(program.rsplit('/').next().unwrap_or_default()).to_string()
    }

    /// `deny`, `warn`, and whether it would not be carried out.
    pub(super) fn verdict_words(&self) -> String {
        let shadow = if self.enforced || !self.action.refuses() { "" } else { " (shadow)" };
        format!("{}{shadow}", self.action.name())
    }

    /// As a line of JSON.
    pub(super) fn json(&self) -> Value {
        let word = |number: u64| json!({"number": number, "name": mechanism::name(number)});
        json!({
            "verdict": self.action.name(),
            "enforced": self.enforced,
            "rule": self.rule.name(),
            "clause": self.rule.clause(),
            "edition": self.rule.edition(),
            "profile": self.rule.profile(),
            "reason": self.rule.reason(),
            "remedy": self.rule.remedy(),
            "operation": self.act.name(),
            "function": self.function.name(),
            "mechanism": self.mechanism.map(word),
            "nested": self.nested.map(word),
            "key": {
                "label": self.key.label.as_deref().map(String::from_utf8_lossy),
                "id": self.key.id.as_deref().map(|id| Hex(id).to_string()),
            },
            "program": self.program,
            "service": self.service,
            "count": self.count,
            "denied_then": self.denied_then,
            "first": time_words(self.first),
            "last": time_words(self.last),
        })
    }
}

/// A key as it is called on a terminal.
pub(super) fn key_words(label: Option<&[u8]>, id: Option<&[u8]>) -> String {
    match (label.filter(|label| !label.is_empty()), id.filter(|id| !id.is_empty())) {
        (Some(label), _) => format!("\"{}\"", Shown(&String::from_utf8_lossy(label))),
        (None, Some(id)) => format!("id:{}", Hex(id)),
        (None, None) => String::new(),
    }
}

/// A key in words: label or id, type and size as far as they are known.
pub(super) fn thing_words(thing: &Thing) -> String {
    let mut words = vec![key_words(thing.label.as_deref(), thing.id.as_deref())];
    words.extend(thing.class.map(|class| event::value::object_class::display(class).to_string()));
    words.extend(thing.key_type.map(|kind| event::value::key_type::display(kind).to_string()));
    let curve = thing.curve.and_then(|place| event::curve::ALL.get(usize::from(place)));
    let set = thing.key_type.zip(thing.parameter_set);
    let set = set.and_then(|(kind, set)| event::parameter_set::by_number(kind, set));
    words.extend(set.map(|set| set.name.to_owned()));
    match (curve, thing.bits) {
        (Some(curve), _) => words.push(curve.name.to_owned()),
        (None, Some(bits)) => words.push(format!("{bits} bits")),
        (None, None) => {}
    }
    words.retain(|word| !word.is_empty());
    words.join(" ")
}

/// `2026-11-21T05:00:00Z`.
pub(super) fn time_words(seconds: u64) -> String {
    let text = Utc(seconds.saturating_mul(1_000_000_000)).to_string();
    format!("{}Z", &text[.."2026-11-21T05:00:00".len()])
}
