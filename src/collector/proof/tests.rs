// SPDX-License-Identifier: Apache-2.0
//! Trees, tiles, notes and chains against the definitions they come from.

use std::collections::HashMap;
use std::convert::Infallible;

use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;

/// RFC 6962, section 2.1, word for word.
fn mth(leaves: &[Vec<u8>]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => Sha256::digest([&[0], &leaf[..]].concat()).into(),
        _ => {
            let middle = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(middle);
            Sha256::digest([&[1], &mth(left)[..], &mth(right)[..]].concat()).into()
        }
    }
}

fn leaves(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| format!("leaf {number}").into_bytes()).collect()
}

/// A tree with all its tiles.
#[derive(Default)]
struct Tree {
    edge: Edge,
    tiles: HashMap<Tile, Vec<Hash>>,
}

impl Tree {
    fn of(leaves: &[Vec<u8>]) -> Tree {
        let mut tree = Tree::default();
        for leaf in leaves {
            let tiles = &mut tree.tiles;
            tree.edge.push(leaf_hash(leaf), &mut |tile, hashes| drop(tiles.insert(tile, hashes.to_vec())));
        }
        let partial: Vec<_> = tree.edge.partial().map(|(tile, hashes)| (tile, hashes.to_vec())).collect();
        tree.tiles.extend(partial);
        tree
    }
}

impl Tiles for Tree {
    type Error = Infallible;

    fn tile(&mut self, tile: Tile) -> Result<Vec<Hash>, Infallible> {
        Ok(self.tiles[&tile].clone())
    }
}

#[test]
fn edge_and_range_have_the_root_of_the_standard() {
    let all = leaves(700);
    let (mut edge, mut range) = (Edge::default(), Range::empty(0));
    for size in 0..=all.len() {
        let root = mth(&all[..size]);
        assert_eq!((edge.range().root(), range.root()), (root, root), "{size}");
        assert_eq!(edge.range(), range);
        if let Some(leaf) = all.get(size) {
            edge.push(leaf_hash(leaf), &mut |_, _| {});
            range.push(leaf_hash(leaf));
        }
    }
}

#[test]
fn any_two_ranges_side_by_side_are_one() {
    let all: Vec<Hash> = leaves(70).iter().map(|leaf| leaf_hash(leaf)).collect();
    let range = |begin: usize, end: usize| {
        let mut range = Range::empty(begin as u64);
        all[begin..end].iter().for_each(|leaf| range.push(*leaf));
        range
    };
    for begin in 0..70 {
        for middle in begin..70 {
            let (mut left, right) = (range(begin, middle), range(middle, 70));
            let again = Range::of(middle as u64, 70, right.nodes().to_vec());
            assert_eq!(again.as_ref(), Some(&right));
            assert!(left.append(&right));
            assert_eq!(left, range(begin, 70));
            assert!(!left.append(&right) || middle == 70);
            assert_eq!(Range::of(middle as u64, 70, [right.nodes(), &[[0; 32]]].concat()), None);
        }
    }
}

#[test]
fn a_tree_is_read_back_from_its_tiles_at_any_size() {
    for size in [0, 1, 255, 256, 257, 511, 512, 65535, 65536, 65537, 66000] {
        let all = leaves(size);
        let mut tree = Tree::of(&all);
        let named: Vec<_> = Tile::all(size as u64).collect();
        assert!(named.iter().all(|tile| tree.tiles.contains_key(tile)));
        assert_eq!(named.len(), tree.tiles.len(), "{size}");
        let mut partial = |tile: Tile| tree.tile(tile);
        let edge = Edge::read(size as u64, &mut partial).unwrap();
        assert_eq!(edge.range(), tree.edge.range());
        assert_eq!(edge.range().root(), mth(&all));
    }
}

