// SPDX-License-Identifier: Apache-2.0
//! Derivations that leak: into a readable key, or into keys so short that they can be guessed.

use std::ptr;

use cryptoki_sys::*;

use super::session::{Handle, Mechanism, Session, Told, plain, with};
use super::template::{Template, aes, secret};
use super::{ZERO, offline};

fn base(session: &Session) -> Told<Handle> {
    session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_DERIVE]))
}

/// A sensitive key of one byte.
fn one_byte() -> Template {
    secret(CKK_GENERIC_SECRET).number(CKA_VALUE_LEN, 1)
}

/// Derives by encrypting a block of data.
fn by_encryption(session: &Session, base: Handle, template: &Template) -> Told<Handle> {
    let mut data = [0x18; 16];
    let parameter = CK_KEY_DERIVATION_STRING_DATA { pData: ptr::from_mut(&mut data).cast(), ulLen: 16 };
    session.derive(with(CKM_AES_ECB_ENCRYPT_DATA, &parameter), base, template)
}

/// T18: what is derived of a sensitive key comes out readable, which encrypts with it.
pub(super) fn derive_as_readable(session: &Session) -> Told<bool> {
    let base = base(session)?;
    let open = secret(CKK_GENERIC_SECRET).number(CKA_VALUE_LEN, 16).readable();
    let open = by_encryption(session, base, &open)?;
    let value = session.read(open, CKA_VALUE)?;
    let target = by_encryption(session, base, &aes(16).can([CKA_ENCRYPT]))?;
    session.proves(target, &value)
}

/// T19: the digest of one byte says which it is.
pub(super) fn short_key_and_its_digest(session: &Session) -> Told<bool> {
    let base = base(session)?;
    let short = by_encryption(session, base, &one_byte())?;
    Ok(offline::byte_of_digest(&session.digest_key(short)?).is_some())
}

/// T20 (Clulow; CVE-2015-5464): every byte of a key by itself.
pub(super) fn one_byte_at_a_time(session: &Session) -> Told<bool> {
    let base = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_DERIVE, CKA_DECRYPT]))?;
    let mut value = Vec::new();
    for place in 0..16 {
        let bit: CK_EXTRACT_PARAMS = 8 * place;
        let short = session.derive(with(CKM_EXTRACT_KEY_FROM_KEY, &bit), base, &one_byte())?;
        value.extend(offline::byte_of_digest(&session.digest_key(short)?));
    }
    Ok(offline::decrypted(&value, ZERO) == Some(session.decrypt(plain(CKM_AES_ECB), base, &ZERO)?))
}

/// T21: the first byte, by cutting the key off behind it.
pub(super) fn concatenated_and_cut(session: &Session) -> Told<bool> {
    let mut data = [0x21; 16];
    let parameter = CK_KEY_DERIVATION_STRING_DATA { pData: ptr::from_mut(&mut data).cast(), ulLen: 16 };
    first_byte(session, with(CKM_CONCATENATE_BASE_AND_DATA, &parameter), 0)
}

/// T21b: the same, mixed with data that the attacker knows.
pub(super) fn mixed_and_cut(session: &Session) -> Told<bool> {
    let mut data = [0x21; 16];
    let parameter = CK_KEY_DERIVATION_STRING_DATA { pData: ptr::from_mut(&mut data).cast(), ulLen: 16 };
    first_byte(session, with(CKM_XOR_BASE_AND_DATA, &parameter), 0x21)
}

/// Cuts the first byte out of a key whose value only the comparison knows.
fn first_byte(session: &Session, cutting: Mechanism<'_>, mixed: u8) -> Told<bool> {
    const VALUE: [u8; 16] = [0xd7; 16];
    let imported = secret(CKK_AES).bytes(CKA_VALUE, &VALUE).can([CKA_DERIVE]);
    let base = session.create(&imported)?;
    let short = session.derive(cutting, base, &one_byte())?;
    Ok(offline::byte_of_digest(&session.digest_key(short)?) == Some(VALUE[0] ^ mixed))
}

/// T34: the check value of a short key is the same as that of the one key of its length that has its value.
pub(super) fn check_value_of_a_short_key(session: &Session) -> Told<bool> {
    let short = by_encryption(session, base(session)?, &one_byte())?;
    let leaked = session.read(short, CKA_CHECK_VALUE)?;
    let mut found = None;
    for byte in 0..=u8::MAX {
        let guess = secret(CKK_GENERIC_SECRET).readable().bytes(CKA_VALUE, &[byte]);
        let guess = session.create(&guess)?;
        let matches = session.read(guess, CKA_CHECK_VALUE)? == leaked;
        session.destroy(guess)?;
        if matches {
            found = Some(byte);
            break;
        }
    }
    Ok(leaked.len() == 3 && found.is_some() && offline::byte_of_digest(&session.digest_key(short)?) == found)
}
