// SPDX-License-Identifier: Apache-2.0
//! What the stub vendor counted.

use std::path::Path;

use event::Function;

#[path = "../vendor/counts.rs"]
mod layout;

/// The ways into a module, as the stub vendor tells them apart.
pub const WAYS: [&str; 4] = layout::WAYS;

/// The counters as they stood when they were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts(Vec<u64>);

impl Counts {
    /// Makes the empty file that a stub vendor counts in.
    pub fn create(path: &Path) {
        std::fs::write(path, vec![0; layout::CELLS * 8]).expect("a file for the counters");
    }

    /// Reads the counters.
    pub fn read(path: &Path) -> Counts {
        let bytes = std::fs::read(path).expect("the file of the counters");
        Counts(
            bytes
                .chunks_exact(8)
                .map(|cell| u64::from_ne_bytes(cell.try_into().expect("eight bytes")))
                .collect(),
        )
    }

    /// Calls of `function` that came by `way`, an index into [`WAYS`].
    pub fn by_way(&self, way: usize, function: Function) -> u64 {
        self.0[layout::cell(way, function as usize)]
    }

    /// Calls of `function` that came by any way.
    pub fn of(&self, function: Function) -> u64 {
        (0..WAYS.len()).map(|way| self.by_way(way, function)).sum()
    }

    /// Calls of all functions by all ways.
    pub fn total(&self) -> u64 {
        Function::ALL.iter().map(|function| self.of(*function)).sum()
    }

    /// How often `mechanism` arrived.
    pub fn mechanism(&self, mechanism: u64) -> u64 {
        let pairs = self.0[layout::SEEN..].chunks_exact(2).take(layout::SEEN_PAIRS);
        pairs.filter(|pair| pair[0] == mechanism + 1).map(|pair| pair[1]).sum()
    }

    /// The last mechanism that arrived: its number and parameter address and length.
    pub fn last_mechanism(&self) -> (u64, u64, u64) {
        (self.0[layout::LAST], self.0[layout::LAST + 2], self.0[layout::LAST + 3])
    }
}
