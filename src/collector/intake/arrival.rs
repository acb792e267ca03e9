// SPDX-License-Identifier: Apache-2.0
//! What the doors (attach, spool, keeper) hand to the intake, and how they wake it.

use std::collections::HashSet;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{SendTimeoutError, Sender};
use parking_lot::Mutex;
use ring::Consumer;
use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::Stat;

use super::identity::Pinned;
use super::packet::ready;
use super::quota::Ticket;
use crate::error::Error;
use crate::stream::Process;

/// A ring that came.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) ring: Consumer,
    /// Device and inode: what makes it the same ring when it comes again.
    pub(crate) inode: (u64, u64),
    pub(crate) who: Pinned,
    pub(crate) origin: Origin,
    pub(crate) connection: Option<Connection>,
}

/// Device and inode of a ring.
pub(crate) fn ring_id(status: &Stat) -> (u64, u64) {
    (status.st_dev, status.st_ino)
}

/// Where a ring came from, and so what becomes of it when its stream is closed.
#[derive(Debug)]
pub(crate) enum Origin {
    /// Over the socket, or from the keeper: parked there meanwhile.
    Attached(Arc<File>),
    /// From the spool: removed then.
    Spooled {
        path: PathBuf,
        /// Gives the file back to the next scan.
        _taken: Taken,
    },
}

/// Spool files that are being read, by device and inode.
pub(crate) type TakenFiles = Arc<Mutex<HashSet<(u64, u64)>>>;

/// One of them; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) inode: (u64, u64),
    pub(crate) files: TakenFiles,
    pub(crate) _ticket: Ticket,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.files.lock().remove(&self.inode);
    }
}

/// The connection of a shim, which it keeps for as long as it lives.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) socket: OwnedFd,
    pub(crate) _ticket: Ticket,
}

/// What a door has to say.
pub(crate) enum Message {
    /// Here is a ring.
    Arrived(Box<Arrival>),
    /// Somebody was not let in.
    Refused(Box<Refusal>),
}

/// Who was not let in, and why.
pub(crate) struct Refusal {
    pub(crate) process: Process,
    /// The id that he claimed.
    pub(crate) stream: Option<[u8; 16]>,
    pub(crate) reason: String,
}

/// The way from a door to the intake.
#[derive(Clone)]
pub(crate) struct Post {
    pub(crate) channel: Sender<Message>,
    pub(crate) wake: Wake,
    pub(crate) stop: Stop,
}

impl Post {
    /// Waits where the intake is behind, as it is while the log cannot be written, but not beyond the stop.
    pub(crate) fn send(&self, message: Message) {
        let mut unsent = Some(message);
        while let Some(message) = unsent.take() {
            match self.channel.send_timeout(message, Duration::from_millis(100)) {
                Err(SendTimeoutError::Timeout(message)) if !self.stop.is_stopped() => unsent = Some(message),
                _ => self.wake.wake(),
            }
        }
    }
}

/// Ends a wait from another thread.
#[derive(Debug, Clone)]
pub(crate) struct Wake(Arc<OwnedFd>);

impl Wake {
    pub(crate) fn new() -> Result<Wake, Error> {
        let made = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
        Ok(Wake(Arc::new(made.map_err(|error| Error::system("make an event descriptor")(error.into()))?)))
    }

    /// Ends the wait, the next one if there is none now.
    pub(crate) fn wake(&self) {
        // It fails only where it is raised already.
        let _ = rustix::io::write(&*self.0, &1_u64.to_ne_bytes());
    }

    /// Waits to be woken, at most so long.
    pub(crate) fn wait(&self, patience: Duration) {
        if ready(&*self.0, patience) {
            let _ = rustix::io::read(&*self.0, &mut [0; 8]);
        }
    }
}

/// Says once and for all that the collector stops.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    stopped: Arc<AtomicBool>,
    wake: Wake,
}

impl Stop {
    pub(crate) fn new() -> Result<Stop, Error> {
        Ok(Stop { stopped: Arc::default(), wake: Wake::new()? })
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.wake.wake();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Waits for the stop, at most so long. Its descriptor stays raised for all who wait.
    pub(crate) fn wait(&self, patience: Duration) -> bool {
        self.is_stopped() || ready(&*self.wake.0, patience)
    }
}

impl AsFd for Stop {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.0.as_fd()
    }
}
