// SPDX-License-Identifier: Apache-2.0
//! The same attacks dressed up: templates that say nothing, say it twice or in another way, long ones; a
//! second origin of a value, another encoding of a hash, another entry point for a nonce.

use std::ptr;

use cryptoki_sys::*;

use super::ZERO;
use super::doors::SHA1_OF_ABC;
use super::offline;
use super::session::{Handle, Session, Told, call, filled, plain, with};
use super::template::{Template, aes, only, private, public, rsa_public, secret};
use super::weak::P256;

const CHOSEN: [u8; 16] = [0x42; 16];

/// T01b: nothing is said, and the token gives every role.
pub(super) fn wrap_then_decrypt_with_nothing_said(session: &Session) -> Told<bool> {
    let said = Template::default().number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_AES);
    wrap_then_decrypt(session, &said.number(CKA_VALUE_LEN, 16).can([CKA_SENSITIVE]))
}

/// T01c: the same attribute twice, first false.
pub(super) fn wrap_then_decrypt_said_twice(session: &Session) -> Told<bool> {
    wrap_then_decrypt(session, &aes(16).can([CKA_WRAP]).again(CKA_DECRYPT, 1))
}

/// T01d: first true.
pub(super) fn wrap_then_decrypt_said_twice_the_other_way(session: &Session) -> Told<bool> {
    wrap_then_decrypt(session, &aes(16).can([CKA_WRAP, CKA_DECRYPT]).again(CKA_DECRYPT, 0))
}

/// T01e: two is true as well.
pub(super) fn wrap_then_decrypt_with_an_odd_true(session: &Session) -> Told<bool> {
    wrap_then_decrypt(session, &aes(16).can([CKA_WRAP]).bytes(CKA_DECRYPT, &[2]))
}

/// T01f: both roles behind seventy labels.
pub(super) fn wrap_then_decrypt_in_a_long_template(session: &Session) -> Told<bool> {
    let said = Template::default().number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_AES);
    let long = (0..70).fold(said, |template, _| template.again(CKA_LABEL, b'a'));
    wrap_then_decrypt(session, &long.number(CKA_VALUE_LEN, 16).can([CKA_SENSITIVE, CKA_WRAP, CKA_DECRYPT]))
}

fn wrap_then_decrypt(session: &Session, template: &Template) -> Told<bool> {
    let target = session.target()?;
    let both = session.generate(CKM_AES_KEY_GEN, template)?;
    let blob = session.wrap(plain(CKM_AES_KEY_WRAP), both, target)?;
    let value = offline::unwrapped(&blob, |block| session.decrypt(plain(CKM_AES_ECB), both, block))?;
    session.proves(target, &value)
}

/// T07c: by a signature with recovery.
pub(super) fn raw_recoverable_signature(session: &Session) -> Told<bool> {
    const MESSAGE: &[u8] = b"forty-eight bytes of a premaster secret, RSA-TLS";
    let private = private(CKK_RSA).can([CKA_SIGN_RECOVER]);
    let (public, private) =
        session.pair(CKM_RSA_PKCS_KEY_PAIR_GEN, &rsa_public(2048).can([CKA_VERIFY]), &private)?;
    let modulus = session.read(public, CKA_MODULUS)?;
    let sealed = offline::raised(&modulus, &offline::padded(MESSAGE, modulus.len()));
    let mut mechanism = plain(CKM_RSA_X_509).raw();
    call!(session, C_SignRecoverInit(session.handle, &mut mechanism, private))?;
    let (data, size) = (sealed.as_ptr().cast_mut(), sealed.len() as CK_ULONG);
    let block = filled(|out, length| call!(session, C_SignRecover(session.handle, data, size, out, length)))?;
    Ok(offline::unpadded(&block).as_deref() == Some(MESSAGE))
}

/// T09b: one wrapped key comes back to encrypt and to unwrap, and makes an unwrapped key of any value.
pub(super) fn double_unwrap_to_unwrap(session: &Session) -> Told<bool> {
    let by = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_WRAP, CKA_UNWRAP]))?;
    let origin = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_EXTRACTABLE]))?;
    let moved = session.wrap(plain(CKM_AES_KEY_WRAP), by, origin)?;
    forged(session, (by, &moved), (by, &moved))
}

/// T09c: the same by two wrapping keys, so that the two blobs have nothing in common.
pub(super) fn double_unwrap_by_two_keys(session: &Session) -> Told<bool> {
    let by = || session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_WRAP, CKA_UNWRAP]));
    let (one, other) = (by()?, by()?);
    let origin = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_EXTRACTABLE]))?;
    let moved = session.wrap(plain(CKM_AES_KEY_WRAP), one, origin)?;
    let again = session.wrap(plain(CKM_AES_KEY_WRAP), other, origin)?;
    forged(session, (one, &moved), (other, &again))
}

fn forged(session: &Session, first: (Handle, &[u8]), second: (Handle, &[u8])) -> Told<bool> {
    let back = |(by, blob): (Handle, &[u8]), usage| {
        session.unwrap(plain(CKM_AES_KEY_WRAP), by, blob, &secret(CKK_AES).can([usage]))
    };
    let (encrypts, unwraps) = (back(first, CKA_ENCRYPT)?, back(second, CKA_UNWRAP)?);
    let blob = offline::wrapped(&CHOSEN, |block| session.encrypt(plain(CKM_AES_ECB), encrypts, block))?;
    let made =
        session.unwrap(plain(CKM_AES_KEY_WRAP), unwraps, &blob, &secret(CKK_AES).can([CKA_ENCRYPT]))?;
    session.proves(made, &CHOSEN)
}

