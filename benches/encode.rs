// SPDX-License-Identifier: Apache-2.0
//! Guards: the record of a `C_SignInit` with mechanism, key and session is written in tens of nanoseconds into memory
//! that the caller has, and read back in the collector in well under a microsecond.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::iter;

use criterion::{Criterion, criterion_group, criterion_main};
use event::Function;
use event::parameter::{Field, Parameter};
use event::record::{Flags, Header, Key, Session, Text, Token, Verdict, operation_id};
use event::wire::{Frame, HEADER, MAX_PART, MAX_SECTIONS, Tag, decode, encode_key, encode_token};

const CKM_SHA256_RSA_PKCS_PSS: u64 = 0x43;

fn text(text: &str) -> Text {
    Text { bytes: text.into(), length: u32::try_from(text.len()).expect("a short text") }
}

fn header() -> Header {
    Header {
        function: Function::C_SignInit,
        thread: 4711,
        sequence: 12,
        start: 1_000_000,
        end: 1_000_250,
        rv: 0,
        operation: operation_id(3, 12),
        bytes_in: None,
        bytes_out: None,
        session: Some(5),
        policy: 0x1122_3344_5566_7788,
        verdict: Verdict::Allow,
        enforced: true,
        size_query: false,
        truncated: false,
        degraded: false,
        answered_here: false,
        is_notice: false,
        policy_defined: false,
    }
}

fn session() -> Session {
    Session { id: 9, read_write: true, user: Some(1), token: Some(token()) }
}

fn token() -> Token {
    Token {
        slot: 1,
        label: text("release signing"),
        serial: text("37fa2fa2dd8f3025"),
        model: text("SoftHSM v2"),
        manufacturer: text("SoftHSM project"),
        firmware: (2, 6),
        hardware: (2, 6),
    }
}

fn key() -> Key {
    Key {
        handle: 42,
        class: Some(3),
        key_type: Some(0),
        bits: Some(3072),
        curve: None,
        parameter_set: None,
        exponent: Some(65537),
        flags: Flags { known: 0x3ffff, set: 0x1f },
        start: None,
        end: Some(*b"20301231"),
        label: text("release-2026"),
        id: text("\x01\x02\x03\x04"),
        unique_id: text("f7a9c1d2"),
        allowed_mechanisms: vec![CKM_SHA256_RSA_PKCS_PSS],
    }
}

fn encode(criterion: &mut Criterion) {
    // As in the shim: token and key are defined when they are learnt, and spoken of from then on.
    let (mut token_part, mut key_part) = ([0; MAX_PART], [0; MAX_PART]);
    let token_length = encode_token(&token(), &mut token_part);
    let key_length = encode_key(&key(), &mut key_part);
    let mut definitions =
        BTreeMap::from([(0, token_part[..token_length].to_vec()), (128, key_part[..key_length].to_vec())]);
    let field = |field, value| Parameter { depth: 0, field, value };
    let parameters = [field(Field::Hash, 0x250), field(Field::Mgf, 2), field(Field::SaltLen, 32)];
    let write = |memory: &mut [u8]| -> ([u64; HEADER / 8], usize) {
        let mut frame = Frame::new(memory);
        frame.words(Tag::Session, [9, 1, 1, 0], iter::empty());
        frame.mechanism(CKM_SHA256_RSA_PKCS_PSS, &parameters);
        frame.words(Tag::Key, [42, 128], iter::empty());
        let (fixed, _, length) = frame.finish(black_box(&header()));
        (fixed, length)
    };
    let mut memory = vec![0; MAX_SECTIONS];
    let (fixed, length) = write(&mut memory);
    let record = [fixed.map(u64::to_ne_bytes).as_flattened(), &memory[..length]].concat();
    let read = decode(&record, &mut definitions).expect("a record just written");
    assert_eq!((read.keys, read.session), (vec![key()], Some(session())));

    let mut group = criterion.benchmark_group(format!("C_SignInit, {} bytes", record.len()));
    group.bench_function("encode", |bench| bench.iter(|| write(black_box(&mut memory))));
    group.bench_function("decode", |bench| bench.iter(|| decode(black_box(&record), &mut definitions)));
}

criterion_group!(benches, encode);
criterion_main!(benches);
