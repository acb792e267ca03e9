// SPDX-License-Identifier: Apache-2.0
//! The host as an application that a test tells what to do, call by call.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Stdio};

use crate::artifacts;
use crate::guard::Way;

/// A running application.
pub struct Script {
    child: Child,
    out: BufReader<ChildStdout>,
    /// Its folders last as long as it runs.
    way: Way,
}

impl Script {
    /// Starts the application over the module of `way`, and opens so many sessions.
    #[track_caller]
    pub fn over(way: Way, sessions: usize) -> Script {
        let mut command = way.command(artifacts::host());
        command.arg("script").arg(&way.module).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the host runs");
        let out = BufReader::new(child.stdout.take().expect("its output"));
        let mut script = Script { child, out, way };
        assert_eq!(script.line(), "0x0", "{:?}", script.way.fault());
        (0..sessions).for_each(|_| assert_eq!(script.ask("open"), "0x0"));
        script
    }

    /// Tells it to do something; what it says of it.
    #[track_caller]
    pub fn ask(&mut self, command: &str) -> String {
        let input = self.child.stdin.as_mut().expect("its input");
        writeln!(input, "{command}").expect("it listens");
        self.line()
    }

    /// The way that it calls by.
    pub fn way(&self) -> &Way {
        &self.way
    }

    /// Ends it and waits until it has ended.
    #[track_caller]
    pub fn end(mut self) -> Way {
        drop(self.child.stdin.take());
        assert!(self.child.wait().expect("a child can be waited for").success());
        self.way
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("it speaks text");
        line.trim_end().to_owned()
    }
}
