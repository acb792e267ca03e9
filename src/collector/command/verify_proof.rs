// SPDX-License-Identifier: Apache-2.0
//! `p11guard verify-proof`: is this event in the log of that key? From proof, event and key alone.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use collector::proof::{Certificate, Checkpoint, Inclusion, Key, Note, leaf_hash, notes};

use super::evidence::{key, read_text};
use super::{Failure, print};

/// Check the proof that an event is in a log
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  p11guard verify-proof 4711.tlog-proof --event 4711.json --key audit.key")]
pub(crate) struct Arguments {
    /// The proof, as `p11guard prove` made it
    #[arg(value_name = "PROOF")]
    proof: PathBuf,
    /// The event: its line in the log
    #[arg(long, value_name = "FILE")]
    event: PathBuf,
    /// A key of the log, from elsewhere than the proof
    #[arg(long, value_name = "KEY")]
    key: String,
    /// The result as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let proof = read_text(&arguments.proof)?;
    let line = fs::read(&arguments.event).map_err(Failure::path(
        "read",
        &arguments.event,
        "name the file of the event's line",
    ))?;
    let line = line.strip_suffix(b"\n").unwrap_or(&line);
    let (inclusion, said) = check(&proof, line, key(&arguments.key)?)
        .map_err(|what| Failure::Refused(format!("{}: not proved: {what}", arguments.proof.display())))?;
    let text = match arguments.json {
        true => serde_json::json!({ "origin": said.origin, "index": inclusion.index, "size": said.size })
            .to_string(),
        false => format!("PROVED: event {} of {} in log {}", inclusion.index, said.size, said.origin),
    };
    print(&(text + "\n")).map(|()| ExitCode::SUCCESS)
}

/// The proof and the tree it is of, if it holds under `key` or one that `key` vouches for.
fn check(proof: &str, line: &[u8], key: Key) -> Result<(Inclusion, Checkpoint), String> {
    let inclusion = Inclusion::parse(proof).map_err(|flaw| flaw.to_string())?;
    let note = Note::parse(&inclusion.note).map_err(|flaw| format!("its note: {flaw}"))?;
    let said = Checkpoint::parse(&note.text).map_err(|flaw| format!("its note: {flaw}"))?;
    let mut keys = vec![(key, 0)];
    for link in inclusion.chain.as_deref().into_iter().flat_map(notes) {
        let link = Note::parse(link).map_err(|flaw| format!("a certificate: {flaw}"))?;
        let next = Certificate::parse(&link.text).map_err(|flaw| format!("a certificate: {flaw}"))?;
        // Those before the key that is known lead to it and prove nothing.
        let (by, _) = &keys[keys.len() - 1];
        if next.key != *by && link.signatures.iter().any(|signature| by.verify(&link.text, signature)) {
            keys.push((next.key, next.size));
        }
    }
    // As in the log itself: the key that was in force for this size, and no other.
    let last = keys.len() - 1;
    let (by, from) = &keys[last];
    if by.name != said.origin || !note.signatures.iter().any(|signature| by.verify(&note.text, signature)) {
        return Err("its note is not signed by the key, nor by one that the key vouches for".into());
    }
    if said.size <= *from {
        return Err("the key that signed its note was not in force for its size".into());
    }
    match inclusion.root(leaf_hash(line), said.size) {
        Some(root) if root == said.root => Ok((inclusion, said)),
        _ => Err("the event is not the one that was sealed there".into()),
    }
}
