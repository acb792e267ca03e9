// SPDX-License-Identifier: Apache-2.0
//! Is what the policy hides not there? Not in lists and searches, not by a handle that was guessed, in no argument and
//! inside no parameter; and is all the rest as it was? The stub vendor counts what arrives; SoftHSM is a real token.

use std::collections::BTreeSet;

use event::parameter::Kind;
use event::{FUNCTIONS, Function};
use harness::artifacts;
use harness::collector::Collector;
use harness::counts::WAYS;
use harness::guard::{Guard, Route, Way};
use harness::run::{Run, run};
use harness::token::{self, LABEL, PIN, SO_PIN, Token};
use serde_json::Value;

#[path = "parameters/samples.rs"]
#[allow(dead_code)]
mod samples;

/// The stub vendor's RSA keys, handles 2 and 3, and nothing else.
const RSA_ALONE: &str = r#"
version = 1
default = "allow"
[[rule]]
name = "own"
action = "allow"
operation = "see"
label = "stub rsa"
[[rule]]
name = "others"
action = "deny"
operation = "see"
remedy = "use keys of your own"
"#;
const HIDDEN: u64 = 1;
const SHOWN: u64 = 3;

const NO_SLOT: &str = r#"
version = 1
default = "allow"
[[rule]]
name = "no-stub"
action = "deny"
operation = "see-token"
token = "stub *"
remedy = "use another token"
"#;

fn guarded(token: Token, policy: &str) -> Way {
    Way::guarded(Guard::new(&token.module, policy), token)
}

fn host(way: &Way, subject: &str, arguments: &[&str]) -> Run {
    let mut command = way.command(artifacts::host());
    command.arg(subject).arg(&way.module).args(arguments);
    let seen = run(&mut command);
    assert_eq!(seen.status, 0, "{}{} {:?}", seen.stdout, seen.stderr, way.fault());
    seen
}

/// What PKCS#11 3.2 has for a handle that is none, by function and argument.
fn invalid(function: &str, argument: &str) -> &'static str {
    match (function, argument) {
        (_, "hWrappingKey") => "0x113",
        (_, "hUnwrappingKey") => "0xf0",
        (_, "hObject") => "0x82",
        _ => "0x60",
    }
}

#[test]
fn no_function_takes_the_handle_of_a_hidden_object() {
    let way = guarded(token::stub(""), RSA_ALONE);
    let seen = host(&way, "handles", &[&HIDDEN.to_string(), &SHOWN.to_string()]);
    let mut lines = seen.stdout.lines();
    let mut places = 0;
    for (place, name) in WAYS.iter().enumerate() {
        let most = [(3, 2), (2, 40), (3, 0), (3, 2)][place];
        for function in FUNCTIONS.iter().filter(|function| function.since <= most) {
            for (argument, _) in function.arguments.iter().filter(|(_, kind)| *kind == "CK_OBJECT_HANDLE") {
                let line = lines.next().expect("a line for each handle");
                let expected =
                    format!("{name} {} {argument} {}:0:", function.name, invalid(function.name, argument));
                assert!(line.starts_with(&expected), "{line}, not {expected}");
                places += 1;
            }
        }
    }
    assert_eq!(lines.next(), None);
    println!("{places} handles of hidden objects, 0 of them reached the vendor");
}

#[test]
fn a_shown_object_is_as_it_was() {
    let direct = host(&Way::new(Route::Direct, token::stub("")), "handles", &["3", "3"]);
    let judged = host(&guarded(token::stub(""), RSA_ALONE), "handles", &["3", "3"]);
    assert_eq!(judged.stdout, direct.stdout);
}

#[test]
fn no_parameter_takes_the_handle_of_a_hidden_object() {
    let way = guarded(token::stub(""), RSA_ALONE);
    let seen = host(&way, "inside", &[&HIDDEN.to_string(), &SHOWN.to_string()]);
    let mut tried = BTreeSet::new();
    for line in seen.stdout.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        if words[1] == "unused" {
            assert!(words[2].contains(":1:"), "{line}: what no flag switches on is no handle");
            continue;
        }
        let [hidden, shown, shorter] = [2, 3, 4].map(|place| words[place]);
        // CKR_MECHANISM_PARAM_INVALID, and the vendor was not asked; nor where the handle could not be read.
        assert!(hidden.starts_with("0x71:0:") && shorter.starts_with("0x71:0:"), "{line}");
        assert!(shown.contains(":1:"), "{line}: a shown one goes through");
        tried.insert((words[0].to_owned(), words[1].to_owned()));
    }
    let of_samples = samples::samples().into_iter().flat_map(|sample| {
        let handles = sample.fields.into_iter().filter(|(_, field, _)| field.kind() == Kind::Handle);
        handles.map(move |(_, field, _)| (format!("{:?}", sample.shape), format!("{field:?}")))
    });
    let mut expected: BTreeSet<_> = of_samples.collect();
    for shape in ["Sp800108Kdf", "Sp800108FeedbackKdf"] {
        expected.insert((shape.into(), "pDataParams".into()));
    }
    assert_eq!(tried, expected);
    println!("{} places for handles inside parameters, 0 hidden ones reached the vendor", tried.len());
}

