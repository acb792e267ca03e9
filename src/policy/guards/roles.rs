// SPDX-License-Identifier: Apache-2.0
//! What a key is for: one role per key value, and none that changes. Refuses templates and uses that let
//! one role undo what another protects (Clulow 2003; Bortolozzo, Centenaro, Focardi, Steel 2010).
//!
//! What a template leaves out is the token's choice, and a token may choose true: SoftHSM 2.6.1 switches
//! every usage flag on but DERIVE. So a template that asks for a protecting role has to say no to the roles
//! that undo it: else the key comes out with both, and the day on which it has to unwrap a backup is late
//! to learn that it may not.

use event::record::Flags;
use event::value::key_type::*;
use event::value::object_class::*;

use super::{no, yes};
use crate::act::Act;
use crate::facts::{Facts, Object};

const SECRET: u8 = 1;
const PUBLIC: u8 = 2;
const PRIVATE: u8 = 4;
/// Both halves of a key pair while it is made.
const PAIR: u8 = 8;

/// Whoever may do both, to one key value, gets out what the first protects.
struct Conflict {
    protects: u32,
    undoes: u32,
    of: u8,
}

const SIGNS: u32 = Flags::SIGN | Flags::SIGN_RECOVER;

const CONFLICTS: &[Conflict] = &[
    // What was wrapped is decrypted.
    Conflict { protects: Flags::WRAP, undoes: Flags::DECRYPT, of: SECRET | PUBLIC | PAIR },
    // The same seen from a public key alone, whose private half is not in sight: who encrypts, decrypts.
    Conflict { protects: Flags::WRAP, undoes: Flags::ENCRYPT, of: PUBLIC | PAIR },
    // A key of one's own choice is encrypted, and unwrapped as if it came from the token.
    Conflict { protects: Flags::UNWRAP, undoes: Flags::ENCRYPT, of: SECRET | PAIR },
    // The same with derivation by encryption; with ECDH, the wrapping key itself is derived.
    Conflict { protects: Flags::UNWRAP, undoes: Flags::DERIVE, of: SECRET | PRIVATE | PAIR },
    // The private operation of RSA is one, whatever it is called.
    Conflict { protects: Flags::UNWRAP, undoes: SIGNS, of: PRIVATE | PAIR },
    Conflict { protects: Flags::DECRYPT, undoes: SIGNS, of: PRIVATE | PAIR },
    // Encryption computes what derivation by encryption keeps secret.
    Conflict { protects: Flags::DERIVE, undoes: Flags::ENCRYPT, of: SECRET },
];

/// Secret keys of these types work in no cipher, so their roles cannot meet.
const WITHOUT_CIPHER: &[u64] = &[
    CKK_GENERIC_SECRET,
    CKK_HKDF,
    CKK_POLY1305,
    CKK_SECURID,
    CKK_HOTP,
    CKK_ACTI,
    CKK_SHA_1_HMAC,
    CKK_SHA224_HMAC,
    CKK_SHA256_HMAC,
    CKK_SHA384_HMAC,
    CKK_SHA512_HMAC,
    CKK_SHA512_224_HMAC,
    CKK_SHA512_256_HMAC,
    CKK_SHA3_224_HMAC,
    CKK_SHA3_256_HMAC,
    CKK_SHA3_384_HMAC,
    CKK_SHA3_512_HMAC,
];

/// `role-separation`.
pub(super) fn mixed(facts: &Facts<'_>) -> bool {
    match facts.act {
        Act::Generate | Act::Import | Act::Encapsulate | Act::Decapsulate => mixed_template(facts),
        Act::GenerateKeyPair => mixed_pair(facts),
        Act::Copy | Act::Modify => mixed_by_change(facts),
        Act::Wrap => mixed_use(facts, Flags::WRAP, 0),
        Act::Unwrap => mixed_use(facts, Flags::UNWRAP, 0) || mixed_template(facts),
        Act::Derive => mixed_use(facts, Flags::DERIVE, Flags::DERIVE) || mixed_template(facts),
        Act::Decrypt => mixed_use(facts, Flags::DECRYPT, Flags::DECRYPT),
        Act::Encrypt => mixed_use(facts, 0, Flags::ENCRYPT),
        Act::Sign => mixed_use(facts, 0, Flags::SIGN),
        Act::SignRecover => mixed_use(facts, 0, Flags::SIGN_RECOVER),
        _ => false,
    }
}

