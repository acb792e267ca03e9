// SPDX-License-Identifier: Apache-2.0
//! Events against their schema and against golden lines; hostile text in every place that text can stand.

use event::Function;
use event::hello;
use event::parameter::{Field, Kind, Parameter};
use event::record::*;
use serde_json::{Value, json};

use super::{Folded, Form, Moment, Range, SCHEMA, control};
use crate::stream::{OperationFacts, Process, Stream};

fn text(bytes: &[u8]) -> Text {
    Text { bytes: bytes.to_vec(), length: u32::try_from(bytes.len()).unwrap() }
}

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
        bytes_out: Some(256),
        session: Some(5),
        policy: u64::from_be_bytes([7; 8]),
        verdict: Verdict::Deny,
        enforced: true,
        size_query: true,
        truncated: true,
        degraded: true,
        answered_here: true,
        is_notice: false,
        policy_defined: false,
    }
}

fn key(words: &[u8]) -> Key {
    Key {
        handle: 42,
        class: Some(3),
        key_type: Some(0),
        bits: Some(2048),
        curve: Some(0),
        parameter_set: Some(2),
        exponent: Some(65537),
        flags: Flags {
            known: Flags::SIGN | Flags::DECRYPT | Flags::LOCAL | Flags::SENSITIVE,
            set: Flags::SIGN | Flags::LOCAL,
        },
        start: Some(*b"20260101"),
        end: Some(*b"\n\x1b[31m\xff\0"),
        label: text(words),
        id: text(&[1, 0xff, 0]),
        unique_id: text(words),
        allowed_mechanisms: vec![1, 0x8000_0001],
    }
}

fn parameter(depth: u8, field: Field, value: u64) -> Parameter {
    Parameter { depth, field, value }
}

/// A call with everything in it that a call can have, and `words` wherever text can stand.
fn full(words: &[u8]) -> Call {
    Call {
        header: header(),
        session: Some(Session {
            id: 9,
            read_write: true,
            user: Some(1),
            token: Some(Token {
                slot: 1,
                label: text(words),
                serial: text(words),
                model: text(words),
                manufacturer: text(words),
                firmware: (2, 6),
                hardware: (1, 0),
            }),
        }),
        slot: Some(1),
        mechanism: Some(MechanismUse {
            number: 0x1054,
            parameters: vec![
                parameter(0, Field::AesKeyBits, 256),
                parameter(0, Field::Mechanism, 9),
                parameter(1, Field::Hash, 0x250),
                parameter(1, Field::Mgf, 2),
                parameter(0, Field::Extract, 1),
            ],
        }),
        message: vec![parameter(0, Field::IvLen, 12), parameter(0, Field::IvGenerator, 1)],
        keys: vec![key(words), Key { handle: 43, ..Key::default() }],
        created: vec![44, 45],
        templates: vec![Template {
            count: 12,
            attributes: [
                (0x0, &3_u64.to_ne_bytes()[..]),
                (0x1, &[1]),
                (0x3, words),
                (0x80, &[1, 2, 3]),
                (0x100, &0x8000_0009_u64.to_ne_bytes()),
                (0x110, b"20260101"),
                (0x111, words),
                (0x121, &4096_u64.to_ne_bytes()),
                (0x180, &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]),
                (0x4000_0600, &[1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0]),
                (0x8000_0001, words),
            ]
            .into_iter()
            .map(|(attribute, value)| TemplateAttribute {
                attribute,
                length: value.len() as u64,
                value: Some(value.to_vec()),
            })
            .chain([TemplateAttribute { attribute: 0x11, length: 32, value: None }])
            .collect(),
        }],
        attributes: vec![0x102, 0x8000_0002],
        rule: Some(Rule {
            name: text(words),
            conditions: text(words),
            clause: text(words),
            reason: text(words),
            remedy: text(words),
        }),
        nested: Some(0x250),
        quarantine: Some(Quarantine { of: Extent::Process, until: Some(1_795_237_200_123_456_789) }),
        instead: vec![0x1044, 0x8000_0001],
        hardened: vec![Hardened {
            template: 0,
            applied: true,
            attributes: [(0x103, &[1][..]), (0x162, &[0]), (0x111, b"20281121")]
                .into_iter()
                .map(|(attribute, value)| TemplateAttribute {
                    attribute,
                    length: value.len() as u64,
                    value: Some(value.to_vec()),
                })
                .collect(),
        }],
        flags: Some(6),
        user: Some(7),
        username: Some(text(words)),
        count: Some(3),
        trace: Some(Trace { trace_id: [1; 16], span_id: [2; 8], flags: 1 }),
        fault: Some(text(words)),
        policy: Some(Policy { hash: [9; 32], revision: 3, name: text(words) }),
        notice: None,
    }
}

