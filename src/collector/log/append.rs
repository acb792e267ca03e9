// SPDX-License-Identifier: Apache-2.0
//! Writing the evidence file: events are rendered into a batch, a batch becomes durable as a whole.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use rustix::fs::{FlockOperation, OFlags, fdatasync, flock, fsync};
use serde_json::{Map, Value};

use super::recover::{Head, Scan, scan};
use crate::clock::utc_now;
use crate::error::Error;
use crate::render::{self, Folded, Form, Moment};
use crate::stream::Stream;

const NAME: &str = "events.jsonl";
/// Memory that a batch keeps for the next one, bytes.
const KEPT: usize = 16 << 20;
const REMEDY: &str = "the log's folder must belong to the collector's user and have free space";

/// How much of the file is durable; followers wait here for more.
#[derive(Debug, Default)]
pub(crate) struct Durable {
    end: Mutex<End>,
    changed: Condvar,
}

/// An end of the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct End {
    /// Bytes before it.
    pub(crate) offset: u64,
    /// Events before it: the index of the next one.
    pub(crate) index: u64,
    /// Nothing more will come.
    pub(crate) closed: bool,
}

impl Durable {
    /// The durable end now.
    pub(crate) fn end(&self) -> End {
        *self.end.lock()
    }

    /// Waits until there is more than `offset` bytes, or the log is closed, or `patience` is over.
    pub(crate) fn wait(&self, offset: u64, patience: Duration) -> End {
        let mut end = self.end.lock();
        if end.offset <= offset && !end.closed {
            self.changed.wait_for(&mut end, patience);
        }
        *end
    }

    fn publish(&self, offset: u64, index: u64) {
        let mut end = self.end.lock();
        (end.offset, end.index) = (offset, index);
        self.changed.notify_all();
    }

    /// Says that nothing more will come.
    pub(crate) fn close(&self) {
        self.end.lock().closed = true;
        self.changed.notify_all();
    }
}

/// The evidence file and the batch that is to be appended next.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    /// Held for its lock: two collectors writing one log would both number their events.
    _folder: File,
    file: File,
    /// Bytes that are durable.
    offset: u64,
    /// Index of the next event.
    index: u64,
    batch: Vec<u8>,
    durable: Arc<Durable>,
}