#[test]
fn every_leaf_is_proved_and_no_other() {
    for size in [1, 2, 3, 7, 8, 255, 256, 257, 600, 66_000] {
        let all = leaves(size);
        let mut tree = Tree::of(&all);
        let root = mth(&all);
        for index in (0..size).step_by(1 + size / 300) {
            let proof =
                Inclusion::prove(&mut tree, index as u64, size as u64, "note\n".into(), None).unwrap();
            assert_eq!(proof.root(leaf_hash(&all[index]), size as u64), Some(root));
            assert_ne!(proof.root(leaf_hash(b"another"), size as u64), Some(root));
            let beside = Inclusion { index: index as u64 + 1, ..proof.clone() };
            assert_ne!(beside.root(leaf_hash(&all[index]), size as u64), Some(root));
            assert_eq!(Inclusion::parse(&proof.to_string()), Ok(proof.clone()));
            let longer = Inclusion { path: [&proof.path[..], &[root]].concat(), ..proof };
            assert_eq!(longer.root(leaf_hash(&all[index]), size as u64), None);
        }
    }
}

#[test]
fn tiles_are_called_what_the_format_calls_them() {
    for (level, index, width, path) in [
        (0, 0, 256, "tile/0/000"),
        (0, 0, 1, "tile/0/000.p/1"),
        (1, 1_234_067, 256, "tile/1/x001/x234/067"),
        (2, 1000, 17, "tile/2/x001/000.p/17"),
    ] {
        let tile = Tile { level, index, width };
        assert_eq!((tile.to_string().as_str(), Tile::parse(path)), (path, Some(tile)));
    }
    for wrong in [
        "tile/0/0",
        "tile/0/000.p/256",
        "tile/0/000.p/0",
        "tile/0/x000/001",
        "tile/00/000",
        "tile/0/001/000",
        "x",
    ] {
        assert_eq!(Tile::parse(wrong), None, "{wrong}");
    }
}

