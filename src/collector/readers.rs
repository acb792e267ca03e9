// SPDX-License-Identifier: Apache-2.0
//! The socket for readers: each follows the log at its own pace, up to what is durable, with a thread of its own.
//! Nothing is queued for a reader, so one that is slow, stuck or gone costs the others and the collector nothing.
//!
//! A reader gets events from now on. One that first sends a line `{"after": INDEX}` gets those after that index, and
//! with `{"from": "start"}` all there are; `{"from": "checkpoint"}` gives the newest note, and each that follows, as a
//! line with the member `checkpoint` instead. Events end with the connection when the collector stops.

use std::io::{self, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvFlags, SocketFlags, accept_with, recv};
use serde::Deserialize;

use crate::intake::Stop;
use crate::intake::packet::ready;
use crate::log::{Cursor, Durable, Folder, Place, Seals};

/// How long a reader may think before it is given events from now on.
const ASKING: Duration = Duration::from_millis(50);
/// How long it may take to finish the line that it has begun.
const FINISHING: Duration = Duration::from_secs(1);
const LONGEST_REQUEST: usize = 4096;
/// How long the stop waits for readers, even for those that go on reading.
const LEAVING: Duration = Duration::from_secs(10);
/// How long to wait until it is looked whether the reader is still there.
const PATIENCE: Duration = Duration::from_secs(1);
const CHUNK: usize = 256 << 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    after: Option<u64>,
    from: Option<From>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum From {
    Start,
    Checkpoint,
}

/// The socket and those who read.
pub(crate) struct Readers {
    pub(crate) listener: OwnedFd,
    pub(crate) limit: u32,
    pub(crate) log: Folder,
    pub(crate) durable: Arc<Durable>,
    pub(crate) seals: Arc<Seals>,
    pub(crate) stop: Stop,
}

/// A reader's thread, the connection to end it by, and how far it is.
type Reading = (JoinHandle<()>, Arc<UnixStream>, Arc<AtomicU64>);

impl Readers {
    /// Lets readers in until the collector stops, then lets each have what it can take and ends them.
    pub(crate) fn serve(self) {
        let mut reading = Vec::new();
        loop {
            let mut watched = [
                PollFd::new(&self.listener, PollFlags::IN),
                PollFd::from_borrowed_fd(self.stop.as_fd(), PollFlags::IN),
            ];
            let polled = poll(&mut watched, None);
            if self.stop.is_stopped() {
                break;
            }
            if polled.is_ok() {
                self.welcome(&mut reading);
            }
        }
        // Those who came before the end are at the door still.
        for _ in 0..self.limit {
            if ready(&self.listener, Duration::ZERO) {
                self.welcome(&mut reading);
            }
        }
        dismiss(reading);
    }

    fn welcome(&self, reading: &mut Vec<Reading>) {
        reading.retain(|(thread, ..)| !thread.is_finished());
        // Blocking: only the thread of this reader ever waits for it.
        let Ok(socket) = accept_with(&self.listener, SocketFlags::CLOEXEC) else {
            // Out of descriptors, most likely; whoever waits at the door stays there.
            thread::sleep(Duration::from_millis(20));
            return;
        };
        let socket = Arc::new(UnixStream::from(socket));
        if reading.len() >= self.limit as usize {
            tracing::warn!(limit = self.limit, "a reader was turned away: raise readers_limit");
            return complain(&socket, "there are as many readers as readers_limit allows");
        }
        let at = Arc::new(AtomicU64::new(0));
        let reader = Reader {
            socket: Arc::clone(&socket),
            at: Arc::clone(&at),
            log: self.log.clone(),
            durable: Arc::clone(&self.durable),
            seals: Arc::clone(&self.seals),
            now: self.durable.end().place,
        };
        let thread = thread::Builder::new().name("reader".into()).spawn(move || reader.run());
        match thread {
            Ok(thread) => reading.push((thread, socket, at)),
            Err(error) => tracing::error!(%error, "no thread for a reader"),
        }
    }
}

/// Gives the readers time to take what there is, which is all there will be, and ends them.
fn dismiss(reading: Vec<Reading>) {
    let started = Instant::now();
    let (mut moved, mut before) = (started, 0);
    while reading.iter().any(|(thread, ..)| !thread.is_finished()) {
        let taken: u64 = reading.iter().map(|(.., at)| at.load(Ordering::Relaxed)).sum();
        if taken != before {
            (moved, before) = (Instant::now(), taken);
        }
        if moved.elapsed() > FINISHING || started.elapsed() > LEAVING {
            break;
        }
        thread::sleep(Duration::from_millis(5));
    }
    for (thread, socket, _) in reading {
        let _ = socket.shutdown(Shutdown::Both);
        let _ = thread.join();
    }
}

