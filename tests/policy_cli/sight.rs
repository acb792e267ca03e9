// SPDX-License-Identifier: Apache-2.0
//! `p11guard policy` on what may be seen: replayed over calls that saw it all, explained, and tested.

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{folder_with, lines, policy, record, token};

/// Who may see which keys.
const VIEW: &str = r#"
version = 1
name = "view"
default = "allow"
[[rule]]
name = "own"
action = "allow"
operation = "see"
label = "tls"
[[rule]]
name = "others"
action = "deny"
operation = "see"
token_object = true
remedy = "use the key of TLS"
"#;

#[test]
fn a_replay_finds_the_uses_of_keys_that_would_not_be_there() {
    let folder = folder_with(&[("view.toml", VIEW)]);
    let replayed = policy(&folder, "replay view.toml events.jsonl --json");
    assert_eq!(replayed.status, 3, "{replayed:?}");
    let findings = lines(&replayed.stdout);
    assert!(!findings.is_empty());
    for finding in &findings {
        assert_eq!((&finding["rule"], &finding["operation"]), (&json!("others"), &json!("see")), "{finding}");
        assert_eq!(finding["key"]["label"], "release", "{finding}");
    }
    assert!(findings.iter().any(|finding| finding["function"] == "C_SignInit"));

    // And so they are refused where it is in force, and the event says why.
    let again = TempDir::new().unwrap();
    let events = again.path().join("events.jsonl");
    record(&token::softhsm(), Some(&folder.path().join("view.toml")), &events);
    let refused: Vec<Value> = lines(&std::fs::read_to_string(&events).unwrap())
        .into_iter()
        .filter(|event| event["verdict"]["rule"] == "others")
        .collect();
    assert!(!refused.is_empty());
    for event in refused {
        std::fs::write(folder.path().join("event.json"), event.to_string()).unwrap();
        let told = policy(&folder, "explain - --policy view.toml --json < event.json").success();
        let told: Value = serde_json::from_str(&told.stdout).unwrap();
        assert_eq!(told["operation"], "see", "{told}");
        assert_eq!((&told["then"]["rule"], &told["now"]["rule"]), (&json!("others"), &json!("others")));
    }
}

#[test]
fn what_may_be_seen_is_tested_like_the_rest() {
    let cases = r#"
        policy = "view.toml"
        [[case]]
        name = "its own"
        operation = "see"
        key = { label = "tls" }
        expect = "allow"
        [[case]]
        name = "another's"
        operation = "see"
        key = { label = "release", token = true }
        expect = "deny"
        rule = "others"
    "#;
    let folder = folder_with(&[("view.toml", VIEW), ("cases.toml", cases)]);
    let tested = policy(&folder, "test cases.toml");
    assert_eq!(tested.status, 0, "{tested:?}");
}
