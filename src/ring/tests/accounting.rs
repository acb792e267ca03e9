// SPDX-License-Identifier: Apache-2.0
//! Does every record arrive or get counted as lost? Threads, collectors that come and go, and SIGKILL.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ring::{Backing, Clock, Consumer, Frame, Generation, Lane, Layout, Producer};

const THREADS: u16 = 4;

fn producer(lanes: u16, backing: Backing<'_>) -> Producer {
    let layout = Layout::new(lanes, 65536).unwrap();
    Producer::create(layout, backing, Clock::detect(), b"", Generation::first().unwrap()).unwrap()
}

fn consumer(producer: &Producer) -> Consumer {
    Consumer::open(File::from(producer.descriptor().try_clone_to_owned().unwrap()), Backing::Memfd).unwrap()
}

/// Begins and publishes one record that can be checked: thread, sequence number, and filler derived from both.
fn emit(lane: Lane, thread: u16, frame: &mut Vec<u8>) {
    let (thread, sequence) = (u64::from(thread), lane.begin());
    frame.clear();
    frame.extend(thread.to_ne_bytes());
    frame.extend(sequence.to_ne_bytes());
    frame.resize(length(sequence), filler(thread, sequence));
    let _ = lane.publish(frame);
}

fn length(sequence: u64) -> usize {
    usize::try_from(16 + sequence % 500).unwrap()
}

fn filler(thread: u64, sequence: u64) -> u8 {
    (thread ^ sequence).to_le_bytes()[0]
}

/// The records a collector has stored, by lane and sequence number.
#[derive(Default)]
struct Store(HashSet<(u16, u64)>);

impl Store {
    /// Polls once and stores what came; refuses torn and repeated records.
    fn poll(&mut self, consumer: &mut Consumer) -> usize {
        let mut keep = |frame: Frame<'_>| {
            let word = |at: usize| u64::from_ne_bytes(frame.bytes[at..at + 8].try_into().unwrap());
            let (thread, sequence) = (word(0), word(8));
            assert_eq!(frame.bytes.len(), length(sequence));
            assert!(frame.bytes[16..].iter().all(|byte| *byte == filler(thread, sequence)), "torn");
            assert!(self.0.insert((frame.lane, sequence)), "stored twice");
        };
        consumer.poll(1 << 18, &mut keep).unwrap()
    }
}

/// `THREADS` threads emit `each` records while a collector polls; then the books must balance exactly.
fn hammer(lanes: u16, each: u64) {
    let producer = producer(lanes, Backing::Memfd);
    let (mut store, done) = (Store::default(), AtomicBool::new(false));
    let mut reader = consumer(&producer);
    thread::scope(|scope| {
        let emitters: Vec<_> = (0..THREADS)
            .map(|thread| {
                let lane = producer.lane(thread);
                scope.spawn(move || {
                    let mut frame = Vec::with_capacity(1024);
                    (0..each).for_each(|_| emit(lane, thread, &mut frame));
                })
            })
            .collect();
        let (done, store, reader) = (&done, &mut store, &mut reader);
        let collector = scope.spawn(move || {
            while !done.load(Ordering::Acquire) {
                store.poll(reader);
                reader.acknowledge().unwrap();
            }
        });
        emitters.into_iter().for_each(|emitter| emitter.join().unwrap());
        done.store(true, Ordering::Release);
        collector.join().unwrap();
    });
    while store.poll(&mut reader) != 0 {}
    let sum = |count: fn(&ring::Counters) -> u64| reader.counters().map(count).sum::<u64>();
    let (attempted, published) = (sum(|books| books.attempted), sum(|books| books.published));
    let lost = sum(ring::Counters::lost_in_all);
    println!("{lanes} lanes: emitted {attempted} stored {} lost {lost}", store.0.len());
    assert_eq!(attempted, u64::from(THREADS) * each);
    assert_eq!(published, store.0.len() as u64);
    assert_eq!(attempted, published + lost);
}

