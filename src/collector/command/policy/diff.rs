// SPDX-License-Identifier: Apache-2.0
//! `p11guard policy diff`: what changes from one policy to another: in the text, and in what is allowed with typical
//! keys.

mod effect;
mod rules;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use clap::Args;
use collector::render::Shown;
use policy::Policy;

use super::super::{Failure, print};
use super::columns::{Cell, columns};
use super::load;
use super::when::{Day, now};
use effect::{Effect, effects};
use rules::{Change, changes};

/// Compare two policies: rules, and what they allow with typical keys
#[derive(Debug, Args)]
#[command(after_help = "\
The effect is tried for every standard mechanism with keys and parameters that are common today.

Exit codes: 0 no difference, 1 a difference, 2 no answer.

Examples:
  p11guard policy diff /etc/p11guard/policy.toml policy.toml
  p11guard policy diff old.toml new.toml --at 2031-01-01 --json")]
pub(super) struct Arguments {
    /// The policy before
    before: PathBuf,
    /// The policy after
    after: PathBuf,
    /// Judge as if on this day
    #[arg(long, value_name = "DATE", value_parser = Day::parse)]
    at: Option<Day>,
    /// One line of JSON for each difference
    #[arg(long)]
    json: bool,
}

/// A policy and its text.
struct Side {
    policy: Policy,
    table: toml::Table,
}

impl Side {
    fn read(path: &Path) -> Result<Side, Failure> {
        let policy = load(path)?;
        let text =
            fs::read_to_string(path).map_err(Failure::path("read", path, "name a policy that is there"))?;
        // What `load` took is TOML.
        Ok(Side { policy, table: text.parse().unwrap_or_default() })
    }
}

const ADDED: Style = AnsiColor::Green.on_default();
const REMOVED: Style = AnsiColor::Red.on_default();
const CHANGED: Style = AnsiColor::Yellow.on_default();

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (before, after) = (Side::read(&arguments.before)?, Side::read(&arguments.after)?);
    let time = arguments.at.map_or_else(now, |day| day.at(None));
    let changes = changes(&before, &after);
    let effects = effects(&before.policy, &after.policy, time);
    if arguments.json {
        let lines = changes.iter().map(Change::json).chain(effects.iter().map(Effect::json));
        print(&lines.map(|line| format!("{line}\n")).collect::<String>())?;
    } else {
        print(&words(&changes, &effects))?;
    }
    Ok(if changes.is_empty() && effects.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn words(changes: &[Change], effects: &[Effect<'_>]) -> String {
    let mut text = String::new();
    for change in changes {
        let (style, sign) = match change {
            Change::Added { .. } => (ADDED, '+'),
            Change::Removed { .. } => (REMOVED, '-'),
            Change::Changed { .. } | Change::Moved => (CHANGED, '~'),
        };
        text += &format!("{style}{sign} {}{style:#}\n", Shown(&change.words()));
    }
    if effects.is_empty() {
        return text + "with typical keys nothing changes\n";
    }
    let rows = effects.iter().map(|effect| {
        let style = if effect.is_stricter() { REMOVED } else { ADDED };
        vec![
            Cell::new(effect.act.name()),
            Cell::new(effect.mechanism_words()),
            Cell::new(format!("{} -> {}", effect.before.words(), effect.after.words())).styled(style),
            Cell::new(Shown(&format!("{} -> {}", effect.before.rule, effect.after.rule)).to_string()),
            Cell::new(effect.keys_words()),
        ]
    });
    let gap = if text.is_empty() { "" } else { "\n" };
    text + gap + &columns(&["OPERATION", "MECHANISM", "VERDICT", "RULE", "KEYS"], rows.collect())
}
