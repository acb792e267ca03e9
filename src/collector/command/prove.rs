// SPDX-License-Identifier: Apache-2.0
//! `p11guard prove`: that one event is in the log, for somebody who has neither the log nor reason to trust its host.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use collector::proof::{Chain, Hash, Inclusion, Tile, Tiles, event_index, leaf_hash, notes};
use serde::Deserialize;

use super::evidence::{chain, key, log_folder};
use super::{Failure, print};

/// How often the proof is made anew while the log grows.
const TRIES: usize = 5;

/// Prove that an event is in the log
#[derive(Debug, Args)]
#[command(after_help = "\
The proof is a c2sp.org/tlog-proof@v1, with the certificates that lead from KEY to the key that signed. Hand it over
with the event (--event prints its line) and check it with p11guard verify-proof.

Examples:
  p11guard prove 4711 > 4711.tlog-proof
  p11guard prove 4711 --event > 4711.json
  p11guard prove 0af3…/2/118 --key audit.key")]
pub(crate) struct Arguments {
    /// Index of the event, or its id
    #[arg(value_name = "EVENT")]
    event: String,
    /// The log's folder [default: the collector's]
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// The key that the reader has [default: the first of the log]
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Print the event instead of the proof
    #[arg(long = "event")]
    line: bool,
}

#[derive(Deserialize)]
struct Named {
    id: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let folder = log_folder(arguments.folder.as_deref())?;
    let (index, line) = find(&folder, &arguments.event)?;
    if arguments.line {
        return print(&line).map(|()| ExitCode::SUCCESS);
    }
    let (chain, certificates) = chain(&folder)?;
    let given = arguments.key.as_deref().map(key).transpose()?;
    let from = match &given {
        None => 0,
        Some(key) => {
            let known =
                chain.find(key).ok_or_else(|| Failure::Refused("--key is no key of this log".into()))?;
            known.certificate.number
        }
    };
    let mut tries = 0;
    loop {
        tries += 1;
        match prove(&folder, &chain, &certificates, (index, &line), from) {
            // A collector at work replaces the newest tiles, with the note: those of the next one are whole.
            Err(Failure::Path { .. }) if tries < TRIES => {}
            proof => return print(&proof?).map(|()| ExitCode::SUCCESS),
        }
    }
}

/// The proof of an event under the newest note, with the certificates from number `from` on.
fn prove(
    folder: &Path,
    chain: &Chain,
    certificates: &str,
    (index, line): (u64, &str),
    from: u64,
) -> Result<String, Failure> {
    let path = folder.join("checkpoint");
    let note = fs::read_to_string(&path).map_err(Failure::path("read", &path, "the log has no note yet"))?;
    let refused = |what: String| Failure::Refused(format!("{what}; see p11guard verify"));
    let (said, epoch) =
        chain.checkpoint(&note).map_err(|flaw| refused(format!("{}: {flaw}", path.display())))?;
    if index >= said.size {
        let what = format!("event {index} is behind the last note, over {} events: wait a second", said.size);
        return Err(Failure::Refused(what));
    }
    if from > epoch.certificate.number {
        return Err(Failure::Refused("--key is newer than the note: wait a second".into()));
    }
    let [from, last] =
        [from, epoch.certificate.number].map(|number| usize::try_from(number).unwrap_or(usize::MAX));
    let links: String = notes(certificates).take(last + 1).skip(from).collect();
    let failed =
        Failure::path("read the tiles of", folder, "p11guard verify says what is wrong with the log");
    let proof = Inclusion::prove(&mut Folder(folder), index, said.size, note.clone(), Some(links));
    let proof = proof.map_err(failed)?;
    // What is handed out holds.
    if proof.root(leaf_hash(line.trim_end_matches('\n').as_bytes()), said.size) != Some(said.root) {
        return Err(refused(format!("event {index} is not as it was sealed")));
    }
    Ok(proof.to_string())
}

/// The index of an event and its line.
fn find(folder: &Path, event: &str) -> Result<(u64, String), Failure> {
    let wanted: Option<u64> = event.parse().ok();
    let events = folder.join("events");
    let failed = || Failure::path("read", &events, "p11guard verify says what is wrong with the log");
    let mut segments = Vec::new();
    for entry in fs::read_dir(&events).map_err(failed())? {
        segments.push(entry.map_err(failed())?.path());
    }
    segments.sort();
    // A segment is named after its first event.
    let first = |path: &PathBuf| path.file_stem().and_then(|name| name.to_str()?.parse::<u64>().ok());
    if let Some(wanted) = wanted {
        let place = segments.partition_point(|path| first(path).is_some_and(|first| first <= wanted));
        segments.truncate(place);
        segments.drain(..place.saturating_sub(1));
    }
    for path in segments {
        let mut reader = BufReader::with_capacity(1 << 20, File::open(&path).map_err(failed())?);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).map_err(failed())? > 0 {
            let index = event_index(&line);
            let hit = match wanted {
                Some(wanted) => index == Some(wanted),
                None => {
                    serde_json::from_slice::<Named>(&line).is_ok_and(|it| it.id.as_deref() == Some(event))
                }
            };
            if let Some(index) = index.filter(|_| hit && line.ends_with(b"\n")) {
                return Ok((index, String::from_utf8_lossy(&line).into_owned()));
            }
            line.clear();
        }
    }
    Err(Failure::Refused(format!("there is no event {event:?} in {}", events.display())))
}

/// The tiles of a log; a partial one may have become a fuller one meanwhile.
struct Folder<'a>(&'a Path);

impl Tiles for Folder<'_> {
    type Error = std::io::Error;

    fn tile(&mut self, tile: Tile) -> std::io::Result<Vec<Hash>> {
        let bytes = fs::read(self.0.join(tile.to_string()))
            .or_else(|_| fs::read(self.0.join(Tile { width: 256, ..tile }.to_string())))?;
        Ok(bytes.as_chunks::<32>().0.to_vec())
    }
}
