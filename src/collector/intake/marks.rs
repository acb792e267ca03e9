// SPDX-License-Identifier: Apache-2.0
//! The event that a note ends with: how far each stream had come, so that what the note proves can be held against
//! what the applications did. It is the last leaf that the note covers, and is proved like any other event.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use rustix::time::ClockId;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::account::{Account, by_name};
use crate::clock::nanoseconds;
use crate::log::{Log, Seals};
use crate::render::Hex;
use crate::stream::Name;

/// How often a log in which nothing happens is sealed: so that its silence is proved as well.
const QUIET: Duration = Duration::from_secs(10);

/// What was told by the last such event.
#[derive(Debug)]
pub(super) struct Marks {
    boot: String,
    /// Frames and losses of each stream.
    told: HashMap<[u8; 16], (u64, u64)>,
    /// The log's end behind it.
    end: u64,
    at: Instant,
}

impl Marks {
    /// For a collector that starts now.
    pub(super) fn new(boot: &[u8; 16], now: Instant) -> Marks {
        Marks { boot: Name(boot).to_string(), told: HashMap::new(), end: 0, at: now }
    }

    /// Appends the event, if the note before is made and there is something to seal, or it is time. The size to seal
    /// once the batch is durable.
    pub(super) fn tell<'a>(
        &mut self,
        log: &mut Log,
        seals: &Seals,
        now: Instant,
        last: bool,
        accounts: impl Iterator<Item = (&'a [u8; 16], Cow<'a, Account>)>,
    ) -> Option<u64> {
        let (latest, is_done) = seals.latest();
        let due = log.next_index() > self.end || now.saturating_duration_since(self.at) >= QUIET;
        if !(last || due && is_done) {
            return None;
        }
        let mut fields = Map::new();
        if !latest.note.is_empty() {
            let hash = Hex(&Sha256::digest(latest.note.as_bytes())).to_string();
            fields.insert("previous".into(), json!({ "sha256": hash, "size": latest.size }));
        }
        fields.insert("epoch".into(), latest.epoch.into());
        fields.insert("boot".into(), self.boot.clone().into());
        fields.insert("monotonic_ns".into(), nanoseconds(ClockId::Monotonic).into());
        let mut told = HashMap::new();
        let mut streams = Vec::new();
        for (id, account) in accounts {
            let sum = |each: &dyn Fn(&super::lanes::Lane) -> u64| {
                account.lanes.iter().map(each).fold(0, u64::saturating_add)
            };
            let state = (sum(&|lane| lane.received()), sum(&|lane| lane.reported.iter().sum()));
            if self.told.get(id) != Some(&state) {
                streams.push(stream(id, &account));
            }
            told.insert(*id, state);
        }
        fields.insert("streams".into(), streams.into());
        log.control("checkpoint", &fields, None);
        (self.told, self.end, self.at) = (told, log.next_index(), now);
        Some(self.end)
    }
}

/// How far a stream has come.
fn stream(id: &[u8; 16], account: &Account) -> Value {
    let lanes =
        account.lanes.iter().enumerate().filter(|(_, lane)| lane.received() > 0 || !lane.reported.is_empty());
    let lanes = lanes.map(|(number, lane)| {
        let mut mark = Map::new();
        mark.insert("lane".into(), number.into());
        mark.insert("sequence".into(), lane.seen.high().into());
        mark.insert("stored".into(), lane.stored.into());
        mark.insert("malformed".into(), lane.malformed.into());
        mark.insert("lost".into(), Value::Object(by_name(&lane.reported)));
        Value::Object(mark)
    });
    json!({ "stream": Name(id).to_string(), "lanes": lanes.collect::<Vec<_>>() })
}
