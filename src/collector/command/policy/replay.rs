// SPDX-License-Identifier: Apache-2.0
//! `p11guard policy replay`: what a policy would have refused of the calls that were recorded, today or on a day to
//! come.

mod history;

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use clap::Args;
use collector::render::Shown;
use policy::Act;

use super::super::run::FailOn;
use super::super::{Failure, print};
use super::columns::{Cell, columns};
use super::findings::{Finding, Findings, time_words};
use super::known::strictest;
use super::source::Source;
use super::when::{Day, Since};
use super::{load, sarif};
use history::History;

/// Show what a policy would have refused of the recorded calls
#[derive(Debug, Args)]
#[command(after_help = "\
Each call is judged by its time, or by the day that --at names. Refusals count whatever the
policy's mode is, those of rules in shadow as well. Where a call that begins an operation would be
refused, the others of that operation are not judged. What would be in quarantine is refused until
that ends, and rates count the calls that are read. Guards that remember earlier calls
judge by what each event tells, and so do rules for what may be seen: a search tells no more than
how much it found.

Exit codes: 0 nothing refused, 3 something refused (with --fail-on warn: or warned of), 2 no answer.

Examples:
  p11guard policy replay policy.toml --since 7d
  p11guard policy replay policy.toml events.jsonl --at 2031-01-01
  p11guard policy replay policy.toml --sarif > crypto.sarif
  p11guard run --module $M --json -o events.jsonl -- make sign
  p11guard policy replay policy.toml events.jsonl --fail-on warn")]
pub(super) struct Arguments {
    /// The policy
    policy: PathBuf,
    #[command(flatten)]
    source: Source,
    /// Judge as if on this day
    #[arg(long, value_name = "DATE", value_parser = Day::parse)]
    at: Option<Day>,
    /// Only calls since this time (2026-11-01T08:00:00Z) or so long ago (7d)
    #[arg(long, value_name = "TIME", value_parser = Since::parse)]
    since: Option<Since>,
    /// Only calls that went through when they were made
    #[arg(long)]
    passed: bool,
    /// One line of JSON for each finding
    #[arg(long, conflicts_with = "sarif")]
    json: bool,
    /// The findings as SARIF 2.1.0
    #[arg(long)]
    sarif: bool,
    /// End with 3 where a call got this verdict or a worse one
    #[arg(long, value_name = "VERDICT", default_value = "deny")]
    fail_on: FailOn,
}

/// Something would be refused.
const HIT: u8 = 3;

const DENIED: Style = AnsiColor::Red.on_default().bold();
const WARNED: Style = AnsiColor::Yellow.on_default();

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let policy = load(&arguments.policy)?;
    let mut findings = Findings::default();
    // Events that began an operation which a refusal would have ended, by stream.
    let mut refused: HashMap<String, HashSet<String>> = HashMap::new();
    let mut history = History::new(&policy);
    arguments.source.read(&mut |line, stream| {
        let id = line.stream.as_deref().unwrap_or_default();
        if line.event == "stream.closed" {
            refused.remove(id);
            history.forget(id);
        }
        let mut sights = if policy.hides() { line.sights(stream) } else { Vec::new() };
        // The library learns what it is to look at; of what was not looked at then, some events tell nothing.
        sights.retain(|seen| if seen.act == Act::See { seen.key.present } else { seen.token.is_some() });
        let mut call = line.call(stream);
        if call.is_none() {
            history.pass(line);
        }
        let first = call.as_ref().or(sights.first());
        let Some(made) = first.map(|call| call.time.unwrap_or_default()) else { return Ok(true) };
        // What goes on with an operation that would not have begun would not have come.
        let begun_by = line.begun_by().filter(|_| refused.contains_key(id));
        if begun_by.is_some_and(|init| refused[id].contains(&init)) {
            return Ok(true);
        }
        let old = arguments.since.is_some_and(|since| made < since.0 / 1_000_000_000);
        if old || arguments.passed && line.was_refused() {
            return Ok(true);
        }
        if let Some(day) = arguments.at {
            let calls = sights.iter_mut().chain(&mut call);
            calls.for_each(|call| call.time = Some(day.at(call.time)));
        }
        // What is not there is neither judged further nor counted.
        let seen = strictest(&policy, &sights);
        let hidden = seen.is_some_and(|(_, verdict)| verdict.refuses());
        let own = call.as_mut().filter(|_| !hidden).map(|call| {
            let verdict = history.judge(line, call);
            (&*call, verdict)
        });
        let judged = match (seen, own) {
            (Some(seen), Some(own)) if !seen.1.is_stricter_than(own.1) => Some(own),
            (seen, own) => seen.or(own),
        };
        let Some((call, verdict)) = judged else { return Ok(true) };
        if verdict.refuses() {
            let ended = line.begun_by().or_else(|| line.id.as_deref().map(str::to_owned));
            refused.entry(id.to_owned()).or_default().extend(ended);
        }
        findings.add(call, verdict, made, line.was_refused());
        Ok(true)
    })?;

    let (denied, warned) = (findings.denied, findings.warned);
    let summary = summary(arguments, &findings);
    let findings = findings.sorted();
    if arguments.sarif {
        print(&sarif::text(&arguments.policy, &findings)?)?;
    } else if arguments.json {
        print(&findings.iter().map(|finding| format!("{}\n", finding.json())).collect::<String>())?;
    } else if !findings.is_empty() {
        print(&table(&findings))?;
    }
    // Where stderr is gone there is nobody to tell.
    let _ = writeln!(anstream::stderr(), "p11guard: {summary}");
    let hit = denied > 0 || arguments.fail_on == FailOn::Warn && warned > 0;
    Ok(if hit { ExitCode::from(HIT) } else { ExitCode::SUCCESS })
}

fn table(findings: &[Finding<'_>]) -> String {
    let rows = findings.iter().map(|finding| {
        let style = if finding.action.refuses() { DENIED } else { WARNED };
        vec![
            Cell::new(finding.verdict_words()).styled(style),
            Cell::new(Shown(finding.rule.name()).to_string()),
            Cell::new(finding.mechanism_words()),
            Cell::new(finding.function.name()),
            Cell::new(finding.key_words()),
            Cell::new(finding.program_words()),
            Cell::number(finding.count),
            Cell::new(time_words(finding.first)),
            Cell::new(time_words(finding.last)),
        ]
    });
    let heads = ["VERDICT", "RULE", "MECHANISM", "FUNCTION", "KEY", "PROGRAM", "COUNT", "FIRST", "LAST"];
    columns(&heads, rows.collect())
}

fn summary(arguments: &Arguments, findings: &Findings<'_>) -> String {
    let Findings { judged, denied, denied_then, warned, hardened, .. } = findings;
    let day = arguments.at.map(|day| format!(" on {}", day.text())).unwrap_or_default();
    let then = match denied_then {
        0 => String::new(),
        some => format!(" ({some} were refused when they were made)"),
    };
    match judged {
        0 => "no call among the events is one that policies judge".into(),
        _ => {
            let added = match hardened {
                0 => String::new(),
                some => format!(", {some} would make hardened keys"),
            };
            format!("of {judged} calls {denied} would be refused{day}{then} and {warned} warned of{added}")
        }
    }
}
