// SPDX-License-Identifier: Apache-2.0
//! A file of cases: calls as their owner describes them, in the words of policies and events. What it does not know it
//! refuses, with the place and what to write instead.

mod object;
mod reader;

use std::collections::BTreeSet;

use event::Function;
use event::record::Flags;
use policy::{Act, Action, Origin};
use toml::de::DeValue;

use super::acts;
use super::hardened;
use super::known::{Known, Who};
use super::when::seconds;
use reader::{Problem, Reader, Table, Value};

/// The cases of one policy.
#[derive(Debug)]
pub(super) struct File {
    /// As the file has it.
    pub(super) policy: String,
    pub(super) cases: Vec<Case>,
}

/// A call, and what the policy must say of it.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    /// Line of its name, from 1.
    pub(super) line: usize,
    pub(super) call: Known,
    /// The word of an action.
    pub(super) expect: &'static str,
    pub(super) rule: Option<String>,
    /// Whether it must be carried out, where that is asked.
    pub(super) enforced: Option<bool>,
    /// What must be added to the templates, where that is asked: the attributes by their words in policies.
    pub(super) hardened: Option<BTreeSet<&'static str>>,
}

const TOP: &[&str] = &["policy", "case"];
const CASE: &[&str] = &[
    "name",
    "expect",
    "rule",
    "enforced",
    "hardened",
    "operation",
    "function",
    "mechanism",
    "parameters",
    "key",
    "target",
    "template",
    "private_template",
    "token",
    "user",
    "process",
    "time",
    "memory",
    "input",
    "flags",
];
const ACTIONS: [Action; 4] = [Action::Allow, Action::Warn, Action::Deny, Action::Quarantine];
const USERS: [(&str, u64); 4] = [
    ("so", event::value::user_type::CKU_SO),
    ("user", event::value::user_type::CKU_USER),
    ("context-specific", event::value::user_type::CKU_CONTEXT_SPECIFIC),
    ("none", policy::NOBODY),
];

/// Reads a file; `path` is only what messages call it.
///
/// # Errors
/// Every case's first mistake, each with its place and a remedy.
pub(super) fn read(path: &str, bytes: &[u8]) -> Result<File, String> {
    let reader = Reader::new(path, bytes)?;
    let document = reader.document()?;
    let top = document.get_ref();
    let head = || -> Result<_, Problem> {
        reader.only(top, TOP)?;
        let policy = reader.text(reader.required(top, "policy", "policy = \"policy.toml\"")?)?;
        Ok((policy.to_owned(), reader.array(reader.required(top, "case", "[[case]]")?)?))
    };
    let (policy, found) = head().map_err(|problem| reader.show(&problem))?;
    let (mut cases, mut problems) = (Vec::new(), Vec::new());
    for value in found.iter() {
        match case(&reader, value) {
            Ok(case) => cases.push(case),
            Err(problem) => problems.push(reader.show(&problem)),
        }
    }
    if problems.is_empty() { Ok(File { policy, cases }) } else { Err(problems.join("\n\n")) }
}

fn case(reader: &Reader<'_>, value: &Value<'_>) -> Result<Case, Problem> {
    let table = reader.table(value)?;
    reader.only(table, CASE)?;
    let name = reader.required(table, "name", "name = \"SHA-1 is refused\"")?;
    let expect = reader.required(table, "expect", "expect = \"deny\"")?;
    let actions = ACTIONS.map(Action::name);
    let expect = actions[reader.word(expect, "verdict", &actions)?];
    let mut call = call(reader, table, value)?;
    for (key, thing) in [
        ("key", &mut call.key),
        ("target", &mut call.target),
        ("template", &mut call.template),
        ("private_template", &mut call.private_template),
    ] {
        if let Some(value) = table.get(key) {
            *thing = object::read(reader, value)?;
        }
    }
    surroundings(reader, table, &mut call)?;
    let rule = table.get("rule").map(|rule| reader.text(rule).map(str::to_owned)).transpose()?;
    let enforced = table.get("enforced").map(|value| reader.boolean(value)).transpose()?;
    let hardened = table.get("hardened").map(|value| hardened(reader, value)).transpose()?;
    Ok(Case {
        name: reader.text(name)?.to_owned(),
        line: reader.line(name),
        call,
        expect,
        rule,
        enforced,
        hardened,
    })
}

/// The call itself: function or operation, mechanism and parameters.
fn call(reader: &Reader<'_>, table: &Table<'_>, case: &Value<'_>) -> Result<Known, Problem> {
    let names: Vec<&str> = Act::ALL.iter().map(|act| act.name()).collect();
    let act = match table.get("operation") {
        Some(value) => Some(Act::ALL[reader.word(value, "operation", &names)?]),
        None => None,
    };
    let function = match table.get("function") {
        Some(value) => Some(function(reader, value, act)?),
        None => act.and_then(acts::function),
    };
    let known = function.and_then(|function| Some((function, act.or_else(|| acts::act(function))?)));
    let (function, act) = known.ok_or_else(|| {
        let help = "write, for example, `operation = \"sign\"`";
        Problem::new(case.span(), "`operation` is missing".into(), help.into())
    })?;
    let number = match table.get("mechanism") {
        Some(value) => Some(reader.mechanism(value)?),
        None if act.operation().is_some() => {
            let what = format!("`mechanism` is missing: no call does `{}` without one", act.name());
            return Err(Problem::new(
                case.span(),
                what,
                "write, for example, `mechanism = \"CKM_ECDSA\"`".into(),
            ));
        }
        None => None,
    };
    let mut call = Known::of(function, act, number);
    if let Some(value) = table.get("parameters") {
        reader.parameters(value, 0, &mut call.parameters)?;
    }
    Ok(call)
}

