// SPDX-License-Identifier: Apache-2.0
//! Guards: a collector takes 100,000 calls a second out of the rings, makes every event durable, and has a signed note over
//! all of them, with a signer of its own, on two cores. A producer runs on the same machine meanwhile.

#[path = "../src/collector/tests/pipeline/rig.rs"]
#[allow(dead_code, reason = "shared with the tests of the collector")]
mod rig;

use std::path::Path;
use std::time::{Duration, Instant};

use collector::proof::{Checkpoint, Note};
use collector::{Collector, Settings};
use ring::{Backing, Clock, Generation, Layout, Producer};

const EVENTS: u32 = 1_000_000;
const LANES: u16 = 4;

fn main() {
    // Only what is measured is run under `cargo test`.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    for round in 0..3 {
        let folder = tempfile::tempdir().expect("a folder");
        let program = Some(harness::artifacts::p11guard().into());
        let settings =
            Settings { keys: Some(folder.path().join("keys")), program, ..Settings::private(folder.path()) };
        let log = settings.log.clone();
        let attach = settings.attach.clone();
        let collector = Collector::start(settings).expect("a collector");
        let layout = Layout::new(LANES, 8 << 20).expect("a layout");
        let generation = Generation::first().expect("a generation");
        let producer =
            Producer::create(layout, Backing::Memfd, Clock::detect(), &[], generation).expect("a ring");
        let connection = rig::attach(&producer, &attach).expect("attached");
        let before = sealed(&log);
        let started = Instant::now();
        for lane in (0..LANES).cycle().take(EVENTS as usize) {
            // One that found no room is counted as lost by the ring, and made again until it is stored.
            while !rig::emit(&producer, lane) {
                std::thread::sleep(Duration::from_micros(200));
            }
        }
        while sealed(&log) < before + u64::from(EVENTS) {
            std::thread::sleep(Duration::from_millis(1));
        }
        let took = started.elapsed();
        drop(connection);
        collector.stop().expect("stored");
        let bytes: u64 = std::fs::read_dir(log.join("events"))
            .expect("segments")
            .flatten()
            .map(|e| e.metadata().map_or(0, |m| m.len()))
            .sum();
        let notes =
            std::fs::read_to_string(log.join("checkpoints")).map_or(0, |notes| notes.matches("\n\n").count());
        println!(
            "round {round}: {EVENTS} events of {} bytes durable and under a signed note in {took:.2?}: {:.0} events/s, {notes} notes",
            bytes / u64::from(EVENTS),
            f64::from(EVENTS) / took.as_secs_f64()
        );
    }
}

/// Events under the newest note.
fn sealed(log: &Path) -> u64 {
    let note = std::fs::read_to_string(log.join("checkpoint")).unwrap_or_default();
    Note::parse(&note).ok().and_then(|note| Checkpoint::parse(&note.text).ok()).map_or(0, |said| said.size)
}
