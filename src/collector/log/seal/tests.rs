// SPDX-License-Identifier: Apache-2.0
//! Sealing over restarts, damage and a signer that is gone.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Map;
use tempfile::TempDir;

use super::*;
use crate::intake::packet::listen;
use crate::proof::{Chain, Range, Tile, leaf_hash};
use crate::sign::{At, Signer};

/// A log and a signer for it, which answers while it is wanted.
struct Place {
    folder: TempDir,
    there: Arc<AtomicBool>,
}

impl Place {
    fn new() -> Place {
        let folder = TempDir::new().unwrap();
        let there = Arc::new(AtomicBool::new(true));
        let listener =
            listen(&folder.path().join("sock"), rustix::net::SocketType::SEQPACKET, 0o600, None).unwrap();
        rustix::io::ioctl_fionbio(&listener, false).unwrap();
        let (keys, answers) = (folder.path().join("keys"), Arc::clone(&there));
        thread::spawn(move || {
            while let Ok(socket) = rustix::net::accept(&listener) {
                if answers.load(Ordering::Relaxed) {
                    let signer = Signer { keys: keys.clone(), epoch: Duration::from_secs(3600) };
                    thread::spawn(move || signer.serve(&socket));
                }
            }
        });
        Place { folder, there }
    }

    fn log(&self) -> std::path::PathBuf {
        self.folder.path().join("log")
    }

    /// Opens the log and its seals.
    fn open(&self) -> Result<(Log, Sealer, Arc<Seals>), Error> {
        let mut log = Log::open(&self.log(), None)?;
        log.recover(0, 0, &mut |_, _| {})?;
        let seals = Arc::<Seals>::default();
        let signing = Signing::at(At::Socket(self.folder.path().join("sock")));
        let sealer = Sealer::start(&mut log, signing, Arc::clone(&seals))?;
        Ok((log, sealer, seals))
    }

    /// The root that the newest note tells, after it was checked.
    fn sealed(&self) -> (u64, [u8; 32]) {
        let chain = Chain::parse(&fs::read_to_string(self.log().join("epochs")).unwrap()).unwrap();
        let note = fs::read_to_string(self.log().join("checkpoint")).unwrap();
        assert!(fs::read_to_string(self.log().join("checkpoints")).unwrap().ends_with(&note));
        let (said, _) = chain.checkpoint(&note).unwrap();
        (said.size, said.root)
    }
}

fn add(log: &mut Log, events: usize) {
    for _ in 0..events {
        log.control("test", &Map::new(), None);
    }
    assert!(log.commit(&mut || false));
}

fn seal(log: &Log, seals: &Seals) {
    let size = log.end().1;
    seals.want(size);
    while seals.wait(size - 1, Duration::from_secs(1)).size < size {}
}

fn root(folder: &Path) -> Range {
    let mut range = Range::empty(0);
    for first in crate::log::folder::segments(folder).unwrap() {
        let text = fs::read_to_string(folder.join(crate::log::folder::segment_name(first))).unwrap();
        text.lines().for_each(|line| range.push(leaf_hash(line.as_bytes())));
    }
    range
}

#[test]
fn what_is_sealed_is_the_tree_of_the_lines_over_restarts() {
    let place = Place::new();
    let mut size = 0;
    for events in [1, 3, 255, 256, 700, 1] {
        let (mut log, sealer, seals) = place.open().unwrap();
        for _ in 0..2 {
            add(&mut log, events);
            size += events as u64;
            seal(&log, &seals);
            assert_eq!(place.sealed(), (size, root(&place.log()).root()));
        }
        // Durable, and sealed by the next.
        add(&mut log, 5);
        size += 5;
        drop(sealer);
    }
    let (log, _sealer, seals) = place.open().unwrap();
    seal(&log, &seals);
    assert_eq!(place.sealed(), (size, root(&place.log()).root()));
    for tile in Tile::all(size) {
        let bytes = fs::metadata(place.log().join(tile.to_string())).unwrap().len();
        assert_eq!(bytes, u64::from(tile.width) * 32, "{tile}");
    }
    let strays = fs::read_dir(place.log().join("tile/0")).unwrap().count();
    assert_eq!(strays as u64, size.div_ceil(256), "no partial tile but the newest is left");
}

