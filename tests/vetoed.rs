// SPDX-License-Identifier: Apache-2.0
//! Does a denied call never reach the vendor, and does a veto leave everything as it was? The stub vendor counts what
//! arrives; the host calls every function that takes a mechanism by every way in.

use std::collections::BTreeMap;

use event::{FUNCTIONS, Function};
use harness::artifacts;
use harness::counts::{Counts, WAYS};
use harness::guard::{Guard, Route, Way};
use harness::run::{Run, run};
use harness::token;

/// CKM_DES3_CBC, which the policies here deny, and CKM_AES_CBC, which they allow; the stub vendor offers both.
const DENIED: u64 = 0x133;
const ALLOWED: u64 = 0x1082;
/// CKM_TWOFISH_CBC: the stub vendor knows nothing of it.
const UNKNOWN: u64 = 0x1093;

const DENY_ONE: &str = r#"
version = 1
default = "allow"
[[rule]]
name = "no-des"
action = "deny"
mechanism = ["CKM_DES3_CBC"]
remedy = "use CKM_AES_CBC"
"#;

const ALLOW_ONE: &str = r#"
version = 1
default = "deny"
[[rule]]
name = "aes-only"
action = "allow"
mechanism = ["CKM_AES_CBC", "CKM_SHA256"]
"#;

/// The functions that a `CK_MECHANISM` can be handed to, by hand: what the table says is held against this.
const JUDGED: [&str; 21] = [
    "C_EncryptInit",
    "C_DecryptInit",
    "C_DigestInit",
    "C_SignInit",
    "C_SignRecoverInit",
    "C_VerifyInit",
    "C_VerifyRecoverInit",
    "C_GenerateKey",
    "C_GenerateKeyPair",
    "C_WrapKey",
    "C_UnwrapKey",
    "C_DeriveKey",
    "C_MessageEncryptInit",
    "C_MessageDecryptInit",
    "C_MessageSignInit",
    "C_MessageVerifyInit",
    "C_EncapsulateKey",
    "C_DecapsulateKey",
    "C_VerifySignatureInit",
    "C_WrapKeyAuthenticated",
    "C_UnwrapKeyAuthenticated",
];

fn guarded(policy: &str) -> Way {
    let token = token::stub("");
    let guard = Guard::new(&token.module, policy);
    Way::guarded(guard, token)
}

fn host(way: &Way, subject: &str, arguments: &[u64]) -> Run {
    let mut command = way.command(artifacts::host());
    command.arg(subject).arg(&way.module).args(arguments.iter().map(u64::to_string));
    run(&mut command).success()
}

/// The lines of the host's subject `veto`, by way and function.
fn vetoes(run: &Run) -> BTreeMap<(String, String), String> {
    let lines = run.stdout.lines().filter_map(|line| {
        let mut words = line.splitn(3, ' ');
        Some(((words.next()?.to_owned(), words.next()?.to_owned()), words.next()?.to_owned()))
    });
    lines.collect()
}

fn counts(way: &Way) -> Counts {
    token::counts(way.token())
}

#[test]
fn the_table_knows_every_function_that_takes_a_mechanism() {
    let takes = |f: &event::FunctionInfo| f.arguments.iter().any(|(name, _)| *name == "pMechanism");
    let known: Vec<_> = FUNCTIONS.iter().filter(|f| takes(f)).map(|f| f.name).collect();
    assert_eq!(known, JUDGED);
}

#[test]
fn a_denied_mechanism_looks_like_one_that_the_vendor_does_not_have() {
    let direct = Way::new(Route::Direct, token::stub(""));
    let bare = vetoes(&host(&direct, "veto", &[UNKNOWN, ALLOWED]));
    for (policy, denied) in [(DENY_ONE, DENIED), (ALLOW_ONE, DENIED)] {
        let way = guarded(policy);
        let judged = vetoes(&host(&way, "veto", &[denied, ALLOWED]));
        assert_eq!(judged, bare);
        println!("{} function and way pairs agree", judged.len());
    }
}

#[test]
fn no_denied_call_reaches_the_vendor_by_any_way_in() {
    let way = guarded(DENY_ONE);
    let seen = vetoes(&host(&way, "veto", &[DENIED, ALLOWED]));
    let counts = counts(&way);
    assert_eq!(counts.mechanism(DENIED), 0);
    assert!(counts.mechanism(ALLOWED) > 0, "the allowed ones do");
    let mut expected = 0;
    for (place, name) in WAYS.iter().enumerate() {
        let most = [(3, 2), (2, 40), (3, 0), (3, 2)][place];
        for function in JUDGED.iter().filter_map(|function| Function::from_name(function)) {
            if function.info().since > most {
                continue;
            }
            expected += 1;
            let line = &seen[&((*name).to_owned(), function.name().to_owned())];
            assert!(line.starts_with("denied=0x70 untouched=true"), "{name} {}: {line}", function.name());
            // Those that start an operation were also called with the allowed mechanism, by the same way.
            let arrived = counts.by_way(place, function);
            let starts = line.contains("alone=");
            assert_eq!(arrived > 0, starts, "{name} {}: {arrived} calls", function.name());
        }
    }
    assert_eq!(seen.len(), expected);
    println!("{expected} ways to a veto, 0 of them reached the vendor; {} other calls did", counts.total());
}

