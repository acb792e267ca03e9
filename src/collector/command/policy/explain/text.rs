// SPDX-License-Identifier: Apache-2.0
//! An explanation in words and as JSON.

use anstyle::{AnsiColor, Style};
use collector::render::Shown;
use event::mechanism;
use serde_json::{Value, json};

use super::super::check::hash;
use super::super::findings::thing_words;
use super::super::hardened::Hardened;
use super::super::known::Known;
use super::event::Told;
use super::{Instead, Now};

/// Mechanisms that are listed in words.
const MOST: usize = 12;
const STRONG: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const DENIED: Style = AnsiColor::Red.on_default().bold();
const WARNED: Style = AnsiColor::Yellow.on_default();

/// For a terminal.
pub(super) fn words(told: &Told, now: Option<&Now<'_>>) -> String {
    let mut text = head(told);
    let then = &told.then;
    let verdict = said(&then.action, then.enforced);
    text += &format!("then    {verdict}{}\n", by(then.rule.as_deref(), then.nested));
    text += &lines(&[
        ("policy", then.policy.clone()),
        ("conditions", then.conditions.clone()),
        ("clause", then.clause.clone()),
        ("reason", then.reason.clone()),
        ("remedy", then.remedy.clone()),
        ("held", then.held.clone()),
        ("hardened", then.hardened.as_ref().map(Hardened::text)),
        ("token has", Some(names(&then.instead))),
    ]);
    let Some(now) = now else {
        return text
            + "now     the policy that the event names is not in its place; name one with --policy\n";
    };
    let verdict = now.verdict;
    let rule = verdict.rule();
    text += &format!(
        "now     {}{}\n",
        said(verdict.action().name(), verdict.enforced()),
        by(Some(rule.name()), verdict.nested())
    );
    text += &lines(&[
        ("policy", Some(format!("{} \"{}\"", now.path.display(), now.policy.name()))),
        ("conditions", Some(verdict.decided_by().to_string())),
        ("clause", rule.clause().map(str::to_owned)),
        ("edition", rule.edition().map(str::to_owned)),
        ("reason", rule.reason().map(str::to_owned)),
        ("remedy", rule.remedy().map(str::to_owned)),
        ("holds", rule.quarantine().map(|q| format!("the {} for {} s", q.of.name(), q.seconds))),
        ("hardened", Hardened::of(verdict, &told.call).map(|hardened| hardened.text())),
    ]);
    let lead = if verdict.action().refuses() { "instead" } else { "also" };
    text + &instead(&told.call, &now.instead, lead)
}

fn names(mechanisms: &[u64]) -> String {
    mechanisms.iter().map(|number| mechanism::display(*number).to_string()).collect::<Vec<_>>().join(", ")
}

fn head(told: &Told) -> String {
    let call = &told.call;
    let mut words = vec![format!("{STRONG}{}{STRONG:#}", call.function.name())];
    words.extend(call.mechanism.map(|number| mechanism::display(number).to_string()));
    let key = thing_words(call.subject());
    words.extend((!key.is_empty()).then(|| format!("with {key}")));
    let program = call.process.exe.as_ref().map(|exe| String::from_utf8_lossy(exe).into_owned());
    words.extend(program.map(|program| format!("by {}", Shown(&program))));
    words.extend(told.time.as_deref().map(|time| format!("{FAINT}{}{FAINT:#}", Shown(time))));
    words.join(" ") + "\n"
}

fn said(action: &str, enforced: bool) -> String {
    match (action, enforced) {
        ("deny", true) => format!("{DENIED}denied{DENIED:#}"),
        ("quarantine", true) => format!("{DENIED}denied, and the caller held{DENIED:#}"),
        ("deny" | "quarantine", false) => {
            format!("{WARNED}denied, without effect{WARNED:#} (observe mode or a rule in shadow)")
        }
        ("warn", _) => format!("{WARNED}warned of{WARNED:#}"),
        ("allow", _) => "allowed".into(),
        _ => "not judged".into(),
    }
}

fn by(rule: Option<&str>, nested: Option<u64>) -> String {
    let rule = rule.map(|rule| format!(" by rule {STRONG}{}{STRONG:#}", Shown(rule))).unwrap_or_default();
    let nested = nested.map(|number| format!(" for {} inside it", mechanism::display(number)));
    rule + &nested.unwrap_or_default()
}

/// What is known, each under its name.
fn lines(told: &[(&str, Option<String>)]) -> String {
    let known =
        told.iter().filter_map(|(name, value)| Some((name, value.as_deref().filter(|v| !v.is_empty())?)));
    known.map(|(name, value)| format!("        {FAINT}{name:<10}{FAINT:#} {}\n", Shown(value))).collect()
}

/// The mechanisms that the policy allows for the operation and the key.
fn instead(call: &Known, instead: &[Instead], lead: &str) -> String {
    if call.act.operation().is_none() {
        return String::new();
    }
    if instead.is_empty() {
        return format!(
            "{lead:<7} nothing: this policy lets no other mechanism {} with this key\n",
            call.act.name()
        );
    }
    let mut text = String::new();
    for (place, instead) in instead.iter().take(MOST).enumerate() {
        let with = match instead.with.as_slice() {
            [] => String::new(),
            some => format!(" with {}", some.join(" or ")),
        };
        let lead = if place == 0 { lead } else { "" };
        text += &format!("{lead:<7} {}{with}\n", instead.mechanism.name);
    }
    match instead.len().saturating_sub(MOST) {
        0 => text,
        more => text + &format!("        and {more} more (--json lists them)\n"),
    }
}

/// For programs.
pub(super) fn json(told: &Told, now: Option<&Now<'_>>) -> Value {
    let (call, then) = (&told.call, &told.then);
    let word = |number: u64| json!({"number": number, "name": mechanism::name(number)});
    json!({
        "id": told.id,
        "time": told.time,
        "function": call.function.name(),
        "operation": call.act.name(),
        "mechanism": call.mechanism.map(word),
        "key": thing_words(call.subject()),
        "then": {
            "verdict": then.action,
            "enforced": then.enforced,
            "rule": then.rule,
            "conditions": then.conditions,
            "nested": then.nested.map(word),
            "clause": then.clause,
            "reason": then.reason,
            "remedy": then.remedy,
            "held": then.held,
            "hardened": then.hardened.as_ref().map(Hardened::json),
            "instead": then.instead.iter().map(|number| word(*number)).collect::<Vec<_>>(),
            "policy": then.policy,
        },
        "now": now.map(|now| {
            let (verdict, rule) = (now.verdict, now.verdict.rule());
            json!({
                "policy": hash(now.policy),
                "path": now.path.to_string_lossy(),
                "verdict": verdict.action().name(),
                "enforced": verdict.enforced(),
                "rule": rule.name(),
                "conditions": verdict.decided_by().to_string(),
                "nested": verdict.nested().map(word),
                "clause": rule.clause(),
                "edition": rule.edition(),
                "profile": rule.profile(),
                "reason": rule.reason(),
                "remedy": rule.remedy(),
                "quarantine": rule.quarantine().map(|q| json!({"of": q.of.name(), "seconds": q.seconds})),
                "hardened": Hardened::of(verdict, call).map(|hardened| hardened.json()),
                "instead": now.instead.iter().map(|instead| {
                    json!({
                        "number": instead.mechanism.number,
                        "name": instead.mechanism.name,
                        "with": instead.with,
                    })
                }).collect::<Vec<_>>(),
            })
        }),
    })
}
