// SPDX-License-Identifier: Apache-2.0
//! `p11guard policy` over calls that were really made: what is learnt lets them pass, and what a replay finds is what
//! the library then refuses.
#![allow(missing_docs)]

#[path = "policy_cli/sight.rs"]
mod sight;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use harness::artifacts;
use harness::run::{Run, run};
use harness::token::{self, LABEL, PIN, Token};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Keys, signatures of three kinds and a digest; what is refused does not stop it.
const TRAFFIC: &str = r#"
    tool() { pkcs11-tool --module @P11GUARD@ --token-label "$LABEL" --login --pin "$PIN" "$@" >/dev/null 2>&1 || true; }
    echo document >"$FOLDER/document"
    head -c 32 /dev/zero >"$FOLDER/digest"
    tool --keypairgen --key-type RSA:2048 --label release --id 01
    tool --keypairgen --key-type EC:secp256r1 --label tls --id 02
    tool --sign --id 01 --mechanism SHA256-RSA-PKCS-PSS --input-file "$FOLDER/document" --output-file "$FOLDER/out"
    tool --sign --id 01 --mechanism SHA1-RSA-PKCS --input-file "$FOLDER/document" --output-file "$FOLDER/out"
    tool --sign --id 02 --mechanism ECDSA --input-file "$FOLDER/digest" --output-file "$FOLDER/out"
    tool --hash --mechanism SHA256 --input-file "$FOLDER/document" --output-file "$FOLDER/out"
"#;

const STRICT: &str = r#"
version = 1
name = "strict"
default = "allow"
[[rule]]
name = "no-sha1"
action = "deny"
operation = ["sign"]
mechanism = ["CKM_SHA1_RSA_PKCS"]
reason = "collisions of SHA-1 can be computed"
remedy = "use CKM_SHA256_RSA_PKCS_PSS"
clause = "SP 800-131A r2, section 3"
[[rule]]
name = "small-rsa-ends"
action = "deny"
operation = ["sign"]
mechanism = ["CKM_SHA256_RSA_PKCS_PSS"]
max_bits = 2048
from = 2031-01-01
remedy = "use a key of 3072 bits"
[[rule]]
name = "curves-are-watched"
action = "warn"
mechanism = ["CKM_ECDSA"]
"#;

/// The events of the traffic, recorded under an allow-all policy.
fn recorded() -> &'static Path {
    static RECORDED: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, events) = RECORDED.get_or_init(|| {
        let folder = TempDir::new().unwrap();
        let events = folder.path().join("events.jsonl");
        record(&token::softhsm(), None, &events).success();
        (folder, events)
    });
    events
}

fn record(token: &Token, policy: Option<&Path>, events: &Path) -> Run {
    artifacts::shim();
    let mut command = Command::new(artifacts::p11guard());
    command.args(["run", "--json", "--fail-on", "deny", "--module"]).arg(&token.module).arg("-o").arg(events);
    policy.map(|policy| command.arg("--policy").arg(policy));
    command.args(["--", "sh", "-c", TRAFFIC]).envs(token.environment.iter().cloned());
    run(command.env("LABEL", LABEL).env("PIN", PIN).env("FOLDER", token.folder.path()))
}

/// `p11guard policy ARGUMENTS` in `folder`, with the recorded events as `events.jsonl`.
fn policy(folder: &TempDir, arguments: &str) -> Run {
    let link = folder.path().join("events.jsonl");
    if !link.exists() {
        std::os::unix::fs::symlink(recorded(), link).unwrap();
    }
    let line = format!("\"$P11GUARD\" policy {arguments}");
    run(Command::new("sh")
        .args(["-c", &line])
        .env("P11GUARD", artifacts::p11guard())
        .current_dir(folder.path()))
}

