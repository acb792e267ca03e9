// SPDX-License-Identifier: Apache-2.0
//! What a verdict says besides its rule: the return value, what decided, the nested mechanism, where the rule is from.

use event::Function::C_SignInit;
use event::mechanism::*;
use event::parameter::{Field, Parameter};
use event::value::rv::{self, CKR_FUNCTION_REJECTED, CKR_OBJECT_HANDLE_INVALID, CKR_SLOT_ID_INVALID};
use policy::Act::{self, *};
use policy::{Action, Facts, Policy};

fn policy(text: &str) -> Policy {
    Policy::parse("policy.toml", format!("version = 1\n{text}").as_bytes())
        .unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn rule(name: &str, action: &str, more: &str) -> String {
    format!("[[rule]]\nname = '{name}'\naction = '{action}'\nremedy = 'ask'\n{more}\n")
}

fn call(act: Act, mechanism: impl Into<Option<u64>>) -> Facts<'static> {
    Facts::of(C_SignInit, act, mechanism.into())
}

#[test]
fn a_refusal_returns_what_fits_what_was_asked() {
    let p = policy(&rule("no", "deny", ""));
    for (act, mechanism, value) in [
        (Sign, Some(CKM_ECDSA), rv::CKR_MECHANISM_INVALID),
        (Import, None, rv::CKR_TEMPLATE_INCONSISTENT),
        (Copy, None, rv::CKR_TEMPLATE_INCONSISTENT),
        (Modify, None, rv::CKR_ACTION_PROHIBITED),
        (Destroy, None, rv::CKR_ACTION_PROHIBITED),
        (Read, None, rv::CKR_ATTRIBUTE_SENSITIVE),
        (Find, None, rv::CKR_FUNCTION_REJECTED),
        (DigestKey, None, rv::CKR_KEY_INDIGESTIBLE),
        (Login, None, rv::CKR_USER_TYPE_INVALID),
        (Administer, None, rv::CKR_FUNCTION_REJECTED),
        (State, None, rv::CKR_FUNCTION_REJECTED),
        (Open, None, rv::CKR_FUNCTION_REJECTED),
    ] {
        let verdict = p.judge(&call(act, mechanism));
        assert!(verdict.refuses());
        assert_eq!(verdict.rv(), value, "{act:?}");
    }
}

#[test]
fn a_rule_may_choose_what_is_returned() {
    for (word, value) in [
        ("mechanism", rv::CKR_MECHANISM_INVALID),
        ("parameter", rv::CKR_MECHANISM_PARAM_INVALID),
        ("key-size", rv::CKR_KEY_SIZE_RANGE),
        ("key-function", rv::CKR_KEY_FUNCTION_NOT_PERMITTED),
        ("template", rv::CKR_TEMPLATE_INCONSISTENT),
        ("attribute", rv::CKR_ATTRIBUTE_VALUE_INVALID),
        ("domain", rv::CKR_DOMAIN_PARAMS_INVALID),
        ("prohibited", rv::CKR_ACTION_PROHIBITED),
        ("user-type", rv::CKR_USER_TYPE_INVALID),
        ("function", rv::CKR_FUNCTION_REJECTED),
    ] {
        let p = policy(&rule("no", "deny", &format!("rv = '{word}'")));
        assert_eq!(p.judge(&call(Sign, CKM_ECDSA)).rv(), value);
    }
}

#[test]
fn the_conditions_of_the_rule_say_what_decided() {
    let p = policy(&rule(
        "a",
        "allow",
        "mechanism = 'CKM_ECDSA'\nlabel = 'a'\noperation = 'sign'\nmin_bits = 256",
    ));
    let mut facts = call(Sign, CKM_ECDSA);
    assert_eq!(p.judge(&facts).decided_by(), "no rule");
    facts.key.label = Some(b"a");
    facts.key.bits = Some(256);
    assert_eq!(p.judge(&facts).decided_by(), "operation, mechanism, min_bits, label");
    assert_eq!(policy(&rule("a", "warn", "")).judge(&facts).decided_by(), "any call");
}