#[test]
fn a_hidden_slot_is_none() {
    let token = token::stub("slot-events");
    let bare = token.module.display().to_string();
    let way = guarded(token, NO_SLOT);
    let seen = host(&way, "slots", &[&bare]);
    let (mut calls, mut expected) = (0, 0);
    for line in seen.stdout.lines() {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["closed", seen] => assert!(seen.starts_with("0x0:1:"), "{line}: to close takes nothing"),
            [_, "list", sized, filled] => {
                assert_eq!((sized, filled), ("sized=0x0,0", "filled=0x0,0,99"), "{line}");
            }
            // CKR_NO_EVENT, and not even the number of the slot.
            [_, event] => assert_eq!(event, "event=0x8,99", "{line}"),
            [_, function, argument, seen] => {
                calls += 1;
                let own = if argument == "slotID" { "0x3:" } else { "0xb3:" };
                assert!(seen.starts_with(own), "{line}");
                // Asked by the library itself: which token it is, and whether the session is there.
                let asked = ["C_GetTokenInfo", "C_GetSessionInfo"].contains(&function);
                assert!(seen.contains(":0:") || asked, "{line}: reached the vendor");
            }
            _ => panic!("{line}"),
        }
    }
    for most in [(3, 2), (2, 40), (3, 0), (3, 2)] {
        let all = FUNCTIONS.iter().filter(|function| function.since <= most);
        let takes = |f: &&event::FunctionInfo| {
            f.arguments.iter().any(|(_, kind)| ["CK_SLOT_ID", "CK_SESSION_HANDLE"].contains(kind))
        };
        expected += all.filter(takes).filter(|f| f.name != Function::C_CloseSession.name()).count();
    }
    assert_eq!(calls, expected);
    println!("{calls} calls for a hidden slot, none of which was done");
}

/// SoftHSM with a second token, and keys, data and a certificate of two tenants in the first.
fn two_tenants() -> Token {
    let token = token::softhsm();
    let module = token.module.display().to_string();
    let tool = |program: &str, arguments: &[&str]| {
        let mut command = std::process::Command::new(program);
        command.args(arguments).envs(token.environment.iter().cloned()).current_dir(token.folder.path());
        run(&mut command).success();
    };
    tool("softhsm2-util", &["--init-token", "--free", "--label", SECOND, "--pin", PIN, "--so-pin", SO_PIN]);
    std::fs::write(token.folder.path().join("data"), "data").expect("a file");
    let make = |arguments: &[&str]| {
        let login = ["--module", &module, "--token-label", LABEL, "--login", "--pin", PIN];
        tool("pkcs11-tool", &[&login[..], arguments].concat());
    };
    for label in ["tenant-a-tls", "tenant-b-tls"] {
        make(&["--keypairgen", "--key-type", "EC:secp256r1", "--label", label]);
    }
    for label in ["tenant-a-data", "tenant-b-data"] {
        make(&["--write-object", "data", "--type", "data", "--label", label]);
    }
    for label in ["tenant-a-aes", "tenant-b-aes"] {
        make(&["--keygen", "--key-type", "AES:32", "--label", label]);
    }
    token
}

const SECOND: &str = "another token";

const TENANT_A: &str = r#"
version = 1
name = "tenant-a"
default = "allow"
[[rule]]
name = "own-keys"
action = "allow"
operation = "see"
label = "tenant-a-*"
[[rule]]
name = "session-objects"
action = "allow"
operation = "see"
token_object = false
[[rule]]
name = "other-tenants"
action = "deny"
operation = "see"
remedy = "use keys whose label begins with tenant-a-"
[[rule]]
name = "own-token"
action = "allow"
operation = "see-token"
token = "p11guard *"
[[rule]]
name = "other-tokens"
action = "deny"
operation = "see-token"
remedy = "use the token of p11guard"
"#;

const ALL: &str = "tenant-a-aes,tenant-a-data,tenant-a-tls,tenant-a-tls,tenant-b-aes,tenant-b-data,tenant-b-tls,tenant-b-tls";
const OWN: &str = "tenant-a-aes,tenant-a-data,tenant-a-tls,tenant-a-tls";
const AT_A_TIME: [&str; 5] = ["1", "2", "3", "5", "16"];

/// What every search finds, and which tokens are listed.
fn search(way: &Way) -> (String, BTreeSet<String>) {
    let seen = host(way, "search", &[&[LABEL, PIN][..], &AT_A_TIME].concat());
    let mut lines = seen.stdout.lines();
    let tokens = lines.next().and_then(|line| line.strip_prefix("tokens ")).expect("the tokens").to_owned();
    let found: Vec<_> = lines.map(|line| line.split_once(' ').expect("labels").1.to_owned()).collect();
    assert_eq!(found.len(), 2 * AT_A_TIME.len(), "{}", seen.stdout);
    (tokens, found.into_iter().collect())
}

