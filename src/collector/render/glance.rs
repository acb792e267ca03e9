// SPDX-License-Identifier: Apache-2.0
//! The parts of an event line that a person, a filter or a tally asks for, read back from its JSON.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Map, Value};

/// An event at a glance. Everything but its place and kind may be absent.
#[derive(Debug, Clone, Deserialize)]
pub struct Glance<'a> {
    /// Position in the log.
    pub index: u64,
    /// `call`, `operation`, or the kind of control event.
    #[serde(borrow)]
    pub event: Cow<'a, str>,
    /// RFC 3339, UTC.
    #[serde(borrow)]
    pub time: Cow<'a, str>,
    /// The stream's id.
    #[serde(borrow)]
    pub stream: Option<Cow<'a, str>>,
    /// How many records the stream has lost until now; a `loss` says so.
    pub total: Option<u64>,
    /// How many records the stream has lost in all; its end says so.
    pub lost: Option<u64>,
    /// How many streams go on without the collector; its end says so.
    pub open_streams: Option<u64>,
    /// The process.
    #[serde(borrow)]
    pub process: Option<Process<'a>>,
    /// What the policy said; every call has it.
    #[serde(borrow)]
    pub verdict: Option<Verdict<'a>>,
    /// `C_…`.
    #[serde(borrow)]
    pub function: Option<Cow<'a, str>>,
    /// What the caller got.
    #[serde(borrow)]
    pub rv: Option<Word<'a>>,
    /// Nanoseconds.
    pub duration_ns: Option<u64>,
    /// The mechanism, where the call names one.
    #[serde(borrow)]
    pub mechanism: Option<Word<'a>>,
    /// The key that works.
    #[serde(borrow)]
    pub key: Option<Key<'a>>,
    /// The other objects of the call.
    #[serde(default, borrow)]
    pub other_keys: Vec<Key<'a>>,
    /// What the policy adds to the templates.
    #[serde(default, borrow)]
    pub hardened: Vec<Hardened<'a>>,
    /// Bytes handed in.
    pub bytes_in: Option<u64>,
    /// Bytes given back.
    pub bytes_out: Option<u64>,
    /// Only the length of the output was asked for.
    #[serde(default)]
    pub size_query: bool,
    /// What the operation's Init said.
    #[serde(borrow)]
    pub operation: Option<Operation<'a>>,
    /// What the calls of an operation add up to.
    #[serde(borrow)]
    pub folded: Option<Folded<'a>>,
    /// Why the shim itself failed the call.
    #[serde(borrow)]
    pub fault: Option<Cow<'a, str>>,
}

/// A number with its name, if it has one.
#[derive(Debug, Clone, Deserialize)]
pub struct Word<'a> {
    /// The number.
    pub number: u64,
    /// Its name.
    #[serde(borrow)]
    pub name: Option<Cow<'a, str>>,
}

/// What the policy said.
#[derive(Debug, Clone, Deserialize)]
pub struct Verdict<'a> {
    /// `not_judged`, `allow`, `warn` or `deny`.
    #[serde(borrow)]
    pub action: Cow<'a, str>,
    /// Whether it was carried out.
    pub enforced: bool,
    /// The rule that decided.
    #[serde(borrow)]
    pub rule: Option<Cow<'a, str>>,
    /// Why it stands in the policy.
    #[serde(borrow)]
    pub reason: Option<Cow<'a, str>>,
    /// What to do instead.
    #[serde(borrow)]
    pub remedy: Option<Cow<'a, str>>,
    /// Who is held.
    #[serde(borrow)]
    pub quarantine: Option<Quarantine<'a>>,
}

/// A quarantine.
#[derive(Debug, Clone, Deserialize)]
pub struct Quarantine<'a> {
    /// `session` or `process`.
    #[serde(borrow)]
    pub of: Cow<'a, str>,
    /// RFC 3339, UTC; none where nobody is held.
    #[serde(borrow)]
    pub until: Option<Cow<'a, str>>,
}

/// A key.
#[derive(Debug, Clone, Deserialize)]
pub struct Key<'a> {
    /// Its handle.
    pub handle: u64,
    /// `CKA_LABEL`.
    #[serde(borrow)]
    pub label: Option<Cow<'a, str>>,
    /// `CKA_ID`, hexadecimal.
    #[serde(borrow)]
    pub id: Option<Cow<'a, str>>,
}

/// What the policy adds to a template.
#[derive(Debug, Clone, Deserialize)]
pub struct Hardened<'a> {
    /// Whether it was added.
    pub applied: bool,
    /// The attributes.
    #[serde(borrow)]
    pub attributes: Vec<Added<'a>>,
}

/// An attribute that is added.
#[derive(Debug, Clone, Deserialize)]
pub struct Added<'a> {
    /// `CKA_…`.
    #[serde(borrow)]
    pub name: Option<Cow<'a, str>>,
    /// A truth value or a date.
    pub value: Option<Value>,
}

/// A process.
#[derive(Debug, Clone, Deserialize)]
pub struct Process<'a> {
    /// Its id.
    pub pid: u32,
    /// The program.
    #[serde(borrow)]
    pub exe: Option<Cow<'a, str>>,
    /// What it calls itself.
    #[serde(borrow)]
    pub comm: Option<Cow<'a, str>>,
}

/// An operation.
#[derive(Debug, Clone, Deserialize)]
pub struct Operation<'a> {
    /// The Init's mechanism.
    #[serde(borrow)]
    pub mechanism: Option<Word<'a>>,
    /// The Init's key.
    #[serde(borrow)]
    pub key: Option<Key<'a>>,
}

/// What an operation that is told as a whole adds up to.
#[derive(Debug, Clone, Deserialize)]
pub struct Folded<'a> {
    /// How many calls.
    pub calls: u64,
    /// The one that ended it.
    #[serde(borrow)]
    pub ended_by: Option<Cow<'a, str>>,
}

impl<'a> Glance<'a> {
    /// Reads the line of an event.
    ///
    /// # Errors
    /// The line is not an event as the schema has it.
    pub fn read(line: &'a [u8]) -> Result<Glance<'a>, serde_json::Error> {
        serde_json::from_slice(line)
    }

    /// How many calls the event stands for.
    pub fn calls(&self) -> u64 {
        self.folded.as_ref().map_or(u64::from(self.verdict.is_some()), |folded| folded.calls)
    }

    /// The mechanism of the call, or of the operation that it belongs to.
    pub fn mechanism(&self) -> Option<&Word<'a>> {
        self.mechanism.as_ref().or_else(|| self.operation.as_ref()?.mechanism.as_ref())
    }

    /// The key that works in the call, or in the operation that it belongs to.
    pub fn key(&self) -> Option<&Key<'a>> {
        self.key.as_ref().or_else(|| self.operation.as_ref()?.key.as_ref())
    }
}

/// The members that a control event has for itself.
pub(super) fn own_members(line: &[u8]) -> Map<String, Value> {
    let mut members: Map<String, Value> = serde_json::from_slice(line).unwrap_or_default();
    for shared in ["index", "event", "time", "time_unix_ns", "stream", "process"] {
        members.remove(shared);
    }
    members
}
