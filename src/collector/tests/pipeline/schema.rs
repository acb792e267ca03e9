// SPDX-License-Identifier: Apache-2.0
//! Whatever a test makes a collector write must fit the schema of events.

use std::sync::LazyLock;

use collector::render::SCHEMA;
use jsonschema::Validator;
use serde_json::Value;

static VALIDATOR: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).unwrap());

/// Holds every event of the collector's own against the schema, and the first of the calls, which are all alike.
pub(crate) fn check(events: &[Value]) {
    let is_call = |event: &&Value| event["event"] == "call";
    let own = events.iter().filter(|event| !is_call(event));
    for event in own.chain(events.iter().filter(is_call).take(10)) {
        assert!(VALIDATOR.is_valid(event), "does not fit the schema: {event}");
    }
}
