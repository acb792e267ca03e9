// SPDX-License-Identifier: Apache-2.0
//! One value derived twice, with a role each: the key that unwraps can encrypt under its other handle.

use cryptoki_sys::*;

use super::life::{agreement, ec};
use super::session::{Handle, Mechanism, Session, Told, plain, with};
use super::template::{Template, aes, private, secret};
use super::{ZERO, offline};

const CHOSEN: [u8; 16] = [0x42; 16];

/// What two handles of one value do together: a key of the attacker's choice comes in as if it had been wrapped here, and
/// carries another one out.
fn forged(session: &Session, [unwraps, encrypts]: [Handle; 2]) -> Told<bool> {
    let target = session.target()?;
    let blob = offline::wrapped(&CHOSEN, |block| session.encrypt(plain(CKM_AES_ECB), encrypts, block))?;
    let known = session.unwrap(plain(CKM_AES_KEY_WRAP), unwraps, &blob, &secret(CKK_AES).can([CKA_WRAP]))?;
    let taken = session.wrap(plain(CKM_AES_KEY_WRAP), known, target)?;
    let value = offline::unwrapped(&taken, offline::decrypting(&CHOSEN))?;
    session.proves(target, &value)
}

fn twice(session: &Session, base: Handle, ways: [Mechanism<'_>; 2]) -> Told<bool> {
    let unwraps = session.derive(ways[0], base, &aes(16).can([CKA_UNWRAP]))?;
    let encrypts = session.derive(ways[1], base, &aes(16).can([CKA_ENCRYPT]))?;
    forged(session, [unwraps, encrypts])
}

/// T17b: by the same key agreement.
pub(super) fn by_the_same_agreement(session: &Session) -> Told<bool> {
    let side = || ec(session, &[], &private(CKK_EC).can([CKA_DERIVE]));
    let (ours, theirs) = (side()?, side()?);
    let (mut point, mut again) = (session.read(theirs.0, CKA_EC_POINT)?, Vec::new());
    again.extend(&point);
    let ways = [agreement(&mut point), agreement(&mut again)];
    twice(session, ours.1, [with(CKM_ECDH1_DERIVE, &ways[0]), with(CKM_ECDH1_DERIVE, &ways[1])])
}

/// T17c: the peer's point written in another way.
pub(super) fn by_the_same_point_in_other_bytes(session: &Session) -> Told<bool> {
    let side = || ec(session, &[], &private(CKK_EC).can([CKA_DERIVE]));
    let (ours, theirs) = (side()?, side()?);
    let mut point = session.read(theirs.0, CKA_EC_POINT)?;
    // Without the head of the OCTET STRING.
    let mut bare = point[2..].to_vec();
    let ways = [agreement(&mut point), agreement(&mut bare)];
    twice(session, ours.1, [with(CKM_ECDH1_DERIVE, &ways[0]), with(CKM_ECDH1_DERIVE, &ways[1])])
}

/// T17d: by encrypting the same block, and something behind it.
pub(super) fn by_the_same_block(session: &Session) -> Told<bool> {
    let base = session.generate(CKM_AES_KEY_GEN, &open(aes(16)))?;
    let (mut block, mut longer) = ([0x17; 16], [0x17; 32]);
    longer[16..].copy_from_slice(&ZERO);
    let data = |bytes: &mut [u8]| CK_KEY_DERIVATION_STRING_DATA {
        pData: bytes.as_mut_ptr(),
        ulLen: bytes.len() as CK_ULONG,
    };
    let ways = [data(&mut block), data(&mut longer)];
    let way = |parameter| with(CKM_AES_ECB_ENCRYPT_DATA, parameter);
    twice(session, base, [way(&ways[0]), way(&ways[1])])
}

/// T17e: by HKDF, with a salt that differs by a zero, which HMAC pads with, and a key handle that it does not look at.
pub(super) fn by_the_same_expansion(session: &Session) -> Told<bool> {
    let base = secret(CKK_GENERIC_SECRET).number(CKA_VALUE_LEN, 32).can([CKA_DERIVE]);
    let base = session.generate(CKM_GENERIC_SECRET_KEY_GEN, &base)?;
    let (mut info, mut salts) = (*b"session", [b"salt".to_vec(), b"salt\0".to_vec()]);
    let ways = [0, 1].map(|place| CK_HKDF_PARAMS {
        bExtract: CK_TRUE,
        bExpand: CK_TRUE,
        prfHashMechanism: CKM_SHA256,
        ulSaltType: CKF_HKDF_SALT_DATA,
        pSalt: salts[place].as_mut_ptr(),
        ulSaltLen: salts[place].len() as CK_ULONG,
        hSaltKey: if place == 0 { 0 } else { base },
        pInfo: info.as_mut_ptr(),
        ulInfoLen: info.len() as CK_ULONG,
    });
    twice(session, base, [with(CKM_HKDF_DERIVE, &ways[0]), with(CKM_HKDF_DERIVE, &ways[1])])
}

/// T17f: the same ciphertext is opened twice.
pub(super) fn by_the_same_ciphertext(session: &Session) -> Told<bool> {
    let (set, none) = (CKP_ML_KEM_768.to_ne_bytes(), Template::default());
    let public = none.bytes(CKA_PARAMETER_SET, &set).flag(CKA_TOKEN, false).can([CKA_ENCAPSULATE]);
    let private = Template::default().flag(CKA_TOKEN, false).can([CKA_DECAPSULATE, CKA_SENSITIVE]);
    let (public, private) = session.pair(CKM_ML_KEM_KEY_PAIR_GEN, &public, &private)?;
    let (unwraps, ciphertext) = session.encapsulate(plain(CKM_ML_KEM), public, &aes(32).can([CKA_UNWRAP]))?;
    let encrypts =
        session.decapsulate(plain(CKM_ML_KEM), private, &ciphertext, &aes(32).can([CKA_ENCRYPT]))?;
    forged(session, [unwraps, encrypts])
}

/// Of a base that its owner may read, so that deriving by encryption is no attack by itself.
fn open(template: Template) -> Template {
    template.can([CKA_DERIVE]).readable()
}
