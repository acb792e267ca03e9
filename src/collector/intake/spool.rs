// SPDX-License-Identifier: Apache-2.0
//! The spool: files that shims made because they found no collector. Anybody may put anything there, so nothing is
//! followed, nothing but a plain file with one name is opened, and nobody fills more than his own share.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ring::{Backing, Consumer};
use rustix::fs::{OFlags, fstat};

use super::arrival::{Arrival, Message, Origin, Post, Refusal, Taken, TakenFiles, ring_id};
use super::identity::of_spooled;
use super::quota::Quota;
use crate::stream::Process;

/// How often the folder is looked through.
const EVERY: Duration = Duration::from_secs(1);
/// A file without a ring in it may be one that is being made, for so long.
const MAKING: Duration = Duration::from_secs(10);
/// Entries looked at in one scan.
const MOST_ENTRIES: usize = 65_536;

/// The folder, looked through by one thread.
pub(crate) struct Spool {
    folder: PathBuf,
    bytes: Quota,
    taken: TakenFiles,
    /// Files that are no rings, told once: device, inode, time of last change.
    refused: HashSet<(u64, u64, i64)>,
    untrusted: bool,
}

/// What a scan found.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) messages: Vec<Message>,
    /// Some files were left for later.
    pub(crate) more: bool,
}

impl Spool {
    pub(crate) fn new(folder: PathBuf, bytes: Quota) -> Spool {
        Spool { folder, bytes, taken: Arc::default(), refused: HashSet::new(), untrusted: false }
    }

    /// Looks through the folder each second until the collector stops.
    pub(crate) fn watch(mut self, post: &Post) {
        while !post.stop.wait(EVERY) {
            self.scan().messages.into_iter().for_each(|message| post.send(message));
        }
    }

    /// Opens every ring that has come since the last scan.
    pub(crate) fn scan(&mut self) -> Found {
        let mut found = Found::default();
        if !self.is_trusted() {
            return found;
        }
        let Ok(entries) = fs::read_dir(&self.folder) else { return found };
        for (count, entry) in entries.flatten().enumerate() {
            found.more |= count >= MOST_ENTRIES;
            if count < MOST_ENTRIES && entry.path().extension().is_some_and(|kind| kind == "ring") {
                self.look(&entry.path(), &mut found);
            }
        }
        found
    }

    /// A folder in which others could replace files, or remove ours, is not read.
    fn is_trusted(&mut self) -> bool {
        let Ok(status) = fs::symlink_metadata(&self.folder) else { return false };
        let owned = [0, rustix::process::geteuid().as_raw()].contains(&status.uid());
        let trusted = status.is_dir() && owned && (status.mode() & 0o022 == 0 || status.mode() & 0o1000 != 0);
        if !trusted && !self.untrusted {
            tracing::error!(
                folder = ?self.folder,
                "the spool is not read: it must be a folder of root or the collector's user, sticky where others \
                 may write (install -d -m 1733)"
            );
        }
        self.untrusted = !trusted;
        trusted
    }

    fn look(&mut self, path: &Path, found: &mut Found) {
        let Ok(file) = open(path) else { return };
        let Ok(status) = fstat(&file) else { return };
        let inode = ring_id(&status);
        let version = (inode.0, inode.1, status.st_mtime);
        if self.refused.contains(&version) || self.taken.lock().contains(&inode) {
            return;
        }
        let size = u64::try_from(status.st_size).unwrap_or(0);
        let Some(ticket) = self.bytes.take(status.st_uid, size) else {
            found.more = true;
            return;
        };
        let written = u64::try_from(status.st_mtime).unwrap_or(0).saturating_mul(1_000_000_000);
        let opened = file.try_clone().map_err(|error| error.to_string());
        let opened =
            opened.and_then(|clone| Consumer::open(clone, Backing::File(path)).map_err(|e| e.to_string()));
        match opened {
            Ok(ring) => {
                self.taken.lock().insert(inode);
                let taken = Taken { inode, files: Arc::clone(&self.taken), _ticket: ticket };
                let claimed = u32::try_from(ring.header().pid).unwrap_or(0);
                // The second in which the file was written has begun only.
                let who = of_spooled(claimed, &status, written.saturating_add(999_999_999));
                let origin = Origin::Spooled { path: path.into(), _taken: taken };
                let arrival = Arrival { ring, inode, who, origin, connection: None };
                found.messages.push(Message::Arrived(Box::new(arrival)));
            }
            Err(_) if is_young(&file) => found.more = true,
            Err(reason) => {
                if self.refused.len() >= MOST_ENTRIES {
                    self.refused.clear();
                }
                self.refused.insert(version);
                let process =
                    Process { uid: status.st_uid, gid: status.st_gid, claimed: true, ..Process::default() };
                let reason = format!("{}: {reason}", path.display());
                found.messages.push(Message::Refused(Box::new(Refusal { process, stream: None, reason })));
            }
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    // Not to hang on a FIFO, not to follow, not to be told of by anybody's terminal.
    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let options =
        OpenOptions::new().read(true).write(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    let status = options.metadata()?;
    (status.is_file() && status.nlink() == 1)
        .then_some(options)
        .ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

fn is_young(file: &File) -> bool {
    let written = file.metadata().and_then(|status| status.modified());
    written.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age < MAKING))
}

/// Removes a spool file, if the name still is the file's.
pub(crate) fn remove(path: &Path, inode: (u64, u64)) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(status) if (status.dev(), status.ino()) == inode => fs::remove_file(path),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}
