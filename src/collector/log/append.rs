// SPDX-License-Identifier: Apache-2.0
//! Writing the evidence log: events are rendered into a batch, a batch becomes durable as a whole.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FlockOperation, fdatasync, flock};
use serde_json::{Map, Value};

use super::durable::{Durable, Place};
use super::folder::{Folder, REMEDY, segments, sync_folder};
use super::recover::{Head, Scan, scan};
use crate::clock::utc_now;
use crate::error::Error;
use crate::render::{self, Folded, Form, Moment};
use crate::stream::Stream;

/// Bytes after which a segment is closed.
const SEGMENT: u64 = 64 << 20;
/// Memory that a batch keeps for the next one, bytes.
const KEPT: usize = 16 << 20;

/// The evidence log and the batch that is to be appended next.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    folder: Folder,
    /// Held for its lock: two collectors writing one log would both number their events.
    _held: File,
    /// The newest segment.
    file: File,
    /// The durable end.
    end: Place,
    /// Index of the next event that is not durable.
    durable_index: u64,
    /// Index of the next event.
    index: u64,
    batch: Vec<u8>,
    /// Bytes after which a segment is closed.
    most: u64,
    durable: Arc<Durable>,
}

impl Log {
    /// Opens the log in `folder`, made if need be, for `group` to read. Nothing of it is read yet:
    /// [`recover`](Log::recover) comes next.
    ///
    /// # Errors
    /// [`Error::Running`] if another process has it; [`Error::NotOurs`] if a file is not a plain file of ours.
    pub(crate) fn open(path: &Path, group: Option<u32>) -> Result<Log, Error> {
        let folder = Folder::make(path, group)?;
        let held = File::open(path).map_err(Error::path("open", path, REMEDY))?;
        match flock(&held, FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(Error::Running(path.into())),
            locked => locked.map_err(io::Error::from).map_err(Error::path("lock", path, REMEDY))?,
        }
        let firsts = segments(path).map_err(Error::path("read", path, REMEDY))?;
        let durable = Arc::<Durable>::default();
        let (newest, closed) = firsts.split_last().map_or((0, &[][..]), |(newest, closed)| (*newest, closed));
        let bytes = |first: &u64| Ok((*first, fs::metadata(folder.segment(*first))?.len()));
        let closed = closed.iter().map(bytes).collect::<io::Result<_>>();
        let file = folder.open(&folder.segment(newest))?;
        sync_folder(&path.join("events"))
            .and_then(|()| held.sync_all())
            .map_err(Error::path("sync", path, REMEDY))?;
        durable.start(closed.map_err(Error::path("examine", path, REMEDY))?, newest);
        let end = Place { segment: newest, offset: 0 };
        let batch = Vec::new();
        let path = path.to_owned();
        Ok(Log {
            path,
            folder,
            _held: held,
            file,
            end,
            durable_index: 0,
            index: 0,
            batch,
            most: SEGMENT,
            durable,
        })
    }

    /// The log's folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The same, with the right to write beside the events.
    pub(crate) fn folder(&self) -> Folder {
        self.folder.clone()
    }

    /// Whether an event ends at `offset` of its segment after which `index` is next.
    pub(crate) fn is_end(&self, offset: u64, index: u64) -> bool {
        let Some(place) = self.place(offset, index) else { return false };
        let file = File::open(self.folder.segment(place.segment));
        file.and_then(|file| super::seek::is_end(&file, place.offset, index)).unwrap_or(false)
    }

    /// The end at `offset` of a segment before event `index`.
    fn place(&self, offset: u64, index: u64) -> Option<Place> {
        match (offset, index) {
            (0, _) => Some(self.durable.segment_of(index)).filter(|segment| *segment == index),
            (_, 0) => None,
            _ => Some(self.durable.segment_of(index - 1)),
        }
        .map(|segment| Place { segment, offset })
    }

