// SPDX-License-Identifier: Apache-2.0
//! Records written and read back, whole, cut and bent.

use super::*;
use crate::Function;
use crate::parameter::{Field, Parameter};
use crate::record::*;
use std::collections::BTreeMap;

fn header() -> Header {
    Header {
        function: Function::C_SignInit,
        thread: 77,
        sequence: 12,
        start: 1000,
        end: 2000,
        rv: 0x70,
        operation: operation_id(3, 12),
        bytes_in: Some(32),
        bytes_out: None,
        session: Some(5),
        policy: 0x1122_3344_5566_7788,
        policy_defined: false,
        verdict: Verdict::Deny,
        enforced: true,
        size_query: false,
        truncated: false,
        degraded: false,
        answered_here: true,
        is_notice: false,
    }
}

fn text(text: &str) -> Text {
    Text { bytes: text.into(), length: text.len().try_into().unwrap() }
}

fn session() -> Session {
    Session {
        id: 9,
        read_write: true,
        user: Some(1),
        token: Some(Token {
            slot: 1,
            label: text("token\n\u{1b}[31m"),
            serial: text("0123"),
            model: text("SoftHSM v2"),
            manufacturer: text(""),
            firmware: (2, 6),
            hardware: (1, 0),
        }),
    }
}

fn key() -> Key {
    Key {
        handle: 42,
        class: Some(3),
        key_type: Some(0),
        bits: Some(2048),
        curve: Some(4),
        parameter_set: Some(2),
        exponent: Some(65537),
        flags: Flags { known: 0xff, set: 0x0f },
        start: Some(*b"20260101"),
        end: None,
        label: text("signer"),
        id: Text { bytes: vec![1, 0xff, 0], length: 3 },
        unique_id: text(""),
        allowed_mechanisms: vec![1, 0x8000_0001],
    }
}

