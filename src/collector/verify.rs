// SPDX-License-Identifier: Apache-2.0
//! The verifier: recomputes the tree from the files of a log alone, holds it against every note and certificate, says
//! where the first damage is, and what is proved all the same. It reads the log and asks nobody: neither collector
//! nor signer, and imports nothing that writes.

mod archive;
mod events;
mod notes;
mod report;

pub use archive::{Archive, Files};
pub use report::{Damage, Report};

use crate::proof::{Checkpoint, Key};

/// What the verifier is told besides the log.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// A key of the log, from elsewhere than the log.
    pub key: Option<Key>,
    /// A note of the log that was exported: what it covers must be there, unchanged.
    pub since: Option<String>,
}

/// How often a log that grew meanwhile is looked at again before it counts as damaged.
const TRIES: usize = 5;

/// Verifies a whole log.
pub fn verify(files: &dyn Files, trust: &Trust) -> Report {
    let mut report = Report::default();
    for _ in 0..TRIES {
        let before = files.read("checkpoint").ok();
        report = Report::default();
        if let Some(notes) = notes::read(files, trust, &mut report) {
            events::read(files, &notes, &mut report);
        }
        // What a writer changes while it is read looks like damage.
        if report.damage.is_empty() || files.read("checkpoint").ok() == before {
            break;
        }
    }
    report
}

/// A tree that somebody signed, and where he says so.
#[derive(Debug, Clone)]
struct Said {
    checkpoint: Checkpoint,
    /// As in `checkpoints note 3`.
    place: String,
}
