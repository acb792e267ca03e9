// SPDX-License-Identifier: Apache-2.0
//! A reader of the collector's socket: lines of JSON, from where it was asked to begin to where the collector ends.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use collector::render::Shown;
use serde::Deserialize;

use super::Failure;

const REMEDY: &str =
    "is a collector running (systemctl status p11guard), and may you read from it (readers_group)?";

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// With the first event there is.
    Start,
    /// With the next event that comes.
    Now,
    /// With the one after this index.
    After(u64),
}

/// A connection that gives one event after the other.
pub(super) struct Follower {
    path: PathBuf,
    reader: BufReader<UnixStream>,
    line: Vec<u8>,
}

/// What the collector says instead of events.
#[derive(Deserialize)]
struct Complaint {
    error: String,
}

impl Follower {
    /// Connects and says where to begin.
    pub(super) fn connect(path: &Path, from: From) -> Result<Follower, Failure> {
        let failed = || Failure::path("read events from", path, REMEDY);
        let mut socket = UnixStream::connect(path).map_err(failed())?;
        // A line in any case: without one the collector waits a moment whether one comes.
        let request = match from {
            From::Start => "{\"from\":\"start\"}\n".to_owned(),
            From::Now => "\n".to_owned(),
            From::After(index) => format!("{{\"after\":{index}}}\n"),
        };
        socket.write_all(request.as_bytes()).map_err(failed())?;
        Ok(Follower { path: path.to_owned(), reader: BufReader::new(socket), line: Vec::new() })
    }

    /// The next event, without its newline; `None` once the collector has ended.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, Failure> {
        self.line.clear();
        let read = self.reader.read_until(b'\n', &mut self.line);
        read.map_err(Failure::path("read events from", &self.path, REMEDY))?;
        // A line that the end cut off is no event.
        if self.line.pop() != Some(b'\n') {
            return Ok(None);
        }
        if self.line.starts_with(b"{\"error\":")
            && let Ok(complaint) = serde_json::from_slice::<Complaint>(&self.line)
        {
            return Err(Failure::Refused(format!("the collector says: {}", Shown(&complaint.error))));
        }
        Ok(Some(&self.line))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::thread;

    use super::*;

    /// What a follower that asks `from` gets of a collector that sends `answer`, and what it asked for.
    fn follow(from: From, answer: &'static [u8]) -> (String, Vec<Result<Vec<u8>, String>>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let collector = thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut request = String::new();
            BufReader::new(&socket).read_line(&mut request).unwrap();
            socket.write_all(answer).unwrap();
            request
        });
        let mut follower = Follower::connect(&path, from).unwrap();
        let mut lines = Vec::new();
        loop {
            match follower.next() {
                Ok(Some(line)) => lines.push(Ok(line.to_vec())),
                Ok(None) => break,
                Err(failure) => {
                    lines.push(Err(failure.to_string()));
                    break;
                }
            }
        }
        (collector.join().unwrap(), lines)
    }

    #[test]
    fn lines_come_whole_until_the_collector_ends() {
        let (request, lines) = follow(From::Start, b"{\"index\":0}\n{\"index\":1}\n{\"ind");
        assert_eq!(request, "{\"from\":\"start\"}\n");
        assert_eq!(lines, [Ok(b"{\"index\":0}".to_vec()), Ok(b"{\"index\":1}".to_vec())]);
        assert_eq!(follow(From::After(7), b"").0, "{\"after\":7}\n");
        assert_eq!(follow(From::Now, b"").0, "\n");
    }

    #[test]
    fn what_the_collector_complains_of_is_told() {
        let (_, lines) = follow(From::After(7), b"{\"error\":\"there is no event 7\\u001b\"}\n");
        assert_eq!(lines, [Err(r"the collector says: there is no event 7\u{1b}".to_owned())]);
    }

    #[test]
    fn nobody_there_says_what_to_check() {
        let failure = Follower::connect(Path::new("/nonexistent/p11guard.sock"), From::Now).err().unwrap();
        assert!(failure.to_string().contains("systemctl status p11guard"), "{failure}");
    }
}
