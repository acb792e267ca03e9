// SPDX-License-Identifier: Apache-2.0
//! Two modules of the distribution: NSS softokn with a database of its own, and p11-kit's trust module.

use std::process::Command;

use super::{PIN, Token, copied, installed, prepared};
use crate::run::run;

/// NSS softokn over a fresh database whose password is the PIN; it takes its configuration in `pReserved`.
pub fn nss() -> Token {
    let made = prepared("nss", |folder| {
        let password = folder.join("password");
        std::fs::write(&password, PIN).expect("the password file");
        let mut certutil = Command::new("certutil");
        certutil.arg("-N").arg("-d").arg(format!("sql:{}", folder.display()));
        run(certutil.arg("-f").arg(password)).success();
    });
    let mut token = Token::new(installed(
        "libnss3",
        &["/usr/lib/x86_64-linux-gnu/libsoftokn3.so", "/usr/lib64/libsoftokn3.so"],
    ));
    copied(&made, token.folder.path());
    let folder = token.folder.path().display();
    token.reserved =
        Some(format!("configdir='sql:{folder}' certPrefix='' keyPrefix='' secmod='secmod.db' flags="));
    token
}

/// p11-kit's trust module over one certificate authority of its own, read-only.
pub fn trust() -> Token {
    let mut token = Token::new(installed(
        "p11-kit-modules",
        &["/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-trust.so", "/usr/lib64/pkcs11/p11-kit-trust.so"],
    ));
    // The module makes the token's label of the folder's name.
    let anchors = token.folder.path().join("anchors");
    std::fs::create_dir(&anchors).expect("a folder for the trust anchor");
    std::fs::write(anchors.join("anchor.pem"), include_str!("../../hosts/anchor.pem"))
        .expect("the trust anchor");
    token.reserved = Some(format!("paths='{}'", anchors.display()));
    token
}
