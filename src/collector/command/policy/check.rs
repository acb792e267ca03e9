// SPDX-License-Identifier: Apache-2.0
//! `p11guard policy check`: what the library would say of a policy, before any application meets it.

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use collector::render::{Hex, Shown};
use policy::{Action, Diagnostics, Enforce, Mode, Policy};
use serde_json::{Value, json};

use super::super::{Failure, print};

/// Say whether policies hold together; each mistake with its place and what to write instead
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 all hold together, 1 some do not, 2 the command line is wrong.

Example:
  p11guard policy check /etc/p11guard/policy.toml && systemctl restart signer")]
pub(super) struct Arguments {
    /// The policies
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// One line of JSON for each policy
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut all_right = true;
    for path in &arguments.files {
        let name = path.to_string_lossy();
        let bytes = fs::read(path).map_err(Failure::path("read", path, "name a policy that is there"))?;
        let parsed = Policy::parse(&name, &bytes);
        all_right &= parsed.is_ok();
        match parsed {
            parsed if arguments.json => print(&format!("{}\n", report(&name, &parsed)))?,
            Ok(policy) => print(&format!("{}: {}\n", Shown(&name), Summary(&policy)))?,
            // Where stderr is gone the exit code still says it.
            Err(diagnostics) => drop(writeln!(anstream::stderr(), "{diagnostics}\n")),
        }
    }
    Ok(if all_right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What a policy amounts to, in one line.
pub(in super::super) struct Summary<'a>(pub(in super::super) &'a Policy);

impl Display for Summary<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let count = |action| self.0.rules().filter(|rule| rule.action() == action).count();
        let how = |how| self.0.rules().filter(|rule| rule.enforce() == how).count();
        let (shadow, staged) = (how(Enforce::Never), how(Enforce::Staged));
        // The default stands after the last rule.
        let rules = self.0.rules().count() - 1;
        let default = self.0.rules().last().map_or("deny", |rule| rule.action().name());
        write!(f, "policy \"{}\" in mode {}: {rules} rules", Shown(self.0.name()), mode(self.0))?;
        let [allow, warn, deny, quarantine] =
            [Action::Allow, Action::Warn, Action::Deny, Action::Quarantine].map(count);
        write!(f, " and the default {default} (allow {allow}, warn {warn}, deny {deny}")?;
        if quarantine > 0 {
            write!(f, ", quarantine {quarantine}")?;
        }
        write!(f, "; in shadow {shadow}, staged {staged})")?;
        write!(f, ", sha256 {}", hash(self.0))
    }
}

fn report(path: &str, parsed: &Result<Policy, Diagnostics>) -> Value {
    match parsed {
        Ok(policy) => json!({
            "path": path,
            "ok": true,
            "name": policy.name(),
            "mode": mode(policy),
            "rules": policy.rules().count() - 1,
            "sha256": hash(policy),
        }),
        Err(diagnostics) => {
            let mistakes = diagnostics.list().iter().map(|mistake| {
                json!({
                    "line": mistake.line(),
                    "column": mistake.column(),
                    "message": mistake.message(),
                    "help": mistake.help(),
                })
            });
            json!({"path": path, "ok": false, "mistakes": mistakes.collect::<Vec<_>>()})
        }
    }
}

pub(super) fn mode(policy: &Policy) -> &'static str {
    match policy.mode() {
        Mode::Enforce => "enforce",
        Mode::Observe => "observe",
    }
}

pub(super) fn hash(policy: &Policy) -> String {
    Hex(&policy.hash()).to_string()
}
