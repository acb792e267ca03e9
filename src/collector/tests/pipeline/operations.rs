// SPDX-License-Identifier: Apache-2.0
//! Operations as one event: what is folded, what is not, and that every call is accounted for either way.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use collector::Collector;
use collector::levels::{Class, Level, Levels};
use event::Function;
use event::record::Verdict;
use ring::{Backing, Producer};
use serde_json::Value;

use super::child::attached;
use super::log::{Place, balanced, name, streams, until};
use super::rig::{emit, producer, work};

const CKR_SIGNATURE_INVALID: u64 = 0xc0;
const CKR_BUFFER_TOO_SMALL: u64 = 0x150;

fn place() -> Place {
    let mut place = Place::new();
    place.settings.record = Levels::default();
    place
}

/// The stored events of a stream, those about calls.
fn told(place: &Place, producer: &Producer) -> Vec<Value> {
    let stream = name(producer.stream());
    let of_it = |event: &Value| event["stream"] == stream.as_str() && event["function"].is_string();
    place.events().into_iter().filter(of_it).collect()
}

fn closed(place: &Place, collector: Collector, producer: &Producer) -> Value {
    producer.close();
    place.wait_for("stream.closed", producer.stream());
    collector.stop().unwrap();
    balanced(&streams(&place.events())[&name(producer.stream())]).clone()
}

#[test]
fn an_operation_is_one_event_with_the_sums_of_its_calls() {
    let place = place();
    let collector = Collector::start(place.settings.clone()).unwrap();
    let producer = producer(Backing::Memfd);
    let _connection = attached(&producer, &place.settings.attach);
    let id = work(&producer, 1, Function::C_EncryptInit, None, |_| {});
    for bytes in [10, 20, 30] {
        work(&producer, 1, Function::C_EncryptUpdate, Some(id), |header| {
            (header.bytes_in, header.bytes_out) = (Some(bytes), Some(16));
        });
    }
    work(&producer, 1, Function::C_EncryptFinal, Some(id), |header| {
        (header.size_query, header.bytes_out) = (true, Some(16));
    });
    work(&producer, 1, Function::C_EncryptFinal, Some(id), |header| {
        (header.size_query, header.bytes_out, header.rv) = (true, Some(16), CKR_BUFFER_TOO_SMALL);
    });
    work(&producer, 1, Function::C_EncryptFinal, Some(id), |header| header.bytes_out = Some(12));
    let closed = closed(&place, collector, &producer);
    assert_eq!((closed["stored"].as_u64(), closed["attempted"].as_u64()), (Some(7), Some(7)));
    let [event] = &told(&place, &producer)[..] else { panic!("not one event") };
    assert_eq!((&event["event"], &event["function"]), (&"operation".into(), &"C_EncryptInit".into()));
    assert_eq!(event["rv"]["name"], "CKR_OK");
    assert_eq!((&event["bytes_in"], &event["bytes_out"]), (&60.into(), &60.into()));
    assert_eq!(event["operation"]["id"], "1/1");
    let folded = &event["folded"];
    assert_eq!((&folded["calls"], &folded["size_queries"]), (&7.into(), &2.into()));
    assert_eq!(
        (&folded["ended_by"], &folded["covers"]),
        (&"C_EncryptFinal".into(), &serde_json::json!([[1, 1, 7]]))
    );
    assert!(folded["busy_ns"].as_u64() <= event["duration_ns"].as_u64(), "{event}");
}

