// SPDX-License-Identifier: Apache-2.0
//! Mechanisms and keys that are too weak for what they wrap: raw RSA, short keys, wrapping without a check.

use cryptoki_sys::*;

use super::offline::{self, KnownPair};
use super::oracles::flipped;
use super::session::{Session, Told, plain, with};
use super::template::{aes, private, rsa_public, secret};
use super::{ZERO, oaep};

/// T07b: a key that may only sign opens what was encrypted to it.
pub(super) fn raw_signature_of_a_ciphertext(session: &Session) -> Told<bool> {
    const MESSAGE: &[u8] = b"forty-eight bytes of a premaster secret, RSA-TLS";
    let public = rsa_public(2048).can([CKA_VERIFY]);
    let (public, private) =
        session.pair(CKM_RSA_PKCS_KEY_PAIR_GEN, &public, &private(CKK_RSA).can([CKA_SIGN]))?;
    let modulus = session.read(public, CKA_MODULUS)?;
    let sealed = offline::raised(&modulus, &offline::padded(MESSAGE, modulus.len()));
    let block = session.sign(plain(CKM_RSA_X_509), private, &sealed)?;
    Ok(offline::unpadded(&block).as_deref() == Some(MESSAGE))
}

/// T22: a modulus of 512 bits has been factored since 1999.
pub(super) fn wrapped_by_a_weak_rsa_key(session: &Session) -> Told<bool> {
    let target = session.target()?;
    let public = rsa_public(512).can([CKA_WRAP]);
    let (public, _) =
        session.pair(CKM_RSA_PKCS_KEY_PAIR_GEN, &public, &private(CKK_RSA).can([CKA_UNWRAP]))?;
    Ok(session.wrap(oaep(), public, target)?.len() == 64)
}

/// T22b: the wrapped key is as strong as the key that wraps it.
pub(super) fn wrapped_by_a_shorter_key(session: &Session) -> Told<bool> {
    let target = session.generate(CKM_AES_KEY_GEN, &aes(32).can([CKA_ENCRYPT, CKA_EXTRACTABLE]))?;
    let short = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_WRAP]))?;
    Ok(session.wrap(plain(CKM_AES_KEY_WRAP), short, target)?.len() == 40)
}

/// T23: a short number raised to the third power is no larger than the modulus.
pub(super) fn cube_root(session: &Session) -> Told<bool> {
    let target = session.target()?;
    let public = rsa_public(2048).bytes(CKA_PUBLIC_EXPONENT, &[3]).can([CKA_WRAP]);
    let (public, _) =
        session.pair(CKM_RSA_PKCS_KEY_PAIR_GEN, &public, &private(CKK_RSA).can([CKA_UNWRAP]))?;
    let blob = session.wrap(plain(CKM_RSA_X_509), public, target)?;
    session.proves(target, &offline::cube_root(&blob))
}

/// T24 (Clulow): a private key leaves in a form that the attacker can change block by block. CBC without
/// padding takes whole blocks only, which the encoding of this key is.
pub(super) fn private_key_wrapped_without_a_check(session: &Session) -> Told<bool> {
    const NAMES: [CK_ATTRIBUTE_TYPE; 7] = [
        CKA_MODULUS,
        CKA_PRIVATE_EXPONENT,
        CKA_PRIME_1,
        CKA_PRIME_2,
        CKA_EXPONENT_1,
        CKA_EXPONENT_2,
        CKA_COEFFICIENT,
    ];
    let start = private(CKK_RSA).can([CKA_SIGN, CKA_EXTRACTABLE]).bytes(CKA_PUBLIC_EXPONENT, &[1, 0, 1]);
    let numbers = NAMES.into_iter().zip(KnownPair::new([1279, 521]).numbers());
    let target = numbers.fold(start, |template, (name, number)| template.bytes(name, &number));
    let target = session.create(&target)?;
    let by = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_WRAP]))?;
    Ok(session.wrap(with(CKM_AES_CBC, &ZERO), by, target)?.len() == 1120)
}

/// T24b: and comes back changed by one bit, of which the token says nothing.
pub(super) fn changed_on_the_way_back(session: &Session) -> Told<bool> {
    const VALUE: [u8; 16] = [0x24; 16];
    let by = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_WRAP, CKA_UNWRAP]))?;
    let imported = secret(CKK_AES).bytes(CKA_VALUE, &VALUE).can([CKA_EXTRACTABLE]);
    let target = session.create(&imported)?;
    let blob = session.wrap(with(CKM_AES_CBC, &ZERO), by, target)?;
    let changed = flipped(ZERO, 1);
    let back = session.unwrap(with(CKM_AES_CBC, &changed), by, &blob, &aes(16).can([CKA_ENCRYPT]))?;
    session.proves(back, &flipped(VALUE, 1))
}

/// T33: any sixteen bytes are some wrapped key.
pub(super) fn conjured_key(session: &Session) -> Told<bool> {
    let by = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_WRAP, CKA_UNWRAP]))?;
    let made = session.unwrap(plain(CKM_AES_ECB), by, b"sixteen of bytes", &aes(16).can([CKA_ENCRYPT]))?;
    Ok(session.encrypt(plain(CKM_AES_ECB), made, &ZERO)?.len() == 16)
}

/// The object identifier of P-256 in DER.
pub(super) const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
