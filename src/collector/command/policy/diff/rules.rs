// SPDX-License-Identifier: Apache-2.0
//! What differs in the texts of two policies: keys at the top, and rules by their names.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Side;

/// A difference.
#[derive(Debug, PartialEq)]
pub(super) enum Change {
    /// A rule that is new.
    Added { rule: String, action: &'static str },
    /// A rule that is gone.
    Removed { rule: String, action: &'static str },
    /// A key that has another value, at the top or in a rule.
    Changed { rule: Option<String>, key: String, before: Option<toml::Value>, after: Option<toml::Value> },
    /// The rules that both have stand in another order.
    Moved,
}

/// Every difference, in the order of the policies.
pub(super) fn changes(before: &Side, after: &Side) -> Vec<Change> {
    let mut changes = keys(None, Some(&before.table), Some(&after.table));
    let names = |side: &Side| -> Vec<(String, &'static str)> {
        side.policy.rules().map(|rule| (rule.name().to_owned(), rule.action().name())).collect()
    };
    let (old, new) = (names(before), names(after));
    let has = |side: &[(String, &str)], name: &str| side.iter().any(|(known, _)| known == name);
    for (rule, action) in old.iter().filter(|(name, _)| !has(&new, name)) {
        changes.push(Change::Removed { rule: rule.clone(), action });
    }
    for (rule, action) in &new {
        if has(&old, rule) {
            let (before, after) = (written(before, rule), written(after, rule));
            changes.extend(keys(Some(rule), before, after));
        } else {
            changes.push(Change::Added { rule: rule.clone(), action });
        }
    }
    let common = |side: &[(String, &str)], other: &[(String, &str)]| -> Vec<String> {
        side.iter().map(|(name, _)| name.clone()).filter(|name| has(other, name)).collect()
    };
    if common(&old, &new) != common(&new, &old) {
        changes.push(Change::Moved);
    }
    changes
}

/// A rule as its file writes it; guards and rules of profiles stand in no file.
fn written<'s>(side: &'s Side, name: &str) -> Option<&'s toml::Table> {
    let rules = side.table.get("rule")?.as_array()?;
    rules
        .iter()
        .filter_map(toml::Value::as_table)
        .find(|rule| rule.get("name").and_then(toml::Value::as_str) == Some(name))
}

/// The keys whose values differ; rules are compared by themselves.
fn keys(rule: Option<&String>, before: Option<&toml::Table>, after: Option<&toml::Table>) -> Vec<Change> {
    let all: BTreeSet<&String> = before.into_iter().chain(after).flat_map(toml::Table::keys).collect();
    let differing = all.into_iter().filter(|key| *key != "rule").filter_map(|key| {
        let value = |table: Option<&toml::Table>| table.and_then(|table| table.get(key)).cloned();
        let (before, after) = (value(before), value(after));
        (before != after).then(|| Change::Changed { rule: rule.cloned(), key: key.clone(), before, after })
    });
    differing.collect()
}

impl Change {
    /// For a terminal, without its sign.
    pub(super) fn words(&self) -> String {
        let shown =
            |value: &Option<toml::Value>| value.as_ref().map_or("nothing".into(), toml::Value::to_string);
        match self {
            Change::Added { rule, action } | Change::Removed { rule, action } => {
                format!("rule {rule} ({action})")
            }
            Change::Changed { rule, key, before, after } => {
                let rule = rule.as_ref().map(|rule| format!("rule {rule}: ")).unwrap_or_default();
                format!("{rule}{key} {} -> {}", shown(before), shown(after))
            }
            Change::Moved => "the rules that both have stand in another order".into(),
        }
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let text = |value: &Option<toml::Value>| value.as_ref().map(toml::Value::to_string);
        match self {
            Change::Added { rule, action } => json!({"change": "added", "rule": rule, "action": action}),
            Change::Removed { rule, action } => json!({"change": "removed", "rule": rule, "action": action}),
            Change::Changed { rule, key, before, after } => {
                json!({"change": "changed", "rule": rule, "key": key, "before": text(before), "after": text(after)})
            }
            Change::Moved => json!({"change": "moved"}),
        }
    }
}
