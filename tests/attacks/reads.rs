// SPDX-License-Identifier: Apache-2.0
//! Asking for the value straight away.

use cryptoki_sys::*;

use super::session::{Session, Told};
use super::template::aes;

/// T14 (Tookan's a3).
pub(super) fn value_of_a_sensitive_key(session: &Session) -> Told<bool> {
    let target = session.target()?;
    let value = session.read(target, CKA_VALUE)?;
    session.proves(target, &value)
}

/// T15 (Tookan's a4).
pub(super) fn value_of_an_unextractable_key(session: &Session) -> Told<bool> {
    let target = session.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_ENCRYPT]).flag(CKA_SENSITIVE, false))?;
    let value = session.read(target, CKA_VALUE)?;
    session.proves(target, &value)
}
