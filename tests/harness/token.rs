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

use crate::artifacts;

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

/// The files of a token that `make` has made once in an empty folder, kept among cargo's own files. Tokens are copies of
/// them, so that twins start alike, serial number included.
fn prepared(name: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let kept = artifacts::target().join("tokens");
    let folder = kept.join(format!("{name} {LABEL} {PIN} {SO_PIN}"));
    if !folder.exists() {
        std::fs::create_dir_all(&kept).expect("a folder for tokens");
        let fresh = TempDir::new_in(&kept).expect("a temporary folder");
        make(fresh.path());
        // Several tests may do this at once: the first one's stays, and the others' goes with its folder.
        if std::fs::rename(fresh.path(), &folder).is_ok() {
            let _moved = fresh.keep();
        }
    }
    folder
}

/// Copies the files of a prepared token.
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
