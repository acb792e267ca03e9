// SPDX-License-Identifier: Apache-2.0
//! What is learnt of a key: its public attributes, in one call to the vendor on the caller's session. A modulus or a
//! prime is read for its length alone; no attribute that may carry key material is asked for.
#![allow(unsafe_code)]

use cryptoki_sys::*;
use event::curve::{self, Parameters};
use event::record::{Flags, Key, Text};
use event::wire::{MAX_PART, MAX_TEXT, encode_key};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

use super::token::words;
use crate::vendor::List;

/// Words of the place of a key's definition and its encoded form.
pub(crate) const KEY_WORDS: usize = 1 + MAX_PART / 8;
/// In an encoded key behind its place: which flags are known (low half), and which of those are set.
const FLAGS: usize = 4;
/// Whether an encoded key is a token object: it outlives the session it was found in.
pub(super) fn is_token_object(words: &[AtomicU64; KEY_WORDS]) -> bool {
    let told = u64::from(Flags::TOKEN) << 32 | u64::from(Flags::TOKEN);
    words[FLAGS].load(Ordering::Relaxed) & told == told
}

macro_rules! attributes {
    ($($attribute:ident $field:ident: $type:ty;)*) => {
        /// Where the vendor writes, one field for each attribute that is asked for besides the flags.
        struct Answer {
            $($field: $type,)*
            flags: [CK_BBOOL; Flags::ALL.len()],
        }

        const QUESTIONS: &[u64] = &[$($attribute),*];

        impl Answer {
            /// One attribute for each field, then one for each flag.
            fn template(&mut self) -> [CK_ATTRIBUTE; QUESTIONS.len() + Flags::ALL.len()] {
                let none = CK_ATTRIBUTE { type_: 0, pValue: ptr::null_mut(), ulValueLen: 0 };
                let mut template = [none; QUESTIONS.len() + Flags::ALL.len()];
                let mut place = template.iter_mut();
                $(if let Some(attribute) = place.next() {
                    *attribute = CK_ATTRIBUTE {
                        type_: $attribute,
                        pValue: (&raw mut self.$field).cast(),
                        ulValueLen: size_of::<$type>() as CK_ULONG,
                    };
                })*
                for (flag, (_, number, _)) in self.flags.iter_mut().zip(Flags::ALL) {
                    if let Some(attribute) = place.next() {
                        *attribute = CK_ATTRIBUTE { type_: *number, pValue: ptr::from_mut(flag).cast(), ulValueLen: 1 };
                    }
                }
                template
            }
        }
    };
}

attributes! {
    CKA_CLASS class: CK_ULONG;
    CKA_KEY_TYPE key_type: CK_ULONG;
    CKA_VALUE_LEN value_len: CK_ULONG;
    CKA_MODULUS_BITS modulus_bits: CK_ULONG;
    CKA_START_DATE start: [u8; 8];
    CKA_END_DATE end: [u8; 8];
    CKA_LABEL label: [u8; MAX_TEXT];
    CKA_ID id: [u8; MAX_TEXT];
    CKA_UNIQUE_ID unique_id: [u8; MAX_TEXT];
    CKA_ALLOWED_MECHANISMS allowed: [CK_ULONG; 8];
    // RSA of up to 8,192 bits; Diffie-Hellman and DSA the same.
    CKA_MODULUS modulus: [u8; 1024];
    CKA_PRIME prime: [u8; 1024];
    CKA_EC_PARAMS curve: [u8; 64];
    CKA_PARAMETER_SET parameter_set: CK_ULONG;
    CKA_PUBLIC_EXPONENT exponent: [u8; LONGEST_EXPONENT];
}

/// Bytes of the longest public exponent that is read: FIPS 186-5 ends at 256 bits.
const LONGEST_EXPONENT: usize = 32;
/// What a field holds that the vendor did not write.
const UNTOUCHED: CK_ULONG = CK_ULONG::MAX - 1;
const UNTOUCHED_FLAG: CK_BBOOL = 0x55;

