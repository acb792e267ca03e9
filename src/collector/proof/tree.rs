// SPDX-License-Identifier: Apache-2.0
//! The Merkle tree of RFC 6962: hashes, the fewest whole subtrees that cover a range of leaves, and the right edge
//! from which a tree grows. Whatever its size, a tree is carried on by a few hundred hashes.

use sha2::{Digest, Sha256};

use super::tile::{Tile, WIDTH};

/// A SHA-256.
pub type Hash = [u8; 32];

/// The hash of a leaf.
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(leaf).finalize().into()
}

/// The hash of two subtrees side by side.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut both = [1; 65];
    both[1..33].copy_from_slice(left);
    both[33..].copy_from_slice(right);
    Sha256::digest(both).into()
}

/// Leaves `begin..end` as the fewest whole subtrees that cover them, from left to right.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Range {
    begin: u64,
    end: u64,
    nodes: Vec<Hash>,
}

impl Range {
    /// No leaves, at `begin`.
    pub fn empty(begin: u64) -> Range {
        Range { begin, end: begin, nodes: Vec::new() }
    }

    /// Leaves `begin..end` by the hashes of the subtrees that cover them; `None` if there are too few or too many.
    pub fn of(begin: u64, end: u64, nodes: Vec<Hash>) -> Option<Range> {
        (begin <= end && levels(begin, end).count() == nodes.len()).then_some(Range { begin, end, nodes })
    }

    /// The first leaf.
    pub fn begin(&self) -> u64 {
        self.begin
    }

    /// The leaf behind the last.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// The hashes of the subtrees.
    pub fn nodes(&self) -> &[Hash] {
        &self.nodes
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: Hash) {
        self.add(0, leaf);
    }

    /// Adds the leaves of `next`, which begins where this ends; `false` if it does not.
    #[must_use]
    pub fn append(&mut self, next: &Range) -> bool {
        if next.begin != self.end {
            return false;
        }
        for (level, node) in levels(next.begin, next.end).zip(&next.nodes) {
            self.add(level, *node);
        }
        true
    }

    /// The root of a tree of exactly these leaves: of the tree itself, where they begin with the first.
    pub fn root(&self) -> Hash {
        let from_right = self.nodes.iter().rev().copied();
        from_right.reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(|| Sha256::digest([]).into())
    }

    /// Adds a whole subtree of `1 << level` leaves, and joins what is whole then.
    pub(super) fn add(&mut self, mut level: u32, mut node: Hash) {
        let mut place = self.end >> level;
        self.end += 1 << level;
        while place & 1 == 1 && (place - 1) << level >= self.begin {
            let Some(left) = self.nodes.pop() else { break };
            node = node_hash(&left, &node);
            place >>= 1;
            level += 1;
        }
        self.nodes.push(node);
    }
}

/// The levels of the subtrees that cover `begin..end`, from left to right: each as large as its place and the rest
/// allow.
pub(super) fn levels(begin: u64, end: u64) -> impl Iterator<Item = u32> {
    let mut at = begin;
    std::iter::from_fn(move || {
        let rest = end.checked_sub(at).filter(|rest| *rest > 0)?;
        let level = at.trailing_zeros().min(rest.ilog2());
        at += 1 << level;
        Some(level)
    })
}

/// The right edge of a growing tree: the newest, partial tile of each level.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    levels: Vec<Vec<Hash>>,
}

impl Edge {
    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The edge of a tree of `size` leaves; `partial` gives the hashes of its partial tiles.
    ///
    /// # Errors
    /// The first that `partial` gives.
    pub fn read<E>(size: u64, partial: &mut dyn FnMut(Tile) -> Result<Vec<Hash>, E>) -> Result<Edge, E> {
        let levels = Tile::edge(size).map(|tile| match tile.width {
            0 => Ok(Vec::new()),
            _ => partial(tile),
        });
        Ok(Edge { size, levels: levels.collect::<Result<_, E>>()? })
    }

    /// Adds a leaf; each tile that is full by it goes to `full`, from the lowest up.
    pub fn push(&mut self, leaf: Hash, full: &mut dyn FnMut(Tile, &[Hash])) {
        let mut hash = leaf;
        self.size += 1;
        let mut covered = 1;
        for level in 0_u8.. {
            let place = usize::from(level);
            if self.levels.len() <= place {
                self.levels.push(Vec::with_capacity(WIDTH));
            }
            let newest = &mut self.levels[place];
            newest.push(hash);
            if newest.len() < WIDTH {
                break;
            }
            covered *= WIDTH as u64;
            full(Tile { level, index: self.size / covered - 1, width: 256 }, newest);
            hash = subtree(newest);
            newest.clear();
        }
    }

    /// The partial tiles, as they must be stored for a tree of this size.
    pub fn partial(&self) -> impl Iterator<Item = (Tile, &[Hash])> {
        let tiles = Tile::edge(self.size).zip(&self.levels);
        tiles.filter(|(tile, _)| tile.width > 0).map(|(tile, hashes)| (tile, hashes.as_slice()))
    }

    /// All leaves as subtrees: what it takes to carry on the tree without its tiles.
    pub fn range(&self) -> Range {
        let mut range = Range::empty(0);
        for (level, hashes) in self.levels.iter().enumerate().rev() {
            let level = u32::try_from(level * 8).unwrap_or(u32::MAX);
            hashes.iter().for_each(|hash| range.add(level, *hash));
        }
        range
    }
}

/// The root over hashes of one level.
pub(super) fn subtree(hashes: &[Hash]) -> Hash {
    let mut range = Range::empty(0);
    hashes.iter().for_each(|hash| range.push(*hash));
    range.root()
}
