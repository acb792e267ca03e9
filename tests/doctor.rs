// SPDX-License-Identifier: Apache-2.0
//! `p11guard doctor`: a host that is set up is told so, and each thing that is wrong is named with what to do.
#![allow(missing_docs)]

use std::process::Command;

use harness::artifacts;
use harness::collector::Collector;
use harness::guard::{ALLOW_ALL, Guard, Way};
use harness::run::run;
use harness::token;
use serde_json::Value;

/// What the doctor says of a host with this collector and this configuration: its exit status, and by check the states.
fn examine(collector: &Collector, way: &Way) -> (i32, Vec<(String, String, String)>) {
    artifacts::shim();
    let mut doctor = Command::new(artifacts::p11guard());
    doctor.args(["doctor", "--json", "--config"]).arg(way.guard().config());
    let said = run(doctor.arg("--collector").arg(collector.path("collector.toml")));
    let finding = |line: &str| {
        let finding: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
        (text("subject"), text("state"), line.to_owned())
    };
    (said.status, said.stdout.lines().map(finding).collect())
}

fn states<'f>(findings: &'f [(String, String, String)], state: &str) -> Vec<&'f str> {
    findings.iter().filter(|(_, is, _)| is == state).map(|(check, _, _)| check.as_str()).collect()
}

#[test]
fn a_host_that_is_set_up_has_nothing_wrong() {
    let collector = Collector::started();
    let token = token::softhsm();
    let way = Way::guarded(collector.guard(Guard::new(&token.module, ALLOW_ALL)), token);
    let (status, findings) = examine(&collector, &way);
    assert_eq!((status, states(&findings, "wrong")), (0, vec![]), "{findings:#?}");
    assert!(states(&findings, "ok").len() >= 5, "{findings:#?}");
}

#[test]
fn what_is_wrong_is_named_and_so_is_a_start_that_failed() {
    let collector = Collector::prepared();
    let token = token::softhsm();
    let way = Way::guarded(collector.guard(Guard::new(&token.module, ALLOW_ALL)), token);
    way.guard().set_policy("version = 1\ndefault = \"alow\"\n");
    let failed = run(way.command("pkcs11-tool").arg("--module").arg(&way.module).arg("-T"));
    assert_ne!(failed.status, 0);
    let (status, findings) = examine(&collector, &way);
    assert_eq!(status, 1);
    let all: String = findings.iter().map(|(_, _, line)| line.as_str()).collect();
    for told in ["policy.toml:2:11", "alow", "attach.sock"] {
        assert!(all.contains(told), "no {told} in {findings:#?}");
    }
    assert!(findings.iter().any(|(check, state, _)| check == "starts" && state != "ok"), "{findings:#?}");
}
