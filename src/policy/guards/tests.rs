// SPDX-License-Identifier: Apache-2.0
//! The guards against tables of calls: attacks that a guard must refuse, their neighbours that it must let
//! pass, and an ordinary life that no guard may disturb.

use event::Function;
use event::mechanism::*;
use event::names::mgf::{CKG_MGF1_SHA1, CKG_MGF1_SHA256};
use event::parameter::{Field, Parameter};
use event::record::Flags;
use event::value::key_type::{CKK_AES, CKK_EC, CKK_GENERIC_SECRET, CKK_RSA};
use event::value::object_class::{CKO_CERTIFICATE, CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_SECRET_KEY};
use proptest::prelude::*;
use proptest::sample::select;

use super::{ALL, Guard};
use crate::act::Act;
use crate::facts::{Facts, Input, Memory, Object};

/// The guards that a policy has to ask for beyond `anti-tookan`.
const OPTIONAL: &[&str] = &["read-only", "trusted-wrap"];

/// A call, and whether a guard refuses it.
struct Row {
    guard: &'static str,
    refused: bool,
    what: &'static str,
    facts: Facts<'static>,
}

/// `call!(Sign CKM_ECDSA, key = ec("sign"), input.length = Some(20))`. No guard asks which function was
/// called.
macro_rules! call {
    ($act:ident $($mechanism:ident)? $(, $($field:ident).+ = $value:expr)* $(,)?) => {{
        #[allow(unused_mut)]
        let mut facts = Facts::of(Function::C_Initialize, Act::$act, None $(.or(Some($mechanism)))?);
        $(facts.$($field).+ = $value;)*
        facts
    }};
}

/// `deny!("guard", "what": call)`: the guard refuses it.
macro_rules! deny {
    ($guard:literal, $what:literal: $($call:tt)+) => {
        Row { guard: $guard, refused: true, what: $what, facts: call!($($call)+) }
    };
}

/// The guard lets it pass.
macro_rules! pass {
    ($guard:literal, $what:literal: $($call:tt)+) => {
        Row { guard: $guard, refused: false, what: $what, facts: call!($($call)+) }
    };
}

mod attacks;
mod ordinary;

/// `flags("wrap !decrypt")`: told to be true, told to be false.
fn flags(words: &str) -> Flags {
    let mut flags = Flags::default();
    for word in words.split_whitespace() {
        let name = word.trim_start_matches('!');
        let bit = Flags::ALL.iter().find(|flag| flag.2 == name).expect(name).0;
        flags.tell(bit, name == word);
    }
    flags
}

fn object(class: u64, key_type: u64, bits: u32, words: &str) -> Object<'static> {
    let (class, key_type, bits) = (Some(class), Some(key_type), Some(bits));
    Object { class, key_type, bits, flags: flags(words), present: true, ..Object::default() }
}

fn aes(words: &str) -> Object<'static> {
    object(CKO_SECRET_KEY, CKK_AES, 256, words)
}

fn generic(words: &str) -> Object<'static> {
    object(CKO_SECRET_KEY, CKK_GENERIC_SECRET, 256, words)
}

fn rsa_public(words: &str) -> Object<'static> {
    Object { exponent: Some(65537), ..object(CKO_PUBLIC_KEY, CKK_RSA, 3072, words) }
}

fn rsa_private(words: &str) -> Object<'static> {
    object(CKO_PRIVATE_KEY, CKK_RSA, 3072, words)
}

fn ec_private(words: &str) -> Object<'static> {
    Object { curve: Some(0), ..object(CKO_PRIVATE_KEY, CKK_EC, 256, words) }
}

/// The usage flags and protection that SoftHSM 2.6.1 gives to a secret key whose template says nothing.
const SILENT_SECRET: &str =
    "local encrypt decrypt wrap unwrap sign verify !derive !sensitive !extractable !trusted !token";
/// The same of a private key.
const SILENT_PRIVATE: &str = "local decrypt unwrap sign sign_recover !derive !sensitive !extractable !token";
/// The same of a public key.
const SILENT_PUBLIC: &str = "local encrypt wrap verify verify_recover !derive !trusted !token";

/// A field of the call's own mechanism.
const fn parameter(field: Field, value: u64) -> Parameter {
    Parameter { depth: 0, field, value }
}

fn guard(name: &str) -> &'static Guard {
    ALL.iter().find(|guard| guard.name == name).expect(name)
}

fn refuses(guard: &Guard, facts: &Facts<'_>) -> bool {
    guard.acts.contains(&facts.act) && (guard.refuses)(facts)
}

