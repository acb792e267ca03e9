// SPDX-License-Identifier: Apache-2.0
//! The keys of a log, one after the other. Each is certified by the one before it, together with the tree as it was
//! then; the secret of the one before is gone. Whoever takes the key of today can neither sign what is older than
//! it, nor build on another past.

use ed25519_dalek::SigningKey;
use sha2::{Digest, Sha256};

use super::note::{Checkpoint, Flaw, Key, Note, notes};
use super::tree::{Hash, Range};

/// A log is named after the first of its keys, so that its name is a commitment to it.
pub fn origin_of(first: &[u8; 32]) -> String {
    let hash = Sha256::digest(first);
    let name: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("p11guard/{name}")
}

/// What one key says of the next: a note like a checkpoint, of the origin `ORIGIN/epochs`, with the number and the key
/// of the new epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The log.
    pub origin: String,
    /// Leaves of the tree when the epoch began.
    pub size: u64,
    /// Root over them.
    pub root: Hash,
    /// From 0.
    pub number: u64,
    /// The key that signs from then on.
    pub key: Key,
}

impl Certificate {
    /// The first of a log, which its key signs itself.
    pub fn first(secret: &SigningKey) -> Certificate {
        let public = secret.verifying_key().to_bytes();
        let origin = origin_of(&public);
        let key = Key { name: origin.clone(), public };
        Certificate { origin, size: 0, root: Range::empty(0).root(), number: 0, key }
    }

    /// Signs it, with the key before.
    pub fn sign(&self, by: &SigningKey) -> Note {
        let checkpoint = Checkpoint {
            origin: format!("{}/epochs", self.origin),
            size: self.size,
            root: self.root,
            extension: format!("{}\n{}\n", self.number, self.key),
        };
        Note::sign(checkpoint.to_string(), &self.origin, by)
    }

    /// Reads the text of its note.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Certificate, Flaw> {
        const WRONG: Flaw = Flaw("it is no certificate of an epoch");
        let Checkpoint { origin, size, root, extension } = Checkpoint::parse(text)?;
        let origin = origin.strip_suffix("/epochs").ok_or(WRONG)?.to_owned();
        let (number, key) =
            extension.strip_suffix('\n').and_then(|lines| lines.split_once('\n')).ok_or(WRONG)?;
        let digits = number.parse().ok().filter(|value: &u64| value.to_string() == number).ok_or(WRONG)?;
        let key = Key::parse(key)?;
        if key.name != origin {
            return Err(Flaw("its key is of another log"));
        }
        Ok(Certificate { origin, size, root, number: digits, key })
    }
}

/// A certificate and where in the chain it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epoch {
    /// What it says.
    pub certificate: Certificate,
    /// The tree when the next epoch began; its own key signs nothing larger.
    pub until: Option<u64>,
}

/// All keys of a log, each checked by the one before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    epochs: Vec<Epoch>,
}

impl Chain {
    /// Reads the file of certificates.
    ///
    /// # Errors
    /// The number of the first that is wrong, and what it is.
    pub fn parse(file: &str) -> Result<Chain, (usize, Flaw)> {
        let mut chain = Chain::default();
        for (number, note) in notes(file).enumerate() {
            chain.extend(note).map_err(|flaw| (number, flaw))?;
        }
        Ok(chain)
    }

    /// Takes in the note of one more certificate.
    ///
    /// # Errors
    /// Why it does not fit.
    pub fn extend(&mut self, note: &str) -> Result<(), Flaw> {
        let note = Note::parse(note)?;
        let next = Certificate::parse(&note.text)?;
        let [signature] = &note.signatures[..] else { return Err(Flaw("it is not signed exactly once")) };
        let by = match self.epochs.last() {
            None if next.origin != origin_of(&next.key.public) || next.size != 0 => {
                return Err(Flaw("the log is not named after its first key"));
            }
            None => &next.key,
            Some(Epoch { certificate: last, .. }) if next.origin != last.origin || next.size < last.size => {
                return Err(Flaw("it does not go on from the one before it"));
            }
            Some(last) => &last.certificate.key,
        };
        if next.number != self.epochs.len() as u64 {
            return Err(Flaw("its number is not the next"));
        }
        if !by.verify(&note.text, signature) {
            return Err(Flaw("it is not signed by the key before it"));
        }
        if let Some(last) = self.epochs.last_mut() {
            last.until = Some(next.size);
        }
        self.epochs.push(Epoch { certificate: next, until: None });
        Ok(())
    }

    /// From the first.
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// The name of the log.
    pub fn origin(&self) -> Option<&str> {
        Some(&self.epochs.first()?.certificate.origin)
    }

    /// The epoch of a key.
    pub fn find(&self, key: &Key) -> Option<&Epoch> {
        self.epochs.iter().find(|epoch| epoch.certificate.key == *key)
    }

    /// What a note of this log says, and in which epoch it was signed: by a key that was in force for that size.
    ///
    /// # Errors
    /// Why it is none.
    pub fn checkpoint(&self, note: &str) -> Result<(Checkpoint, &Epoch), Flaw> {
        let note = Note::parse(note)?;
        let said = Checkpoint::parse(&note.text)?;
        if self.origin() != Some(&*said.origin) || !said.extension.is_empty() {
            return Err(Flaw("it is no checkpoint of this log"));
        }
        for signature in &note.signatures {
            let Some(epoch) =
                self.epochs.iter().find(|epoch| epoch.certificate.key.verify(&note.text, signature))
            else {
                continue;
            };
            let in_force =
                said.size > epoch.certificate.size && epoch.until.is_none_or(|until| said.size <= until);
            if !in_force {
                return Err(Flaw("the key that signed it was not the one in force for its size"));
            }
            return Ok((said, epoch));
        }
        Err(Flaw("no key of this log signed it"))
    }
}
