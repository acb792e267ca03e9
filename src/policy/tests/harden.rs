// SPDX-License-Identifier: Apache-2.0
//! What `harden` adds to the template of which call, one situation per line, and where and when a staged rule is carried out.

use event::Function::{C_GenerateKey, C_SignInit};
use event::mechanism::{
    CKM_AES_KEY_GEN, CKM_AES_KEY_WRAP, CKM_DSA_FIPS_G_GEN, CKM_DSA_PARAMETER_GEN, CKM_EC_KEY_PAIR_GEN,
    CKM_ECDH1_DERIVE, CKM_ECDSA, CKM_HKDF_DATA, CKM_HKDF_DERIVE, CKM_ML_KEM, CKM_PUB_KEY_FROM_PRIV_KEY,
    CKM_SHA_1, Operation,
};
use event::parameter::{Field, Parameter};
use event::record::Flags;
use event::value::object_class::{
    CKO_CERTIFICATE, CKO_DOMAIN_PARAMETERS, CKO_OTP_KEY, CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_SECRET_KEY,
};
use policy::Act::{self, *};
use policy::{Action, Additions, Enforce, Facts, Policy, Subject};

/// 2026-11-21, 09:05:07 UTC.
const NOW: u64 = 1_795_251_907;
const ALL: &str = "harden = { private = true, sensitive = true, extractable = false, wrap_with_trusted = true, \
                   modifiable = false, copyable = false, end_date = '2y' }";

fn policy(text: &str) -> Policy {
    Policy::parse("policy.toml", format!("version = 1\n{text}").as_bytes())
        .unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn rule(name: &str, action: &str, more: &str) -> String {
    format!("[[rule]]\nname = '{name}'\naction = '{action}'\nremedy = 'ask'\n{more}\n")
}

fn call(act: Act, mechanism: impl Into<Option<u64>>) -> Facts<'static> {
    Facts { time: Some(NOW), ..Facts::of(C_GenerateKey, act, mechanism.into()) }
}

/// What is added to the two templates, as `sensitive=true end=20281121`.
fn words([first, second]: [Additions; 2]) -> [String; 2] {
    [first, second].map(|added| {
        let flags = Flags::ALL
            .iter()
            .filter_map(|(bit, _, name)| Some(format!("{name}={}", added.flags.value(*bit)?)));
        let end = added.end.map(|end| format!("end={}", std::str::from_utf8(&end).unwrap()));
        flags.chain(end).collect::<Vec<_>>().join(" ")
    })
}

fn added(policy: &Policy, facts: &Facts<'_>) -> ([String; 2], bool) {
    let (harden, applied) = policy.judge(facts).harden().expect("the rule hardens");
    (words(harden.additions(facts)), applied)
}

const FLAGS: &str =
    "private=true sensitive=true extractable=false modifiable=false copyable=false wrap_with_trusted=true";
const END: &str = "end=20281121";

macro_rules! adds {
    ($first:literal $second:literal: $act:ident $mechanism:expr $(, $($field:ident).+ = $value:expr)*) => {{
        #[allow(unused_mut)]
        let mut facts = call($act, $mechanism);
        $(facts.$($field).+ = $value;)*
        let whole = |word: &str| word.replace("FLAGS", FLAGS).replace("END", END);
        let (added, applied) = added(&policy(&rule("it", "allow", ALL)), &facts);
        assert_eq!((added, applied), ([whole($first), whole($second)], true), "{facts:?}");
    }};
}

fn flags(bits: u32, value: bool) -> Flags {
    let mut flags = Flags::default();
    flags.tell(bits, value);
    flags
}

