// SPDX-License-Identifier: Apache-2.0
//! Keys that have two roles which undo each other: wrap and decrypt, encrypt and unwrap, derive and encrypt,
//! unwrap and sign.

use std::ptr;

use cryptoki_sys::*;

use super::offline;
use super::session::{Session, Told, plain, with};
use super::template::{aes, private, rsa_public, secret};
use super::{cbc, oaep};

/// T01 (Clulow, CHES 2003).
pub(super) fn wrap_then_decrypt(session: &Session) -> Told<bool> {
    let target = session.target()?;
    let both = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_WRAP, CKA_DECRYPT]))?;
    let blob = session.wrap(cbc(), both, target)?;
    let value = session.decrypt(cbc(), both, &blob)?;
    session.proves(target, &value)
}

/// T02: CKM_AES_KEY_WRAP is undone by twelve decryptions of a block.
pub(super) fn wrap_then_decrypt_by_another_mechanism(session: &Session) -> Told<bool> {
    let target = session.target()?;
    let both = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_WRAP, CKA_DECRYPT]))?;
    let blob = session.wrap(plain(CKM_AES_KEY_WRAP), both, target)?;
    let value = offline::unwrapped(&blob, |block| session.decrypt(plain(CKM_AES_ECB), both, block))?;
    session.proves(target, &value)
}

/// T05: the two roles on the two halves of a pair.
pub(super) fn wrap_by_the_public_half_then_decrypt(session: &Session) -> Told<bool> {
    let target = session.target()?;
    let public = rsa_public(2048).can([CKA_WRAP]);
    let (public, private) =
        session.pair(CKM_RSA_PKCS_KEY_PAIR_GEN, &public, &private(CKK_RSA).can([CKA_DECRYPT]))?;
    let blob = session.wrap(oaep(), public, target)?;
    let value = session.decrypt(oaep(), private, &blob)?;
    session.proves(target, &value)
}

/// T07: a raw signature is a raw decryption.
pub(super) fn raw_signature_of_a_wrapped_key(session: &Session) -> Told<bool> {
    let target = session.target()?;
    let public = rsa_public(2048).can([CKA_WRAP]);
    let private = private(CKK_RSA).can([CKA_UNWRAP, CKA_SIGN]);
    let (public, private) = session.pair(CKM_RSA_PKCS_KEY_PAIR_GEN, &public, &private)?;
    let blob = session.wrap(plain(CKM_RSA_PKCS), public, target)?;
    let block = session.sign(plain(CKM_RSA_X_509), private, &blob)?;
    session.proves(target, &offline::unpadded(&block).unwrap_or_default())
}

/// T10: a key of the attacker's choice, made into a wrapped one by twelve encryptions of a block.
pub(super) fn encrypt_then_unwrap(session: &Session) -> Told<bool> {
    const CHOSEN: [u8; 16] = [0x42; 16];
    let target = session.target()?;
    let both = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_ENCRYPT, CKA_UNWRAP]))?;
    let forged = offline::wrapped(&CHOSEN, |block| session.encrypt(plain(CKM_AES_ECB), both, block))?;
    let known = session.unwrap(plain(CKM_AES_KEY_WRAP), both, &forged, &secret(CKK_AES).can([CKA_WRAP]))?;
    let blob = session.wrap(plain(CKM_AES_KEY_WRAP), known, target)?;
    let value = offline::unwrapped(&blob, offline::decrypting(&CHOSEN))?;
    session.proves(target, &value)
}

/// T17: what is derived by encryption can be had by encryption.
pub(super) fn derive_then_encrypt(session: &Session) -> Told<bool> {
    let base = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_DERIVE, CKA_ENCRYPT]))?;
    let mut data = [0x17; 16];
    let parameter = CK_KEY_DERIVATION_STRING_DATA { pData: ptr::from_mut(&mut data).cast(), ulLen: 16 };
    let derived =
        session.derive(with(CKM_AES_ECB_ENCRYPT_DATA, &parameter), base, &aes(16).can([CKA_ENCRYPT]))?;
    let value = session.encrypt(plain(CKM_AES_ECB), base, &data)?;
    session.proves(derived, &value)
}
