// SPDX-License-Identifier: Apache-2.0
//! What applications do with a token day by day. None of it may be refused by what refuses the attacks.

use std::ptr;

use cryptoki_sys::*;
use harness::token::PIN;

use super::existing;
use super::session::{Handle, Session, Told, call, filled, plain, with};
use super::template::{Template, aes, private, public, rsa_public, secret};
use super::weak::P256;
use super::{ZERO, oaep};

/// A piece of work; whether it came out right.
type Work = fn(&Session) -> Told<bool>;

/// Every piece by its name.
pub(super) const WORK: &[(&str, Work)] = &[
    ("tls-server-rsa-pss", sign_with_pss),
    ("tls-server-ecdsa", sign_with_ecdsa),
    ("code-signing", sign_a_release),
    ("key-that-asks-every-time", sign_after_a_login_of_its_own),
    ("backup-of-a-data-key", back_up_a_data_key),
    ("backup-of-a-signing-key", back_up_a_signing_key),
    ("backup-by-oaep", back_up_by_oaep),
    ("aes-gcm", encrypt_with_gcm),
    ("ecdh", agree_by_ecdh),
    ("import-to-verify", import_to_verify),
    ("import-of-a-mac-key", import_a_mac_key),
    ("rotation", retire_a_key),
    ("ml-dsa-44", existing::sign_with_ml_dsa_44),
    ("ml-dsa-87", existing::sign_with_ml_dsa_87),
    ("small-exponent", existing::sign_with_a_small_exponent),
];

const KWP: CK_MECHANISM_TYPE = CKM_AES_KEY_WRAP_PAD;

fn rsa(session: &Session, bits: CK_ULONG) -> Told<(Handle, Handle)> {
    let (public, private) = (rsa_public(bits).can([CKA_VERIFY]), private(CKK_RSA).can([CKA_SIGN]));
    session.pair(CKM_RSA_PKCS_KEY_PAIR_GEN, &public, &private)
}

pub(super) fn ec(
    session: &Session,
    public_can: &[CK_ATTRIBUTE_TYPE],
    private: &Template,
) -> Told<(Handle, Handle)> {
    let public = public(CKK_EC).bytes(CKA_EC_PARAMS, P256);
    let public = public_can.iter().fold(public, |public, flag| public.flag(*flag, true));
    session.pair(CKM_EC_KEY_PAIR_GEN, &public, private)
}

fn sign_with_pss(session: &Session) -> Told<bool> {
    let parameter = CK_RSA_PKCS_PSS_PARAMS { hashAlg: CKM_SHA256, mgf: CKG_MGF1_SHA256, sLen: 32 };
    let (public, private) = rsa(session, 2048)?;
    for (mechanism, message) in
        [(CKM_SHA256_RSA_PKCS_PSS, &b"a handshake"[..]), (CKM_RSA_PKCS_PSS, &[7; 32][..])]
    {
        let signature = session.sign(with(mechanism, &parameter), private, message)?;
        session.verify(with(mechanism, &parameter), public, message, &signature)?;
    }
    Ok(true)
}

fn sign_with_ecdsa(session: &Session) -> Told<bool> {
    let (public, private) = ec(session, &[CKA_VERIFY], &private(CKK_EC).can([CKA_SIGN]))?;
    let signature = session.sign(plain(CKM_ECDSA), private, &[7; 32])?;
    session.verify(plain(CKM_ECDSA), public, &[7; 32], &signature)?;
    Ok(true)
}

/// With keys that stay in the token, found by their label, in parts.
fn sign_a_release(session: &Session) -> Told<bool> {
    let public = rsa_public(3072).can([CKA_VERIFY, CKA_TOKEN]).label("release");
    let private = private(CKK_RSA).can([CKA_SIGN, CKA_TOKEN]).label("release");
    session.pair(CKM_RSA_PKCS_KEY_PAIR_GEN, &public, &private)?;
    let [private, public] = [CKO_PRIVATE_KEY, CKO_PUBLIC_KEY]
        .map(|class| session.find(&Template::default().number(CKA_CLASS, class).label("release")));
    let (private, public) = (private?[0], public?[0]);
    let mut mechanism = plain(CKM_SHA256_RSA_PKCS).raw();
    call!(session, C_SignInit(session.handle, &mut mechanism, private))?;
    for part in [b"a rel", b"ease "] {
        call!(session, C_SignUpdate(session.handle, part.as_ptr().cast_mut(), 5))?;
    }
    let signature = filled(|out, length| call!(session, C_SignFinal(session.handle, out, length)))?;
    session.verify(plain(CKM_SHA256_RSA_PKCS), public, b"a release ", &signature)?;
    // A DigestInfo of SHA-256, as OpenSSL hands it in.
    let prefix = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
    let digest_info = [&prefix[..], &[7; 32]].concat();
    let signature = session.sign(plain(CKM_RSA_PKCS), private, &digest_info)?;
    session.verify(plain(CKM_RSA_PKCS), public, &digest_info, &signature)?;
    Ok(session.read(public, CKA_MODULUS)?.len() == 384)
}

