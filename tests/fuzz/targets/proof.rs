// SPDX-License-Identifier: Apache-2.0
//! What an auditor is handed, notes, keys, certificates, proofs, tiles and whole logs, as any bytes: it is read or refused,
//! what is read is written as it was, and nothing is proved that nobody signed.
#![no_main]

use std::collections::BTreeMap;

use collector::proof::{Chain, Checkpoint, Inclusion, Key, Note, Range, Tile, event_index, leaf_hash, notes};
use collector::verify::{Trust, verify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(note) = Note::parse(&text) {
        assert!(Note::parse(&note.to_string()) == Ok(note.clone()));
        if let Ok(said) = Checkpoint::parse(&note.text) {
            assert_eq!(said.to_string(), note.text);
        }
    }
    if let Ok(key) = Key::parse(&text) {
        assert_eq!(key.to_string(), text);
    }
    if let Some(tile) = Tile::parse(&text) {
        assert_eq!(tile.to_string(), text);
    }
    if let Ok(proof) = Inclusion::parse(&text) {
        assert!(Inclusion::parse(&proof.to_string()) == Ok(proof.clone()));
        let _ = proof.root(leaf_hash(bytes), proof.index.wrapping_add(bytes.len() as u64));
    }
    let _ = (Chain::parse(&text), event_index(bytes), Range::of(0, bytes.len() as u64, Vec::new()));
    assert_eq!(notes(&text).map(str::len).sum::<usize>(), text.len());

    // A log in one file: parts between zero bytes, in the order of the names.
    let names = [
        "epochs",
        "checkpoints",
        "checkpoint",
        "events/000000000000.jsonl",
        "tile/0/000.p/3",
        "events/000000000002.jsonl",
    ];
    let parts = bytes.split(|byte| *byte == 0).map(<[u8]>::to_vec);
    let mut log: BTreeMap<String, Vec<u8>> = names.map(str::to_owned).into_iter().zip(parts).collect();
    // The newest note need not be written twice.
    if log.get("checkpoint").is_some_and(Vec::is_empty) {
        let newest = log
            .get("checkpoints")
            .and_then(|all| notes(std::str::from_utf8(all).ok()?).last())
            .map(str::to_owned);
        log.insert("checkpoint".into(), newest.unwrap_or_default().into_bytes());
    }
    let report = verify(&log, &Trust::default());
    assert!(report.proved <= report.sealed && !report.is_proved());
});
