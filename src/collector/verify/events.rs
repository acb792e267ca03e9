// SPDX-License-Identifier: Apache-2.0
//! The second half of a verification: the events, line by line, against the trees that were signed and the tiles.

use std::io::{BufRead, BufReader, Read};

use serde::Deserialize;

use super::Files;
use super::notes::Signed;
use super::report::Report;
use crate::proof::{Edge, Hash, Tile, event_index, gone, leaf_hash};

/// Longest line that is read, bytes: the writer's are far shorter.
const LONGEST: u64 = 16 << 20;
/// How the event before a note is known, within its first bytes.
const KIND: &[u8] = b"\"event\":\"checkpoint\"";

/// What a `checkpoint` event says of the note before it.
#[derive(Deserialize)]
struct Mark {
    previous: Option<Previous>,
}

#[derive(Deserialize)]
struct Previous {
    size: u64,
    sha256: String,
}

/// Reads the events and tiles, and adds what is wrong.
pub(super) fn read(files: &dyn Files, signed: &Signed, report: &mut Report) {
    let tiles = Stored::read(files, signed, report);
    let edge = Edge::default();
    let mut check = Check {
        files,
        signed,
        tiles,
        edge,
        file: String::new(),
        next: 0,
        good: 0,
        broken: false,
        gap: None,
        report,
    };
    check.trees();
    match files.segments() {
        Ok(segments) => segments.iter().for_each(|segment| check.segment(segment)),
        Err(error) => check.report.damaged("events", Some(0), format!("it cannot be read: {error}")),
    }
    check.end();
}

/// The hashes of the leaves as the tiles have them.
struct Stored {
    /// The tiles give the root of the last note: what they say of a leaf is signed.
    good: bool,
    /// The tile that was looked at last.
    current: Option<(u64, Vec<Hash>)>,
    /// The newest, which a writer replaces.
    partial: Option<(u64, Vec<Hash>)>,
    size: u64,
}

impl Stored {
    /// Holds every tile against those below it, and the root against the last note.
    fn read(files: &dyn Files, signed: &Signed, report: &mut Report) -> Stored {
        let mut stored = Stored { good: false, current: None, partial: None, size: signed.size };
        let mut read = |tile: Tile| {
            let (name, read) = (tile.to_string(), tile_of(files, tile));
            read.map_err(|what| report.damaged(&name, None, what)).ok()
        };
        // Those that a writer replaces come first.
        let all: Vec<_> = Tile::edge(signed.size).collect();
        let partial: Vec<_> =
            all.iter().filter(|tile| tile.width > 0).map(|tile| (*tile, read(*tile))).collect();
        let mut edge = Edge::default();
        let mut wrong = Vec::new();
        let full = all.first().map_or(0, |newest| newest.index);
        for index in 0..full {
            let Some(leaves) = read(Tile { level: 0, index, width: 256 }) else { break };
            for leaf in leaves {
                edge.push(leaf, &mut |tile, hashes| {
                    if tile.level > 0 && read(tile).is_some_and(|stored| stored != hashes) {
                        wrong.push(tile);
                    }
                });
            }
        }
        for (tile, leaves) in &partial {
            let Some(leaves) = leaves else { continue };
            if tile.level == 0 && edge.size() == full * 256 {
                leaves.iter().for_each(|leaf| edge.push(*leaf, &mut |_, _| {}));
                stored.partial = Some((tile.index, leaves.clone()));
            } else if edge.size() >= full * 256
                && !edge.partial().any(|(own, hashes)| own == *tile && hashes == leaves)
            {
                wrong.push(*tile);
            }
        }
        let last = signed.said.iter().find(|said| said.checkpoint.size == signed.size);
        let root = edge.range().root();
        stored.good = edge.size() == signed.size && last.is_some_and(|said| said.checkpoint.root == root);
        if stored.good {
            for tile in wrong {
                report.damaged(&tile.to_string(), None, "its hashes are not those of the tiles below it");
            }
        } else if edge.size() == signed.size && signed.size > 0 {
            report.damaged("tile/0", None, "the tiles do not give the root of the last note");
        }
        stored
    }

    fn leaf(&mut self, files: &dyn Files, index: u64) -> Option<Hash> {
        if !self.good || index >= self.size {
            return None;
        }
        let tile = index / 256;
        if self.current.as_ref().is_none_or(|(current, _)| *current != tile) {
            self.current = match &self.partial {
                Some(partial) if partial.0 == tile => Some(partial.clone()),
                _ => Some((tile, tile_of(files, Tile { level: 0, index: tile, width: 256 }).ok()?)),
            };
        }
        self.current.as_ref()?.1.get((index % 256) as usize).copied()
    }
}

/// The hashes of a tile, or what is wrong with it.
pub(super) fn tile_of(files: &dyn Files, tile: Tile) -> Result<Vec<Hash>, String> {
    let bytes = files.read(&tile.to_string()).map_err(|error| format!("it cannot be read: {error}"))?;
    if bytes.len() != usize::from(tile.width) * 32 {
        return Err("it has not the length of its tile".into());
    }
    Ok(bytes.as_chunks::<32>().0.to_vec())
}

/// The state of the reading.
struct Check<'a> {
    files: &'a dyn Files,
    signed: &'a Signed,
    tiles: Stored,
    edge: Edge,
    file: String,
    /// The next of what was signed.
    next: usize,
    /// Leaves of the last tree that was as it was signed.
    good: u64,
    /// A sealed event is not as it was signed and nothing says how it was: no root behind it can be right.
    broken: bool,
    /// First and last of the events that are missing right here.
    gap: Option<(u64, u64)>,
    report: &'a mut Report,
}

