// SPDX-License-Identifier: Apache-2.0
//! Findings as SARIF 2.1.0, for code hosts and editors: each points at the rule in the policy that decided.

use std::fs;
use std::path::Path;

use policy::Action;
use serde::Deserialize;
use serde_json::{Value, json};
use toml::Spanned;

use super::super::Failure;
use super::findings::{Finding, time_words};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The log, one line.
///
/// # Errors
/// The policy cannot be read again.
pub(super) fn text(policy: &Path, findings: &[Finding<'_>]) -> Result<String, Failure> {
    let text =
        fs::read_to_string(policy).map_err(Failure::path("read", policy, "name a policy that is there"))?;
    Ok(format!("{}\n", log(policy, &text, findings)))
}

fn log(policy: &Path, text: &str, findings: &[Finding<'_>]) -> Value {
    let mut names: Vec<&str> = findings.iter().map(|finding| finding.rule.name()).collect();
    names.sort_unstable();
    names.dedup();
    let rules = names.iter().filter_map(|name| findings.iter().find(|finding| finding.rule.name() == *name));
    let rules: Vec<Value> = rules.map(rule).collect();
    let places = Places::read(text);
    let results: Vec<Value> = findings
        .iter()
        .map(|finding| {
            let name = finding.rule.name();
            let mut physical = json!({"artifactLocation": {"uri": uri(policy)}});
            if let Some(line) = places.line(name) {
                physical["region"] = json!({"startLine": line});
            }
            json!({
                "ruleId": name,
                "ruleIndex": names.iter().position(|known| *known == name),
                "level": level(finding.action),
                "message": {"text": message(finding)},
                "locations": [{
                    "physicalLocation": physical,
                    "logicalLocations": [{
                        "name": finding.function.name(),
                        "fullyQualifiedName": format!(
                            "{}/{}",
                            finding.program.as_deref().unwrap_or_default(),
                            finding.function.name()
                        ),
                        "kind": "function",
                    }],
                }],
                "occurrenceCount": finding.count,
                "properties": finding.json(),
            })
        })
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "p11guard",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// What is told of a rule once.
fn rule(finding: &Finding<'_>) -> Value {
    let rule = finding.rule;
    let reason = rule.reason().unwrap_or(rule.name());
    let mut told = json!({
        "id": rule.name(),
        "shortDescription": {"text": reason},
        "defaultConfiguration": {"level": level(finding.action)},
    });
    if let Some(clause) = rule.clause() {
        told["fullDescription"] = json!({"text": format!("{reason} ({clause})")});
    }
    if let Some(remedy) = rule.remedy() {
        told["help"] = json!({"text": remedy});
    }
    told
}

fn level(action: Action) -> &'static str {
    match action {
        Action::Deny | Action::Quarantine => "error",
        Action::Warn => "warning",
        Action::Allow => "none",
    }
}

fn message(finding: &Finding<'_>) -> String {
    let with = [
        (" with ", finding.mechanism_words()),
        (" and the key ", finding.key_words()),
        (" by ", finding.program.clone().unwrap_or_default()),
    ];
    let with: String =
        with.iter().filter(|(_, what)| !what.is_empty()).map(|(how, what)| format!("{how}{what}")).collect();
    let what = match finding.action {
        Action::Deny => "would be refused",
        Action::Quarantine => "would lead to quarantine",
        _ => "would be warned of",
    };
    let mut text = format!(
        "{}{with} {what} by rule {}; seen {} between {} and {}.",
        finding.function.name(),
        finding.rule.name(),
        times(finding.count),
        time_words(finding.first),
        time_words(finding.last)
    );
    if let Some(remedy) = finding.rule.remedy() {
        text += &format!(" Instead: {remedy}.");
    }
    text
}

fn times(count: u64) -> String {
    if count == 1 { "once".into() } else { format!("{count} times") }
}

/// A path as a URI reference: what needs it is percent-encoded (RFC 3986).
fn uri(path: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let encoded: String = path
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .map(|byte| if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    if path.is_absolute() { format!("file://{encoded}") } else { encoded }
}

/// Where the rules of a policy stand in its text. Those of profiles stand elsewhere.
struct Places<'t> {
    text: &'t str,
    file: File,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct File {
    rule: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: Spanned<String>,
}

impl Places<'_> {
    fn read(text: &str) -> Places<'_> {
        Places { text, file: toml::from_str(text).unwrap_or_default() }
    }

    fn line(&self, name: &str) -> Option<usize> {
        let rule = self.file.rule.iter().find(|rule| rule.name.get_ref() == name)?;
        Some(self.text[..rule.name.span().start].matches('\n').count() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_uri() {
        assert_eq!(uri(Path::new("a b/ü.toml")), "a%20b/%C3%BC.toml");
        assert_eq!(uri(Path::new("/etc/p11guard/policy.toml")), "file:///etc/p11guard/policy.toml");
    }

    #[test]
    fn a_rule_is_found_by_its_line() {
        let places =
            Places::read("version = 1\n[[rule]]\naction = \"allow\"\nname = \"a\"\n[[rule]]\nname = \"b\"\n");
        assert_eq!((places.line("a"), places.line("b"), places.line("c")), (Some(4), Some(6), None));
    }
}
