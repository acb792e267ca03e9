// SPDX-License-Identifier: Apache-2.0
//! loom runs the real producer and the real reader through their interleavings and every value that the orderings
//! allow: no torn frame, none lost without a count, none twice. Larger cases bound the forced thread switches.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p ring --lib --release model`

use std::collections::BTreeSet;

use loom::sync::Arc;
use loom::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use loom::sync::atomic::{AtomicU64, fence};
use loom::thread;

use crate::error::Fault;
use crate::frame::{Geometry, WORD, salt};
use crate::lane::{Control, Memory, begin, lose, publish};
use crate::layout::{TAIL_AT, index};
use crate::loss::{LOSS_SLOTS, Loss};
use crate::reader::{Medium, Reader, Scratch};

/// A lane of a few words: the copies of the kernel are relaxed loads, in no order that anybody may count on.
struct Model {
    control: Control<AtomicU64>,
    data: Vec<AtomicU64>,
    geometry: Geometry,
}

impl Memory for Model {
    type Word = AtomicU64;

    fn control(&self) -> &Control<AtomicU64> {
        &self.control
    }

    fn geometry(&self) -> Geometry {
        self.geometry
    }

    unsafe fn word(&self, offset: u64) -> &AtomicU64 {
        &self.data[index(offset / WORD)]
    }

    unsafe fn copy<const N: usize>(&self, offset: u64, words: [u64; N], bytes: &[u8]) {
        let behind = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_ne_bytes(*word));
        for (place, word) in words.into_iter().chain(behind).enumerate() {
            self.data[index(offset / WORD) + place].store(word, Relaxed);
        }
    }
}

impl Medium for Model {
    fn read(&self, at: u64, into: &mut [u8]) -> Result<(), Fault> {
        // The last word first: the worst order for a reader that trusted one copy.
        for (place, slot) in into.chunks_exact_mut(8).enumerate().rev() {
            slot.copy_from_slice(&self.data[index(at / WORD) + place].load(Relaxed).to_ne_bytes());
        }
        fence(Acquire);
        Ok(())
    }

    fn write(&self, at: u64, words: &[u64]) -> Result<(), Fault> {
        assert_eq!(at, TAIL_AT);
        fence(Release);
        self.control.tail.store(words[0], Relaxed);
        self.control.mirror.store(words[1], Relaxed);
        Ok(())
    }
}

impl Model {
    /// A lane whose next frame starts at `position`, everything before it acknowledged.
    fn new(lane_bytes: u64, position: u64) -> Model {
        let word = AtomicU64::new;
        Model {
            control: Control {
                head: word(position),
                attempted: word(0),
                published: word(0),
                seen: word(position),
                lost: [(); LOSS_SLOTS].map(|()| word(0)),
                tail: word(position),
                mirror: word(!position),
                spare: [word(0), word(0)],
            },
            data: (0..lane_bytes / WORD).map(|_| word(0)).collect(),
            geometry: Geometry { lane_bytes, salt: salt(0) },
        }
    }

    fn lost(&self) -> u64 {
        self.control.lost.iter().map(|count| count.load(Relaxed)).sum()
    }
}

/// The collector's loop over one lane, with its own memory of what it has read.
struct Collector {
    reader: Reader,
    scratch: Scratch,
    read: BTreeSet<u64>,
}

impl Collector {
    fn poll(&mut self, lane: &Model) -> usize {
        self.reader.look(lane.control.head.load(Relaxed)).unwrap();
        let read = &mut self.read;
        let mut keep = |_, body: &[u8]| {
            let words: Vec<u64> =
                body.as_chunks::<8>().0.iter().map(|word| u64::from_ne_bytes(*word)).collect();
            assert!(words.iter().all(|word| *word == words[0] && *word != 0), "torn frame");
            assert!(read.insert(words[0]), "frame read twice");
        };
        let polled = self.reader.advance(lane, 4104, false, &mut self.scratch, &mut keep).unwrap();
        self.reader.acknowledge(lane, u64::MAX).unwrap();
        polled
    }
}

/// `producers` threads publish `frames` bodies of `words` words each while the collector polls `polls` times.
fn run(lane_bytes: u64, position: u64, producers: u64, frames: u64, words: usize, polls: usize) {
    let lane = Arc::new(Model::new(lane_bytes, position));
    let threads: Vec<_> = (0..producers)
        .map(|producer| {
            let lane = Arc::clone(&lane);
            thread::spawn(move || {
                for frame in 0..frames {
                    begin(&*lane);
                    let word: u64 = (1 + producer) << 32 | frame;
                    let _ = publish(&*lane, [word], &word.to_ne_bytes().repeat(words - 1));
                }
            })
        })
        .collect();
    let reader = Reader::new(lane.geometry, 0, 0, position);
    let mut collector = Collector { reader, scratch: Scratch::default(), read: BTreeSet::new() };
    // A thread of its own: loom does not preempt the first one at its loads.
    let polled = Arc::clone(&lane);
    let polling = thread::spawn(move || {
        for _ in 0..polls {
            collector.poll(&polled);
        }
        collector
    });
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let mut collector = polling.join().unwrap();
    while collector.poll(&lane) != 0 {}
    let read = collector.read.len() as u64;
    assert_eq!(lane.control.attempted.load(Relaxed), producers * frames);
    assert_eq!(lane.control.published.load(Relaxed), read);
    assert_eq!(producers * frames, read + lane.lost());
    // With room for everything nothing may be lost.
    let span = WORD * (1 + words as u64);
    if producers * frames * span + lane.geometry.bytes_to_end(position) % span <= lane_bytes {
        assert_eq!(lane.lost(), 0);
    }
}

/// Every execution with at most `preemptions` forced switches between threads.
fn check(preemptions: usize, execution: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(execution);
}

#[test]
fn two_producers_on_one_lane() {
    check(2, || run(64, 0, 2, 1, 2, 1));
}

#[test]
fn two_producers_across_the_end_of_the_lane() {
    check(2, || run(64, 48, 2, 1, 2, 1));
}

#[test]
fn one_producer_reuses_what_was_acknowledged() {
    loom::model(|| run(16, 0, 1, 3, 1, 2));
}

#[test]
fn one_producer_reuses_across_the_end_of_the_lane() {
    check(2, || run(64, 48, 1, 3, 2, 2));
}

#[test]
fn two_producers_compete_for_the_last_room() {
    check(3, || run(16, 0, 2, 1, 1, 1));
}

#[test]
fn two_producers_reuse_what_was_acknowledged() {
    check(2, || run(16, 0, 2, 2, 1, 1));
}

#[test]
fn losses_of_two_threads_are_both_counted() {
    loom::model(|| {
        let lane = Arc::new(Model::new(64, 0));
        let other = Arc::clone(&lane);
        let thread = thread::spawn(move || lose(&*other, Loss::Sampled));
        lose(&*lane, Loss::Sampled);
        thread.join().unwrap();
        assert_eq!(lane.lost(), 2);
    });
}
