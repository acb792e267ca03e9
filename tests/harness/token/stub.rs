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

fn file(token: &Token) -> PathBuf {
    token.folder.path().join("counts")
}
