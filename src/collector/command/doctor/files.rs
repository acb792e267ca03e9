// SPDX-License-Identifier: Apache-2.0
//! Whether a file may say what it says: the same demands that the library makes before it reads one.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use collector::render::Shown;

/// A path as it may stand on a terminal.
pub(super) fn shown(path: &Path) -> String {
    Shown(&path.to_string_lossy()).to_string()
}

/// Why the library would not read a file: it is not a file of root or of `owner` that nobody else can write.
pub(super) fn distrust(path: &Path, owner: u32) -> Option<(String, &'static str)> {
    let status = match fs::metadata(path) {
        Ok(status) => status,
        Err(error) => {
            return Some((format!("cannot be examined: {error}"), "create it, or correct the path"));
        }
    };
    let mode = status.permissions().mode() & 0o7777;
    if !status.is_file() {
        Some(("is not a regular file".into(), "name a file"))
    } else if status.uid() != 0 && status.uid() != owner {
        Some((format!("belongs to user {}", status.uid()), "let root own it (chown root)"))
    } else if mode & 0o022 != 0 {
        Some((
            format!("can be written by others than its owner (mode {mode:04o})"),
            "take the right from them (chmod go-w)",
        ))
    } else {
        None
    }
}

/// Whether only its owner and its group can read a file: applications of other users will not start.
pub(super) fn is_hidden_from_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|status| status.permissions().mode() & 0o004 == 0)
}
