// SPDX-License-Identifier: Apache-2.0
//! A follower's place in the log: reads what is durable, from one segment into the next.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::durable::{Durable, Place};
use super::folder::Folder;

/// Where a follower is.
#[derive(Debug)]
pub(crate) struct Cursor {
    folder: Folder,
    durable: Arc<Durable>,
    at: Place,
    file: Option<File>,
}

impl Cursor {
    /// At a place that was taken from this log.
    pub(crate) fn at(folder: Folder, durable: Arc<Durable>, at: Place) -> Cursor {
        Cursor { folder, durable, at, file: None }
    }

    /// Before the first event.
    pub(crate) fn at_start(folder: Folder, durable: Arc<Durable>) -> Cursor {
        let at = Place { segment: durable.first(), offset: 0 };
        Cursor::at(folder, durable, at)
    }

    /// Before the event `index`, or the first one past it.
    ///
    /// # Errors
    /// Where the log cannot be read.
    pub(crate) fn before(folder: Folder, durable: Arc<Durable>, index: u64) -> io::Result<Cursor> {
        let segment = durable.segment_of(index);
        let mut at = Place { segment, offset: 0 };
        if let Some(before) = index.checked_sub(1) {
            let file = File::open(folder.segment(segment))?;
            at.offset = super::seek::after(&file, durable.extent(segment).0, before)?;
        }
        Ok(Cursor::at(folder, durable, at))
    }

    /// Where it is.
    pub(crate) fn place(&self) -> Place {
        self.at
    }

    /// Reads on, not past what is durable; 0: there is no more yet.
    ///
    /// # Errors
    /// Where the log cannot be read, or is shorter than it was.
    pub(crate) fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        loop {
            let (bytes, next) = self.durable.extent(self.at.segment);
            if self.at.offset < bytes {
                let file = match self.file.take() {
                    Some(file) => file,
                    None => File::open(self.folder.segment(self.at.segment))?,
                };
                let length =
                    usize::try_from(bytes - self.at.offset).map_or(chunk.len(), |rest| rest.min(chunk.len()));
                let read = file.read_at(&mut chunk[..length], self.at.offset)?;
                if read == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                self.file = Some(file);
                self.at.offset += read as u64;
                return Ok(read);
            }
            let Some(next) = next else { return Ok(0) };
            self.at = Place { segment: next, offset: 0 };
            self.file = None;
        }
    }
}
