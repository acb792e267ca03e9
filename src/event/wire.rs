// SPDX-License-Identifier: Apache-2.0
#![doc = include_str!("WIRE.md")]

mod decode;
mod encode;
mod view;

pub use decode::{Definitions, Malformed, decode, header, is_notice};
pub use encode::{Frame, Out, Room, encode_key, encode_policy, encode_rule, encode_token};
pub use view::{KeyView, TextView, TokenView};

/// Version of the format: the first byte of every frame.
pub const VERSION: u8 = 1;
/// No frame is longer, bytes. The ring refuses longer ones.
pub const MAX_FRAME: usize = 2048;
/// Length of the fixed part, bytes.
pub const HEADER: usize = 88;
/// No frame has more than that behind the fixed part, bytes.
pub const MAX_SECTIONS: usize = MAX_FRAME - HEADER;
/// No encoded key or token is longer, bytes.
pub const MAX_PART: usize = 640;
/// No encoded rule is longer, bytes.
pub const MAX_RULE: usize = 1016;
/// No text of a notice is kept past this length, bytes.
pub const MAX_NOTICE: usize = 1024;
/// No text of the vendor or the caller is kept past this length, bytes.
pub const MAX_TEXT: usize = 128;
/// No text of a rule is kept past this length, bytes. A policy with longer ones is refused.
pub const MAX_RULE_TEXT: usize = 240;
/// Stands where the place of a definition could: the facts follow.
pub const FOLLOWS: u64 = u64::MAX;
/// Stands for "there is none" in a fixed 64-bit field.
const NONE: u64 = u64::MAX;

/// The kinds of section; the numbers are on the wire, append only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum Tag {
    /// A [`crate::record::Session`], its token by place or encoded.
    Session = 1,
    /// A slot id.
    Slot = 2,
    /// The mechanism and the fields of its parameter.
    Mechanism = 3,
    /// Fields of a message parameter.
    Message = 4,
    /// A handle, and the [`crate::record::Key`] by place or encoded, where it is known; once for each object.
    Key = 5,
    /// A handle that the call made; once for each.
    Created = 6,
    /// A template; once for each.
    Template = 7,
    /// Attribute numbers.
    Attributes = 8,
    /// The nested mechanism that was decided on, and a [`crate::record::Rule`] by place or encoded.
    Rule = 9,
    /// The `CK_FLAGS` argument.
    Flags = 10,
    /// The `CKU_` argument.
    User = 11,
    /// Text: the user name.
    Username = 12,
    /// A count.
    Count = 13,
    /// trace-id, parent-id, trace-flags: 25 bytes.
    Trace = 14,
    /// Text: why the shim failed the call.
    Fault = 15,
    /// `CKM_` numbers: what would be allowed instead.
    Instead = 16,
    /// A [`crate::record::Notice`].
    Notice = 17,
    /// A [`crate::record::Quarantine`].
    Quarantine = 18,
    /// What the policy adds to a template; once for each.
    Hardened = 19,
}

impl Tag {
    fn from_number(number: u16) -> Option<Tag> {
        use Tag::*;
        let all = [
            Session, Slot, Mechanism, Message, Key, Created, Template, Attributes, Rule, Flags, User,
            Username, Count, Trace, Fault, Instead, Notice, Quarantine, Hardened,
        ];
        all.into_iter().find(|tag| *tag as u16 == number)
    }
}

#[cfg(test)]
mod tests;
