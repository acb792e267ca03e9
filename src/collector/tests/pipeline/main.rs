// SPDX-License-Identifier: Apache-2.0
//! From rings to the log and to the readers: what is emitted is stored once, or told as lost, whatever happens.

mod accounting;
mod attach;
mod child;
mod kill;
mod log;
mod operations;
mod readers;
#[allow(dead_code, reason = "shared with the tests inside the crate")]
mod rig;
mod schema;
mod spool;
