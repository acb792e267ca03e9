// SPDX-License-Identifier: Apache-2.0
//! Trace context: an application's PKCS#11 calls stand in its own traces, thread by thread.
#![allow(missing_docs)]

use std::process::Command;

use harness::artifacts;
use harness::collector::Collector;
use harness::guard::{Guard, Way};
use harness::run::run;
use harness::token;

const ALLOWS_ALL: &str = "version = 1\nname = \"all\"\ndefault = \"allow\"\n";
const FIRST: &str = "0af7651916cd43dd8448eb211c80319c";
const SECOND: &str = "11111111111111111111111111111111";
const STARTED_IN: &str = "33333333333333333333333333333333";

/// What the host says, and the function and trace of each event it made.
fn traced(equip: impl FnOnce(&mut Command)) -> (String, Vec<(String, String)>) {
    let collector = Collector::started();
    let token = token::stub("");
    let guard = collector.guard(Guard::new(&token.module, ALLOWS_ALL));
    let way = Way::guarded(guard, token);
    let mut host = way.command(artifacts::c_host("trace"));
    host.arg(&way.module);
    equip(&mut host);
    let said = run(&mut host).success().stdout;
    let events =
        collector.stored_after(1).into_iter().filter(|event| event["event"] == "call").map(|event| {
            let text = |value: &serde_json::Value| value.as_str().unwrap_or("none").to_owned();
            (text(&event["function"]), text(&event["trace"]["trace_id"]))
        });
    (said, events.collect())
}

#[test]
fn calls_belong_to_the_trace_of_their_thread() {
    let (said, mut events) = traced(|_| ());
    assert_eq!(said, "version 1.0\nset 0\ninitialize 0\nmalformed 7\nset on a thread 0\nnone 0\n");
    events.sort();
    let expected = [
        ("C_Finalize", "none"),
        ("C_GetInfo", FIRST),
        ("C_GetInfo", SECOND),
        ("C_GetInfo", "none"),
        ("C_Initialize", FIRST),
    ];
    assert_eq!(events, expected.map(|(function, trace)| (function.to_owned(), trace.to_owned())));
}

#[test]
fn a_process_started_in_a_trace_belongs_to_it_where_its_threads_say_nothing() {
    let (_, mut events) = traced(|host| {
        host.env("TRACEPARENT", format!("00-{STARTED_IN}-4444444444444444-01"));
    });
    events.sort();
    let traces: Vec<&str> = events.iter().map(|(_, trace)| trace.as_str()).collect();
    assert_eq!(traces, [STARTED_IN, FIRST, SECOND, STARTED_IN, FIRST]);
}
