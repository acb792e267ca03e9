// SPDX-License-Identifier: Apache-2.0
//! What is known of a stream beyond its ring: the part that must survive the collector. It is written down each
//! second (books.rs) and brought up to date from the log after a crash.

use ring::Counters;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::lanes::{Again, Lane};
use crate::log::Head;
use crate::stream::Process;

/// Lanes that a ring may have.
const MOST_LANES: u16 = 64;

/// A stream as the log tells of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) process: Process,
    pub(crate) lanes: Vec<Lane>,
    /// The log tells of its end; its ring may still lie somewhere.
    pub(crate) closed: bool,
}

/// The part of an event that the books need.
#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    lanes: Vec<LaneLoss>,
    process: Option<Who>,
    start_ticks: Option<u64>,
    folded: Option<Folded>,
}

/// Which calls an event tells of: lane, first and last number of each range.
#[derive(Deserialize)]
struct Folded {
    covers: Vec<(u16, u64, u64)>,
}

#[derive(Deserialize)]
struct Who {
    pid: u32,
    uid: u32,
    gid: u32,
    #[serde(default)]
    claimed: bool,
}

/// What a `loss` event says of a lane.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LaneLoss {
    pub(crate) lane: u16,
    /// All losses of the lane until now, by reason.
    pub(crate) lost: Map<String, Value>,
    /// The lost sequence numbers not told before, first and last of each range, where they are certain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) sequences: Vec<(u64, u64)>,
}

impl Account {
    /// The books of a lane.
    pub(crate) fn lane(&mut self, lane: u16) -> &mut Lane {
        let place = usize::from(lane.min(MOST_LANES - 1));
        if self.lanes.len() <= place {
            self.lanes.resize_with(place + 1, Lane::default);
        }
        &mut self.lanes[place]
    }

    /// Enters an event of this stream that the log holds and the books do not.
    pub(crate) fn replay(&mut self, head: &Head<'_>, line: &[u8]) {
        match (&*head.event, head.lane) {
            ("call" | "policy.replaced" | "policy.refused", Some(number)) => {
                let lane = self.lane(number);
                lane.again.get_or_insert_default();
                lane.stored += u64::from(lane.seen.insert(head.sequence.unwrap_or(0)));
            }
            ("operation" | "summary", _) => {
                let Ok(Body { folded: Some(folded), .. }) = serde_json::from_slice(line) else { return };
                for (number, first, last) in folded.covers {
                    let lane = self.lane(number);
                    lane.again.get_or_insert_default();
                    lane.stored += lane.seen.insert_all(first, last);
                }
            }
            ("frame.malformed", Some(number)) => {
                let lane = self.lane(number);
                lane.malformed += 1;
                lane.again.get_or_insert_with(Again::default).malformed += 1;
            }
            ("loss", _) => {
                let Ok(body) = serde_json::from_slice::<Body>(line) else { return };
                for loss in body.lanes {
                    self.lane(loss.lane).lose(by_slot(&loss.lost), &loss.sequences);
                }
            }
            ("stream.opened", _) => {
                let Ok(Body { process: Some(who), start_ticks, .. }) = serde_json::from_slice(line) else {
                    return;
                };
                let Who { pid, uid, gid, claimed } = who;
                self.process = Process { pid, uid, gid, claimed, start_ticks, ..Process::default() };
            }
            ("stream.closed", _) => {
                self.closed = true;
                // Nothing asks for them again, and a log read whole has many ends.
                self.lanes = Vec::new();
            }
            _ => {}
        }
    }
}

/// Losses by the names of their reasons, those without any left out.
pub(crate) fn by_name(lost: &[u64]) -> Map<String, Value> {
    let named = lost.iter().enumerate().filter(|(_, count)| **count > 0);
    named.map(|(slot, count)| (reason(slot), (*count).into())).collect()
}

fn by_slot(lost: &Map<String, Value>) -> Vec<u64> {
    let count = |slot| lost.get(&reason(slot)).and_then(Value::as_u64).unwrap_or(0);
    (0..Counters::default().lost.len()).map(count).collect()
}

/// The name of the reason at `slot`; a newer library may have some that this program cannot name.
fn reason(slot: usize) -> String {
    ring::Loss::ALL.get(slot).map_or_else(|| format!("reason_{slot}"), |reason| reason.name().to_owned())
}
