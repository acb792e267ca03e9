// SPDX-License-Identifier: Apache-2.0
//! Keys that take the name or the trust of others, and tokens taken from their owner.

use cryptoki_sys::*;
use harness::token::{LABEL, PIN, SO_PIN};

use super::offline;
use super::session::{Refused, Session, Told, call, plain};
use super::template::{Template, aes, only, private, public, secret};
use super::weak::P256;

const KNOWN: [u8; 16] = [0x27; 16];

/// T27: the security officer's word makes a known key good enough for keys that leave by trusted keys alone.
pub(super) fn trusted_by_the_security_officer(session: &Session) -> Told<bool> {
    session.logout()?;
    session.login(CKU_SO, SO_PIN)?;
    let known = secret(CKK_AES).bytes(CKA_VALUE, &KNOWN).flag(CKA_PRIVATE, false);
    let known = session.create(&known.can([CKA_WRAP, CKA_TRUSTED]))?;
    session.logout()?;
    session.login(CKU_USER, PIN)?;
    let careful = aes(16).can([CKA_ENCRYPT, CKA_EXTRACTABLE, CKA_WRAP_WITH_TRUSTED]);
    let target = session.generate(CKM_AES_KEY_GEN, &careful)?;
    let blob = session.wrap(plain(CKM_AES_KEY_WRAP), known, target)?;
    let value = offline::unwrapped(&blob, offline::decrypting(&KNOWN))?;
    session.proves(target, &value)
}

/// T28: the application looks for its key by its label and finds another.
pub(super) fn key_put_in_anothers_place(session: &Session) -> Told<bool> {
    let pair = || {
        let public = public(CKK_EC).bytes(CKA_EC_PARAMS, P256).can([CKA_VERIFY]);
        let private = private(CKK_EC).can([CKA_SIGN, CKA_TOKEN]).label("release");
        session.pair(CKM_EC_KEY_PAIR_GEN, &public, &private)
    };
    let (_, victim) = pair()?;
    session.set(victim, &Template::default().label("once"))?;
    let (_, own) = pair()?;
    Ok(session.find(&Template::default().label("release"))? == [own])
}

/// T28b: a wrapping key is destroyed, and one that the attacker knows takes its label.
pub(super) fn wrapping_key_made_again(session: &Session) -> Told<bool> {
    let target = session.target()?;
    let victim = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_WRAP, CKA_TOKEN]).label("backup"))?;
    session.destroy(victim)?;
    let known = secret(CKK_AES).bytes(CKA_VALUE, &KNOWN).can([CKA_WRAP, CKA_TOKEN]).label("backup");
    session.create(&known)?;
    let found = session.find(&Template::default().label("backup"))?;
    let blob = session.wrap(plain(CKM_AES_KEY_WRAP), found[0], target)?;
    let value = offline::unwrapped(&blob, offline::decrypting(&KNOWN))?;
    session.proves(target, &value)
}

/// T35: whoever knows the security officer's PIN takes every key away.
pub(super) fn token_wiped(session: &Session) -> Told<bool> {
    session.generate(CKM_AES_KEY_GEN, &aes(16).flag(CKA_TOKEN, true).flag(CKA_PRIVATE, false))?;
    call!(session, C_CloseAllSessions(session.slot))?;
    let mut label = [b' '; 32];
    label[..LABEL.len()].copy_from_slice(LABEL.as_bytes());
    let (pin, length) = (SO_PIN.as_ptr().cast_mut(), SO_PIN.len() as CK_ULONG);
    call!(session, C_InitToken(session.slot, pin, length, label.as_mut_ptr()))?;
    let empty = Session { handle: session.another()?, ..*session };
    Ok(empty.find(&only(CKA_TOKEN, true))?.is_empty())
}

/// T35b: and whoever knows the user's PIN locks the user out.
pub(super) fn pin_changed(session: &Session) -> Told<bool> {
    const OWN: &str = "mine-9876";
    let [old, new] = [PIN, OWN].map(|pin| (pin.as_ptr().cast_mut(), pin.len() as CK_ULONG));
    call!(session, C_SetPIN(session.handle, old.0, old.1, new.0, new.1))?;
    session.logout()?;
    let locked_out = session.login(CKU_USER, PIN).is_err();
    session.login(CKU_USER, OWN)?;
    Ok(locked_out)
}

/// T35c: whoever can call locks the user out, or finds the PIN: one wrong PIN after the other reaches the token.
pub(super) fn pins_tried(session: &Session) -> Told<bool> {
    session.logout()?;
    for pin in 0..6 {
        match session.login(CKU_USER, &format!("wrong-{pin}")) {
            Err(Refused { rv: CKR_PIN_INCORRECT, .. }) => {}
            other => return other.map(|()| false),
        }
    }
    Ok(true)
}