fn function(reader: &Reader<'_>, value: &Value<'_>, act: Option<Act>) -> Result<Function, Problem> {
    let judged: Vec<Function> =
        Function::ALL.iter().copied().filter(|function| acts::act(*function).is_some()).collect();
    let names: Vec<&str> = judged.iter().map(|function| function.name()).collect();
    let function = judged[reader.word(value, "function that policies judge", &names)?];
    match acts::act(function).zip(act) {
        Some((does, act)) if does != act => {
            let what = format!("{} does `{}`, not `{}`", function.name(), does.name(), act.name());
            Err(Problem::new(value.span(), what, "leave one of `function` and `operation` out".into()))
        }
        _ => Ok(function),
    }
}

/// Token, user, process, time, and what the library remembers.
fn surroundings(reader: &Reader<'_>, table: &Table<'_>, call: &mut Known) -> Result<(), Problem> {
    if let Some(value) = table.get("token") {
        let token = reader.table(value)?;
        reader.only(token, &["label", "serial", "model", "slot"])?;
        let text = |key| token.get(key).map(|value| reader.bytes(value)).transpose();
        (call.token, call.serial, call.model) = (text("label")?, text("serial")?, text("model")?);
        call.slot = token.get("slot").map(|value| reader.number(value)).transpose()?;
    }
    if let Some(value) = table.get("user") {
        call.user = Some(USERS[reader.word(value, "user", &USERS.map(|(name, _)| name))?].1);
    }
    if let Some(value) = table.get("process") {
        call.process = process(reader, value)?;
    }
    if let Some(value) = table.get("time") {
        let time = match value.get_ref() {
            DeValue::Datetime(time) => seconds(time),
            _ => None,
        };
        let help = "write a date or a time without quotes: 2031-01-01 or 2031-01-01T08:00:00Z";
        let wrong = || Problem::new(value.span(), "this is no time since 1970".into(), help.into());
        call.time = Some(time.ok_or_else(wrong)?);
    }
    if let Some(value) = table.get("memory") {
        let memory = reader.table(value)?;
        reader.only(memory, &["key_uses", "value_uses", "foreign", "nonce_repeats", "origin", "reached"])?;
        let truth = |key| memory.get(key).map_or(Ok(false), |value| reader.boolean(value));
        (call.memory.foreign, call.memory.nonce_repeats) = (truth("foreign")?, truth("nonce_repeats")?);
        // A case is one call: the rates that the policy may ask for are reached, or they are not.
        call.memory.reached = if truth("reached")? { u64::MAX } else { 0 };
        if let Some(value) = memory.get("origin") {
            let words = Origin::WORDS.map(|(name, _)| name);
            call.memory.origin = Some(Origin::WORDS[reader.word(value, "origin", &words)?].1);
        }
        let uses = |key| memory.get(key).map_or(Ok(0), |value| uses(reader, value));
        (call.memory.key_uses, call.memory.value_uses) = (uses("key_uses")?, uses("value_uses")?);
    }
    if let Some(value) = table.get("input") {
        let input = reader.table(value)?;
        reader.only(input, &["length", "digest"])?;
        call.input.length = input.get("length").map(|value| reader.number(value)).transpose()?;
        call.input.digest = input.get("digest").map(|value| reader.mechanism(value)).transpose()?;
    }
    call.flags = table.get("flags").map(|value| reader.number(value)).transpose()?;
    Ok(())
}

fn process(reader: &Reader<'_>, value: &Value<'_>) -> Result<Who, Problem> {
    let process = reader.table(value)?;
    reader.only(process, &["host", "exe", "uid", "gid", "unit", "container", "service"])?;
    let text = |key| process.get(key).map(|value| reader.bytes(value)).transpose();
    let number = |key| process.get(key).map(|value| reader.small(value)).transpose();
    Ok(Who {
        host: text("host")?,
        exe: text("exe")?,
        uid: number("uid")?,
        gid: number("gid")?,
        unit: text("unit")?,
        container: text("container")?,
        service: text("service")?,
    })
}

fn hardened(reader: &Reader<'_>, value: &Value<'_>) -> Result<BTreeSet<&'static str>, Problem> {
    let known: Vec<&'static str> = hardened::words().collect();
    let word = |value| Ok(known[reader.word(value, "attribute to harden", &known)?]);
    reader.array(value)?.iter().map(word).collect()
}

/// Usage flags by their names in events.
fn uses(reader: &Reader<'_>, value: &Value<'_>) -> Result<u32, Problem> {
    let names: Vec<&str> = Flags::ALL.iter().map(|(.., name)| *name).collect();
    let mut bits = 0;
    for value in reader.array(value)?.iter() {
        bits |= Flags::ALL[reader.word(value, "flag of a key", &names)?].0;
    }
    Ok(bits)
}

#[cfg(test)]
mod tests;