fn secret(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn checkpoint(origin: &str, size: u64) -> Checkpoint {
    Checkpoint { origin: origin.into(), size, root: [7; 32], extension: String::new() }
}

#[test]
fn a_note_is_good_in_one_form_and_every_other_bit_is_noticed() {
    let note = Note::sign(checkpoint("o", 5).to_string(), "o", &secret(1)).to_string();
    let key = Key { name: "o".into(), public: secret(1).verifying_key().to_bytes() };
    assert_eq!(Key::parse(&key.to_string()), Ok(key.clone()));
    let good = |text: &str| {
        let note = Note::parse(text).ok()?;
        let said = Checkpoint::parse(&note.text).ok()?;
        note.signatures.iter().any(|signature| key.verify(&note.text, signature)).then_some(said)
    };
    assert_eq!(good(&note), Some(checkpoint("o", 5)));
    for bit in 0..note.len() * 8 {
        let mut bytes = note.clone().into_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(String::from_utf8(bytes).ok().and_then(|text| good(&text)), None, "bit {bit}");
    }
    for wrong in ["o+00000000+AAAA", "o", "", "o+x", &key.to_string()[..40]] {
        assert!(Key::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_example_of_the_format_is_read_and_its_signature_is_good() {
    // The key and note that golang.org/x/mod/sumdb/note documents.
    let key = Key::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
    let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\
                \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    let note = Note::parse(text).unwrap();
    assert!(key.verify(&note.text, &note.signatures[0]));
    assert_eq!(note.to_string(), text);
}

/// The certificates of three keys, over sizes 0, 10 and 20.
fn certificates() -> Vec<String> {
    let first = Certificate::first(&secret(1));
    let next = |number: u64, seed, size| Certificate {
        size,
        root: [9; 32],
        number,
        key: Key { name: first.origin.clone(), public: secret(seed).verifying_key().to_bytes() },
        ..first.clone()
    };
    vec![
        first.sign(&secret(1)).to_string(),
        next(1, 2, 10).sign(&secret(1)).to_string(),
        next(2, 3, 20).sign(&secret(2)).to_string(),
    ]
}

#[test]
fn a_key_signs_its_own_sizes_and_no_others() {
    let chain = Chain::parse(&certificates().concat()).unwrap();
    let origin = chain.origin().unwrap().to_owned();
    let epoch = |size, seed| {
        let note = Note::sign(checkpoint(&origin, size).to_string(), &origin, &secret(seed)).to_string();
        chain.checkpoint(&note).ok().map(|(_, epoch)| epoch.certificate.number)
    };
    for (size, number, seed) in [(1, 0, 1), (10, 0, 1), (11, 1, 2), (20, 1, 2), (21, 2, 3), (1 << 40, 2, 3)] {
        for other in 1..=4 {
            assert_eq!(epoch(size, other), (other == seed).then_some(number), "{size} {other}");
        }
    }
    assert_eq!(epoch(0, 1), None);
    let foreign = Note::sign(checkpoint("p11guard/other", 5).to_string(), &origin, &secret(1)).to_string();
    assert!(chain.checkpoint(&foreign).is_err());
    let certificate = &certificates()[1];
    assert!(chain.checkpoint(certificate).is_err(), "a certificate is no note of the log");
}

#[test]
fn a_chain_with_a_link_changed_missing_or_moved_breaks_there() {
    let good = certificates();
    let breaks = |links: &[&String]| {
        let text: String = links.iter().map(|link| link.as_str()).collect();
        Chain::parse(&text).map_err(|(number, _)| number).err()
    };
    let [a, b, c] = &good[..] else { panic!() };
    assert_eq!(breaks(&[a, b, c]), None);
    assert_eq!(breaks(&[b, c]), Some(0));
    assert_eq!(breaks(&[a, c]), Some(1));
    assert_eq!(breaks(&[a, c, b]), Some(1));
    assert_eq!(breaks(&[a, b, b]), Some(2));
    assert_eq!(breaks(&[a, b, &c[..c.len() - 1].to_owned()]), Some(2));
    // The next key certified by another than the one before it.
    let forged =
        Certificate { number: 2, size: 20, ..Certificate::parse(&Note::parse(c).unwrap().text).unwrap() };
    assert_eq!(breaks(&[a, b, &forged.sign(&secret(1)).to_string()]), Some(2));
}

#[test]
fn notes_of_a_file_are_taken_apart_as_they_were_put_together() {
    let all = certificates();
    assert_eq!(notes(&all.concat()).collect::<Vec<_>>(), all);
    let torn = &all.concat()[..all[0].len() + all[1].len() / 2];
    assert_eq!(notes(torn).next(), Some(&*all[0]));
    assert_eq!(notes(torn).map(str::len).sum::<usize>(), torn.len());
    assert_eq!(notes("").count(), 0);
}

#[test]
fn a_line_says_its_index_in_one_way() {
    assert_eq!(event_index(b"{\"index\":0,\"event\":\"x\"}"), Some(0));
    assert_eq!(event_index(b"{\"index\":120,"), Some(120));
    for wrong in [
        "{\"index\":01,",
        "{\"index\":,",
        "{\"index\":-1,",
        "{\"index\": 1,",
        "{\"index\":1",
        "{\"index\":1}",
        "",
        "x",
    ] {
        assert_eq!(event_index(wrong.as_bytes()), None, "{wrong}");
    }
    assert_eq!(event_index(format!("{{\"index\":{},", u128::MAX).as_bytes()), None);
}

proptest! {
    #[test]
    fn no_text_upsets_the_readers(text in "(?s).{0,200}") {
        let _ = (Note::parse(&text), Checkpoint::parse(&text), Key::parse(&text), Inclusion::parse(&text));
        let _ = (Chain::parse(&text), Tile::parse(&text), event_index(text.as_bytes()));
        prop_assert_eq!(notes(&text).map(str::len).sum::<usize>(), text.len());
    }
}