#[test]
fn a_veto_leaves_the_active_operation_alone() {
    let way = guarded(DENY_ONE);
    let seen = vetoes(&host(&way, "veto", &[DENIED, ALLOWED]));
    let mut operations = 0;
    for ((name, function), line) in seen {
        let part = |key: &str| {
            let found = line.split(' ').find_map(|word| word.strip_prefix(key));
            found.unwrap_or_else(|| panic!("{name} {function}: no {key} in {line}")).to_owned()
        };
        if !line.contains("alone=") {
            continue;
        }
        operations += 1;
        assert_eq!(part("second="), "0x70", "{name} {function}: the denied Init in its middle");
        assert_eq!(part("busy="), "0x90", "{name} {function}: it is still active");
        assert_eq!(part("disturbed="), part("alone="), "{name} {function}: it delivers the same");
        assert!(part("alone=").starts_with("0x0,0x0,"), "{name} {function}: {line}");
        assert_eq!(part("cancelled="), "0x0,0x0,0x91", "{name} {function}: a NULL mechanism cancels");
    }
    assert_eq!(operations, 12 + 7 + 11 + 12);
    println!("{operations} operations undisturbed and cancelled");
}

#[test]
fn the_mechanism_list_and_the_information_agree_with_the_policy() {
    for (policy, allowed) in [(DENY_ONE, None), (ALLOW_ONE, Some([ALLOWED, 0x250]))] {
        let direct = Way::new(Route::Direct, token::stub(""));
        let way = guarded(policy);
        let asked = [DENIED, ALLOWED, 0x250, 0x1, 0x8000_0001];
        let (bare, judged) = (host(&direct, "mechanisms", &asked), host(&way, "mechanisms", &asked));
        let passes = |number: u64| allowed.map_or(number != DENIED, |allowed| allowed.contains(&number));
        let expected: Vec<String> = bare.stdout.lines().map(|line| filtered(line, passes)).collect();
        assert_eq!(judged.stdout.lines().collect::<Vec<_>>(), expected);
        println!("{} lines agree", expected.len());
    }
}

/// What a line of the bare module's becomes where only the mechanisms that `passes` accepts are there.
fn filtered(line: &str, passes: impl Fn(u64) -> bool) -> String {
    if let Some((start, list)) = line.split_once(" list=") {
        let numbers = list.trim_matches(['[', ']']).split(", ").filter_map(|number| number.parse().ok());
        let left: Vec<u64> = numbers.filter(|number| passes(*number)).collect();
        let before = list.split(", ").count();
        return format!(
            "{} list={left:?}",
            start.replace(&format!("count={before}"), &format!("count={}", left.len()))
        );
    }
    let number = line.split(' ').nth(2).and_then(|number| number.parse().ok());
    let Some((start, _)) = line.split_once(" rv=").filter(|_| number.is_some_and(|number| !passes(number)))
    else {
        return line.to_owned();
    };
    format!("{start} rv=0x70 CK_MECHANISM_INFO {{ ulMinKeySize: 0, ulMaxKeySize: 0, flags: 0 }}")
}

#[test]
fn what_reached_the_vendor_is_what_was_judged() {
    const ROUNDS: u64 = 200_000;
    let way = guarded(DENY_ONE);
    let seen = host(&way, "race", &[DENIED, ALLOWED, ROUNDS]);
    let counts = counts(&way);
    assert_eq!(counts.mechanism(DENIED), 0, "a mechanism that was judged as another one");
    assert_eq!(seen.number("other"), 0);
    assert_eq!(seen.number("passed"), counts.mechanism(ALLOWED));
    assert_eq!(seen.number("passed") + seen.number("refused"), ROUNDS);
    println!("{}of {ROUNDS}", seen.stdout);
}

#[test]
fn the_parameter_that_reaches_the_vendor_is_the_callers() {
    for function in JUDGED {
        let way = guarded(DENY_ONE);
        let mut command = way.command(artifacts::host());
        command.arg("parameter").arg(&way.module).arg(ALLOWED.to_string()).arg(function);
        let seen = run(&mut command).success();
        let (number, parameter, length) = counts(&way).last_mechanism();
        assert_eq!((number, length), (ALLOWED, 16), "{function}");
        assert_eq!(parameter, seen.number("parameter"), "{function}: the vendor may write there");
    }
    println!("{} functions hand over the caller's own parameter", JUDGED.len());
}
