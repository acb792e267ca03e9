// SPDX-License-Identifier: Apache-2.0
//! Recorded events: where they are, and one after the other, with what their streams said of themselves. A line that
//! is no event stops the reading; only the end of a file that is being written may be torn.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use collector::Settings;
use collector::render::Shown;

use super::super::{COLLECTOR_CONFIG, Failure};
use super::recorded::Line;

const REMEDY: &str = "name a file of events, a folder of them, or - for standard input";
/// How often progress is shown.
const BEAT: Duration = Duration::from_millis(200);
/// Events between two looks at the clock.
const STRIDE: u64 = 1024;

/// Where events are read from.
#[derive(Debug, Args)]
pub(super) struct Source {
    /// Recorded events: files, folders of .jsonl files, or - for standard input [default: the collector's log]
    #[arg(value_name = "EVENTS")]
    events: Vec<PathBuf>,
    /// Configuration of the collector whose log is read [default: /etc/p11guard/collector.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What a stream said of itself.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// OTEL_SERVICE_NAME of the process.
    pub(super) service: Option<String>,
    /// Name of its host.
    pub(super) host: Option<String>,
    /// The policy file that it read.
    pub(super) policy: Option<PathBuf>,
}

impl Source {
    /// Hands every event to `each`, until that returns false.
    ///
    /// # Errors
    /// What cannot be read, or is no event, with its line; whatever `each` fails with.
    pub(super) fn read(
        &self,
        each: &mut dyn FnMut(&Line<'_>, &Stream) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let files = self.files()?;
        let sizes = files.iter().map(|file| fs::metadata(file).map_or(0, |meta| meta.len()));
        let mut progress = Progress::new(sizes.sum());
        let mut streams = HashMap::new();
        for path in &files {
            let input: Box<dyn Read> = match path.to_str() {
                Some("-") => Box::new(io::stdin()),
                _ => Box::new(File::open(path).map_err(Failure::path("open", path, REMEDY))?),
            };
            let input = BufReader::with_capacity(1 << 18, input);
            if !lines(path, input, &mut streams, &mut progress, each)? {
                break;
            }
        }
        Ok(())
    }

    /// The files to read, in order. A folder stands for its .jsonl files, by name.
    fn files(&self) -> Result<Vec<PathBuf>, Failure> {
        let log;
        let given = if self.events.is_empty() {
            log = [self.log()?];
            &log[..]
        } else {
            &self.events
        };
        let mut files = Vec::new();
        for path in given {
            if !path.is_dir() {
                files.push(path.clone());
                continue;
            }
            // A log has its events in a folder of their own.
            let events = path.join("events");
            let path = if events.is_dir() { &events } else { path };
            let entries = fs::read_dir(path).map_err(Failure::path("read", path, REMEDY))?;
            let inside = entries.map(|entry| entry.map(|entry| entry.path()));
            let mut inside: Vec<_> =
                inside.collect::<Result<_, _>>().map_err(Failure::path("read", path, REMEDY))?;
            inside.retain(|file| file.extension().is_some_and(|kind| kind == "jsonl"));
            if inside.is_empty() {
                let path = path.to_string_lossy();
                return Err(Failure::Refused(format!("{} holds no .jsonl file; {REMEDY}", Shown(&path))));
            }
            inside.sort();
            files.append(&mut inside);
        }
        Ok(files)
    }

    /// The folder of the collector's log. A host without a configuration has the default one.
    fn log(&self) -> Result<PathBuf, Failure> {
        let configured = match &self.config {
            Some(config) => Settings::read(config)?,
            None if Path::new(COLLECTOR_CONFIG).exists() => Settings::read(Path::new(COLLECTOR_CONFIG))?,
            None => Settings::default(),
        };
        match fs::read_dir(&configured.log) {
            Ok(_) => Ok(configured.log),
            Err(error) => Err(Failure::path("read the log", configured.log, REMEDY)(error)),
        }
    }
}

/// The events of one file; whether more are wanted.
fn lines(
    path: &Path,
    mut input: impl BufRead,
    streams: &mut HashMap<String, Stream>,
    progress: &mut Progress,
    each: &mut dyn FnMut(&Line<'_>, &Stream) -> Result<bool, Failure>,
) -> Result<bool, Failure> {
    let (mut line, nothing) = (Vec::new(), Stream::default());
    for number in 1.. {
        line.clear();
        let read = input.read_until(b'\n', &mut line).map_err(Failure::path("read", path, REMEDY))?;
        if read == 0 {
            break;
        }
        let event = match Line::read(&line) {
            Ok(event) => event,
            Err(_) if line.trim_ascii().is_empty() => continue,
            Err(error) if error.is_eof() && !line.ends_with(b"\n") => break,
            Err(error) => {
                let path = path.to_string_lossy();
                let what = Shown(&error.to_string()).to_string();
                let text = format!("{}:{number}: not an event: {what}; {REMEDY}", Shown(&path));
                return Err(Failure::Refused(text));
            }
        };
        if let (Some(id), Some(stream)) = (&event.stream, event.opened()) {
            streams.insert(id.to_string(), stream);
        }
        let stream = event.stream.as_deref().and_then(|id| streams.get(id)).unwrap_or(&nothing);
        if !each(&event, stream)? {
            return Ok(false);
        }
        if event.event == "stream.closed"
            && let Some(id) = event.stream.as_deref()
        {
            streams.remove(id);
        }
        progress.step(read as u64);
    }
    Ok(true)
}

/// How far the reading is, on a terminal, where it takes its time.
struct Progress {
    /// Bytes there are; 0 where that is not known.
    total: u64,
    bytes: u64,
    events: u64,
    shown: Option<Instant>,
    line: bool,
}

impl Progress {
    fn new(total: u64) -> Progress {
        Progress {
            total,
            bytes: 0,
            events: 0,
            shown: io::stderr().is_terminal().then(Instant::now),
            line: false,
        }
    }

    fn step(&mut self, bytes: u64) {
        self.bytes += bytes;
        self.events += 1;
        let Some(shown) = self.shown.filter(|_| self.events.is_multiple_of(STRIDE)) else { return };
        if shown.elapsed() < BEAT {
            return;
        }
        (self.shown, self.line) = (Some(Instant::now()), true);
        let percent = (self.bytes * 100).checked_div(self.total).map(|percent| format!(" ({percent} %)"));
        // Where stderr is gone there is nobody to tell.
        let _ = write!(io::stderr(), "\r\x1b[K{} events{}", self.events, percent.unwrap_or_default());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.line {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &[(&str, &str)]) -> Result<Vec<(u64, Option<String>)>, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let source = Source { events: vec![folder.path().into()], config: None };
        let mut seen = Vec::new();
        let read = source.read(&mut |line, stream| {
            seen.push((line.index.unwrap_or_default(), stream.service.clone()));
            Ok(true)
        });
        read.map(|()| seen).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_folder_is_read_by_name_and_a_service_known_by_its_stream() {
        let opened = r#"{"index":0,"event":"stream.opened","stream":"ab","hello":{"service":"signer"}}"#;
        let call = r#"{"index":1,"event":"call","stream":"ab"}"#;
        let closed = r#"{"index":2,"event":"stream.closed","stream":"ab"}"#;
        let seen = read(&[
            ("b.jsonl", &format!("{call}\n{closed}\n\n{call}\n{{\"index\":")),
            ("a.jsonl", &format!("{opened}\n")),
            ("c.txt", "nonsense"),
        ]);
        let signer = || Some("signer".to_owned());
        assert_eq!(seen.unwrap(), [(0, signer()), (1, signer()), (2, signer()), (1, None)]);
    }

    #[test]
    fn what_is_no_event_is_told_with_its_line() {
        let told = read(&[("a.jsonl", "{\"index\":0,\"event\":\"call\"}\nnonsense\n")]).unwrap_err();
        assert!(told.contains("a.jsonl:2: not an event") && told.contains("- for standard input"), "{told}");
        assert!(read(&[("a.txt", "")]).unwrap_err().contains("holds no .jsonl file"));
    }
}
