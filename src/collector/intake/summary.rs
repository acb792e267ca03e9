// SPDX-License-Identifier: Apache-2.0
//! Calls that are told by their sums: one event for all that came within a second, with a group for each session,
//! function, mechanism, key and result.

use std::collections::HashMap;
use std::sync::Arc;

use event::record::{Call, Header};
use event::{Function, mechanism, value};
use serde_json::{Map, Value, json};

use super::covers::Covers;
use super::fold::{Place, asks_again};
use crate::clock::Reading;
use crate::log::Log;
use crate::render::Utc;
use crate::stream::{OperationFacts, Stream};

/// Groups that one event may have.
const MOST: usize = 256;

/// What the calls of a group have in common.
#[derive(Debug)]
pub(super) struct Group {
    alike: Alike,
    /// The same, as the event has it.
    fields: Map<String, Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Alike {
    session: Option<u64>,
    function: Function,
    mechanism: Option<u64>,
    key: Option<u64>,
    rv: u64,
}

impl Group {
    /// The group of a call; `facts` are those of its operation.
    pub(super) fn of(call: &Call, facts: Option<&OperationFacts>) -> Group {
        let Header { function, rv, session, .. } = call.header;
        let own = call.mechanism.as_ref().map(|mechanism| mechanism.number);
        let mechanism = own.or(facts.and_then(|facts| facts.mechanism));
        let key = call.keys.first().or(facts.and_then(|facts| facts.key.as_ref()));
        let alike = Alike { session, function, mechanism, key: key.map(|key| key.handle), rv };
        let mut fields = Map::new();
        fields.insert("function".into(), function.name().into());
        fields.insert("rv".into(), word(rv, value::rv::name(rv)));
        if let Some(handle) = session {
            fields.insert("session".into(), handle.into());
        }
        if let Some(number) = mechanism {
            fields.insert("mechanism".into(), word(number, mechanism::name(number)));
        }
        if let Some(key) = key {
            let mut shown = Map::new();
            shown.insert("handle".into(), key.handle.into());
            if !key.label.bytes.is_empty() {
                shown.insert("label".into(), String::from_utf8_lossy(&key.label.bytes).into());
            }
            if !key.id.bytes.is_empty() {
                shown.insert("id".into(), crate::render::Hex(&key.id.bytes).to_string().into());
            }
            fields.insert("key".into(), shown.into());
        }
        Group { alike, fields }
    }
}

fn word(number: u64, name: Option<&str>) -> Value {
    match name {
        Some(name) => json!({ "number": number, "name": name }),
        None => json!({ "number": number }),
    }
}

/// The calls since the last event that told of them.
#[derive(Debug, Default)]
pub(super) struct Summary {
    covers: Covers,
    start: u64,
    end: u64,
    calls: u64,
    groups: HashMap<Alike, Sums>,
}

#[derive(Debug)]
struct Sums {
    group: Arc<Group>,
    calls: u64,
    size_queries: u64,
    bytes_in: u64,
    bytes_out: u64,
    /// How many took at least 2^n ticks and less than twice that, at place n.
    latency: [u64; 64],
    /// Lane and sequence of the first call, and of the slowest with its ticks.
    first: (u16, u64),
    slowest: (u16, u64, u64),
}

impl Summary {
    /// Notes a call.
    pub(super) fn add(&mut self, group: &Arc<Group>, header: &Header, place: Place) {
        self.covers.add(place.lane, header.sequence, place.position, place.now);
        self.start = if self.calls == 0 { header.start } else { self.start.min(header.start) };
        self.end = self.end.max(header.end);
        self.calls += 1;
        let at = (place.lane, header.sequence);
        let sums = self.groups.entry(group.alike).or_insert_with(|| Sums::new(group, at));
        let took = header.end.saturating_sub(header.start);
        sums.calls += 1;
        sums.latency[took.max(1).ilog2() as usize] += 1;
        if took > sums.slowest.2 {
            sums.slowest = (at.0, at.1, took);
        }
        if asks_again(header) {
            sums.size_queries += 1;
        } else {
            sums.bytes_in = sums.bytes_in.saturating_add(header.bytes_in.unwrap_or(0));
            sums.bytes_out = sums.bytes_out.saturating_add(header.bytes_out.unwrap_or(0));
        }
    }

    /// Appends what was noted to the log, if `is_due` holds for it.
    pub(super) fn tell(
        &mut self,
        is_due: impl Fn(&Covers) -> bool,
        stream: &Stream,
        reading: Reading,
        log: &mut Log,
    ) {
        if self.calls == 0 || !is_due(&self.covers) && self.groups.len() < MOST {
            return;
        }
        let mut groups: Vec<_> = self.groups.drain().map(|(_, sums)| sums).collect();
        groups.sort_by_key(|sums| sums.first);
        let ranges = self.covers.ranges().iter().map(|range| (range.lane, range.first, range.last));
        let mut fields = Map::new();
        fields.insert("since".into(), Utc(reading.utc(self.start)).to_string().into());
        fields.insert("duration_ns".into(), reading.span(self.start, self.end).into());
        let covers: Vec<_> = ranges.collect();
        fields.insert("folded".into(), json!({ "calls": self.calls, "covers": covers }));
        let groups: Vec<Value> = groups.into_iter().map(|sums| sums.shown(reading).into()).collect();
        fields.insert("groups".into(), groups.into());
        log.control("summary", &fields, Some(stream));
        self.covers.clear();
        self.calls = 0;
        self.end = 0;
    }

    /// What was noted and not told.
    pub(super) fn covers(&self) -> Option<&Covers> {
        Some(&self.covers).filter(|_| self.calls > 0)
    }
}

impl Sums {
    fn new(group: &Arc<Group>, first: (u16, u64)) -> Sums {
        Sums {
            group: Arc::clone(group),
            calls: 0,
            size_queries: 0,
            bytes_in: 0,
            bytes_out: 0,
            latency: [0; 64],
            first,
            slowest: (first.0, first.1, 0),
        }
    }

    fn shown(&self, reading: Reading) -> Map<String, Value> {
        let mut fields = self.group.fields.clone();
        fields.insert("calls".into(), self.calls.into());
        if self.size_queries > 0 {
            fields.insert("size_queries".into(), self.size_queries.into());
        }
        fields.insert("bytes_in".into(), self.bytes_in.into());
        fields.insert("bytes_out".into(), self.bytes_out.into());
        let steps = (0_u32..).zip(&self.latency).filter(|(_, calls)| **calls > 0);
        // Upper bound in nanoseconds, exclusive, and how many calls lie below it and not below the one before.
        let latency: Vec<_> =
            steps.map(|(step, calls)| (reading.span(0, 2_u64.saturating_pow(step + 1)), *calls)).collect();
        fields.insert("latency_ns".into(), json!(latency));
        let (lane, sequence, took) = self.slowest;
        fields.insert("first".into(), format!("{}/{}", self.first.0, self.first.1).into());
        fields.insert("slowest".into(), format!("{lane}/{sequence}").into());
        fields.insert("slowest_ns".into(), reading.span(0, took).into());
        fields
    }
}
