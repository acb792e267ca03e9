// SPDX-License-Identifier: Apache-2.0
//! The door for shims: a connection, one message with one ring, and the kernel's word about who is there. Whoever
//! says something else, or nothing, is shown out; whatever he sends, he costs no more than his own share.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ring::{Backing, Consumer};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::fstat;
use rustix::net::{RecvFlags, SocketFlags, accept_with};

use super::arrival::{Arrival, Connection, Message, Origin, Post, Refusal, ring_id};
use super::identity::of_peer;
use super::packet::{Packet, peer, receive};
use super::quota::{Quota, Ticket};
use crate::stream::Process;

/// What the one message starts with; the stream's id follows.
pub(crate) const GREETING: &[u8; 16] = b"p11guard-attach1";
/// How long a connection may stay silent before it is shown out.
const PATIENCE: Duration = Duration::from_secs(2);

/// The door, kept by one thread.
pub(crate) struct Door {
    pub(crate) listener: OwnedFd,
    pub(crate) quota: Quota,
    pub(crate) post: Post,
}

/// A connection that has not said anything yet.
struct Visitor {
    socket: OwnedFd,
    ticket: Ticket,
    since: Instant,
    peer: (u32, u32, u32),
}

impl Door {
    /// Lets visitors in until the collector stops, those too who have come until then.
    pub(crate) fn keep(self) {
        let mut visitors: Vec<Visitor> = Vec::new();
        let mut last = false;
        while !last {
            last = self.post.stop.is_stopped();
            if last {
                self.welcome(&mut visitors);
            }
            let mut watched = vec![
                PollFd::new(&self.listener, PollFlags::IN),
                PollFd::from_borrowed_fd(self.post.stop.as_fd(), PollFlags::IN),
            ];
            watched.extend(visitors.iter().map(|visitor| PollFd::new(&visitor.socket, PollFlags::IN)));
            // Without visitors nothing can fall due.
            let timeout = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
            let polled = poll(&mut watched, (!visitors.is_empty()).then_some(&timeout));
            let ready: Vec<_> =
                watched.iter().map(|one| polled.is_ok() && !one.revents().is_empty()).collect();
            for place in (0..visitors.len()).rev() {
                if ready[place + 2] {
                    self.hear(visitors.swap_remove(place));
                } else if visitors[place].since.elapsed() > PATIENCE {
                    let visitor = visitors.swap_remove(place);
                    self.refuse(visitor.peer, None, "it connected and said nothing".into());
                }
            }
            if ready[0] {
                self.welcome(&mut visitors);
            }
        }
    }

    fn welcome(&self, visitors: &mut Vec<Visitor>) {
        // Few at a time, so that those who have come get heard in a flood.
        for _ in 0..64 {
            let socket = match accept_with(&self.listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
                Ok(socket) => socket,
                Err(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE | rustix::io::Errno::NOMEM) => {
                    tracing::error!("out of descriptors: raise LimitNOFILE, or lower the limits per user");
                    std::thread::sleep(Duration::from_millis(100));
                    return;
                }
                Err(_) => return,
            };
            let Ok(peer) = peer(socket.as_fd()) else { continue };
            match self.quota.take(peer.1, 1) {
                Some(ticket) => visitors.push(Visitor { socket, ticket, since: Instant::now(), peer }),
                None => self.refuse(peer, None, "its user has as many connections as one may have".into()),
            }
        }
    }

    fn hear(&self, visitor: Visitor) {
        let peer = visitor.peer;
        let packet = match receive(visitor.socket.as_fd(), GREETING.len() + 17, RecvFlags::DONTWAIT) {
            Ok(packet) if packet.bytes.is_empty() && packet.files.is_empty() => return,
            Ok(packet) => packet,
            Err(_) => return,
        };
        let stream = packet.bytes.strip_prefix(GREETING).and_then(|id| <[u8; 16]>::try_from(id).ok());
        match admit(packet, stream, visitor) {
            Ok(arrival) => self.post.send(Message::Arrived(Box::new(arrival))),
            Err(reason) => self.refuse(peer, stream, reason),
        }
    }

    fn refuse(&self, (pid, uid, gid): (u32, u32, u32), stream: Option<[u8; 16]>, reason: String) {
        let process = Process { pid, uid, gid, ..Process::default() };
        self.post.send(Message::Refused(Box::new(Refusal { process, stream, reason })));
    }
}

/// Examines what a visitor brought.
fn admit(packet: Packet, stream: Option<[u8; 16]>, visitor: Visitor) -> Result<Arrival, String> {
    let stream = stream.ok_or("its first message is not that of a p11guard library")?;
    let Ok([file]) = <[OwnedFd; 1]>::try_from(packet.files) else {
        return Err("its message does not bring exactly one descriptor".into());
    };
    if packet.cut {
        return Err("its message brings more than one descriptor".into());
    }
    if packet.sender.is_some_and(|sender| sender != visitor.peer.0) {
        return Err("another process than the one that connected sent the message".into());
    }
    let file = Arc::new(File::from(file));
    let status = fstat(&*file).map_err(|error| error.to_string())?;
    let clone = file.try_clone().map_err(|error| error.to_string())?;
    let ring = Consumer::open(clone, Backing::Memfd).map_err(|refused| refused.to_string())?;
    if ring.header().stream != stream {
        return Err("the ring carries another stream id than the message".into());
    }
    let who = of_peer(visitor.peer, &status);
    let connection = Some(Connection { socket: visitor.socket, _ticket: visitor.ticket });
    Ok(Arrival { ring, inode: ring_id(&status), who, origin: Origin::Attached(file), connection })
}
