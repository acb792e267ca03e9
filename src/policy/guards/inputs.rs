// SPDX-License-Identifier: Apache-2.0
//! What is handed to a mechanism: refuses hashes that come in unseen, RSA without padding, and IVs used
//! twice.

use event::mechanism::{self, *};
use event::names::mgf::CKG_MGF1_SHA1;
use event::parameter::{Field, Parameter};
use event::value::object_class::CKO_PRIVATE_KEY;

use crate::act::Act;
use crate::facts::{Facts, Object};

/// The smallest public exponent that is not small (FIPS 186-5: above 2^16).
const MIN_EXPONENT: u64 = 65537;

/// Lengths of MD2, MD5, RIPEMD-128 (16 bytes), SHA-1 and RIPEMD-160 (20 bytes).
const BANNED_LENGTHS: &[u64] = &[16, 20];

/// Length of MD5 and SHA-1 side by side, as TLS 1.1 signs them without a DigestInfo.
const TLS_1_1_LENGTH: u64 = 36;

/// `no-raw-rsa`. What anyone can do with the public key is not refused, nor are old keys that only verify or decrypt
/// what there is.
pub(super) fn raw_rsa(facts: &Facts<'_>) -> bool {
    let small = |object: &Object<'_>| object.exponent.is_some_and(|exponent| exponent < MIN_EXPONENT);
    let template = match facts.act {
        Act::GenerateKeyPair => small(&facts.template),
        Act::Import | Act::Unwrap => small(&facts.template) && facts.template.class == Some(CKO_PRIVATE_KEY),
        Act::Wrap | Act::Sign | Act::SignRecover => small(&facts.key),
        _ => false,
    };
    template || facts.mechanism.is_some_and(without_padding)
}

/// Whether the mechanism is the bare operation.
pub(super) fn without_padding(mechanism: u64) -> bool {
    mechanism == CKM_RSA_X_509
}

/// `hash-peek`.
pub(super) fn banned_hash(facts: &Facts<'_>) -> bool {
    let input = &facts.input;
    let raw = match facts.mechanism {
        Some(CKM_RSA_PKCS) => input.digest.is_none() && input.length == Some(TLS_1_1_LENGTH),
        Some(CKM_ECDSA | CKM_DSA | CKM_RSA_PKCS_PSS) => {
            input.length.is_some_and(|length| BANNED_LENGTHS.contains(&length))
        }
        _ => return facts.parameters.iter().any(names_banned),
    };
    raw || input.digest.is_some_and(banned) || facts.parameters.iter().any(names_banned)
}

/// `clear-templates`.
pub(super) fn ambiguous(facts: &Facts<'_>) -> bool {
    facts.template.ambiguous || facts.private_template.ambiguous
}

/// `nonce-reuse`.
pub(super) fn nonce_twice(facts: &Facts<'_>) -> bool {
    facts.memory.nonce_repeats
}

/// Whether a parameter of a signature names a banned hash, on any level. A hash in a PRF is not signed.
fn names_banned(parameter: &Parameter) -> bool {
    match parameter.field {
        Field::Hash | Field::DigestMechanism | Field::SigningMechanism => {
            mechanism::by_number(parameter.value).and_then(|m| m.digest).is_some_and(banned)
        }
        Field::Mgf => parameter.value == CKG_MGF1_SHA1,
        _ => false,
    }
}

fn banned(digest: u64) -> bool {
    matches!(digest, CKM_MD2 | CKM_MD5 | CKM_SHA_1 | CKM_RIPEMD128 | CKM_RIPEMD160)
}