    /// Reads every event from `offset` of a segment on, whose index should be `index`, and cuts off a torn end.
    ///
    /// # Errors
    /// [`Error::Path`] if the log cannot be read or cut.
    pub(crate) fn recover(
        &mut self,
        offset: u64,
        index: u64,
        each: &mut dyn FnMut(&Head<'_>, &[u8]),
    ) -> Result<Scan, Error> {
        let first = Place { segment: self.durable.first(), offset: 0 };
        let mut from = self.place(offset, index).unwrap_or(first);
        let mut found = Scan { index: index.max(from.segment), ..Scan::default() };
        loop {
            let path = self.folder.segment(from.segment);
            let failed = || Error::path("recover", &path, REMEDY);
            let file = File::open(&path).map_err(failed())?;
            found = scan(&file, from.offset, found, each).map_err(failed())?;
            let (_, Some(next)) = self.durable.extent(from.segment) else { break };
            // Only the newest segment has an end that may be torn; elsewhere it is damage, which stays.
            found.damaged += u64::from(std::mem::take(&mut found.torn) > 0) + u64::from(found.index != next);
            found.index = found.index.max(next);
            from = Place { segment: next, offset: 0 };
        }
        self.end = Place { segment: from.segment, offset: found.offset };
        let failed = || Error::path("recover", &self.path, REMEDY);
        if found.torn > 0 {
            self.file.set_len(found.offset).map_err(failed())?;
            tracing::warn!(bytes = found.torn, "cut a torn end off the log");
        }
        // What the last collector wrote and did not sync was just read, and is built upon from here.
        self.file.sync_all().map_err(failed())?;
        (self.index, self.durable_index) = (found.index, found.index);
        self.durable.publish(self.end, self.index);
        Ok(found)
    }

    /// Goes on at `index`, where proofs say that there were events that are gone.
    ///
    /// # Errors
    /// [`Error::Path`] if no segment can be made.
    pub(crate) fn skip_to(&mut self, index: u64) -> Result<(), Error> {
        if index > self.index {
            (self.index, self.durable_index) = (index, index);
            self.begin_segment().map_err(Error::path("go on with", &self.path, REMEDY))?;
            self.durable.publish(self.end, self.index);
        }
        Ok(())
    }

    /// How much is durable, for those who follow.
    pub(crate) fn durable(&self) -> Arc<Durable> {
        Arc::clone(&self.durable)
    }

    /// The index of the next event, durable or not.
    pub(crate) fn next_index(&self) -> u64 {
        self.index
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

    /// Makes the batch durable and tells the followers. After a failure the segment is cut back to what is durable,
    /// and everything else is written again to a new one, for as long as `go_on` says so; it decides how long to
    /// wait. `false`: given up, and the batch is still pending.
    pub(crate) fn commit(&mut self, go_on: &mut dyn FnMut() -> bool) -> bool {
        let mut failed = false;
        loop {
            let written = match failed {
                true => self.repair().and_then(|()| self.write()),
                false if self.end.offset >= self.most => self.begin_segment().and_then(|()| self.write()),
                false => self.write(),
            };
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
        self.end.offset += self.batch.len() as u64;
        self.durable_index = self.index;
        self.batch.clear();
        self.batch.shrink_to(KEPT);
        self.durable.publish(self.end, self.index);
        true
    }

    /// The durable end: offset in its segment and next index.
    pub(crate) fn end(&self) -> (u64, u64) {
        (self.end.offset, self.durable_index)
    }

    fn write(&mut self) -> io::Result<()> {
        self.file.write_all(&self.batch)?;
        Ok(fdatasync(&self.file)?)
    }

    /// Cuts the newest segment back to what is durable, by a new descriptor, and begins the next.
    fn repair(&mut self) -> io::Result<()> {
        let path = self.folder.segment(self.end.segment);
        match fs::symlink_metadata(&path) {
            Ok(_) => {
                let file = self.folder.open(&path).map_err(io::Error::other)?;
                file.set_len(self.end.offset)?;
                file.sync_all()?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        self.begin_segment()
    }

    /// Begins the segment of the next event that is not durable. One without any event is made anew.
    fn begin_segment(&mut self) -> io::Result<()> {
        let first = self.durable_index;
        let path = self.folder.segment(first);
        self.folder.make_folder("events")?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            removed => removed?,
        }
        let file = self.folder.open(&path).map_err(io::Error::other)?;
        sync_folder(&self.path.join("events"))?;
        self.file = file;
        self.end = Place { segment: first, offset: 0 };
        self.durable.publish(self.end, first);
        Ok(())
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
