// SPDX-License-Identifier: Apache-2.0
//! What a verification found.

use serde::Serialize;

/// One thing that is not as it was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// The file, from the log's folder.
    pub file: String,
    /// The first event that it concerns, where it concerns events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<u64>,
    /// What is wrong.
    pub what: String,
}

/// What is proved of a log, and what is not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The name of the log, once its first certificate was read.
    pub origin: Option<String>,
    /// A key that was given from outside vouches for the log; else it only agrees with itself.
    pub trusted: bool,
    /// Epochs of the log.
    pub epochs: u64,
    /// Notes of the log.
    pub notes: u64,
    /// Events that the last note covers.
    pub sealed: u64,
    /// Whole lines of events found.
    pub events: u64,
    /// Sealed events that are there, unchanged, by their own hash or the root over them.
    pub proved: u64,
    /// Events behind the last note: nothing proves them, and nothing would show that they were changed or removed.
    pub unsealed: u64,
    /// What is wrong, in the order in which it was found.
    pub damage: Vec<Damage>,
}

impl Report {
    /// Nothing is wrong, and somebody outside vouches for it.
    pub fn is_proved(&self) -> bool {
        self.damage.is_empty() && self.trusted
    }

    pub(super) fn damaged(&mut self, file: &str, event: Option<u64>, what: impl Into<String>) {
        self.damage.push(Damage { file: file.into(), event, what: what.into() });
    }
}
