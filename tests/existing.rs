// SPDX-License-Identifier: Apache-2.0
//! Do rules hold for keys that nobody made under them? The parameter set and the public exponent of a key are asked of
//! its token when the key is used, and stand in the event.

use harness::artifacts;
use harness::collector::Collector;
use harness::guard::{Guard, Way};
use harness::run::run;
use harness::token::{self, Token};
use serde_json::{Value, json};

/// What became of a piece of work under a policy of one rule beside a default that allows, and the event of its
/// `C_SignInit`.
fn worked(token: Token, name: &str, policy: &str) -> (String, Value) {
    let collector = Collector::started();
    let policy = format!("version = 1\ndefault = \"allow\"\n{policy}");
    let way = Way::guarded(collector.guard(Guard::new(&token.module, &policy)), token);
    let mut host = way.command(artifacts::host());
    host.arg("life").arg(&way.module).arg(name).args(way.token().reserved.as_deref());
    let said = run(&mut host).success().stdout.lines().last().unwrap_or_default().to_owned();
    let stored = collector.stored_after(1);
    let begun = stored.into_iter().find(|event| event["function"] == "C_SignInit");
    (said, begun.expect("the signature is in the log"))
}

#[test]
fn a_key_of_another_parameter_set_does_not_sign() {
    const RULES: &str = "[[rule]]\nname = \"large\"\naction = \"allow\"\noperation = \"sign\"\n\
                         parameter_set = \"ML-DSA-87\"\n\
                         [[rule]]\nname = \"others\"\naction = \"deny\"\noperation = \"sign\"\n\
                         remedy = \"sign with ML-DSA-87\"\n";
    for (name, rule, set) in [
        ("ml-dsa-44", "others", json!({"number": 1, "name": "ML-DSA-44"})),
        ("ml-dsa-87", "large", json!({"number": 3, "name": "ML-DSA-87"})),
    ] {
        let (said, event) = worked(token::kryoptic(), name, RULES);
        println!("{name}: {said}, {}", event["key"]["parameter_set"]);
        assert_eq!(event["key"]["parameter_set"], set, "{event}");
        assert_eq!(event["verdict"]["rule"], rule, "{event}");
        assert_eq!(said == "done", rule == "large", "{said}");
    }
    // The strength of a parameter set is what profiles ask of it.
    let (said, event) =
        worked(token::kryoptic(), "ml-dsa-44", "include = [\"cnsa-2.0\"]\nmode = \"observe\"\n");
    assert_eq!((said.as_str(), &event["verdict"]["rule"]), ("done", &json!("cnsa-small-ml-dsa")));
}

#[test]
fn a_key_with_a_small_exponent_does_not_sign() {
    const RULE: &str = "[[rule]]\nname = \"small\"\naction = \"deny\"\noperation = \"sign\"\n\
                        max_exponent = 65536\nremedy = \"make a key with 65537\"\n";
    for (policy, rule) in [(RULE, "small"), ("guards = [\"no-raw-rsa\"]\nmode = \"observe\"\n", "no-raw-rsa")]
    {
        let (said, event) = worked(token::softhsm(), "small-exponent", policy);
        println!("{rule}: {said}");
        assert_eq!(event["verdict"]["rule"], rule, "{event}");
        assert_eq!(event["key"]["public_exponent"], 3, "{event}");
        assert_eq!(said == "done", rule != "small", "{said}");
    }
    let (said, event) = worked(token::softhsm(), "code-signing", RULE);
    assert_eq!((said.as_str(), &event["key"]["public_exponent"]), ("done", &json!(65537)));
}
