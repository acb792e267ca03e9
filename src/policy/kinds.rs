// SPDX-License-Identifier: Apache-2.0
//! The kinds of conditions: how each is written in TOML, which facts meet it, and which other conditions it includes.
//! An unknown fact meets none: an `allow` with a smallest key refuses, by the default, a key that nobody could measure.

mod mechanisms;
mod number;
mod parameter;
mod rate;
mod template;
mod text;
mod time;
mod words;

pub(crate) use mechanisms::{Mechanisms, entry as mechanisms_of_entry, operations};
pub(crate) use number::{AtLeast, AtMost, Is, Unit};
pub(crate) use parameter::{EachAtLeast, EachAtMost, EachOf, Values, built_in_hash};
pub use rate::Per;
pub(crate) use rate::Rate;
pub(crate) use template::{Asks, flags};
pub(crate) use text::{Like, Texts};
pub(crate) use time::{From, Hours, Until};
pub(crate) use words::{OneOf, Words};

use crate::diagnostic::Report;
use crate::reader::Value;

/// A condition that is held against a fact of the call.
pub(crate) trait Kind: Sized {
    /// What the registry's line says of how it is written.
    type How;
    /// The fact.
    type Fact<'f>;

    /// The condition; what is wrong with it goes to the report. With `every`, each of several facts must meet it, else
    /// one is enough: what an `allow` lets pass must be right in all its parts, what a `deny` refuses be wrong in one.
    /// Of its own in every kind (`inline(never)`): each line of the registry would bring a copy into the library.
    fn read(value: &Value<'_>, how: Self::How, every: bool, report: &mut Report<'_>) -> Option<Self>;

    /// Whether the fact meets the condition.
    fn met_by(&self, fact: Self::Fact<'_>) -> bool;

    /// Whether every fact that meets `narrow` certainly meets this one too.
    fn covers(&self, narrow: &Self) -> bool;

    /// The limit that it sets to all its facts, if that is what it does.
    fn limit(&self) -> Option<u64> {
        None
    }
}
