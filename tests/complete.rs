// SPDX-License-Identifier: Apache-2.0
//! Is every call accounted for? emitted = stored + lost for a reason, per stream, nothing twice, nothing unexplained,
//! while collectors and applications are killed. The clients count their own calls; the log is read line by line.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use event::Function;
use harness::accounts::Accounts;
use harness::artifacts;
use harness::collector::Collector;
use harness::guard::{ALLOW_ALL, Guard, Way};
use harness::run::{eventually, run};
use harness::token;

const PROCESSES: u64 = 4;
const THREADS: u64 = 8;
const ROUNDS: u64 = 20;
const CALLS: u64 = 1_000_000;

/// Calls of every process besides those of its threads: C_Initialize, a session of its own, C_Finalize.
const AROUND: u64 = 3;

fn reporting(collector: &Collector) -> Way {
    let token = token::stub("");
    let guard = collector.guard(Guard::new(&token.module, ALLOW_ALL));
    Way::guarded(guard, token)
}

/// A client that makes its calls round by round.
struct Storm {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Storm {
    fn start(way: &Way, calls: u64, rounds: u64, end: &str) -> Storm {
        let mut command = way.command(artifacts::host());
        command
            .arg("storm")
            .arg(&way.module)
            .args([THREADS, calls / rounds, rounds].map(|number| number.to_string()));
        let mut child = command
            .arg(end)
            .arg("digests")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the host runs");
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        Storm { child, input, output }
    }

    /// Waits for the end of a round; after the last one the number of calls that succeeded.
    fn round(&mut self) -> Option<u64> {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the host speaks");
        match line.trim().strip_prefix("succeeded=") {
            Some(number) => Some(number.parse().expect("a number")),
            None => {
                assert_eq!(line.trim(), "round");
                None
            }
        }
    }

    fn go_on(&mut self) {
        self.input.write_all(b"\n").expect("the host listens");
    }
}

/// All the calls, with something done to the collector in the middle of every round; the books must balance.
fn storms(collector: &mut Collector, mut trouble: impl FnMut(&mut Collector, u64)) {
    // Room for what comes while no collector runs: half of all calls in one of the tests.
    let token = token::stub("");
    let guard = collector.guard(Guard::new(&token.module, ALLOW_ALL)).lane_size("4 MiB");
    let way = Way::guarded(guard, token);
    let mut books = Accounts::new(collector.log());
    let mut storms: Vec<_> =
        (0..PROCESSES).map(|_| Storm::start(&way, CALLS / PROCESSES, ROUNDS, "finalize")).collect();
    let mut succeeded = 0;
    for round in 1..=ROUNDS {
        trouble(collector, round);
        succeeded += storms.iter_mut().filter_map(Storm::round).sum::<u64>();
        if round < ROUNDS {
            storms.iter_mut().for_each(Storm::go_on);
        }
    }
    for storm in &mut storms {
        assert!(storm.child.wait().expect("our own child").success());
    }
    eventually("all streams closed", || (books.update() as u64 >= PROCESSES).then_some(()));
    collector.stop();
    books.update();
    assert_eq!(succeeded, CALLS);
    assert_eq!(books.streams.len() as u64, PROCESSES);
    let [attempted, stored, lost] = books.balance();
    assert_eq!(attempted, CALLS + PROCESSES * AROUND);
    // Each process asks the module itself too, so it is the calls that only clients make that are compared.
    let counts = token::counts(way.token());
    let made = [
        Function::C_DigestInit,
        Function::C_DigestUpdate,
        Function::C_DigestFinal,
        Function::C_GenerateRandom,
    ];
    let made: u64 = made.into_iter().map(|function| counts.of(function)).sum();
    assert_eq!(made, CALLS - PROCESSES * THREADS * ROUNDS);
    println!("{} events of single calls and {} of operations", books.singles, books.wholes);
    println!("{attempted} calls = {stored} stored + {lost} reported lost; 0 twice, 0 unexplained");
}

#[test]
fn a_million_calls_with_a_collector_killed_twenty_times_are_accounted_for() {
    let mut collector = Collector::started();
    storms(&mut collector, |collector, _| {
        collector.kill();
        collector.start();
    });
}

#[test]
fn a_million_calls_that_are_an_event_each_are_accounted_for_in_the_same_way() {
    let mut collector = Collector::prepared().of_calls();
    collector.start();
    storms(&mut collector, |collector, round| {
        if round % 4 == 0 {
            collector.kill();
            collector.start();
        }
    });
}

#[test]
fn a_million_calls_with_no_collector_for_the_first_half_are_accounted_for() {
    let mut collector = Collector::prepared();
    storms(&mut collector, |collector, round| {
        if round == ROUNDS / 2 + 1 {
            collector.start();
        }
    });
}

#[test]
fn an_application_that_is_killed_loses_no_completed_call() {
    for running in [true, false] {
        let mut collector = if running { Collector::started() } else { Collector::prepared() };
        let way = reporting(&collector);
        let mut storm = Storm::start(&way, 8000, 1, "wait");
        let succeeded = storm.round().expect("the only round");
        storm.child.kill().expect("our own child");
        storm.child.wait().expect("our own child");
        if !running {
            collector.start();
        }
        let mut books = Accounts::new(collector.log());
        eventually("the stream closed", || (books.update() == 1).then_some(()));
        let [attempted, stored, lost] = books.balance();
        assert_eq!((succeeded, attempted, lost), (8000, 8000 + AROUND - 1, 0));
        println!("{stored} of {attempted} calls stored; the collector ran at the time: {running}");
    }
}

#[test]
fn an_application_that_never_finalizes_loses_no_call() {
    let collector = Collector::started();
    let way = reporting(&collector);
    let mut storm = Storm::start(&way, 8000, 1, "exit");
    assert_eq!(storm.round(), Some(8000));
    assert!(storm.child.wait().expect("our own child").success());
    let mut books = Accounts::new(collector.log());
    eventually("the stream closed", || (books.update() == 1).then_some(()));
    assert_eq!(books.balance(), [8002, 8002, 0]);
}

#[test]
fn parent_and_child_of_a_fork_have_a_stream_each() {
    let collector = Collector::started();
    let way = reporting(&collector);
    let mut command = way.command(artifacts::host());
    let seen = run(command.arg("fork").arg(&way.module).arg("50")).success();
    let pids: Vec<u64> = ["child", "parent"]
        .map(|name| {
            let line = seen.stdout.lines().find(|line| line.starts_with(name)).expect("both speak");
            line.split(['=', ' ']).nth(2).and_then(|pid| pid.parse().ok()).expect("a pid")
        })
        .to_vec();
    let mut books = Accounts::new(collector.log());
    eventually("both streams closed", || (books.update() == 2).then_some(()));
    let [attempted, stored, lost] = books.balance();
    assert_eq!((attempted, stored, lost), (150 + AROUND, 150 + AROUND, 0));
    for (pid, calls) in [(pids[0], 50), (pids[1], 100 + AROUND)] {
        let own = books
            .streams
            .values()
            .find(|account| account.closed.as_ref().is_some_and(|it| it["process"]["pid"] == pid));
        assert_eq!(own.expect("a stream of its own").calls.len() as u64, calls);
    }
}