/// CKA_ALWAYS_AUTHENTICATE, with its context-specific login.
fn sign_after_a_login_of_its_own(session: &Session) -> Told<bool> {
    let public = rsa_public(2048).can([CKA_VERIFY]);
    let private = private(CKK_RSA).can([CKA_SIGN, CKA_ALWAYS_AUTHENTICATE]);
    let (public, private) = session.pair(CKM_RSA_PKCS_KEY_PAIR_GEN, &public, &private)?;
    let mut mechanism = plain(CKM_SHA256_RSA_PKCS).raw();
    call!(session, C_SignInit(session.handle, &mut mechanism, private))?;
    session.login(CKU_CONTEXT_SPECIFIC, PIN)?;
    let message = b"abc".as_ptr().cast_mut();
    let signature = filled(|out, length| call!(session, C_Sign(session.handle, message, 3, out, length)))?;
    session.verify(plain(CKM_SHA256_RSA_PKCS), public, b"abc", &signature)?;
    Ok(true)
}

/// The ceremony: a wrapping key, a data key, its backup, its loss, its return.
fn back_up_a_data_key(session: &Session) -> Told<bool> {
    let backup = session.generate(CKM_AES_KEY_GEN, &aes(32).can([CKA_WRAP, CKA_UNWRAP]))?;
    let uses = [CKA_ENCRYPT, CKA_DECRYPT];
    let data = session.generate(CKM_AES_KEY_GEN, &aes(32).can(uses).can([CKA_EXTRACTABLE]))?;
    let sealed = session.encrypt(with(CKM_AES_CBC_PAD, &ZERO), data, b"a secret of the customer's")?;
    let blob = session.wrap(plain(KWP), backup, data)?;
    session.destroy(data)?;
    let back = session.unwrap(plain(KWP), backup, &blob, &secret(CKK_AES).can(uses))?;
    Ok(session.encrypt(with(CKM_AES_CBC_PAD, &ZERO), back, b"a secret of the customer's")? == sealed)
}

fn back_up_a_signing_key(session: &Session) -> Told<bool> {
    let backup = session.generate(CKM_AES_KEY_GEN, &aes(32).can([CKA_WRAP, CKA_UNWRAP]))?;
    let (public, lost) = ec(session, &[CKA_VERIFY], &private(CKK_EC).can([CKA_SIGN, CKA_EXTRACTABLE]))?;
    let blob = session.wrap(plain(KWP), backup, lost)?;
    session.destroy(lost)?;
    let back = session.unwrap(plain(KWP), backup, &blob, &private(CKK_EC).can([CKA_SIGN]))?;
    let signature = session.sign(plain(CKM_ECDSA), back, &[7; 32])?;
    session.verify(plain(CKM_ECDSA), public, &[7; 32], &signature)?;
    Ok(true)
}

/// A key for MACs, by a key pair that is as strong.
fn back_up_by_oaep(session: &Session) -> Told<bool> {
    let (public, private) = session.pair(
        CKM_RSA_PKCS_KEY_PAIR_GEN,
        &rsa_public(3072).can([CKA_WRAP]),
        &private(CKK_RSA).can([CKA_UNWRAP]),
    )?;
    let made = aes(16).can([CKA_SIGN, CKA_VERIFY, CKA_EXTRACTABLE]);
    let made = session.generate(CKM_AES_KEY_GEN, &made)?;
    let before = session.sign(plain(CKM_AES_CMAC), made, b"a message")?;
    let blob = session.wrap(oaep(), public, made)?;
    session.destroy(made)?;
    let back = session.unwrap(oaep(), private, &blob, &secret(CKK_AES).can([CKA_SIGN, CKA_VERIFY]))?;
    Ok(session.sign(plain(CKM_AES_CMAC), back, b"a message")? == before)
}

