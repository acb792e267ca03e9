// SPDX-License-Identifier: Apache-2.0
//! Tells applications that there may be a new policy: each looks for itself, and decides whether to take it. Whether
//! something in the folder of the policies was replaced is seen from the folder; nothing in it is read.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// The folder that is watched.
#[derive(Debug)]
pub(super) struct Announcer {
    folder: PathBuf,
    /// What is announced.
    pub(super) word: u64,
}

impl Announcer {
    /// One for `folder`, which need not exist.
    pub(super) fn new(folder: PathBuf) -> Announcer {
        let mut announcer = Announcer { folder, word: 0 };
        announcer.looks_new();
        announcer
    }

    /// Whether there is something new to announce.
    pub(super) fn looks_new(&mut self) -> bool {
        // The same before and after a restart, so that what changed while no collector ran is told as well.
        let word = self.folder.metadata().map_or(0, |folder| {
            let moment = folder.mtime().wrapping_mul(1_000_000_000).wrapping_add(folder.mtime_nsec());
            moment.cast_unsigned() ^ folder.ino().rotate_left(32)
        });
        std::mem::replace(&mut self.word, word) != word
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_that_is_moved_in_is_announced_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut announcer = Announcer::new(folder.path().into());
        assert!(!announcer.looks_new());
        fs::write(folder.path().join("new"), "version = 1").unwrap();
        assert!(announcer.looks_new() && !announcer.looks_new());
        fs::rename(folder.path().join("new"), folder.path().join("policy.toml")).unwrap();
        assert!(announcer.looks_new() && !announcer.looks_new());
        assert_eq!(
            announcer.word,
            Announcer::new(folder.path().into()).word,
            "a restart announces nothing new"
        );
        assert_eq!(Announcer::new("/nonexistent".into()).word, 0);
    }
}
