// SPDX-License-Identifier: Apache-2.0
//! Does a limit hold on a real token, at the same moment in many threads, and across a new policy; and does nothing stay
//! locked when its time is over?

use event::Function;
use harness::collector::Collector;
use harness::guard::{Guard, Way};
use harness::run::eventually;
use harness::script::Script;
use harness::token::{self, PIN, Token};
use serde_json::Value;

const OK: &str = "0x0";
const PIN_INCORRECT: &str = "0xa0";
const ALREADY_LOGGED_IN: &str = "0x100";
const REJECTED: &str = "0x200";
const MD5: u64 = 0x210;
const SHA256: u64 = 0x250;

fn policy(revision: u64, rules: &str) -> String {
    format!("version = 1\nrevision = {revision}\ndefault = \"allow\"\n{rules}")
}

/// At most five wrong PINs within this time.
fn wrong_pins(within: &str) -> String {
    format!(
        "[[rule]]\nname = \"wrong-pins\"\naction = \"deny\"\noperation = \"login\"\nremedy = \"wait\"\n\
         rate = {{ failed = 5, within = \"{within}\", per = \"token\" }}\n"
    )
}

fn guarded(token: Token, policy: &str) -> Way {
    let guard = Guard::new(&token.module, policy);
    Way::guarded(guard, token)
}

#[test]
fn the_sixth_pin_never_reaches_the_token_and_the_right_one_works_again_in_time() {
    let collector = Collector::started();
    let token = token::softhsm();
    let guard = collector.guard(Guard::new(&token.module, &policy(1, &wrong_pins("8s"))));
    let mut script = Script::over(Way::guarded(guard, token), 2);
    for _ in 0..5 {
        assert_eq!(script.ask("login 0 wrong"), PIN_INCORRECT);
    }
    let flags = script.ask("flags");
    // By whatever session, and whatever PIN it is: were it asked, the token would say yes to the right one.
    for login in ["login 0 wrong", "login 1 wrong", &format!("login 1 {PIN}")] {
        assert_eq!(script.ask(login), REJECTED);
    }
    assert_eq!(script.ask("flags"), flags, "the token has seen nothing");
    assert_eq!(script.ask(&format!("digest 0 {SHA256}")), OK, "other calls go on");
    let right = format!("login 0 {PIN}");
    eventually("the right PIN is let through", || (script.ask(&right) == OK).then_some(()));
    assert_eq!(script.ask("logout 0"), OK);
    script.end();

    let stored = collector.stored_after(1);
    let logins: Vec<&Value> = stored.iter().filter(|event| event["function"] == "C_Login").collect();
    let refused: Vec<_> = logins.iter().filter(|event| event["answered_here"] == true).collect();
    assert!(refused.len() >= 3);
    for event in &refused {
        let verdict = &event["verdict"];
        let said = (&verdict["action"], &verdict["rule"], &verdict["conditions"], &event["rv"]["name"]);
        assert_eq!(said.0, "deny");
        assert_eq!((said.1, said.2), (&"wrong-pins".into(), &"operation, rate".into()));
        assert_eq!(said.3, "CKR_FUNCTION_REJECTED");
    }
    println!("{} logins, {} of them refused here", logins.len(), refused.len());
    assert_eq!(logins.len() - refused.len(), 6, "five wrong ones and the right one");
}

#[test]
fn of_eight_threads_that_try_at_once_no_more_than_five_pass() {
    let way = guarded(token::stub("wrong-pins"), &policy(1, &wrong_pins("1h")));
    let mut script = Script::over(way, 1);
    assert_eq!(script.ask("logins 0 1234"), format!("{PIN_INCORRECT}=5 {REJECTED}=155"));
    assert_eq!(token::counts(script.way().token()).of(Function::C_Login), 5);
    script.end();
}

#[test]
fn who_is_logged_in_already_has_tried_no_pin() {
    let mut script = Script::over(guarded(token::stub(""), &policy(1, &wrong_pins("1h"))), 1);
    assert_eq!(script.ask("login 0 1234"), OK);
    (0..9).for_each(|_| assert_eq!(script.ask("login 0 1234"), ALREADY_LOGGED_IN));
    assert_eq!(script.ask("logout 0"), OK);
    assert_eq!(script.ask("login 0 1234"), OK);
    script.end();
}

#[test]
fn a_new_session_begins_anew_where_sessions_are_counted() {
    let rule = "[[rule]]\nname = \"digests\"\naction = \"deny\"\noperation = \"digest\"\nremedy = \"wait\"\n\
                rate = { calls = 3, within = \"1h\", per = \"session\" }\n";
    let mut script = Script::over(guarded(token::stub(""), &policy(1, rule)), 2);
    let digest = |session: usize| format!("digest {session} {SHA256}");
    (0..3).for_each(|_| assert_eq!(script.ask(&digest(0)), OK));
    (0..3).for_each(|_| assert_eq!(script.ask(&digest(0)), REJECTED));
    assert_eq!(script.ask(&digest(1)), OK);
    assert_eq!(script.ask("close 0"), OK);
    assert_eq!(script.ask("open"), OK);
    assert_eq!(script.ask(&digest(2)), OK);
    assert_eq!(token::counts(script.way().token()).mechanism(SHA256), 5);
    script.end();
}

#[test]
fn a_rule_that_warns_lets_pass_and_says_so() {
    let collector = Collector::started();
    let token = token::stub("");
    let rule = "[[rule]]\nname = \"often\"\naction = \"warn\"\noperation = \"digest\"\n\
                rate = { calls = 3, within = \"1h\" }\n";
    let guard = collector.guard(Guard::new(&token.module, &policy(1, rule)));
    let mut script = Script::over(Way::guarded(guard, token), 1);
    (0..5).for_each(|_| assert_eq!(script.ask(&format!("digest 0 {SHA256}")), OK));
    script.end();
    let stored = collector.stored_after(1);
    let digests = stored.iter().filter(|event| event["function"] == "C_DigestInit");
    let said: Vec<_> = digests.map(|event| event["verdict"]["action"].as_str().unwrap_or_default()).collect();
    assert_eq!(said, ["allow", "allow", "allow", "warn", "warn"]);
}

#[test]
fn what_was_counted_outlives_a_new_policy() {
    let mut script = Script::over(guarded(token::stub("wrong-pins"), &policy(1, &wrong_pins("1h"))), 1);
    (0..5).for_each(|_| assert_eq!(script.ask("login 0 1234"), PIN_INCORRECT));
    assert_eq!(script.ask("login 0 1234"), REJECTED);
    let ban = "[[rule]]\nname = \"no-md5\"\naction = \"deny\"\nmechanism = \"CKM_MD5\"\nremedy = \"none\"\n";
    let path = script.way().guard().policy();
    let new = path.with_extension("new");
    std::fs::write(&new, policy(2, &format!("{ban}{}", wrong_pins("1h")))).expect("a new policy");
    std::fs::rename(new, path).expect("moved into its place");
    eventually("the new policy", || (script.ask(&format!("digest 0 {MD5}")) == "0x70").then_some(()));
    assert_eq!(script.ask("login 0 1234"), REJECTED);
    assert_eq!(token::counts(script.way().token()).of(Function::C_Login), 5);
    script.end();
}
