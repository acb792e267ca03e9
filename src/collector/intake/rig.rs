// SPDX-License-Identifier: Apache-2.0
//! What the tests drive the collector with: real rings, as the library makes them, and frames as it writes them.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use event::record::{Call, Header, Verdict};
use event::{Function, hello, wire};
use ring::{Backing, Clock, Consumer, Generation, Layout, Producer};
use rustix::net::SocketType;

use super::attach::GREETING;
use super::packet::{connect, send};

/// A ring in memory of two small lanes.
pub(crate) fn producer(backing: Backing<'_>) -> Producer {
    let mut said = Vec::new();
    hello::push(&mut said, hello::Field::Version, b"0.1.0");
    hello::push(&mut said, hello::Field::PolicyHash, &[7; 32]);
    let layout = Layout::new(2, 64 << 10).unwrap();
    Producer::create(layout, backing, Clock::detect(), &said, Generation::first().unwrap()).unwrap()
}

/// The other end of it.
pub(crate) fn consumer(producer: &Producer) -> Consumer {
    let file = File::from(producer.descriptor().try_clone_to_owned().unwrap());
    Consumer::open(file, Backing::Memfd).unwrap()
}

/// A call with nothing but its fixed part.
pub(crate) fn call(function: Function, sequence: u64) -> Call {
    let mut buffer = [0; wire::MAX_FRAME];
    wire::decode(wire::Frame::new(&mut buffer).finish(&header(function, sequence))).unwrap()
}

fn header(function: Function, sequence: u64) -> Header {
    let now = Clock::detect().now();
    Header {
        function,
        thread: 1,
        sequence,
        start: now,
        end: now + 1000,
        rv: 0,
        operation: 0,
        bytes_in: None,
        bytes_out: None,
        session: Some(1),
        policy: 0,
        verdict: Verdict::NotJudged,
        enforced: false,
        size_query: false,
        truncated: false,
        degraded: false,
        answered_here: false,
    }
}

/// Makes one call through a lane, as the library does; `false` if its record was lost.
pub(crate) fn emit(producer: &Producer, lane: u16) -> bool {
    let lane = producer.lane(lane);
    let sequence = lane.begin();
    let mut buffer = [0; wire::MAX_FRAME];
    let frame = wire::Frame::new(&mut buffer).finish(&header(Function::C_GenerateRandom, sequence));
    lane.publish(frame).is_ok()
}

/// Hands a ring to a collector. The connection lives as long as what is returned.
pub(crate) fn attach(producer: &Producer, socket: &Path) -> std::io::Result<OwnedFd> {
    let connection = connect(socket, SocketType::SEQPACKET)?;
    send(connection.as_fd(), &[GREETING, &producer.stream()], Some(producer.descriptor()))?;
    Ok(connection)
}
