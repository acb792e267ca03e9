// SPDX-License-Identifier: Apache-2.0
//! The shim's table of facts: what is remembered is found, what may have changed is not, and no reader ever sees half
//! of one entry and half of another. The shim is a cdylib and cannot test itself, hence the path.
#![allow(missing_docs)]

#[path = "../src/shim/facts/table.rs"]
#[allow(dead_code)]
mod table;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use table::Table;

fn found<const W: usize, const X: usize>(
    table: &Table<W, X>,
    scope: Option<u64>,
    handle: u64,
) -> Option<Vec<u64>> {
    let found = table.find(scope, handle)?;
    let mut words = Vec::new();
    found.read(|facts| words.extend(facts.iter().map(|word| word.load(Ordering::Relaxed)))).then_some(words)
}

#[test]
fn what_is_remembered_is_found_in_its_scope_alone() {
    let table = Table::<4, 1>::new(16).unwrap();
    assert_eq!(found(&table, None, 7), None);
    table.remember(1, 7, &[10, 11]);
    table.remember(2, 7, &[20, 21, 22]);
    assert_eq!(found(&table, Some(1), 7), Some(vec![10, 11]));
    assert_eq!(found(&table, Some(2), 7), Some(vec![20, 21, 22]));
    assert_eq!(found(&table, Some(3), 7), None);
    table.remember(1, 7, &[12]);
    assert_eq!(found(&table, Some(1), 7), Some(vec![12]));
}

#[test]
fn what_is_forgotten_is_not_found() {
    let table = Table::<4, 0>::new(64).unwrap();
    for handle in 0..10 {
        table.remember(handle % 2, handle, &[handle]);
    }
    table.forget_handle(0, 4);
    assert_eq!((found(&table, Some(0), 4), found(&table, Some(0), 6)), (None, Some(vec![6])));
    table.forget_if(|scope, words| scope == 1 && words[0].load(Ordering::Relaxed) > 5);
    let left: Vec<u64> = (0..10).filter(|handle| found(&table, None, *handle).is_some()).collect();
    assert_eq!(left, [0, 1, 2, 3, 5, 6, 8]);
}

#[test]
fn a_full_table_drops_what_is_oldest_and_says_so() {
    let table = Table::<1, 1>::new(4).unwrap();
    let evicted: Vec<bool> = (1..=6).map(|handle| table.remember(0, handle, &[handle])).collect();
    assert_eq!(evicted, [false, false, false, false, true, true]);
    let left: Vec<u64> = (1..=6).filter(|handle| found(&table, None, *handle).is_some()).collect();
    assert_eq!(left, [3, 4, 5, 6]);
}

#[test]
fn the_free_words_of_a_fresh_entry_are_zero() {
    let table = Table::<1, 2>::new(4).unwrap();
    table.remember(0, 1, &[1]);
    let place = table.find(None, 1).unwrap();
    place.free()[1].store(9, Ordering::Relaxed);
    table.remember(0, 1, &[2]);
    assert_eq!(table.find(None, 1).unwrap().free()[1].load(Ordering::Relaxed), 0);
}

#[test]
fn no_reader_sees_half_of_two_entries() {
    let table = Table::<8, 0>::new(4).unwrap();
    let (done, reads) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    for handle in 0..6 {
                        if let Some(words) = found(&table, None, handle) {
                            assert!(words.iter().all(|word| *word == words[0]), "{words:?}");
                            reads.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
        // More handles than room: entries change hands all the time.
        for round in 0..200_000u64 {
            table.remember(0, round % 6, &[round; 8]);
        }
        done.store(true, Ordering::Relaxed);
    });
    println!("{} reads, none torn", reads.load(Ordering::Relaxed));
}
