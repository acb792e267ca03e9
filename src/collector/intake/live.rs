// SPDX-License-Identifier: Apache-2.0
//! A stream whose ring is at hand: its frames become events, its losses are told, and its end is recognised.

use std::borrow::Cow;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ring::{Consumer, Corrupt, Counters};
use rustix::net::RecvFlags;
use serde_json::{Map, Value, json};

use super::account::{Account, LaneLoss, by_name};
use super::arrival::{Connection, Origin};
use super::covers::Covers;
use super::entry::Desk;
use super::forms::Forms;
use super::identity::has_ended;
use super::lanes::{Lane, Totals};
use super::operations::Operations;
use super::packet::{ready, receive};
use super::quota::Ticket;
use super::summary::Summary;
use crate::clock::Reading;
use crate::log::Log;
use crate::stream::Stream;

/// How long losses wait for the calls under way, which could still fill the holes, until they are told by count.
const UNDER_WAY: Duration = Duration::from_secs(5);
/// Sequence numbers of calls without an outcome that a `stream.closed` names.
const NAMED: usize = 64;

/// The part of a lane that may be held for calls of which no event tells yet: one of so many.
const HELD: u64 = 4;

/// A stream and everything that belongs to it.
pub(crate) struct Live {
    pub(crate) stream: Arc<Stream>,
    pub(crate) account: Account,
    pub(crate) ring: Consumer,
    pub(crate) definitions: Definitions,
    pub(crate) reading: Reading,
    pub(crate) inode: (u64, u64),
    pub(crate) origin: Origin,
    pub(crate) connection: Option<Connection>,
    pub(crate) life: Option<OwnedFd>,
    pub(crate) operations: Operations,
    pub(crate) summary: Summary,
    /// How far each lane was filled when the ring came: up to there its frames may stand in the log.
    pub(crate) old: Option<Vec<u64>>,
    /// How far each lane is read.
    pub(crate) reached: Vec<u64>,
    pub(crate) _ticket: Ticket,
    /// Its process is dead: nothing more is written to the ring.
    pub(crate) dead: bool,
    /// The counters when losses were last looked at.
    pub(crate) before: Vec<Counters>,
    /// Since when there are losses that were not told.
    pub(crate) untold: Option<Instant>,
}

/// What came out of the rings.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Haul {
    pub(crate) frames: usize,
    /// A lane held half of what it can, or of what is read of it at a time: the next look at it must come soon.
    pub(crate) pressed: bool,
}

impl Live {
    /// Appends about `share` bytes of frames to the log.
    pub(crate) fn read(&mut self, forms: &mut Forms, log: &mut Log, share: usize, now: Instant) -> Haul {
        if self.old.is_none() {
            self.begin(log);
        }
        let Live { ring, definitions, stream, account, operations, summary, reading, old, reached, .. } =
            self;
        let layout = ring.header().layout;
        let much = (share as u64 / u64::from(layout.lanes())).min(layout.lane_bytes()) / 2;
        let mut haul = Haul::default();
        let (mut lane, mut bytes) = (0, 0);
        let old = old.as_deref().unwrap_or_default();
        let mut desk = Desk { stream, account, operations, summary, reading: *reading, now, old, log };
        let polled = ring.poll(share, &mut |frame| {
            // Frames come lane by lane.
            bytes = if frame.lane == lane { bytes } else { 0 } + frame.bytes.len() as u64;
            lane = frame.lane;
            haul.frames += 1;
            haul.pressed |= bytes > much;
            if let Some(reached) = reached.get_mut(usize::from(frame.lane)) {
                *reached = frame.position;
            }
            desk.take(frame, forms, definitions);
        });
        if let Err(corrupt) = polled {
            self.is_corrupt(corrupt, log);
        }
        haul
    }

    /// Notes what the ring holds already: all of it, if the log tells of none of it yet.
    fn begin(&mut self, log: &mut Log) {
        if let Err(corrupt) = self.ring.refresh() {
            self.is_corrupt(corrupt, log);
        }
        self.old = Some(self.ring.heads().collect());
        self.reached = vec![0; self.ring.heads().len()];
        for lane in &mut self.account.lanes {
            lane.again.get_or_insert_default();
        }
    }

