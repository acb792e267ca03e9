// SPDX-License-Identifier: Apache-2.0
//! Gets records out: stamps them and publishes them into this process's ring. On the way of a call there is no
//! system call, lock, allocation or thread; at most once a second, one call looks after the collector.
#![allow(unsafe_code)]

mod collector;
mod definitions;

use event::Function;
use event::record::{Header, Verdict};
use event::wire::{Frame, MAX_SECTIONS};
use parking_lot::Mutex;
use policy::Counters;
use ring::{Backing, Clock, Generation, Lane, Layout, Loss, Producer, Triple};
use std::mem::MaybeUninit;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crate::facts::Facts;
use crate::in_force::Source;
use crate::memory::Memory;
use crate::quarantine::Quarantine;
use crate::thread::{self, Thread};
use collector::Connection;
pub(crate) use collector::keeping_errno;
use definitions::Definitions;

/// Where records of this process go.
pub(crate) struct Recorder {
    producer: Producer,
    /// The ring lies in a sealed memory file that a collector can be given; else in a spool file, which it finds.
    memory: bool,
    clock: Clock,
    generation: Generation,
    /// Tells this recorder from every other that a thread may have published through.
    number: u64,
    lanes: Box<[Lane]>,
    next_lane: AtomicUsize,
    facts: Facts,
    definitions: Definitions,
    remembered: Memory,
    counters: Mutex<Counters>,
    quarantine: Quarantine,
    connection: Connection,
    ticks_per_second: u64,
    /// When some call looks after the collector next, ticks.
    next_look: AtomicU64,
    looking: AtomicBool,
}

/// Where a record stands.
#[derive(Clone, Copy)]
pub(crate) struct Place<'r> {
    lane: Option<&'r Lane>,
    pub(crate) number: u16,
    pub(crate) sequence: u64,
    pub(crate) thread: u32,
    pub(crate) start: u64,
}

impl Place<'_> {
    /// No ring: the call goes on, unrecorded.
    pub(crate) const NOWHERE: Place<'static> =
        Place { lane: None, number: 0, sequence: 0, thread: 0, start: 0 };
}

/// What a ring is made from.
pub(crate) struct Plan<'a> {
    pub(crate) layout: Layout,
    pub(crate) socket: &'a Path,
    pub(crate) spool: Option<&'a Path>,
    pub(crate) hello: &'a [u8],
    pub(crate) clock: Clock,
}

