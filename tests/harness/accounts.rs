// SPDX-License-Identifier: Apache-2.0
//! The books of a log: which calls of which stream are in it, and what the closing of each stream says. It reads the
//! log as it grows and finds duplicates and gaps by itself, without the collector's word for it.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use serde_json::Value;

use crate::lines::Lines;

/// What the log says of one stream.
#[derive(Debug, Default)]
pub struct Account {
    /// Lane and sequence of every call stored.
    pub calls: HashSet<(u16, u64)>,
    /// The `stream.closed` line, once there is one.
    pub closed: Option<Value>,
}

impl Account {
    /// A total of the closing line.
    #[track_caller]
    pub fn total(&self, name: &str) -> u64 {
        let closed = self.closed.as_ref().expect("the stream is closed");
        closed[name].as_u64().unwrap_or_else(|| panic!("no total `{name}` in {closed}"))
    }
}

/// The books.
#[derive(Debug)]
pub struct Accounts {
    log: Lines,
    lines: u64,
    /// Events of one call each.
    pub singles: u64,
    /// Events of operations.
    pub wholes: u64,
    /// By stream; without those that were given up unused, because the collector died as they were handed to it.
    pub streams: BTreeMap<String, Account>,
}

impl Accounts {
    /// The books of the log with these segments, empty.
    pub fn new(events: PathBuf) -> Accounts {
        Accounts { log: Lines::new(events), lines: 0, singles: 0, wholes: 0, streams: BTreeMap::new() }
    }

    /// Reads what the log has gained; returns how many streams are closed.
    ///
    /// # Panics
    /// Where a line is missing, twice there, or not what the log promises.
    pub fn update(&mut self) -> usize {
        self.log.read().lines().for_each(|line| self.line(line));
        self.streams.values().filter(|account| account.closed.is_some()).count()
    }

    /// Holds every stream against its closing line: attempted = stored + lost, nothing twice, nothing unexplained.
    /// Returns the sums of attempted, stored and lost.
    ///
    /// # Panics
    /// Where an account does not balance.
    pub fn balance(&self) -> [u64; 3] {
        let mut sums = [0; 3];
        for (stream, account) in &self.streams {
            let [attempted, stored, lost, unfinished, unexplained, malformed] =
                ["attempted", "stored", "lost", "unfinished", "unexplained", "malformed"]
                    .map(|name| account.total(name));
            let closed = account.closed.as_ref();
            assert_eq!(account.calls.len() as u64, stored, "{stream}: lines in the log and {closed:?}");
            assert_eq!((unexplained, malformed, unfinished), (0, 0, 0), "{stream}: {closed:?}");
            assert_eq!(attempted, stored + lost, "{stream}: {closed:?}");
            let mut lanes: BTreeMap<u16, u64> = BTreeMap::new();
            for (lane, sequence) in &account.calls {
                let high = lanes.entry(*lane).or_default();
                *high = (*high).max(*sequence);
            }
            assert!(lanes.values().sum::<u64>() <= attempted, "{stream}: numbers beyond what was attempted");
            if lost == 0 {
                assert_eq!(lanes.values().sum::<u64>(), stored, "{stream}: a gap that no loss explains");
            }
            [attempted, stored, lost].into_iter().zip(&mut sums).for_each(|(one, sum)| *sum += one);
        }
        sums
    }

    fn line(&mut self, line: &str) {
        // Calls are most of a long log: their first members stand at known places.
        let start = format!("{{\"index\":{},\"event\":\"", self.lines);
        let rest = line
            .strip_prefix(&start)
            .unwrap_or_else(|| panic!("line {} is not the next: {line}", self.lines));
        self.lines += 1;
        if let Some(call) = rest.strip_prefix("call\",\"id\":\"") {
            self.singles += 1;
            let id = call.split('"').next().unwrap_or_default();
            let mut parts = id.split('/');
            let stream = parts.next().unwrap_or_default();
            let lane = parts.next().and_then(|part| part.parse().ok());
            let sequence = parts.next().and_then(|part| part.parse().ok());
            let (Some(lane), Some(sequence)) = (lane, sequence) else { panic!("no id in {line}") };
            if !self.streams.contains_key(stream) {
                self.streams.insert(stream.to_owned(), Account::default());
            }
            let account = self.streams.get_mut(stream).expect("it was just put there");
            assert!(account.calls.insert((lane, sequence)), "twice in the log: {line}");
        } else if rest.starts_with("operation") || rest.starts_with("summary") {
            self.wholes += 1;
            let event: Value = serde_json::from_str(line).expect("a line of JSON");
            let stream = event["stream"].as_str().expect("a stream").to_owned();
            let account = self.streams.entry(stream).or_default();
            let before = account.calls.len();
            for range in event["folded"]["covers"].as_array().expect("the calls it stands for") {
                let number = |place: usize| range[place].as_u64().expect("a number");
                let lane = u16::try_from(number(0)).expect("a lane");
                for sequence in number(1)..=number(2) {
                    assert!(account.calls.insert((lane, sequence)), "twice in the log: {line}");
                }
            }
            assert_eq!(event["folded"]["calls"], account.calls.len() - before, "{line}");
        } else if rest.starts_with("stream.closed") {
            let closed: Value = serde_json::from_str(line).expect("a line of JSON");
            if closed["attempted"] == 0 {
                return;
            }
            let stream = closed["stream"].as_str().expect("a stream").to_owned();
            let account = self.streams.entry(stream).or_default();
            assert!(account.closed.is_none(), "closed twice: {line}");
            account.closed = Some(closed);
        }
    }
}
