// SPDX-License-Identifier: Apache-2.0
//! `p11guard tail`: events as they come, one line each, those that were asked for.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use clap::builder::PossibleValuesParser;
use collector::render::Glance;
use collector::render::human::Human;
use event::FUNCTIONS;

use super::Failure;
use super::follow::{Follower, From};

/// Show the calls of this host as they happen
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  p11guard tail
  p11guard tail --verdict deny --verdict warn
  p11guard tail --function C_SignInit --key release-2026 --from-start
  p11guard tail --json --exe nginx | jq .mechanism.name")]
pub(crate) struct Arguments {
    /// Socket of the collector
    #[arg(long, value_name = "PATH", default_value = "/run/p11guard/events.sock")]
    socket: PathBuf,
    /// The events as they are, one JSON object on a line
    #[arg(long)]
    json: bool,
    /// Everything in the log, then what comes
    #[arg(long, conflicts_with = "after")]
    from_start: bool,
    /// Everything after the event with this index, then what comes
    #[arg(long, value_name = "INDEX")]
    after: Option<u64>,
    #[command(flatten)]
    filter: Filter,
}

/// What is asked for: of several values of one option any, of several options all.
#[derive(Debug, Default, Args)]
struct Filter {
    /// Only calls of this function
    #[arg(long, value_name = "NAME", value_parser = function_names(), hide_possible_values = true)]
    function: Vec<String>,
    /// Only calls with this verdict
    #[arg(long, value_parser = ["not_judged", "allow", "warn", "deny"])]
    verdict: Vec<String>,
    /// Only this process
    #[arg(long)]
    pid: Option<u32>,
    /// Only programs whose path contains this text
    #[arg(long, value_name = "TEXT")]
    exe: Option<String>,
    /// Only calls with a key of this label, or of this id in hexadecimal
    #[arg(long, value_name = "LABEL|ID")]
    key: Vec<String>,
}

fn function_names() -> PossibleValuesParser {
    PossibleValuesParser::new(FUNCTIONS.iter().map(|function| function.name))
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let from = match arguments.after {
        Some(index) => From::After(index),
        None if arguments.from_start => From::Start,
        None => From::Now,
    };
    let mut follower = Follower::connect(&arguments.socket, from)?;
    let mut out = anstream::stdout().lock();
    while let Some(line) = follower.next()? {
        if !arguments.filter.wants(line) {
            continue;
        }
        if arguments.json {
            out.write_all(line).and_then(|()| out.write_all(b"\n")).map_err(Failure::output)?;
        } else {
            writeln!(out, "{}", Human(line)).map_err(Failure::output)?;
        }
    }
    Err(Failure::Refused(
        "the collector went away; see systemctl status p11guard, or start tail again".into(),
    ))
}

impl Filter {
    /// Whether the event of this line is asked for. A control event is, where no option is about calls.
    fn wants(&self, line: &[u8]) -> bool {
        let Ok(event) = Glance::read(line) else { return true };
        let about_calls = !(self.function.is_empty() && self.verdict.is_empty() && self.key.is_empty());
        if event.calls() == 0 && about_calls {
            return false;
        }
        let one_of = |wanted: &[String], found: Option<&str>| {
            wanted.is_empty() || found.is_some_and(|found| wanted.iter().any(|wanted| wanted == found))
        };
        let ended_by = event.folded.as_ref().and_then(|folded| folded.ended_by.as_deref());
        (one_of(&self.function, event.function.as_deref()) || one_of(&self.function, ended_by))
            && one_of(&self.verdict, event.verdict.as_ref().map(|verdict| &*verdict.action))
            && self.wants_process(&event)
            && (self.key.is_empty() || self.wants_key(&event))
    }

    fn wants_process(&self, event: &Glance<'_>) -> bool {
        let process = event.process.as_ref();
        self.pid.is_none_or(|pid| process.is_some_and(|process| process.pid == pid))
            && self.exe.as_ref().is_none_or(|text| {
                process
                    .and_then(|process| process.exe.as_ref())
                    .is_some_and(|exe| exe.contains(text.as_str()))
            })
    }

    fn wants_key(&self, event: &Glance<'_>) -> bool {
        event.key().into_iter().chain(&event.other_keys).any(|key| {
            self.key.iter().any(|wanted| {
                key.label.as_ref().is_some_and(|label| label == wanted)
                    || key.id.as_ref().is_some_and(|id| id.eq_ignore_ascii_case(wanted))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGN: &[u8] = br#"{"index":1,"event":"call","time":"t","function":"C_Sign","verdict":{"action":"deny","enforced":true},
        "operation":{"id":"0/1","key":{"handle":3,"label":"release","id":"01ff"}},"process":{"pid":7,"exe":"/usr/bin/java"}}"#;
    const WHOLE: &[u8] = br#"{"index":1,"event":"operation","time":"t","function":"C_SignInit","verdict":{"action":"allow","enforced":true},
        "folded":{"calls":2,"ended_by":"C_Sign"},"key":{"handle":3,"label":"release"}}"#;
    const OPENED: &[u8] =
        br#"{"index":2,"event":"stream.opened","time":"t","process":{"pid":7,"exe":"/usr/bin/java"}}"#;

    #[test]
    fn of_one_option_any_value_and_of_several_options_all() {
        let all = |verdict: &[&str], function: &str, key: &str, pid, exe: &str| Filter {
            function: vec!["C_Login".into(), function.into()],
            verdict: verdict.iter().map(|verdict| (*verdict).into()).collect(),
            pid,
            exe: Some(exe.into()),
            key: vec![key.into()],
        };
        let both = ["warn", "deny"];
        assert!(all(&both, "C_Sign", "release", Some(7), "java").wants(SIGN));
        assert!(all(&both, "C_Sign", "01FF", None, "/usr").wants(SIGN));
        assert!(!all(&["allow"], "C_Sign", "release", None, "java").wants(SIGN));
        assert!(!all(&both, "C_SignInit", "release", None, "java").wants(SIGN));
        assert!(!all(&both, "C_Sign", "other", None, "java").wants(SIGN));
        assert!(!all(&both, "C_Sign", "release", Some(8), "java").wants(SIGN));
        assert!(!all(&both, "C_Sign", "release", None, "nginx").wants(SIGN));
    }

    #[test]
    fn an_operation_is_asked_for_by_its_first_call_and_by_its_last() {
        let of = |function: &str| Filter { function: vec![function.into()], ..Filter::default() };
        assert!(
            of("C_SignInit").wants(WHOLE) && of("C_Sign").wants(WHOLE) && !of("C_SignFinal").wants(WHOLE)
        );
    }

    #[test]
    fn control_events_are_shown_unless_calls_are_asked_for() {
        assert!(Filter::default().wants(OPENED));
        assert!(Filter { pid: Some(7), ..Filter::default() }.wants(OPENED));
        assert!(!Filter { pid: Some(8), ..Filter::default() }.wants(OPENED));
        assert!(!Filter { verdict: vec!["deny".into()], ..Filter::default() }.wants(OPENED));
    }
}