#[test]
fn a_tenant_finds_its_own_objects_in_its_own_token_whatever_the_searches() {
    let direct = Way::new(Route::Direct, two_tenants());
    let (tokens, found) = search(&direct);
    assert_eq!(tokens.split(',').filter(|label| !label.is_empty()).count(), 2, "{tokens}");
    assert_eq!(found, BTreeSet::from([ALL.to_owned()]));

    let way = guarded(two_tenants(), TENANT_A);
    let (tokens, found) = search(&way);
    assert_eq!(tokens, LABEL);
    assert_eq!(found, BTreeSet::from([OWN.to_owned()]));
    println!("{} searches in turns on two sessions, each with its own objects alone", 2 * AT_A_TIME.len());
}

#[test]
fn the_handle_of_another_tenants_object_is_of_no_use() {
    let collector = Collector::started();
    let token = two_tenants();
    let bare = token.module.display().to_string();
    let guard = collector.guard(Guard::new(&token.module, TENANT_A));
    let way = Way::guarded(guard, token);
    let seen = host(&way, "foreign", &[&bare, LABEL, PIN]);
    let (mut own, mut others) = (0, 0);
    for line in seen.stdout.lines() {
        let (label, rest) = line.split_once(' ').expect("a label");
        if label.starts_with("tenant-b") {
            others += 1;
            let none = "read=0x82 size=0x82 sign=0x60 cancel=0x91 copy=0x82 wrap=0x113 destroy=0x82";
            assert_eq!(rest, format!("{none} after={label}"));
        } else {
            own += 1;
            assert!(rest.starts_with(&format!("read={label} size=0x0 ")), "{line}");
            assert!(rest.ends_with("destroy=0x0 after=0x82"), "{line}: its own it may destroy");
        }
    }
    assert_eq!((own, others), (4, 4));

    let stored = collector.stored_after(1);
    let refused: Vec<&Value> = stored.iter().filter(|event| event["verdict"]["action"] == "deny").collect();
    assert_eq!(refused.len(), 4 * 6);
    for event in refused {
        let verdict = &event["verdict"];
        assert_eq!(
            (&verdict["rule"], &verdict["enforced"]),
            (&"other-tenants".into(), &true.into()),
            "{event}"
        );
        assert!(event["key"]["label"].as_str().is_some_and(|label| label.starts_with("tenant-b")), "{event}");
    }
}

#[test]
fn tools_list_what_is_there_and_nothing_else() {
    let list = |way: &Way| {
        let mut tool = way.command("pkcs11-tool");
        tool.arg("--module").arg(&way.module).args(["--token-label", LABEL, "--login", "--pin", PIN, "-O"]);
        run(&mut tool).success().stdout
    };
    let direct = list(&Way::new(Route::Direct, two_tenants()));
    let way = guarded(two_tenants(), TENANT_A);
    let judged = list(&way);
    for own in ["tenant-a-tls", "tenant-a-data", "tenant-a-aes"] {
        assert!(direct.contains(own) && judged.contains(own), "{judged}");
    }
    assert!(direct.contains("tenant-b-") && !judged.contains("tenant-b-"), "{judged}");
    let mut tool = way.command("pkcs11-tool");
    let slots = run(tool.arg("--module").arg(&way.module).arg("-L")).success().stdout;
    assert!(slots.contains(LABEL) && !slots.contains(SECOND), "{slots}");
    let mut tool = way.command("pkcs11-tool");
    tool.arg("--module").arg(&way.module).args(["--token-label", SECOND, "--login", "--pin", PIN, "-O"]);
    assert_ne!(run(&mut tool).status, 0);
}

#[test]
fn what_is_only_observed_is_recorded_and_stays() {
    let collector = Collector::started();
    let token = two_tenants();
    let policy = TENANT_A.replace("default", "mode = \"observe\"\ndefault");
    let guard = collector.guard(Guard::new(&token.module, &policy));
    let way = Way::guarded(guard, token);
    let (tokens, found) = search(&way);
    assert!(tokens.contains(SECOND));
    assert_eq!(found, BTreeSet::from([ALL.to_owned()]));
    let stored = collector.stored_after(1);
    let said = |function: &str| {
        let of = stored.iter().filter(|event| event["function"] == function);
        of.filter(|event| event["verdict"]["action"] == "deny" && event["verdict"]["enforced"] == false)
            .map(|event| event["verdict"]["rule"].as_str().unwrap_or_default().to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(said("C_FindObjects"), BTreeSet::from(["other-tenants".to_owned()]));
    assert_eq!(said("C_GetAttributeValue"), BTreeSet::from(["other-tenants".to_owned()]));
    assert_eq!(said("C_GetSlotList"), BTreeSet::from(["other-tokens".to_owned()]));
    let seen = stored
        .iter()
        .find(|event| event["function"] == "C_FindObjects" && event["verdict"]["rule"] == "other-tenants");
    assert!(
        seen.is_some_and(|event| event["key"]["label"].as_str().is_some_and(|l| l.starts_with("tenant-b")))
    );
}