#[test]
fn what_is_added_follows_what_is_made() {
    adds!("FLAGS END" "": Generate CKM_AES_KEY_GEN);
    adds!("FLAGS END" "": Generate 0x8000_0001);
    adds!("FLAGS END" "": Generate CKM_AES_KEY_GEN, template.class = Some(CKO_SECRET_KEY));
    adds!("" "": Generate CKM_DSA_PARAMETER_GEN);
    adds!("" "": Generate CKM_DSA_FIPS_G_GEN);
    adds!("" "": Generate 0x8000_0001, template.class = Some(CKO_DOMAIN_PARAMETERS));
    adds!("END" "FLAGS END": GenerateKeyPair CKM_EC_KEY_PAIR_GEN);
    adds!("FLAGS END" "": Unwrap CKM_AES_KEY_WRAP);
    adds!("FLAGS END" "": Unwrap CKM_AES_KEY_WRAP, template.class = Some(CKO_PRIVATE_KEY));
    adds!("FLAGS END" "": Derive CKM_ECDH1_DERIVE);
    adds!("" "": Derive CKM_HKDF_DATA);
    adds!("END" "": Derive CKM_PUB_KEY_FROM_PRIV_KEY);
    adds!("FLAGS END" "": Encapsulate CKM_ML_KEM);
    adds!("FLAGS END" "": Decapsulate CKM_ML_KEM);
    adds!("FLAGS END" "": Import None, template.class = Some(CKO_PRIVATE_KEY));
    adds!("FLAGS END" "": Import None, template.class = Some(CKO_OTP_KEY));
    adds!("END" "": Import None, template.class = Some(CKO_PUBLIC_KEY));
    adds!("" "": Import None, template.class = Some(CKO_CERTIFICATE));
    adds!("" "": Import None);
    adds!("" "": Copy None, key.class = Some(CKO_SECRET_KEY));
    adds!("" "": Wrap CKM_AES_KEY_WRAP);
}

#[test]
fn what_a_template_names_stays() {
    let most =
        "private=true extractable=false modifiable=false copyable=false wrap_with_trusted=true end=20281121";
    let (left, _) = added(
        &policy(&rule("it", "allow", ALL)),
        &Facts {
            template: policy::Object { flags: flags(Flags::SENSITIVE, false), ..Default::default() },
            ..call(Generate, CKM_AES_KEY_GEN)
        },
    );
    assert_eq!(left, [most.to_owned(), String::new()]);
    let mut pair = call(GenerateKeyPair, CKM_EC_KEY_PAIR_GEN);
    pair.template.end = Some(*b"20270101");
    pair.private_template.flags =
        flags(Flags::PRIVATE | Flags::EXTRACTABLE | Flags::MODIFIABLE | Flags::COPYABLE, true);
    let (left, _) = added(&policy(&rule("it", "allow", ALL)), &pair);
    assert_eq!(left, [String::new(), "sensitive=true wrap_with_trusted=true end=20281121".to_owned()]);
}

#[test]
fn a_key_ends_a_span_after_it_begins() {
    adds!("FLAGS end=20300101" "": Generate CKM_AES_KEY_GEN, template.start = Some(*b"20280101"));
    adds!("FLAGS END" "": Generate CKM_AES_KEY_GEN, template.start = Some(*b"20200101"));
    adds!("FLAGS END" "": Generate CKM_AES_KEY_GEN, template.start = Some(*b"        "));
    adds!("FLAGS" "": Generate CKM_AES_KEY_GEN, time = None);
    let p = policy(&rule("it", "allow", "harden = { end_date = '90d' }"));
    assert!(p.asks(Subject::Time, Generate) && p.asks_more(Generate) && !p.asks_more(Sign));
    assert!(p.hardens() && !policy("").hardens());
    assert_eq!(added(&p, &call(Generate, CKM_AES_KEY_GEN)).0[0], "end=20270219");
    let timeless = policy(&rule("it", "allow", "harden = { sensitive = true }"));
    assert!(!timeless.asks_ever(Subject::Time) && timeless.asks_more(Unwrap));
}

#[test]
fn shadow_and_observe_only_say_what_would_be_added() {
    let facts = call(Generate, CKM_AES_KEY_GEN);
    for more in ["mode = 'observe'\n", ""] {
        let enforce = if more.is_empty() { "enforce = false\n" } else { "" };
        let p = policy(&format!(
            "{more}{}",
            rule("it", "warn", &format!("{enforce}harden = {{ copyable = false }}"))
        ));
        assert_eq!(added(&p, &facts), (["copyable=false".to_owned(), String::new()], false));
    }
    let p = policy(&rule("it", "allow", "operation = 'generate'\nharden = { copyable = false }"));
    assert!(p.judge(&call(Unwrap, CKM_AES_KEY_WRAP)).harden().is_none());
}