fn folder_with(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

#[test]
fn what_is_learnt_lets_the_recorded_calls_pass_and_nothing_else() {
    let folder = folder_with(&[]);
    let learnt = policy(&folder, "learn events.jsonl").success().stdout;
    println!("{learnt}");
    std::fs::write(folder.path().join("learnt.toml"), &learnt).unwrap();
    policy(&folder, "check learnt.toml").success();
    let replayed = policy(&folder, "replay learnt.toml events.jsonl --fail-on warn").success();
    assert!(replayed.stdout.is_empty() && replayed.stderr.contains(" 0 would be refused"), "{replayed:?}");

    // Enforced, the same traffic passes, and a mechanism that was not seen does not.
    let again = TempDir::new().unwrap();
    let token = token::softhsm();
    let enforced =
        record(&token, Some(&folder.path().join("learnt.toml")), &again.path().join("events.jsonl"));
    assert_eq!(enforced.status, 0, "{enforced:?}");
    let unseen = r#"
        policy = "learnt.toml"
        [[case]]
        name = "an unseen mechanism"
        operation = "digest"
        mechanism = "CKM_SHA512"
        expect = "deny"
        rule = "default"
        [[case]]
        name = "a smaller key"
        operation = "sign"
        mechanism = "CKM_SHA256_RSA_PKCS_PSS"
        parameters = { hash = "CKM_SHA256", mgf = "CKG_MGF1_SHA256", salt_len = 32 }
        key = { bits = 1024 }
        expect = "deny"
        [[case]]
        name = "another curve"
        operation = "sign"
        mechanism = "CKM_ECDSA"
        key = { curve = "P-224" }
        expect = "deny"
        [[case]]
        name = "what was seen"
        operation = "sign"
        mechanism = "CKM_ECDSA"
        key = { curve = "P-256" }
        expect = "allow"
        rule = "sign-ecdsa"
    "#;
    std::fs::write(folder.path().join("unseen.toml"), unseen).unwrap();
    let tried = policy(&folder, "test unseen.toml");
    assert_eq!(tried.status, 0, "{tried:?}");
    for said in [
        "name = \"sign-ecdsa\"",
        "curve = [\"P-256\"]",
        "hash = [\"CKM_SHA256\"]",
        "# keys: \"tls\" (1)",
        "/pkcs11-tool (1)",
    ] {
        assert!(learnt.contains(said), "{said}\n{learnt}");
    }
}

#[test]
fn a_replay_finds_what_is_refused_once_the_policy_is_enforced() {
    let folder = folder_with(&[("strict.toml", STRICT)]);
    let found = policy(&folder, "replay strict.toml events.jsonl --json");
    assert_eq!(found.status, 3, "{found:?}");
    let (token, again) = (token::softhsm(), TempDir::new().unwrap());
    let events = again.path().join("events.jsonl");
    assert_eq!(record(&token, Some(&folder.path().join("strict.toml")), &events).status, 3);
    let judged = lines(&std::fs::read_to_string(events).unwrap());
    let words = |verdict: &Value, rule: &Value, call: &Value| {
        [verdict, rule, &call["function"], &call["mechanism"]["name"], &call["key"]["label"]]
            .map(|word| word.as_str().unwrap_or_default().to_owned())
    };
    let mut refused: Vec<_> = judged
        .iter()
        .filter(|call| ["deny", "warn"].contains(&call["verdict"]["action"].as_str().unwrap_or_default()))
        .map(|call| words(&call["verdict"]["action"], &call["verdict"]["rule"], call))
        .collect();
    let mut replayed: Vec<_> = lines(&found.stdout)
        .iter()
        .flat_map(|line| {
            vec![
                words(&line["verdict"], &line["rule"], line);
                usize::try_from(line["count"].as_u64().unwrap()).unwrap()
            ]
        })
        .collect();
    refused.sort();
    replayed.sort();
    println!("{replayed:#?}");
    assert_eq!(replayed, refused);
    assert_eq!(replayed.len(), 2);
}

#[test]
fn an_operation_that_would_not_begin_is_counted_once() {
    // A rule on the hash of signatures is asked of the data as well, where the Init was let through.
    let rule = |enforce: bool| {
        format!(
            "version = 1\ndefault = \"allow\"\n[[rule]]\nname = \"no-sha1\"\naction = \"deny\"\nenforce = {enforce}\n\
             operation = [\"sign\", \"sign-data\"]\nmechanism = [\"CKM_SHA1_RSA_PKCS\"]\nremedy = \"use SHA-256\"\n"
        )
    };
    let folder = folder_with(&[("enforced.toml", &rule(true)), ("shadow.toml", &rule(false))]);
    let functions = |policy_file: &str| {
        let found = policy(&folder, &format!("replay {policy_file} events.jsonl --json"));
        assert_eq!(found.status, 3, "{found:?}");
        let mut functions: Vec<_> =
            lines(&found.stdout).iter().map(|line| line["function"].as_str().unwrap().to_owned()).collect();
        functions.sort();
        functions
    };
    assert_eq!(functions("enforced.toml"), ["C_SignInit"]);
    assert_eq!(functions("shadow.toml"), ["C_Sign", "C_SignInit"]);
}

#[test]
fn a_replay_is_judged_on_the_day_that_is_asked_for() {
    let folder = folder_with(&[("strict.toml", STRICT)]);
    let rules = |arguments: &str| {
        let found = policy(&folder, &format!("replay strict.toml events.jsonl --json {arguments}"));
        let mut rules: Vec<String> =
            lines(&found.stdout).iter().map(|line| line["rule"].as_str().unwrap().to_owned()).collect();
        rules.sort();
        (found.status, rules.join(" "))
    };
    assert_eq!(rules(""), (3, "curves-are-watched no-sha1".into()));
    assert_eq!(rules("--at 2030-12-31"), (3, "curves-are-watched no-sha1".into()));
    assert_eq!(rules("--at 2031-01-01"), (3, "curves-are-watched no-sha1 small-rsa-ends".into()));
    assert_eq!(rules("--since 2100-01-01"), (0, String::new()));
    let table = policy(&folder, "replay strict.toml events.jsonl");
    assert_eq!(table.status, 3);
    assert!(table.stdout.starts_with("VERDICT") && !table.stdout.contains('\u{1b}'), "{}", table.stdout);
    let row = table.stdout.lines().find(|line| line.contains("no-sha1")).unwrap();
    let row: Vec<_> = row.split_whitespace().take(7).collect();
    assert_eq!(
        row,
        ["deny", "no-sha1", "CKM_SHA1_RSA_PKCS", "C_SignInit", "\"release\"", "pkcs11-tool", "1"]
    );
}

#[test]
fn a_warning_fails_a_replay_where_that_is_asked_for() {
    let folder = folder_with(&[(
        "warn.toml",
        "version = 1\ndefault = \"allow\"\n[[rule]]\nname = \"w\"\naction = \"warn\"\nmechanism = [\"CKM_ECDSA\"]\n",
    )]);
    assert_eq!(policy(&folder, "replay warn.toml events.jsonl").status, 0);
    assert_eq!(policy(&folder, "replay warn.toml events.jsonl --fail-on warn").status, 3);
    assert_eq!(policy(&folder, "replay warn.toml - --fail-on warn <events.jsonl").status, 3);
    assert_eq!(policy(&folder, "replay warn.toml . --fail-on warn").status, 3);
    // Without a name it is the log of the collector that is configured.
    let config = format!("log = {:?}\n", folder.path());
    std::fs::write(folder.path().join("collector.toml"), config).unwrap();
    assert_eq!(policy(&folder, "replay warn.toml --config collector.toml --fail-on warn").status, 3);
}

/// What SARIF 2.1.0 demands of the members that are used (sections 3.13, 3.14, 3.18, 3.19, 3.27, 3.28, 3.49).
const SARIF: &str = r##"{
  "$defs": {
    "text": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}},
    "level": {"enum": ["none", "note", "warning", "error"]},
    "rule": {
      "type": "object",
      "required": ["id"],
      "properties": {
        "id": {"type": "string"},
        "shortDescription": {"$ref": "#/$defs/text"},
        "fullDescription": {"$ref": "#/$defs/text"},
        "help": {"$ref": "#/$defs/text"},
        "defaultConfiguration": {"type": "object", "properties": {"level": {"$ref": "#/$defs/level"}}}
      },
      "additionalProperties": false
    },
    "location": {
      "type": "object",
      "required": ["physicalLocation"],
      "properties": {
        "physicalLocation": {
          "type": "object",
          "required": ["artifactLocation"],
          "properties": {
            "artifactLocation": {"type": "object", "required": ["uri"], "properties": {"uri": {"type": "string"}}},
            "region": {"type": "object", "properties": {"startLine": {"type": "integer", "minimum": 1}}}
          },
          "additionalProperties": false
        },
        "logicalLocations": {"type": "array", "items": {"type": "object", "required": ["name", "kind"]}}
      },
      "additionalProperties": false
    },
    "result": {
      "type": "object",
      "required": ["message", "ruleId", "ruleIndex", "level", "locations"],
      "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": {"$ref": "#/$defs/level"},
        "message": {"$ref": "#/$defs/text"},
        "occurrenceCount": {"type": "integer", "minimum": 1},
        "locations": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/location"}},
        "properties": {"type": "object"}
      },
      "additionalProperties": false
    },
    "driver": {
      "type": "object",
      "required": ["name"],
      "properties": {
        "name": {"const": "p11guard"},
        "semanticVersion": {"type": "string"},
        "rules": {"type": "array", "uniqueItems": true, "items": {"$ref": "#/$defs/rule"}}
      },
      "additionalProperties": false
    },
    "run": {
      "type": "object",
      "required": ["tool", "results"],
      "properties": {
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "tool": {"type": "object", "required": ["driver"], "properties": {"driver": {"$ref": "#/$defs/driver"}}},
        "results": {"type": "array", "items": {"$ref": "#/$defs/result"}}
      },
      "additionalProperties": false
    }
  },
  "type": "object",
  "required": ["version", "runs", "$schema"],
  "properties": {
    "$schema": {"type": "string"},
    "version": {"const": "2.1.0"},
    "runs": {"type": "array", "minItems": 1, "maxItems": 1, "items": {"$ref": "#/$defs/run"}}
  },
  "additionalProperties": false
}"##;

