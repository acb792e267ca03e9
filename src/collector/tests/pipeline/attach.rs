// SPDX-License-Identifier: Apache-2.0
//! The door: who is let in, who is not, and what it costs the others.

use std::fs::{self, File};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use collector::{Collector, Error};
use ring::Backing;
use rustix::fs::{MemfdFlags, memfd_create};
use serde_json::Value;

use super::child::{Application, attached};
use super::log::{Place, balanced, name, streams, until};
use super::rig::{attach, emit, greeting, producer, say, visit};

fn refusals(place: &Place) -> Vec<String> {
    let reason = |event: Value| event["reason"].as_str().map(str::to_owned);
    place.events().into_iter().filter(|event| event["event"] == "stream.refused").filter_map(reason).collect()
}

fn refused_for(place: &Place, reason: &str) {
    until(reason, || refusals(place).iter().any(|told| told.contains(reason)));
}

#[test]
fn garbage_at_the_door_is_told_and_disturbs_nobody() {
    let place = Place::new();
    let collector = Collector::start(place.settings.clone()).unwrap();
    let attach_at: &Path = &place.settings.attach;
    let ring = producer(Backing::Memfd);
    let _connection = attached(&ring, attach_at);
    let other = producer(Backing::Memfd);
    let greet = greeting(other.stream());
    let say = |bytes: &[u8], files: &[_]| say(&visit(attach_at).unwrap(), bytes, files).unwrap();

    say(b"GET / HTTP/1.1\r\n\r\n", &[]);
    refused_for(&place, "not that of a p11guard library");
    say(&[&greet[..], b"more"].concat(), &[other.descriptor()]);
    say(&greet, &[]);
    refused_for(&place, "exactly one descriptor");
    say(&greet, &[other.descriptor(), other.descriptor()]);
    say(&greet, &[other.descriptor(); 40]);
    let plain = tempfile::tempfile().unwrap();
    say(&greet, &[plain.as_fd()]);
    refused_for(&place, "ring refused");
    let unsealed = memfd_create("ring", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
    say(&greet, &[unsealed.as_fd()]);
    say(&greeting([9; 16]), &[other.descriptor()]);
    refused_for(&place, "another stream id");
    drop(visit(attach_at).unwrap());
    let _silent = visit(attach_at).unwrap();
    refused_for(&place, "said nothing");

    assert!(emit(&ring, 0));
    ring.close();
    place.wait_for("stream.closed", ring.stream());
    collector.stop().unwrap();
    let streams = streams(&place.events());
    assert_eq!(balanced(&streams[&name(ring.stream())])["stored"], 1);
    assert_eq!(streams.get(&name(other.stream())).map_or(0, |told| told.opened), 0);
}

#[test]
fn a_stream_id_belongs_to_whom_it_belongs() {
    let place = Place::new();
    let collector = Collector::start(place.settings.clone()).unwrap();
    let done = place.folder.path().join("done");
    let application =
        Application { ring: &place.settings.attach, spooled: false, calls: 10, hangs: true, done: &done };
    let mut child = application.start();
    until("the calls", || done.exists());
    let stream: [u8; 16] = fs::read(&done).unwrap().try_into().unwrap();
    // The very ring of the child, but from here.
    let ring = fs::read_dir(format!("/proc/{}/fd", child.id())).unwrap().flatten().find(|file| {
        fs::read_link(file.path()).is_ok_and(|target| target.to_string_lossy().starts_with("/memfd:"))
    });
    let ring: OwnedFd = File::options().read(true).write(true).open(ring.unwrap().path()).unwrap().into();
    say(&visit(&place.settings.attach).unwrap(), &greeting(stream), &[ring.as_fd()]).unwrap();
    refused_for(&place, &format!("the stream belongs to process {}", child.id()));
    let refusal = place.wait_for("stream.refused", stream);
    assert_eq!(refusal["process"]["pid"], std::process::id());
    child.kill().unwrap();
    child.wait().unwrap();
    let closed = place.wait_for("stream.closed", stream);
    collector.stop().unwrap();
    assert_eq!(
        (closed["process"]["pid"].as_u64(), closed["stored"].as_u64()),
        (Some(child.id().into()), Some(10))
    );
}

#[test]
fn a_user_has_so_many_connections_and_streams_and_no_more() {
    let mut place = Place::new();
    place.settings.connections_per_uid = 3;
    place.settings.streams_per_uid = 2;
    let collector = Collector::start(place.settings.clone()).unwrap();
    let rings = [0; 3].map(|_| producer(Backing::Memfd));
    let first = attached(&rings[0], &place.settings.attach);
    let second = attached(&rings[1], &place.settings.attach);
    let _third = attach(&rings[2], &place.settings.attach).unwrap();
    refused_for(&place, "as many streams");
    let _silent = [0; 3].map(|_| visit(&place.settings.attach).unwrap());
    refused_for(&place, "as many connections");
    drop((first, second));
    rings[0].close();
    place.wait_for("stream.closed", rings[0].stream());
    attached(&rings[2], &place.settings.attach);
    collector.stop().unwrap();
}

#[test]
fn the_second_collector_of_a_place_is_refused_and_harms_nothing() {
    let place = Place::new();
    let first = Collector::start(place.settings.clone()).unwrap();
    let second = Collector::start(place.settings.clone());
    assert!(
        matches!(&second, Err(Error::Running(path)) if *path == place.settings.log),
        "{:?}",
        second.err()
    );
    let mut elsewhere = place.settings.clone();
    elsewhere.log = place.folder.path().join("other");
    let second = Collector::start(elsewhere);
    assert!(
        matches!(&second, Err(Error::Running(path)) if *path == place.settings.attach),
        "{:?}",
        second.err()
    );
    let ring = producer(Backing::Memfd);
    attached(&ring, &place.settings.attach);
    first.stop().unwrap();
    assert!(!place.settings.attach.exists() && !place.settings.readers.exists());
    Collector::start(place.settings.clone()).unwrap().stop().unwrap();
}