    /// Tells of the operations that have waited long enough, or for whose calls a lane must hold too much.
    pub(crate) fn tell_due(&mut self, log: &mut Log, now: Instant) {
        let Live { ring, stream, operations, summary, reading, reached, .. } = self;
        let room = ring.header().layout.lane_bytes() / HELD;
        let is_due = |covers: &Covers| covers.are_due(now, reached, room);
        operations.tell(is_due, *reading, log);
        summary.tell(is_due, stream, *reading, log);
    }

    /// Tells of everything that was received and is not told.
    pub(crate) fn tell_all(&mut self, log: &mut Log) {
        self.operations.tell(|_| true, self.reading, log);
        self.summary.tell(|_| true, &self.stream, self.reading, log);
    }

    /// Frees what is durable.
    pub(crate) fn acknowledge(&mut self, log: &mut Log) {
        let Live { ring, operations, summary, .. } = self;
        let waiting = || operations.covers().chain(summary.covers());
        let mut end = |lane| waiting().map(|covers| covers.held(lane)).min().unwrap_or(u64::MAX);
        if let Err(corrupt) = ring.acknowledge_before(&mut end) {
            self.is_corrupt(corrupt, log);
        }
    }

    /// The account as the log tells of it: without what is received and not told.
    pub(crate) fn told(&self) -> Cow<'_, Account> {
        let mut account = Cow::Borrowed(&self.account);
        for range in self.operations.covers().chain(self.summary.covers()).flat_map(Covers::ranges) {
            account.to_mut().lane(range.lane).take_back(range);
        }
        account
    }

    /// Notes that a lane, or the whole ring, is not read any more.
    pub(crate) fn is_corrupt(&self, corrupt: Corrupt, log: &mut Log) {
        tracing::error!(stream = %self.stream.name(), pid = self.stream.process.pid, %corrupt, "a ring is corrupt");
        let mut fields = Map::new();
        if let Some(lane) = corrupt.lane {
            fields.insert("lane".into(), lane.into());
        }
        fields.insert("position".into(), corrupt.position.into());
        fields.insert("error".into(), corrupt.fault.to_string().into());
        log.control("ring.corrupt", &fields, Some(&self.stream));
    }

    /// Looks whether the process still lives, and at what its header says.
    pub(crate) fn look(&mut self, log: &mut Log) {
        if let Err(corrupt) = self.ring.refresh() {
            self.is_corrupt(corrupt, log);
        }
        if self.connection.as_ref().is_some_and(|connection| hung_up(&connection.socket)) {
            self.connection = None;
        }
        // A connection tells of the process only where nothing better does: applications close what they do not know.
        let ended = match &self.life {
            Some(life) => has_ended(life),
            None => self.connection.is_none(),
        };
        if ended && !self.dead {
            self.dead = true;
            self.ring.producer_is_dead();
        }
    }

    /// Whether all is read: `frames` came with the last poll.
    pub(crate) fn end(&self, frames: usize) -> Option<&'static str> {
        if frames > 0 {
            None
        } else if self.dead {
            Some("process ended")
        } else if self.ring.is_closed() {
            let at_rest = |(lane, counters): (&Lane, &Counters)| {
                counters.attempted == lane.received().saturating_add(counters.lost_in_all())
            };
            let idle = |counters: &Counters| counters.attempted == 0;
            let lanes = &self.account.lanes;
            (lanes.iter().zip(self.ring.counters()).all(at_rest)
                && self.ring.counters().skip(lanes.len()).all(idle))
            .then_some("closed")
        } else {
            None
        }
    }

    /// Tells of losses that were not told: their numbers as soon as those are certain, else after a while their count.
    pub(crate) fn tell_losses(&mut self, log: &mut Log, last: bool) {
        let now: Vec<Counters> = self.ring.counters().copied().collect();
        let before = std::mem::replace(&mut self.before, now.clone());
        let before = if last { now.clone() } else { before };
        let overdue = last || self.untold.is_some_and(|since| since.elapsed() > UNDER_WAY);
        let mut told = Vec::new();
        let mut waiting = false;
        for (number, (before, now)) in (0_u16..).zip(before.iter().zip(&now)) {
            let lost = before.lost_in_all();
            if lost == 0 {
                continue;
            }
            let lane = self.account.lane(number);
            let sequences = lane.lost_numbers(lost, now.attempted).unwrap_or_default();
            if sequences.is_empty() && !lane.has_grown(before) {
                continue;
            }
            if sequences.is_empty() && !overdue {
                waiting = true;
                continue;
            }
            lane.lose(before.lost.to_vec(), &sequences);
            told.push(LaneLoss { lane: number, lost: by_name(&before.lost), sequences });
        }
        self.untold = if waiting { self.untold.or_else(|| Some(Instant::now())) } else { None };
        if !told.is_empty() {
            let exact = told.iter().all(|lane| !lane.sequences.is_empty());
            let total = self
                .account
                .lanes
                .iter()
                .flat_map(|lane| &lane.reported)
                .fold(0, |sum: u64, n| sum.saturating_add(*n));
            tracing::warn!(stream = %self.stream.name(), pid = self.stream.process.pid, total, "records were lost");
            let mut fields = Map::new();
            fields.insert("total".into(), total.into());
            fields.insert("exact".into(), exact.into());
            fields.insert("lanes".into(), serde_json::to_value(told).unwrap_or_default());
            log.control("loss", &fields, Some(&self.stream));
        }
    }

    /// Appends the stream's end with what became of its calls.
    pub(crate) fn close(&mut self, reason: &str, log: &mut Log) {
        self.tell_all(log);
        self.tell_losses(log, true);
        let counters: Vec<Counters> = self.ring.counters().copied().collect();
        let mut totals = Totals::default();
        let mut lost = Counters::default().lost;
        let mut open = Vec::new();
        for (number, counters) in (0_u16..).zip(&counters) {
            if counters.attempted == 0 && usize::from(number) >= self.account.lanes.len() {
                continue;
            }
            let lane = self.account.lane(number);
            lane.seen.reach(counters.attempted);
            totals = totals.and(Totals::of(lane, counters));
            lost.iter_mut().zip(counters.lost).for_each(|(sum, count)| *sum = sum.saturating_add(count));
            let each = lane.seen.missing().flat_map(|(first, last)| first..=last);
            open.extend(each.take(NAMED - open.len().min(NAMED)).map(|sequence| json!([number, sequence])));
        }
        let mut fields = Map::new();
        fields.insert("reason".into(), reason.into());
        for (name, count) in [
            ("attempted", totals.attempted),
            ("stored", totals.stored),
            ("malformed", totals.malformed),
            ("lost", totals.lost),
            ("unfinished", totals.unfinished),
            ("unexplained", totals.unexplained),
        ] {
            fields.insert(name.into(), count.into());
        }
        fields.insert("lost_by_reason".into(), Value::Object(by_name(&lost)));
        // Lane and sequence of calls that are neither stored nor told as lost.
        fields.insert("missing".into(), open.into());
        if totals.unexplained > 0 {
            tracing::error!(
                stream = %self.stream.name(), pid = self.stream.process.pid, unexplained = totals.unexplained,
                "calls are missing that nothing explains"
            );
        }
        log.control("stream.closed", &fields, Some(&self.stream));
        self.account.closed = true;
    }
}

/// What the frames of a stream speak of by place.
pub(crate) struct Definitions(pub(crate) ring::Definitions);

impl event::wire::Definitions for Definitions {
    fn find(&mut self, place: u64) -> Option<&[u8]> {
        self.0.find(place)
    }
}

/// Whether the other end of a connection is gone. Whatever else comes is thrown away.
fn hung_up(socket: &OwnedFd) -> bool {
    ready(socket, Duration::ZERO)
        && receive(socket.as_fd(), 64, RecvFlags::DONTWAIT).map_or_else(
            |e| e.kind() != std::io::ErrorKind::WouldBlock,
            |packet| packet.bytes.is_empty() && !packet.cut,
        )
}
