// SPDX-License-Identifier: Apache-2.0
//! Emitted = stored + lost + unfinished, per stream.

use std::collections::BTreeSet;
use std::fs;

use collector::Collector;
use ring::Backing;

use super::child::{Application, attached};
use super::log::{Place, balanced, emit_without_loss, name, streams, until};
use super::rig::{attach, emit, producer, publish};

#[test]
fn what_is_emitted_is_stored_once_and_in_order() {
    let place = Place::new();
    let collector = Collector::start(place.settings.clone()).unwrap();
    let producer = producer(Backing::Memfd);
    let _connection = attached(&producer, &place.settings.attach);
    emit_without_loss(&producer, &place.file(), 5000);
    producer.close();
    let closed = place.wait_for("stream.closed", producer.stream());
    collector.stop().unwrap();
    assert_eq!((closed["stored"].as_u64(), closed["reason"].as_str()), (Some(5000), Some("closed")));
    let events = place.events();
    let told = &streams(&events)[&name(producer.stream())];
    balanced(told);
    let each_lane = |lane| told.stored.iter().filter(move |(l, _)| *l == lane).map(|(_, n)| *n);
    assert!(each_lane(0).eq(1..=2500) && each_lane(1).eq(1..=2500));
    let opened = events.iter().find(|event| event["event"] == "stream.opened").unwrap();
    assert_eq!(opened["process"]["pid"], std::process::id());
    assert_eq!(opened["process"]["exe"], std::env::current_exe().unwrap().to_str().unwrap());
    assert_eq!(
        (&opened["hello"]["version"], &opened["hello"]["policy_hash"]),
        (&"0.1.0".into(), &"07".repeat(32).into())
    );
    assert_eq!(events.first().unwrap()["event"], "log.opened");
    assert_eq!(events.last().unwrap()["event"], "log.closed");
}

#[test]
fn losses_are_told_with_their_numbers() {
    let place = Place::new();
    let producer = producer(Backing::Memfd);
    let mut lost = BTreeSet::new();
    for number in 1..=3000 {
        if !emit(&producer, 0) {
            lost.insert((0, number));
        }
    }
    assert!(lost.len() > 1000, "a lane of 64 KiB holds fewer than 2000");
    let collector = Collector::start(place.settings.clone()).unwrap();
    let _connection = attach(&producer, &place.settings.attach).unwrap();
    let loss = place.wait_for("loss", producer.stream());
    assert_eq!((loss["total"].as_u64(), &loss["exact"]), (Some(lost.len() as u64), &true.into()));
    assert_eq!(loss["lanes"][0]["lost"]["ring_full"].as_u64(), Some(lost.len() as u64));
    // There is room again, and a second growth is told apart.
    assert!(emit(&producer, 0));
    producer.lane(1).lose(ring::Loss::NoMemory);
    assert_eq!(producer.lane(1).begin(), 1);
    lost.insert((1, 1));
    producer.close();
    place.wait_for("stream.closed", producer.stream());
    collector.stop().unwrap();
    let streams = streams(&place.events());
    let told = &streams[&name(producer.stream())];
    assert_eq!(told.lost, lost);
    assert_eq!(balanced(told)["lost_by_reason"]["no_memory"], 1);
}

#[test]
fn a_killed_application_loses_no_call_that_ended() {
    let place = Place::new();
    let collector = Collector::start(place.settings.clone()).unwrap();
    let done = place.folder.path().join("done");
    let application =
        Application { ring: &place.settings.attach, spooled: false, calls: 300, hangs: true, done: &done };
    let mut child = application.start();
    until("the calls", || done.exists());
    child.kill().unwrap();
    child.wait().unwrap();
    let stream = fs::read(&done).unwrap().try_into().unwrap();
    let closed = place.wait_for("stream.closed", stream);
    collector.stop().unwrap();
    assert_eq!(closed["process"]["pid"], child.id());
    assert_eq!((closed["stored"].as_u64(), closed["unfinished"].as_u64()), (Some(300), Some(1)));
    assert_eq!(closed["missing"], serde_json::json!([[0, 151]]));
    balanced(&streams(&place.events())[&name(stream)]);
}

#[test]
fn an_application_that_ends_while_the_collector_stops_is_in_the_log() {
    let place = Place::new();
    let collector = Collector::start(place.settings.clone()).unwrap();
    let done = place.folder.path().join("done");
    let application =
        Application { ring: &place.settings.attach, spooled: false, calls: 300, hangs: false, done: &done };
    assert!(application.start().wait().unwrap().success());
    collector.stop().unwrap();
    let stream: [u8; 16] = fs::read(&done).unwrap().try_into().unwrap();
    let streams = streams(&place.events());
    assert_eq!(balanced(&streams[&name(stream)])["stored"], 300);
}

#[test]
fn a_frame_that_is_no_record_is_told_and_so_is_a_number_that_comes_twice() {
    let place = Place::new();
    let collector = Collector::start(place.settings.clone()).unwrap();
    let producer = producer(Backing::Memfd);
    let _connection = attached(&producer, &place.settings.attach);
    let lane = producer.lane(1);
    let _ = lane.begin();
    lane.publish(b"not a record").unwrap();
    let number = lane.begin();
    assert!(publish(&lane, number));
    let _ = lane.begin();
    assert!(publish(&lane, number));
    producer.close();
    let closed = place.wait_for("stream.closed", producer.stream());
    collector.stop().unwrap();
    assert_eq!((closed["stored"].as_u64(), closed["malformed"].as_u64()), (Some(1), Some(2)));
    let errors: Vec<_> =
        place.events().into_iter().filter(|event| event["event"] == "frame.malformed").collect();
    assert!(errors[0]["error"].as_str().unwrap().contains("shorter"), "{errors:?}");
    assert!(errors[1]["error"].as_str().unwrap().contains("came before"), "{errors:?}");
    assert!(errors.iter().all(|event| event["lane"] == 1));
}

#[test]
fn a_stream_that_is_open_at_the_stop_goes_on_after_the_next_start() {
    let place = Place::new();
    let producer = producer(Backing::Memfd);
    for round in 1..=3 {
        let collector = Collector::start(place.settings.clone()).unwrap();
        let _connection = attach(&producer, &place.settings.attach).unwrap();
        (0..100).for_each(|_| assert!(emit(&producer, 0)));
        until("storing", || {
            streams(&place.events())
                .get(&name(producer.stream()))
                .is_some_and(|told| told.stored.len() == round * 100)
        });
        if round == 3 {
            producer.close();
            place.wait_for("stream.closed", producer.stream());
        }
        collector.stop().unwrap();
        if round == 1 {
            // Without its state the next start reads the whole log.
            fs::remove_file(place.settings.log.join("state.json")).unwrap();
        }
    }
    let streams = streams(&place.events());
    assert_eq!(balanced(&streams[&name(producer.stream())])["attempted"], 300);
}