#[test]
fn threads_that_share_one_lane_lose_nothing_uncounted() {
    hammer(1, 25_000);
}

#[test]
fn threads_with_a_lane_each_lose_nothing_uncounted() {
    hammer(4, 25_000);
}

#[test]
fn more_lanes_than_threads_lose_nothing_uncounted() {
    hammer(64, 5_000);
}

#[test]
fn a_collector_that_dies_unacknowledged_is_replaced_without_loss_or_repetition() {
    let producer = producer(2, Backing::Memfd);
    let mut store = Store::default();
    let mut frame = Vec::new();
    for round in 0..200 {
        let mut reader = consumer(&producer);
        for number in 0..40 {
            emit(producer.lane(number), number, &mut frame);
        }
        if round % 2 == 0 {
            // Polled, never stored: the next collector must get it again.
            reader.poll(1 << 18, &mut |_| {}).unwrap();
        } else {
            while store.poll(&mut reader) != 0 {}
            reader.acknowledge().unwrap();
        }
    }
    assert_eq!(store.0.len(), 8_000);
}

#[test]
fn a_loud_lane_does_not_starve_a_quiet_one() {
    let producer = producer(2, Backing::Memfd);
    let (loud, quiet) = (producer.lane(0), producer.lane(1));
    while loud.publish(&[1; 4096]).is_ok() {}
    quiet.publish(&[2; 8]).unwrap();
    let mut lanes = Vec::new();
    consumer(&producer).poll(8192, &mut |frame| lanes.push(frame.lane)).unwrap();
    assert!(lanes.contains(&0) && lanes.contains(&1) && lanes.len() < 5, "{lanes:?}");
}

const VICTIM: &str = "RING_TEST_VICTIM";

#[test]
fn a_process_killed_midway_loses_no_completed_record() {
    if let Some(path) = std::env::var_os(VICTIM) {
        be_killed(Path::new(&path));
    }
    let folder = tempfile::tempdir().unwrap();
    for round in 1..=10 {
        let path = folder.path().join(format!("ring-{round}"));
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_process_killed_midway_loses_no_completed_record"])
            .env(VICTIM, &path)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut reader = loop {
            let file = OpenOptions::new().read(true).write(true).open(&path);
            match file.map(|file| Consumer::open(file, Backing::File(&path))) {
                Ok(Ok(reader)) => break reader,
                // Not there or not finished yet.
                _ => assert!(victim.try_wait().unwrap().is_none(), "the victim ended by itself"),
            }
        };
        let mut store = Store::default();
        while store.0.len() < 1_000 * round {
            store.poll(&mut reader);
            reader.acknowledge().unwrap();
        }
        victim.kill().unwrap();
        assert_eq!(victim.wait().unwrap().signal(), Some(libc::SIGKILL));
        reader.producer_is_dead();
        while store.poll(&mut reader) != 0 {}
        let sum = |count: fn(&ring::Counters) -> u64| reader.counters().map(count).sum::<u64>();
        let (attempted, published) = (sum(|books| books.attempted), sum(|books| books.published));
        let (stored, lost) = (store.0.len() as u64, sum(ring::Counters::lost_in_all));
        let under_way = u64::from(THREADS);
        println!("round {round}: emitted {attempted} stored {stored} lost {lost}");
        // A record may be committed and not yet counted, or begun and not yet committed: one per thread at most.
        assert!(published <= stored && stored <= published + under_way);
        assert!(stored + lost <= attempted && attempted <= stored + lost + under_way);
    }
}

/// Publishes from threads that share two lanes until the parent ends it.
fn be_killed(path: &Path) -> ! {
    let producer = producer(2, Backing::File(path));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let lane = producer.lane(thread);
            scope.spawn(move || {
                let mut frame = Vec::with_capacity(1024);
                loop {
                    emit(lane, thread, &mut frame);
                }
            });
        }
    });
    unreachable!("the threads never end")
}