#[test]
fn a_call_without_a_mechanism_that_no_rule_is_for_goes_on() {
    let p = policy("");
    let verdict = p.judge(&call(Destroy, None));
    assert_eq!((verdict.action(), verdict.rule().name()), (Action::Allow, "default"));
    assert!(!p.considers(Destroy) && p.considers(Sign) && !p.considers(SignData));
    assert!(policy(&rule("no", "deny", "operation = 'destroy'")).judge(&call(Destroy, None)).refuses());
    // The data of a signature is judged only by rules that name it.
    assert!(!policy(&rule("no", "deny", "")).judge(&call(SignData, CKM_RSA_PKCS)).refuses());
    let peek = policy(&rule("no", "deny", "operation = 'sign-data'\nhash = 'CKM_SHA_1'"));
    let mut facts = call(SignData, CKM_RSA_PKCS);
    assert!(peek.considers(SignData) && !peek.judge(&facts).refuses());
    facts.input.digest = Some(CKM_SHA_1);
    assert!(peek.judge(&facts).refuses());
}

#[test]
fn what_may_be_seen_is_for_the_rules_that_name_it() {
    let blind = policy(&format!("default = 'deny'\n{}", rule("no", "deny", "")));
    assert!(!blind.hides() && !blind.considers(See) && !blind.judge(&call(See, None)).refuses());
    let own = rule("own", "allow", "operation = 'see'\nlabel = 'tenant-a-*'");
    let rest = rule("rest", "deny", "operation = 'see'");
    let tenant = policy(&(own + &rest));
    assert!(tenant.hides() && tenant.considers(See) && !tenant.considers(SeeToken));
    let with = |label: Option<&'static [u8]>| {
        let mut facts = call(See, None);
        facts.key.label = label;
        facts
    };
    assert!(!tenant.judge(&with(Some(b"tenant-a-tls"))).refuses());
    let foreign = with(Some(b"tenant-b-tls"));
    assert_eq!(tenant.judge(&foreign).rv(), CKR_OBJECT_HANDLE_INVALID);
    assert!(tenant.judge(&foreign).refuses());
    assert!(tenant.judge(&with(None)).refuses(), "what tells no label is not this tenant's");
    // The rules for what is seen decide nothing else.
    assert!(!tenant.judge(&call(SeeToken, None)).refuses());
    assert!(!tenant.judge(&call(Destroy, None)).refuses());

    let watched = policy(
        "mode = 'observe'\n[[rule]]\nname = 'x'\naction = 'deny'\nremedy = 'y'\noperation = ['see-token', 'login']\n\
         token = 'prod-*'\nrv = 'function'\n",
    );
    let mut facts = call(SeeToken, None);
    facts.token.label = Some(b"prod-1");
    let verdict = watched.judge(&facts);
    // A return value is chosen for the login alone: a hidden slot is none.
    assert_eq!(
        (verdict.action(), verdict.enforced(), verdict.rv()),
        (Action::Deny, false, CKR_SLOT_ID_INVALID)
    );
    assert_eq!(watched.judge(&Facts { act: Login, ..facts }).rv(), CKR_FUNCTION_REJECTED);
    let shadow = verdict;
    let allowed = tenant.judge(&with(Some(b"tenant-a-tls")));
    assert!(shadow.is_stricter_than(allowed) && !allowed.is_stricter_than(shadow));
}

