// SPDX-License-Identifier: Apache-2.0
//! The command line: one line per verb. What a verb takes stands beside what it does, in `command/`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::command::{
    Failure, checkpoint, collect, completions, doctor, keep, man, policy, prove, run, schema, sign, tail,
    verify, verify_proof,
};

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed: what it was and what to do stands on stderr
  2    the command line is wrong; policy verbs: no answer, what is in the way stands on stderr
  3    run, policy replay: --fail-on was hit; verify: nothing is wrong, but no key vouches for it
  run passes on the exit code of its command, 128 + n where signal n ended it.

Examples:
  p11guard run --module /usr/lib/softhsm/libsofthsm2.so -- pkcs11-tool --module @P11GUARD@ -L
  p11guard tail --verdict deny
  p11guard doctor";

/// Judges and records every PKCS#11 call of this host
#[derive(Debug, Parser)]
#[command(name = "p11guard", version, max_term_width = 100, after_help = EXIT_CODES, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Run(run::Arguments),
    Tail(tail::Arguments),
    Doctor(doctor::Arguments),
    Policy(policy::Arguments),
    Verify(verify::Arguments),
    Prove(prove::Arguments),
    VerifyProof(verify_proof::Arguments),
    Checkpoint(checkpoint::Arguments),
    Collect(collect::Arguments),
    Schema(schema::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
    Keep(keep::Arguments),
    Sign(sign::Arguments),
}

impl Cli {
    /// Does what the command line says.
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        match self.verb {
            Verb::Run(arguments) => run::run(&arguments),
            Verb::Tail(arguments) => tail::run(&arguments),
            Verb::Doctor(arguments) => doctor::run(&arguments),
            Verb::Policy(arguments) => policy::run(&arguments),
            Verb::Verify(arguments) => verify::run(&arguments),
            Verb::Prove(arguments) => prove::run(&arguments),
            Verb::VerifyProof(arguments) => verify_proof::run(&arguments),
            Verb::Checkpoint(arguments) => checkpoint::run(&arguments),
            Verb::Collect(arguments) => collect::run(&arguments),
            Verb::Schema(arguments) => schema::run(&arguments),
            Verb::Completions(arguments) => completions::run(&arguments),
            Verb::Man(arguments) => man::run(&arguments),
            Verb::Keep(arguments) => keep::run(&arguments),
            Verb::Sign(arguments) => sign::run(&arguments),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("p11guard").chain(line.split_whitespace()))
    }

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_verb_that_is_shown_teaches_by_an_example() {
        for verb in Cli::command().get_subcommands_mut().filter(|verb| !verb.is_hide_set()) {
            let help = verb.render_long_help().to_string();
            let example = format!("p11guard {}", verb.get_name());
            assert!(help.contains("Example") && help.contains(&example), "{help}");
        }
    }

    #[test]
    fn what_is_right_is_taken_and_what_is_wrong_is_refused() {
        for right in [
            "collect",
            "collect --config /etc/p11guard/collector.toml",
            "run -- true",
            "run --module /m.so --policy p.toml --json --fail-on warn -o out.jsonl -- sh -c x --json",
            "run --library /l.so pkcs11-tool --module @P11GUARD@ -L",
            "tail --function C_Sign --function C_SignInit --verdict deny --pid 7 --exe java --key 01ff --json",
            "tail --from-start",
            "tail --after 17 --socket /s",
            "doctor --json",
            "policy check a.toml b.toml --json",
            "policy explain ab/0/1 events.jsonl --policy p.toml --at 2031-01-01 --json",
            "policy test a.toml b.toml --json",
            "policy learn --since 7d events.jsonl -",
            "policy replay p.toml --at 2031-01-01 --since 2026-11-01T08:00:00Z --fail-on warn --passed --sarif",
            "policy diff a.toml b.toml --json",
            "verify",
            "verify /log --key k --since n --json",
            "prove 17 /log --key k",
            "prove ab/0/1 --event",
            "verify-proof p --event e --key k --json",
            "checkpoint --key",
            "schema",
            "completions bash",
            "man",
            "man dir",
        ] {
            assert!(parse(right).is_ok(), "{right}: {}", parse(right).unwrap_err());
        }
        for wrong in [
            "",
            "run",
            "run --fail-on allow -- true",
            "tail --function C_Sing",
            "tail --verdict denied",
            "tail --from-start --after 17",
            "policy",
            "policy check",
            "policy learn --since yesterday",
            "policy replay",
            "policy replay p.toml --at 7d",
            "policy replay p.toml --json --sarif",
            "policy diff a.toml",
            "prove",
            "verify-proof p",
            "completions",
            "bogus",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_misspelt_function_suggests_the_right_one() {
        let message = parse("tail --function C_SingInit").unwrap_err().to_string();
        assert!(message.contains("C_SignInit"), "{message}");
    }

    #[test]
    fn everything_after_the_command_is_the_commands() {
        let Verb::Run(arguments) = parse("run --module /m.so sh --module x --help").unwrap().verb else {
            panic!()
        };
        assert_eq!(arguments.command, ["sh", "--module", "x", "--help"]);
    }
}
