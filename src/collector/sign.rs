// SPDX-License-Identifier: Apache-2.0
//! The signer: a process of its own that holds the key of the log and nothing else. It takes hashes and counts, never
//! an event, and knows the tree it has signed: what it signs next is that tree with something behind it, whatever the
//! collector says. So whoever takes over the collector gets no second history signed.
//!
//! One message a request, over a local socket: `H` origin known names the log, or asks for a new one where the origin
//! is empty; `S` known size hashes asks to sign the tree of `size` leaves, which is the one signed last and the
//! subtrees of these hashes. Both are answered by one `C` note for each certificate from number `known` on, and `N`
//! size note, the newest note; or by `E` text.

mod client;
mod store;

pub(crate) use client::{At, Signing};

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::net::{RecvFlags, SocketFlags, SocketType, accept_with};

use crate::error::Error;
use crate::intake::packet::{Packet, listen, peer, receive, send};
use crate::proof::{Hash, Range};
use store::Store;

/// Longest request: the subtrees of a range are at most 126.
const MOST_BYTES: usize = 8 << 10;

/// What a signer is told.
#[derive(Debug, Clone)]
pub struct Signer {
    /// Where its keys are.
    pub keys: PathBuf,
    /// How long a key signs.
    pub epoch: Duration,
}

impl Signer {
    /// Serves whoever holds the other end of its standard input, until that is closed.
    ///
    /// # Errors
    /// [`Error::System`] if there is no socket.
    pub fn serve_stdin(self) -> Result<(), Error> {
        harden();
        let stdin =
            io::stdin().as_fd().try_clone_to_owned().map_err(Error::system("use the standard input"))?;
        self.serve(&stdin);
        Ok(())
    }

    /// Serves one collector after the other at a socket, if its user is `client`, or our own, or root.
    ///
    /// # Errors
    /// [`Error`] if it cannot listen there.
    pub fn serve_socket(self, path: &Path, client: Option<u32>) -> Result<(), Error> {
        harden();
        let listener =
            listen(path, SocketType::SEQPACKET, if client.is_some() { 0o666 } else { 0o600 }, None)?;
        let ours = rustix::process::geteuid().as_raw();
        loop {
            if !crate::intake::packet::ready(&listener, Duration::from_secs(60)) {
                continue;
            }
            let Ok(socket) = accept_with(&listener, SocketFlags::CLOEXEC) else { continue };
            let known =
                peer(socket.as_fd()).is_ok_and(|(_, uid, _)| uid == ours || uid == 0 || Some(uid) == client);
            if known {
                self.serve(&socket);
            }
        }
    }

    /// Answers until the other end is closed.
    pub(crate) fn serve(&self, socket: &OwnedFd) {
        let mut store = None;
        while let Ok(packet) = receive(socket.as_fd(), MOST_BYTES, RecvFlags::empty()) {
            if packet.bytes.is_empty() {
                break;
            }
            let answered = self.answer(&mut store, &packet).and_then(|(store, known)| {
                for note in store.certificates(known).map_err(|error| error.to_string())? {
                    send(socket.as_fd(), &[b"C", note.as_bytes()], None)
                        .map_err(|error| error.to_string())?;
                }
                Ok(store)
            });
            let sent = match answered {
                Ok(store) => {
                    let size = store.size().to_le_bytes();
                    send(socket.as_fd(), &[b"N", &size, store.note().as_bytes()], None)
                }
                Err(problem) => send(socket.as_fd(), &[b"E", problem.as_bytes()], None),
            };
            if sent.is_err() {
                break;
            }
        }
    }

    /// Does what a request asks; the log, and how many certificates the other side has.
    fn answer<'s>(&self, store: &'s mut Option<Store>, packet: &Packet) -> Result<(&'s Store, u64), String> {
        const WRONG: &str = "the request is of another version: restart the signer and the collector";
        let (kind, rest) = packet.bytes.split_first().filter(|_| !packet.cut).ok_or(WRONG)?;
        let number = |bytes: &[u8]| Some(u64::from_le_bytes(bytes.get(..8)?.try_into().ok()?));
        let known = number(rest).ok_or(WRONG)?;
        match (kind, store) {
            (b'H', store) => {
                let origin = std::str::from_utf8(&rest[8..]).map_err(|_| WRONG)?;
                Ok((store.insert(Store::open(&self.keys, origin)?), known))
            }
            (b'S', Some(store)) => {
                let end = number(&rest[8..]).ok_or(WRONG)?;
                let hashes = rest[16..].chunks_exact(32).map(|hash| Hash::try_from(hash).unwrap_or_default());
                let more = Range::of(store.size(), end, hashes.collect()).ok_or_else(|| {
                    format!(
                        "a tree of {} leaves is signed, and {end} with these hashes do not go on from it",
                        store.size()
                    )
                })?;
                store.sign(&more, self.epoch)?;
                Ok((store, known))
            }
            _ => Err(WRONG.into()),
        }
    }
}

/// Nobody reads the memory of this process, nor its core, nor what it writes.
fn harden() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit, umask};
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    umask(rustix::fs::Mode::from_raw_mode(0o077));
    // Signals of the collector's terminal are not for it: it ends when the collector does.
    let _ = rustix::process::setsid();
}

#[cfg(test)]
mod tests;
