// SPDX-License-Identifier: Apache-2.0
//! Tokens of real modules and of the stub vendor, each in a folder of its own and fresh for every run.

mod kryoptic;
mod nss;
mod softhsm;
mod stub;

pub use kryoptic::kryoptic;
pub use nss::{nss, trust};
pub use softhsm::softhsm;
pub use stub::{counts, stub};

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The user's PIN of every token that has one.
pub const PIN: &str = "user-1234";
/// The security officer's PIN.
pub const SO_PIN: &str = "so-123456";
/// The label of every token that takes one.
pub const LABEL: &str = "p11guard test";

/// A module with a token of its own.
pub struct Token {
    /// The module's library.
    pub module: PathBuf,
    /// What the module must find in the environment.
    pub environment: Vec<(String, OsString)>,
    /// `pReserved` for `C_Initialize`, where the module takes a text there.
    pub reserved: Option<String>,
    /// Where it keeps its files.
    pub folder: TempDir,
}

impl Token {
    fn new(module: impl Into<PathBuf>) -> Token {
        let folder = TempDir::new().expect("a temporary folder");
        Token { module: module.into(), environment: Vec::new(), reserved: None, folder }
    }

    fn with(mut self, name: &str, value: impl Into<OsString>) -> Token {
        self.environment.push((name.into(), value.into()));
        self
    }
}

/// The first of these files that exists; the test fails with the package's name where none does.
fn installed(package: &str, places: &[&str]) -> PathBuf {
    let found = places.iter().map(Path::new).find(|place| place.exists());
    found.unwrap_or_else(|| panic!("install the package {package}: none of {places:?} is there")).to_owned()
}

/// Copies the files of a prepared token, so that twins start alike, serial number included.
fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder for the copy");
    for entry in std::fs::read_dir(from).expect("the prepared token") {
        let entry = entry.expect("an entry of the prepared token");
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copied(&source, &target);
        } else {
            std::fs::copy(&source, &target).expect("a file of the prepared token");
        }
    }
}
