// SPDX-License-Identifier: Apache-2.0
//! The spool: rings of applications that found no collector.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::PathBuf;

use collector::Collector;
use ring::Backing;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::child::Application;
use super::log::{Place, balanced, name, stored, streams, until};
use super::rig::{emit, producer};

fn with_spool() -> (Place, PathBuf) {
    let mut place = Place::new();
    let spool = place.folder.path().join("spool");
    fs::create_dir(&spool).unwrap();
    fs::set_permissions(&spool, Permissions::from_mode(0o1733)).unwrap();
    place.settings.spool = Some(spool.clone());
    (place, spool)
}

#[test]
fn the_ring_of_a_dead_application_is_read_and_removed() {
    let (place, spool) = with_spool();
    let (ring, done) = (spool.join("0123.ring"), place.folder.path().join("done"));
    let application = Application { ring: &ring, spooled: true, calls: 200, hangs: true, done: &done };
    let mut child = application.start();
    until("the calls", || done.exists());
    child.kill().unwrap();
    child.wait().unwrap();
    let stream = fs::read(&done).unwrap().try_into().unwrap();
    let collector = Collector::start(place.settings.clone()).unwrap();
    let closed = place.wait_for("stream.closed", stream);
    until("removing the file", || !ring.exists());
    collector.stop().unwrap();
    // Its pid is what the ring says; its user is not.
    assert_eq!(
        (&closed["process"]["claimed"], closed["process"]["pid"].as_u64()),
        (&true.into(), Some(child.id().into()))
    );
    assert_eq!((closed["stored"].as_u64(), closed["unfinished"].as_u64()), (Some(200), Some(1)));
    balanced(&streams(&place.events())[&name(stream)]);
}

#[test]
fn the_ring_of_a_living_application_is_read_for_as_long_as_it_lives() {
    let (place, spool) = with_spool();
    let early = producer(Backing::File(&spool.join("early.ring")));
    assert!(emit(&early, 0));
    let collector = Collector::start(place.settings.clone()).unwrap();
    let late = producer(Backing::File(&spool.join("late.ring")));
    for ring in [&early, &late] {
        until("being read", || ring.heartbeat() != 0);
        assert!(emit(ring, 1));
        let opened = place.wait_for("stream.opened", ring.stream());
        assert_eq!(
            (opened["process"]["pid"].as_u64(), &opened["spooled"]),
            (Some(std::process::id().into()), &true.into())
        );
        assert_eq!(opened["process"].get("claimed"), None);
        ring.close();
        let closed = place.wait_for("stream.closed", ring.stream());
        assert_eq!(closed["attempted"], closed["stored"]);
    }
    until("removing the files", || fs::read_dir(&spool).unwrap().count() == 0);
    collector.stop().unwrap();
}

#[test]
fn nothing_but_plain_files_with_one_name_is_opened() {
    let (place, spool) = with_spool();
    let outside = place.folder.path().join("outside.ring");
    let target = producer(Backing::File(&outside));
    symlink(&outside, spool.join("link.ring")).unwrap();
    fs::hard_link(&outside, spool.join("hard.ring")).unwrap();
    mknodat(CWD, spool.join("pipe.ring"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    fs::create_dir(spool.join("folder.ring")).unwrap();
    let good = producer(Backing::File(&spool.join("good.ring")));
    let old = File::create(spool.join("old.ring")).unwrap();
    old.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    fs::write(spool.join("notes.txt"), "not looked at").unwrap();
    let collector = Collector::start(place.settings.clone()).unwrap();
    until("the good one", || good.heartbeat() != 0);
    until("the refusal", || {
        place.events().iter().any(|event| {
            event["event"] == "stream.refused" && event["reason"].as_str().unwrap().contains("old.ring")
        })
    });
    collector.stop().unwrap();
    assert_eq!(target.heartbeat(), 0);
    assert_eq!(fs::read_dir(&spool).unwrap().count(), 7);
}

#[test]
fn a_spool_that_others_could_tamper_with_is_not_read() {
    let (place, spool) = with_spool();
    let ring = producer(Backing::File(&spool.join("a.ring")));
    fs::set_permissions(&spool, Permissions::from_mode(0o777)).unwrap();
    let collector = Collector::start(place.settings.clone()).unwrap();
    collector.stop().unwrap();
    assert_eq!(ring.heartbeat(), 0);
    fs::set_permissions(&spool, Permissions::from_mode(0o1777)).unwrap();
    Collector::start(place.settings.clone()).unwrap().stop().unwrap();
    assert_ne!(ring.heartbeat(), 0);
}

#[test]
fn a_spooled_stream_goes_on_over_restarts() {
    let (place, spool) = with_spool();
    let path = spool.join("a.ring");
    let ring = producer(Backing::File(&path));
    for round in 1..=2 {
        assert!((0..50).all(|_| emit(&ring, 0)));
        let collector = Collector::start(place.settings.clone()).unwrap();
        until("storing", || stored(&place.file(), ring.stream()) == round * 50);
        collector.stop().unwrap();
    }
    ring.close();
    Collector::start(place.settings.clone()).unwrap().stop().unwrap();
    assert!(!path.exists());
    let streams = streams(&place.events());
    assert_eq!(balanced(&streams[&name(ring.stream())])["stored"], 100);
}

#[test]
fn what_was_durable_and_not_acknowledged_is_not_stored_twice() {
    let (place, spool) = with_spool();
    let path = spool.join("a.ring");
    let ring = producer(Backing::File(&path));
    assert!((0..100).all(|call| emit(&ring, call % 2)));
    ring.lane(0).publish(b"not a record").unwrap();
    let _ = ring.lane(0).begin();
    let before = fs::read(&path).unwrap();
    for round in 0..3 {
        let collector = Collector::start(place.settings.clone()).unwrap();
        until("storing", || stored(&place.file(), ring.stream()) == 100 + round * 10);
        collector.stop().unwrap();
        // As it is after a kill between sync and acknowledgement: the log knows, the ring and the state do not.
        File::options().write(true).open(&path).unwrap().write_all_at(&before, 0).unwrap();
        fs::remove_file(place.settings.log.join("state.json")).unwrap();
        assert!((0..10 * (round + 1)).all(|_| emit(&ring, 1)));
    }
    ring.close();
    let collector = Collector::start(place.settings.clone()).unwrap();
    place.wait_for("stream.closed", ring.stream());
    collector.stop().unwrap();
    let streams = streams(&place.events());
    let closed = balanced(&streams[&name(ring.stream())]);
    assert_eq!((closed["stored"].as_u64(), closed["malformed"].as_u64()), (Some(130), Some(1)));
}

#[test]
fn a_ring_whose_end_is_in_the_log_is_only_removed() {
    let (place, spool) = with_spool();
    let path = spool.join("a.ring");
    let ring = producer(Backing::File(&path));
    assert!(emit(&ring, 0));
    ring.close();
    let before = fs::read(&path).unwrap();
    Collector::start(place.settings.clone()).unwrap().stop().unwrap();
    assert!(!path.exists());
    // As it is after a kill between the sync of the stream's end and the removal.
    fs::write(&path, before).unwrap();
    fs::remove_file(place.settings.log.join("state.json")).unwrap();
    Collector::start(place.settings.clone()).unwrap().stop().unwrap();
    assert!(!path.exists());
    assert_eq!(balanced(&streams(&place.events())[&name(ring.stream())])["stored"], 1);
}
