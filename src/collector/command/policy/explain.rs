// SPDX-License-Identifier: Apache-2.0
//! `p11guard policy explain`: why a call got its verdict, what a policy says of it now, and what it would allow
//! instead.

mod event;
mod instead;
mod text;

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use policy::Policy;

use super::super::{Failure, print};
use super::known::strictest;
use super::load;
use super::source::Source;
use super::when::Day;
use event::Told;
use instead::Instead;

/// Say why a call got its verdict, and what would be allowed instead
#[derive(Debug, Args)]
#[command(after_help = "\
EVENT is the `id` or the `index` of an event in the log, or - for one event as JSON on standard
input.
Without --policy the policy is the one that the event names, where that is still in its place.

Exit codes: 0 explained, 2 no such event, or none that a policy judges.

Examples:
  p11guard policy explain 0af7651916cd43dd8448eb211c80319c/3/12
  p11guard policy explain 4711 events.jsonl --policy new.toml
  p11guard tail --json --verdict deny | head -1 | p11guard policy explain -")]
pub(super) struct Arguments {
    /// The event
    event: String,
    #[command(flatten)]
    source: Source,
    /// The policy to ask [default: the one that the event names]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Judge as if on this day
    #[arg(long, value_name = "DATE", value_parser = Day::parse)]
    at: Option<Day>,
    /// One object of JSON
    #[arg(long)]
    json: bool,
}

/// What a policy says of the call now.
struct Now<'p> {
    path: PathBuf,
    policy: &'p Policy,
    verdict: policy::Verdict<'p>,
    instead: Vec<Instead>,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut told = find(arguments)?;
    if let Some(day) = arguments.at {
        let calls = told.sights.iter_mut().chain([&mut told.call]);
        calls.for_each(|call| call.time = Some(day.at(call.time)));
    }
    let policy = match &arguments.policy {
        Some(path) => Some((path.clone(), load(path)?)),
        None => told.policy_in_place(),
    };
    // A rate that was reached then is taken to be reached: an event does not tell what came before it.
    if let (Some((_, policy)), Some(rule)) = (&policy, &told.then.rule) {
        told.call.memory.reached = policy.rate_of(rule);
    }
    let now = policy.as_ref().map(|(path, policy)| {
        let mut calls = std::mem::take(&mut told.sights);
        calls.push(told.call.clone());
        let verdict = match strictest(policy, &calls) {
            Some((call, verdict)) => {
                told.call = call.clone();
                verdict
            }
            None => policy.judge(&told.call.facts()),
        };
        Now { path: path.clone(), policy, verdict, instead: instead::instead(policy, &told.call) }
    });
    print(&if arguments.json {
        format!("{}\n", text::json(&told, now.as_ref()))
    } else {
        text::words(&told, now.as_ref())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The event, from standard input or from the log.
fn find(arguments: &Arguments) -> Result<Told, Failure> {
    let wanted = arguments.event.as_str();
    if wanted == "-" {
        let mut text = Vec::new();
        io::stdin().read_to_end(&mut text).map_err(Failure::system("read standard input"))?;
        return Told::read(&text);
    }
    let mut found = None;
    arguments.source.read(&mut |line, stream| {
        let is_it =
            line.id.as_deref() == Some(wanted) || line.index.is_some_and(|index| wanted.parse() == Ok(index));
        if is_it {
            found = Some(Told::of(line, stream)?);
        }
        Ok(!is_it)
    })?;
    found.ok_or_else(|| {
        let wanted = collector::render::Shown(wanted);
        Failure::Refused(format!(
            "no event {wanted} among those read; give its `id` or `index`, and name the files that may hold it"
        ))
    })
}

/// The configurations of the library on this host.
fn configurations() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(Path::new(settings::FOLDER)).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "toml"))
        .collect();
    found.sort();
    found
}
