// SPDX-License-Identifier: Apache-2.0
//! What came of a run: every event shown as it comes, and the sums told at the end.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::thread::{self, JoinHandle};

use collector::render::Glance;
use collector::render::human::Human;

use super::super::Failure;
use super::super::follow::Follower;
use super::FailOn;

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
}

/// Shows events and sums them up.
pub(super) struct Tally {
    format: Format,
    file: Option<BufWriter<File>>,
    sums: Sums,
}

/// A tally at work on a thread of its own.
pub(super) struct Watcher(JoinHandle<Result<Sums, Failure>>);

impl Tally {
    /// A tally that shows events on stderr, or in a new file at `output`.
    pub(super) fn new(format: Format, output: Option<&Path>) -> Result<Tally, Failure> {
        let create = |path| File::create(path).map_err(Failure::path("write", path, "name another file with -o"));
        let file = output.map(create).transpose()?.map(BufWriter::new);
        Ok(Tally { format, file, sums: Sums::default() })
    }

    /// Follows the events until the collector has said its last.
    pub(super) fn watch(mut self, mut follower: Follower) -> Result<Watcher, Failure> {
        let thread = thread::Builder::new().name("events".into()).spawn(move || {
            while let Some(line) = follower.next()? {
                self.sums.add(line);
                self.show(line).map_err(Failure::system("write the events"))?;
            }
            self.file.as_mut().map_or(Ok(()), Write::flush).map_err(Failure::system("write the events"))?;
            Ok(self.sums)
        });
        Ok(Watcher(thread.map_err(Failure::system("start a thread"))?))
    }

    fn show(&mut self, line: &[u8]) -> io::Result<()> {
        let mut terminal;
        let out: &mut dyn Write = match &mut self.file {
            Some(file) => &mut anstream::StripStream::new(file),
            None => {
                terminal = anstream::stderr().lock();
                &mut terminal
            }
        };
        match self.format {
            Format::Json => out.write_all(line).and_then(|()| out.write_all(b"\n")),
            Format::Human => writeln!(out, "{}", Human(line)),
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
    fn add(&mut self, line: &[u8]) {
        let Ok(event) = Glance::read(line) else { return };
        if let (Some(stream), Some(lost)) = (&event.stream, event.lost.or(event.total)) {
            self.lost.insert(stream.to_string(), lost);
        }
        self.processes.extend(event.process.map(|process| process.pid));
        let Some(verdict) = event.verdict else { return };
        self.calls += 1;
        match (&*verdict.action, verdict.enforced) {
            ("deny", true) => self.denied += 1,
            ("deny", false) => self.would_be_denied += 1,
            ("warn", _) => self.warned += 1,
            _ => {}
        }
    }

    /// Whether a call got the verdict `limit` or a worse one.
    pub(super) fn hits(&self, limit: FailOn) -> bool {
        self.denied + self.would_be_denied > 0 || limit == FailOn::Warn && self.warned > 0
    }

    /// Says the sums on stderr.
    pub(super) fn tell(&self) {
        let text = if self.processes.is_empty() {
            "no process of the command loaded the library; hand it over as @P11GUARD@ in an argument, or let the \
             command read $P11GUARD_MODULE_PATH"
                .into()
        } else {
            let Sums { calls, denied, would_be_denied, warned, lost, processes } = self;
            let lost: u64 = lost.values().sum();
            let shadow = if *would_be_denied == 0 { String::new() } else { format!(" ({would_be_denied} more would be)") };
            format!(
                "{calls} calls of {} {}: {denied} denied{shadow}, {warned} warned, {lost} records lost",
                processes.len(),
                if processes.len() == 1 { "process" } else { "processes" },
            )
        };
        // Where stderr is gone there is nobody to tell.
        let _ = writeln!(anstream::stderr(), "p11guard: {text}");
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
        lines.iter().for_each(|line| sums.add(line.as_bytes()));
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
        let loss = |stream: &str, total: u64| format!(r#"{{"index":1,"event":"loss","time":"t","stream":"{stream}","total":{total}}}"#);
        let closed = r#"{"index":3,"event":"stream.closed","time":"t","stream":"a","lost":9}"#.to_owned();
        let sums = sums(&[loss("a", 3), loss("a", 5), closed, loss("b", 2), call("deny", true)]);
        assert_eq!((sums.lost.values().sum::<u64>(), sums.calls, sums.denied, sums.processes.len()), (11, 1, 1, 1));
    }
}
