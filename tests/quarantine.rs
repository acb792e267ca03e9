// SPDX-License-Identifier: Apache-2.0
//! Is who is held refused everything, by the name of the rule, and nobody else anything; and does it end in time?

use std::collections::BTreeSet;

use event::Function;
use harness::collector::Collector;
use harness::guard::{Guard, Way};
use harness::run::eventually;
use harness::script::Script;
use harness::token;
use serde_json::Value;

const OK: &str = "0x0";
const REJECTED: &str = "0x200";
const NOT_LOGGED_IN: &str = "0x101";
const MD5: u64 = 0x210;
const SHA256: u64 = 0x250;

fn policy(revision: u64, of: &str, expires: &str) -> String {
    format!(
        "version = 1\nrevision = {revision}\ndefault = \"allow\"\n[[rule]]\nname = \"nobody-asks-for-md5\"\n\
         action = \"quarantine\"\nmechanism = \"CKM_MD5\"\nof = \"{of}\"\nexpires = \"{expires}\"\n\
         remedy = \"use CKM_SHA256\"\n"
    )
}

fn guarded(policy: &str) -> Way {
    let token = token::stub("");
    let guard = Guard::new(&token.module, policy);
    Way::guarded(guard, token)
}

fn digest(session: usize, mechanism: u64) -> String {
    format!("digest {session} {mechanism}")
}

#[test]
fn a_session_that_asks_for_what_is_banned_is_refused_everything_until_its_time_is_over() {
    let collector = Collector::started();
    let token = token::stub("");
    let guard = collector.guard(Guard::new(&token.module, &policy(1, "session", "6s")));
    let mut script = Script::over(Way::guarded(guard, token), 2);
    assert_eq!(script.ask(&digest(0, SHA256)), OK);
    assert_eq!(script.ask(&digest(0, MD5)), REJECTED);
    for command in [digest(0, SHA256), "random 0".into(), "login 0 1234".into(), digest(0, MD5)] {
        assert_eq!(script.ask(&command), REJECTED, "{command}");
    }
    let counts = token::counts(script.way().token());
    assert_eq!((counts.mechanism(MD5), counts.mechanism(SHA256)), (0, 1));
    assert_eq!((counts.of(Function::C_GenerateRandom), counts.of(Function::C_Login)), (0, 0));
    // What ends something or does no harm goes on, and so do others.
    assert_eq!(script.ask("info 0"), OK);
    assert_eq!(script.ask("logout 0"), NOT_LOGGED_IN);
    for command in [digest(1, SHA256), "random 1".into(), "slots".into(), "open".into(), digest(2, SHA256)] {
        assert_eq!(script.ask(&command), OK, "{command}");
    }
    eventually("the end of the quarantine", || (script.ask(&digest(0, SHA256)) == OK).then_some(()));
    script.end();

    let stored = collector.stored_after(1);
    let held: Vec<&Value> =
        stored.iter().filter(|event| event["verdict"]["quarantine"].is_object()).collect();
    let ends: BTreeSet<_> = held.iter().map(|event| event["verdict"]["quarantine"].to_string()).collect();
    println!("{} calls were refused: {ends:?}", held.len());
    assert!(held.len() >= 5);
    assert_eq!(ends.len(), 1, "to ask again changes nothing");
    assert!(held[0]["verdict"]["quarantine"]["until"].is_string());
    for event in held {
        let verdict = &event["verdict"];
        assert_eq!((&verdict["action"], &verdict["enforced"]), (&"deny".into(), &true.into()));
        assert_eq!(verdict["rule"], "nobody-asks-for-md5");
        assert_eq!(verdict["remedy"], "use CKM_SHA256");
        assert_eq!((&event["answered_here"], &event["session"]["id"]), (&true.into(), &1.into()));
        assert_eq!(verdict["quarantine"]["of"], "session");
    }
}

#[test]
fn a_process_is_held_with_all_its_sessions_and_its_children() {
    let mut script = Script::over(guarded(&policy(1, "process", "6s")), 2);
    assert_eq!(script.ask("fork 1"), "served");
    assert_eq!(script.ask(&digest(0, MD5)), REJECTED);
    let before = token::counts(script.way().token());
    for command in [digest(1, SHA256), "random 1".into(), "slots".into(), "open".into()] {
        assert_eq!(script.ask(&command), REJECTED, "{command}");
    }
    assert_eq!(script.ask("fork 1"), "refused");
    // What the library itself asks of a session that it does not know yet is no call of the application's.
    let after = token::counts(script.way().token());
    for function in
        [Function::C_DigestInit, Function::C_GenerateRandom, Function::C_GetSlotList, Function::C_OpenSession]
    {
        assert_eq!(after.of(function), before.of(function), "{} has reached the token", function.name());
    }
    for command in ["info 1", "close 1", "close-all", "finalize", "initialize"] {
        assert_eq!(script.ask(command), OK, "{command}");
    }
    eventually("the end of the quarantine", || (script.ask("slots") == OK).then_some(()));
    assert_eq!(script.ask("open"), OK);
    script.end();
}

