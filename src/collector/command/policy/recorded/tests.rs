// SPDX-License-Identifier: Apache-2.0
use event::mechanism::{CKM_RSA_AES_KEY_WRAP, CKM_RSA_PKCS, CKM_RSA_PKCS_OAEP, CKM_SHA256};
use event::parameter::{Field, Parameter};
use event::record::Flags;

use super::*;

/// What the collector's own tests hold to be an event with everything that an event can have.
const FULL: &[u8] = include_bytes!("../../../golden/full.jsonl");

fn signer() -> Stream {
    Stream { service: Some("signer".into()), host: Some("web-1".into()), policy: None }
}

fn call(text: &str) -> Option<Known> {
    Line::read(text.as_bytes()).unwrap().call(&signer())
}

#[test]
fn an_event_with_everything_is_read_back() {
    let line = Line::read(FULL).unwrap();
    assert!(line.was_refused());
    let call = line.call(&signer()).unwrap();
    let facts = call.facts();
    assert_eq!(
        (facts.function, facts.act, facts.mechanism),
        (Function::C_SignInit, Act::Sign, Some(CKM_RSA_AES_KEY_WRAP))
    );
    let field = |depth, field, value| Parameter { depth, field, value };
    assert_eq!(
        facts.parameters,
        [
            field(0, Field::AesKeyBits, 256),
            field(0, Field::Mechanism, CKM_RSA_PKCS_OAEP),
            field(1, Field::Hash, CKM_SHA256),
            field(1, Field::Mgf, 2),
            field(0, Field::Extract, 1),
        ]
    );
    let key = facts.key;
    assert_eq!((key.class, key.key_type, key.bits, key.curve), (Some(3), Some(0), Some(2048), Some(0)));
    assert_eq!((key.label, key.id), (Some(&b"signer"[..]), Some(&[1, 0xff, 0][..])));
    assert_eq!((key.start, key.end), (Some(*b"20260101"), None));
    assert_eq!((key.flags.value(Flags::SIGN), key.flags.value(Flags::WRAP)), (Some(true), None));
    let template = facts.template;
    assert_eq!((template.class, template.bits, template.curve), (Some(3), Some(256), Some(0)));
    assert_eq!((template.label, template.start), (Some(&b"signer"[..]), Some(*b"20260101")));
    assert!(template.present && template.secret && template.flags.value(Flags::TOKEN) == Some(true));
    assert_eq!((facts.token.slot, facts.token.label), (Some(1), Some(&b"signer"[..])));
    assert_eq!((facts.user, facts.flags, facts.time), (Some(7), Some(6), Some(1_795_237_200)));
    let process = facts.process;
    assert_eq!(
        (process.exe, process.uid, process.gid),
        (Some(&b"/usr/bin/openssl"[..]), Some(1000), Some(100))
    );
    assert_eq!(process.host, Some(&b"web-1"[..]));
    let [hardened] = &line.hardened[..] else { panic!("{:?}", line.hardened) };
    assert!(hardened.applied && hardened.attributes.len() == 3);
    assert_eq!((process.service, process.unit), (Some(&b"signer"[..]), Some(&b"/usr/bin/openssl"[..])));
}

#[test]
fn what_no_policy_judges_is_no_call() {
    assert!(call(r#"{"index":1,"event":"call","function":"C_GetInfo"}"#).is_none());
    assert!(call(r#"{"index":1,"event":"loss","stream":"ab","total":3}"#).is_none());
    // NULL in place of the mechanism.
    assert!(call(r#"{"index":1,"event":"call","function":"C_SignInit"}"#).is_none());
    // Before any Init.
    assert!(call(r#"{"index":1,"event":"call","function":"C_Sign","bytes_in":20}"#).is_none());
}

#[test]
fn the_length_of_signed_data_is_told_with_the_mechanism_of_its_init() {
    let known = call(
        r#"{"index":1,"event":"call","function":"C_Sign","bytes_in":20,"operation":{"id":"0/1","mechanism":{"number":1}}}"#,
    );
    let known = known.unwrap();
    assert_eq!(
        (known.act, known.mechanism, known.input.length),
        (Act::SignData, Some(CKM_RSA_PKCS), Some(20))
    );
}

#[test]
fn a_read_of_key_material_is_told_from_others() {
    let read = |number: u64| {
        call(&format!(r#"{{"index":1,"event":"call","function":"C_GetAttributeValue","attributes":[{{"number":{number}}}]}}"#))
            .unwrap()
    };
    assert!(read(0x11).template.secret && !read(0x3).template.secret && read(0x3).template.present);
}

#[test]
fn bytes_that_are_no_text_are_kept_as_they_were() {
    let known = call(
        r#"{"index":1,"event":"call","function":"C_DestroyObject",
           "key":{"handle":1,"class":{"number":4},"label":"\ufffd","label_hex":"ff00","id":"0a"},
           "session":{"handle":1,"read_write":true,"slot":2}}"#,
    )
    .unwrap();
    assert_eq!(
        (known.key.label.as_deref(), known.key.id.as_deref()),
        (Some(&[0xff, 0][..]), Some(&[10][..]))
    );
    assert_eq!((known.user, known.slot), (Some(NOBODY), Some(2)));
    assert_eq!(hex("0g"), None);
    assert_eq!(hex("+1"), None);
}

#[test]
fn a_call_knows_the_event_that_began_its_operation() {
    let begun = |id: &str| {
        let text = format!(
            r#"{{"index":1,"event":"call","id":"ab/{id}","stream":"ab","operation":{{"id":"0/7"}}}}"#
        );
        Line::read(text.as_bytes()).unwrap().begun_by()
    };
    assert_eq!(begun("0/9").as_deref(), Some("ab/0/7"));
    assert_eq!(begun("0/7"), None, "it began the operation itself");
}

#[test]
fn what_a_call_saw_is_read_back_each_by_itself() {
    let line = r#"{"index":1,"event":"call","function":"C_WrapKey","mechanism":{"number":8457},"user":"so",
           "key":{"handle":1,"class":{"number":4},"label":"kek"},
           "other_keys":[{"handle":2,"class":{"number":3},"label":"tenant-b-tls"},{"handle":3}],
           "session":{"handle":1,"read_write":true,"slot":2,"user":"user","token":{"label":"prod-1"}}}"#;
    let seen = Line::read(line.as_bytes()).unwrap().sights(&Stream::default());
    let labels: Vec<_> = seen.iter().map(|known| (known.act, known.key.label.as_deref())).collect();
    let see = |label| (Act::See, label);
    assert_eq!(
        labels,
        [(Act::SeeToken, None), see(Some(&b"kek"[..])), see(Some(b"tenant-b-tls")), see(None)]
    );
    assert!(seen.iter().all(|known| known.token.as_deref() == Some(b"prod-1") && known.mechanism.is_none()));
    assert!(seen.iter().all(|known| known.user == Some(event::value::user_type::CKU_USER)));
    // A call without session and slot sees nothing.
    assert!(
        Line::read(br#"{"index":1,"event":"call","function":"C_GetInfo"}"#)
            .unwrap()
            .sights(&Stream::default())
            .is_empty()
    );
}