#[test]
fn every_guard_refuses_its_attacks_and_spares_their_neighbours() {
    for row in attacks::rows() {
        assert_eq!(refuses(guard(row.guard), &row.facts), row.refused, "{}: {}", row.guard, row.what);
    }
}

#[test]
fn an_attack_is_refused_by_the_guard_that_knows_it_best() {
    for row in attacks::rows().iter().filter(|row| row.refused) {
        let first = ALL.iter().find(|guard| {
            (!OPTIONAL.contains(&guard.name) || guard.name == row.guard) && refuses(guard, &row.facts)
        });
        assert_eq!(first.map(|guard| guard.name), Some(row.guard), "{}", row.what);
    }
}

#[test]
fn no_guard_disturbs_ordinary_life() {
    for (what, facts) in ordinary::calls() {
        for guard in ALL.iter().filter(|guard| !OPTIONAL.contains(&guard.name)) {
            assert!(!refuses(guard, &facts), "{} refuses: {what}", guard.name);
        }
    }
}

#[test]
fn a_guard_is_asked_about_no_act_that_it_never_refuses() {
    let rows = attacks::rows();
    for guard in ALL {
        for act in guard.acts {
            let attacked = rows.iter().any(|row| row.facts.act == *act && refuses(guard, &row.facts));
            assert!(attacked, "{} has no attack with {}", guard.name, act.name());
        }
    }
}

#[test]
fn a_guard_has_a_name_of_its_own_and_says_why_and_what_instead() {
    for (place, guard) in ALL.iter().enumerate() {
        assert!(ALL[..place].iter().all(|earlier| earlier.name != guard.name), "{}", guard.name);
        assert!(guard.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", guard.name);
        assert!(![guard.clause, guard.reason, guard.remedy].contains(&""), "{}", guard.name);
        assert!(event::value::rv::name(guard.rv).is_some(), "{}", guard.name);
    }
}

#[test]
fn anti_tookan_switches_on_every_guard_but_the_optional_ones() {
    let text = include_str!("../../../config/profiles/anti-tookan.toml");
    let profile: toml::Table = text.parse().unwrap();
    let named: Vec<_> =
        profile["guards"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let wanted: Vec<_> = ALL.iter().map(|guard| guard.name).filter(|name| !OPTIONAL.contains(name)).collect();
    assert_eq!(named, wanted);
}

/// The call with other circumstances, which no guard may ask about.
fn elsewhere(facts: Facts<'static>, function: Function, time: u64, uid: u32) -> Facts<'static> {
    let mut other = Facts { function, time: Some(time), ..facts };
    other.token.slot = Some(u64::from(uid));
    other.process.uid = Some(uid);
    other.key.end = Some(*b"20301231");
    other
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn circumstances_change_no_answer(
        function in select(Function::ALL), time: u64, uid: u32,
        attack in 0..attacks::rows().len(),
        call in 0..ordinary::calls().len(),
    ) {
        let row = attacks::rows().swap_remove(attack);
        let facts = elsewhere(row.facts, function, time, uid);
        prop_assert_eq!(refuses(guard(row.guard), &facts), row.refused, "{}", row.what);
        let (what, facts) = ordinary::calls().swap_remove(call);
        let facts = elsewhere(facts, function, time, uid);
        let disturbs = |guard: &Guard| !OPTIONAL.contains(&guard.name) && refuses(guard, &facts);
        prop_assert!(!ALL.iter().any(disturbs), "{}", what);
    }

    #[test]
    fn a_call_of_which_nothing_is_known_is_refused_only_for_what_it_is(act in select(Act::ALL), vendor: u64) {
        let facts = Facts::of(Function::C_Initialize, act, Some(vendor | VENDOR_DEFINED));
        let refused: Vec<_> = ALL.iter().filter(|guard| refuses(guard, &facts)).map(|guard| guard.name).collect();
        let expected: &[&str] = match act {
            Act::State => &["operation-state"],
            Act::Administer => &["no-administration"],
            // What is not known to be readable, authenticated or trusted is taken for the contrary.
            Act::DigestKey => &["no-digest-key"],
            Act::Wrap => &["authenticated-wrap", "trusted-wrap"],
            Act::Unwrap => &["authenticated-wrap", "no-weaker-copies"],
            Act::Derive | Act::Encapsulate | Act::Decapsulate => &["no-weaker-copies"],
            _ => &[],
        };
        prop_assert_eq!(refused, expected);
    }
}
