// SPDX-License-Identifier: Apache-2.0
//! Ways around a ban on a mechanism: the banned hash computed outside, a mechanism inside another one's
//! parameter, saved operations, other entry points, and a mechanism that changes while it is judged.

use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering::Relaxed};
use std::time::Duration;

use cryptoki_sys::*;
use sha2::{Digest, Sha256};

use super::oaep;
use super::session::{Refused, Session, Told, call, filled, plain, with};
use super::template::{aes, private, public, rsa_public};
use super::weak::P256;

/// SHA-1 of "abc", from FIPS 180.
pub(super) const SHA1_OF_ABC: [u8; 20] = [
    0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81, 0x6a, 0xba, 0x3e, 0x25, 0x71, 0x78, 0x50, 0xc2, 0x6c, 0x9c,
    0xd0, 0xd8, 0x9d,
];

/// T29: a SHA-1 signature that no mechanism with SHA-1 in its name has made.
pub(super) fn banned_hash_in_a_digest_info(session: &Session) -> Told<bool> {
    let prefix = [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];
    let (public, private) = signing_pair(session)?;
    let digest_info = [&prefix[..], &SHA1_OF_ABC].concat();
    let signature = session.sign(plain(CKM_RSA_PKCS), private, &digest_info)?;
    session.verify(plain(CKM_SHA1_RSA_PKCS), public, b"abc", &signature)?;
    Ok(true)
}

/// T29f: the same once more, in the operation that a refusal left active.
pub(super) fn banned_hash_handed_in_again(session: &Session) -> Told<bool> {
    let prefix = [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];
    let (public, private) = signing_pair(session)?;
    let mut data = [&prefix[..], &SHA1_OF_ABC].concat();
    let mut mechanism = plain(CKM_RSA_PKCS);
    call!(session, C_SignInit(session.handle, &mut mechanism.raw, private))?;
    let mut sign = || {
        let (mut signature, mut length) = ([0; 256], 256);
        let bytes = data.len() as CK_ULONG;
        call!(
            session,
            C_Sign(session.handle, data.as_mut_ptr(), bytes, signature.as_mut_ptr(), &mut length)
        )?;
        Ok(signature)
    };
    let signature = sign().or_else(|_: Refused| sign())?;
    session.verify(plain(CKM_SHA1_RSA_PKCS), public, b"abc", &signature)?;
    Ok(true)
}

/// T29b.
pub(super) fn banned_hash_handed_in_raw(session: &Session) -> Told<bool> {
    let public = public(CKK_EC).bytes(CKA_EC_PARAMS, P256).can([CKA_VERIFY]);
    let (public, private) = session.pair(CKM_EC_KEY_PAIR_GEN, &public, &private(CKK_EC).can([CKA_SIGN]))?;
    let signature = session.sign(plain(CKM_ECDSA), private, &SHA1_OF_ABC)?;
    session.verify(plain(CKM_ECDSA), public, &SHA1_OF_ABC, &signature)?;
    Ok(true)
}

/// T29c.
pub(super) fn banned_hash_in_pss(session: &Session) -> Told<bool> {
    let parameter = CK_RSA_PKCS_PSS_PARAMS { hashAlg: CKM_SHA_1, mgf: CKG_MGF1_SHA1, sLen: 20 };
    let (public, private) = signing_pair(session)?;
    let signature = session.sign(with(CKM_RSA_PKCS_PSS, &parameter), private, &SHA1_OF_ABC)?;
    session.verify(with(CKM_SHA1_RSA_PKCS_PSS, &parameter), public, b"abc", &signature)?;
    Ok(true)
}

fn signing_pair(session: &Session) -> Told<(u64, u64)> {
    let public = rsa_public(2048).can([CKA_VERIFY]);
    session.pair(CKM_RSA_PKCS_KEY_PAIR_GEN, &public, &private(CKK_RSA).can([CKA_SIGN]))
}

/// T30: SHA-1, which a rule denies, as the hash of OAEP.
pub(super) fn banned_mechanism_in_a_parameter(session: &Session) -> Told<bool> {
    let public = rsa_public(2048).can([CKA_ENCRYPT]);
    let (public, private) =
        session.pair(CKM_RSA_PKCS_KEY_PAIR_GEN, &public, &private(CKK_RSA).can([CKA_DECRYPT]))?;
    let sealed = session.encrypt(oaep(), public, b"a message")?;
    Ok(session.decrypt(oaep(), private, &sealed)? == b"a message")
}

