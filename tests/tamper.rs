// SPDX-License-Identifier: Apache-2.0
//! Is every change of a sealed log noticed? A real log of several keys is changed in twelve ways, among them the four
//! that journald's verifier let pass, and both verifiers must refuse each; P11GUARD_TAMPER=full flips every single bit.

#[path = "tamper/attack.rs"]
mod attack;
#[path = "tamper/sample.rs"]
mod sample;
#[path = "tamper/second.rs"]
mod second;

use std::collections::BTreeMap;

use attack::Attacker;
use collector::verify::{Trust, verify};
use sample::{Files, Sample};
use second::Second;

/// What an attacker writes instead: files by name, `None` for one that he removes.
type Change = Vec<(String, Option<Vec<u8>>)>;

/// Mutations of each kind that are tried, where there are more.
const EACH: usize = 2500;

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % most as u64).expect("below a usize")
    }
}

fn changed(files: &Files, change: &Change) -> Files {
    let mut files = files.clone();
    for (name, content) in change {
        match content {
            Some(content) => drop(files.insert(name.clone(), content.clone())),
            None => drop(files.remove(name)),
        }
    }
    files
}

#[test]
fn every_change_of_a_sealed_log_is_noticed_by_both_verifiers() {
    let sample = Sample::shared();
    let trust = Trust { key: Some(sample.key.clone()), since: None };
    let report = verify(&sample.files, &trust);
    assert!(report.is_proved() && report.proved == report.sealed && report.unsealed == 0, "{report:?}");
    let mut second = Second::start(sample, None);
    assert!(!second.refuses(&Vec::new()), "the second verifier proves it as well");

    let mut numbers = Numbers(4);
    let attacker = Attacker { sample };
    let mut tried: BTreeMap<&str, usize> = BTreeMap::new();
    let mut missed = Vec::new();
    for (kind, make) in attack::KINDS {
        for number in 0..EACH {
            let Some(change) = make(&attacker, number, &mut numbers) else { break };
            if changed(&sample.files, &change) == sample.files {
                continue;
            }
            *tried.entry(kind).or_default() += 1;
            let ours = !verify(&changed(&sample.files, &change), &trust).damage.is_empty();
            let theirs = second.refuses(&change);
            if !ours || !theirs {
                missed.push(format!("{kind} {number}: ours {ours}, theirs {theirs}"));
            }
        }
    }
    tried.iter().for_each(|(kind, count)| println!("{count:6}  {kind}"));
    let total: usize = tried.values().sum();
    println!("{total} changes of {} kinds, {} missed", tried.len(), missed.len());
    assert!(missed.is_empty(), "{missed:?}");
    assert!(total >= 10_000 && tried.len() >= 12, "{total}");
}

/// How many of these flipped bits are not noticed.
fn unnoticed(sample: &Sample, trust: &Trust, bits: &[(&String, usize)]) -> usize {
    let mut files = sample.files.clone();
    let mut flipped = |name: &str, bit: usize, check: bool| {
        files.get_mut(name).expect("one of the files")[bit / 8] ^= 1 << (bit % 8);
        check && verify(&files, trust).damage.is_empty()
    };
    bits.iter().filter(|(name, bit)| flipped(name, *bit, true) | flipped(name, *bit, false)).count()
}

#[test]
fn every_flipped_bit_is_noticed() {
    let sample = Sample::shared();
    let trust = Trust { key: Some(sample.key.clone()), since: None };
    let full = std::env::var("P11GUARD_TAMPER").is_ok_and(|how| how == "full");
    let mut bits = Vec::new();
    for (name, content) in &sample.files {
        // Unless all are asked for: a bit of every fourth byte, of every 32nd of the events, a different one each time.
        let step = if name.starts_with("events/") { 32 } else { 4 };
        let chosen =
            |bit: &usize| full || (bit / 8).is_multiple_of(step) && bit % 8 == bit / 8 * 5 / step % 8;
        bits.extend((0..content.len() * 8).filter(chosen).map(|bit| (name, bit)));
    }
    let events: usize =
        sample.files.iter().filter(|(name, _)| name.starts_with("events/")).map(|(_, all)| all.len()).sum();
    let halves = bits.split_at(bits.len() / 2);
    let missed: usize = std::thread::scope(|scope| {
        let other = scope.spawn(|| unnoticed(sample, &trust, halves.0));
        unnoticed(sample, &trust, halves.1) + other.join().expect("no panic")
    });
    println!(
        "{} flipped bits of {} files, {events} bytes of events: {missed} missed",
        bits.len(),
        sample.files.len()
    );
    assert_eq!(missed, 0);
    assert!(events >= 64 << 10);
}

#[test]
fn a_log_rolled_back_as_a_whole_is_noticed_by_whoever_kept_a_note() {
    let sample = Sample::shared();
    let note = String::from_utf8(sample.files["checkpoint"].clone()).expect("a note");
    let trust = |since| Trust { key: Some(sample.key.clone()), since };
    let mut second = Second::start(sample, Some(&note));
    assert!(verify(&sample.files, &trust(Some(note.clone()))).is_proved() && !second.refuses(&Vec::new()));
    let (mut noticed, mut unnoticed) = (0, 0);
    for older in &sample.older {
        let removed =
            sample.files.keys().filter(|name| !older.contains_key(*name)).map(|name| (name.clone(), None));
        let restored = older.iter().map(|(name, content)| (name.clone(), Some(content.clone())));
        let change: Change = removed.chain(restored).collect();
        // By itself it is what the log once was, and nothing in it can say that it is not any more.
        unnoticed += usize::from(verify(older, &trust(None)).is_proved());
        noticed += usize::from(
            !verify(older, &trust(Some(note.clone()))).damage.is_empty() && second.refuses(&change),
        );
    }
    println!(
        "{} older states of the log: {noticed} noticed with a kept note, {unnoticed} proved for what they are",
        sample.older.len()
    );
    assert_eq!((noticed, unnoticed), (sample.older.len(), sample.older.len()));
}

#[test]
fn what_comes_behind_the_last_note_is_named_as_not_proved() {
    let sample = Sample::shared();
    let trust = Trust { key: Some(sample.key.clone()), since: None };
    let sealed = verify(&sample.files, &trust).sealed;
    let mut files = sample.files.clone();
    let last = files.keys().rfind(|name| name.starts_with("events/")).expect("a segment").clone();
    let tail = format!("{{\"index\":{sealed},\"event\":\"forged\"}}\n");
    files.get_mut(&last).expect("a segment").extend_from_slice(tail.as_bytes());
    let report = verify(&files, &trust);
    assert!(report.is_proved() && report.sealed == sealed && report.unsealed == 1, "{report:?}");
}