/// Many messages, each with a nonce of its own, and back.
fn encrypt_with_gcm(session: &Session) -> Told<bool> {
    let key = session.generate(CKM_AES_KEY_GEN, &aes(32).can([CKA_ENCRYPT, CKA_DECRYPT]))?;
    for number in 0..100u8 {
        let mut nonce = [number; 12];
        let parameter = CK_GCM_PARAMS {
            pIv: nonce.as_mut_ptr(),
            ulIvLen: 12,
            ulIvBits: 96,
            pAAD: ptr::null_mut(),
            ulAADLen: 0,
            ulTagBits: 128,
        };
        let sealed = session.encrypt(with(CKM_AES_GCM, &parameter), key, &[number; 40])?;
        if session.decrypt(with(CKM_AES_GCM, &parameter), key, &sealed)? != [number; 40] {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Two sides come to the same key.
fn agree_by_ecdh(session: &Session) -> Told<bool> {
    let side = || ec(session, &[], &private(CKK_EC).can([CKA_DERIVE]));
    let (ours, theirs) = (side()?, side()?);
    let agreed = |own: Handle, peer: Handle| {
        let mut point = session.read(peer, CKA_EC_POINT)?;
        let parameter = agreement(&mut point);
        session.derive(with(CKM_ECDH1_DERIVE, &parameter), own, &aes(32).can([CKA_ENCRYPT, CKA_DECRYPT]))
    };
    let keys = [agreed(ours.1, theirs.0)?, agreed(theirs.1, ours.0)?];
    let sealed = session.encrypt(with(CKM_AES_CBC, &ZERO), keys[0], &[7; 32])?;
    Ok(session.encrypt(with(CKM_AES_CBC, &ZERO), keys[1], &[7; 32])? == sealed)
}

/// With a peer of this public point.
pub(super) fn agreement(point: &mut [u8]) -> CK_ECDH1_DERIVE_PARAMS {
    CK_ECDH1_DERIVE_PARAMS {
        kdf: CKD_NULL,
        ulSharedDataLen: 0,
        pSharedData: ptr::null_mut(),
        ulPublicDataLen: point.len() as CK_ULONG,
        pPublicData: point.as_mut_ptr(),
    }
}

fn import_to_verify(session: &Session) -> Told<bool> {
    let (made, private) = ec(session, &[CKA_VERIFY], &private(CKK_EC).can([CKA_SIGN]))?;
    let signature = session.sign(plain(CKM_ECDSA), private, &[7; 32])?;
    let point = session.read(made, CKA_EC_POINT)?;
    let partner = public(CKK_EC).bytes(CKA_EC_PARAMS, P256).bytes(CKA_EC_POINT, &point);
    let partner = session.create(&partner.can([CKA_VERIFY]).label("partner"))?;
    session.verify(plain(CKM_ECDSA), partner, &[7; 32], &signature)?;
    Ok(true)
}

/// RFC 4231, test case 6.
fn import_a_mac_key(session: &Session) -> Told<bool> {
    let key = secret(CKK_GENERIC_SECRET).bytes(CKA_VALUE, &[0xaa; 131]).can([CKA_SIGN, CKA_VERIFY]);
    let key = session.create(&key)?;
    let message = b"Test Using Larger Than Block-Size Key - Hash Key First";
    let mac = session.sign(plain(CKM_SHA256_HMAC), key, message)?;
    Ok(mac.starts_with(&[0x60, 0xe4, 0x31, 0x59, 0x1e, 0xe0, 0xb6, 0x7f]))
}

/// A key is made less able, which is always allowed, and then destroyed.
fn retire_a_key(session: &Session) -> Told<bool> {
    let key = session.generate(CKM_AES_KEY_GEN, &aes(32).can([CKA_ENCRYPT, CKA_DECRYPT, CKA_EXTRACTABLE]))?;
    session.set(key, &Template::default().flag(CKA_EXTRACTABLE, false))?;
    session.destroy(key)?;
    Ok(true)
}