/// T13c: an import that does not speak of wrapping.
pub(super) fn known_secret_key_with_nothing_said(session: &Session) -> Told<bool> {
    let target = session.target()?;
    let said = Template::default().number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_AES);
    let known = session.create(&said.bytes(CKA_VALUE, &CHOSEN))?;
    let blob = session.wrap(plain(CKM_AES_KEY_WRAP), known, target)?;
    let value = offline::unwrapped(&blob, offline::decrypting(&CHOSEN))?;
    session.proves(target, &value)
}

/// T15b: the value is asked for behind three hundred other attributes.
pub(super) fn value_behind_many_attributes(session: &Session) -> Told<bool> {
    let target = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_ENCRYPT]).flag(CKA_SENSITIVE, false))?;
    let mut value = [0u8; 16];
    let label = CK_ATTRIBUTE { type_: CKA_LABEL, pValue: ptr::null_mut(), ulValueLen: 0 };
    let mut asked = [label; 301];
    asked[300] = CK_ATTRIBUTE { type_: CKA_VALUE, pValue: value.as_mut_ptr().cast(), ulValueLen: 16 };
    call!(session, C_GetAttributeValue(session.handle, target, asked.as_mut_ptr(), 301))?;
    session.proves(target, &value)
}

/// T16e: tightened and loosened in one template.
pub(super) fn extractable_said_twice_in_a_copy(session: &Session) -> Told<bool> {
    let target = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_ENCRYPT]).flag(CKA_SENSITIVE, false))?;
    let copy = session.copy(target, &only(CKA_EXTRACTABLE, true).again(CKA_EXTRACTABLE, 0))?;
    let value = session.read(copy, CKA_VALUE)?;
    session.proves(target, &value)
}

/// T29d: a DigestInfo that leaves out the NULL of its algorithm.
pub(super) fn banned_hash_without_its_null(session: &Session) -> Told<bool> {
    let prefix = [0x30, 0x1f, 0x30, 0x07, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x04, 0x14];
    let private = private(CKK_RSA).can([CKA_SIGN]);
    let (public, private) =
        session.pair(CKM_RSA_PKCS_KEY_PAIR_GEN, &rsa_public(2048).can([CKA_VERIFY]), &private)?;
    let digest_info = [&prefix[..], &SHA1_OF_ABC].concat();
    let signature = session.sign(plain(CKM_RSA_PKCS), private, &digest_info)?;
    session.verify(plain(CKM_RSA_PKCS), public, &digest_info, &signature)?;
    Ok(true)
}

/// T29e: zeros in front of a hash change its length, and the number that ECDSA signs stays the same.
pub(super) fn banned_hash_behind_zeros(session: &Session) -> Told<bool> {
    let public = public(CKK_EC).bytes(CKA_EC_PARAMS, P256).can([CKA_VERIFY]);
    let (public, private) = session.pair(CKM_EC_KEY_PAIR_GEN, &public, &private(CKK_EC).can([CKA_SIGN]))?;
    let longer = [&[0; 12][..], &SHA1_OF_ABC].concat();
    let signature = session.sign(plain(CKM_ECDSA), private, &longer)?;
    session.verify(plain(CKM_ECDSA), public, &SHA1_OF_ABC, &signature)?;
    Ok(true)
}

/// T32b: with a copy of the key.
pub(super) fn nonce_twice_by_a_copy(session: &Session) -> Told<bool> {
    let key = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_ENCRYPT]))?;
    let copy = session.copy(key, &Template::default().label("copy"))?;
    let mut nonce = [0x32; 12];
    let parameter = CK_GCM_PARAMS {
        pIv: nonce.as_mut_ptr(),
        ulIvLen: 12,
        ulIvBits: 96,
        pAAD: ptr::null_mut(),
        ulAADLen: 0,
        ulTagBits: 128,
    };
    let one = session.encrypt(with(CKM_AES_GCM, &parameter), key, &ZERO)?;
    Ok(session.encrypt(with(CKM_AES_GCM, &parameter), copy, &ZERO)? == one)
}

/// T32c: by the messages of 3.0.
pub(super) fn nonce_twice_in_messages(session: &Session) -> Told<bool> {
    let key = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_ENCRYPT]))?;
    let mut mechanism = plain(CKM_AES_GCM).raw();
    call!(session, C_MessageEncryptInit(session.handle, &mut mechanism, key))?;
    Ok(session.message([0x32; 12], &ZERO)?.0 == session.message([0x32; 12], &ZERO)?.0)
}

/// T32d: the block that counts, in counter mode.
pub(super) fn counter_twice(session: &Session) -> Told<bool> {
    let key = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_ENCRYPT]))?;
    let parameter = CK_AES_CTR_PARAMS { ulCounterBits: 128, cb: [0x32; 16] };
    let one = session.encrypt(with(CKM_AES_CTR, &parameter), key, &ZERO)?;
    Ok(session.encrypt(with(CKM_AES_CTR, &parameter), key, &ZERO)? == one)
}
