// SPDX-License-Identifier: Apache-2.0
//! Events as they are shown: one line of JSON each, for every sink that wants JSON, and one line of text for a
//! terminal. Text that comes from tokens and callers can break neither line.

mod call;
mod control;
mod escape;
mod glance;
pub mod human;
mod key;
mod object;
mod parameters;
mod place;
mod template;
mod time;
mod who;

pub use call::call;
pub use control::control;
pub use escape::Shown;
pub use glance::Glance;
pub use place::Place;
pub use time::Utc;

/// The JSON Schema of every line that [`call`] and [`control`] write.
pub const SCHEMA: &str = include_str!("../event/event.schema.json");

/// Appends `value` as one line.
fn line(out: &mut Vec<u8>, value: &impl serde::Serialize) -> Result<(), serde_json::Error> {
    let written = value.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, escape::Ascii));
    out.push(b'\n');
    written
}

#[cfg(test)]
mod tests;
