// SPDX-License-Identifier: Apache-2.0
//! The mathematics of the evidence: the Merkle tree over the events (RFC 6962), its tiles, the signed notes that say
//! how it was (C2SP signed-note, tlog-checkpoint, tlog-tiles, tlog-proof) and the chain of keys that signed them.
//! Pure: no file, no clock, no randomness. LOG.md is the page of the format.

mod chain;
mod event;
mod inclusion;
mod note;
mod tile;
mod tree;

pub use chain::{Certificate, Chain, Epoch, origin_of};
pub use event::{event_index, gone};
pub use inclusion::{Inclusion, Tiles};
pub use note::{Checkpoint, Flaw, Key, Note, Signature, notes};
pub use tile::{Tile, WIDTH};
pub use tree::{Edge, Hash, Range, leaf_hash, node_hash};

#[cfg(test)]
mod tests;
