// SPDX-License-Identifier: Apache-2.0
//! Curves by identifier, by name and by neither; encodings made here by X.690 and compared with published
//! ones.

use super::*;

/// DER of an object identifier in dotted numbers (X.690, 8.19).
fn oid(dotted: &str) -> Vec<u8> {
    let arcs: Vec<u64> = dotted.split('.').map(|arc| arc.parse().unwrap()).collect();
    let mut contents = Vec::new();
    for number in std::iter::once(arcs[0] * 40 + arcs[1]).chain(arcs[2..].iter().copied()) {
        let groups = (64 - number.max(1).leading_zeros()).div_ceil(7);
        let more = |group| if group == 0 { 0 } else { 0x80 };
        contents.extend((0..groups).rev().map(|group| (number >> (7 * group) & 0x7f) as u8 | more(group)));
    }
    tagged(0x06, &contents)
}

fn name(printable: &str) -> Vec<u8> {
    tagged(0x13, printable.as_bytes())
}

fn tagged(tag: u8, contents: &[u8]) -> Vec<u8> {
    [&[tag, u8::try_from(contents.len()).unwrap()], contents].concat()
}

fn named(der: &[u8]) -> &'static str {
    match from_parameters(der) {
        Parameters::Named(curve) => curve.name,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_curve_is_found_by_its_identifier_and_by_its_printable_name() {
    for curve in ALL {
        for arcs in curve.oids {
            let dotted = arcs.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
            assert_eq!(from_parameters(&oid(&dotted)), Parameters::Named(curve), "{dotted}");
        }
        if !curve.printable.is_empty() {
            assert_eq!(from_parameters(&name(curve.printable)), Parameters::Named(curve));
        }
    }
}

#[test]
fn every_name_belongs_to_one_curve() {
    let mut seen = std::collections::HashSet::new();
    for name in names() {
        assert!(seen.insert(name.to_ascii_lowercase()), "{name}");
    }
    for curve in ALL {
        assert!(curve.aliases.iter().chain([&curve.name]).all(|name| by_name(name) == Some(curve)));
    }
    assert_eq!(by_name("PRIME256V1").unwrap().name, "P-256");
    assert_eq!(by_name("P-255"), None);
}

#[test]
fn published_encodings_are_read() {
    assert_eq!(named(&[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]), "P-256");
    assert_eq!(named(&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22]), "P-384");
    assert_eq!(named(&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23]), "P-521");
    assert_eq!(named(&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a]), "secp256k1");
    assert_eq!(named(&[0x06, 0x03, 0x2b, 0x65, 0x70]), "Ed25519");
    assert_eq!(named(&[0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07]), "brainpoolP256r1");
    assert_eq!(named(b"\x13\x0cedwards25519"), "Ed25519");
    assert_eq!(named(b"\x13\x0acurve25519"), "X25519");
}

#[test]
fn an_unknown_identifier_is_shown_in_dotted_numbers() {
    for dotted in ["1.2.3.4", "0.39", "1.39.0", "2.999.1", "1.3.6.1.4.1.99999999.127.128.16384"] {
        match from_parameters(&oid(dotted)) {
            Parameters::UnknownOid(oid) => assert_eq!(oid.to_string(), dotted),
            other => panic!("{dotted}: {other:?}"),
        }
    }
    assert_eq!(from_parameters(&name("secp111r1")), Parameters::UnknownName("secp111r1"));
}

#[test]
fn what_names_no_curve_is_told_apart() {
    assert_eq!(from_parameters(&[0x05, 0x00]), Parameters::Inherited);
    assert_eq!(from_parameters(&[0x30, 0x03, 0x02, 0x01, 0x01]), Parameters::Explicit);
    let long = [&[0x30, 0x81, 0xe0][..], &[0; 0xe0]].concat();
    assert_eq!(from_parameters(&long), Parameters::Explicit);
    let longer = [&[0x30, 0x82, 0x01, 0x00][..], &[0; 0x100]].concat();
    assert_eq!(from_parameters(&longer), Parameters::Explicit);
}

#[test]
fn malformed_parameters_are_invalid() {
    let bad: &[&[u8]] = &[
        &[],
        &[0x06],
        &[0x06, 0x00],
        &[0x06, 0x02, 0x2a],
        &[0x06, 0x01, 0x2a, 0x00],
        &[0x06, 0x02, 0x2a, 0x86],
        &[0x06, 0x03, 0x2a, 0x80, 0x01],
        &[0x06, 0x0b, 0x2a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        &[0x06, 0x81, 0x01, 0x2a],
        &[0x06, 0x80, 0x2a],
        &[0x05, 0x01, 0x00],
        &[0x13, 0x00],
        &[0x13, 0x01, 0x1b],
        &[0x13, 0x01, 0xff],
        &[0x04, 0x00],
    ];
    for der in bad {
        assert_eq!(from_parameters(der), Parameters::Invalid, "{der:02x?}");
    }
    for byte in 0..=255 {
        for other in 0..=255 {
            from_parameters(&[byte, other]);
            from_parameters(&[0x06, 0x02, byte, other]);
        }
    }
}

#[test]
fn a_curve_is_at_most_half_as_strong_as_it_is_large() {
    for curve in ALL {
        assert!(curve.strength <= curve.bits / 2 && curve.strength + 4 > curve.bits / 2, "{}", curve.name);
    }
}