#[test]
fn findings_are_sarif_that_points_at_the_rule() {
    let folder = folder_with(&[("strict.toml", STRICT)]);
    let found = policy(&folder, "replay strict.toml events.jsonl --sarif");
    assert_eq!(found.status, 3, "{found:?}");
    let log: Value = serde_json::from_str(&found.stdout).unwrap();
    let shape = jsonschema::validator_for(&serde_json::from_str(SARIF).unwrap()).unwrap();
    let faults: Vec<String> =
        shape.iter_errors(&log).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert!(faults.is_empty(), "{faults:#?}\n{log:#}");
    let run = &log["runs"][0];
    for result in run["results"].as_array().unwrap() {
        let place = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][place]["id"], result["ruleId"]);
        let physical = &result["locations"][0]["physicalLocation"];
        let line = usize::try_from(physical["region"]["startLine"].as_u64().unwrap()).unwrap();
        let named = format!("name = {}", result["ruleId"]);
        assert_eq!(STRICT.lines().nth(line - 1), Some(&*named));
        assert_eq!(physical["artifactLocation"]["uri"], "strict.toml");
    }
    let clean = folder_with(&[("allow.toml", "version = 1\ndefault = \"allow\"\n")]);
    let nothing = policy(&clean, "replay allow.toml events.jsonl --sarif").success().stdout;
    assert!(shape.is_valid(&serde_json::from_str(&nothing).unwrap()), "{nothing}");
}

