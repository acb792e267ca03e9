// SPDX-License-Identifier: Apache-2.0
//! What the policy says in one situation per line: `pass!`, `warn!` and `deny!` name the policy, the call
//! and the rule that must decide.

use event::Function::C_Initialize;
use event::curve;
use event::mechanism;
use policy::{Act, Action, Facts, Mode, Policy};
use sha2::Digest;

fn policy(rules: &str) -> Policy {
    match Policy::parse("policy.toml", format!("version = 1\n{rules}").as_bytes()) {
        Ok(policy) => policy,
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

fn facts(operation: &str, mechanism: &str) -> Facts<'static> {
    Facts::of(C_Initialize, Act::from_name(operation).unwrap(), Some(mechanism::parse(mechanism).unwrap()))
}

fn place(curve: &str) -> u16 {
    let curve = curve::by_name(curve).unwrap();
    curve::ALL.iter().position(|known| known == curve).unwrap().try_into().unwrap()
}

macro_rules! facts {
    ($operation:literal $mechanism:literal $(bits $bits:literal)? $(curve $curve:literal)?) => {{
        #[allow(unused_mut)]
        let mut facts = facts($operation, $mechanism);
        $(facts.key.bits = Some($bits);)?
        $(facts.key.curve = Some(place($curve));)?
        facts
    }};
}

macro_rules! judged {
    ($action:ident $refuses:literal, $policy:ident: $($call:tt)+) => { judged!(@ $action $refuses, $policy, [] $($call)+) };
    (@ $action:ident $refuses:literal, $policy:ident, [$($call:tt)*] => $rule:literal) => {{
        let verdict = $policy.judge(&facts!($($call)*));
        assert_eq!((verdict.action(), verdict.rule().name()), (Action::$action, $rule));
        assert_eq!(verdict.refuses(), $refuses);
    }};
    (@ $action:ident $refuses:literal, $policy:ident, [$($call:tt)*] $next:tt $($rest:tt)+) => {
        judged!(@ $action $refuses, $policy, [$($call)* $next] $($rest)+)
    };
}
/// `pass!(policy: "sign" "CKM_ECDSA" bits 256 curve "P-256" => "rule")`: allowed by that rule.
macro_rules! pass { ($($situation:tt)+) => { judged!(Allow false, $($situation)+) }; }
/// The call goes on with a warning.
macro_rules! warn { ($($situation:tt)+) => { judged!(Warn false, $($situation)+) }; }
/// The call is refused.
macro_rules! deny { ($($situation:tt)+) => { judged!(Deny true, $($situation)+) }; }
/// The call would be refused, and goes on.
macro_rules! shadow { ($($situation:tt)+) => { judged!(Deny false, $($situation)+) }; }

#[test]
fn what_no_rule_names_is_denied_by_default() {
    let empty = policy("");
    deny!(empty: "sign" "CKM_ECDSA" => "default");
    deny!(empty: "digest" "0x80000001" => "default");
    let verdict = empty.judge(&facts("sign", "CKM_ECDSA"));
    assert!(verdict.rule().remedy().unwrap().contains("p11guard policy check"));
    assert_eq!(verdict.rule().reason(), Some("no rule of the policy matches this call"));
}

#[test]
fn the_default_can_be_chosen() {
    let warn = policy("default = 'warn'");
    warn!(warn: "sign" "CKM_ECDSA" => "default");
    let allow = policy("default = 'allow'");
    pass!(allow: "sign" "CKM_ECDSA" => "default");
}

#[test]
fn the_first_rule_that_matches_decides() {
    let p = policy(
        "
        [[rule]]
        name = 'no-md5'
        action = 'deny'
        mechanism = ['CKM_MD5']
        remedy = 'use CKM_SHA256'
        [[rule]]
        name = 'digest'
        action = 'allow'
        operation = ['digest']
        [[rule]]
        name = 'sha1'
        action = 'warn'
        mechanism = ['CKM_SHA_1']
        [[rule]]
        name = 'all'
        action = 'allow'
        ",
    );
    deny!(p: "digest" "CKM_MD5" => "no-md5");
    deny!(p: "sign" "CKM_MD5" => "no-md5");
    pass!(p: "digest" "CKM_SHA256" => "digest");
    pass!(p: "digest" "CKM_SHA_1" => "digest");
    warn!(p: "sign" "CKM_SHA_1" => "sha1");
    pass!(p: "sign" "CKM_ECDSA" => "all");
    pass!(p: "unwrap" "0xffffffff" => "all");
}

#[test]
fn operation_and_mechanism_must_both_match() {
    let p = policy(
        "
        [[rule]]
        name = 'sign'
        action = 'allow'
        operation = ['sign', 'verify']
        mechanism = ['CKM_ECDSA_SHA256', 0x80000001, '0x80000002']
        ",
    );
    pass!(p: "sign" "CKM_ECDSA_SHA256" => "sign");
    pass!(p: "verify" "0x80000001" => "sign");
    pass!(p: "verify" "0x80000002" => "sign");
    deny!(p: "sign" "CKM_ECDSA_SHA384" => "default");
    deny!(p: "derive" "CKM_ECDSA_SHA256" => "default");
    deny!(p: "sign" "0x80000003" => "default");
}

#[test]
fn sizes_hold_at_their_ends_and_an_unknown_size_is_none() {
    let p = policy(
        "
        [[rule]]
        name = 'rsa'
        action = 'allow'
        mechanism = ['CKM_RSA_PKCS_PSS']
        min_bits = 2048
        max_bits = 4096
        ",
    );
    deny!(p: "sign" "CKM_RSA_PKCS_PSS" bits 2047 => "default");
    pass!(p: "sign" "CKM_RSA_PKCS_PSS" bits 2048 => "rsa");
    pass!(p: "sign" "CKM_RSA_PKCS_PSS" bits 4096 => "rsa");
    deny!(p: "sign" "CKM_RSA_PKCS_PSS" bits 4097 => "default");
    deny!(p: "sign" "CKM_RSA_PKCS_PSS" => "default");
}

#[test]
fn only_the_curves_named_pass_and_an_unknown_curve_is_none() {
    let p = policy(
        "
        [[rule]]
        name = 'nist'
        action = 'allow'
        curve = ['P-256', 'P-384']
        min_bits = 256
        ",
    );
    pass!(p: "sign" "CKM_ECDSA" bits 256 curve "P-256" => "nist");
    pass!(p: "sign" "CKM_ECDSA" bits 384 curve "P-384" => "nist");
    deny!(p: "sign" "CKM_ECDSA" bits 521 curve "P-521" => "default");
    deny!(p: "sign" "CKM_ECDSA" bits 256 => "default");
    deny!(p: "sign" "CKM_ECDSA" curve "P-256" => "default");
}

#[test]
fn a_deny_with_a_size_lets_the_unmeasured_key_fall_to_the_rules_below() {
    let p = policy(
        "
        default = 'allow'
        [[rule]]
        name = 'small'
        action = 'deny'
        max_bits = 2047
        remedy = 'use a key of 2048 bits'
        ",
    );
    deny!(p: "sign" "CKM_RSA_PKCS" bits 1024 => "small");
    pass!(p: "sign" "CKM_RSA_PKCS" bits 2048 => "default");
    pass!(p: "sign" "CKM_RSA_PKCS" => "default");
}

#[test]
fn a_rule_in_shadow_decides_and_refuses_nothing() {
    let p = policy(
        "
        [[rule]]
        name = 'sha1'
        action = 'deny'
        enforce = false
        mechanism = ['CKM_SHA_1']
        remedy = 'use CKM_SHA256'
        ",
    );
    shadow!(p: "digest" "CKM_SHA_1" => "sha1");
    deny!(p: "digest" "CKM_SHA256" => "default");
    assert!(!p.judge(&facts("digest", "CKM_SHA_1")).enforced());
    assert!(p.judge(&facts("digest", "CKM_SHA256")).enforced());
}

#[test]
fn observe_mode_refuses_nothing_and_says_what_it_would_have() {
    let p = policy("mode = 'observe'");
    shadow!(p: "digest" "CKM_MD5" => "default");
    assert_eq!(p.mode(), Mode::Observe);
    assert!(!p.judge(&facts("digest", "CKM_MD5")).enforced());
}

#[test]
fn a_policy_knows_its_name_its_hash_and_its_rules_in_order() {
    let p = policy("name = 'payments'\n[[rule]]\nname = 'a'\naction = 'warn'\nreason = 'why'\n");
    assert_eq!((p.name(), policy("").name()), ("payments", "unnamed"));
    let rules: Vec<_> = p.rules().map(|rule| (rule.place(), rule.name(), rule.action())).collect();
    assert_eq!(rules, [(0, "a", Action::Warn), (1, "default", Action::Deny)]);
    assert_eq!(p.rules().next().and_then(|rule| rule.reason()), Some("why"));
    // SHA-256 of `version = 1` and a line end.
    let hash: String = policy("").hash().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hash, "dbab12665d98aef021ba64953c61b0ed8a908cfb56a1c01e2fcb4b052b71a2a1");
    // With profiles, that of all texts one behind the other.
    let include = "include = ['pci-pin', 'anti-tookan']\n";
    let profiles = [
        include_str!("../../../config/profiles/pci-pin.toml"),
        include_str!("../../../config/profiles/anti-tookan.toml"),
    ];
    let whole = format!("version = 1\n{include}{}", profiles.concat());
    assert_eq!(policy(include).hash(), *sha2::Sha256::digest(whole));
}