impl Check<'_> {
    fn segment(&mut self, name: &str) {
        self.file = format!("events/{name}");
        let first = name.strip_suffix(".jsonl").and_then(|digits| digits.parse::<u64>().ok());
        let Some(first) = first.filter(|first| format!("{first:012}.jsonl") == name) else {
            return self.damaged(None, "it is no segment of a log");
        };
        let opened = self.files.open(&self.file.clone());
        let file = match opened {
            Ok(file) => file,
            Err(error) => return self.damaged(Some(first), &format!("it cannot be read: {error}")),
        };
        let mut reader = BufReader::with_capacity(1 << 20, file);
        let mut line = Vec::new();
        let mut begins = true;
        loop {
            line.clear();
            if let Err(error) = (&mut reader).take(LONGEST).read_until(b'\n', &mut line) {
                return self.damaged(Some(self.edge.size()), &format!("it cannot be read: {error}"));
            }
            if line.is_empty() {
                break;
            }
            let whole = line.last() == Some(&b'\n');
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            let index = event_index(text).filter(|_| whole);
            if std::mem::take(&mut begins) && index != Some(first) && first < self.signed.size {
                self.damaged(Some(first), "it does not begin with the event that it is named after");
            }
            self.line(text, index, whole);
        }
    }

    fn line(&mut self, text: &[u8], index: Option<u64>, whole: bool) {
        let (expected, size) = (self.edge.size(), self.signed.size);
        match index {
            Some(index) if index >= expected => {
                self.report.events += 1;
                // Nothing is counted up to a number that only a line says.
                (expected..index.min(size)).for_each(|_| self.missing());
                if index < size {
                    self.told_gap();
                    self.leaf(index, leaf_hash(text));
                    self.mark(text, index);
                } else {
                    self.report.unsealed += 1;
                }
            }
            Some(index) if index < size => {
                self.damaged(Some(index), &format!("event {index} is there twice, or out of order"))
            }
            None if expected < size && whole => {
                self.damaged(
                    Some(expected),
                    &format!("a line that is no event, where event {expected} was sealed"),
                );
            }
            None if expected < size => self.damaged(Some(expected), "it ends within an event"),
            // Behind the last note: what a writer has not finished, or a crash left.
            _ => self.report.unsealed += u64::from(whole),
        }
    }

    /// A sealed event that is not there.
    fn missing(&mut self) {
        let index = self.edge.size();
        let leaf = self.tiles.leaf(self.files, index);
        // It may have been gone when it was sealed: then the log said so at its next start.
        if leaf != Some(gone()) {
            self.gap = Some((self.gap.map_or(index, |(first, _)| first), index));
            self.broken |= leaf.is_none();
        }
        self.grow(leaf.unwrap_or_else(gone));
    }

    fn told_gap(&mut self) {
        match self.gap.take() {
            Some((first, last)) if first == last => {
                self.damaged(Some(first), &format!("event {first} is missing"))
            }
            Some((first, last)) => {
                self.damaged(Some(first), &format!("events {first} to {last} are missing"))
            }
            None => {}
        }
    }

    /// A sealed event as it is there.
    fn leaf(&mut self, index: u64, found: Hash) {
        let leaf = match self.tiles.leaf(self.files, index) {
            Some(stored) if stored != found => {
                self.damaged(Some(index), &format!("event {index} was changed"));
                stored
            }
            Some(_) => {
                self.report.proved += 1;
                found
            }
            None => found,
        };
        self.grow(leaf);
    }

    fn grow(&mut self, leaf: Hash) {
        self.edge.push(leaf, &mut |_, _| {});
        self.trees();
    }

    /// Holds the tree as it is now against each that was signed for its size.
    fn trees(&mut self) {
        let size = self.edge.size();
        while let Some(said) = self.signed.said.get(self.next).filter(|said| said.checkpoint.size == size) {
            self.next += 1;
            if said.checkpoint.root == self.edge.range().root() {
                self.good = size;
                if !self.tiles.good && !self.broken {
                    self.report.proved = size;
                }
            } else if self.tiles.good {
                self.report.damaged(
                    "checkpoints",
                    None,
                    format!("{} is of another tree of {size} events", said.place),
                );
            } else if !std::mem::replace(&mut self.broken, true) {
                let what = format!(
                    "something from event {} to {} was changed: {} is of another tree",
                    self.good,
                    size.max(1) - 1,
                    said.place
                );
                self.damaged(Some(self.good), &what);
            }
        }
    }

    /// A `checkpoint` event names the note before it: none can be taken out of the notes.
    fn mark(&mut self, text: &[u8], index: u64) {
        if !text.windows(KIND.len()).take(64).any(|part| part == KIND) {
            return;
        }
        let Ok(Mark { previous: Some(previous) }) = serde_json::from_slice(text) else { return };
        let hash = (0..32).map(|at| u8::from_str_radix(previous.sha256.get(at * 2..at * 2 + 2)?, 16).ok());
        let hash: Option<Vec<u8>> = hash.collect();
        let hash: Option<Hash> = hash.and_then(|hash| hash.try_into().ok());
        if hash.and_then(|hash| self.signed.hashes.get(&hash)) != Some(&previous.size) {
            let what =
                format!("the note over {} events that event {index} names is not there", previous.size);
            self.report.damaged("checkpoints", Some(index), what);
        }
    }

    fn damaged(&mut self, event: Option<u64>, what: &str) {
        self.report.damaged(&self.file, event, what);
    }

    /// What should have come and did not.
    fn end(mut self) {
        (self.edge.size()..self.signed.size).for_each(|_| self.missing());
        self.told_gap();
    }
}
