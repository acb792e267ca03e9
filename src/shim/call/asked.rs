// SPDX-License-Identifier: Apache-2.0
//! What the policy is asked, from what was read of a call: keys as they were learnt, templates as the caller wrote
//! them, and of data to be signed nothing but the name of a digest.

use cryptoki_sys::*;
use event::curve::{self, Parameters};
use event::record::Flags;
use event::wire::{KeyView, TokenView};
use policy::{Object, Token};

use super::read::Attribute;
use crate::facts;

/// An object as it was learnt.
pub(super) fn known<'k>(key: &KeyView<'k>) -> Object<'k> {
    Object {
        class: key.class,
        key_type: key.key_type,
        bits: key.bits,
        curve: key.curve,
        parameter_set: key.parameter_set,
        exponent: key.exponent,
        flags: key.flags,
        label: Some(key.label.bytes),
        id: Some(key.id.bytes),
        start: key.start,
        end: key.end,
        present: true,
        ..Object::default()
    }
}

/// A token as it was learnt.
pub(super) fn token<'t>(token: &TokenView<'t>) -> Token<'t> {
    Token {
        slot: Some(token.slot),
        label: Some(token.label.bytes),
        serial: Some(token.serial.bytes),
        model: Some(token.model.bytes),
    }
}

/// An object as a template asks for it.
pub(super) fn wanted<'t>(
    attributes: impl ExactSizeIterator<Item = Attribute<'t>>,
    count: CK_ULONG,
) -> Object<'t> {
    // What is not looked at may say anything.
    let unseen = count > 0 && attributes.len() as CK_ULONG != count;
    let mut object = Object { ambiguous: unseen, secret: unseen, ..Object::default() };
    attributes.for_each(|attribute| want(&mut object, &attribute));
    object
}

fn want<'t>(object: &mut Object<'t>, attribute: &Attribute<'t>) {
    let before = *object;
    take(object, attribute);
    object.ambiguous |= before.contradicts(object);
}

fn take<'t>(object: &mut Object<'t>, attribute: &Attribute<'t>) {
    object.present = true;
    object.secret |= attribute.secret;
    let bits_of = |bytes: u64| u32::try_from(bytes.checked_mul(8)?).ok();
    if attribute.number == CKA_PRIME {
        object.bits = bits_of(attribute.length);
    }
    let Some(value) = attribute.value else { return };
    let number = value.try_into().map(u64::from_le_bytes).ok();
    let date = || value.try_into().ok();
    match attribute.number {
        CKA_CLASS => object.class = number,
        CKA_KEY_TYPE => object.key_type = number,
        CKA_PARAMETER_SET => object.parameter_set = number,
        CKA_MODULUS_BITS => object.bits = number.and_then(|bits| u32::try_from(bits).ok()),
        CKA_VALUE_LEN => object.bits = number.and_then(bits_of),
        CKA_PUBLIC_EXPONENT => object.exponent = Some(facts::big_endian(value)),
        CKA_EC_PARAMS => match curve::from_parameters(value) {
            Parameters::Named(named) => {
                object.bits = Some(u32::from(named.bits));
                object.curve = curve::ALL
                    .iter()
                    .position(|known| std::ptr::eq(known, named))
                    .and_then(|place| u16::try_from(place).ok());
            }
            Parameters::Explicit => object.explicit_curve = true,
            _ => (),
        },
        CKA_LABEL => object.label = Some(value),
        CKA_ID => object.id = Some(value),
        CKA_START_DATE => object.start = date(),
        CKA_END_DATE => object.end = date(),
        other => {
            if let (Some((bit, _, _)), [value]) = (Flags::ALL.iter().find(|flag| flag.1 == other), value) {
                object.flags.tell(*bit, *value != 0);
            }
        }
    }
}

/// Digests by the object identifier that a DigestInfo names them by (RFC 8017, appendix A.2.4, and the RIPEMD and
/// SHA-3 arcs).
const DIGESTS: &[(&[u8], u64)] = &[
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x02], CKM_MD2),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05], CKM_MD5),
    (&[0x2b, 0x0e, 0x03, 0x02, 0x1a], CKM_SHA_1),
    (&[0x2b, 0x24, 0x03, 0x02, 0x01], CKM_RIPEMD160),
    (&[0x2b, 0x24, 0x03, 0x02, 0x02], CKM_RIPEMD128),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01], CKM_SHA256),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02], CKM_SHA384),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03], CKM_SHA512),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x04], CKM_SHA224),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x07], CKM_SHA3_224),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x08], CKM_SHA3_256),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x09], CKM_SHA3_384),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x0a], CKM_SHA3_512),
];

/// More bytes of data than its head are never looked at: a DigestInfo's name, or the longest hash.
pub(super) const DIGEST_INFO_HEAD: usize = 64;

/// The digest that a DigestInfo names at its start.
pub(super) fn digest_of(data: &[u8]) -> Option<u64> {
    let [0x30, _, 0x30, _, 0x06, length, rest @ ..] = data else { return None };
    let oid = rest.get(..usize::from(*length))?;
    DIGESTS.iter().find(|(known, _)| *known == oid).map(|(_, digest)| *digest)
}
