// SPDX-License-Identifier: Apache-2.0
//! The collector killed at any moment, again and again: no call twice, none gone, the totals right.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use event::Function;
use ring::{Backing, Producer};

use super::child::{Application, attached};
use super::log::{Place, balanced, name, streams, until};
use super::rig::{attach, emit, producer, visit, work};

const KILLS: u32 = 20;

struct Daemon(Child);

impl Daemon {
    fn start(config: &Path, attach: &Path) -> Daemon {
        let mut command = Command::new(env!("CARGO_BIN_EXE_p11guard"));
        command.args(["collect", "--config"]).arg(config).stdin(Stdio::null()).stdout(Stdio::null());
        let daemon = Daemon(command.env("RUST_LOG", "off").spawn().unwrap());
        until("the collector", || visit(attach).is_ok());
        daemon
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(self.0.wait().unwrap().success());
    }
}

/// Some time up to `most`; any will do.
fn sometime(most: Duration) -> Duration {
    let now = Instant::now();
    let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), now);
    most.mul_f64((random % 1000) as f64 / 1000.0)
}

/// Calls at a rate that a ring can hold for as long as a restart takes, and attaches again when nobody reads.
fn calling(producer: &Producer, attach_at: &Path, done: &AtomicBool) -> u64 {
    let mut connection = attached(producer, attach_at);
    let (mut calls, mut beat, mut since) = (0, producer.heartbeat(), Instant::now());
    // On lane 0 single calls, on lane 1 operations that take longer than a collector lives at times.
    let mut operation = None;
    while !done.load(Ordering::Relaxed) {
        match calls % 24 {
            1 => operation = Some(work(producer, 1, Function::C_SignInit, None, |_| {})),
            23 => drop(work(producer, 1, Function::C_SignFinal, operation.take(), |_| {})),
            even if even % 2 == 0 => drop(emit(producer, 0)),
            _ => drop(work(producer, 1, Function::C_SignUpdate, operation, |_| {})),
        }
        calls += 1;
        if calls % 10 == 0 {
            std::thread::sleep(Duration::from_millis(10));
            if producer.heartbeat() != beat {
                (beat, since) = (producer.heartbeat(), Instant::now());
            } else if since.elapsed() > Duration::from_millis(600) {
                connection = attach(producer, attach_at).ok();
                since = Instant::now();
            }
        }
    }
    drop(connection);
    calls
}

#[test]
fn a_collector_killed_twenty_times_stores_everything_once() {
    let place = Place::new();
    let attach_at = place.settings.attach.clone();
    let config = place.folder.path().join("collector.toml");
    let line = |key: &str, path: &Path| format!("{key} = {path:?}\n");
    let text = [
        line("attach", &attach_at),
        line("readers", &place.settings.readers),
        line("log", &place.settings.log),
        line("keys", &place.folder.path().join("keys")),
    ];
    fs::write(&config, text.concat() + "spool = \"\"\n").unwrap();
    let mut daemon = Daemon::start(&config, &attach_at);

    let rings = [0; 3].map(|_| producer(Backing::Memfd));
    let done = AtomicBool::new(false);
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    let daemon = std::thread::scope(|scope| {
        let callers = rings.each_ref().map(|ring| scope.spawn(|| calling(ring, &attach_at, &done)));
        for round in 0..KILLS {
            // An application that comes, calls and ends, while the collector is killed under it.
            let told = place.folder.path().join(format!("done{round}"));
            let application =
                Application { ring: &attach_at, spooled: false, calls: 200, hangs: false, done: &told };
            let mut child = application.start();
            std::thread::sleep(sometime(Duration::from_millis(120)));
            daemon.kill();
            std::thread::sleep(sometime(Duration::from_millis(60)));
            daemon = Daemon::start(&config, &attach_at);
            assert!(child.wait().unwrap().success());
            expected.insert(name(fs::read(&told).unwrap().try_into().unwrap()), 200);
        }
        done.store(true, Ordering::Relaxed);
        for (caller, ring) in callers.into_iter().zip(&rings) {
            expected.insert(name(ring.stream()), caller.join().unwrap());
            ring.close();
        }
        daemon
    });
    // Whoever was not attached again when it ended is now.
    let _connections = rings.each_ref().map(|ring| attach(ring, &attach_at).unwrap());
    until("the end of all streams", || {
        streams(&place.events()).values().filter(|told| !told.closed.is_empty()).count() == expected.len()
    });
    daemon.stop();
    let events = place.events();
    let streams = streams(&events);
    assert_eq!(streams.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    let (mut stored, mut lost) = (0, 0);
    for (stream, told) in &streams {
        let closed = balanced(told);
        assert_eq!(
            (closed["attempted"].as_u64(), closed["unfinished"].as_u64()),
            (Some(expected[stream]), Some(0)),
            "{closed}"
        );
        assert_eq!(told.lost.len() as u64, closed["lost"].as_u64().unwrap(), "{closed}");
        stored += told.stored.len();
        lost += told.lost.len();
    }
    let torn =
        events.iter().filter(|event| event["torn_bytes"].as_u64().is_some_and(|bytes| bytes > 0)).count();
    println!(
        "{} streams, {stored} stored, {lost} lost, 0 twice, 0 unexplained; {torn} torn ends",
        streams.len()
    );
}