#[test]
fn a_call_that_failed_was_refused_or_warned_of_is_an_event_behind_what_came_before_it() {
    let place = place();
    let collector = Collector::start(place.settings.clone()).unwrap();
    let producer = producer(Backing::Memfd);
    let _connection = attached(&producer, &place.settings.attach);
    let id = work(&producer, 0, Function::C_VerifyInit, None, |_| {});
    work(&producer, 0, Function::C_Verify, Some(id), |header| header.rv = CKR_SIGNATURE_INVALID);
    let id = work(&producer, 0, Function::C_SignInit, None, |_| {});
    work(&producer, 0, Function::C_SignUpdate, Some(id), |header| header.verdict = Verdict::Warn);
    work(&producer, 0, Function::C_SignFinal, Some(id), |_| {});
    // Of an operation that was warned of at its Init, every call is an event.
    let id = work(&producer, 0, Function::C_DigestInit, None, |header| header.verdict = Verdict::Warn);
    work(&producer, 0, Function::C_Digest, Some(id), |_| {});
    work(&producer, 0, Function::C_SignInit, None, |header| {
        (header.verdict, header.rv, header.answered_here) = (Verdict::Deny, 0x70, true);
    });
    let closed = closed(&place, collector, &producer);
    assert_eq!((closed["stored"].as_u64(), closed["attempted"].as_u64()), (Some(8), Some(8)));
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let told: Vec<_> = told(&place, &producer)
        .iter()
        .map(|event| {
            let [function, rv, ended] =
                [&event["function"], &event["rv"]["name"], &event["folded"]["ended_by"]].map(word);
            format!(
                "{} {function} {rv} {ended} {}",
                event["event"].as_str().unwrap(),
                event["folded"]["open"]
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "operation C_VerifyInit CKR_SIGNATURE_INVALID C_Verify null",
            "call C_Verify CKR_SIGNATURE_INVALID - null",
            "operation C_SignInit CKR_OK - true",
            "call C_SignUpdate CKR_OK - null",
            "operation C_SignInit CKR_OK C_SignFinal null",
            "call C_DigestInit CKR_OK - null",
            "call C_Digest CKR_OK - null",
            "call C_SignInit CKR_MECHANISM_INVALID - null",
        ]
    );
}

#[test]
fn an_operation_that_takes_long_is_told_in_parts_of_one_id() {
    let place = place();
    let collector = Collector::start(place.settings.clone()).unwrap();
    let producer = producer(Backing::Memfd);
    let _connection = attached(&producer, &place.settings.attach);
    let id = work(&producer, 0, Function::C_SignInit, None, |_| {});
    work(&producer, 0, Function::C_SignUpdate, Some(id), |_| {});
    until("the first part", || told(&place, &producer).len() == 1);
    work(&producer, 1, Function::C_SignUpdate, Some(id), |_| {});
    until("the second part", || told(&place, &producer).len() == 2);
    work(&producer, 0, Function::C_SignFinal, Some(id), |_| {});
    let never_ended = work(&producer, 0, Function::C_DigestInit, None, |_| {});
    assert_ne!(never_ended, id);
    let closed = closed(&place, collector, &producer);
    assert_eq!((closed["stored"].as_u64(), closed["unfinished"].as_u64()), (Some(5), Some(0)));
    let parts: Vec<_> = told(&place, &producer)
        .iter()
        .map(|event| {
            let folded = &event["folded"];
            format!(
                "{} {} {} {}",
                event["operation"]["id"], folded["covers"], folded["open"], folded["ended_by"]
            )
        })
        .collect();
    assert_eq!(
        parts,
        [
            r#""0/1" [[0,1,2]] true null"#,
            r#""0/1" [[1,1,1]] true null"#,
            r#""0/1" [[0,3,3]] null "C_SignFinal""#,
            r#""0/4" [[0,4,4]] true null"#
        ]
    );
}

#[test]
fn an_open_operation_never_fills_the_ring() {
    let place = place();
    let collector = Collector::start(place.settings.clone()).unwrap();
    let producer = producer(Backing::Memfd);
    let _connection = attached(&producer, &place.settings.attach);
    let stored =
        || streams(&place.events()).get(&name(producer.stream())).map_or(0, |told| told.stored.len());
    let mut calls = 0;
    for _ in 0..20 {
        let id = work(&producer, 0, Function::C_SignInit, None, |_| {});
        // A lane of 64 KiB holds some 600 calls: more than half of them come while one operation is open.
        for _ in 0..350 {
            assert!(emit(&producer, 0), "the ring is full");
            calls += 1;
        }
        until("the ring being read", || stored() >= calls);
        work(&producer, 0, Function::C_SignFinal, Some(id), |_| {});
        calls += 2;
    }
    let closed = closed(&place, collector, &producer);
    assert_eq!((closed["stored"].as_u64(), closed["lost"].as_u64()), (Some(7040), Some(0)));
}

#[test]
fn an_operation_that_is_open_over_a_restart_is_stored_once() {
    let mut place = place();
    let spool = place.folder.path().join("spool");
    fs::create_dir(&spool).unwrap();
    place.settings.spool = Some(spool.clone());
    let path = spool.join("a.ring");
    let producer = producer(Backing::File(&path));
    let mut open = Vec::new();
    for (round, given) in [3, 7, 13, 18].into_iter().enumerate() {
        open.push(work(&producer, 0, Function::C_SignInit, None, |_| {}));
        for id in &open {
            work(&producer, 0, Function::C_SignUpdate, Some(*id), |_| {});
        }
        assert!(emit(&producer, 0));
        if round == 2 {
            work(&producer, 0, Function::C_SignFinal, Some(open.remove(0)), |_| {});
        }
        let before = fs::read(&path).unwrap();
        let collector = Collector::start(place.settings.clone()).unwrap();
        let stored =
            || streams(&place.events()).get(&name(producer.stream())).map_or(0, |told| told.stored.len());
        if round % 2 == 0 {
            until("storing", || stored() == given);
        }
        collector.stop().unwrap();
        assert_eq!(stored(), given);
        // As it is after a kill between sync and acknowledgement: the log knows, the ring and the state do not.
        File::options().write(true).open(&path).unwrap().write_all_at(&before, 0).unwrap();
        if round != 1 {
            fs::remove_file(place.settings.log.join("state.json")).unwrap();
        }
    }
    let collector = Collector::start(place.settings.clone()).unwrap();
    let closed = closed(&place, collector, &producer);
    assert_eq!((closed["stored"].as_u64(), closed["malformed"].as_u64()), (Some(18), Some(0)));
}

#[test]
fn a_summary_stands_for_every_call_but_those_that_failed() {
    let mut place = place();
    place.settings.record.classes[Class::Data as usize] = Level::Summary;
    let collector = Collector::start(place.settings.clone()).unwrap();
    let producer = producer(Backing::Memfd);
    let _connection = attached(&producer, &place.settings.attach);
    for round in 0..50 {
        let id = work(&producer, 0, Function::C_SignInit, None, |_| {});
        work(&producer, 0, Function::C_Sign, Some(id), |header| {
            (header.bytes_in, header.bytes_out) = (Some(round), Some(64));
        });
        assert!(emit(&producer, 1));
    }
    work(&producer, 1, Function::C_GenerateRandom, Some(0), |header| header.rv = 5);
    let closed = closed(&place, collector, &producer);
    assert_eq!((closed["stored"].as_u64(), closed["attempted"].as_u64()), (Some(151), Some(151)));
    let stream = name(producer.stream());
    let events = place.events();
    let summaries: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "summary" && event["stream"] == stream.as_str())
        .collect();
    let [failed] = &told(&place, &producer)[..] else { panic!("the failed call alone is an event") };
    assert_eq!((&failed["event"], &failed["rv"]["number"]), (&"call".into(), &5.into()));
    let sum = |function: &str, field: &str| -> u64 {
        let groups = summaries.iter().flat_map(|event| event["groups"].as_array().unwrap());
        groups.filter(|group| group["function"] == function).map(|group| group[field].as_u64().unwrap()).sum()
    };
    for function in ["C_SignInit", "C_Sign", "C_GenerateRandom"] {
        assert_eq!(sum(function, "calls"), 50);
    }
    assert_eq!((sum("C_Sign", "bytes_in"), sum("C_Sign", "bytes_out")), (1225, 3200));
    assert!(summaries.len() < 50, "{} events", summaries.len());
    let latencies = summaries.iter().flat_map(|event| event["groups"].as_array().unwrap());
    let latencies = latencies.flat_map(|group| group["latency_ns"].as_array().unwrap());
    assert_eq!(latencies.map(|step| step[1].as_u64().unwrap()).sum::<u64>(), 150);
}
