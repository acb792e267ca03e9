// SPDX-License-Identifier: Apache-2.0
//! The stub vendor, counting into a file of its own folder.

use std::path::PathBuf;

use super::Token;
use crate::artifacts;
use crate::counts::Counts;

/// The stub vendor, misbehaving in these ways (`tests/vendor/misbehaviour.rs` has the names).
pub fn stub(misbehaviour: &str) -> Token {
    let token = Token::new(artifacts::vendor());
    let file = file(&token);
    Counts::create(&file);
    token.with("VENDOR_COUNTS", file).with("VENDOR_MISBEHAVE", misbehaviour)
}

/// What the stub vendor has counted by now.
pub fn counts(token: &Token) -> Counts {
    Counts::read(&file(token))
}

/// A stub vendor whose library has no symbol `C_GetInterface`, as the modules of version 2 do.
pub fn without_interface() -> Token {
    let mut token = stub("");
    let mut library = std::fs::read(&token.module).expect("the stub vendor");
    let (name, other) = (b"\0C_GetInterface\0", b"\0X_GetInterface\0");
    let places: Vec<_> = library.windows(name.len()).enumerate().filter(|(_, window)| window == name).map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "the stub vendor names the symbol");
    for at in places {
        library[at..at + other.len()].copy_from_slice(other);
    }
    token.module = token.folder.path().join("libvendor2.so");
    std::fs::write(&token.module, library).expect("the changed stub vendor");
    token
}

fn file(token: &Token) -> PathBuf {
    token.folder.path().join("counts")
}
