// SPDX-License-Identifier: Apache-2.0
//! Finds the rules that name a mechanism and an operation, in the order of the policy, without looking at
//! the others. Rules that name no mechanism are kept once, not once per mechanism, so that a large policy
//! stays small.

use crate::rule::Rule;
use event::mechanism::Operation;
use std::collections::BTreeMap;

/// Where the list of each operation begins in `Index::places`; each ends where the next begins.
type Row = [usize; Operation::ALL.len() + 1];

/// An open-addressing table from mechanism to its row of candidate lists.
#[derive(Debug)]
pub(crate) struct Index {
    /// Mechanism and row; row 0 marks a free slot. A power of two, at most half full.
    slots: Box<[(u64, u32)]>,
    /// Row 0 holds the rules that name no mechanism, each other row those that name one.
    rows: Box<[Row]>,
    /// Places of rules, ascending within each range.
    places: Box<[u32]>,
}

impl Index {
    /// The index of `rules`.
    pub(crate) fn new(rules: &[Rule]) -> Index {
        let mut unnamed = Vec::new();
        let mut named: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for (place, rule) in (0_u32..).zip(rules) {
            match &rule.conditions.mechanism {
                None => unnamed.push(place),
                Some(mechanisms) => {
                    for mechanism in mechanisms.numbers() {
                        named.entry(*mechanism).or_default().push(place);
                    }
                }
            }
        }

        let mut places = Vec::new();
        let mut rows = vec![row(&unnamed, rules, &mut places)];
        let mut slots = vec![(0, 0); (named.len() * 2).next_power_of_two()];
        for (number, (mechanism, rules_of_it)) in (1_u32..).zip(&named) {
            rows.push(row(rules_of_it, rules, &mut places));
            let mut slot = home(*mechanism, slots.len());
            while slots[slot].1 != 0 {
                slot = (slot + 1) % slots.len();
            }
            slots[slot] = (*mechanism, number);
        }
        Index { slots: slots.into(), rows: rows.into(), places: places.into() }
    }

    /// The places of the rules whose operation and mechanism conditions this call meets, in the order of
    /// the policy.
    pub(crate) fn candidates(&self, mechanism: u64, operation: Operation) -> Candidates<'_> {
        let list = |row: usize| {
            let row = &self.rows[row];
            &self.places[row[operation as usize]..row[operation as usize + 1]]
        };
        let row = self.row(mechanism);
        Candidates { named: if row == 0 { &[] } else { list(row) }, unnamed: list(0) }
    }

    fn row(&self, mechanism: u64) -> usize {
        let mut slot = home(mechanism, self.slots.len());
        loop {
            match self.slots[slot] {
                (_, 0) => return 0,
                (found, row) if found == mechanism => return row as usize,
                _ => slot = (slot + 1) & (self.slots.len() - 1),
            }
        }
    }
}

/// Appends the lists of one row to `places`.
fn row(candidates: &[u32], rules: &[Rule], places: &mut Vec<u32>) -> Row {
    let mut begins = [places.len(); Operation::ALL.len() + 1];
    for operation in Operation::ALL {
        let asked = |place: &&u32| {
            rules[**place as usize].conditions.operation.is_none_or(|o| o.contains(*operation))
        };
        places.extend(candidates.iter().filter(asked));
        begins[*operation as usize + 1] = places.len();
    }
    begins
}

/// Where the search for a mechanism begins: the high bits of a multiplication by 2^64 divided by the golden
/// ratio.
fn home(mechanism: u64, slots: usize) -> usize {
    let spread = mechanism.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    spread as usize & (slots - 1)
}

/// Two ascending lists of places, walked as one.
pub(crate) struct Candidates<'i> {
    named: &'i [u32],
    unnamed: &'i [u32],
}

impl Iterator for Candidates<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let list = match (self.named.first(), self.unnamed.first()) {
            (Some(named), Some(unnamed)) if unnamed < named => &mut self.unnamed,
            (None, _) => &mut self.unnamed,
            _ => &mut self.named,
        };
        list.split_off_first().map(|place| *place as usize)
    }
}
