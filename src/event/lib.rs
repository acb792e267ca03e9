// SPDX-License-Identifier: Apache-2.0
//! The vocabulary of p11guard: which functions, mechanisms, attributes and return values there are, what is
//! recorded of a call, and how a record travels. It knows no C types, no crate and no unsafe code.
#![forbid(unsafe_code)]

pub mod attribute;
pub mod cgroup;
pub mod curve;
mod function;
pub mod hello;
pub mod mechanism;
pub mod names;
pub mod nearest;
pub mod parameter;
pub mod parameter_set;
pub mod record;
mod table;
pub mod value;
pub mod wire;

pub use function::{Active, FUNCTIONS, Function, FunctionInfo};
