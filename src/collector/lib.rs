// SPDX-License-Identifier: Apache-2.0
//! The collector: takes the records of every process out of their rings, keeps them as evidence, and hands them on.
#![forbid(unsafe_code)]

mod clock;
mod collector;
mod error;
mod intake;
mod keeper;
pub mod levels;
mod log;
pub mod proof;
mod readers;
pub mod render;
#[cfg(test)]
#[path = "tests/pipeline/rig.rs"]
#[allow(dead_code, reason = "shared with tests/pipeline, which uses all of it")]
mod rig;
mod settings;
mod sign;
pub mod stream;
pub mod verify;

pub use collector::Collector;
pub use error::Error;
pub use keeper::keep;
pub use settings::Settings;
pub use sign::Signer;
