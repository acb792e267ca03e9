// SPDX-License-Identifier: Apache-2.0
//! Do other programs read what we write, and we what they write? The crates `signed_note` and `tlog_tiles`, which share no
//! line with ours nor its cryptography, check a real log: key, note, tiles, root, and the proof of every event.

use std::path::{Path, PathBuf};

use collector::proof::{Checkpoint, Edge, Inclusion, Key, Note};
use harness::artifacts;
use harness::collector::Collector;
use harness::guard::{ALLOW_ALL, Guard, Way};
use harness::run::run;
use harness::token;
use signed_note::{StandardSigner, StandardVerifier, VerifierList};
use tlog_tiles::{Tile, TileHashReader, TileReader, check_record, prove_record, record_hash, tree_hash};

/// The tiles in the folder of a log.
struct Folder(PathBuf);

impl TileReader for Folder {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        Ok(tiles.iter().map(|tile| std::fs::read(self.0.join(path(tile))).expect("a tile")).collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

/// tlog-tiles leaves out the height, which Go's checksum database has in its paths.
fn path(tile: &Tile) -> String {
    tile.path().replacen("tile/8/", "tile/", 1)
}

fn p11guard(arguments: &[&str], log: &Path) -> String {
    run(std::process::Command::new(artifacts::p11guard()).args(arguments).arg(log)).success().stdout
}

#[test]
fn an_independent_implementation_accepts_a_log_of_ours() {
    let mut collector = Collector::started();
    let token = token::stub("");
    let way = Way::guarded(collector.guard(Guard::new(&token.module, ALLOW_ALL)), token);
    run(way.command(artifacts::host()).arg("fork").arg(&way.module).arg("200")).success();
    collector.stored_after(2);
    collector.stop();
    let log = collector.path("log");
    let lines: Vec<String> = collector.text().lines().map(str::to_owned).collect();
    assert!(lines.len() > 512, "more than one full tile, and a partial one");

    let vkey = p11guard(&["checkpoint", "--key"], &log);
    let known = VerifierList::new(vec![Box::new(StandardVerifier::new(vkey.trim()).expect("a key"))]);
    let note = signed_note::Note::from_bytes(&std::fs::read(log.join("checkpoint")).expect("a note"))
        .expect("a note");
    let (good, _) = note.verify(&known).expect("our signature");
    assert_eq!(good.len(), 1);
    let said = tlog_tiles::Checkpoint::from_bytes(note.text()).expect("a checkpoint");
    assert_eq!((said.size(), said.extension()), (lines.len() as u64, ""));

    let folder = Folder(log.clone());
    let hashes = TileHashReader::new(said.size(), *said.hash(), &folder);
    assert_eq!(tree_hash(said.size(), &hashes).expect("a root"), *said.hash());
    for (index, line) in lines.iter().enumerate() {
        let theirs = prove_record(said.size(), index as u64, &hashes).expect("a proof");
        check_record(&theirs, said.size(), *said.hash(), index as u64, record_hash(line.as_bytes()))
            .expect("it holds");
        if index % 97 == 0 {
            let ours = Inclusion::parse(&p11guard(&["prove", &index.to_string()], &log)).expect("a proof");
            let ours: Vec<_> = ours.path.into_iter().map(tlog_tiles::Hash).collect();
            assert_eq!(ours, theirs);
        }
    }
    println!("{} events, {} tiles checked", lines.len(), Tile::new_tiles(8, 0, said.size()).len());
}

#[test]
fn notes_and_tiles_of_an_independent_implementation_are_accepted() {
    let public = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key().to_bytes();
    let key = Key { name: "example.com/log".into(), public };
    let vkey = key.to_string();
    // The seed of seven 32 times, in the form of that implementation.
    let id = vkey.split('+').nth(1).expect("an id");
    let seed = "AQcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH";
    let signer = StandardSigner::new(&format!("PRIVATE+KEY+{}+{id}+{seed}", key.name)).expect("a key");

    let records: Vec<Vec<u8>> = (0..700).map(|number| format!("record {number}").into_bytes()).collect();
    let mut stored: Vec<tlog_tiles::Hash> = Vec::new();
    let mut edge = Edge::default();
    let mut tiles = Vec::new();
    for (number, record) in records.iter().enumerate() {
        let more = tlog_tiles::stored_hashes(number as u64, record, &Stored(&stored)).expect("hashes");
        stored.extend(more);
        edge.push(record_hash(record).0, &mut |tile, hashes| tiles.push((tile.to_string(), hashes.concat())));
    }
    tiles.extend(edge.partial().map(|(tile, hashes)| (tile.to_string(), hashes.concat())));
    let theirs = Tile::new_tiles(8, 0, 700);
    assert_eq!(tiles.len(), theirs.len());
    for tile in theirs {
        let data = tile.read_data(&Stored(&stored)).expect("a tile");
        let ours = tiles.iter().find(|(name, _)| *name == path(&tile)).expect("the same name");
        assert_eq!(ours.1, data);
    }

    let root = tree_hash(700, &Stored(&stored)).expect("a root");
    assert_eq!(edge.range().root(), root.0);
    let text = Checkpoint { origin: key.name.clone(), size: 700, root: root.0, extension: String::new() }
        .to_string();
    let mut note = signed_note::Note::new(text.as_bytes(), &[]).expect("a note");
    note.add_sigs(&[&signer]).expect("a signature");
    let note = Note::parse(std::str::from_utf8(&note.to_bytes()).expect("text")).expect("a note");
    assert!(key.verify(&note.text, &note.signatures[0]));
    assert_eq!(Checkpoint::parse(&note.text).expect("a checkpoint").size, 700);
}

struct Stored<'a>(&'a [tlog_tiles::Hash]);

impl tlog_tiles::HashReader for Stored<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|index| self.0[usize::try_from(*index).expect("few")]).collect())
    }
}
