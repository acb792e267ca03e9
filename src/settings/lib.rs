// SPDX-License-Identifier: Apache-2.0
//! The shim's configuration: where it is found, what it says, and what is wrong with it. The library and
//! `p11guard doctor` read it with this same code, so that both give the same answer. Text is handed in; no file
//! is opened here.
#![forbid(unsafe_code)]

mod mistake;
mod places;
mod shim;

pub use mistake::Mistake;
pub use places::{ENVIRONMENT, FOLDER, SPOOL, names};
pub use shim::{OnFault, Ring, Shim, VendorInterfaces};
