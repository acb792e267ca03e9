// SPDX-License-Identifier: Apache-2.0
//! Keys whose value came from outside: imported or unwrapped, and then trusted with a role or made readable.

use cryptoki_sys::*;

use super::offline::{self, KnownPair};
use super::session::{Handle, Session, Told, plain};
use super::template::{aes, only, private, public, rsa_public, secret};
use super::{cbc, oaep};

const KNOWN: [u8; 16] = [0x44; 16];

/// T08: out by a good mechanism, and back in without protection.
pub(super) fn unwrap_as_readable(session: &Session) -> Told<bool> {
    let target = session.target()?;
    let by = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_WRAP, CKA_UNWRAP]))?;
    let blob = session.wrap(plain(CKM_AES_KEY_WRAP), by, target)?;
    let copy = session.unwrap(plain(CKM_AES_KEY_WRAP), by, &blob, &secret(CKK_AES).readable())?;
    let value = session.read(copy, CKA_VALUE)?;
    session.proves(target, &value)
}

/// T08b: the same by a key pair.
pub(super) fn unwrap_as_readable_by_rsa(session: &Session) -> Told<bool> {
    let target = session.target()?;
    let public = rsa_public(3072).can([CKA_WRAP]);
    let (public, private) =
        session.pair(CKM_RSA_PKCS_KEY_PAIR_GEN, &public, &private(CKK_RSA).can([CKA_UNWRAP]))?;
    let blob = session.wrap(oaep(), public, target)?;
    let copy = session.unwrap(oaep(), private, &blob, &secret(CKK_AES).readable())?;
    let value = session.read(copy, CKA_VALUE)?;
    session.proves(target, &value)
}

/// T09 (Delaune, Kremer, Steel 2008): one wrapped key comes back twice, with a role each.
pub(super) fn double_unwrap(session: &Session) -> Told<bool> {
    let target = session.target()?;
    let by = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_WRAP, CKA_UNWRAP]))?;
    let origin = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_EXTRACTABLE]))?;
    let moved = session.wrap(plain(CKM_AES_KEY_WRAP), by, origin)?;
    let back = |usage| session.unwrap(plain(CKM_AES_KEY_WRAP), by, &moved, &secret(CKK_AES).can([usage]));
    let (wraps, decrypts) = (back(CKA_WRAP)?, back(CKA_DECRYPT)?);
    let blob = session.wrap(cbc(), wraps, target)?;
    let value = session.decrypt(cbc(), decrypts, &blob)?;
    session.proves(target, &value)
}

/// T11: anybody can encrypt to a public key, and so make a wrapped key of a value that he knows.
pub(super) fn trojan_wrapped_key(session: &Session) -> Told<bool> {
    let target = session.target()?;
    let (public, private) =
        session.pair(CKM_RSA_PKCS_KEY_PAIR_GEN, &rsa_public(2048), &private(CKK_RSA).can([CKA_UNWRAP]))?;
    let modulus = session.read(public, CKA_MODULUS)?;
    let forged = offline::raised(&modulus, &offline::padded(&KNOWN, modulus.len()));
    let known = session.unwrap(plain(CKM_RSA_PKCS), private, &forged, &secret(CKK_AES).can([CKA_WRAP]))?;
    wrapped_by_known(session, target, known)
}

/// T11b: the same by OAEP, against which no padding and no wrapping mechanism can be held.
pub(super) fn trojan_wrapped_by_oaep(session: &Session) -> Told<bool> {
    let target = session.target()?;
    let (made, private) =
        session.pair(CKM_RSA_PKCS_KEY_PAIR_GEN, &rsa_public(2048), &private(CKK_RSA).can([CKA_UNWRAP]))?;
    let modulus = session.read(made, CKA_MODULUS)?;
    let outside = public(CKK_RSA).bytes(CKA_MODULUS, &modulus).bytes(CKA_PUBLIC_EXPONENT, &[1, 0, 1]);
    let outside = session.create(&outside.can([CKA_ENCRYPT]))?;
    let forged = session.encrypt(oaep(), outside, &KNOWN)?;
    let known = session.unwrap(oaep(), private, &forged, &secret(CKK_AES).can([CKA_WRAP]))?;
    wrapped_by_known(session, target, known)
}

/// T12: a public key to wrap with, whose private half the attacker has.
pub(super) fn trojan_public_key(session: &Session) -> Told<bool> {
    let target = session.target()?;
    let pair = KnownPair::new([1279, 2203]);
    let public = public(CKK_RSA).bytes(CKA_MODULUS, &pair.numbers()[0]);
    let public = public.bytes(CKA_PUBLIC_EXPONENT, &[1, 0, 1]).can([CKA_WRAP]);
    let public = session.create(&public)?;
    let blob = session.wrap(plain(CKM_RSA_PKCS), public, target)?;
    session.proves(target, &pair.decrypted(&blob).unwrap_or_default())
}

/// T13: a secret key to wrap with, which the attacker brought along.
pub(super) fn known_secret_key(session: &Session) -> Told<bool> {
    let target = session.target()?;
    let known = session.create(&secret(CKK_AES).bytes(CKA_VALUE, &KNOWN).can([CKA_WRAP]))?;
    wrapped_by_known(session, target, known)
}

/// T13b: the same in two steps.
pub(super) fn known_secret_key_by_toggle(session: &Session) -> Told<bool> {
    let target = session.target()?;
    let known = session.create(&secret(CKK_AES).bytes(CKA_VALUE, &KNOWN))?;
    session.set(known, &only(CKA_WRAP, true))?;
    wrapped_by_known(session, target, known)
}

fn wrapped_by_known(session: &Session, target: Handle, known: Handle) -> Told<bool> {
    let blob = session.wrap(plain(CKM_AES_KEY_WRAP), known, target)?;
    let value = offline::unwrapped(&blob, offline::decrypting(&KNOWN))?;
    session.proves(target, &value)
}
