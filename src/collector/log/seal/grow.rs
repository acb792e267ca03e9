// SPDX-License-Identifier: Apache-2.0
//! The tree as it grows: reads durable events, hashes them, and writes the tiles that they fill.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;

use crate::log::{Cursor, Folder};
use crate::proof::{Edge, Hash, Range, Tile, event_index, gone, leaf_hash};

const CHUNK: usize = 1 << 20;
/// Tiles kept until they are written: 16 MiB of them.
const MOST_TILES: usize = 2048;

/// The tree up to what was read of the log.
pub(super) struct Growing {
    folder: Folder,
    cursor: Cursor,
    edge: Edge,
    /// What the signer does not know yet.
    unsigned: Range,
    /// The begin of a line whose end was not read yet.
    line: Vec<u8>,
    /// Read and not looked at.
    chunk: Vec<u8>,
    taken: usize,
    /// Tiles that are not durable yet.
    tiles: Vec<(Tile, Vec<u8>)>,
    /// Partial tiles of the tree signed last.
    partial: Vec<Tile>,
}

impl Growing {
    /// A tree to go on with; `cursor` stands before the event that comes next.
    pub(super) fn new(folder: Folder, cursor: Cursor, edge: Edge) -> Growing {
        let unsigned = Range::empty(edge.size());
        let partial = edge.partial().map(|(tile, _)| tile).collect();
        let (line, chunk, tiles) = (Vec::new(), Vec::new(), Vec::new());
        Growing { folder, cursor, edge, unsigned, line, chunk, taken: 0, tiles, partial }
    }

    /// Leaves of the tree.
    pub(super) fn size(&self) -> u64 {
        self.edge.size()
    }

    /// Its root.
    pub(super) fn root(&self) -> Hash {
        self.edge.range().root()
    }

    /// Leaves of the tree that was signed last.
    pub(super) fn signed(&self) -> u64 {
        self.unsigned.begin()
    }

    /// The leaves behind them.
    pub(super) fn unsigned(&self) -> &Range {
        &self.unsigned
    }

    /// Reads the log until the tree has `size` leaves. An event that is not where it should be leaves a gap.
    ///
    /// # Errors
    /// Where the log cannot be read, or has not as many durable events.
    pub(super) fn grow(&mut self, size: u64) -> io::Result<()> {
        while self.size() < size {
            if self.taken == self.chunk.len() {
                self.chunk.resize(CHUNK, 0);
                self.taken = 0;
                let read = self.cursor.read(&mut self.chunk);
                self.chunk.truncate(*read.as_ref().unwrap_or(&0));
                if read? == 0 {
                    return Err(io::Error::other(format!("the log ends before event {}", size - 1)));
                }
            }
            let rest = &self.chunk[self.taken..];
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                self.line.extend_from_slice(rest);
                self.taken = self.chunk.len();
                continue;
            };
            self.line.extend_from_slice(&rest[..end]);
            self.taken += end + 1;
            let line = std::mem::take(&mut self.line);
            self.leaf(&line)?;
            self.line = line;
            self.line.clear();
        }
        Ok(())
    }

    fn leaf(&mut self, line: &[u8]) -> io::Result<()> {
        let Some(index) = event_index(line).filter(|index| *index >= self.size()) else { return Ok(()) };
        while self.size() < index {
            self.push(gone())?;
        }
        self.push(leaf_hash(line))
    }

    fn push(&mut self, leaf: Hash) -> io::Result<()> {
        let tiles = &mut self.tiles;
        self.edge.push(leaf, &mut |tile, hashes| tiles.push((tile, hashes.as_flattened().to_vec())));
        self.unsigned.push(leaf);
        if self.tiles.len() >= MOST_TILES {
            self.flush_full()?;
        }
        Ok(())
    }

    /// Writes the tiles of the tree as it is now, and makes them durable.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        for (tile, hashes) in self.edge.partial() {
            self.folder.put(&tile.to_string(), hashes.as_flattened())?;
        }
        self.flush_full()
    }

    fn flush_full(&mut self) -> io::Result<()> {
        for (tile, bytes) in &self.tiles {
            self.folder.put(&tile.to_string(), bytes)?;
        }
        // One for all: a file system writes a few hundred small files together in the time of a few.
        rustix::fs::syncfs(File::open(self.folder.path(""))?.as_fd())?;
        self.tiles.clear();
        Ok(())
    }

    /// The tree as it is now is signed.
    pub(super) fn mark_signed(&mut self) {
        self.unsigned = Range::empty(self.size());
    }

    /// Removes the partial tiles of the tree before. What a crash leaves of them is passed over by every reader.
    pub(super) fn drop_stale(&mut self) {
        let now: Vec<_> = self.edge.partial().map(|(tile, _)| tile).collect();
        for stale in std::mem::replace(&mut self.partial, now) {
            if !self.partial.contains(&stale) {
                let path = self.folder.path(&stale.to_string());
                let _ = fs::remove_file(&path);
                // The folder of a tile's partial ones, if this was the last.
                let _ = path.parent().map(fs::remove_dir);
            }
        }
    }
}
