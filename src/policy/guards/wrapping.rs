// SPDX-License-Identifier: Apache-2.0
//! How keys leave and enter a token: refuses wrapping that can be tampered with, that is weaker than what
//! it wraps, or that answers questions about padding.

use event::mechanism::{self, *};
use event::parameter::Field;
use event::record::Flags;

use super::yes;
use crate::facts::Facts;
use crate::strength;

/// Mechanisms that notice a changed ciphertext.
const AUTHENTICATED: &[u64] = &[
    CKM_RSA_PKCS_OAEP,
    CKM_ECDH_AES_KEY_WRAP,
    CKM_RSA_AES_KEY_WRAP,
    CKM_AES_GCM,
    CKM_AES_CCM,
    CKM_AES_KEY_WRAP,
    // The number that SoftHSM 2.6.1 has for key wrapping with padding.
    CKM_AES_KEY_WRAP_PAD,
    CKM_AES_KEY_WRAP_KWP,
    CKM_AES_KEY_WRAP_PKCS7,
    CKM_CHACHA20_POLY1305,
    CKM_ECDH_X_AES_KEY_WRAP,
    CKM_ECDH_COF_AES_KEY_WRAP,
];

/// `authenticated-wrap`.
pub(super) fn malleable(facts: &Facts<'_>) -> bool {
    facts.mechanism.is_some_and(unauthenticated)
}

/// Whether what the mechanism wraps can be changed unnoticed.
pub(super) fn unauthenticated(mechanism: u64) -> bool {
    !AUTHENTICATED.contains(&mechanism)
}

/// `strong-wrap`. Strengths that are not known are not compared.
pub(super) fn weaker_than_wrapped(facts: &Facts<'_>) -> bool {
    let inner = facts.parameters.iter().find(|p| p.depth == 0 && p.field == Field::AesKeyBits);
    let wrapping = strength::of_key(&facts.key).into_iter().chain(inner.map(|p| p.value)).min();
    wrapping.zip(strength::of_key(&facts.target)).is_some_and(|(wrapping, wrapped)| wrapping < wrapped)
}

/// `trusted-wrap`.
pub(super) fn untrusted(facts: &Facts<'_>) -> bool {
    !yes(&facts.key, Flags::TRUSTED)
}

/// `no-padding-oracles`.
pub(super) fn oracle(facts: &Facts<'_>) -> bool {
    facts.mechanism.is_some_and(tells_padding)
}

/// Whether the mechanism looks at the padding of what it decrypts, before anything has vouched for it.
pub(super) fn tells_padding(mechanism: u64) -> bool {
    matches!(mechanism, CKM_RSA_PKCS | CKM_RSA_PKCS_TPM_1_1)
        || mechanism::name(mechanism).is_some_and(|name| name.ends_with("_CBC_PAD"))
}
