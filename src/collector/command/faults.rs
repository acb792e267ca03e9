// SPDX-License-Identifier: Apache-2.0
//! Why libraries did not start: the texts that they left in the spool folder, where anybody may write anything.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use collector::render::{Shown, Utc};
use rustix::fs::OFlags;

/// No reason is longer, bytes.
const LONGEST: u64 = 64 << 10;

/// A start that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// When, nanoseconds since 1970.
    pub(super) time: u64,
    /// The user, who is also the owner of the file.
    pub(super) uid: u32,
    /// The process.
    pub(super) pid: u32,
    /// Why, in lines that are fit for a terminal.
    pub(super) text: String,
}

/// The newest faults in a folder, at most `most`, the newest first; and how many there are that we may not read.
pub(super) fn newest(folder: &Path, most: usize) -> (Vec<Fault>, usize) {
    let mut faults = Vec::new();
    let mut unreadable = 0;
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Some((uid, pid)) = entry.file_name().to_str().and_then(owner) else { continue };
        match read(&entry.path(), uid) {
            Some((time, text)) => faults.push(Fault { time, uid, pid, text }),
            None => unreadable += 1,
        }
    }
    faults.sort_by_key(|fault| std::cmp::Reverse(fault.time));
    faults.truncate(most);
    (faults, unreadable)
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} process {} of user {}:", Utc(self.time), self.pid, self.uid)?;
        self.text.lines().try_for_each(|line| write!(f, "\n    {line}"))
    }
}

/// User and process in the name `fault-UID-PID.txt`.
fn owner(name: &str) -> Option<(u32, u32)> {
    let (uid, pid) = name.strip_prefix("fault-")?.strip_suffix(".txt")?.split_once('-')?;
    Some((uid.parse().ok()?, pid.parse().ok()?))
}

fn read(path: &Path, uid: u32) -> Option<(u64, String)> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file: File =
        OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path).ok()?;
    let status = file.metadata().ok()?;
    if !status.is_file() || status.uid() != uid {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let (seconds, text) = text.split_once('\n')?;
    let time = seconds.parse::<u64>().ok()?.checked_mul(1_000_000_000)?;
    Some((time, text.lines().map(|line| format!("{}\n", Shown(line))).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_come_first_and_forged_lines_and_names_are_harmless() {
        let folder = tempfile::tempdir().unwrap();
        let uid = rustix::process::geteuid().as_raw();
        let write = |name: String, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write(format!("fault-{uid}-7.txt"), "1795237200\n/etc/x.toml:1:1: error: odd\n\u{1b}[31mhelp");
        write(format!("fault-{uid}-8.txt"), "1795237201\nlater\n");
        write(format!("fault-{uid}-9.txt"), "no time");
        write(format!("fault-{}-9.txt", uid.wrapping_add(1)), "1795237203\nof somebody else\n");
        write("other.txt".into(), "1\nx");
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join(format!("fault-{uid}-10.txt"))).unwrap();
        let (faults, unreadable) = newest(folder.path(), 5);
        assert_eq!(faults.iter().map(|fault| fault.pid).collect::<Vec<_>>(), [8, 7]);
        assert_eq!(unreadable, 3);
        assert_eq!(
            faults[1].to_string(),
            format!(
                "2026-11-21T05:00:00.000000000Z process 7 of user {uid}:\n    /etc/x.toml:1:1: error: odd\n    \\u{{1b}}[31mhelp"
            )
        );
        assert_eq!(newest(folder.path(), 1).0.len(), 1);
        assert_eq!(newest(Path::new("/nonexistent"), 1), (Vec::new(), 0));
    }
}
