// SPDX-License-Identifier: Apache-2.0
//! What the collector itself has to say: streams that come and go, losses, refusals.

use serde::{Serialize, Serializer};

use super::object::{Hex, object};
use super::time::Utc;
use super::who::Process;
use crate::stream::Stream;

/// Appends a control event of the kind `name`, as [`super::call`] does for calls. `fields` are its own members.
pub fn control(
    out: &mut Vec<u8>,
    index: u64,
    time_ns: u64,
    name: &str,
    fields: &serde_json::Map<String, serde_json::Value>,
    stream: Option<&Stream>,
) {
    // Writing to memory does not fail, and no value of an event refuses to be written.
    let _ = super::line(out, &Event { index, time_ns, name, fields, stream });
}

struct Event<'a> {
    index: u64,
    time_ns: u64,
    name: &'a str,
    fields: &'a serde_json::Map<String, serde_json::Value>,
    stream: Option<&'a Stream>,
}

impl Serialize for Event<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object(serializer, |o| {
            o.put("index", self.index)?;
            o.put("event", self.name)?;
            o.put("time", Utc(self.time_ns))?;
            o.put("time_unix_ns", self.time_ns)?;
            if let Some(stream) = self.stream {
                o.put("stream", Hex(&stream.id))?;
                o.put("process", Process(&stream.process))?;
            }
            self.fields.iter().try_for_each(|(name, value)| o.put(name, value))
        })
    }
}
