// SPDX-License-Identifier: Apache-2.0
//! Reading the end of the evidence log after a start: where it ends, and what stands in it.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};

use serde::Deserialize;

/// What every event starts with.
#[derive(Debug, Deserialize)]
pub(crate) struct Head<'a> {
    pub(crate) index: u64,
    #[serde(borrow)]
    pub(crate) event: Cow<'a, str>,
    #[serde(borrow)]
    stream: Option<Cow<'a, str>>,
    pub(crate) lane: Option<u16>,
    pub(crate) sequence: Option<u64>,
}

impl Head<'_> {
    /// The stream's id.
    pub(crate) fn stream(&self) -> Option<[u8; 16]> {
        let text = self.stream.as_deref().filter(|text| text.len() == 32)?;
        u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)
    }
}

/// What a scan found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Scan {
    /// Where the last whole event ends in its segment.
    pub(crate) offset: u64,
    /// Index of the next event.
    pub(crate) index: u64,
    /// Bytes after that end: what a crash left of a line.
    pub(crate) torn: u64,
    /// Lines before that end that are no events, or not the ones that should be there. They stay: they are evidence.
    pub(crate) damaged: u64,
}

/// Reads the events of a segment from `offset` on and adds them to what was found before. A line that is no event
/// belongs to the torn end only if no event follows it.
pub(super) fn scan(
    mut file: &File,
    offset: u64,
    before: Scan,
    each: &mut dyn FnMut(&Head<'_>, &[u8]),
) -> io::Result<Scan> {
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(offset))?;
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut found = Scan { offset, torn: 0, ..before };
    let (mut at, mut suspect) = (offset, 0);
    let mut line = Vec::new();
    loop {
        line.clear();
        at += reader.read_until(b'\n', &mut line)? as u64;
        let Some(whole) = line.strip_suffix(b"\n") else { break };
        match serde_json::from_slice::<Head<'_>>(whole) {
            Ok(head) => {
                suspect += u64::from(head.index != found.index);
                found.damaged += std::mem::take(&mut suspect);
                found.index = found.index.max(head.index.saturating_add(1));
                found.offset = at;
                each(&head, whole);
            }
            Err(_) => suspect += 1,
        }
    }
    found.torn = size.saturating_sub(found.offset);
    Ok(found)
}
