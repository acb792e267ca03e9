// SPDX-License-Identifier: Apache-2.0
//! An event as one line for a terminal; a verdict that is worth a look adds an indented second one. Styled for a
//! stream that strips what its reader cannot show (`anstream`).

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use super::escape::Shown;
use super::glance::{Glance, Hardened, Key, Process, Verdict, Word, own_members};

const FAINT: Style = Style::new().dimmed();
const STRONG: Style = Style::new().bold();
const KEY: Style = AnsiColor::Cyan.on_default();
const FAILED: Style = AnsiColor::Yellow.on_default();
const VETOED: Style = AnsiColor::Red.on_default().bold();

/// Shows the event of a line of JSON. What is no event is shown as it is, escaped.
pub struct Human<'a>(pub &'a [u8]);

impl Display for Human<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Ok(event) = Glance::read(self.0) else {
            return write!(f, "{}", Shown(&String::from_utf8_lossy(self.0)));
        };
        let clock = event.time.split_once('T').map_or(&*event.time, |(_, clock)| clock);
        let micros = clock.get(.."00:00:00.000000".len()).unwrap_or(clock);
        write!(f, "{FAINT}{}{FAINT:#} ", Shown(micros))?;
        if let Some(process) = &event.process {
            write!(f, "{} ", Caller(process))?;
        }
        match &event.function {
            Some(function) => call(f, function, &event),
            None if event.event == "summary" => summary(f, &event, self.0),
            None => control(f, &event.event, self.0),
        }
    }
}

fn call(f: &mut Formatter<'_>, function: &str, event: &Glance<'_>) -> fmt::Result {
    write!(f, "{STRONG}{}", Shown(function))?;
    if let Some(folded) = &event.folded {
        write!(f, "…{}", Shown(folded.ended_by.as_deref().unwrap_or_default()))?;
    }
    write!(f, "{STRONG:#}")?;
    if let Some(mechanism) = event.mechanism() {
        write!(f, " {}", Name(mechanism))?;
    }
    for key in event.key().into_iter().chain(&event.other_keys) {
        write!(f, " {KEY}{}{KEY:#}", Which(key))?;
    }
    match (event.bytes_in, event.bytes_out) {
        (Some(given), Some(got)) => write!(f, " {given}→{got} B")?,
        (Some(given), None) => write!(f, " {given}→ B")?,
        (None, Some(got)) => write!(f, " →{got} B")?,
        (None, None) => {}
    }
    if event.size_query {
        write!(f, " (size query)")?;
    }
    let judged = event.verdict.as_ref().filter(|verdict| ["warn", "deny"].contains(&&*verdict.action));
    if let Some(rv) = &event.rv {
        let style = match judged {
            Some(verdict) if verdict.enforced && verdict.action == "deny" => VETOED,
            _ if rv.number != 0 => FAILED,
            _ => Style::new(),
        };
        write!(f, " {style}{}{style:#}", Name(rv))?;
    }
    if let Some(duration) = event.duration_ns {
        write!(f, " {FAINT}{}{FAINT:#}", Duration(duration))?;
    }
    if let Some(folded) = &event.folded {
        write!(f, " {FAINT}{} calls{FAINT:#}", folded.calls)?;
    }
    if let Some(fault) = &event.fault {
        write!(f, "\n        {VETOED}failed by the library{VETOED:#}: {}", Shown(fault))?;
    }
    harden(f, &event.hardened)?;
    judged.map_or(Ok(()), |verdict| explain(f, verdict))
}

/// What the policy adds to templates, all of them together.
fn harden(f: &mut Formatter<'_>, hardened: &[Hardened<'_>]) -> fmt::Result {
    let Some(first) = hardened.first() else { return Ok(()) };
    let what = if first.applied { "hardened" } else { "would be hardened" };
    write!(f, "\n        {STRONG}{what}{STRONG:#}:")?;
    for added in hardened.iter().flat_map(|hardened| &hardened.attributes) {
        let value = match &added.value {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => "?".into(),
        };
        write!(f, " {}={}", Shown(added.name.as_deref().unwrap_or("?")), Shown(&value))?;
    }
    Ok(())
}

fn explain(f: &mut Formatter<'_>, verdict: &Verdict<'_>) -> fmt::Result {
    let (style, what) = match (&*verdict.action, verdict.enforced) {
        ("deny", true) => (VETOED, "denied"),
        ("deny", false) => (FAILED, "would be denied"),
        _ => (FAILED, "warned"),
    };
    write!(f, "\n        {style}{what}{style:#}")?;
    if let Some(rule) = &verdict.rule {
        write!(f, " by rule {STRONG}{}{STRONG:#}", Shown(rule))?;
    }
    if let Some(reason) = &verdict.reason {
        write!(f, ": {}", Shown(reason))?;
    }
    if let Some(remedy) = &verdict.remedy {
        write!(f, "; instead: {}", Shown(remedy))?;
    }
    let held = verdict.quarantine.as_ref().and_then(|held| Some((&held.of, held.until.as_ref()?)));
    held.map_or(Ok(()), |(of, until)| {
        let seconds = until.split('.').next().unwrap_or_default();
        write!(f, "; {STRONG}{} held until {}Z{STRONG:#}", Shown(of), Shown(seconds))
    })
}

