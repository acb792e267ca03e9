// SPDX-License-Identifier: Apache-2.0
//! `p11guard run`: one command under a private collector, as strace does it. Nothing of the host's own configuration
//! is changed, and nothing is left behind.

mod child;
mod private;
mod tally;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use collector::Collector;

use super::Failure;
use super::follow::{Follower, From};
use private::Private;
use tally::{Format, Tally};

/// Run one command and show its PKCS#11 calls as they happen
#[derive(Debug, Args)]
#[command(after_help = "\
The command finds the library as @P11GUARD@ in its arguments and in $P11GUARD_MODULE_PATH.
Without --policy every call is allowed and shown.

Examples:
  p11guard run --module /usr/lib/softhsm/libsofthsm2.so -- pkcs11-tool --module @P11GUARD@ -L
  p11guard run --module $M --policy policy.toml --fail-on deny -- make sign
  p11guard run --module $M --json -o events.jsonl -- p11tool --provider @P11GUARD@ --list-all")]
pub(crate) struct Arguments {
    /// The vendor's module; without it the error lists those of this machine
    #[arg(long, value_name = "SO")]
    pub(super) module: Option<PathBuf>,
    /// The policy [default: allow everything]
    #[arg(long, value_name = "FILE")]
    pub(super) policy: Option<PathBuf>,
    /// Where libp11guard.so is, if it is not found
    #[arg(long, value_name = "SO")]
    pub(super) library: Option<PathBuf>,
    /// Events as JSON, one object on a line
    #[arg(long)]
    json: bool,
    /// Write the events to a file instead of stderr
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// End with 3 where a call got this verdict or a worse one, also in shadow and in observe mode
    #[arg(long, value_name = "VERDICT")]
    fail_on: Option<FailOn>,
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// The verdict from which a run counts as failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// A warning or a denial
    Warn,
    /// A denial
    Deny,
}

/// `--fail-on` was hit.
const HIT: u8 = 3;

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    super::log_to_stderr("warn");
    let private = Private::prepare(arguments)?;
    let format = if arguments.json { Format::Json } else { Format::Human };
    let tally = Tally::new(format, arguments.output.as_deref())?;
    let collector = Collector::start(private.settings())?;
    let follower = Follower::connect(&private.settings().readers, From::Start)?;
    let watcher = tally.watch(follower)?;

    let ended = child::run(&arguments.command, &private);
    // Whatever became of the command: what it did is stored, shown and told before anything else is said.
    let stopped = collector.stop();
    let tally = watcher.finish()?;
    let code = ended?;
    stopped?;
    let hit = arguments.fail_on.is_some_and(|limit| tally.hits(limit));
    tally.tell(&private.spool(), hit);
    Ok(ExitCode::from(if hit { HIT } else { code }))
}
