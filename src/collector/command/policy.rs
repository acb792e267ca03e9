// SPDX-License-Identifier: Apache-2.0
//! `p11guard policy`: one file for each verb. What they share: recorded calls as facts (`recorded`), where events are
//! (`source`), and typical keys to try a policy with (`typical`).

mod acts;
mod cases;
mod check;
mod columns;
mod diff;
mod explain;
mod findings;
mod hardened;
mod known;
mod learn;
mod recorded;
mod replay;
mod sarif;
mod source;
mod test;
mod typical;
mod when;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use ::policy::Policy;
use clap::{Args, Subcommand};

use super::Failure;
pub(super) use check::Summary;

/// Work with policies: check, try, learn and compare them
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  p11guard policy check /etc/p11guard/policy.toml
  p11guard policy learn --since 7d > policy.toml
  p11guard policy replay policy.toml --at 2031-01-01
  p11guard policy test policy.test.toml")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Check(check::Arguments),
    Explain(explain::Arguments),
    Test(test::Arguments),
    Learn(learn::Arguments),
    Replay(replay::Arguments),
    Diff(diff::Arguments),
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let ended = match &arguments.verb {
        Verb::Check(arguments) => return check::run(arguments),
        Verb::Explain(arguments) => explain::run(arguments),
        Verb::Test(arguments) => test::run(arguments),
        Verb::Learn(arguments) => learn::run(arguments),
        Verb::Replay(arguments) => replay::run(arguments),
        Verb::Diff(arguments) => diff::run(arguments),
    };
    match ended {
        Err(Failure::NoReader) => Err(Failure::NoReader),
        // 1 is the answer "no" of these verbs, as of diff(1).
        Err(failure) => {
            let _ = failure.report();
            Ok(ExitCode::from(TROUBLE))
        }
        ended => ended,
    }
}

/// Something could not be read, or makes no sense: no answer was given.
const TROUBLE: u8 = 2;

/// The policy in a file, if it holds together.
fn load(path: &Path) -> Result<Policy, Failure> {
    let bytes = fs::read(path).map_err(Failure::path("read", path, "name a policy that is there"))?;
    Policy::parse(&path.to_string_lossy(), &bytes)
        .map_err(|diagnostics| Failure::Refused(format!("the policy has mistakes\n{diagnostics}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_teaches_by_an_example_and_says_its_exit_codes() {
        let mut policy = Arguments::augment_args(clap::Command::new("policy"));
        for verb in policy.get_subcommands_mut() {
            let help = verb.render_long_help().to_string();
            let example = format!("p11guard policy {}", verb.get_name());
            assert!(help.contains("Exit codes: 0") && help.contains(&example), "{help}");
        }
    }
}
