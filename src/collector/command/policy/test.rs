// SPDX-License-Identifier: Apache-2.0
//! `p11guard policy test`: what a policy must say of calls that its owner thought of, one table of cases in a file.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use clap::Args;
use collector::render::Shown;
use policy::{Policy, Verdict};
use serde_json::json;

use super::super::{Failure, print};
use super::cases::{self, Case};
use super::hardened::Hardened;
use super::load;

/// Try a policy with cases that say what it must answer
#[derive(Debug, Args)]
#[command(after_help = "\
A file of cases stands beside its policy:

  policy = \"policy.toml\"
  [[case]]
  name = \"releases are not signed with SHA-1\"
  operation = \"sign\"
  mechanism = \"CKM_SHA1_RSA_PKCS\"
  key = { class = \"CKO_PRIVATE_KEY\", type = \"CKK_RSA\", bits = 3072, label = \"release\" }
  process = { exe = \"/usr/bin/signer\" }
  time = 2031-01-01
  expect = \"deny\"
  rule = \"no-sha1\"

Further keys: enforced = true, hardened = [\"sensitive\", \"end_date\"], function, parameters, target, template, private_template, token, user, memory, input, flags.

Exit codes: 0 all cases hold, 1 some do not, 2 the file or the policy has mistakes.

Example:
  p11guard policy test policy.test.toml")]
pub(super) struct Arguments {
    /// The files of cases
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// One line of JSON for each case
    #[arg(long)]
    json: bool,
}

const HELD: Style = AnsiColor::Green.on_default();
const BROKEN: Style = AnsiColor::Red.on_default().bold();

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (mut cases, mut broken) = (0_u64, 0_u64);
    for path in &arguments.files {
        let bytes = fs::read(path).map_err(Failure::path("read", path, "name a file of cases"))?;
        let file = cases::read(&path.to_string_lossy(), &bytes).map_err(Failure::Refused)?;
        // As seen from the file of cases, so that both can move together.
        let policy = load(&path.parent().unwrap_or(Path::new("")).join(&file.policy))?;
        for case in &file.cases {
            cases += 1;
            let verdict = policy.judge(&case.call.facts());
            broken += u64::from(!case.holds(verdict));
            print(&if arguments.json {
                json(path, case, &policy, verdict)
            } else {
                words(path, case, verdict)
            })?;
        }
    }
    if !arguments.json {
        let held = cases - broken;
        print(&format!(
            "{cases} {}: {held} hold, {broken} do not\n",
            if cases == 1 { "case" } else { "cases" }
        ))?;
    }
    Ok(if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Case {
    fn holds(&self, verdict: Verdict<'_>) -> bool {
        let enforced = self.enforced.is_none_or(|enforced| enforced == verdict.enforced());
        let hardened = self.hardened.as_ref().is_none_or(|names| *names == self.added(verdict));
        let as_named = self.rule.as_ref().is_none_or(|rule| rule == verdict.rule().name());
        verdict.action().name() == self.expect && as_named && enforced && hardened
    }

    /// What is added to the templates.
    fn added(&self, verdict: Verdict<'_>) -> BTreeSet<&'static str> {
        let hardened = Hardened::of(verdict, &self.call).filter(|hardened| hardened.applied);
        hardened.map(|hardened| hardened.names()).unwrap_or_default()
    }

    /// What else was asked of the verdict, and what it is, in words.
    fn further(&self, verdict: Verdict<'_>) -> [String; 2] {
        let words = |enforced: Option<bool>, hardened: Option<BTreeSet<&str>>| {
            let enforced = enforced.map(|enforced| if enforced { ", enforced" } else { ", in shadow" });
            let list = |names: BTreeSet<&str>| names.into_iter().collect::<Vec<_>>().join(", ");
            let hardened = hardened.map(|names| format!(", hardened with [{}]", list(names)));
            format!("{}{}", enforced.unwrap_or_default(), hardened.unwrap_or_default())
        };
        let got = self.hardened.as_ref().map(|_| self.added(verdict));
        [words(self.enforced, self.hardened.clone()), words(self.enforced.map(|_| verdict.enforced()), got)]
    }
}

fn words(path: &Path, case: &Case, verdict: Verdict<'_>) -> String {
    let name = Shown(&case.name);
    if case.holds(verdict) {
        return format!("{HELD}ok{HELD:#}    {name}\n");
    }
    let path = path.to_string_lossy();
    let expected = match &case.rule {
        Some(rule) => format!("{} by rule {}", case.expect, Shown(rule)),
        None => case.expect.to_owned(),
    };
    let [further, further_got] = case.further(verdict);
    let (got, rule) = (verdict.action().name(), Shown(verdict.rule().name()));
    format!(
        "{BROKEN}FAIL{BROKEN:#}  {name} ({}:{})\n      expected  {expected}{further}\n      got       {got} by rule {rule}{further_got} \
         (decided by: {})\n",
        Shown(&path),
        case.line,
        Shown(verdict.decided_by())
    )
}

fn json(path: &Path, case: &Case, policy: &Policy, verdict: Verdict<'_>) -> String {
    let line = json!({
        "path": path.to_string_lossy(),
        "line": case.line,
        "name": case.name,
        "ok": case.holds(verdict),
        "policy": policy.name(),
        "expected": {
            "verdict": case.expect,
            "rule": case.rule,
            "enforced": case.enforced,
            "hardened": case.hardened,
        },
        "got": {
            "verdict": verdict.action().name(),
            "rule": verdict.rule().name(),
            "conditions": verdict.decided_by(),
            "enforced": verdict.enforced(),
            "hardened": case.added(verdict),
        },
    });
    format!("{line}\n")
}
