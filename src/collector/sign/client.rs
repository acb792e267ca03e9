// SPDX-License-Identifier: Apache-2.0
//! The collector's side of the signer: starts it or connects to one that runs by itself, and asks.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, socketpair};

use crate::intake::packet::{connect, receive, send};
use crate::proof::Range;

/// Longest answer: a note, or a certificate.
const MOST_BYTES: usize = 64 << 10;
/// How long the signer may take: a few writes to its disk.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the signer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum At {
    /// At this socket.
    Socket(PathBuf),
    /// A process of this program, started here, with its keys and how long each of them signs.
    Own { program: Option<PathBuf>, keys: PathBuf, epoch: Duration },
}

/// A connection to the signer, and how to make one again.
#[derive(Debug)]
pub(crate) struct Signing {
    at: At,
    socket: Option<OwnedFd>,
    child: Option<Child>,
}

/// What the signer answered.
#[derive(Debug, Default)]
pub(crate) struct Signed {
    /// The certificates that were asked for.
    pub(crate) certificates: Vec<String>,
    /// Leaves of the newest tree that is signed.
    pub(crate) size: u64,
    /// Its note, empty where there is none yet.
    pub(crate) note: String,
}

impl Signing {
    /// The signer there, not connected yet.
    pub(crate) fn at(at: At) -> Signing {
        Signing { at, socket: None, child: None }
    }

    /// Whether it answered last time.
    pub(crate) fn is_there(&self) -> bool {
        self.socket.is_some()
    }

    /// Connects, and names the log; a new one where `origin` is empty. `known`: certificates at hand.
    pub(crate) fn hello(&mut self, origin: &str, known: u64) -> io::Result<Signed> {
        self.end();
        let socket = match &self.at {
            At::Socket(path) => connect(path, SocketType::SEQPACKET)?,
            At::Own { program, keys, epoch } => {
                let (ours, its) =
                    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
                let program = program.clone().map_or_else(std::env::current_exe, Ok)?;
                let mut command = Command::new(program);
                command
                    .args(["sign", "--epoch-seconds"])
                    .arg(epoch.as_secs().to_string())
                    .arg("--keys")
                    .arg(keys);
                command.current_dir("/").env_clear().stdin(its).stdout(Stdio::null()).stderr(Stdio::null());
                self.child = Some(command.spawn()?);
                ours
            }
        };
        for direction in [Timeout::Send, Timeout::Recv] {
            set_socket_timeout(&socket, direction, Some(PATIENCE))?;
        }
        self.socket = Some(socket);
        self.ask(&[b"H", &known.to_le_bytes(), origin.as_bytes()])
    }

    /// Asks for a note over what is signed and `more` behind it.
    pub(crate) fn sign(&mut self, known: u64, more: &Range) -> io::Result<Signed> {
        let nodes = more.nodes().as_flattened();
        self.ask(&[b"S", &known.to_le_bytes(), &more.end().to_le_bytes(), nodes])
    }

    fn ask(&mut self, request: &[&[u8]]) -> io::Result<Signed> {
        let socket = self.socket.take().ok_or(io::ErrorKind::NotConnected)?;
        send(socket.as_fd(), request, None)?;
        let mut signed = Signed::default();
        loop {
            let packet = receive(socket.as_fd(), MOST_BYTES, RecvFlags::empty())?;
            let text =
                |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| io::ErrorKind::InvalidData);
            match packet.bytes.split_first() {
                Some((b'C', note)) => signed.certificates.push(text(note)?),
                Some((b'N', rest)) => {
                    let (size, note) = rest.split_first_chunk().ok_or(io::ErrorKind::InvalidData)?;
                    (signed.size, signed.note) = (u64::from_le_bytes(*size), text(note)?);
                    break;
                }
                Some((b'E', problem)) => return Err(io::Error::other(text(problem)?)),
                _ => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the signer ended")),
            }
        }
        // Only a connection whose last answer was complete is used again.
        self.socket = Some(socket);
        Ok(signed)
    }

    fn end(&mut self) {
        self.socket = None;
        if let Some(mut child) = self.child.take() {
            // It ends by itself when its socket is closed, unless it hangs.
            for _ in 0..100 {
                if child.try_wait().is_ok_and(|ended| ended.is_some()) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Signing {
    fn drop(&mut self) {
        self.end();
    }
}
