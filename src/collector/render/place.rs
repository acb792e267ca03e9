// SPDX-License-Identifier: Apache-2.0
//! Where a call stands: what the record itself cannot say, because only the collector knows it.

use crate::stream::{OperationFacts, Stream};

/// Where and when a call was, and what is known of the operation that it belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Position of the event in the log, from 0.
    pub index: u64,
    /// The stream that the call came in by.
    pub stream: &'a Stream,
    /// The lane of that stream's ring.
    pub lane: u16,
    /// When the call came in, UTC nanoseconds since 1970.
    pub time_ns: u64,
    /// How long it took, nanoseconds.
    pub duration_ns: u64,
    /// What the operation's Init said, for the later calls of an operation.
    pub operation: Option<&'a OperationFacts>,
}