#[test]
fn a_quarantine_ends_with_its_session() {
    let mut script = Script::over(guarded(&policy(1, "session", "1h")), 1);
    assert_eq!(script.ask(&digest(0, MD5)), REJECTED);
    assert_eq!(script.ask(&digest(0, SHA256)), REJECTED);
    for command in ["close 0", "open", "random 1", "close-all", "open", "random 2", "finalize"] {
        assert_eq!(script.ask(command), OK, "{command}");
    }
    script.end();
}

#[test]
fn more_sessions_than_are_remembered_hold_the_process() {
    let mut script = Script::over(guarded(&policy(1, "session", "1h")), 258);
    for session in 0..256 {
        assert_eq!(script.ask(&digest(session, MD5)), REJECTED);
    }
    assert_eq!(script.ask("random 257"), OK);
    assert_eq!(script.ask(&digest(256, MD5)), REJECTED);
    assert_eq!(script.ask("random 257"), REJECTED);
    script.end();
}

#[test]
fn a_new_policy_lets_nobody_go() {
    let collector = Collector::started();
    let token = token::stub("");
    let guard = Guard::new(&token.module, &policy(1, "session", "1h"));
    let path = collector.path("policy.toml");
    std::fs::rename(guard.policy(), &path).expect("into the collector's folder");
    let guard = collector.guard(guard).set("policy", &format!("{path:?}"));
    let mut script = Script::over(Way::guarded(guard, token), 2);
    assert_eq!(script.ask(&digest(0, MD5)), REJECTED);
    let new = path.with_extension("new");
    std::fs::write(&new, "version = 1\nrevision = 2\ndefault = \"allow\"\n").expect("a new policy");
    std::fs::rename(new, path).expect("moved into its place");
    // The other session does not ask for what would hold it before the new policy is there.
    eventually("the new policy", || {
        assert_eq!(script.ask(&digest(1, SHA256)), OK);
        let prefixes: BTreeSet<String> = log_policies(&collector);
        (prefixes.len() == 2).then_some(())
    });
    assert_eq!(script.ask(&digest(1, MD5)), OK);
    assert_eq!(script.ask(&digest(0, SHA256)), REJECTED);
    script.end();
    let stored = collector.stored_after(1);
    let refused: Vec<_> = stored.iter().filter(|event| event["verdict"]["action"] == "deny").collect();
    let [first, .., last] = refused.as_slice() else { panic!("{refused:?}") };
    assert_eq!(first["verdict"]["policy"], last["verdict"]["policy"], "it is the old one that refuses");
    assert_eq!(first["verdict"]["quarantine"], last["verdict"]["quarantine"]);
}

/// The policies that events in the log were judged by.
fn log_policies(collector: &Collector) -> BTreeSet<String> {
    let text = collector.text();
    let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    events.filter_map(|event| Some(event["verdict"]["policy"].as_str()?[..16].to_owned())).collect()
}

#[test]
fn in_shadow_and_in_observe_mode_nobody_is_held() {
    for text in [
        policy(1, "process", "1h").replace("default", "mode = \"observe\"\ndefault"),
        policy(1, "session", "1h") + "enforce = false\n",
    ] {
        let collector = Collector::started();
        let token = token::stub("");
        let guard = collector.guard(Guard::new(&token.module, &text));
        let mut script = Script::over(Way::guarded(guard, token), 1);
        assert_eq!(script.ask(&digest(0, MD5)), OK);
        assert_eq!(script.ask(&digest(0, SHA256)), OK);
        script.end();
        let stored = collector.stored_after(1);
        let would: Vec<_> = stored.iter().filter(|event| event["verdict"]["action"] == "deny").collect();
        let [event] = would.as_slice() else { panic!("{would:?}") };
        assert_eq!(event["verdict"]["enforced"], false);
        let quarantine = event["verdict"]["quarantine"].as_object().expect("it would");
        assert!(quarantine.contains_key("of") && !quarantine.contains_key("until"));
    }
}
