// SPDX-License-Identifier: Apache-2.0
//! The one list of what a rule can ask. A line here is a key of `[[rule]]`: reading it, judging by it and
//! finding rules that it makes unreachable all follow from the line and its kind (`kinds.rs`).
//!
//! To add a condition: a line below, a field in [`Facts`], a paragraph in `config/policy.toml`.

use crate::diagnostic::Report;
use crate::kinds::{AtLeast, AtMost, Condition, Curves, Mechanisms, Written};
use crate::reader::Section;
use event::mechanism::{Operation, Operations};

/// What is known of a call when it is judged. `None` is "not known", and meets no condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// What the call does with the mechanism.
    pub operation: Operation,
    /// The `CKM_` number.
    pub mechanism: u64,
    /// The size of the key in bits.
    pub key_bits: Option<u32>,
    /// The named curve of the key: its place in `event::curve::ALL`.
    pub curve: Option<u16>,
}

impl Facts {
    /// A call of which only this is known.
    pub fn of(operation: Operation, mechanism: u64) -> Facts {
        Facts { operation, mechanism, key_bits: None, curve: None }
    }
}

macro_rules! conditions {
    (
        indexed { $($(#[$index_doc:meta])* $index_key:ident: $index_kind:ty;)* }
        judged { $($(#[$doc:meta])* $key:ident: $kind:ty, against $fact:ident;)* }
    ) => {
        /// What a rule asks; what it does not ask is met by every call.
        #[derive(Debug, Default)]
        pub(crate) struct Conditions {
            $($(#[$index_doc])* pub(crate) $index_key: Option<$index_kind>,)*
            $($(#[$doc])* pub(crate) $key: Option<$kind>,)*
        }

        impl Conditions {
            /// The keys, in the order in which they are documented.
            pub(crate) const KEYS: &[&'static str] = &[$(stringify!($index_key),)* $(stringify!($key),)*];

            /// Reads the conditions that a `[[rule]]` holds.
            pub(crate) fn read(rule: &Section<'_>, report: &mut Report<'_>) -> Conditions {
                Conditions {
                    $($index_key: rule.value(stringify!($index_key)).and_then(|v| <$index_kind>::read(v, report)),)*
                    $($key: rule.value(stringify!($key)).and_then(|v| <$kind>::read(v, report)),)*
                }
            }

            /// Whether a call meets the judged conditions; the indexed ones are met by how the rule was
            /// found.
            pub(crate) fn met_by(&self, facts: &Facts) -> bool {
                $(self.$key.as_ref().is_none_or(|condition| condition.met_by(facts.$fact)))&&*
            }

            /// Whether the indexed conditions are all there is: what they say is certain before a key is
            /// known.
            pub(crate) fn indexed_only(&self) -> bool {
                $(self.$key.is_none())&&*
            }

            /// Whether every call that meets the judged conditions of `other` meets these too.
            pub(crate) fn covers(&self, other: &Conditions) -> bool {
                $(self.$key.as_ref().is_none_or(|wide| other.$key.as_ref().is_some_and(|narrow| wide.covers(narrow))))&&*
            }
        }
    };
}

conditions! {
    // Known before any key is: rules are found by them, and the mechanism list is filtered by them.
    indexed {
        /// What is done, by the names of `event::mechanism::Operation`.
        operation: Operations;
        /// With which mechanism, by name or number.
        mechanism: Mechanisms;
    }
    // Held against a fact of the call.
    judged {
        /// The smallest key, in bits.
        min_bits: AtLeast, against key_bits;
        /// The largest key, in bits.
        max_bits: AtMost, against key_bits;
        /// The named curves of the key.
        curve: Curves, against curve;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Policy;

    const EXAMPLE: &str = include_str!("../../config/policy.toml");

    #[test]
    fn the_example_holds_together_and_shows_every_condition() {
        if let Err(diagnostics) = Policy::parse("config/policy.toml", EXAMPLE.as_bytes()) {
            panic!("{diagnostics}");
        }
        for key in Conditions::KEYS {
            assert!(EXAMPLE.lines().any(|line| line.starts_with(&format!("{key} = "))), "{key} is not shown");
        }
    }

    #[test]
    fn every_operation_is_named_in_the_example() {
        for operation in Operation::ALL {
            assert!(EXAMPLE.contains(operation.name()), "{}", operation.name());
        }
    }
}
