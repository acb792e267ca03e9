// SPDX-License-Identifier: Apache-2.0
//! `p11guard run`: one command with a collector of its own. The command notices nothing, its status comes through, and
//! `--fail-on` makes a refusal a failure.
#![allow(missing_docs)]

use std::process::Command;

use harness::artifacts;
use harness::run::{Run, run};
use harness::token::{self, LABEL, PIN, Token};
use serde_json::Value;

const ALLOWS_DIGESTS_ONLY: &str = r#"
version = 1
name = "digests"
[[rule]]
name = "sha-2"
action = "allow"
mechanism = ["CKM_SHA256"]
"#;

/// `p11guard run ARGUMENTS` over a SoftHSM token; SHELL is what it runs, with the shim's path where it says @P11GUARD@.
fn run_with(token: &Token, arguments: &[&str], shell: &str) -> Run {
    // Built before it is looked for.
    artifacts::shim();
    let mut command = Command::new(artifacts::p11guard());
    command.arg("run").arg("--module").arg(&token.module).args(arguments).args(["--", "sh", "-c", shell]);
    run(command.envs(token.environment.iter().cloned()))
}

fn tool(arguments: &str) -> String {
    format!("pkcs11-tool --module @P11GUARD@ --token-label '{LABEL}' --login --pin {PIN} {arguments}")
}

#[test]
fn the_status_of_the_command_comes_through() {
    let token = token::softhsm();
    assert_eq!(run_with(&token, &[], "exit 7").status, 7);
    assert_eq!(run_with(&token, &[], "kill -9 $$").status, 128 + 9);
    let missing = run(Command::new(artifacts::p11guard())
        .arg("run")
        .arg("--module")
        .arg(&token.module)
        .args(["--", "/no/such"]));
    assert!(missing.status != 0 && missing.stderr.contains("/no/such"), "{missing:?}");
}

#[test]
fn the_command_is_told_where_the_shim_is() {
    let said = run_with(
        &token::softhsm(),
        &[],
        "test @P11GUARD@ = \"$P11GUARD_MODULE_PATH\" && echo \"$P11GUARD_MODULE_PATH\"",
    );
    assert_eq!(said.clone().success().stdout.trim(), artifacts::shim().to_str().unwrap());
}

#[test]
fn every_call_is_a_line_of_json_as_it_happens() {
    let (token, folder) = (token::softhsm(), tempfile::TempDir::new().unwrap());
    let events = folder.path().join("events.jsonl");
    let said =
        run_with(&token, &["--json", "-o", events.to_str().unwrap()], &tool("--list-objects")).success();
    let lines: Vec<Value> = std::fs::read_to_string(&events)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let calls = |function: &str| lines.iter().filter(|line| line["function"] == function).count();
    assert_eq!((calls("C_Initialize"), calls("C_Login"), calls("C_Finalize")), (1, 1, 1));
    let login = lines.iter().find(|line| line["function"] == "C_Login").unwrap();
    assert_eq!((&login["user"], &login["session"]["token"]["label"]), (&"user".into(), &LABEL.into()));
    let closed = lines.iter().find(|line| line["event"] == "stream.closed").unwrap();
    assert_eq!((closed["lost"].as_u64(), closed["unexplained"].as_u64()), (Some(0), Some(0)));
    println!("{} lines; {}", lines.len(), said.stderr.lines().last().unwrap_or_default());
}

#[test]
fn a_refusal_fails_the_run_where_it_was_asked_to() {
    let (token, folder) = (token::softhsm(), tempfile::TempDir::new().unwrap());
    let policy = folder.path().join("policy.toml");
    std::fs::write(&policy, ALLOWS_DIGESTS_ONLY).unwrap();
    let policy = policy.to_str().unwrap();
    let digest = |mechanism: &str| {
        format!(
            "echo data | pkcs11-tool --module @P11GUARD@ --token-label '{LABEL}' --hash --mechanism {mechanism} >/dev/null; true"
        )
    };
    let allowed = run_with(&token, &["--policy", policy, "--fail-on", "deny"], &digest("SHA256"));
    assert_eq!(allowed.status, 0, "{allowed:?}");
    let denied = run_with(&token, &["--policy", policy, "--fail-on", "deny"], &digest("SHA512"));
    assert_eq!(denied.status, 3, "{denied:?}");
    let told = run_with(&token, &["--policy", policy], &digest("SHA512"));
    assert_eq!(told.status, 0, "{told:?}");
    assert!(told.stderr.contains("CKR_MECHANISM_INVALID") && told.stderr.contains("1 denied"), "{told:?}");
}

#[test]
fn without_a_policy_everything_is_observed_and_nothing_refused() {
    let shell = format!(
        "echo data | pkcs11-tool --module @P11GUARD@ --token-label '{LABEL}' --hash --mechanism SHA512 >/dev/null"
    );
    let said = run_with(&token::softhsm(), &["--fail-on", "deny"], &shell).success();
    assert!(said.stderr.contains("C_DigestInit CKM_SHA512"), "{}", said.stderr);
}

#[test]
fn a_broken_policy_is_shown_before_anything_runs() {
    let (token, folder) = (token::softhsm(), tempfile::TempDir::new().unwrap());
    let policy = folder.path().join("policy.toml");
    std::fs::write(&policy, "version = 1\ndefalt = \"deny\"\n").unwrap();
    let said = run_with(&token, &["--policy", policy.to_str().unwrap()], "echo ran");
    assert!(said.status != 0 && !said.stdout.contains("ran"), "{said:?}");
    assert!(
        said.stderr.contains("policy.toml:2:1: error:") && said.stderr.contains("default"),
        "{}",
        said.stderr
    );
}
