// SPDX-License-Identifier: Apache-2.0
//! Keys that are given another role, or lose their protection, after they were made: by a change, or by a
//! copy.

use cryptoki_sys::*;

use super::offline;
use super::session::{Handle, Session, Told, plain};
use super::template::{aes, only, private, rsa_public};
use super::{cbc, oaep};

/// T03: first WRAP, then DECRYPT, never both.
pub(super) fn role_toggle(session: &Session) -> Told<bool> {
    let target = session.target()?;
    let key = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_WRAP]))?;
    let blob = session.wrap(plain(CKM_AES_KEY_WRAP), key, target)?;
    session.set(key, &only(CKA_WRAP, false))?;
    session.set(key, &only(CKA_DECRYPT, true))?;
    let value = offline::unwrapped(&blob, |block| session.decrypt(plain(CKM_AES_ECB), key, block))?;
    session.proves(target, &value)
}

/// T04: one value in two objects, each with one role.
pub(super) fn copy_split(session: &Session) -> Told<bool> {
    let target = session.target()?;
    let origin = session.generate(CKM_AES_KEY_GEN, &aes(16))?;
    let wraps = session.copy(origin, &only(CKA_WRAP, true))?;
    let decrypts = session.copy(origin, &only(CKA_DECRYPT, true))?;
    let blob = session.wrap(cbc(), wraps, target)?;
    let value = session.decrypt(cbc(), decrypts, &blob)?;
    session.proves(target, &value)
}

/// T06: the private half learns to decrypt once the public half has wrapped. Under OAEP, so that nothing but
/// the change is to be held against it.
pub(super) fn toggle_of_a_private_key(session: &Session) -> Told<bool> {
    let target = session.target()?;
    let public = rsa_public(3072).can([CKA_WRAP]);
    let (public, private) =
        session.pair(CKM_RSA_PKCS_KEY_PAIR_GEN, &public, &private(CKK_RSA).can([CKA_UNWRAP]))?;
    let blob = session.wrap(oaep(), public, target)?;
    session.set(private, &only(CKA_DECRYPT, true))?;
    let value = session.decrypt(oaep(), private, &blob)?;
    session.proves(target, &value)
}

/// T16.
pub(super) fn sensitive_cleared(session: &Session) -> Told<bool> {
    let target = session.target()?;
    session.set(target, &only(CKA_SENSITIVE, false))?;
    readable(session, target, target)
}

/// T16b.
pub(super) fn extractable_set(session: &Session) -> Told<bool> {
    let target = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_ENCRYPT]).flag(CKA_SENSITIVE, false))?;
    session.set(target, &only(CKA_EXTRACTABLE, true))?;
    readable(session, target, target)
}

/// T16c.
pub(super) fn sensitive_cleared_by_a_copy(session: &Session) -> Told<bool> {
    let target = session.target()?;
    let copy = session.copy(target, &only(CKA_SENSITIVE, false))?;
    readable(session, target, copy)
}

/// T16d.
pub(super) fn extractable_set_by_a_copy(session: &Session) -> Told<bool> {
    let target = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_ENCRYPT]).flag(CKA_SENSITIVE, false))?;
    let copy = session.copy(target, &only(CKA_EXTRACTABLE, true))?;
    readable(session, target, copy)
}

fn readable(session: &Session, target: Handle, weakened: Handle) -> Told<bool> {
    let value = session.read(weakened, CKA_VALUE)?;
    session.proves(target, &value)
}