/// One reader.
struct Reader {
    socket: Arc<UnixStream>,
    /// Bytes that it has.
    at: Arc<AtomicU64>,
    log: Folder,
    durable: Arc<Durable>,
    seals: Arc<Seals>,
    /// The durable end when it came.
    now: Place,
}

impl Reader {
    fn run(self) {
        // Its going away is nobody's concern, and a failing disk is the log's.
        if let Err(error) = self.follow() {
            tracing::debug!(%error, "a reader ended");
        }
        // The other half of the Arc lives on until the next reader comes.
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    fn follow(&self) -> io::Result<()> {
        let Some(mut cursor) = self.request()? else { return Ok(()) };
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = cursor.read(&mut chunk)?;
            if read > 0 {
                (&*self.socket).write_all(&chunk[..read])?;
                self.at.fetch_add(read as u64, Ordering::Relaxed);
                continue;
            }
            let end = self.durable.wait(cursor.place(), PATIENCE);
            if end.place <= cursor.place() && (end.closed || self.hung_up()) {
                return Ok(());
            }
        }
    }

    /// Gives the notes instead of the events.
    fn follow_notes(&self) -> io::Result<()> {
        let mut size = 0;
        loop {
            // Closed before it is looked, so that the last note is given.
            let closed = self.durable.end().closed;
            let latest = self.seals.wait(size, if closed { Duration::ZERO } else { PATIENCE });
            if latest.size > size {
                size = latest.size;
                let line = serde_json::json!({ "checkpoint": latest.note }).to_string() + "\n";
                (&*self.socket).write_all(line.as_bytes())?;
                self.at.fetch_add(line.len() as u64, Ordering::Relaxed);
            } else if closed || self.hung_up() {
                return Ok(());
            }
        }
    }

    /// Where the reader wants to begin; `None` if it asked for what cannot be had, and was told so, or for the notes
    /// and has had them.
    fn request(&self) -> io::Result<Option<Cursor>> {
        let line = self.line()?;
        let (log, durable) = (self.log.clone(), Arc::clone(&self.durable));
        if line.trim_ascii().is_empty() {
            return Ok(Some(Cursor::at(log, durable, self.now)));
        }
        let end = self.durable.end();
        let problem = match serde_json::from_slice(&line) {
            Ok(Request { after: None, from: Some(From::Start) }) => {
                return Ok(Some(Cursor::at_start(log, durable)));
            }
            Ok(Request { after: None, from: Some(From::Checkpoint) }) => {
                return self.follow_notes().map(|()| None);
            }
            // One before the first that there is.
            Ok(Request { after: Some(index), from: None }) if index < end.index => {
                return Cursor::before(log, durable, index + 1).map(Some);
            }
            Ok(Request { after: Some(index), from: None }) => {
                format!(
                    "there is no event {index} yet, the log has {}: this is another log than the one read before",
                    end.index
                )
            }
            Ok(_) => "ask for either \"after\" or \"from\"".to_owned(),
            Err(error) => {
                format!("{error}; ask with one line: {{\"after\": INDEX}} or {{\"from\": \"start\"}}")
            }
        };
        complain(&self.socket, &problem);
        Ok(None)
    }

    /// The line that the reader sends, if it sends one soon.
    fn line(&self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        let mut patience = ASKING;
        let started = Instant::now();
        while ready(&*self.socket, patience) {
            let mut chunk = [0; LONGEST_REQUEST];
            let (read, _) = recv(&*self.socket, &mut chunk, RecvFlags::DONTWAIT)?;
            line.extend_from_slice(&chunk[..read]);
            if let Some(end) = line.iter().position(|byte| *byte == b'\n') {
                line.truncate(end);
                break;
            }
            if read == 0 || line.len() > LONGEST_REQUEST || started.elapsed() > FINISHING {
                break;
            }
            patience = FINISHING;
        }
        Ok(line)
    }

    /// Whether nobody reads any more. Half-closed is not gone: `socat -` closes its half at once.
    fn hung_up(&self) -> bool {
        let mut watched = [PollFd::new(&self.socket, PollFlags::empty())];
        let polled = poll(&mut watched, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
        polled.is_ok_and(|ready| ready > 0)
            && watched[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
    }
}

/// Says why there are no events, as a line of JSON that is no event.
fn complain(socket: &UnixStream, problem: &str) {
    let line = serde_json::json!({ "error": problem }).to_string() + "\n";
    // Not to wait here for one that does not read.
    let _ = socket.set_nonblocking(true).and_then(|()| (&*socket).write_all(line.as_bytes()));
}
