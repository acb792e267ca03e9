// SPDX-License-Identifier: Apache-2.0
//! The evidence log: segments of JSON lines in `events/`, one event a line, each with its `index`, counted from 0
//! without a gap; beside them the tiles, notes and certificates that prove them (seal.rs; LOG.md has the format).
//!
//! It only ever grows, with one exception: what never became durable is cut off again, at the start (the torn end
//! that a crash leaves) and after a failed write. Nobody is told of an event before it is durable: readers see the
//! log up to [`Durable`], and the rings are acknowledged after `fdatasync`. A descriptor on which a write or sync
//! failed is never used again, because the kernel may have dropped the pages and would call the next sync a success.

mod append;
mod cursor;
mod durable;
mod folder;
mod recover;
mod seal;
mod seek;

pub(crate) use append::Log;
pub(crate) use cursor::Cursor;
pub(crate) use durable::{Durable, Place};
pub(crate) use folder::{Folder, replace, sync_folder};
pub(crate) use recover::{Head, Scan};
pub(crate) use seal::{Sealer, Seals};
