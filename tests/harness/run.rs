// SPDX-License-Identifier: Apache-2.0
//! Commands with a deadline: what they said on both outputs and how they ended. A command that hangs is killed and
//! fails its test with what it had said by then.

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Longest a command may take. No test waits for it unless something hangs.
const DEADLINE: Duration = Duration::from_secs(240);

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Exit status, or the signal that ended it as a negative number.
    pub status: i32,
    /// Standard output, as UTF-8 as far as it is.
    pub stdout: String,
    /// Standard error, likewise.
    pub stderr: String,
}

impl Run {
    /// Itself, if the command ended with status 0; else the test fails with all that it said.
    #[track_caller]
    pub fn success(self) -> Run {
        assert_eq!(self.status, 0, "the command failed\n{}\n{}", self.stdout, self.stderr);
        self
    }

    /// The number after `name=` in the standard output.
    #[track_caller]
    pub fn number(&self, name: &str) -> u64 {
        let key = format!("{name}=");
        let found = self.stdout.split_whitespace().find_map(|word| word.strip_prefix(&key)?.parse().ok());
        found.unwrap_or_else(|| panic!("no number {name} in: {}{}", self.stdout, self.stderr))
    }
}

/// Runs `command` to its end, with nothing on its standard input.
#[track_caller]
pub fn run(command: &mut Command) -> Run {
    let named = format!("{command:?}");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{named}: {error}"));
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let outputs = [thread::spawn(move || drained(out)), thread::spawn(move || drained(err))];
    let start = Instant::now();
    let status = loop {
        match child.try_wait().expect("a child can be waited for") {
            Some(status) => break code(status),
            None if start.elapsed() > DEADLINE => {
                child.kill().expect("a hanging child can be killed");
                break i32::MIN;
            }
            None => thread::sleep(Duration::from_millis(2)),
        }
    };
    let [stdout, stderr] = outputs.map(|output| output.join().expect("a reader of a pipe does not fail"));
    assert_ne!(status, i32::MIN, "{named} hung; it had said:\n{stdout}\n{stderr}");
    Run { status, stdout, stderr }
}

/// Waits for `condition`, at most as long as a command may take.
#[track_caller]
pub fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(start.elapsed() < DEADLINE, "it never came: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

fn drained(pipe: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut bytes).expect("a pipe can be read");
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| -status.signal().unwrap_or_default())
}
