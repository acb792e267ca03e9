// SPDX-License-Identifier: Apache-2.0
//! What came of a run: every event shown as it comes, and the sums told at the end.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, LineWriter, Write};
use std::path::Path;
use std::thread::{self, JoinHandle};

use anstream::StripStream;
use collector::render::Glance;
use collector::render::human::Human;

use super::super::Failure;
use super::super::faults::newest;
use super::super::follow::Follower;
use super::FailOn;

/// Reasons why the library did not start that are told.
const MOST_FAULTS: usize = 3;

/// How events are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// As `p11guard tail` does.
    Human,
    /// The lines themselves.
    Json,
}

/// Sums over the events of a run.
#[derive(Default)]
pub(super) struct Sums {
    calls: u64,
    denied: u64,
    would_be_denied: u64,
    warned: u64,
    /// By stream.
    lost: HashMap<String, u64>,
    processes: HashSet<u32>,
    /// Processes that the command left behind.
    open_streams: u64,
}

/// Shows events and sums them up.
pub(super) struct Tally {
    format: Format,
    out: Box<dyn Write + Send>,
    sums: Sums,
}

/// A tally at work on a thread of its own.
pub(super) struct Watcher(JoinHandle<Result<Sums, Failure>>);

impl Tally {
    /// A tally that shows events on stderr, or in a new file at `output`.
    pub(super) fn new(format: Format, output: Option<&Path>) -> Result<Tally, Failure> {
        let out: Box<dyn Write + Send> = match output {
            None => Box::new(anstream::stderr()),
            Some(path) => {
                let file =
                    File::create(path).map_err(Failure::path("write", path, "name another file with -o"))?;
                let lines: Box<dyn Write + Send> = Box::new(LineWriter::new(file));
                Box::new(StripStream::new(lines))
            }
        };
        Ok(Tally { format, out, sums: Sums::default() })
    }

    /// Follows the events until the collector has said its last.
    pub(super) fn watch(mut self, mut follower: Follower) -> Result<Watcher, Failure> {
        let thread = thread::Builder::new().name("events".into()).spawn(move || {
            while let Some(line) = follower.next()? {
                let of_process = self.sums.add(line);
                // What the private collector says of itself is of interest to programs at most.
                if of_process || self.format == Format::Json {
                    self.show(line).map_err(Failure::system("write the events"))?;
                }
            }
            self.out.flush().map_err(Failure::system("write the events"))?;
            Ok(self.sums)
        });
        Ok(Watcher(thread.map_err(Failure::system("start a thread"))?))
    }

    fn show(&mut self, line: &[u8]) -> io::Result<()> {
        match self.format {
            Format::Json => self.out.write_all(line).and_then(|()| self.out.write_all(b"\n")),
            Format::Human => writeln!(self.out, "{}", Human(line)),
        }
    }
}

impl Watcher {
    /// Waits for the last event.
    pub(super) fn finish(self) -> Result<Sums, Failure> {
        let died = |_| Failure::Refused("the events could not be shown to their end".into());
        self.0.join().map_err(died)?
    }
}

impl Sums {
    /// Adds an event; whether it is one of a process.
    fn add(&mut self, line: &[u8]) -> bool {
        let Ok(event) = Glance::read(line) else { return true };
        let of_process = event.process.is_some();
        self.open_streams = event.open_streams.unwrap_or(self.open_streams);
        if let (Some(stream), Some(lost)) = (&event.stream, event.lost.or(event.total)) {
            self.lost.insert(stream.to_string(), lost);
        }
        self.calls += event.calls();
        self.processes.extend(event.process.map(|process| process.pid));
        let Some(verdict) = event.verdict else { return of_process };
        match (&*verdict.action, verdict.enforced) {
            ("deny", true) => self.denied += 1,
            ("deny", false) => self.would_be_denied += 1,
            ("warn", _) => self.warned += 1,
            _ => {}
        }
        of_process
    }

    /// Whether a call got the verdict `limit` or a worse one.
    pub(super) fn hits(&self, limit: FailOn) -> bool {
        self.denied + self.would_be_denied > 0 || limit == FailOn::Warn && self.warned > 0
    }

    /// Says the sums on stderr, whether `--fail-on` was hit, and why the library did not start where it left word of
    /// that in `spool`.
    pub(super) fn tell(&self, spool: &Path, hit: bool) {
        let (faults, _) = newest(spool, MOST_FAULTS);
        let mut text: String =
            faults.iter().map(|fault| format!("p11guard: the library did not start: {fault}\n")).collect();
        let Sums { calls, denied, would_be_denied, warned, lost, processes, open_streams } = self;
        let lost: u64 = lost.values().sum();
        let shadow =
            if *would_be_denied == 0 { String::new() } else { format!(" ({would_be_denied} more would be)") };
        text += &match processes.len() {
            0 if !faults.is_empty() => String::new(),
            0 => "p11guard: no process of the command loaded the library; hand it over as @P11GUARD@ in an argument, or \
                  let the command read $P11GUARD_MODULE_PATH\n"
                .into(),
            count => format!(
                "p11guard: {calls} calls of {count} {}: {denied} denied{shadow}, {warned} warned, {lost} records lost\n",
                if count == 1 { "process" } else { "processes" },
            ),
        };
        if *open_streams > 0 {
            text +=
                &format!("p11guard: {open_streams} still run; what they do from here on is not recorded\n");
        }
        if hit {
            text += "p11guard: --fail-on was hit\n";
        }
        // Where stderr is gone there is nobody to tell.
        let _ = anstream::stderr().write_all(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(action: &str, enforced: bool) -> String {
        format!(
            r#"{{"index":1,"event":"call","time":"t","verdict":{{"action":"{action}","enforced":{enforced}}},"process":{{"pid":7}}}}"#
        )
    }

    fn sums(lines: &[String]) -> Sums {
        let mut sums = Sums::default();
        for line in lines {
            sums.add(line.as_bytes());
        }
        sums
    }

    #[test]
    fn a_limit_is_hit_by_its_own_verdict_and_by_worse_ones_in_shadow_too() {
        let hits = |lines: &[String]| (sums(lines).hits(FailOn::Warn), sums(lines).hits(FailOn::Deny));
        assert_eq!(hits(&[call("allow", true), call("not_judged", false)]), (false, false));
        assert_eq!(hits(&[call("warn", true)]), (true, false));
        assert_eq!(hits(&[call("deny", false)]), (true, true));
        assert_eq!(hits(&[call("deny", true)]), (true, true));
    }

    #[test]
    fn losses_are_told_once_however_often_a_stream_tells_of_them() {
        let loss = |stream: &str, total: u64| {
            format!(r#"{{"index":1,"event":"loss","time":"t","stream":"{stream}","total":{total}}}"#)
        };
        let closed = r#"{"index":3,"event":"stream.closed","time":"t","stream":"a","lost":9}"#.to_owned();
        let sums = sums(&[loss("a", 3), loss("a", 5), closed, loss("b", 2), call("deny", true)]);
        assert_eq!(
            (sums.lost.values().sum::<u64>(), sums.calls, sums.denied, sums.processes.len()),
            (11, 1, 1, 1)
        );
    }
}