/// The bytes that `write` made a frame of.
fn written(write: impl FnOnce(&mut Frame<'_, [u8]>)) -> Vec<u8> {
    let mut memory = [0xaa; MAX_SECTIONS];
    let mut frame = Frame::new(&mut memory[..]);
    write(&mut frame);
    let (fixed, memory, length) = frame.finish(&header());
    [fixed.map(u64::to_ne_bytes).as_flattened(), &memory[..length]].concat()
}

fn rule() -> Rule {
    Rule {
        name: text("no-pkcs1"),
        conditions: text("operation, mechanism"),
        clause: text("SP 800-131A, section 6"),
        reason: text("oracle"),
        remedy: text("use OAEP"),
    }
}

/// Puts encoded facts into a frame, at `place` or as they are.
fn put<const N: usize, const P: usize>(
    frame: &mut Frame<'_, [u8]>,
    (tag, first): (Tag, [u64; N]),
    encode: impl FnOnce(&mut [u8; P]) -> usize,
) -> Vec<u8> {
    let mut part = [0; P];
    let length = encode(&mut part).next_multiple_of(8);
    let words = part[..length].chunks_exact(8).map(|chunk| u64::from_le_bytes(chunk.try_into().unwrap()));
    if first[N - 1] == FOLLOWS {
        frame.words(tag, first, words);
    } else {
        frame.words(tag, first, std::iter::empty());
    }
    part[..length].to_vec()
}

/// A frame with everything in it; the places say how it speaks of its token, key and rule.
fn whole(places: [u64; 3]) -> (Vec<u8>, BTreeMap<u64, Vec<u8>>) {
    let mut definitions = BTreeMap::new();
    let bytes = written(|frame| {
        let token = session().token.unwrap();
        let of_token = put(frame, (Tag::Session, [9, 1, 1, places[0]]), |to| encode_token(&token, to));
        frame.mechanism(0xd, &[Parameter { depth: 0, field: Field::Hash, value: 0x250 }]);
        let of_key = put(frame, (Tag::Key, [42, places[1]]), |to| encode_key(&key(), to));
        assert_eq!(KeyView::read(&of_key).unwrap().to_key(42), key());
        let of_rule = put(frame, (Tag::Rule, [9, places[2]]), |to| encode_rule(&rule(), to));
        definitions.extend(places.into_iter().zip([of_token, of_key, of_rule]));
        frame.template(2, [(3, 6, Some(&b"signer"[..])), (0x11, 32, None)].into_iter());
        frame.words(Tag::Attributes, [], [0x11, 0x102].into_iter());
        let digits = u64::from_le_bytes(*b"20281121");
        frame.words(Tag::Hardened, [1, 1], [0x103, 1, 0x162, 0, 0x111, digits].into_iter());
        frame.number(Tag::Created, 43);
        frame.number(Tag::Flags, 4);
        frame.words(Tag::Quarantine, [2, 77], [].into_iter());
        frame.text(Tag::Username, b"alice");
        frame.trace(&Trace { trace_id: [1; 16], span_id: [2; 8], flags: 1 });
    });
    definitions.remove(&FOLLOWS);
    (bytes, definitions)
}

#[test]
fn a_record_reads_back_as_it_was_written() {
    let (bytes, mut definitions) = whole([FOLLOWS; 3]);
    let call = decode(&bytes, &mut definitions).unwrap();
    assert!(definitions.is_empty());
    let (shorter, mut definitions) = whole([0, 104, 8]);
    assert_eq!(
        decode(&shorter, &mut definitions).as_ref(),
        Ok(&call),
        "it does not matter where facts stand"
    );
    assert!(shorter.len() + 150 < bytes.len());
    assert_eq!(call.header, header());
    assert_eq!(call.session, Some(session()));
    assert_eq!(call.keys, [key()]);
    let mechanism = call.mechanism.unwrap();
    assert_eq!((mechanism.number, mechanism.parameters[0].value), (0xd, 0x250));
    assert_eq!((call.rule, call.nested), (Some(rule()), Some(9)));
    assert_eq!(call.templates[0].attributes[0].value.as_deref(), Some(&b"signer"[..]));
    assert_eq!(call.templates[0].attributes[1].value, None);
    assert_eq!((call.attributes, call.created, call.flags), (vec![0x11, 0x102], vec![43], Some(4)));
    assert_eq!(call.quarantine, Some(Quarantine { of: Extent::Process, until: Some(77) }));
    let [hardened] = &call.hardened[..] else { panic!("{:?}", call.hardened) };
    let values: Vec<_> =
        hardened.attributes.iter().map(|a| (a.attribute, a.value.as_deref().unwrap())).collect();
    assert_eq!((hardened.template, hardened.applied), (1, true));
    assert_eq!(values, [(0x103, &[1][..]), (0x162, &[0]), (0x111, b"20281121")]);
    assert_eq!(call.username, Some(text("alice")));
    assert_eq!(call.trace.unwrap().span_id, [2; 8]);
}

#[test]
fn a_cut_or_bent_frame_is_refused_and_never_panics() {
    let (whole, mut definitions) = whole([FOLLOWS, FOLLOWS, 0]);
    for cut in 0..HEADER {
        assert_eq!(decode(&whole[..cut], &mut definitions), Err(Malformed::Short));
    }
    for cut in HEADER..whole.len() {
        let _ = decode(&whole[..cut], &mut definitions);
    }
    for place in 0..whole.len() {
        for bent in [0, 1, 0x7f, 0x80, 0xff] {
            let mut frame = whole.clone();
            frame[place] = bent;
            let _ = decode(&frame, &mut definitions);
        }
    }
}

#[test]
fn facts_that_are_not_found_are_left_out_and_marked() {
    let (bytes, mut definitions) = whole([0, 104, 8]);
    definitions.clear();
    let call = decode(&bytes, &mut definitions).unwrap();
    assert!(call.header.degraded);
    assert_eq!(call.session, Some(Session { token: None, ..session() }));
    assert_eq!((call.keys, call.rule), (vec![Key { handle: 42, ..Key::default() }], None));
}

#[test]
fn the_longest_key_and_rule_read_back_whole() {
    let long = |length: u32| Text { bytes: vec![b'x'; length as usize], length };
    let key = Key {
        label: long(128),
        id: long(128),
        unique_id: long(128),
        allowed_mechanisms: vec![7; 16],
        ..key()
    };
    let rule = Rule {
        name: long(128),
        conditions: long(128),
        clause: long(128),
        reason: long(240),
        remedy: long(240),
    };
    let bytes = written(|frame| {
        put(frame, (Tag::Key, [42, FOLLOWS]), |to| encode_key(&key, to));
        put(frame, (Tag::Rule, [NONE, FOLLOWS]), |to| encode_rule(&rule, to));
    });
    let call = decode(&bytes, &mut BTreeMap::new()).unwrap();
    assert_eq!((call.keys, call.rule), (vec![key], Some(rule)));
}

#[test]
fn a_policy_is_told_by_its_definition_and_a_change_of_it_is_no_call() {
    let policy = Policy { hash: [7; 32], revision: 3, name: text("release") };
    let mut part = [0; MAX_PART];
    let length = encode_policy(&policy, &mut part);
    let mut definitions = BTreeMap::from([(64, part[..length].to_vec())]);
    let header = Header { policy: 64, policy_defined: true, is_notice: true, ..header() };
    let long = "é".repeat(MAX_NOTICE);
    let mut room = [0; MAX_SECTIONS];
    let mut frame = Frame::new(&mut room[..]);
    frame.notice(What::PolicyRefused, &long);
    let (fixed, sections, length) = frame.finish(&header);
    let bytes = [fixed.map(u64::to_ne_bytes).as_flattened(), &sections[..length]].concat();
    let told = decode(&bytes, &mut definitions).unwrap();
    let text = "é".repeat(MAX_NOTICE / 2).into();
    assert_eq!(told.notice, Some(Notice { what: What::PolicyRefused, text }));
    assert_eq!((told.policy, is_notice(&bytes)), (Some(policy), true));
    assert!(decode(&bytes, &mut BTreeMap::new()).unwrap().header.degraded);
    assert!(!is_notice(&whole([FOLLOWS; 3]).0));
}

#[test]
fn a_section_of_another_version_is_passed_over() {
    let (mut whole, mut definitions) = whole([FOLLOWS; 3]);
    whole.extend_from_slice(&[0xff, 0xff, 3, 0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 0, 0, 0]);
    assert_eq!(decode(&whole, &mut definitions).unwrap().keys, [key()]);
}

#[test]
fn what_does_not_fit_is_left_out_whole_and_marked() {
    let long = [b'x'; 100];
    let bytes = written(|frame| {
        frame.template(100, (0..100).map(|n| (n, 100, Some(&long[..]))));
        frame.text(Tag::Username, &[b'u'; 300]);
    });
    let call = decode(&bytes, &mut BTreeMap::new()).unwrap();
    assert!(call.header.truncated && call.templates.is_empty());
    assert_eq!(call.username.as_ref().map(|t| (t.bytes.len(), t.length)), Some((MAX_TEXT, 300)));
}
