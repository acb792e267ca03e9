// SPDX-License-Identifier: Apache-2.0
//! Carries opaque frames from one application process to a collector that does not trust it.
//!
//! [`Producer`] lives in the application: no thread, no lock, and on the way of a call ([`Lane::begin`],
//! [`Lane::publish`]) no system call and no allocation. [`Consumer`] lives in the collector and holds neither a
//! mapping nor unsafe code. What the bytes mean is none of this crate's business.
#![doc = include_str!("RING.md")]

#[cfg(not(target_pointer_width = "64"))]
compile_error!("the ring is laid out in 64-bit words that both sides must move whole");

mod clock;
#[forbid(unsafe_code)]
mod consumer;
#[forbid(unsafe_code)]
mod definitions;
#[forbid(unsafe_code)]
mod error;
mod fork;
#[forbid(unsafe_code)]
mod frame;
mod lane;
#[forbid(unsafe_code)]
pub mod layout;
#[forbid(unsafe_code)]
mod loss;
#[cfg(all(test, loom))]
mod model;
mod producer;
#[forbid(unsafe_code)]
mod reader;
mod system;

pub use clock::{Clock, Rate, Triple, utc};
pub use consumer::{Consumer, Frame};
pub use definitions::Definitions;
pub use error::{Corrupt, Error, Fault, Refused};
pub use fork::Generation;
pub use layout::{Header, Layout};
pub use loss::{Counters, Loss};
pub use producer::{Lane, Producer};

use std::path::Path;

/// What a ring lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing<'a> {
    /// An anonymous memory file, sealed against resizing and handed over a socket.
    Memfd,
    /// A preallocated spool file at this path: the producer creates it there, a collector adopts it later.
    File(&'a Path),
}
