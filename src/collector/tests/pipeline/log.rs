// SPDX-License-Identifier: Apache-2.0
//! The log as the tests read it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use collector::Settings;
use ring::Producer;
use serde_json::Value;

/// Far longer than anything here takes; only what hangs ends by it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until something is so.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A private folder with settings for it.
pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) settings: Settings,
}

impl Place {
    pub(crate) fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::private(folder.path());
        Place { folder, settings }
    }

    /// The first segment of the log, which no test here fills.
    pub(crate) fn file(&self) -> PathBuf {
        self.settings.log.join("events/000000000000.jsonl")
    }

    /// The events that are whole by now; their indices are checked.
    pub(crate) fn events(&self) -> Vec<Value> {
        events(&self.file())
    }

    /// Waits for an event of this kind, of this stream.
    pub(crate) fn wait_for(&self, kind: &str, stream: [u8; 16]) -> Value {
        let mut found = None;
        until(kind, || {
            found = self
                .events()
                .into_iter()
                .find(|e| e["event"] == kind && e["stream"] == name(stream).as_str());
            found.is_some()
        });
        found.unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            super::schema::check(&self.events());
        }
    }
}

/// The whole lines of a log.
pub(crate) fn events(file: &Path) -> Vec<Value> {
    let text = std::fs::read(file).unwrap_or_default();
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let lines = text[..whole].split_inclusive(|byte| *byte == b'\n');
    let events: Vec<Value> = lines.map(|line| serde_json::from_slice(line).unwrap()).collect();
    events.iter().enumerate().for_each(|(index, event)| assert_eq!(event["index"], index as u64, "{event}"));
    events
}

/// How many calls of a stream stand in a log by now.
pub(crate) fn stored(file: &Path, stream: [u8; 16]) -> u64 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let head = format!("\"stream\":\"{}\",\"lane\"", name(stream));
    text.lines().filter(|line| line.contains("\"event\":\"call\"") && line.contains(&head)).count() as u64
}

/// A stream's name in events.
pub(crate) fn name(stream: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(stream))
}

/// What the log tells of one stream.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Lane and sequence of every stored call.
    pub(crate) stored: BTreeSet<(u64, u64)>,
    pub(crate) duplicates: u64,
    pub(crate) opened: u64,
    /// Lane and sequence of every call told as lost.
    pub(crate) lost: BTreeSet<(u64, u64)>,
    pub(crate) closed: Vec<Value>,
}

/// What the log tells of each stream.
pub(crate) fn streams(events: &[Value]) -> BTreeMap<String, Told> {
    let mut streams: BTreeMap<String, Told> = BTreeMap::new();
    for event in events {
        let Some(stream) = event["stream"].as_str() else { continue };
        let told = streams.entry(stream.to_owned()).or_default();
        match event["event"].as_str().unwrap() {
            "call" => {
                let key = (event["lane"].as_u64().unwrap(), event["sequence"].as_u64().unwrap());
                told.duplicates += u64::from(!told.stored.insert(key));
            }
            "operation" | "summary" => {
                let mut calls = 0;
                for range in event["folded"]["covers"].as_array().unwrap() {
                    let [lane, first, last] = [0, 1, 2].map(|place| range[place].as_u64().unwrap());
                    for number in first..=last {
                        told.duplicates += u64::from(!told.stored.insert((lane, number)));
                        calls += 1;
                    }
                }
                assert_eq!(event["folded"]["calls"], calls, "{event}");
            }
            "stream.opened" => told.opened += 1,
            "stream.closed" => told.closed.push(event.clone()),
            "loss" => {
                for lane in event["lanes"].as_array().unwrap() {
                    for range in lane["sequences"].as_array().into_iter().flatten() {
                        let (first, last) = (range[0].as_u64().unwrap(), range[1].as_u64().unwrap());
                        let number = lane["lane"].as_u64().unwrap();
                        (first..=last)
                            .for_each(|n| assert!(told.lost.insert((number, n)), "told twice: {event}"));
                    }
                }
            }
            _ => {}
        }
    }
    streams
}

/// Checks that a closed stream's books add up, and gives its end.
pub(crate) fn balanced(told: &Told) -> &Value {
    let [closed] = &told.closed[..] else { panic!("closed {} times: {:?}", told.closed.len(), told.closed) };
    let count = |name: &str| closed[name].as_u64().unwrap_or_else(|| panic!("no {name}: {closed}"));
    let sum =
        count("stored") + count("malformed") + count("lost") + count("unfinished") + count("unexplained");
    assert_eq!(count("attempted"), sum, "{closed}");
    assert_eq!((count("stored"), told.duplicates, told.opened), (told.stored.len() as u64, 0, 1), "{closed}");
    assert_eq!(count("unexplained"), 0, "{closed}");
    closed
}

/// Emits through both lanes in turn, and waits where there is no room, so that nothing is lost; then until all of it
/// is stored.
pub(crate) fn emit_without_loss(producer: &Producer, file: &Path, calls: u64) {
    // Half of what a small lane holds.
    const AHEAD: u64 = 400;
    for call in 1..=calls {
        assert!(super::rig::emit(producer, (call % 2) as u16));
        if call % AHEAD == 0 || call == calls {
            until("the ring being read", || stored(file, producer.stream()) == call);
        }
    }
}
