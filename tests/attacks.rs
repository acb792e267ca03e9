// SPDX-License-Identifier: Apache-2.0
//! Do the known attacks on the interface end at the guards, and does ordinary work go on? Each attack is made
//! over real tokens, bare and under the profile `anti-tookan`; the events say which rule refused it.

#[path = "attacks/rows.rs"]
mod rows;
#[path = "attacks/tools.rs"]
mod tools;

use std::collections::HashMap;

use harness::artifacts;
use harness::collector::Collector;
use harness::guard::{Guard, Route, Way};
use harness::run::run;
use harness::token::{self, Token};
use rows::{AROUND_A_BAN, BANS, ROWS, Row, Tokens};
use serde_json::Value;

const POLICY: &str = "version = 1\nname = \"t\"\ndefault = \"allow\"\ninclude = [\"anti-tookan\"]\n";

/// A token that is attacked.
struct Victim {
    name: &'static str,
    token: fn() -> Token,
    /// Where a row says that an attack succeeds on it.
    hits: [Tokens; 2],
}

const VICTIMS: [Victim; 2] = [
    Victim { name: "SoftHSM", token: token::softhsm, hits: [Tokens::SoftHsm, Tokens::Both] },
    Victim { name: "NSS", token: token::nss, hits: [Tokens::Nss, Tokens::Both] },
];

/// What the host says of one attack or one piece of work, and which process it was.
struct Seen {
    pid: u64,
    said: String,
}

fn host(way: &Way, subject: &str, name: &str) -> Seen {
    let mut command = way.command(artifacts::host());
    command.arg(subject).arg(&way.module).arg(name).args(way.token().reserved.as_deref());
    let seen = run(&mut command).success();
    let said = seen.stdout.lines().last().unwrap_or_default().to_owned();
    assert!(!said.starts_with("unusable"), "{name}: {said} {:?}", way.fault());
    Seen { pid: seen.number("pid"), said }
}

fn guarded(collector: &Collector, token: Token, policy: &str) -> Way {
    // Room for an attack that makes thousands of calls: none of its events may be lost.
    let guard = collector.guard(Guard::new(&token.module, policy)).lane_size("4 MiB");
    Way::guarded(guard, token)
}

/// The first call of each process that was refused here.
fn refusals(stored: &[Value]) -> HashMap<u64, &Value> {
    let mut first = HashMap::new();
    for event in stored {
        if event["verdict"]["action"] == "deny" && event["verdict"]["enforced"] == true {
            first.entry(event["process"]["pid"].as_u64().unwrap_or_default()).or_insert(event);
        }
    }
    first
}

/// Why what became of `row` under the guards is not what its line says.
fn wrong(row: &Row, [bare, judged]: [&Seen; 2], refusal: Option<&&Value>) -> Option<String> {
    let said = &judged.said;
    let Some(event) = refusal else {
        // Nothing to refuse: it is hidden, or the token has no such function or mechanism.
        let lacks = [" 0x54", " 0x70"].iter().any(|rv| bare.said.ends_with(rv));
        let absent = row.rules.is_empty() || lacks && *said == bare.said;
        return (!absent || !said.starts_with("resisted")).then(|| format!("{said}; nothing was refused"));
    };
    let (rule, function) = (&event["verdict"]["rule"], &event["function"]);
    let number = event["rv"]["number"].as_u64().unwrap_or_default();
    let expected = format!("resisted {} {number:#x}", function.as_str().unwrap_or_default());
    let named = rule.as_str().is_some_and(|rule| row.rules.contains(&rule));
    (!named || *said != expected)
        .then(|| format!("{said}; refused: {expected} by {rule}, not by {:?}", row.rules))
}

/// Which rule refused which function.
fn stop(event: &Value) -> String {
    let [rule, function] =
        [&event["verdict"]["rule"], &event["function"]].map(|word| word.as_str().unwrap_or("-"));
    format!("{rule} at {function}")
}