#[test]
fn a_refusal_is_explained_with_what_would_be_allowed() {
    let folder = folder_with(&[("strict.toml", STRICT)]);
    let events = lines(&std::fs::read_to_string(recorded()).unwrap());
    let call = events
        .iter()
        .find(|event| event["function"] == "C_SignInit" && event["mechanism"]["name"] == "CKM_SHA1_RSA_PKCS")
        .unwrap();
    let (id, index) = (call["id"].as_str().unwrap(), &call["index"]);
    let said = policy(&folder, &format!("explain {id} events.jsonl --policy strict.toml")).success().stdout;
    println!("{said}");
    for part in [
        "C_SignInit CKM_SHA1_RSA_PKCS with \"release\"",
        "then    allowed by rule default",
        "now     denied by rule no-sha1",
        "SP 800-131A r2, section 3",
        "collisions of SHA-1 can be computed",
        "use CKM_SHA256_RSA_PKCS_PSS",
        "instead CKM_",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    let by_index = policy(&folder, &format!("explain {index} events.jsonl --policy strict.toml")).success();
    assert_eq!(by_index.stdout, said);
    std::fs::write(folder.path().join("event.json"), call.to_string()).unwrap();
    let piped = policy(&folder, "explain - --policy strict.toml --json <event.json").success().stdout;
    let piped: Value = serde_json::from_str(&piped).unwrap();
    assert_eq!(
        (&piped["id"], &piped["now"]["verdict"], &piped["now"]["rule"]),
        (&call["id"], &json!("deny"), &json!("no-sha1"))
    );
    let instead = piped["now"]["instead"].as_array().unwrap();
    let names: Vec<_> = instead.iter().map(|instead| instead["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"CKM_SHA256_RSA_PKCS_PSS"), "{names:?}");
    assert!(
        !names.contains(&"CKM_SHA1_RSA_PKCS") && names.iter().all(|name| name.contains("RSA")),
        "{names:?}"
    );
    // The private policy of the run that recorded it is gone with the run.
    let without = policy(&folder, &format!("explain {id} events.jsonl")).success().stdout;
    assert!(without.contains("name one with --policy"), "{without}");
    let missing = policy(&folder, "explain 99999999 events.jsonl --policy strict.toml");
    assert!(missing.status == 2 && missing.stderr.contains("no event 99999999"), "{missing:?}");
}

#[test]
fn a_case_that_does_not_hold_is_shown_with_what_was_expected() {
    let cases = r#"policy = "strict.toml"
[[case]]
name = "SHA-1 signs"
operation = "sign"
mechanism = "CKM_SHA1_RSA_PKCS"
expect = "allow"
[[case]]
name = "ECDSA is watched"
operation = "sign"
mechanism = "CKM_ECDSA"
expect = "warn"
rule = "curves-are-watched"
"#;
    let broken = cases.replace("CKM_ECDSA", "CKM_EDCSA");
    let folder = folder_with(&[("strict.toml", STRICT), ("cases.toml", cases), ("broken.toml", &broken)]);
    let said = policy(&folder, "test cases.toml");
    assert_eq!(said.status, 1, "{said:?}");
    let expected = "FAIL  SHA-1 signs (cases.toml:3)\n      expected  allow\n      got       deny by rule no-sha1 (decided by: ";
    assert!(said.stdout.starts_with(expected), "{}", said.stdout);
    assert!(said.stdout.contains("ok    ECDSA is watched\n2 cases: 1 hold, 1 do not\n"), "{}", said.stdout);
    let told = lines(&policy(&folder, "test cases.toml --json").stdout);
    assert_eq!(
        (&told[0]["ok"], &told[1]["ok"], &told[0]["got"]["rule"]),
        (&json!(false), &json!(true), &json!("no-sha1"))
    );
    let mistaken = policy(&folder, "test broken.toml");
    assert_eq!(mistaken.status, 2, "{mistaken:?}");
    assert!(mistaken.stderr.contains("broken.toml:10:13: error: unknown mechanism"), "{}", mistaken.stderr);
    assert!(mistaken.stderr.contains("did you mean `CKM_ECDSA`?"), "{}", mistaken.stderr);
}

#[test]
fn policies_differ_in_text_and_in_what_they_allow() {
    let after =
        STRICT.replace("max_bits = 2048", "max_bits = 4095").replace("\"no-sha1\"", "\"no-more-sha1\"");
    let folder = folder_with(&[("before.toml", STRICT), ("after.toml", &after)]);
    policy(&folder, "diff before.toml before.toml").success();
    let said = policy(&folder, "diff before.toml after.toml --at 2031-01-01");
    assert_eq!(said.status, 1, "{said:?}");
    println!("{}", said.stdout);
    for part in [
        "- rule no-sha1 (deny)\n",
        "+ rule no-more-sha1 (deny)\n",
        "~ rule small-rsa-ends: max_bits 2048 -> 4095\n",
        "CKM_SHA256_RSA_PKCS_PSS  allow -> deny",
        "rsa-3072",
    ] {
        assert!(said.stdout.contains(part), "{part}\n{}", said.stdout);
    }
    let told = lines(&policy(&folder, "diff before.toml after.toml --at 2031-01-01 --json").stdout);
    let effects: Vec<_> = told.iter().filter(|line| line["change"] == "effect").collect();
    assert_eq!(effects.len(), 1, "{effects:#?}");
    assert_eq!(effects[0]["keys"], json!(["rsa-3072 SHA-256"]));
    // Today the rule is not in force, so nothing changes but the text.
    let today = policy(&folder, "diff before.toml after.toml --at 2026-11-21");
    assert!(today.status == 1 && today.stdout.contains("nothing changes"), "{today:?}");
}

#[test]
fn what_is_in_the_way_is_no_answer() {
    let folder = folder_with(&[
        ("broken.toml", "version = 1\ndefalt = \"deny\"\n"),
        ("nonsense.jsonl", "nonsense\n"),
        ("allow.toml", "version = 1\ndefault = \"allow\"\n"),
        ("nothing.jsonl", "{\"index\":0,\"event\":\"log.opened\"}\n"),
    ]);
    for (arguments, said) in [
        ("replay broken.toml events.jsonl", "broken.toml:2:1: error:"),
        ("replay missing.toml events.jsonl", "cannot read missing.toml"),
        ("replay allow.toml nonsense.jsonl", "nonsense.jsonl:1: not an event"),
        ("replay allow.toml missing.jsonl", "cannot open missing.jsonl"),
        ("replay allow.toml --at 2031", "2031-01-01"),
        ("learn nothing.jsonl", "nothing to learn from"),
        ("learn --config missing.toml", "missing.toml"),
        ("test broken.toml", "unknown key"),
        ("diff allow.toml broken.toml", "broken.toml:2:1: error:"),
        ("explain - --policy allow.toml <nonsense.jsonl", "not one event"),
    ] {
        let run = policy(&folder, arguments);
        assert_eq!(run.status, 2, "{arguments}: {run:?}");
        assert!(run.stderr.contains(said) && run.stdout.is_empty(), "{arguments}: {run:?}");
    }
}
