// SPDX-License-Identifier: Apache-2.0
//! The keeper: a second small process that holds the rings, so that a collector killed at any moment finds them again
//! when it starts, those of applications that have ended meanwhile included. It reads none of them.
//!
//! One message a request, over a local socket to which only the same user gets in: `P` id blob with a descriptor
//! parks a ring (a second one under the same id changes nothing), `D` id drops it, `L` lists, `Q` ends a keeper that
//! holds nothing. Each is answered by `K`; `L` by one `R` id blob with descriptor for each ring before.

mod client;

pub(crate) use client::Keeper;

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{RecvFlags, SocketFlags, SocketType, accept_with};

use crate::error::Error;
use crate::intake::packet::{listen, peer, receive, send};

/// Longest message: id and identity, which is a few paths.
const MOST_BYTES: usize = 128 << 10;
/// Most rings; a collector's own limits are far below.
const MOST_RINGS: usize = 1 << 16;
/// How long a keeper with no rings waits for the next collector.
const IDLE: Duration = Duration::from_secs(600);
/// How long it waits for a collector that does not read.
const PATIENCE: Duration = Duration::from_secs(5);

/// Raises the limit of open descriptors as far as it may be raised.
pub(crate) fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::warn!(%error, "the limit of open descriptors stays as it is");
    }
}

/// Keeps rings until told to end, or idle for ten minutes with none: the work of `p11guard keep --socket PATH`.
///
/// # Errors
/// [`Error`] if it cannot listen there; [`Error::Running`] if another keeper does.
pub fn keep(path: &Path) -> Result<(), Error> {
    // A session of its own: what kills the collector's must not reach here. It fails only where it is one already.
    let _ = rustix::process::setsid();
    raise_descriptor_limit();
    let listener = listen(path, SocketType::SEQPACKET, 0o600, None)?;
    let served = Kept::default().serve(&listener);
    // Another keeper could not have come here while this one listened.
    let _ = std::fs::remove_file(path);
    served.map_err(Error::system("wait for requests"))
}

/// What is kept, and for whom.
#[derive(Default)]
struct Kept {
    rings: BTreeMap<[u8; 16], (Vec<u8>, OwnedFd)>,
    clients: Vec<OwnedFd>,
    ended: bool,
}

impl Kept {
    fn serve(&mut self, listener: &OwnedFd) -> io::Result<()> {
        let mut busy = Instant::now();
        while !self.ended {
            let mut watched = vec![PollFd::new(listener, PollFlags::IN)];
            watched.extend(self.clients.iter().map(|client| PollFd::new(client, PollFlags::IN)));
            match poll(&mut watched, Some(&Timespec { tv_sec: 60, tv_nsec: 0 })) {
                Err(rustix::io::Errno::INTR) => continue,
                polled => polled?,
            };
            let ready: Vec<_> = watched.iter().map(|one| !one.revents().is_empty()).collect();
            for place in (0..self.clients.len()).rev() {
                if ready[place + 1] && self.answer(place).is_err() {
                    self.clients.swap_remove(place);
                }
            }
            if ready[0] {
                self.welcome(listener);
            }
            if !self.clients.is_empty() || !self.rings.is_empty() {
                busy = Instant::now();
            }
            self.ended |= busy.elapsed() > IDLE;
        }
        Ok(())
    }

    fn welcome(&mut self, listener: &OwnedFd) {
        let Ok(client) = accept_with(listener, SocketFlags::CLOEXEC) else { return };
        let ours = rustix::process::geteuid().as_raw();
        let timed = set_socket_timeout(&client, Timeout::Send, Some(PATIENCE));
        if timed.is_ok() && peer(client.as_fd()).is_ok_and(|(_, uid, _)| uid == ours) {
            self.clients.push(client);
        }
    }

    /// Answers one request; an error ends the connection.
    fn answer(&mut self, client: usize) -> io::Result<()> {
        let socket = self.clients[client].as_fd();
        let mut packet = receive(socket, MOST_BYTES, RecvFlags::DONTWAIT)?;
        let wrong = || io::Error::from(io::ErrorKind::InvalidData);
        let (kind, rest) = packet.bytes.split_first().ok_or_else(wrong)?;
        let id = || rest.first_chunk::<16>().copied().ok_or_else(wrong);
        match kind {
            b'P' if packet.cut || self.rings.len() >= MOST_RINGS => return Err(wrong()),
            b'P' => {
                let (id, ring) = (id()?, packet.files.pop().ok_or_else(wrong)?);
                self.rings.entry(id).or_insert_with(|| (rest[16..].to_vec(), ring));
            }
            b'D' => drop(self.rings.remove(&id()?)),
            b'L' => {
                for (id, (blob, ring)) in &self.rings {
                    send(socket, &[b"R", id, blob], Some(ring.as_fd()))?;
                }
            }
            b'Q' => self.ended = self.rings.is_empty(),
            _ => return Err(wrong()),
        }
        send(socket, &[b"K"], None)
    }
}

#[cfg(test)]
mod tests;
