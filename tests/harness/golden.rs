// SPDX-License-Identifier: Apache-2.0
//! Texts that must stay as they are, in `tests/golden/`. `GOLDEN=write cargo test` writes them anew, for a look at the
//! difference before it is committed.

use crate::artifacts;

/// Holds `seen` against `tests/golden/<name>`.
#[track_caller]
pub fn golden(name: &str, seen: &str) {
    let path = artifacts::root().join("tests/golden").join(name);
    if std::env::var_os("GOLDEN").is_some_and(|what| what == "write") {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder of golden texts");
        std::fs::write(&path, seen).expect("a golden text");
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(seen, known, "{} differs", path.display());
}
