// SPDX-License-Identifier: Apache-2.0
//! Finding an event by its index. Lines carry their index in order, so halving a segment finds one in a few reads,
//! with no second file that could disagree.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use serde::Deserialize;

const CHUNK: usize = 4096;

#[derive(Deserialize)]
struct Indexed {
    index: u64,
}

/// Where the first event past `index` begins, in a segment of `end` bytes.
pub(super) fn after(file: &File, end: u64, index: u64) -> io::Result<u64> {
    // Lines that begin before `low` are not past the index; the one at `answer` is, or there is none.
    let (mut low, mut high, mut answer) = (0, end, end);
    while low < high {
        let middle = low + (high - low) / 2;
        let begin = line_start(file, middle, end)?;
        if begin >= high {
            high = middle;
            continue;
        }
        let line = line(file, begin, end)?;
        let next = begin + line.len() as u64;
        match serde_json::from_slice::<Indexed>(&line) {
            Ok(found) if found.index > index => (high, answer) = (middle, begin),
            // What is no event is passed over.
            _ => low = next,
        }
    }
    Ok(answer)
}

/// Whether an event ends at `offset` after which `index` is next.
pub(super) fn is_end(file: &File, offset: u64, index: u64) -> io::Result<bool> {
    // A segment is named after the event that it begins with.
    if offset == 0 {
        return Ok(true);
    }
    if file.metadata()?.len() < offset {
        return Ok(false);
    }
    let mut begin = offset - 1;
    let mut chunk = [0; CHUNK];
    // Back to the newline before the last one.
    while begin > 0 {
        let length = CHUNK.min(usize::try_from(begin).unwrap_or(CHUNK));
        let from = begin - length as u64;
        file.read_exact_at(&mut chunk[..length], from)?;
        match chunk[..length].iter().rposition(|byte| *byte == b'\n') {
            Some(place) => {
                begin = from + place as u64 + 1;
                break;
            }
            None => begin = from,
        }
    }
    let line = line(file, begin, offset)?;
    let found = serde_json::from_slice::<Indexed>(&line);
    Ok(line.ends_with(b"\n")
        && begin + line.len() as u64 == offset
        && found.is_ok_and(|it| it.index + 1 == index))
}

/// Where the first line begins that begins at `at` or later.
fn line_start(file: &File, at: u64, end: u64) -> io::Result<u64> {
    if at == 0 {
        return Ok(0);
    }
    // The byte before tells whether a line begins right here.
    let rest = line(file, at - 1, end)?;
    Ok(at - 1 + rest.len() as u64)
}

/// From `at` through the next newline, or to the end.
fn line(file: &File, at: u64, end: u64) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut chunk = [0; CHUNK];
    loop {
        let from = at + line.len() as u64;
        let length = CHUNK.min(usize::try_from(end.saturating_sub(from)).unwrap_or(CHUNK));
        let read = file.read_at(&mut chunk[..length], from)?;
        if let Some(place) = chunk[..read].iter().position(|byte| *byte == b'\n') {
            line.extend_from_slice(&chunk[..=place]);
            return Ok(line);
        }
        line.extend_from_slice(&chunk[..read]);
        if read == 0 {
            return Ok(line);
        }
    }
}
