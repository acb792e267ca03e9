// SPDX-License-Identifier: Apache-2.0
//! Ways in which a key value leaks bit by bit: refuses short keys, derivations that cut or shift a value,
//! digests of a key, and reading it (Clulow 2003; CVE-2015-5464).

use event::mechanism::*;
use event::value::object_class::*;

use super::readable;
use crate::act::Act;
use crate::facts::Facts;

/// Fewer bits are found by trying, and whoever has a key has all that came of it.
const MIN_BITS: u32 = 112;

/// `derived-length`. A length that the template leaves to the token is the token's to choose well.
pub(super) fn short(facts: &Facts<'_>) -> bool {
    let made = &facts.template;
    let secret = matches!(made.class, Some(CKO_SECRET_KEY) | None);
    let short = secret && made.bits.is_some_and(|bits| bits < MIN_BITS);
    short || facts.act == Act::Derive && facts.mechanism.is_some_and(cuts) && !readable(&facts.key)
}

/// `no-digest-key`.
pub(super) fn digested(facts: &Facts<'_>) -> bool {
    !readable(&facts.key)
}

/// `no-secret-reads`: of certificates and public keys the same attributes are public.
pub(super) fn read(facts: &Facts<'_>) -> bool {
    facts.template.secret && matches!(facts.key.class, Some(CKO_PRIVATE_KEY | CKO_SECRET_KEY | CKO_OTP_KEY))
}

/// Whether the derivation gives a part of the value, or the value under a simple known change, or encrypts
/// data of the caller's choice with it.
fn cuts(mechanism: u64) -> bool {
    matches!(
        mechanism,
        CKM_EXTRACT_KEY_FROM_KEY
            | CKM_CONCATENATE_BASE_AND_KEY
            | CKM_CONCATENATE_BASE_AND_DATA
            | CKM_CONCATENATE_DATA_AND_BASE
            | CKM_XOR_BASE_AND_DATA
            | CKM_DES_ECB_ENCRYPT_DATA
            | CKM_DES_CBC_ENCRYPT_DATA
            | CKM_DES3_ECB_ENCRYPT_DATA
            | CKM_DES3_CBC_ENCRYPT_DATA
            | CKM_AES_ECB_ENCRYPT_DATA
            | CKM_AES_CBC_ENCRYPT_DATA
            | CKM_CAMELLIA_ECB_ENCRYPT_DATA
            | CKM_CAMELLIA_CBC_ENCRYPT_DATA
            | CKM_ARIA_ECB_ENCRYPT_DATA
            | CKM_ARIA_CBC_ENCRYPT_DATA
            | CKM_SEED_ECB_ENCRYPT_DATA
            | CKM_SEED_CBC_ENCRYPT_DATA
    )
}
