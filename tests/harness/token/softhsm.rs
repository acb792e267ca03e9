// SPDX-License-Identifier: Apache-2.0
//! SoftHSM 2 with one initialized token. Copies have the same serial number, and with it the same slot id.

use std::path::Path;
use std::process::Command;

use super::{LABEL, PIN, SO_PIN, Token, copied, installed, prepared};
use crate::run::run;

/// A SoftHSM token.
pub fn softhsm() -> Token {
    let made = prepared("softhsm", |folder| {
        configure(folder);
        let mut init = Command::new("softhsm2-util");
        init.args(["--init-token", "--free", "--label", LABEL, "--pin", PIN, "--so-pin", SO_PIN]);
        run(init.env("SOFTHSM2_CONF", folder.join("softhsm2.conf"))).success();
    });
    let token = Token::new(installed(
        "softhsm2",
        &[
            "/usr/lib/softhsm/libsofthsm2.so",
            "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
            "/usr/lib64/softhsm/libsofthsm2.so",
        ],
    ));
    copied(&made, token.folder.path());
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
