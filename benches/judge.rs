// SPDX-License-Identifier: Apache-2.0
//! Judging a call and loading a policy, for policies of ten rules and of ten thousand. The ten thousand are for a
//! thousand keys, and the calls go through all of these, so that no rule stays in a cache by being asked for again.
//! `chain` is the worst a policy can do: two hundred rules for one mechanism that only numbers tell apart.

use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use event::Function::{self, *};
use event::curve;
use event::mechanism::*;
use event::parameter::{Field, Parameter};
use policy::Act::{self, *};
use policy::{Facts, Object, Policy};

const KEYS: usize = 1000;

fn parsed(name: &str, text: &str) -> Policy {
    Policy::parse(name, text.as_bytes()).unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

/// A policy of `rules` rules; `of` gives the conditions of each.
fn text(rules: usize, of: impl Fn(usize) -> String) -> String {
    let mut text = "version = 1\ndefault = \"deny\"\n".to_owned();
    for rule in 0..rules {
        writeln!(text, "[[rule]]\nname = \"r{rule}\"\naction = \"allow\"\n{}", of(rule))
            .expect("a string takes all");
    }
    text
}

/// Ten rules for each of a thousand keys: what it may do, with what, and on which hosts.
fn for_keys(rule: usize) -> String {
    let key = rule / 10;
    let what = match rule % 10 {
        0 => "operation = [\"sign\"]\nmechanism = [\"CKM_ECDSA\", \"CKM_ECDSA_SHA256\"]",
        1 => "operation = [\"verify\"]\nmechanism = [\"CKM_ECDSA\", \"CKM_ECDSA_SHA256\"]",
        2 => "operation = [\"sign\"]\nmechanism = [\"CKM_RSA_PKCS_PSS\"]\nmin_bits = 4096",
        3 => "operation = [\"sign\"]\nmechanism = [\"CKM_RSA_PKCS_PSS\"]\nmin_bits = 3072",
        4 => "operation = [\"verify\"]\nmechanism = [\"CKM_RSA_PKCS_PSS\"]",
        5 => "operation = [\"wrap\"]\nmechanism = [\"CKM_AES_KEY_WRAP_KWP\"]\nmin_bits = 256",
        6 => "operation = [\"unwrap\"]\nmechanism = [\"CKM_AES_KEY_WRAP_KWP\"]\nmin_bits = 256",
        7 => "operation = [\"encrypt\"]\nmechanism = [\"CKM_AES_GCM\"]\nmin_tag_bits = 128",
        8 => "operation = [\"decrypt\"]\nmechanism = [\"CKM_AES_GCM\"]\nmin_tag_bits = 96",
        _ => "operation = [\"destroy\"]\nuser = \"so\"",
    };
    format!("{what}\nlabel = \"service-{key:04}\"")
}

fn call<'c>(function: Function, act: Act, mechanism: u64, key: Object<'c>) -> Facts<'c> {
    Facts { key, ..Facts::of(function, act, Some(mechanism)) }
}

fn of_bits<'c>(bits: u32) -> Object<'c> {
    Object { bits: Some(bits), ..Object::default() }
}

fn judge(criterion: &mut Criterion) {
    let shipped = parsed("config/policy.toml", include_str!("../config/policy.toml"));
    let ten = parsed("ten", &text(10, for_keys).replace("label = \"service-0000\"", ""));
    let large = parsed("large", &text(10 * KEYS, for_keys));
    let chain = parsed(
        "chain",
        &text(200, |rule| format!("mechanism = [\"CKM_RSA_PKCS_PSS\"]\nmin_bits = {}", 4096 - rule)),
    );
    let p256 =
        curve::ALL.iter().position(|curve| curve.name == "P-256").and_then(|place| u16::try_from(place).ok());
    let on_p256 = Object { curve: p256, ..Object::default() };
    let pss = [Parameter { depth: 0, field: Field::Hash, value: CKM_SHA256 }];

    let one = [
        ("ten rules, first", &ten, call(C_SignInit, Sign, CKM_ECDSA, on_p256), "r0"),
        ("ten rules, by size", &ten, call(C_SignInit, Sign, CKM_RSA_PKCS_PSS, of_bits(3072)), "r3"),
        ("ten rules, default", &ten, call(C_DigestInit, Digest, CKM_MD5, Object::default()), "default"),
        ("shipped policy, by curve", &shipped, call(C_SignInit, Sign, CKM_ECDSA, on_p256), "sign-with-ecdsa"),
        (
            "ten rules, a nested mechanism",
            &ten,
            Facts { parameters: &pss, ..call(C_SignInit, Sign, CKM_RSA_PKCS_PSS, of_bits(3072)) },
            "r3",
        ),
        (
            "chain of 200 rules, last",
            &chain,
            call(C_SignInit, Sign, CKM_RSA_PKCS_PSS, of_bits(4096 - 199)),
            "r199",
        ),
    ];
    let mut group = criterion.benchmark_group("judge");
    for (name, policy, facts, rule) in one {
        assert_eq!(policy.judge(&facts).rule().name(), rule, "{name}");
        group.bench_function(name, |bench| bench.iter(|| policy.judge(black_box(&facts)).refuses()));
    }

    let labels: Vec<String> = (0..KEYS).map(|key| format!("service-{key:04}")).collect();
    let many = [
        ("10,000 rules, first of a key", call(C_SignInit, Sign, CKM_ECDSA, on_p256), Some(0)),
        ("10,000 rules, by size", call(C_SignInit, Sign, CKM_RSA_PKCS_PSS, of_bits(3072)), Some(3)),
        ("10,000 rules, default", call(C_DigestInit, Digest, CKM_MD5, Object::default()), None),
    ];
    for (name, facts, rule) in many {
        // 389 is prime to the number of keys, so that neighbours do not follow each other.
        let order: Vec<usize> = (0..KEYS).map(|turn| turn * 389 % KEYS).collect();
        let calls: Vec<Facts<'_>> = order
            .iter()
            .map(|key| {
                let key = Object { label: Some(labels[*key].as_bytes()), ..facts.key };
                Facts { key, ..facts }
            })
            .collect();
        for (key, call) in order.iter().zip(&calls) {
            let expected = rule.map_or("default".to_owned(), |rule| format!("r{}", key * 10 + rule));
            assert_eq!(large.judge(call).rule().name(), expected, "{name}");
        }
        let mut calls = calls.iter().cycle();
        group.bench_function(name, |bench| {
            bench.iter(|| calls.next().map(|call| large.judge(black_box(call)).refuses()))
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("load");
    group.sample_size(20);
    let large = text(10 * KEYS, for_keys);
    group.bench_function("10,000 rules", |bench| {
        bench.iter(|| Policy::parse("large", black_box(large.as_bytes())))
    });
}

criterion_group!(benches, judge);
criterion_main!(benches);