/// A call of which nothing is known but that it was.
fn bare() -> Call {
    Call {
        header: Header {
            function: Function::C_Finalize,
            rv: 0x8000_0001,
            operation: 0,
            bytes_in: None,
            bytes_out: None,
            session: None,
            policy: 0,
            verdict: Verdict::NotJudged,
            enforced: false,
            size_query: false,
            truncated: false,
            degraded: false,
            answered_here: false,
            is_notice: false,
            policy_defined: false,
            ..header()
        },
        session: None,
        slot: None,
        mechanism: None,
        message: Vec::new(),
        keys: Vec::new(),
        created: Vec::new(),
        templates: Vec::new(),
        attributes: Vec::new(),
        rule: None,
        nested: None,
        quarantine: None,
        instead: Vec::new(),
        hardened: Vec::new(),
        flags: None,
        user: None,
        username: None,
        count: None,
        trace: None,
        fault: None,
        policy: None,
        notice: None,
    }
}

fn stream(words: &[u8]) -> Stream {
    Stream {
        id: [0xab; 16],
        process: Process {
            pid: 4711,
            start_ns: Some(1_795_237_199_000_000_000),
            exe: Some(words.to_vec()),
            comm: Some(words.to_vec()),
            uid: 1000,
            gid: 100,
            cgroup: Some(words.to_vec()),
            unit: Some(String::from_utf8_lossy(words).into_owned()),
            container: Some("c0".repeat(32)),
            claimed: true,
            ..Process::default()
        },
        hello: vec![(hello::Field::PolicyHash, vec![7; 32])],
    }
}

fn rendered(this: &Call, words: &[u8]) -> String {
    let facts = OperationFacts { mechanism: Some(1), key: Some(key(words)) };
    let stream = stream(words);
    let moment = Moment {
        index: 7,
        lane: 3,
        sequence: this.header.sequence,
        time_ns: 1_795_237_200_123_456_789,
        duration_ns: 14_200,
        operation: this.header.operation,
    };
    let mut out = Vec::new();
    let mut form = Form::default();
    form.set(this, &stream, Some(&facts));
    form.fill(&mut out, &moment);
    String::from_utf8(out).unwrap()
}

fn schema() -> jsonschema::Validator {
    jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).unwrap()
}

fn valid(schema: &jsonschema::Validator, line: &str) -> Value {
    let value: Value = serde_json::from_str(line).unwrap();
    let faults: Vec<_> = schema.iter_errors(&value).map(|fault| format!("{fault:?}")).collect();
    assert!(faults.is_empty(), "{line}\n{}", faults.join("\n"));
    value
}

/// Holds `line` against the golden file `name`, or writes it where `P11GUARD_GOLDEN=write` asks for that.
fn golden(name: &str, line: &str) {
    let path = format!("{}/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("P11GUARD_GOLDEN").is_some_and(|wish| wish == "write") {
        std::fs::write(&path, line).unwrap();
    }
    assert_eq!(line, std::fs::read_to_string(&path).unwrap(), "{path}");
}

#[test]
fn a_call_with_everything_reads_as_its_golden_line() {
    let line = rendered(&full("signer".as_bytes()), b"/usr/bin/openssl");
    valid(&schema(), &line);
    golden("full.jsonl", &line);
}

#[test]
fn a_bare_call_has_no_empty_member() {
    let line = rendered(&bare(), b"x");
    valid(&schema(), &line);
    golden("bare.jsonl", &line);
}

