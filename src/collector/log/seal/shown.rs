// SPDX-License-Identifier: Apache-2.0
//! What is shown to the world: the certificates, all notes one after the other, and the newest note by itself. Each is
//! checked before it is written, so that a signer that lies, or is another, is noticed here and not by an auditor.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

use crate::log::Folder;
use crate::proof::{Chain, Hash};

/// Bytes at the end of the notes in which the newest two must be.
const TAIL: u64 = 64 << 10;

/// Certificates and notes of a log.
pub(super) struct Shown {
    folder: Folder,
    chain: Chain,
    note: String,
    /// Bytes of `checkpoints` up to the newest note.
    end: u64,
}

impl Shown {
    /// Reads what there is.
    ///
    /// # Errors
    /// Where a certificate is wrong.
    pub(super) fn read(folder: Folder) -> io::Result<Shown> {
        let chain = Chain::parse(&text(&folder, "epochs")?)
            .map_err(|(number, flaw)| io::Error::other(format!("certificate {number}: {flaw}")))?;
        Ok(Shown { folder, chain, note: String::new(), end: 0 })
    }

    /// The name of the log; empty before it has one.
    pub(super) fn origin(&self) -> String {
        self.chain.origin().unwrap_or_default().to_owned()
    }

    /// How many certificates there are.
    pub(super) fn known(&self) -> u64 {
        self.chain.epochs().len() as u64
    }

    /// The newest note.
    pub(super) fn note(&self) -> &str {
        &self.note
    }

    /// Adds certificates.
    ///
    /// # Errors
    /// Where one does not follow from the others, or cannot be written.
    pub(super) fn take_certificates(&mut self, certificates: &[String]) -> io::Result<()> {
        if certificates.is_empty() {
            return Ok(());
        }
        let mut chain = self.chain.clone();
        for certificate in certificates {
            chain
                .extend(certificate)
                .map_err(|flaw| io::Error::other(format!("the signer's certificate: {flaw}")))?;
        }
        let all = text(&self.folder, "epochs")? + &certificates.concat();
        self.folder.replace("epochs", all.as_bytes())?;
        self.chain = chain;
        Ok(())
    }

    /// The newest note on the disk that is one of this log: its size and root.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub(super) fn newest(&mut self) -> io::Result<Option<(u64, Hash)>> {
        let note = text(&self.folder, "checkpoint")?;
        let found = self.chain.checkpoint(&note).ok().map(|(said, _)| (said.size, said.root));
        if found.is_some() {
            self.note = note;
        }
        Ok(found)
    }

    /// Shows a note, which must be over this tree.
    ///
    /// # Errors
    /// Where it is not, or cannot be written.
    pub(super) fn show(&mut self, note: &str, size: u64, root: Hash) -> io::Result<()> {
        let (said, _) = self
            .chain
            .checkpoint(note)
            .map_err(|flaw| io::Error::other(format!("the signer's note: {flaw}")))?;
        if (said.size, said.root) != (size, root) {
            return Err(io::Error::other("the signer signed another tree than this one"));
        }
        let path = self.folder.path("checkpoints");
        let mut file = self.folder.open(&path).map_err(io::Error::other)?;
        // What an attempt that failed left there.
        file.set_len(self.end)?;
        file.write_all(note.as_bytes())?;
        file.sync_all()?;
        self.folder.replace("checkpoint", note.as_bytes())?;
        self.end += note.len() as u64;
        self.note = note.into();
        Ok(())
    }

    /// Brings the file of all notes and the newest note together after a crash between the two: the file ends with the
    /// newest note, or with one more, which is the newest then; what is there of a note that was cut short goes.
    ///
    /// # Errors
    /// Where a file cannot be read or written.
    pub(super) fn mend(&mut self) -> io::Result<()> {
        let newest = text(&self.folder, "checkpoint")?;
        let file = self.folder.open(&self.folder.path("checkpoints")).map_err(io::Error::other)?;
        let bytes = file.metadata()?.len();
        let from = bytes.saturating_sub(TAIL);
        let mut tail = vec![0; usize::try_from(bytes - from).unwrap_or(0)];
        file.read_exact_at(&mut tail, from)?;
        let known = tail.windows(newest.len().max(1)).rposition(|part| part == newest.as_bytes());
        let after = match known {
            Some(place) => place + newest.len(),
            // Before the first note was shown there is nothing to keep.
            None if newest.is_empty() => 0,
            // Somebody took it out: that is for the verifier to tell, and not made worse here.
            None => tail.len(),
        };
        let more = str::from_utf8(&tail[after..]).ok().filter(|more| self.chain.checkpoint(more).is_ok());
        let cut = tail.len() - after - more.map_or(0, str::len);
        self.end = bytes - cut as u64;
        if let Some(more) = more {
            self.folder.replace("checkpoint", more.as_bytes())?;
        }
        if cut > 0 {
            tracing::warn!(bytes = cut, "cut a torn note off the notes of the log");
            file.set_len(self.end)?;
            file.sync_all()?;
        }
        Ok(())
    }
}

fn text(folder: &Folder, name: &str) -> io::Result<String> {
    String::from_utf8(read(folder, name)?).map_err(|_| io::Error::other(format!("{name} is damaged")))
}

fn read(folder: &Folder, name: &str) -> io::Result<Vec<u8>> {
    match fs::read(folder.path(name)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}