impl Recorder {
    /// A ring for this process, handed to the collector; where there is none, in the spool folder. None where the
    /// system gives no memory for one. `before` is the parent's after a fork.
    pub(crate) fn create(plan: &Plan<'_>, before: Option<&Recorder>, number: u64) -> Option<Recorder> {
        let generation = before.map_or_else(Generation::first, |parent| parent.generation.next()).ok()?;
        let make = |backing: Backing<'_>| {
            Producer::create(plan.layout, backing, plan.clock, plan.hello, generation).ok()
        };
        let connection = Connection::new(plan.socket);
        let in_memory = make(Backing::Memfd);
        let handed_over = in_memory.as_ref().filter(|ring| connection.hand_over(ring));
        // The tables are made while the collector wakes up.
        let facts = Facts::new(before.is_some())?;
        // A ring that was sent and not taken in would be gone with the two processes, and nobody would know of it.
        let taken_in = handed_over.is_some_and(collector::takes_in);
        let in_spool =
            || plan.spool.and_then(|spool| make(Backing::File(&spool.join(collector::spool_name()))));
        let (producer, memory) = match (in_memory, if taken_in { None } else { in_spool() }) {
            (unused, Some(in_spool)) => {
                // Whoever takes it in after all need not wait for records.
                unused.inspect(Producer::close);
                (in_spool, false)
            }
            (in_memory, None) => (in_memory?, true),
        };
        let ticks_per_second = ticks_per_second(plan.clock);
        let recorder = Recorder {
            lanes: (0..producer.lanes()).map(|lane| producer.lane(lane)).collect(),
            producer,
            memory,
            clock: plan.clock,
            generation,
            number,
            next_lane: AtomicUsize::new(0),
            facts,
            definitions: Definitions::default(),
            remembered: Memory::default(),
            counters: Mutex::default(),
            quarantine: before.map(|parent| parent.quarantine.inherited()).unwrap_or_default(),
            connection,
            ticks_per_second,
            next_look: AtomicU64::new(plan.clock.now().saturating_add(ticks_per_second)),
            looking: AtomicBool::new(false),
        };
        Some(recorder)
    }

    /// Whether this process is still the one that made the ring.
    #[inline]
    pub(crate) fn intact(&self) -> bool {
        self.generation.intact()
    }

    /// A place for the record of a call that has just come in. The number is taken before anything is decided, so that
    /// whatever is lost leaves a hole.
    #[inline]
    pub(crate) fn begin(&self) -> Place<'_> {
        let thread = thread::current(self.number, || self.join());
        let Some(lane) = self.lanes.get(usize::from(thread.lane)) else { return Place::NOWHERE };
        let sequence = lane.begin();
        Place { lane: Some(lane), number: thread.lane, sequence, thread: thread.id, start: self.clock.now() }
    }

    #[cold]
    fn join(&self) -> Thread {
        let lane = self.next_lane.fetch_add(1, Ordering::Relaxed) % self.lanes.len();
        let lane = u16::try_from(lane).unwrap_or(0);
        Thread { stream: self.number, lane, id: collector::thread_id() }
    }

    /// Ticks now.
    #[inline]
    pub(crate) fn now(&self) -> u64 {
        self.clock.now()
    }

    pub(crate) fn ticks_per_second(&self) -> u64 {
        self.ticks_per_second
    }

    #[inline]
    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.remembered
    }

    /// What the policy's rates count.
    pub(crate) fn counters(&self) -> &Mutex<Counters> {
        &self.counters
    }

    /// Who is held.
    #[inline]
    pub(crate) fn quarantine(&self) -> &Quarantine {
        &self.quarantine
    }

    /// Facts with the place of their definition in the ring before them.
    #[cold]
    pub(crate) fn define(&self, facts: &[u64]) -> Vec<u64> {
        std::iter::once(self.place_of(facts)).chain(facts.iter().copied()).collect()
    }

    /// The place of the definition of facts; that they follow where there is none.
    #[cold]
    pub(crate) fn place_of(&self, facts: &[u64]) -> u64 {
        self.definitions.place(facts, &self.producer)
    }

    /// Tells this recorder, and so its ring, from every other.
    #[inline]
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Publishes a record that was begun at `place`; what cannot be published is counted in the ring. True where it is
    /// time to look around ([`Recorder::look`]).
    #[inline]
    #[must_use]
    pub(crate) fn publish(&self, place: &Place<'_>, frame: &mut Frame<'_>, header: &Header) -> bool {
        let Some(lane) = place.lane else { return false };
        let (fixed, memory, length) = frame.finish(header);
        // SAFETY: the frame's promise: so many bytes are written.
        let bytes = unsafe { memory[..length].assume_init_ref() };
        // A loss is counted where it happens.
        let _ = lane.publish_words(fixed, bytes);
        header.end >= self.next_look.load(Ordering::Relaxed)
    }

    /// Counts a record that was begun and cannot be published.
    #[cold]
    pub(crate) fn lose(&self, place: &Place<'_>) {
        if let Some(lane) = place.lane {
            lane.lose(Loss::Internal);
        }
    }

    /// Looks after the collector: a fresh clock reading for it, and another try where it is gone; and after the policy.
    /// One call a second does this; while the collector lives and says nothing new, without a system call.
    #[cold]
    pub(crate) fn look(&self, now: u64, policy: &Source) {
        if self.looking.swap(true, Ordering::Acquire) {
            return;
        }
        self.next_look.store(now.saturating_add(self.ticks_per_second), Ordering::Relaxed);
        let triple = Triple::now(self.clock);
        self.producer.stamp(triple);
        // A spool file is found by the collector, not handed to it.
        let silent = triple.monotonic.saturating_sub(self.producer.heartbeat()) > SILENCE;
        let reload = policy.may_be_new((!silent).then(|| self.producer.policy()));
        if silent || reload {
            keeping_errno(|| {
                if silent && self.memory {
                    // Where it was not sent, a later call tries again.
                    let _ = self.connection.hand_over(&self.producer);
                }
                if reload && !self.connection.is_confined() {
                    self.tell(policy);
                }
            });
        }
        self.looking.store(false, Ordering::Release);
    }

    /// Looks for a new policy, and says what came of it among the records: who asks later why calls were judged
    /// otherwise finds the moment in the log.
    fn tell(&self, policy: &Source) {
        let Some((what, text)) = policy.look() else { return };
        let (place, mark) = (self.begin(), policy.in_force().mark(Some(self)));
        let header = Header {
            function: Function::C_Initialize,
            thread: place.thread,
            sequence: place.sequence,
            start: place.start,
            end: place.start,
            rv: 0,
            operation: 0,
            bytes_in: None,
            bytes_out: None,
            session: None,
            policy: mark.word,
            policy_defined: mark.defined,
            verdict: Verdict::NotJudged,
            enforced: false,
            size_query: false,
            truncated: false,
            degraded: false,
            answered_here: false,
            is_notice: true,
        };
        let mut room = [const { MaybeUninit::uninit() }; MAX_SECTIONS];
        let mut frame = Frame::new(&mut room[..]);
        frame.notice(what, &text);
        let _ = self.publish(&place, &mut frame, &header);
    }

    /// The application is done with the module: the last moment that is sure to come for handing over the ring.
    pub(crate) fn finalized(&self, policy: &Source) {
        self.facts.clear();
        self.quarantine.ended(|_, _| true);
        self.look(self.now(), policy);
    }
}

/// UTC seconds since 1970, as coarse as the kernel has them at hand.
pub(crate) fn utc_seconds() -> Option<u64> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live timespec.
    let known = unsafe { libc::clock_gettime(libc::CLOCK_REALTIME_COARSE, &raw mut time) } == 0;
    known.then_some(time.tv_sec.cast_unsigned())
}

/// Nanoseconds since the machine started, sleep included: what expires does so while the machine sleeps too.
pub(crate) fn boot_time() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live timespec. The clock is known since Linux 2.6.39.
    unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut time) };
    time.tv_sec.cast_unsigned().saturating_mul(1_000_000_000).saturating_add(time.tv_nsec.cast_unsigned())
}

/// A collector that gave no sign of life for so long is gone, nanoseconds.
const SILENCE: u64 = 3_000_000_000;

/// How fast the clock runs, roughly: for deadlines, not for times.
fn ticks_per_second(clock: Clock) -> u64 {
    match clock {
        Clock::Monotonic => 1_000_000_000,
        // Every processor of the last fifteen years counts between one and five of these a nanosecond.
        Clock::Tsc => 2_500_000_000,
    }
}
