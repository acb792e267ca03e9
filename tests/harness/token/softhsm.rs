// SPDX-License-Identifier: Apache-2.0
//! SoftHSM 2 with one initialized token. The token is made once and copied, so that every copy has the same serial
//! number, and with it the same slot id.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use super::{LABEL, PIN, SO_PIN, Token, copied, installed};
use crate::run::run;

/// A SoftHSM token.
pub fn softhsm() -> Token {
    static PREPARED: OnceLock<TempDir> = OnceLock::new();
    let prepared = PREPARED.get_or_init(|| {
        let folder = TempDir::new().expect("a temporary folder");
        configure(folder.path());
        let mut init = Command::new("softhsm2-util");
        init.args(["--init-token", "--free", "--label", LABEL, "--pin", PIN, "--so-pin", SO_PIN]);
        run(init.env("SOFTHSM2_CONF", folder.path().join("softhsm2.conf"))).success();
        folder
    });
    let token = Token::new(installed(
        "softhsm2",
        &[
            "/usr/lib/softhsm/libsofthsm2.so",
            "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
            "/usr/lib64/softhsm/libsofthsm2.so",
        ],
    ));
    copied(prepared.path(), token.folder.path());
    configure(token.folder.path());
    let config = token.folder.path().join("softhsm2.conf");
    token.with("SOFTHSM2_CONF", config)
}

fn configure(folder: &Path) {
    std::fs::create_dir_all(folder.join("tokens")).expect("a folder for tokens");
    let text = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
        folder.join("tokens").display()
    );
    std::fs::write(folder.join("softhsm2.conf"), text).expect("SoftHSM's configuration");
}