/// How many calls, and of which functions.
fn summary(f: &mut Formatter<'_>, event: &Glance<'_>, line: &[u8]) -> fmt::Result {
    write!(f, "{STRONG}{} calls{STRONG:#}", event.calls())?;
    let own = own_members(line);
    let groups = own.get("groups").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut sums = BTreeMap::new();
    for group in groups {
        let function = group["function"].as_str().unwrap_or_default();
        *sums.entry(function).or_insert(0) += group["calls"].as_u64().unwrap_or(0);
    }
    sums.iter().try_for_each(|(function, calls)| write!(f, " {}×{calls}", Shown(function)))
}

/// The kind of a control event and what it says; what says nothing (none, zero, empty) and hashes are left out.
fn control(f: &mut Formatter<'_>, kind: &str, line: &[u8]) -> fmt::Result {
    write!(f, "{FAINT}{}", Shown(kind))?;
    own_members(line).iter().try_for_each(|(name, value)| member(f, name, value))?;
    write!(f, "{FAINT:#}")
}

fn member(f: &mut Formatter<'_>, name: &str, value: &Value) -> fmt::Result {
    match value {
        Value::Object(members) => members.iter().try_for_each(|(name, value)| member(f, name, value)),
        Value::String(text) if text.is_empty() || name.ends_with("_hash") => Ok(()),
        Value::String(text) if text.contains(' ') => write!(f, " {}=\"{}\"", Shown(name), Shown(text)),
        Value::String(text) => write!(f, " {}={}", Shown(name), Shown(text)),
        Value::Array(list) if list.is_empty() => Ok(()),
        Value::Null | Value::Bool(false) => Ok(()),
        Value::Number(number) if number.as_u64() == Some(0) => Ok(()),
        value => write!(f, " {}={}", Shown(name), Shown(&value.to_string())),
    }
}

struct Caller<'a>(&'a Process<'a>);

impl Display for Caller<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Process { pid, exe, comm } = self.0;
        let program = exe.as_deref().and_then(|exe| exe.rsplit('/').next()).or(comm.as_deref());
        write!(f, "{pid}/{}", Shown(program.unwrap_or("?")))
    }
}

struct Name<'a>(&'a Word<'a>);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0.name {
            Some(name) => write!(f, "{}", Shown(name)),
            None => write!(f, "{:#010x}", self.0.number),
        }
    }
}

struct Which<'a>(&'a Key<'a>);

impl Display for Which<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (&self.0.label, &self.0.id) {
            (Some(label), _) => write!(f, "\"{}\"", Shown(label)),
            (None, Some(id)) => write!(f, "id:{}", Shown(id)),
            (None, None) => write!(f, "#{}", self.0.handle),
        }
    }
}

struct Duration(u64);

impl Display for Duration {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let tenths = |unit: u64| (self.0 / unit, self.0 % unit * 10 / unit);
        let ((whole, tenth), unit) = match self.0 {
            0..1_000 => return write!(f, "{} ns", self.0),
            1_000..1_000_000 => (tenths(1_000), "µs"),
            1_000_000..1_000_000_000 => (tenths(1_000_000), "ms"),
            _ => (tenths(1_000_000_000), "s"),
        };
        write!(f, "{whole}.{tenth} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(line: &str) -> String {
        anstream::adapter::strip_str(&Human(line.as_bytes()).to_string()).to_string()
    }

