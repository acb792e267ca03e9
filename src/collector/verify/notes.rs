// SPDX-License-Identifier: Apache-2.0
//! The first half of a verification: the chain of keys, and the notes that they signed.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::report::Report;
use super::{Files, Said, Trust};
use crate::proof::{Chain, notes};

/// Everything that was signed, by size.
pub(super) struct Signed {
    /// Trees that must be found again, the smallest first.
    pub(super) said: Vec<Said>,
    /// Size of each note by the SHA-256 of its text.
    pub(super) hashes: HashMap<[u8; 32], u64>,
    /// Leaves of the last note.
    pub(super) size: u64,
}

/// Reads certificates and notes; `None` if nothing is signed.
pub(super) fn read(files: &dyn Files, trust: &Trust, report: &mut Report) -> Option<Signed> {
    let [epochs, all, newest] = texts(files, report)?;
    let chain = match Chain::parse(&epochs) {
        Ok(chain) => chain,
        Err((number, flaw)) => {
            report.damaged(
                "epochs",
                None,
                format!("certificate {number}: {flaw}; no key behind it can be trusted"),
            );
            valid(&epochs, number)
        }
    };
    let Some(origin) = chain.origin() else {
        report.damaged("epochs", None, "there is no certificate: nothing in this log is sealed");
        return None;
    };
    report.origin = Some(origin.to_owned());
    report.epochs = chain.epochs().len() as u64;
    if let Some(key) = &trust.key {
        report.trusted = chain.find(key).is_some();
        if !report.trusted {
            report.damaged(
                "epochs",
                None,
                "the key that was given is no key of this log: it is another log, or was replaced",
            );
        }
    }

    let mut signed = Signed { said: Vec::new(), hashes: HashMap::new(), size: 0 };
    for (number, note) in notes(&all).enumerate() {
        let place = format!("note {number}");
        match chain.checkpoint(note) {
            Ok((checkpoint, _)) if checkpoint.size > signed.size => {
                signed.size = checkpoint.size;
                signed.hashes.insert(Sha256::digest(note).into(), checkpoint.size);
                signed.said.push(Said { checkpoint, place });
                report.notes += 1;
            }
            Ok(_) => report.damaged("checkpoints", None, format!("{place} is out of order")),
            Err(flaw) => report.damaged("checkpoints", None, format!("{place}: {flaw}")),
        }
    }
    if signed.said.is_empty() {
        report.damaged("checkpoints", None, "there is no note: nothing in this log is sealed");
    }
    if newest.is_empty() || !all.ends_with(&newest) || notes(&all).last() != Some(&newest) {
        report.damaged("checkpoint", None, "it is not the newest of all notes");
    }
    // What a key said of the tree when it handed over binds whoever has the next.
    for epoch in chain.epochs().iter().skip(1) {
        let said = &epoch.certificate;
        let checkpoint = crate::proof::Checkpoint {
            origin: said.origin.clone(),
            size: said.size,
            root: said.root,
            extension: String::new(),
        };
        signed.said.push(Said { checkpoint, place: format!("certificate {}", said.number) });
    }
    if let Some(note) = &trust.since {
        match chain.checkpoint(note) {
            Ok((checkpoint, _)) => {
                signed.said.push(Said { checkpoint, place: "the note that was given".into() })
            }
            Err(flaw) => report.damaged(
                "epochs",
                None,
                format!("the note that was given does not fit this log: {flaw}"),
            ),
        }
    }
    signed.said.sort_by_key(|said| said.checkpoint.size);
    report.sealed = signed.size;
    for said in signed.said.iter().filter(|said| said.checkpoint.size > signed.size) {
        let what = format!(
            "{} tells of {} events, more than the last note: the end was cut off",
            said.place, said.checkpoint.size
        );
        report.damaged("checkpoints", Some(signed.size), what);
    }
    Some(signed)
}

/// Certificates, all notes, the newest note.
fn texts(files: &dyn Files, report: &mut Report) -> Option<[String; 3]> {
    let mut failed = false;
    let texts = ["epochs", "checkpoints", "checkpoint"].map(|name| {
        let bytes = files.read(name).unwrap_or_else(|error| {
            if error.kind() != std::io::ErrorKind::NotFound {
                report.damaged(name, None, format!("it cannot be read: {error}"));
                failed = true;
            }
            Vec::new()
        });
        // A byte that is no text makes the note that it is in a wrong one.
        String::from_utf8_lossy(&bytes).into_owned()
    });
    (!failed).then_some(texts)
}

/// The chain up to the certificate that is wrong.
fn valid(epochs: &str, number: usize) -> Chain {
    let mut chain = Chain::default();
    let _ = notes(epochs).take(number).try_for_each(|note| chain.extend(note));
    chain
}