#[test]
fn an_operation_reads_as_its_golden_line_whether_it_ended_or_goes_on() {
    let call = full(b"signer");
    let moment = Moment {
        index: 7,
        lane: 3,
        sequence: 12,
        time_ns: 1_795_237_200_123_456_789,
        duration_ns: 14_200,
        operation: call.header.operation,
    };
    let covers = [Range { lane: 3, first: 12, last: 14 }, Range { lane: 4, first: 9, last: 9 }];
    let ended = Folded {
        rv: 0,
        calls: 4,
        size_queries: 1,
        bytes_in: 96,
        bytes_out: 256,
        busy_ns: 9_000,
        ended_by: Some(Function::C_SignFinal),
        covers: &covers,
    };
    let mut form = Form::default();
    form.set_whole(&call, &stream(b"x"));
    let lines = [ended, Folded { ended_by: None, size_queries: 0, ..ended }].map(|folded| {
        let mut out = Vec::new();
        form.fill_whole(&mut out, &moment, &folded);
        let line = String::from_utf8(out).unwrap();
        valid(&schema(), &line);
        line
    });
    golden("operation.jsonl", &lines.concat());
}

#[test]
fn hostile_text_in_every_place_is_one_line_of_printable_ascii() {
    let schema = schema();
    for words in [
        &b"\n{\"event\":\"call\"}\r\n"[..],
        b"\x1b[31m\x1b]0;title\x07\x7f\0",
        "\u{9b}31m\u{85}\u{202e}\u{2028}\u{feff}\u{1f600}".as_bytes(),
        b"\xff\xfe\xc2\"\\",
        "…".repeat(40).as_bytes(),
    ] {
        let line = rendered(&full(words), words);
        let body = line.strip_suffix('\n').unwrap();
        assert!(body.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{line}");
        let value = valid(&schema, &line);
        let label = &value["key"]["label"];
        assert_eq!(label.as_str().unwrap(), String::from_utf8_lossy(words));
        assert_eq!(value["key"].get("label_hex").is_some(), std::str::from_utf8(words).is_err());
        let shown = super::human::Human(body.as_bytes()).to_string();
        assert!(anstream::adapter::strip_str(&shown).to_string().lines().count() <= 4, "{shown}");
    }
}

#[test]
fn a_shortened_text_says_how_long_it_was_and_loses_only_its_cut_character() {
    let mut call = bare();
    call.username = Some(Text { bytes: "grün…".as_bytes()[..6].to_vec(), length: 200 });
    call.fault = Some(Text { bytes: Vec::new(), length: 9 });
    let value = valid(&schema(), &rendered(&call, b"x"));
    assert_eq!((&value["username"], &value["username_length"]), (&"grün".into(), &200.into()));
    assert_eq!((value.get("username_hex"), &value["fault_length"]), (None, &9.into()));
}

#[test]
fn nested_mechanisms_stand_inside_the_field_that_names_them() {
    let value = valid(&schema(), &rendered(&full(b"x"), b"x"));
    let parameters = &value["mechanism"]["parameters"];
    assert_eq!(parameters["mechanism"]["name"], "CKM_RSA_PKCS_OAEP");
    assert_eq!(parameters["mechanism"]["parameters"]["hash"]["name"], "CKM_SHA256");
    assert_eq!(parameters["mechanism"]["parameters"]["mgf"]["name"], "CKG_MGF1_SHA256");
    assert_eq!(parameters["extract"], true);
    assert_eq!(value["message"]["iv_generator"]["name"], "CKG_GENERATE");
}

#[test]
fn misplaced_parameters_are_counted_and_nest_no_deeper_than_a_reader_bears() {
    let schema = schema();
    let with = |parameters: Vec<Parameter>| {
        let mut call = bare();
        call.mechanism = Some(MechanismUse { number: 1, parameters });
        let value = valid(&schema, &rendered(&call, b"x"));
        value["mechanism"]["parameters"].clone()
    };
    let twice = with(vec![parameter(0, Field::SaltLen, 1), parameter(0, Field::SaltLen, 2)]);
    assert_eq!(twice, serde_json::json!({"salt_len": 1, "misplaced": 1}));
    let under_a_number = with(vec![parameter(0, Field::SaltLen, 1), parameter(1, Field::Hash, 2)]);
    assert_eq!(under_a_number, serde_json::json!({"salt_len": 1, "misplaced": 1}));
    let adrift = with(vec![parameter(3, Field::Hash, 1), parameter(4, Field::Hash, 2)]);
    assert_eq!(adrift, serde_json::json!({"misplaced": 2}));
    let deep = with((0..255).map(|depth| parameter(depth, Field::Mechanism, 1)).collect());
    assert!(deep.to_string().contains("\"misplaced\":246"), "{deep}");
}

#[test]
fn the_source_of_a_salt_is_told_from_the_source_of_a_label() {
    let name = |number| {
        let mut call = bare();
        call.mechanism = Some(MechanismUse { number, parameters: vec![parameter(0, Field::Source, 1)] });
        let value = valid(&schema(), &rendered(&call, b"x"));
        value["mechanism"]["parameters"]["source"]["name"].clone()
    };
    assert_eq!((name(9), name(0x3b0)), ("CKZ_DATA_SPECIFIED".into(), "CKZ_SALT_SPECIFIED".into()));
}

#[test]
fn the_policy_is_its_whole_hash_only_where_the_stream_told_the_same() {
    let mut call = bare();
    call.header.policy = u64::from_be_bytes([7; 8]);
    assert!(rendered(&call, b"x").contains(&format!(r#""policy":"{}""#, "07".repeat(32))));
    call.header.policy = u64::from_be_bytes([7, 7, 7, 7, 7, 7, 7, 8]);
    assert!(rendered(&call, b"x").contains(r#""policy":"0707070707070708""#));
    call.policy = Some(Policy { hash: [9; 32], revision: 3, name: Text::of("x") });
    assert!(
        rendered(&call, b"x").contains(&format!(r#""policy":"{}","policy_revision":3"#, "09".repeat(32)))
    );
}

#[test]
fn an_event_of_the_collector_names_its_stream_and_escapes_what_it_says() {
    let mut out = Vec::new();
    let fields = json!({"lane": 2, "error": "\n\u{1b}[31m\u{202e}"});
    control(
        &mut out,
        8,
        1_795_237_200_123_456_789,
        "frame.malformed",
        fields.as_object().unwrap(),
        Some(&stream(b"x")),
    );
    let line = String::from_utf8(out).unwrap();
    assert!(line.strip_suffix('\n').unwrap().bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{line}");
    valid(&schema(), &line);
    golden("control.jsonl", &line);
}

#[test]
fn the_schema_knows_every_parameter_every_flag_and_every_hello_field_and_no_other() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let names = |pointer: &str| {
        let members = schema.pointer(pointer).and_then(Value::as_object).unwrap();
        let mut names: Vec<_> = members.keys().cloned().collect();
        names.sort_unstable();
        names
    };
    let sorted = |names: &mut dyn Iterator<Item = &str>| {
        let mut names: Vec<_> = names.map(str::to_owned).collect();
        names.sort_unstable();
        names
    };
    let fields = sorted(&mut Field::ALL.iter().map(|field| field.name()).chain(["misplaced"]));
    assert_eq!(names("/$defs/parameters/properties"), fields);
    let hello = sorted(&mut hello::Field::ALL.iter().map(|field| field.name()));
    assert_eq!(names("/$defs/stream.opened/properties/hello/properties"), hello);
    let flags = sorted(&mut Flags::ALL.iter().map(|(.., name)| *name));
    assert_eq!(names("/$defs/key/properties/flags/properties"), flags);
}

#[test]
fn every_parameter_of_every_kind_fits_the_schema() {
    let schema = schema();
    for field in Field::ALL {
        for value in [0, 1, 2, u64::MAX] {
            let mut call = bare();
            call.mechanism = Some(MechanismUse { number: 1, parameters: vec![parameter(0, *field, value)] });
            let line = valid(&schema, &rendered(&call, b"x"));
            let shown = &line["mechanism"]["parameters"][field.name()];
            assert_eq!(shown.is_object(), !matches!(field.kind(), Kind::Number | Kind::Handle | Kind::Flag));
        }
    }
}
