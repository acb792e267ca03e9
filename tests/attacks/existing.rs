// SPDX-License-Identifier: Apache-2.0
//! Signatures with keys that are there already: of what a rule may ask, only the token can tell.

use cryptoki_sys::*;

use super::session::{Session, Told, plain};
use super::template::{Template, private, public, rsa_public};

fn sign_with_ml_dsa(session: &Session, set: CK_ULONG) -> Told<bool> {
    let public = public(CKK_ML_DSA).number(CKA_PARAMETER_SET, set).can([CKA_VERIFY]);
    let none = Template::default().flag(CKA_TOKEN, false);
    let (public, private) = session.pair(CKM_ML_DSA_KEY_PAIR_GEN, &public, &none.can([CKA_SIGN]))?;
    let signature = session.sign(plain(CKM_ML_DSA), private, b"a release")?;
    session.verify(plain(CKM_ML_DSA), public, b"a release", &signature)?;
    Ok(true)
}

pub(super) fn sign_with_ml_dsa_44(session: &Session) -> Told<bool> {
    sign_with_ml_dsa(session, CKP_ML_DSA_44)
}

pub(super) fn sign_with_ml_dsa_87(session: &Session) -> Told<bool> {
    sign_with_ml_dsa(session, CKP_ML_DSA_87)
}

/// With a public exponent that FIPS 186-5 does not allow any more.
pub(super) fn sign_with_a_small_exponent(session: &Session) -> Told<bool> {
    let public = rsa_public(2048).bytes(CKA_PUBLIC_EXPONENT, &[3]).can([CKA_VERIFY]);
    let private = private(CKK_RSA).can([CKA_SIGN]);
    let (public, private) = session.pair(CKM_RSA_PKCS_KEY_PAIR_GEN, &public, &private)?;
    let signature = session.sign(plain(CKM_SHA256_RSA_PKCS), private, b"a release")?;
    session.verify(plain(CKM_SHA256_RSA_PKCS), public, b"a release", &signature)?;
    Ok(true)
}
