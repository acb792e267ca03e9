// SPDX-License-Identifier: Apache-2.0
//! Proof that one event is in a tree of which a note tells (C2SP tlog-proof): made from tiles, checked from nothing
//! but the proof, the event and a key.

use std::fmt;

use super::note::{Flaw, base64, hash};
use super::tile::{Tile, WIDTH};
use super::tree::{Hash, Range, levels, node_hash, subtree};

const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// A tree of 2^63 leaves has no more.
const MOST: usize = 63;

/// Where a proof's hashes come from.
pub trait Tiles {
    /// What fails.
    type Error;

    /// The hashes of a tile, as many as it is wide.
    ///
    /// # Errors
    /// Where the tile is not to be had.
    fn tile(&mut self, tile: Tile) -> Result<Vec<Hash>, Self::Error>;

    /// The hash of the whole subtree of `1 << level` leaves at `place` of its level, in a tree of `size` leaves.
    ///
    /// # Errors
    /// As [`tile`](Tiles::tile).
    fn node(&mut self, size: u64, level: u32, place: u64) -> Result<Hash, Self::Error> {
        // The tile whose hashes lie at or below this level.
        let (row, up) = (u8::try_from(level / 8).unwrap_or(u8::MAX), level % 8);
        let first = place << up;
        let there = (size >> (8 * u32::from(row))) - (first >> 8 << 8);
        let width = u16::try_from(there.min(WIDTH as u64)).unwrap_or(u16::MAX);
        let hashes = self.tile(Tile { level: row, index: first >> 8, width })?;
        let from = (first & 255) as usize;
        Ok(subtree(hashes.get(from..from + (1 << up)).unwrap_or_default()))
    }

    /// The root over leaves `begin..end` of a tree of `size` leaves.
    ///
    /// # Errors
    /// As [`tile`](Tiles::tile).
    fn root(&mut self, size: u64, begin: u64, end: u64) -> Result<Hash, Self::Error> {
        let (mut at, mut range) = (begin, Range::empty(begin));
        for level in levels(begin, end) {
            range.add(level, self.node(size, level, at >> level)?);
            at += 1 << level;
        }
        Ok(range.root())
    }
}

/// That the leaf `index` is in a tree: the hashes beside its way up to the root, and a note that tells of the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inclusion {
    /// The leaf.
    pub index: u64,
    /// From the leaf up.
    pub path: Vec<Hash>,
    /// The note, as it was.
    pub note: String,
    /// Certificates that lead from a key of the reader's to the one that signed the note.
    pub chain: Option<String>,
}

impl Inclusion {
    /// The proof for leaf `index` of a tree of `size` leaves, which is more than `index`.
    ///
    /// # Errors
    /// As [`Tiles::tile`].
    pub fn prove<T: Tiles>(
        tiles: &mut T,
        index: u64,
        size: u64,
        note: String,
        chain: Option<String>,
    ) -> Result<Inclusion, T::Error> {
        let (mut begin, mut end) = (0, size);
        let mut path = Vec::new();
        while end - begin > 1 {
            // The left part is the largest whole tree that leaves something for the right one.
            let middle = begin + (1 << (end - begin - 1).ilog2());
            let (beside, part) = if index < middle {
                ((middle, end), (begin, middle))
            } else {
                ((begin, middle), (middle, end))
            };
            path.push(tiles.root(size, beside.0, beside.1)?);
            (begin, end) = part;
        }
        path.reverse();
        Ok(Inclusion { index, path, note, chain })
    }

    /// The root of a tree of `size` leaves in which `leaf` is where this says; `None` if the path does not fit.
    pub fn root(&self, leaf: Hash, size: u64) -> Option<Hash> {
        let (mut begin, mut end) = (0, size);
        let mut sides = Vec::new();
        if self.index >= size {
            return None;
        }
        while end - begin > 1 {
            let middle = begin + (1 << (end - begin - 1).ilog2());
            let right = self.index >= middle;
            (begin, end) = if right { (middle, end) } else { (begin, middle) };
            sides.push(right);
        }
        (sides.len() == self.path.len()).then_some(())?;
        let up = sides.into_iter().rev().zip(&self.path);
        Some(up.fold(leaf, |hash, (right, beside)| match right {
            true => node_hash(beside, &hash),
            false => node_hash(&hash, beside),
        }))
    }

    /// Reads a proof.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Inclusion, Flaw> {
        let (head, note) = text.split_once("\n\n").ok_or(Flaw("it has no empty line before its note"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(Flaw("it is no c2sp.org/tlog-proof@v1"));
        }
        let chain = match lines.next_if(|line| line.starts_with("extra ")) {
            Some(line) => {
                Some(super::note::text(&line[6..]).ok_or(Flaw("its extra line is no text in base64"))?)
            }
            None => None,
        };
        let index =
            lines.next().and_then(|line| line.strip_prefix("index ")).ok_or(Flaw("it names no index"))?;
        let number = index.parse().ok().filter(|number: &u64| number.to_string() == index);
        let path: Option<Vec<_>> = lines.map(hash).collect();
        let path = path.filter(|path| path.len() <= MOST).ok_or(Flaw("its path is no list of hashes"))?;
        Ok(Inclusion { index: number.ok_or(Flaw("its index is no number"))?, path, note: note.into(), chain })
    }
}

impl fmt::Display for Inclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(chain) = &self.chain {
            writeln!(f, "extra {}", base64(chain.as_bytes()))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{}", base64(hash)))?;
        write!(f, "\n{}", self.note)
    }
}
