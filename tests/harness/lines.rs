// SPDX-License-Identifier: Apache-2.0
//! A log as it grows: its whole lines, from one segment into the next.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

use crate::collector::files;

/// A place in a log.
#[derive(Debug)]
pub struct Lines {
    events: PathBuf,
    /// The segment and the bytes of it that were read.
    at: Option<(PathBuf, u64)>,
}

impl Lines {
    /// Before the first line of the segments in the folder `events`.
    pub fn new(events: PathBuf) -> Lines {
        Lines { events, at: None }
    }

    /// The lines that have come since; one that is being written comes when it is whole.
    ///
    /// # Panics
    /// Where the log is no text.
    pub fn read(&mut self) -> String {
        let mut lines = String::new();
        for segment in
            files(&self.events).into_iter().filter(|file| file.extension().is_some_and(|e| e == "jsonl"))
        {
            let from = match &self.at {
                Some((at, _)) if segment < *at => continue,
                Some((at, bytes)) if segment == *at => *bytes,
                _ => 0,
            };
            let mut text = String::new();
            let Ok(mut file) = File::open(&segment) else { break };
            file.seek(SeekFrom::Start(from)).expect("the log can be read anywhere");
            file.read_to_string(&mut text).expect("the log is text");
            let whole = text.rfind('\n').map_or(0, |end| end + 1);
            lines.push_str(&text[..whole]);
            self.at = Some((segment, from + whole as u64));
        }
        lines
    }
}
