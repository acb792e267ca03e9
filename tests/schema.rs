// SPDX-License-Identifier: Apache-2.0
//! Is every line that the collector writes what the schema says? A broad run, over four modules, with refusals, forks and
//! a killed process in it.

use std::collections::BTreeMap;
use std::process::Stdio;

use harness::artifacts;
use harness::collector::Collector;
use harness::guard::{ALLOW_ALL, Guard, Way};
use harness::run::{Run, run};
use harness::token::{self, PIN, Token};
use serde_json::Value;

const DENY: &str = r#"
version = 1
default = "allow"
[[rule]]
name = "no-des"
action = "deny"
mechanism = ["CKM_DES3_CBC", "CKM_MD5"]
reason = "broken"
remedy = "use CKM_AES_GCM"
[[rule]]
name = "old-hash"
action = "warn"
mechanism = ["CKM_SHA_1"]
reason = "collisions"
remedy = "use CKM_SHA256"
[[rule]]
name = "shadow"
action = "deny"
enforce = false
mechanism = ["CKM_AES_CBC"]
remedy = "use CKM_AES_GCM"
"#;

fn work(collector: &Collector, token: Token, policy: &str, work: impl FnOnce(&Way, Option<String>) -> Run) {
    let reserved = token.reserved.clone();
    let guard = collector.guard(Guard::new(&token.module, policy));
    let way = Way::guarded(guard, token);
    let seen = work(&way, reserved);
    assert_eq!(seen.status, 0, "{}\n{:?}", seen.stderr, way.fault());
}

#[test]
fn every_event_of_a_broad_run_fits_the_schema() {
    let schema =
        std::fs::read_to_string(artifacts::root().join("src/event/event.schema.json")).expect("the schema");
    let schema: Value = serde_json::from_str(&schema).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");

    let mut collector = Collector::started();
    let scenario = artifacts::c_host("scenario");
    let tokens = [token::softhsm(), token::nss(), token::kryoptic(), token::stub("")];
    let streams = tokens.len() + 5;
    for token in tokens {
        work(&collector, token, DENY, |way, reserved| {
            run(way.command(&scenario).arg(&way.module).arg(PIN).args(reserved))
        });
    }
    let host = |way: &Way, arguments: &[&str]| {
        run(way.command(artifacts::host()).arg(arguments[0]).arg(&way.module).args(&arguments[1..]))
    };
    work(&collector, token::stub(""), DENY, |way, _| host(way, &["veto", "307", "4226"]));
    work(&collector, token::stub("lying-lengths"), ALLOW_ALL, |way, _| host(way, &["nulls"]));
    work(&collector, token::stub(""), ALLOW_ALL, |way, _| host(way, &["fork", "5"]));
    work(&collector, token::stub(""), ALLOW_ALL, |way, _| {
        let mut storm = way.command(artifacts::host());
        storm
            .arg("storm")
            .arg(&way.module)
            .args(["2", "20", "2", "finalize"])
            .stdout(Stdio::piped())
            .stdin(Stdio::piped());
        let mut storm = storm.spawn().expect("the host runs");
        storm.kill().expect("our own child");
        storm.wait().expect("our own child");
        run(&mut std::process::Command::new("true"))
    });
    // The last one may have been killed before it had a stream.
    collector.stored_after(streams - 1);
    collector.stop();

    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    for event in collector.stored() {
        if let Err(error) = validator.validate(&event) {
            panic!("{error}\nin {event}");
        }
        *kinds.entry(event["event"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    for kind in ["call", "log.opened", "log.closed", "stream.opened", "stream.closed"] {
        assert!(kinds.contains_key(kind), "no {kind}: {kinds:?}");
    }
    println!("{kinds:?} fit");
}
