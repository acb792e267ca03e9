// SPDX-License-Identifier: Apache-2.0
//! Events as they are shown: one line of JSON each, for every sink that wants JSON, and one line of text for a
//! terminal. Text that comes from tokens and callers can break neither line.

mod call;
mod control;
mod escape;
mod folded;
mod form;
mod glance;
pub mod human;
mod json;
mod key;
mod object;
mod parameters;
mod template;
mod time;
mod who;

pub use control::control;
pub use escape::Shown;
pub use folded::{Folded, Range};
pub use form::{Form, Moment};
pub use glance::Glance;
pub use object::Hex;
pub use time::Utc;

/// The JSON Schema of every line that [`Form`] and [`control`] write.
pub const SCHEMA: &str = include_str!("../event/event.schema.json");

#[cfg(test)]
mod tests;