/// Which of sign, verify and digest may be used with CKM_ECDSA.
fn usable(rules: &str) -> [bool; 3] {
    let policy = policy(rules);
    ["sign", "verify", "digest"].map(|operation| {
        let facts = facts(operation, "CKM_ECDSA");
        policy.may_use(facts.mechanism.unwrap(), facts.act.operation().unwrap())
    })
}

#[test]
fn a_mechanism_is_listed_where_some_key_could_use_it() {
    let rule = |name: &str, action: &str, more: &str| {
        format!("\n[[rule]]\nname = '{name}'\naction = '{action}'\nremedy = 'ask'\n{more}\n")
    };
    let ecdsa = "mechanism = ['CKM_ECDSA']\n";
    let sign = "operation = ['sign']\nmechanism = ['CKM_ECDSA']\n";
    let large = "mechanism = ['CKM_ECDSA']\nmin_bits = 384\n";

    assert_eq!(usable(""), [false; 3]);
    assert_eq!(usable("default = 'allow'"), [true; 3]);
    assert_eq!(usable("default = 'warn'"), [true; 3]);
    assert_eq!(usable("mode = 'observe'"), [true; 3]);
    assert_eq!(usable(&rule("a", "allow", sign)), [true, false, false]);
    assert_eq!(usable(&rule("a", "warn", sign)), [true, false, false]);
    assert_eq!(usable(&rule("a", "allow", "mechanism = ['CKM_SHA256']")), [false; 3]);
    assert_eq!(usable(&rule("a", "allow", "curve = ['P-256']")), [true; 3]);

    // An unconditional deny above blocks; one that asks for the key does not; one below comes too late.
    let (allow, allow_large) = (rule("allow", "allow", ecdsa), rule("allow", "allow", large));
    let (deny_sign, deny_large) = (rule("deny", "deny", sign), rule("deny", "deny", large));
    assert_eq!(usable(&(deny_sign.clone() + &allow)), [false, true, true]);
    assert_eq!(usable(&(deny_large.clone() + &allow)), [true; 3]);
    assert_eq!(usable(&(allow_large + &deny_sign)), [true; 3]);
    assert_eq!(usable(&deny_large), [false; 3]);
    assert_eq!(usable(&("default = 'allow'".to_owned() + &deny_large)), [true; 3]);
    assert_eq!(usable(&("default = 'allow'".to_owned() + &deny_sign)), [false, true, true]);

    // A rule in shadow filters nothing, and shields from the denials below it.
    let shadow = rule("shadow", "deny", &format!("enforce = false\n{sign}"));
    assert_eq!(usable(&shadow), [true, false, false]);
    assert_eq!(usable(&(shadow + &rule("deny", "deny", ecdsa))), [true, false, false]);
}
