// SPDX-License-Identifier: Apache-2.0
//! Answers that tell about the plaintext: of paddings, and of a nonce that was used before.

use cryptoki_sys::*;

use super::ZERO;
use super::offline;
use super::session::{Session, Told, plain, with};
use super::template::{aes, private, rsa_public, secret};

/// T25 (Bleichenbacher 1998): "decrypted" or "bad padding", for ciphertexts made of the one that is attacked.
/// Asked until both answers came: 256 of 2^16 paddings are good, so that almost every multiple is answered
/// the other way.
pub(super) fn padding_of_rsa_decryption(session: &Session) -> Told<bool> {
    let public = rsa_public(2048).can([CKA_ENCRYPT]);
    let (public, private) =
        session.pair(CKM_RSA_PKCS_KEY_PAIR_GEN, &public, &private(CKK_RSA).can([CKA_DECRYPT]))?;
    let sealed = session.encrypt(plain(CKM_RSA_PKCS), public, b"a message")?;
    let modulus = session.read(public, CKA_MODULUS)?;
    session.decrypt(plain(CKM_RSA_PKCS), private, &sealed)?;
    let answers = (2..66).map(|factor| {
        session.decrypt(plain(CKM_RSA_PKCS), private, &offline::multiplied(&modulus, &sealed, factor))
    });
    Ok(answers.filter(Result::is_err).count() > 0)
}

/// T25b: the same with keys instead of messages.
pub(super) fn padding_of_rsa_unwrapping(session: &Session) -> Told<bool> {
    let (public, private) =
        session.pair(CKM_RSA_PKCS_KEY_PAIR_GEN, &rsa_public(2048), &private(CKK_RSA).can([CKA_UNWRAP]))?;
    let modulus = session.read(public, CKA_MODULUS)?;
    let sealed = offline::raised(&modulus, &offline::padded(&[0x25; 16], modulus.len()));
    let template = secret(CKK_GENERIC_SECRET);
    session.unwrap(plain(CKM_RSA_PKCS), private, &sealed, &template)?;
    let answers = (2..66).map(|factor| {
        let asked = offline::multiplied(&modulus, &sealed, factor);
        session.unwrap(plain(CKM_RSA_PKCS), private, &asked, &template)
    });
    Ok(answers.filter(Result::is_err).count() > 0)
}

/// T26 (Vaudenay 2002): the last byte of a block, by the padding that 256 changes of the block before it make
/// of it.
pub(super) fn padding_of_cbc(session: &Session) -> Told<bool> {
    const MESSAGE: &[u8; 32] = b"one block, and a second of them.";
    let key = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_ENCRYPT, CKA_DECRYPT]))?;
    let sealed = session.encrypt(with(CKM_AES_CBC, &ZERO), key, MESSAGE)?;
    let (first, second) = sealed.split_at(16);
    let mut found = Vec::new();
    for guess in 0..=u8::MAX {
        // A padding of one byte is 1; the byte before it is made odd, so that no longer padding is met by
        // accident.
        let mut changed = <[u8; 16]>::try_from(first).unwrap_or_default();
        changed[14] ^= 0x80;
        changed[15] = guess;
        match session.decrypt(with(CKM_AES_CBC_PAD, &changed), key, second) {
            Ok(_) => found.push(guess ^ 1 ^ first[15]),
            Err(refused) if refused.step == "C_DecryptInit" => return Err(refused),
            Err(_) => {}
        }
    }
    Ok(found == [MESSAGE[31]])
}

/// T32: the same nonce gives away how two messages differ.
pub(super) fn nonce_twice(session: &Session) -> Told<bool> {
    const MESSAGES: [&[u8; 16]; 2] = [b"the first of two", b"the other of two"];
    let key = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_ENCRYPT, CKA_DECRYPT]))?;
    let mut nonce = [0x32; 12];
    let parameter = CK_GCM_PARAMS {
        pIv: nonce.as_mut_ptr(),
        ulIvLen: 12,
        ulIvBits: 96,
        pAAD: std::ptr::null_mut(),
        ulAADLen: 0,
        ulTagBits: 128,
    };
    let one = session.encrypt(with(CKM_AES_GCM, &parameter), key, MESSAGES[0])?;
    let other = session.encrypt(with(CKM_AES_GCM, &parameter), key, MESSAGES[1])?;
    let differ = |place: usize| one[place] ^ other[place] == MESSAGES[0][place] ^ MESSAGES[1][place];
    Ok((0..16).all(differ))
}

/// A block with the lowest bits of its last byte changed.
pub(super) fn flipped(mut block: [u8; 16], by: u8) -> [u8; 16] {
    block[15] ^= by;
    block
}
