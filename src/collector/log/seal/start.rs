// SPDX-License-Identifier: Apache-2.0
//! Proofs and log after a start: both end somewhere, and must be of one history. What the events can show is made
//! again from them; what contradicts the last note is refused, never signed.

use std::io;

use super::grow::Growing;
use super::shown::Shown;
use super::{Log, Sealing};
use crate::error::Error;
use crate::log::Cursor;
use crate::proof::{Edge, Hash, Tile};
use crate::sign::Signing;

const REMEDY: &str = "the log's folder must be whole; p11guard verify says what is wrong with it";

/// Finds the tree that was signed last and the events behind it.
pub(super) fn start(log: &mut Log, mut signing: Signing) -> Result<Sealing, Error> {
    let folder = log.folder();
    let path = log.path().to_owned();
    let failed = || Error::path("go on with the proofs in", &path, REMEDY);
    let mut shown = Shown::read(folder.clone()).map_err(failed())?;
    let signed =
        signing.hello(&shown.origin(), shown.known()).map_err(|source| Error::Unsealed { source })?;
    shown.take_certificates(&signed.certificates).map_err(failed())?;
    shown.mend().map_err(failed())?;

    let newest = shown.newest().map_err(failed())?;
    let mut growing = match newest {
        Some((size, root)) if size <= signed.size => match edge(&folder, size, root) {
            Some(edge) => {
                // Where events are gone that a note tells of, their numbers stay theirs.
                log.skip_to(size)?;
                let cursor = Cursor::before(folder.clone(), log.durable(), size).map_err(failed())?;
                Growing::new(folder, cursor, edge)
            }
            None => {
                tracing::warn!("the tiles do not fit the last note: they are made again from the events");
                from_events(log, size, Some(root))?
            }
        },
        Some((size, _)) => {
            return Err(forked(log, &format!("a note tells of {size} events, more than were signed")));
        }
        None => from_events(log, 0, None)?,
    };
    if signed.size > growing.size() {
        if signed.size > log.end().1 {
            let what = format!("{} events were signed, and {} are left", signed.size, log.end().1);
            return Err(forked(log, &what));
        }
        growing.grow(signed.size).map_err(failed())?;
        growing.flush().map_err(failed())?;
        let root = growing.root();
        if let Err(error) = shown.show(&signed.note, signed.size, root) {
            return Err(forked(log, &error.to_string()));
        }
    }
    growing.mark_signed();
    growing.drop_stale();
    Ok(Sealing { growing, shown, signing })
}

/// The right edge of the tree of a note, if its tiles are there.
fn edge(folder: &super::Folder, size: u64, root: Hash) -> Option<Edge> {
    let mut partial = |tile: Tile| -> io::Result<Vec<Hash>> {
        let bytes = std::fs::read(folder.path(&tile.to_string()))?;
        let hashes: Vec<Hash> = bytes.as_chunks::<32>().0.to_vec();
        let whole = bytes.len() == usize::from(tile.width) * 32;
        whole.then_some(hashes).ok_or_else(|| io::ErrorKind::InvalidData.into())
    };
    Edge::read(size, &mut partial).ok().filter(|edge| edge.range().root() == root)
}

/// The tree made from the events alone.
fn from_events(log: &Log, size: u64, root: Option<Hash>) -> Result<Growing, Error> {
    let failed = || Error::path("read", log.path(), REMEDY);
    let cursor = Cursor::at_start(log.folder(), log.durable());
    let mut growing = Growing::new(log.folder(), cursor, Edge::default());
    if log.end().1 < size {
        return Err(forked(log, &format!("a note tells of {size} events, and {} are left", log.end().1)));
    }
    growing.grow(size).map_err(failed())?;
    if root.is_some_and(|root| growing.root() != root) {
        return Err(forked(
            log,
            &format!("the first {size} events are not those that the last note tells of"),
        ));
    }
    growing.flush().map_err(failed())?;
    Ok(growing)
}

fn forked(log: &Log, what: &str) -> Error {
    Error::Forked { path: log.path().into(), what: what.into() }
}