    #[test]
    fn a_veto_says_which_rule_and_what_to_do_instead() {
        let line = r#"{"index":7,"event":"call","time":"2026-11-21T05:00:00.123456789Z","duration_ns":14200,"function":"C_SignInit",
            "rv":{"number":112,"name":"CKR_MECHANISM_INVALID"},"mechanism":{"number":1,"name":"CKM_RSA_PKCS"},
            "verdict":{"action":"deny","enforced":true,"rule":"no-pkcs1","reason":"Bleichenbacher","remedy":"use PSS"},
            "key":{"handle":3,"label":"signer"},"process":{"pid":9,"exe":"/usr/bin/pkcs11-tool","uid":0}}"#;
        assert_eq!(
            plain(line),
            "05:00:00.123456 9/pkcs11-tool C_SignInit CKM_RSA_PKCS \"signer\" CKR_MECHANISM_INVALID 14.2 µs\n        \
             denied by rule no-pkcs1: Bleichenbacher; instead: use PSS"
        );
    }

    #[test]
    fn who_is_held_is_shown_with_the_end_of_it() {
        let line = r#"{"index":7,"event":"call","time":"2026-11-21T05:00:00.1Z","function":"C_Sign",
            "rv":{"number":512,"name":"CKR_FUNCTION_REJECTED"},"verdict":{"action":"deny","enforced":true,"rule":"no-des",
            "remedy":"use AES","quarantine":{"of":"session","until":"2026-11-21T05:10:00.000000000Z"}}}"#;
        assert!(
            plain(line).ends_with(
                "denied by rule no-des; instead: use AES; session held until 2026-11-21T05:10:00Z"
            )
        );
    }

    #[test]
    fn what_is_hardened_is_listed() {
        let line = |applied: bool| {
            format!(
                r#"{{"index":7,"event":"call","time":"2026-11-21T05:00:00Z","function":"C_GenerateKey","rv":{{"number":0,"name":"CKR_OK"}},
                "hardened":[{{"template":0,"applied":{applied},"attributes":[{{"number":259,"name":"CKA_SENSITIVE","length":1,"value":true}},
                {{"number":273,"name":"CKA_END_DATE","length":8,"value":"2028-11-21"}}]}}]}}"#
            )
        };
        let added = "CKA_SENSITIVE=true CKA_END_DATE=2028-11-21";
        let head = "05:00:00Z C_GenerateKey CKR_OK\n        ";
        assert_eq!(plain(&line(true)), format!("{head}hardened: {added}"));
        assert_eq!(plain(&line(false)), format!("{head}would be hardened: {added}"));
    }

    #[test]
    fn a_later_call_of_an_operation_shows_what_its_init_said() {
        let line = r#"{"index":8,"event":"call","time":"2026-11-21T05:00:01Z","duration_ns":1500000,"function":"C_Sign",
            "rv":{"number":0,"name":"CKR_OK"},"verdict":{"action":"not_judged","enforced":false},"bytes_in":32,"bytes_out":256,
            "operation":{"id":"0/7","mechanism":{"number":2147483649},"key":{"handle":3,"id":"01ff"}}}"#;
        assert_eq!(plain(line), "05:00:01Z C_Sign 0x80000001 id:01ff 32→256 B CKR_OK 1.5 ms");
    }

    #[test]
    fn an_operation_shows_where_it_began_and_ended_and_how_many_calls_it_had() {
        let line = |folded: &str| {
            plain(&format!(
                r#"{{"index":8,"event":"operation","time":"2026-11-21T05:00:01Z","duration_ns":1500000,"function":"C_SignInit",
                "rv":{{"number":0,"name":"CKR_OK"}},"verdict":{{"action":"allow","enforced":true}},"bytes_in":32,"bytes_out":256,
                "mechanism":{{"number":1,"name":"CKM_RSA_PKCS"}},"operation":{{"id":"0/7"}},"folded":{folded}}}"#
            ))
        };
        assert_eq!(
            line(r#"{"calls":3,"busy_ns":5,"ended_by":"C_SignFinal","covers":[[0,7,9]]}"#),
            "05:00:01Z C_SignInit…C_SignFinal CKM_RSA_PKCS 32→256 B CKR_OK 1.5 ms 3 calls"
        );
        assert!(
            line(r#"{"calls":2,"busy_ns":5,"open":true,"covers":[[0,7,8]]}"#).contains("C_SignInit… CKM")
        );
    }

    #[test]
    fn a_summary_shows_how_many_calls_of_which_functions() {
        let line = r#"{"index":8,"event":"summary","time":"2026-11-21T05:00:01Z","folded":{"calls":5,"covers":[[0,1,5]]},
            "groups":[{"function":"C_SignInit","calls":2},{"function":"C_Sign","calls":2},{"function":"C_SignInit","calls":1}]}"#;
        assert_eq!(plain(line), "05:00:01Z 5 calls C_Sign×2 C_SignInit×3");
    }

    #[test]
    fn a_control_event_shows_the_members_that_say_something() {
        let line = r#"{"index":1,"event":"stream.opened","time":"2026-11-21T05:00:00.1Z","time_unix_ns":1,
            "hello":{"module":"/a\u001b[2J","policy_hash":"00"},"reason":"it ended","lanes":4,"lost":0,"missing":[]}"#;
        assert_eq!(plain(line), r#"05:00:00.1Z stream.opened module=/a\u{1b}[2J lanes=4 reason="it ended""#);
    }

    #[test]
    fn hostile_text_steers_no_terminal_and_forges_no_line() {
        let hostile = "\\u001b]0;title\\u0007\\n00:00:00 1/init C_Login\\r\\u009b31m\\u202e\\u2028";
        let line = format!(
            r#"{{"index":1,"event":"call","time":"{hostile}","function":"{hostile}","rv":{{"number":1,"name":"{hostile}"}},
            "verdict":{{"action":"deny","enforced":false,"rule":"{hostile}","reason":"{hostile}","remedy":"{hostile}"}},
            "mechanism":{{"number":1,"name":"{hostile}"}},"key":{{"handle":1,"label":"{hostile}"}},"fault":"{hostile}",
            "process":{{"pid":1,"exe":"{hostile}","uid":0}}}}"#
        );
        for shown in [plain(&line), plain(&format!("no event {}\u{1b}[31m\n\u{202e}", line))] {
            assert!(shown.lines().count() <= 3 && shown.contains("C_Login"), "{shown}");
            let raw = |c: char| c != '\n' && (c.is_control() || "\u{202e}\u{2028}\u{9b}".contains(c));
            assert!(!shown.contains(raw), "{shown:?}");
        }
    }
}
