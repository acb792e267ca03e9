// SPDX-License-Identifier: Apache-2.0
//! Readers: the same events for each, from where it asks, at its own pace.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use collector::Collector;
use ring::Backing;
use serde_json::Value;

use super::child::attached;
use super::log::{PATIENCE, Place, emit_without_loss, until};
use super::rig::{emit, producer};

fn reader(place: &Place, request: &str) -> BufReader<UnixStream> {
    let mut socket = UnixStream::connect(&place.settings.readers).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    // It may be turned away before it has asked.
    let _ = socket.write_all(request.as_bytes());
    BufReader::new(socket)
}

fn next(reader: &mut BufReader<UnixStream>) -> Value {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
}

fn rest(reader: &mut BufReader<UnixStream>) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn every_reader_gets_the_same_events_from_where_it_asks() {
    let place = Place::new();
    let collector = Collector::start(place.settings.clone()).unwrap();
    let ring = producer(Backing::Memfd);
    let _connection = attached(&ring, &place.settings.attach);
    emit_without_loss(&ring, &place.file(), 1000);
    let mut first = reader(&place, "{\"from\": \"start\"}\n");
    assert_eq!(next(&mut first)["event"], "log.opened");
    // What one reader has is durable, and so there for all.
    while next(&mut first)["index"].as_u64().unwrap() < 1000 {}
    let second = reader(&place, "{\"from\":\"start\"}\n");
    let mut resumed = reader(&place, "{\"after\": 700}\n");
    assert_eq!(next(&mut resumed)["index"], 701);
    // What socat does: it says nothing and closes its half.
    let mut live = reader(&place, "");
    live.get_ref().shutdown(Shutdown::Write).unwrap();
    // From when on it is live is its own affair: emit until an event reaches it.
    live.get_ref().set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    until("an event", || emit(&ring, 0) && live.fill_buf().is_ok_and(|bytes| !bytes.is_empty()));
    live.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
    assert!(next(&mut live)["index"].as_u64().unwrap() > 1000);
    let [first, second, resumed, live] = std::thread::scope(|scope| {
        let reading = [first, second, resumed, live].map(|mut reader| scope.spawn(move || rest(&mut reader)));
        collector.stop().unwrap();
        reading.map(|reader| reader.join().unwrap())
    });
    let whole = std::fs::read(place.file()).unwrap();
    assert!(second == whole);
    assert!([first, resumed, live].iter().all(|end| !end.is_empty() && whole.ends_with(end)));
    assert!(String::from_utf8(second).unwrap().lines().last().unwrap().contains("log.closed"));
}

#[test]
fn a_reader_that_does_not_read_slows_nobody_and_is_ended_by_the_stop() {
    let place = Place::new();
    let collector = Collector::start(place.settings.clone()).unwrap();
    let ring = producer(Backing::Memfd);
    let _connection = attached(&ring, &place.settings.attach);
    let mut stuck = reader(&place, "{\"from\": \"start\"}\n");
    let mut quick = reader(&place, "{\"from\": \"start\"}\n");
    // Far more than the stuck one's socket holds.
    emit_without_loss(&ring, &place.file(), 4000);
    while next(&mut quick)["index"].as_u64().unwrap() < 4000 {}
    collector.stop().unwrap();
    let got = rest(&mut stuck);
    let whole = std::fs::read(place.file()).unwrap();
    assert!(got.len() < whole.len() && whole.starts_with(&got));
}

#[test]
fn a_wrong_request_is_answered_with_what_to_write() {
    let place = Place::new();
    let collector = Collector::start(place.settings.clone()).unwrap();
    for (request, answer) in [
        ("{\"after\": 5000}\n", "there is no event 5000"),
        ("{\"aftr\": 1}\n", "aftr"),
        ("{}\n", "either"),
        ("{\"after\": 0, \"from\": \"start\"}\n", "either"),
        ("GET / HTTP/1.1\r\n", "from"),
        ("{\"after\": -1}\n", "-1"),
    ] {
        let mut reader = reader(&place, request);
        let told = next(&mut reader);
        assert!(told["error"].as_str().unwrap().contains(answer), "{told}");
        assert!(rest(&mut reader).is_empty());
    }
    collector.stop().unwrap();
}

#[test]
fn more_readers_than_the_limit_are_told_so_and_one_that_goes_makes_room() {
    let mut place = Place::new();
    place.settings.readers_limit = 2;
    let collector = Collector::start(place.settings.clone()).unwrap();
    let mut readers = [0; 2].map(|_| reader(&place, "{\"from\": \"start\"}\n"));
    readers.iter_mut().for_each(|reader| assert_eq!(next(reader)["index"], 0));
    assert!(next(&mut reader(&place, ""))["error"].as_str().unwrap().contains("readers_limit"));
    drop(readers);
    until("room for a reader", || next(&mut reader(&place, "{\"from\": \"start\"}\n"))["index"] == 0);
    collector.stop().unwrap();
}