/// T31: an operation that was saved goes on in a session that never started it.
pub(super) fn resumed_operation(session: &Session) -> Told<bool> {
    let mut mechanism = plain(CKM_SHA256).raw();
    call!(session, C_DigestInit(session.handle, &mut mechanism))?;
    call!(session, C_DigestUpdate(session.handle, b"ab".as_ptr().cast_mut(), 2))?;
    let mut state = filled(|out, length| call!(session, C_GetOperationState(session.handle, out, length)))?;
    let other = session.another()?;
    let size = state.len() as CK_ULONG;
    call!(session, C_SetOperationState(other, state.as_mut_ptr(), size, 0, 0))?;
    call!(session, C_DigestUpdate(other, b"c".as_ptr().cast_mut(), 1))?;
    let digest = filled(|out, length| call!(session, C_DigestFinal(other, out, length)))?;
    Ok(digest == Sha256::digest(b"abc").as_slice())
}

/// T31b: a mechanism that a rule denies, by an entry point of 3.0.
pub(super) fn message_by_a_banned_mechanism(session: &Session) -> Told<bool> {
    let key = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_ENCRYPT]))?;
    let mut mechanism = plain(CKM_AES_GCM).raw();
    call!(session, C_MessageEncryptInit(session.handle, &mut mechanism, key))?;
    let (sealed, tag) = session.message([0x31; 12], b"a message")?;
    Ok(sealed.len() == 9 && tag != [0; 16])
}

/// T31c: functions of the vendor's own, which no table of PKCS#11 has.
pub(super) fn vendors_interface(session: &Session) -> Told<bool> {
    let name = c"Vendor NSS Module Interface".as_ptr().cast_mut().cast();
    let mut found: *mut CK_INTERFACE = ptr::null_mut();
    call!(session, C_GetInterface(name, ptr::null_mut(), &mut found, 0))?;
    // SAFETY: CKR_OK promises a valid interface.
    Ok(unsafe { found.as_ref() }.is_some_and(|interface| !interface.pFunctionList.is_null()))
}

/// T36: another thread makes MD5, which a rule denies, of the mechanism that was judged. Goes on until both
/// were seen where both can be: 16 bytes are an MD5.
pub(super) fn changed_under_the_call(session: &Session) -> Told<bool> {
    const ROUNDS: u32 = 2_000;
    let mut mechanism = plain(CKM_SHA256).raw();
    let shared = AtomicPtr::new(&raw mut mechanism);
    let stop = AtomicBool::new(false);
    let mut refusal = Ok(());
    let mut digests = [0u32; 2];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Relaxed) {
                for number in [CKM_MD5, CKM_SHA256] {
                    // SAFETY: an aligned word that outlives the thread; the race is the subject.
                    unsafe { (&raw mut (*shared.load(Relaxed)).mechanism).write_volatile(number) };
                }
            }
        });
        let mut round = 0;
        while round < ROUNDS || digests[0] == 0 || (digests[1] == 0 && refusal.is_ok()) {
            round += 1;
            if round > ROUNDS {
                // The other thread waits for a processor; a million calls meanwhile would only fill the ring.
                std::thread::sleep(Duration::from_millis(1));
            }
            match digest(session, shared.load(Relaxed)) {
                Ok(bytes) => digests[usize::from(bytes.len() == 16)] += 1,
                Err(refused) => refusal = Err(refused),
            }
        }
        stop.store(true, Relaxed);
    });
    // A digest of the banned hash outweighs any number of refusals.
    if digests[1] > 0 { Ok(true) } else { refusal.map(|()| false) }
}

fn digest(session: &Session, mechanism: *mut CK_MECHANISM) -> Result<Vec<u8>, Refused> {
    call!(session, C_DigestInit(session.handle, mechanism))?;
    let message = b"abc".as_ptr().cast_mut();
    filled(|out, length| call!(session, C_Digest(session.handle, message, 3, out, length)))
}
