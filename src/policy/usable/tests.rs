// SPDX-License-Identifier: Apache-2.0
//! What applications are shown of mechanisms, against what is judged: a use that is hidden is refused whatever the
//! call, and one that is shown is open to some call. Every mechanism, every operation, every guard and profile.

use event::Function::C_Initialize;
use event::curve;
use event::mechanism::{self, CKM_SHA_1, CKM_SHA3_384, CKM_SHA384, Operation};
use event::names::mgf::CKG_MGF1_SHA384;
use event::parameter::{Field, Parameter};
use event::record::Flags;
use event::value::key_type::*;
use event::value::object_class::{CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_SECRET_KEY};

use crate::facts::{Facts, Object};
use crate::{Policy, guards, profile};

/// Conditions that a mechanism can decide by itself.
const CONDITIONS: [&str; 6] = [
    "hash = 'CKM_SHA_1'",
    "hash = ['CKM_MD5', 'CKM_SHA384']",
    "max_strength = 112",
    "min_strength = 128",
    "min_strength = 112\nmax_strength = 112",
    "max_strength = 112\nhash = 'CKM_SHA_1'",
];

fn policy(text: &str) -> Policy {
    match Policy::parse("policy.toml", format!("version = 1\n{text}").as_bytes()) {
        Ok(policy) => policy,
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

fn flags(set: u32) -> Flags {
    Flags { known: Flags::USAGE | Flags::SENSITIVE | Flags::EXTRACTABLE | Flags::TRUSTED, set }
}

/// Keys that no rule has reason to refuse, among them one for each rule.
fn keys() -> Vec<Object<'static>> {
    let (trusted, secret) = (Flags::TRUSTED, Flags::SENSITIVE | Flags::TRUSTED);
    let key = |class, key_type, bits, set| Object {
        class: Some(class),
        key_type: Some(key_type),
        bits: Some(bits),
        flags: flags(set),
        present: true,
        ..Object::default()
    };
    let p384 = curve::ALL.iter().position(|curve| curve.name == "P-384").and_then(|p| u16::try_from(p).ok());
    let mut keys = vec![
        Object::default(),
        key(CKO_SECRET_KEY, CKK_AES, 256, secret),
        key(CKO_SECRET_KEY, CKK_AES, 112, secret),
        key(CKO_SECRET_KEY, CKK_AES, 40, secret),
        // Readable, so that nothing is lost by deriving from it.
        Object { flags: flags(Flags::EXTRACTABLE), ..key(CKO_SECRET_KEY, CKK_GENERIC_SECRET, 512, 0) },
    ];
    for class in [CKO_PUBLIC_KEY, CKO_PRIVATE_KEY] {
        let set = if class == CKO_PUBLIC_KEY { trusted } else { secret };
        let rsa = Object { exponent: Some(65537), ..key(class, CKK_RSA, 16384, set) };
        let ec = Object { curve: p384, ..key(class, CKK_EC, 384, set) };
        keys.extend([rsa, ec, key(class, CKK_EC, 240, set)]);
        keys.extend([CKK_ML_KEM, CKK_ML_DSA, CKK_SLH_DSA].map(|key_type| Object {
            parameter_set: Some(if key_type == CKK_SLH_DSA { 12 } else { 3 }),
            ..key(class, key_type, 0, set)
        }));
    }
    keys
}

/// Calls of one mechanism in one operation that differ in all that rules ask of.
fn some_call(policy: &Policy, mechanism: u64, operation: Operation, keys: &[Object<'static>]) -> bool {
    let field = |field, value| Parameter { depth: 0, field, value };
    let strong = [
        field(Field::Hash, CKM_SHA384),
        field(Field::Mgf, CKG_MGF1_SHA384),
        field(Field::SaltLen, 48),
        field(Field::TagBits, 128),
        field(Field::IvLen, 12),
        field(Field::IvGenerator, 1),
        field(Field::MacLen, 16),
        field(Field::Iterations, 1_000_000),
    ];
    let [sha1, sha3] = [CKM_SHA_1, CKM_SHA3_384].map(|hash| [field(Field::Hash, hash)]);
    let made = Object {
        class: Some(CKO_SECRET_KEY),
        key_type: Some(CKK_GENERIC_SECRET),
        bits: Some(256),
        flags: flags(Flags::SENSITIVE),
        present: true,
        ..Object::default()
    };
    keys.iter().any(|key| {
        [&[][..], &strong[..1], &strong, &sha1, &sha3].iter().any(|parameters| {
            [Object::default(), made, *key].iter().any(|template| {
                let facts = Facts {
                    key: *key,
                    template: *template,
                    parameters,
                    ..Facts::of(C_Initialize, operation.into(), Some(mechanism))
                };
                !policy.judge(&facts).refuses()
            })
        })
    })
}

fn disagreements(name: &str, policy: &Policy) -> (usize, Vec<String>) {
    let (keys, mut hidden, mut wrong) = (keys(), 0, Vec::new());
    let known = mechanism::ALL.iter().map(|known| known.number);
    for mechanism in known.chain([0x8000_0001]) {
        for operation in Operation::ALL {
            let shown = policy.may_use(mechanism, *operation);
            hidden += usize::from(!shown);
            if shown != some_call(policy, mechanism, *operation, &keys) {
                let mechanism = mechanism::display(mechanism);
                wrong.push(format!("{name}: {mechanism} {operation:?} is shown: {shown}"));
            }
        }
    }
    (hidden, wrong)
}

#[test]
fn what_is_shown_is_open_to_some_call_and_what_is_hidden_to_none() {
    let mut policies: Vec<(String, String)> = Vec::new();
    let guards: Vec<&str> = guards::ALL.iter().map(|guard| guard.name).collect();
    for guard in &guards {
        policies.push(((*guard).into(), format!("default = 'allow'\nguards = ['{guard}']\n")));
    }
    policies.push(("every guard".into(), format!("default = 'allow'\nguards = {guards:?}\n")));
    for profile::Profile { name, .. } in profile::ALL {
        policies.push(((*name).into(), format!("default = 'allow'\ninclude = ['{name}']\n")));
    }
    for (conditions, action) in CONDITIONS.iter().flat_map(|asked| [(asked, "deny"), (asked, "allow")]) {
        let default = if action == "deny" { "allow" } else { "deny" };
        let rule = format!("[[rule]]\nname = 'it'\naction = '{action}'\nremedy = 'ask'\n{conditions}\n");
        policies.push((format!("{action} {conditions}"), format!("default = '{default}'\n{rule}")));
    }
    let mut wrong = Vec::new();
    for (name, text) in &policies {
        let (hidden, more) = disagreements(name, &policy(text));
        println!("{name:?}: {hidden} uses hidden");
        wrong.extend(more);
    }
    assert!(wrong.is_empty(), "{} disagree:\n{}", wrong.len(), wrong[..wrong.len().min(60)].join("\n"));
}

#[test]
fn observing_hides_nothing() {
    let policy = policy("mode = 'observe'\ninclude = ['anti-tookan']\n");
    assert_eq!(disagreements("observe", &policy), (0, Vec::new()));
}
