// SPDX-License-Identifier: Apache-2.0
//! What an attacker does who owns the log, and in the end also the key in force. Each kind makes its own change by
//! number, `None` where there are no more.

use collector::proof::{Chain, Checkpoint, Edge, Note, Range, leaf_hash, notes};
use sha2::{Digest, Sha256};

use super::sample::{Files, Sample};
use super::{Change, Numbers};

pub(super) struct Attacker<'a> {
    pub(super) sample: &'a Sample,
}

type Make = fn(&Attacker<'_>, usize, &mut Numbers) -> Option<Change>;

/// The kinds, by what they are called in the report.
pub(super) const KINDS: [(&str, Make); 17] = [
    ("a bit flipped", |a, _, n| a.bytes(n, |bytes, at, n| bytes[at] ^= 1 << n.below(8))),
    ("a byte taken out", |a, _, n| {
        a.bytes(n, |bytes, at, _| {
            bytes.remove(at);
        })
    }),
    ("a byte put in", |a, _, n| a.bytes(n, |bytes, at, n| bytes.insert(at, b"0\n{}x "[n.below(6)]))),
    ("a file cut short", |a, _, n| a.bytes(n, |bytes, at, _| bytes.truncate(at))),
    ("an event taken out", |a, number, _| {
        a.events(|lines| number < lines.len() && !lines.remove(number).is_empty())
    }),
    ("an event twice", |a, number, n| {
        let to = n.below(a.count());
        a.events(|lines| {
            number < lines.len() && {
                let line = lines[number].clone();
                lines.insert(to, line);
                true
            }
        })
    }),
    ("two events swapped", |a, number, n| {
        let count = a.count();
        let other = (number + 1 + n.below(count - 1)) % count;
        a.events(|lines| {
            number < lines.len() && {
                lines.swap(number, other);
                true
            }
        })
    }),
    ("an event rewritten", |a, number, n| {
        a.events(|lines| {
            number < lines.len() && {
                let at = lines[number].len() / 2 + n.below(8);
                lines[number][at] = lines[number][at].wrapping_add(1);
                true
            }
        })
    }),
    ("a segment gone, empty or misnamed", |a, i, n| a.segment(i, n)),
    ("a tile gone, empty or another's", |a, i, n| a.tile(i, n)),
    ("notes taken out, twice, swapped or older", |a, i, n| a.note(i, n)),
    ("certificates taken out, twice or swapped", |a, i, n| a.certificate(i, n)),
    ("old events sealed again with the key of today", |a, number, n| a.reseal(number, n, false)),
    ("the same, with all notes made anew", |a, number, n| a.reseal(number, n, true)),
    ("cut, and gone on with under the key of today", |a, i, n| a.cut_and_continue(i, n)),
    ("a log without seal", |a, i, n| a.unsealed(i, n)),
    ("another log under another key", |a, i, n| a.replaced(i, n)),
];

impl Attacker<'_> {
    fn files(&self) -> &Files {
        &self.sample.files
    }

    /// All lines of all segments.
    fn lines(&self) -> Vec<Vec<u8>> {
        let segments = self.files().iter().filter(|(name, _)| name.starts_with("events/"));
        let all: Vec<u8> = segments.flat_map(|(_, content)| content.clone()).collect();
        all.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
    }

    fn count(&self) -> usize {
        self.lines().len()
    }

    /// Changes bytes of a file, the larger the likelier.
    fn bytes(&self, n: &mut Numbers, edit: fn(&mut Vec<u8>, usize, &mut Numbers)) -> Option<Change> {
        let mut at = n.below(self.files().values().map(Vec::len).sum());
        for (name, content) in self.files() {
            if at < content.len() {
                let mut bytes = content.clone();
                edit(&mut bytes, at, n);
                return Some(vec![(name.clone(), Some(bytes))]);
            }
            at -= content.len();
        }
        None
    }

    /// Changes the lines, and writes them to one segment.
    fn events(&self, mut edit: impl FnMut(&mut Vec<Vec<u8>>) -> bool) -> Option<Change> {
        let mut lines = self.lines();
        edit(&mut lines).then(|| self.one_segment(&lines))
    }

    fn one_segment(&self, lines: &[Vec<u8>]) -> Change {
        let others =
            self.files().keys().filter(|name| name.starts_with("events/")).map(|name| (name.clone(), None));
        others.chain([("events/000000000000.jsonl".to_owned(), Some(lines.concat()))]).collect()
    }

    fn named(&self, prefix: &str, number: usize) -> Option<(String, Vec<u8>)> {
        let mut names = self.files().iter().filter(|(name, _)| name.starts_with(prefix));
        names.nth(number).map(|(name, content)| (name.clone(), content.clone()))
    }

    fn segment(&self, number: usize, _: &mut Numbers) -> Option<Change> {
        let (name, content) = self.named("events/", number / 4)?;
        Some(match number % 4 {
            0 => vec![(name, None)],
            1 => vec![(name, Some(Vec::new()))],
            2 => vec![(name, None), (format!("events/{:012}.jsonl", 7 + number), Some(content))],
            _ => vec![(name, self.named("events/", (number / 4 + 1) % 3).map(|(_, other)| other))],
        })
    }

    fn tile(&self, number: usize, n: &mut Numbers) -> Option<Change> {
        let (name, content) = self.named("tile/", number / 100)?;
        Some(match number % 4 {
            0 => vec![(name, None)],
            1 => vec![(name, Some(content[..n.below(content.len())].to_vec()))],
            2 => vec![(name, Some([&content[..], &[0; 32]].concat()))],
            _ => {
                let mut hashes = content.as_chunks::<32>().0.to_vec();
                let place = n.below(hashes.len());
                hashes[place] = leaf_hash(b"another event");
                vec![(name, Some(hashes.concat()))]
            }
        })
    }

    fn text(&self, name: &str) -> String {
        String::from_utf8(self.files()[name].clone()).expect("text")
    }

    /// Takes out, doubles or swaps one of the notes in a file.
    fn shuffled(&self, file: &str, number: usize) -> Option<Vec<String>> {
        let text = self.text(file);
        let mut all: Vec<String> = notes(&text).map(str::to_owned).collect();
        let place = number / 3;
        if place >= all.len() {
            return None;
        }
        match number % 3 {
            0 => drop(all.remove(place)),
            1 => all.insert(place, all[place].clone()),
            _ if place + 1 < all.len() => all.swap(place, place + 1),
            _ => all.rotate_left(1),
        }
        Some(all)
    }

    fn note(&self, number: usize, _: &mut Numbers) -> Option<Change> {
        // Every second time the newest note is made to fit.
        let all = self.shuffled("checkpoints", number / 2)?;
        let mut change = vec![("checkpoints".to_owned(), Some(all.concat().into_bytes()))];
        if number % 2 == 1 {
            // The last one taken out with the newest made to fit is the log of a second ago, events and tiles apart:
            // its end is a tail then, which both verifiers name; it is the rolled-back log of another test.
            let taken = notes(&self.text("checkpoints")).count() > all.len()
                && all.last().is_some_and(|last| *last != self.text("checkpoint"));
            if taken {
                return Some(change);
            }
            change.push(("checkpoint".into(), all.last().map(|last| last.clone().into_bytes())));
        }
        Some(change)
    }

    fn certificate(&self, number: usize, _: &mut Numbers) -> Option<Change> {
        Some(vec![("epochs".into(), Some(self.shuffled("epochs", number)?.concat().into_bytes()))])
    }

    /// The tiles, notes and newest note of these lines, signed with the key of today.
    fn sealed(&self, lines: &[Vec<u8>], sizes: &[u64], mut all: String) -> Change {
        let origin = self.sample.key.name.clone();
        let (mut edge, mut range) = (Edge::default(), Range::empty(0));
        let mut change = Vec::new();
        let mut last = String::new();
        for line in lines {
            let leaf = leaf_hash(line.strip_suffix(b"\n").unwrap_or(line));
            edge.push(leaf, &mut |tile, hashes| change.push((tile.to_string(), Some(hashes.concat()))));
            range.push(leaf);
            if sizes.contains(&range.end()) {
                let said = Checkpoint {
                    origin: origin.clone(),
                    size: range.end(),
                    root: range.root(),
                    extension: String::new(),
                };
                last = Note::sign(said.to_string(), &origin, &self.sample.secret).to_string();
                all.push_str(&last);
            }
        }
        change.extend(edge.partial().map(|(tile, hashes)| (tile.to_string(), Some(hashes.concat()))));
        change.push(("checkpoints".into(), Some(all.into_bytes())));
        change.push(("checkpoint".into(), Some(last.into_bytes())));
        change.extend(self.one_segment(lines));
        change
    }

    /// Rewrites an event of an older epoch and signs the tree anew: the last note, or all of them.
    fn reseal(&self, number: usize, n: &mut Numbers, all: bool) -> Option<Change> {
        let chain = Chain::parse(&self.text("epochs")).expect("a good chain");
        let begin = chain.epochs().last()?.certificate.size;
        let mut lines = self.lines();
        let place = n.below(usize::try_from(begin).ok()?);
        let middle = lines[place].len() / 2;
        lines[place][middle] = lines[place][middle].wrapping_add(1);
        let sizes: Vec<u64> = notes(&self.text("checkpoints"))
            .filter_map(|note| Some(chain.checkpoint(note).ok()?.0.size))
            .collect();
        let kept = if all { 0 } else { sizes.len() - 1 };
        let (before, sizes) =
            (notes(&self.text("checkpoints")).take(kept).collect::<String>(), &sizes[kept..]);
        // What a `checkpoint` event says of the note before it is made to fit as well, as far as it can be.
        let mut change = self.sealed(&lines, sizes, before);
        if number % 2 == 1 && !all {
            self.refit(&mut change);
        }
        (number < 500).then_some(change)
    }

    /// Nothing but the newest note: the others might betray it.
    fn refit(&self, change: &mut Change) {
        let newest =
            change.iter().find(|(name, _)| name == "checkpoint").and_then(|(_, content)| content.clone());
        change.retain(|(name, _)| name != "checkpoints");
        change.push(("checkpoints".into(), newest));
    }

    /// Cuts the log within an older epoch, adds an event, and signs that with the key of today.
    fn cut_and_continue(&self, number: usize, _: &mut Numbers) -> Option<Change> {
        let chain = Chain::parse(&self.text("epochs")).expect("a good chain");
        let begin = usize::try_from(chain.epochs().last()?.certificate.size).ok()?;
        let cut = number / 2 + 1;
        if cut >= begin {
            return None;
        }
        let mut lines = self.lines();
        lines.truncate(cut);
        // Just behind the cut, or with as many events as there were.
        let until = if number.is_multiple_of(2) { cut + 1 } else { self.count() };
        lines.extend(
            (cut..until).map(|index| format!("{{\"index\":{index},\"event\":\"forged\"}}\n").into_bytes()),
        );
        let before = notes(&self.text("checkpoints"))
            .take_while(|note| chain.checkpoint(note).is_ok_and(|(said, _)| said.size <= cut as u64))
            .collect();
        Some(self.sealed(&lines, &[until as u64], before))
    }

    fn unsealed(&self, number: usize, _: &mut Numbers) -> Option<Change> {
        let seals = ["checkpoint", "checkpoints", "epochs"];
        let bits = number + 1;
        if bits >= 1 << seals.len() {
            return None;
        }
        let gone = seals.iter().enumerate().filter(|(place, _)| bits & (1 << place) != 0);
        Some(gone.map(|(_, name)| ((*name).to_owned(), None)).collect())
    }

    /// A whole log of the attacker's own, good in itself.
    fn replaced(&self, number: usize, _: &mut Numbers) -> Option<Change> {
        use collector::proof::Certificate;
        use ed25519_dalek::SigningKey;
        let secret = SigningKey::from_bytes(&Sha256::digest(number.to_le_bytes()).into());
        let first = Certificate::first(&secret);
        let own = Sample {
            files: self.files().clone(),
            older: Vec::new(),
            key: first.key.clone(),
            secret: secret.clone(),
        };
        let mut change =
            Attacker { sample: &own }.sealed(&self.lines(), &[self.count() as u64], String::new());
        change.push(("epochs".into(), Some(first.sign(&secret).to_string().into_bytes())));
        (number < 200).then_some(change)
    }
}
