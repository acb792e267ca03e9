// SPDX-License-Identifier: Apache-2.0
//! The evidence file: `events.jsonl`, one JSON object a line, each with its `index`, counted from 0 without a gap.
//!
//! It only ever grows, with one exception: what never became durable is cut off again, at the start (the torn end
//! that a crash leaves) and after a failed write. Nobody is told of an event before it is durable: readers see the
//! file up to [`Durable`], and the rings are acknowledged after `fdatasync`. A descriptor on which a write or sync
//! failed is never used again, because the kernel may have dropped the pages and would call the next sync a success.

mod append;
mod recover;
mod seek;

pub(crate) use append::{Durable, Log, replace};
pub(crate) use recover::{Head, Scan};
pub(crate) use seek::after;