#[test]
fn what_is_inside_the_mechanism_may_be_warned_of_or_refused_and_the_rule_of_the_call_hardens() {
    let nested = |action: &str| {
        policy(&format!(
            "{}{}",
            rule("inside", action, "mechanism = 'CKM_SHA_1'"),
            rule("it", "allow", "harden = { sensitive = true }")
        ))
    };
    let parameters = [Parameter { depth: 0, field: Field::Hash, value: CKM_SHA_1 }];
    let facts = Facts { parameters: &parameters, ..call(Derive, CKM_HKDF_DERIVE) };
    let p = nested("warn");
    assert_eq!(p.judge(&facts).rule().name(), "inside");
    assert_eq!(added(&p, &facts), (["sensitive=true".to_owned(), String::new()], true));
    assert!(nested("deny").judge(&facts).harden().is_none(), "nothing is made");
}

#[test]
fn guards_see_the_template_that_goes_to_the_token() {
    let guarded =
        |more: &str| policy(&format!("guards = ['no-weaker-copies']\n{}", rule("it", "allow", more)));
    let harden = "harden = { sensitive = true, extractable = false }";
    let bare = call(Unwrap, CKM_AES_KEY_WRAP);
    assert!(guarded("").judge(&bare).refuses());
    assert_eq!(guarded(harden).judge(&bare).rule().name(), "it");
    assert!(guarded(&format!("enforce = false\n{harden}")).judge(&bare).refuses(), "it is not hardened");
    let mut weak = bare;
    weak.template.flags = flags(Flags::EXTRACTABLE, true);
    assert_eq!(guarded(harden).judge(&weak).rule().name(), "no-weaker-copies");
    // Rules hear what the caller asked for.
    let p = policy(&format!(
        "{}{}",
        rule("said", "deny", "asks = { extractable = false }"),
        rule("it", "allow", harden)
    ));
    assert_eq!(p.judge(&bare).rule().name(), "it");
}

#[test]
fn a_staged_rule_is_in_shadow_elsewhere_and_on_other_days() {
    let p = policy(&format!(
        "default = 'allow'\n{}",
        rule(
            "staged",
            "deny",
            "enforce = { host = ['web-*'], service = 'signer', from = 2026-11-21, until = 2026-11-22 }"
        )
    ));
    assert!(p.asks(Subject::Process, Sign) && p.asks(Subject::Time, Sign));
    assert_eq!(p.rules().map(|rule| rule.enforce()).collect::<Vec<_>>(), [Enforce::Staged, Enforce::Always]);
    let judged = |host: &'static [u8], service: Option<&'static [u8]>, time: Option<u64>| {
        let mut facts = Facts { time, ..Facts::of(C_SignInit, Sign, Some(CKM_ECDSA)) };
        (facts.process.host, facts.process.service) = (Some(host), service);
        let verdict = p.judge(&facts);
        assert_eq!((verdict.action(), verdict.rule().name()), (Action::Deny, "staged"));
        assert_eq!(verdict.refuses(), verdict.enforced());
        verdict.refuses()
    };
    let signer = Some(&b"signer"[..]);
    assert!(judged(b"web-1", signer, Some(NOW)));
    assert!(judged(b"web-1", signer, Some(NOW + 86_400)));
    assert!(!judged(b"web-1", signer, Some(NOW - 86_400)));
    assert!(!judged(b"web-1", signer, Some(NOW + 2 * 86_400)));
    assert!(!judged(b"db-1", signer, Some(NOW)));
    assert!(!judged(b"web-1", Some(b"signer2"), Some(NOW)));
    // What is not known meets no condition, and a day that is not known has not come.
    assert!(!judged(b"web-1", None, Some(NOW)));
    assert!(!judged(b"web-1", signer, None));
    let observed =
        policy(&format!("mode = 'observe'\n{}", rule("staged", "deny", "enforce = { host = '*' }")));
    let mut facts = Facts::of(C_SignInit, Sign, Some(CKM_ECDSA));
    facts.process.host = Some(b"web-1");
    assert!(!observed.judge(&facts).enforced());
}

#[test]
fn a_mechanism_that_is_refused_in_stages_stays_listed() {
    let p = policy(&format!("default = 'allow'\n{}", rule("staged", "deny", "enforce = { host = 'web-*' }")));
    assert!(p.may_use(CKM_ECDSA, Operation::Sign));
}

#[test]
fn a_staged_hardening_is_carried_out_where_its_stage_is() {
    let p = policy(&rule("it", "allow", "enforce = { host = 'web-*' }\nharden = { sensitive = true }"));
    let mut facts = call(Generate, CKM_AES_KEY_GEN);
    assert!(!added(&p, &facts).1);
    facts.process.host = Some(b"web-1");
    assert!(added(&p, &facts).1);
}
