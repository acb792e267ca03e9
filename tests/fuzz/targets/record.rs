// SPDX-License-Identifier: Apache-2.0
//! The readers of what an application publishes, on any bytes: a frame is a record or is refused, and what was read
//! of keys by their encoded form is what the whole record says.
#![no_main]

use event::record::Trace;
use event::{hello, wire};
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;

fuzz_target!(|bytes: &[u8]| {
    // What follows the frame's fixed part stands for what a ring might hold.
    let mut definitions = BTreeMap::from([(0, bytes.get(wire::HEADER..).unwrap_or_default().to_vec())]);
    if let Ok(call) = wire::decode(bytes, &mut definitions) {
        for key in &call.keys {
            let mut encoded = [0; wire::MAX_PART];
            wire::encode_key(key, &mut encoded);
            let read = wire::KeyView::read(&encoded).expect("an encoded key");
            assert_eq!((read.bits, read.curve, read.flags), (key.bits, key.curve, key.flags));
        }
    }
    assert!(hello::fields(bytes).map(|(_, value)| value.len()).sum::<usize>() <= bytes.len());
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Some(trace) = Trace::parse(text)
    {
        assert!(trace.trace_id != [0; 16] && trace.span_id != [0; 8]);
    }
});
