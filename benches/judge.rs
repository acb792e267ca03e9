// SPDX-License-Identifier: Apache-2.0
//! Guards: judging a call costs tens of nanoseconds, with the shipped policy and with one of 200 rules, because rules
//! are found by operation and mechanism. `chain` is the worst a policy can do: 200 rules for one mechanism.

use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use event::curve;
use event::mechanism::Operation::{self, Digest, Sign, Wrap};
use policy::{Facts, Policy};

const CKM_SHA1_RSA_PKCS: u64 = 0x6;
const CKM_RSA_PKCS_PSS: u64 = 0xd;
const CKM_MD5: u64 = 0x210;
const CKM_ECDSA: u64 = 0x1041;
const CKM_AES_KEY_WRAP_KWP: u64 = 0x210b;
const CKM_VENDOR_DEFINED: u64 = 0x8000_0000;

fn parsed(name: &str, text: &str) -> Policy {
    Policy::parse(name, text.as_bytes()).unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

/// Two hundred rules; `of` gives the conditions of each.
fn long(of: impl Fn(u64) -> String) -> Policy {
    let mut text = "version = 1\ndefault = \"deny\"\n".to_owned();
    for rule in 0..200 {
        writeln!(text, "[[rule]]\nname = \"r{rule}\"\naction = \"allow\"\n{}", of(rule))
            .expect("a string takes all");
    }
    parsed("long", &text)
}

fn with_rsa(mechanism: u64, bits: u32) -> Facts {
    Facts { key_bits: Some(bits), ..Facts::of(Sign, mechanism) }
}

fn judge(criterion: &mut Criterion) {
    let shipped = parsed("config/policy.toml", include_str!("../config/policy.toml"));
    let wide = long(|rule| format!("operation = [\"sign\"]\nmechanism = [{}]", CKM_VENDOR_DEFINED + rule));
    let chain = long(|rule| format!("mechanism = [\"CKM_RSA_PKCS_PSS\"]\nmin_bits = {}", 4096 - rule));
    let p256 =
        curve::ALL.iter().position(|curve| curve.name == "P-256").and_then(|place| u16::try_from(place).ok());
    let none = |operation: Operation, mechanism| Facts::of(operation, mechanism);
    let cases = [
        ("shipped policy, first rule", &shipped, none(Sign, CKM_SHA1_RSA_PKCS), "no-sha1-or-md5-signatures"),
        (
            "shipped policy, by curve",
            &shipped,
            Facts { curve: p256, ..none(Sign, CKM_ECDSA) },
            "sign-with-ecdsa",
        ),
        ("shipped policy, by size", &shipped, with_rsa(CKM_RSA_PKCS_PSS, 3072), "sign-with-rsa-pss"),
        (
            "shipped policy, late rule",
            &shipped,
            Facts { key_bits: Some(256), ..none(Wrap, CKM_AES_KEY_WRAP_KWP) },
            "backup",
        ),
        ("shipped policy, default", &shipped, none(Digest, CKM_MD5), "default"),
        ("200 rules, last rule", &wide, none(Sign, CKM_VENDOR_DEFINED + 199), "r199"),
        ("200 rules, default", &wide, none(Digest, CKM_MD5), "default"),
        ("200 rules, chain", &chain, with_rsa(CKM_RSA_PKCS_PSS, 4096 - 199), "r199"),
    ];
    let mut group = criterion.benchmark_group("judge");
    for (name, policy, facts, rule) in cases {
        assert_eq!(policy.judge(&facts).rule().name(), rule, "{name}");
        group.bench_function(name, |bench| bench.iter(|| policy.judge(black_box(&facts)).refuses()));
    }
}

criterion_group!(benches, judge);
criterion_main!(benches);
