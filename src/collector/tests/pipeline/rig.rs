// SPDX-License-Identifier: Apache-2.0
//! What the tests drive the collector with: real rings, as the library makes them, and frames as it writes them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use event::record::{Call, Header, Verdict, operation_id};
use event::{Function, hello, wire};
use ring::{Backing, Clock, Consumer, Generation, Layout, Producer};
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags,
    SocketType, connect, sendmsg, socket_with,
};

/// A ring of two small lanes.
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
    wire::decode(&frame(function, sequence), &mut BTreeMap::new()).unwrap()
}

fn frame(function: Function, sequence: u64) -> Vec<u8> {
    frame_of(&header(function, sequence))
}

fn frame_of(header: &Header) -> Vec<u8> {
    let mut buffer = [0; wire::MAX_SECTIONS];
    let mut frame = wire::Frame::new(&mut buffer[..]);
    let (fixed, bytes, length) = frame.finish(header);
    [fixed.map(u64::to_ne_bytes).as_flattened(), &bytes[..length]].concat()
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
        is_notice: false,
        policy_defined: false,
    }
}

/// Makes one call through a lane, as the library does; `false` if its record was lost.
pub(crate) fn emit(producer: &Producer, lane: u16) -> bool {
    let lane = producer.lane(lane);
    publish(&lane, lane.begin())
}

/// Makes a call of an operation, with a fixed part that `alter` changes; the operation's id, a new one where none is
/// given. The record must not be lost.
pub(crate) fn work(
    producer: &Producer,
    lane: u16,
    function: Function,
    operation: Option<u64>,
    alter: impl FnOnce(&mut Header),
) -> u64 {
    let through = producer.lane(lane);
    let sequence = through.begin();
    let operation = operation.unwrap_or_else(|| operation_id(lane, sequence));
    let mut header = Header { operation, ..header(function, sequence) };
    alter(&mut header);
    through.publish(&frame_of(&header)).unwrap();
    operation
}

/// Ends a call that was begun.
pub(crate) fn publish(lane: &ring::Lane, sequence: u64) -> bool {
    lane.publish(&frame(Function::C_GenerateRandom, sequence)).is_ok()
}

/// Connects to a socket of a collector.
pub(crate) fn visit(socket: &Path) -> io::Result<OwnedFd> {
    let connection = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    connect(&connection, &SocketAddrUnix::new(socket)?)?;
    Ok(connection)
}

/// Says something there.
pub(crate) fn say(connection: &OwnedFd, bytes: &[u8], files: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(64))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !files.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(files));
    }
    sendmsg(connection.as_fd(), &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// The message that hands over the ring of a stream.
pub(crate) fn greeting(stream: [u8; 16]) -> Vec<u8> {
    [b"p11guard-attach1", &stream[..]].concat()
}

/// Hands a ring to a collector. The connection lives as long as what is returned.
pub(crate) fn attach(producer: &Producer, socket: &Path) -> io::Result<OwnedFd> {
    let connection = visit(socket)?;
    say(&connection, &greeting(producer.stream()), &[producer.descriptor()])?;
    Ok(connection)
}