/// `frozen-usage`: a copy or a change may keep or tighten, and what a key is for it may only keep.
pub(super) fn thawed(facts: &Facts<'_>) -> bool {
    let (asked, key) = (facts.template.flags, facts.key.flags);
    let kept = key.known & !(key.set ^ asked.set);
    let towards = |bit, value| asked.value(bit) == Some(value) && key.value(bit) != Some(value);
    asked.known & Flags::USAGE & !kept != 0
        || towards(Flags::EXTRACTABLE, true)
        || towards(Flags::SENSITIVE, false)
        || towards(Flags::TRUSTED, true)
        || towards(Flags::WRAP_WITH_TRUSTED, false)
}

fn mixed_template(facts: &Facts<'_>) -> bool {
    let template = &facts.template;
    let kind = kind(template, SECRET);
    let elsewhere = facts.memory.value_uses;
    mixed_making(template.flags, template.flags.set, elsewhere, kind) && can_mix(template)
}

fn mixed_pair(facts: &Facts<'_>) -> bool {
    let (public, private) = (facts.template.flags, facts.private_template.flags);
    let both = Flags { known: public.known | private.known, set: public.set | private.set };
    // The halves part for good here. Where encryption or wrapping is spoken of at all, WRAP left out counts
    // as asked: no later call sees the DECRYPT of the other half. A pair that speaks of neither meets the
    // rules at use.
    let spoken = both.known & (Flags::ENCRYPT | Flags::DECRYPT | Flags::WRAP | Flags::UNWRAP) != 0;
    let silent = if spoken { Flags::WRAP & !both.known } else { 0 };
    mixed_making(both, both.set | silent, 0, PAIR)
}

/// Whether making a key with `told` gives it, with what is left out and what its value was elsewhere, two
/// roles.
fn mixed_making(told: Flags, asked: u32, elsewhere: u32, kind: u8) -> bool {
    let left_out = Flags::USAGE & !Flags::DERIVE & !told.known & having(kind);
    conflicts(kind).any(|c| {
        asked & c.protects != 0 && (told.set | left_out | elsewhere) & c.undoes != 0
            || told.set & c.undoes != 0 && elsewhere & c.protects != 0
    })
}

fn mixed_by_change(facts: &Facts<'_>) -> bool {
    let (asked, key) = (facts.template.flags, facts.key.flags);
    let uses = key.set & !asked.known | asked.set | facts.memory.key_uses | facts.memory.value_uses;
    let mixed = |c: &Conflict| {
        asked.set & (c.protects | c.undoes) != 0 && uses & c.protects != 0 && uses & c.undoes != 0
    };
    conflicts(kind(&facts.key, u8::MAX)).any(mixed) && can_mix(&facts.key)
}

/// Use in the role `protecting` of a key that has an undoing one; or use in the role `undoing` of a key
/// that has no protecting one itself but shares its value with one that had. (A key with both is of use
/// where it undoes, since it protects nothing.)
fn mixed_use(facts: &Facts<'_>, protecting: u32, undoing: u32) -> bool {
    let key = &facts.key;
    let uses = key.flags.set | facts.memory.key_uses;
    let mut found = conflicts(kind(key, u8::MAX));
    found.any(|c| {
        protecting == c.protects && uses & c.undoes != 0
            || undoing & c.undoes != 0 && no(key, c.protects) && facts.memory.key_uses & c.protects != 0
    }) && can_mix(key)
}

fn conflicts(kind: u8) -> impl Iterator<Item = &'static Conflict> {
    CONFLICTS.iter().filter(move |c| c.of & kind != 0)
}

fn kind(object: &Object<'_>, otherwise: u8) -> u8 {
    match object.class {
        Some(CKO_SECRET_KEY) => SECRET,
        Some(CKO_PUBLIC_KEY) => PUBLIC,
        Some(CKO_PRIVATE_KEY) => PRIVATE,
        Some(_) => 0,
        None => otherwise,
    }
}

/// The usage flags that an object of this kind has.
fn having(kind: u8) -> u32 {
    let public = Flags::ENCRYPT | Flags::WRAP | Flags::VERIFY | Flags::VERIFY_RECOVER;
    let private = SIGNS | Flags::DECRYPT | Flags::UNWRAP;
    match kind {
        PUBLIC => public,
        PRIVATE => private,
        _ => public | private,
    }
}

fn can_mix(object: &Object<'_>) -> bool {
    let secret = kind(object, SECRET) == SECRET;
    !(secret && object.key_type.is_some_and(|key_type| WITHOUT_CIPHER.contains(&key_type)))
}

/// Whether it could serve as a wrapping or unwrapping key under `role-separation`.
pub(super) fn wraps(object: &Object<'_>) -> bool {
    let kind = kind(object, u8::MAX);
    let role = |bit| {
        yes(object, bit) && !conflicts(kind).any(|c| c.protects == bit && object.flags.set & c.undoes != 0)
    };
    role(Flags::WRAP) || role(Flags::UNWRAP)
}