impl Log {
    /// Opens the log in `folder`, made if need be. Nothing of it is read yet: [`recover`](Log::recover) comes next.
    ///
    /// # Errors
    /// [`Error::Running`] if another process has it; [`Error::NotOurs`] if the file is not a plain file of ours.
    pub(crate) fn open(folder: &Path) -> Result<Log, Error> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o750).create(folder).map_err(Error::path("make", folder, REMEDY))?;
        let held = File::open(folder).map_err(Error::path("open", folder, REMEDY))?;
        match flock(&held, FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(Error::Running(folder.into())),
            locked => locked.map_err(io::Error::from).map_err(Error::path("lock", folder, REMEDY))?,
        }
        let path = folder.join(NAME);
        let file = open(&path)?;
        fsync(&held).map_err(io::Error::from).map_err(Error::path("sync", folder, REMEDY))?;
        Ok(Log { path, _folder: held, file, offset: 0, index: 0, batch: Vec::new(), durable: Arc::default() })
    }

    /// The file's path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether an event ends at `offset` after which `index` is next.
    pub(crate) fn is_end(&self, offset: u64, index: u64) -> bool {
        super::seek::is_end(&self.file, offset, index).unwrap_or(false)
    }

    /// Reads every event from `offset` on, whose index should be `index`, and cuts off a torn end.
    ///
    /// # Errors
    /// [`Error::Path`] if the file cannot be read or cut.
    pub(crate) fn recover(
        &mut self,
        offset: u64,
        index: u64,
        each: &mut dyn FnMut(&Head<'_>, &[u8]),
    ) -> Result<Scan, Error> {
        let failed = || Error::path("recover", &self.path, REMEDY);
        let found = scan(&self.file, offset, index, each).map_err(failed())?;
        if found.torn > 0 {
            self.file.set_len(found.offset).map_err(failed())?;
            tracing::warn!(bytes = found.torn, "cut a torn end off the log");
        }
        // What the last collector wrote and did not sync was just read, and is built upon from here.
        self.file.sync_all().map_err(failed())?;
        (self.offset, self.index) = (found.offset, found.index);
        self.durable.publish(self.offset, self.index);
        Ok(found)
    }

    /// How much is durable, for those who follow.
    pub(crate) fn durable(&self) -> Arc<Durable> {
        Arc::clone(&self.durable)
    }

    /// Bytes waiting to be committed.
    pub(crate) fn pending(&self) -> usize {
        self.batch.len()
    }

    /// Appends a call to the batch; its index is given here.
    pub(crate) fn call(&mut self, form: &Form, moment: Moment) {
        form.fill(&mut self.batch, &Moment { index: self.index, ..moment });
        self.index += 1;
    }

    /// Appends an operation to the batch.
    pub(crate) fn operation(&mut self, form: &Form, moment: Moment, folded: &Folded<'_>) {
        form.fill_whole(&mut self.batch, &Moment { index: self.index, ..moment }, folded);
        self.index += 1;
    }

    /// Appends an event of our own to the batch.
    pub(crate) fn control(&mut self, name: &str, fields: &Map<String, Value>, stream: Option<&Stream>) {
        render::control(&mut self.batch, self.index, utc_now(), name, fields, stream);
        self.index += 1;
    }

    /// Makes the batch durable and tells the followers. After a failure the file is opened anew and everything not
    /// durable is written again, for as long as `go_on` says so; it decides how long to wait. `false`: given up, and
    /// the batch is still pending.
    pub(crate) fn commit(&mut self, go_on: &mut dyn FnMut() -> bool) -> bool {
        let mut failed = false;
        loop {
            let written = if failed { self.reopen().and_then(|()| self.write()) } else { self.write() };
            match written {
                Ok(()) => break,
                Err(error) => {
                    if !std::mem::replace(&mut failed, true) {
                        let bytes = self.batch.len();
                        tracing::error!(path = ?self.path, %error, bytes, "the log cannot be written; trying again");
                    }
                    if !go_on() {
                        return false;
                    }
                }
            }
        }
        if failed {
            tracing::info!(path = ?self.path, "the log can be written again");
        }
        self.offset += self.batch.len() as u64;
        self.batch.clear();
        self.batch.shrink_to(KEPT);
        self.durable.publish(self.offset, self.index);
        true
    }

    /// The durable end: offset and next index.
    pub(crate) fn end(&self) -> (u64, u64) {
        (self.offset, self.index)
    }

    fn write(&mut self) -> io::Result<()> {
        self.file.write_all(&self.batch)?;
        Ok(fdatasync(&self.file)?)
    }

    fn reopen(&mut self) -> io::Result<()> {
        self.file = open(&self.path).map_err(io::Error::other)?;
        self.file.set_len(self.offset)
    }
}

/// Opens or makes the file, and makes sure that it is nobody else's.
fn open(path: &Path) -> Result<File, Error> {
    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o640).custom_flags(flags.bits().cast_signed());
    let file = options.open(path).map_err(Error::path("open", path, REMEDY))?;
    let status = file.metadata().map_err(Error::path("examine", path, REMEDY))?;
    let what = if !status.is_file() {
        "is not a regular file"
    } else if status.uid() != rustix::process::geteuid().as_raw() {
        "belongs to another user"
    } else if status.nlink() != 1 {
        "has other names as well"
    } else if status.mode() & 0o022 != 0 {
        "can be written by others"
    } else {
        return Ok(file);
    };
    Err(Error::NotOurs { path: path.into(), what })
}

/// Writes a small file so that a crash leaves either the old one or the new one.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut options = OpenOptions::new();
    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC;
    options.write(true).create(true).truncate(true).mode(0o640).custom_flags(flags.bits().cast_signed());
    let mut file = options.open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
