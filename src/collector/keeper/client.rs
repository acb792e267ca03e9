// SPDX-License-Identifier: Apache-2.0
//! The collector's side of the keeper: finds it or starts it, parks rings there and takes them over.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{RecvFlags, SocketType};

use super::MOST_BYTES;
use crate::intake::packet::{Packet, connect, peer, receive, send};

/// How long the collector waits for an answer: its rings fill meanwhile.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a keeper may take to start.
const START: Duration = Duration::from_secs(5);

/// A ring that was parked.
#[derive(Debug)]
pub(crate) struct Parked {
    pub(crate) id: [u8; 16],
    /// What was said of it when it was parked.
    pub(crate) blob: Vec<u8>,
    pub(crate) ring: OwnedFd,
}

/// A connection to the keeper, and how to make one again.
#[derive(Debug)]
pub(crate) struct Keeper {
    path: PathBuf,
    socket: Option<OwnedFd>,
    /// The keeper that this process started, so that its end is noticed.
    child: Option<Child>,
}

impl Keeper {
    /// The keeper at `path`, not connected yet.
    pub(crate) fn at(path: PathBuf) -> Keeper {
        Keeper { path, socket: None, child: None }
    }

    /// Whether it answered last time.
    pub(crate) fn is_there(&self) -> bool {
        self.socket.is_some()
    }

    /// Connects, to a keeper that runs or to one started here.
    pub(crate) fn reach(&mut self) -> io::Result<()> {
        let started = Instant::now();
        loop {
            if let Ok(socket) = connect(&self.path, SocketType::SEQPACKET) {
                self.socket = Some(trusted(socket)?);
                return Ok(());
            }
            // One that ended, because another was quicker, leaves no process behind.
            if self.child.as_mut().is_none_or(|child| child.try_wait().is_ok_and(|ended| ended.is_some())) {
                self.child = Some(spawn(&self.path)?);
            }
            if started.elapsed() > START {
                return Err(io::ErrorKind::TimedOut.into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Parks a ring.
    pub(crate) fn park(&mut self, id: &[u8; 16], blob: &[u8], ring: BorrowedFd<'_>) -> io::Result<()> {
        self.ask(&[b"P", id, blob], Some(ring)).map(|_| ())
    }

    /// Drops a ring.
    pub(crate) fn release(&mut self, id: &[u8; 16]) -> io::Result<()> {
        self.ask(&[b"D", id], None).map(|_| ())
    }

    /// All rings that are parked.
    pub(crate) fn list(&mut self) -> io::Result<Vec<Parked>> {
        self.ask(&[b"L"], None)
    }

    /// Ends a keeper that holds nothing.
    pub(crate) fn dismiss(&mut self) {
        if self.ask(&[b"Q"], None).is_ok() {
            self.socket = None;
            // It ends by itself where it holds nothing; where it does not, init takes it over.
            let _ = self.child.as_mut().map(Child::try_wait);
        }
    }

    fn ask(&mut self, request: &[&[u8]], file: Option<BorrowedFd<'_>>) -> io::Result<Vec<Parked>> {
        let socket = self.socket.take().ok_or(io::ErrorKind::NotConnected)?;
        send(socket.as_fd(), request, file)?;
        let mut parked = Vec::new();
        loop {
            let Packet { bytes, mut files, .. } = receive(socket.as_fd(), MOST_BYTES, RecvFlags::empty())?;
            match (bytes.split_first(), files.pop()) {
                (Some((b'K', _)), None) => break,
                (Some((b'R', rest)), Some(ring)) => {
                    let (id, blob) = rest.split_first_chunk::<16>().ok_or(io::ErrorKind::InvalidData)?;
                    parked.push(Parked { id: *id, blob: blob.to_vec(), ring });
                }
                _ => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
        // Only a connection whose last answer was complete is used again.
        self.socket = Some(socket);
        Ok(parked)
    }
}

/// A connection to a process of our own user, or root: nobody else may hold rings, or hand out what he calls rings.
fn trusted(socket: OwnedFd) -> io::Result<OwnedFd> {
    let (_, uid, _) = peer(socket.as_fd())?;
    if uid != 0 && uid != rustix::process::geteuid().as_raw() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the keeper's socket belongs to another user",
        ));
    }
    for direction in [Timeout::Send, Timeout::Recv] {
        set_socket_timeout(&socket, direction, Some(PATIENCE))?;
    }
    Ok(socket)
}

fn spawn(path: &Path) -> io::Result<Child> {
    Command::new(std::env::current_exe()?)
        .args(["keep", "--socket"])
        .arg(path)
        .current_dir("/")
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}