/// Asks the vendor for the attributes of an object, and encodes them. None where it tells nothing of it.
#[cold]
#[inline(never)]
pub(crate) fn learn(vendor: &List, session: u64, handle: u64) -> Option<Vec<u64>> {
    // SAFETY: numbers and bytes, of which all zeros are valid.
    let mut answer: Answer = unsafe { std::mem::zeroed() };
    (answer.class, answer.key_type, answer.flags) =
        (UNTOUCHED, UNTOUCHED, [UNTOUCHED_FLAG; Flags::ALL.len()]);
    let mut template = answer.template();
    // SAFETY: every attribute points to a field of its own, of the length it names.
    let told = unsafe { vendor.attributes(session, handle, &mut template) }?;
    // For nearly every key some attribute is missing; each says it for itself (PKCS#11 3.2, section 5.7.5).
    let each =
        [CKR_OK, CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_SENSITIVE, CKR_BUFFER_TOO_SMALL].contains(&told);
    // Some modules stop at the first attribute that they do not know, and SoftHSM at the dates of a private key, which it
    // cannot read back.
    if !each || answer.class == UNTOUCHED {
        template = answer.template();
        for (place, attribute) in template.iter_mut().enumerate() {
            // SAFETY: as above.
            let told = unsafe { vendor.attributes(session, handle, std::slice::from_mut(attribute)) };
            if told != Some(CKR_OK) {
                attribute.ulValueLen = CK_ULONG::MAX;
                // Its class stands first, and every object has one.
                if place == 0 {
                    return None;
                }
            }
        }
    }

    // The length that the vendor gave, where it gave a value that fits; `u64::MAX` says that it did not.
    let rooms = QUESTIONS.iter().map(|question| room(*question)).chain(std::iter::repeat(1));
    let lengths: Vec<Option<usize>> = template
        .iter()
        .zip(rooms)
        .map(|(attribute, room)| usize::try_from(attribute.ulValueLen).ok().filter(|length| *length <= room))
        .collect();
    let length = |question: u64| {
        let place = QUESTIONS.iter().position(|asked| *asked == question)?;
        // A length that was left as it was asked, over zeros, is an attribute that the vendor did not touch.
        lengths.get(place).copied().flatten()
    };
    let number = |question, value: CK_ULONG| {
        (length(question) == Some(size_of::<CK_ULONG>()) && value != UNTOUCHED).then_some(value)
    };
    let text = |question, bytes: &[u8]| {
        let length = length(question).unwrap_or(0).min(bytes.len());
        let untouched = length == bytes.len() && bytes.iter().all(|byte| *byte == 0);
        let bytes = if untouched { Vec::new() } else { bytes[..length].to_vec() };
        Text { length: u32::try_from(bytes.len()).unwrap_or(0), bytes }
    };

    let class = number(CKA_CLASS, answer.class)?;
    let named = match curve::from_parameters(&answer.curve[..length(CKA_EC_PARAMS).unwrap_or(0).min(64)]) {
        Parameters::Named(curve) => curve::ALL.iter().position(|known| ptr::eq(known, curve)),
        _ => None,
    };
    let integer = |question, bytes: &[u8; 1024]| bits_of(&bytes[..length(question).unwrap_or(0).min(1024)]);
    let key_type = number(CKA_KEY_TYPE, answer.key_type);
    let bits = named
        .map(|place| u32::from(curve::ALL[place].bits))
        .or_else(|| integer(CKA_MODULUS, &answer.modulus))
        .or_else(|| integer(CKA_PRIME, &answer.prime))
        .or_else(|| number(CKA_MODULUS_BITS, answer.modulus_bits).and_then(|bits| u32::try_from(bits).ok()))
        .filter(|bits| *bits > 0)
        .or_else(|| {
            number(CKA_VALUE_LEN, answer.value_len)
                .and_then(|bytes| u32::try_from(bytes.checked_mul(8)?).ok())
        })
        .filter(|bits| *bits > 0)
        .or_else(|| key_type.and_then(fixed_bits));

    let mut flags = Flags::default();
    for (at, (bit, _, _)) in Flags::ALL.iter().enumerate() {
        if template[QUESTIONS.len() + at].ulValueLen == 1 && answer.flags[at] != UNTOUCHED_FLAG {
            flags.tell(*bit, answer.flags[at] != 0);
        }
    }
    let date = |question, date: [u8; 8]| (length(question) == Some(8) && date != [0; 8]).then_some(date);
    let allowed = length(CKA_ALLOWED_MECHANISMS).unwrap_or(0) / size_of::<CK_ULONG>();
    let allowed = &answer.allowed[..allowed.min(answer.allowed.len())];
    let exponent = length(CKA_PUBLIC_EXPONENT).unwrap_or(0).min(LONGEST_EXPONENT);
    let key = Key {
        handle: 0,
        class: Some(class),
        key_type,
        bits,
        curve: named.and_then(|place| u16::try_from(place).ok()),
        parameter_set: number(CKA_PARAMETER_SET, answer.parameter_set).filter(|set| *set > 0),
        exponent: Some(big_endian(&answer.exponent[..exponent])).filter(|exponent| *exponent > 0),
        flags,
        start: date(CKA_START_DATE, answer.start),
        end: date(CKA_END_DATE, answer.end),
        label: text(CKA_LABEL, &answer.label),
        id: text(CKA_ID, &answer.id),
        unique_id: text(CKA_UNIQUE_ID, &answer.unique_id),
        allowed_mechanisms: if allowed.iter().all(|m| *m == 0) { Vec::new() } else { allowed.to_vec() },
    };
    let mut bytes = [0; MAX_PART];
    let length = encode_key(&key, &mut bytes);
    Some(words(&bytes, length))
}

/// The room that was given to the answer to a question, bytes.
fn room(question: u64) -> usize {
    match question {
        CKA_LABEL | CKA_ID | CKA_UNIQUE_ID => MAX_TEXT,
        CKA_MODULUS | CKA_PRIME => 1024,
        CKA_EC_PARAMS | CKA_ALLOWED_MECHANISMS => 64,
        CKA_PUBLIC_EXPONENT => LONGEST_EXPONENT,
        _ => 8,
    }
}

/// A big-endian number, or the largest there is.
pub(crate) fn big_endian(bytes: &[u8]) -> u64 {
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let bytes = &bytes[first..];
    if bytes.len() > 8 {
        u64::MAX
    } else {
        bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

/// Bits of a big-endian integer; none for zero, which an attribute that was never filled is.
fn bits_of(integer: &[u8]) -> Option<u32> {
    let first = integer.iter().position(|byte| *byte != 0)?;
    u32::try_from((integer.len() - first) * 8).ok().map(|bits| bits - integer[first].leading_zeros())
}

/// The size of keys of types that have one size only; parity bits are not counted.
fn fixed_bits(key_type: u64) -> Option<u32> {
    match key_type {
        CKK_DES => Some(56),
        CKK_DES2 => Some(112),
        CKK_DES3 => Some(168),
        _ => None,
    }
}
