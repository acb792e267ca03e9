// SPDX-License-Identifier: Apache-2.0
//! What the collector says of itself and of a stream when they begin.

use serde_json::{Map, Value};

use super::arrival::Origin;
use super::books::Recovered;
use super::live::Live;
use crate::clock::Host;
use crate::log::Log;
use crate::render::Hex;
use crate::stream::Name;

/// That the log goes on, and what was found of it.
pub(super) fn start(log: &mut Log, host: &Host, recovered: &Recovered) {
    let Recovered { scan, rebooted, rebuilt, .. } = recovered;
    let mut fields = Map::new();
    fields.insert("version".into(), env!("CARGO_PKG_VERSION").into());
    fields.insert("boot".into(), Name(&host.boot).to_string().into());
    fields.insert("torn_bytes".into(), scan.torn.into());
    fields.insert("damaged_lines".into(), scan.damaged.into());
    fields.insert("rebooted".into(), (*rebooted).into());
    fields.insert("rebuilt".into(), (*rebuilt).into());
    if scan.damaged > 0 {
        tracing::error!(lines = scan.damaged, "lines of the log are damaged; they stay as they are");
    }
    log.control("log.opened", &fields, None);
}

/// Where a stream comes from, and what its shim said of itself.
pub(super) fn stream(log: &mut Log, live: &Live) {
    let header = live.ring.header();
    let mut fields = Map::new();
    for (field, value) in &live.stream.hello {
        let text = match std::str::from_utf8(value) {
            Ok(text) if !field.name().ends_with("_hash") => text.to_owned(),
            _ => Hex(value).to_string(),
        };
        fields.insert(field.name().into(), text.into());
    }
    let lanes =
        serde_json::json!({ "lanes": header.layout.lanes(), "lane_bytes": header.layout.lane_bytes() });
    let mut own = Map::new();
    own.insert("hello".into(), Value::Object(fields));
    own.insert("ring".into(), lanes);
    own.insert("generation".into(), header.generation.into());
    own.insert("spooled".into(), matches!(live.origin, Origin::Spooled { .. }).into());
    own.insert("start_ticks".into(), live.stream.process.start_ticks.into());
    log.control("stream.opened", &own, Some(&live.stream));
}