#[test]
fn every_attack_succeeds_where_it_is_said_to_and_ends_at_its_guard() {
    let collector = Collector::started();
    let (mut bare, mut judged) = (Vec::new(), Vec::new());
    for row in ROWS {
        let bans = if AROUND_A_BAN.contains(&row.name) { BANS } else { "" };
        for Victim { token, .. } in &VICTIMS {
            let policy = format!("{POLICY}{bans}");
            bare.push(host(&Way::new(Route::Direct, token()), "attack", row.name));
            judged.push(host(&guarded(&collector, token(), &policy), "attack", row.name));
        }
    }
    let stored = collector.stored_after(judged.len());
    let refusals = refusals(&stored);
    let mut faults = Vec::new();
    println!("{:<5} {:<32} {:<9} {:<9} {:<54} Caml Crush", "", "attack", "SoftHSM", "NSS", "p11guard");
    for ((row, bare), judged) in ROWS.iter().zip(bare.chunks(2)).zip(judged.chunks(2)) {
        let (mut outcomes, mut stops) = (Vec::new(), Vec::new());
        for ((victim, bare), judged) in VICTIMS.iter().zip(bare).zip(judged) {
            let succeeded = bare.said == "succeeded";
            outcomes.push(if succeeded { "succeeds" } else { "resists" });
            if succeeded != victim.hits.contains(&row.hits) {
                faults.push(format!("{} on the bare {}: {}", row.name, victim.name, bare.said));
            }
            let refusal = refusals.get(&judged.pid);
            let fault = wrong(row, [bare, judged], refusal);
            faults.extend(fault.map(|fault| format!("{} on {}: {fault}", row.name, victim.name)));
            stops.push(refusal.map_or_else(|| judged.said.clone(), |event| stop(event)));
        }
        stops.dedup();
        let stops = stops.join(" / ");
        let Row { name, about, caml_crush, .. } = row;
        println!("{name:<5} {about:<32} {:<9} {:<9} {stops:<54} {caml_crush}", outcomes[0], outcomes[1]);
    }
    let succeeded = bare.iter().filter(|seen| seen.said == "succeeded").count();
    println!("{} attacks on {} tokens: {succeeded} succeed bare", ROWS.len(), VICTIMS.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Only a token of PKCS#11 3.2 encapsulates.
#[test]
fn a_ciphertext_that_is_opened_twice_gives_one_value() {
    let collector = Collector::started();
    let bare = host(&Way::new(Route::Direct, token::kryoptic()), "attack", "T17f");
    let judged = host(&guarded(&collector, token::kryoptic(), POLICY), "attack", "T17f");
    let stored = collector.stored_after(1);
    let refused = refusals(&stored)[&judged.pid].clone();
    println!("bare: {}; p11guard: {}", bare.said, stop(&refused));
    assert_eq!(bare.said, "succeeded");
    assert_eq!(stop(&refused), "role-separation at C_DecapsulateKey");
}

/// Every piece of work that the host knows.
const WORK: [&str; 12] = [
    "tls-server-rsa-pss",
    "tls-server-ecdsa",
    "code-signing",
    "key-that-asks-every-time",
    "backup-of-a-data-key",
    "backup-of-a-signing-key",
    "backup-by-oaep",
    "aes-gcm",
    "ecdh",
    "import-to-verify",
    "import-of-a-mac-key",
    "rotation",
];

#[test]
fn ordinary_work_goes_on_under_the_guards() {
    let collector = Collector::started();
    let mut faults = Vec::new();
    let mut worked = Vec::new();
    for name in WORK {
        let bare = host(&Way::new(Route::Direct, token::softhsm()), "life", name);
        let judged = host(&guarded(&collector, token::softhsm(), POLICY), "life", name);
        println!("{name:<26} bare: {:<8} guarded: {}", bare.said, judged.said);
        if bare.said != "done" {
            faults.push(format!("{name} on the bare token: {}", bare.said));
        }
        worked.push((name, judged));
    }
    let stored = collector.stored_after(worked.len());
    let refusals = refusals(&stored);
    for (name, seen) in &worked {
        if seen.said != "done" {
            let rule = refusals.get(&seen.pid).map(|event| &event["verdict"]["rule"]);
            faults.push(format!("{name}: {} {rule:?}", seen.said));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