#[test]
fn a_mechanism_inside_another_is_refused_where_a_rule_names_it() {
    let all = rule("all", "allow", "operation = ['sign', 'verify']\nmechanism = 'CKM_RSA_PKCS_PSS'");
    let with = |act: Act, more: &str| {
        let p = policy(&format!("default = 'deny'\n{more}{all}"));
        let parameters = [Parameter { depth: 0, field: Field::Hash, value: CKM_SHA_1 }];
        let facts = Facts { parameters: &parameters, ..call(act, CKM_RSA_PKCS_PSS) };
        let verdict = p.judge(&facts);
        (verdict.rule().name().to_owned(), verdict.nested(), verdict.refuses())
    };
    let allowed = ("all".to_owned(), None, false);
    // The default is not for what a call is made of, and rules for all mechanisms were asked already.
    assert_eq!(with(Sign, ""), allowed);
    assert_eq!(with(Sign, &rule("no", "deny", "operation = 'encrypt'\nmechanism = 'CKM_SHA_1'")), allowed);
    let refused = ("no".to_owned(), Some(CKM_SHA_1), true);
    for conditions in [
        "mechanism = 'CKM_SHA_1'",
        "mechanism = 'family:sha1'",
        "mechanism = 'CKM_SHA_?'",
        "operation = 'digest'\nmechanism = 'CKM_SHA_1'",
        "operation = 'sign'\nmechanism = 'CKM_SHA_1'",
    ] {
        assert_eq!(with(Sign, &rule("no", "deny", conditions)), refused, "{conditions}");
    }
    assert_eq!(with(Verify, &rule("no", "deny", "operation = 'sign'\nmechanism = 'CKM_SHA_1'")), allowed);
    assert_eq!(
        with(Sign, &rule("no", "warn", "mechanism = 'CKM_SHA_1'")),
        ("no".to_owned(), Some(CKM_SHA_1), false)
    );
}

#[test]
fn what_could_not_be_read_inside_another_is_refused_by_the_first_rule_that_could_be_for_it() {
    let with = |depth: u8, rules: &str| {
        let p = policy(&format!("default = 'allow'\nguards = ['no-administration']\n{rules}"));
        let parameters = [
            Parameter { depth: 0, field: Field::SigningMechanism, value: CKM_RSA_PKCS_PSS },
            Parameter { depth, field: Field::Malformed, value: 1 },
        ];
        let facts = Facts { parameters: &parameters, ..call(Sign, CKM_CMS_SIG) };
        let verdict = p.judge(&facts);
        (verdict.rule().name().to_owned(), verdict.nested(), verdict.refuses())
    };
    let no = rule("no", "deny", "mechanism = 'CKM_SHA_1'");
    let elsewhere = rule("elsewhere", "deny", "operation = 'wrap'\nmechanism = 'CKM_SHA_1'");
    let softly = rule("softly", "warn", "mechanism = 'CKM_MD5'");
    let refused = ("no".to_owned(), Some(CKM_RSA_PKCS_PSS), true);
    assert_eq!(with(1, &format!("{softly}{elsewhere}{no}")), refused);
    let allowed = ("default".to_owned(), None, false);
    assert_eq!(with(0, &no), allowed, "the module sees that length too");
    assert_eq!(with(1, &format!("{softly}{elsewhere}")), allowed);
}

#[test]
fn guards_come_first_then_profiles_then_the_file() {
    let p = policy(&format!(
        "guards = ['no-administration']\ninclude = 'baseline'\n{}",
        rule("own", "allow", "")
    ));
    let names: Vec<_> = p.rules().map(|rule| rule.name()).collect();
    assert_eq!((names[0], &names[names.len() - 2..]), ("no-administration", &["own", "default"][..]));
    assert!(p.rules().enumerate().all(|(place, rule)| rule.place() == place));
    let profiles: Vec<_> = p.rules().filter_map(|rule| rule.profile()).collect();
    assert_eq!(profiles.len(), names.len() - 3);
    assert!(profiles.iter().all(|profile| *profile == "baseline"));

    let verdict = p.judge(&call(Administer, None));
    assert_eq!((verdict.rule().name(), verdict.decided_by()), ("no-administration", "guard"));
    assert!(verdict.refuses() && verdict.rule().clause().is_some() && verdict.rule().remedy().is_some());
    assert!(
        !policy("mode = 'observe'\nguards = 'no-administration'").judge(&call(Administer, None)).refuses()
    );
}

#[test]
fn what_is_unverified_warns() {
    let p = policy(&rule("a", "deny", "status = 'unverified'\nclause = 'X 1'\nedition = '2'"));
    let verdict = p.judge(&call(Sign, CKM_ECDSA));
    assert_eq!((verdict.action(), verdict.refuses()), (Action::Warn, false));
    assert_eq!((verdict.rule().clause(), verdict.rule().edition()), (Some("X 1"), Some("2")));
    assert!(policy(&rule("a", "deny", "status = 'verified'")).judge(&call(Sign, CKM_ECDSA)).refuses());
}
