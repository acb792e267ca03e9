// SPDX-License-Identifier: Apache-2.0
//! Kryoptic, a token of PKCS#11 3.2, over a database of its own. `scripts/kryoptic` builds it once and prints its path.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::{LABEL, PIN, SO_PIN, Token, copied, prepared};
use crate::artifacts;
use crate::run::run;

/// A kryoptic token.
pub fn kryoptic() -> Token {
    static MODULE: OnceLock<PathBuf> = OnceLock::new();
    let module = MODULE.get_or_init(|| {
        let built = run(&mut Command::new(artifacts::root().join("scripts/kryoptic"))).success();
        PathBuf::from(built.stdout.trim())
    });
    let made = prepared("kryoptic", |folder| {
        let config = configure(folder);
        let tool = |arguments: &[&str]| {
            let mut tool = Command::new("pkcs11-tool");
            tool.env("KRYOPTIC_CONF", &config).arg("--module").arg(module).args(arguments);
            run(&mut tool).success();
        };
        tool(&["--slot", "0", "--init-token", "--label", LABEL, "--so-pin", SO_PIN]);
        tool(&[
            "--slot",
            "0",
            "--login",
            "--login-type",
            "so",
            "--so-pin",
            SO_PIN,
            "--init-pin",
            "--pin",
            PIN,
        ]);
    });
    let token = Token::new(module);
    copied(&made, token.folder.path());
    let config = configure(token.folder.path());
    token.with("KRYOPTIC_CONF", config)
}

fn configure(folder: &Path) -> PathBuf {
    let config = folder.join("token.conf");
    let text = format!("[[slots]]\nslot = 0\ndbtype = \"sqlite\"\ndbargs = {:?}\n", folder.join("token.sql"));
    std::fs::write(&config, text).expect("kryoptic's configuration");
    config
}
