// SPDX-License-Identifier: Apache-2.0
//! What the collector itself has to say: streams that come and go, losses, refusals.

use serde_json::{Map, Value};

use super::json::object;
use super::object::Hex;
use super::time::Utc;
use super::who::Process;
use crate::stream::Stream;

/// Appends a control event of the kind `name`, as [`super::Form::fill`] does for calls. `fields` are its own members.
pub fn control(
    out: &mut Vec<u8>,
    index: u64,
    time_ns: u64,
    name: &str,
    fields: &Map<String, Value>,
    stream: Option<&Stream>,
) {
    object(out, |o| {
        o.put("index", index);
        o.put("event", name);
        o.put("time", Utc(time_ns));
        o.put("time_unix_ns", time_ns);
        if let Some(stream) = stream {
            o.put("stream", Hex(&stream.id));
            o.put("process", Process(&stream.process));
        }
        fields.iter().for_each(|(name, value)| o.put(name, value));
    });
    out.push(b'\n');
}