#[test]
fn tiles_that_are_gone_are_made_again_from_the_events() {
    let place = Place::new();
    let (mut log, sealer, seals) = place.open().unwrap();
    add(&mut log, 600);
    seal(&log, &seals);
    drop((log, sealer));
    fs::remove_dir_all(place.log().join("tile")).unwrap();
    let (mut log, _sealer, seals) = place.open().unwrap();
    add(&mut log, 1);
    seal(&log, &seals);
    assert_eq!(place.sealed(), (601, root(&place.log()).root()));
    assert!(Tile::all(601).all(|tile| place.log().join(tile.to_string()).exists()));
}

#[test]
fn a_log_rolled_back_is_refused_and_what_to_do_is_said() {
    let place = Place::new();
    let names = ["checkpoint", "checkpoints", "epochs"];
    let (mut log, sealer, seals) = place.open().unwrap();
    add(&mut log, 10);
    seal(&log, &seals);
    let old = names.map(|name| fs::read(place.log().join(name)).unwrap());
    let events = fs::read(place.log().join("events/000000000000.jsonl")).unwrap();
    add(&mut log, 10);
    seal(&log, &seals);
    drop((log, sealer));
    names.iter().zip(old).for_each(|(name, bytes)| fs::write(place.log().join(name), bytes).unwrap());
    fs::write(place.log().join("events/000000000000.jsonl"), &events).unwrap();
    let refused = place.open().err().unwrap().to_string();
    assert!(
        refused.contains("20 events were signed, and 10 are left") && refused.contains("move it away"),
        "{refused}"
    );
    // Another history of the same length.
    let more = String::from_utf8(events.clone()).unwrap();
    let mut other = more.clone();
    for (number, line) in more.lines().enumerate() {
        other += &line.replacen(&format!("\"index\":{number},"), &format!("\"index\":{},", number + 10), 1);
        other.push('\n');
    }
    fs::write(place.log().join("events/000000000000.jsonl"), other).unwrap();
    assert!(matches!(place.open(), Err(Error::Forked { .. })));
}

#[test]
fn events_that_are_gone_behind_a_note_leave_a_gap_and_the_log_goes_on() {
    let place = Place::new();
    let (mut log, sealer, seals) = place.open().unwrap();
    add(&mut log, 20);
    seal(&log, &seals);
    let (size, sealed) = place.sealed();
    drop((log, sealer));
    fs::write(place.log().join("events/000000000000.jsonl"), "").unwrap();
    let (mut log, _sealer, seals) = place.open().unwrap();
    assert_eq!((place.sealed(), log.end().1), ((size, sealed), 20));
    add(&mut log, 1);
    seal(&log, &seals);
    assert_eq!(place.sealed().0, 21);
    assert!(place.log().join("events/000000000020.jsonl").exists());
}

#[test]
fn without_a_signer_the_log_goes_on_and_is_sealed_when_there_is_one() {
    let place = Place::new();
    let (mut log, sealer, seals) = place.open().unwrap();
    add(&mut log, 3);
    seal(&log, &seals);
    drop((log, sealer));
    place.there.store(false, Ordering::Relaxed);
    assert!(matches!(place.open(), Err(Error::Unsealed { .. })));
    place.there.store(true, Ordering::Relaxed);
    let (mut log, _sealer, seals) = place.open().unwrap();
    add(&mut log, 3);
    seal(&log, &seals);
    assert_eq!(place.sealed().0, 6);
}

#[test]
fn a_crash_between_two_writes_of_a_note_is_mended() {
    let place = Place::new();
    let read = |name: &str| fs::read(place.log().join(name)).unwrap();
    let (mut log, sealer, seals) = place.open().unwrap();
    add(&mut log, 3);
    seal(&log, &seals);
    let first = read("checkpoint");
    add(&mut log, 3);
    seal(&log, &seals);
    let (all, second) = (read("checkpoints"), read("checkpoint"));
    drop((log, sealer));
    // The second note was appended, or a part of it, and not shown.
    for cut in (first.len()..=all.len()).step_by(7).chain([all.len()]) {
        fs::write(place.log().join("checkpoints"), &all[..cut]).unwrap();
        fs::write(place.log().join("checkpoint"), &first).unwrap();
        let (log, sealer, _) = place.open().unwrap();
        assert_eq!((read("checkpoints"), read("checkpoint")), (all.clone(), second.clone()), "{cut}");
        drop((log, sealer));
    }
}
