// SPDX-License-Identifier: Apache-2.0
//! Which mechanisms could be used for what, whatever the key: found once, because applications list mechanisms often.

use std::collections::BTreeMap;

use crate::act::{Act, Acts};
use crate::rule::Rule;

/// What some key could do with each mechanism without being refused.
#[derive(Debug)]
pub(crate) struct Usable {
    /// The mechanisms that rules name, sorted.
    named: Box<[(u64, Acts)]>,
    /// Every other one.
    others: Acts,
}

/// What is decided of one mechanism by the rules so far.
#[derive(Clone, Copy)]
struct Row {
    usable: Acts,
    open: Acts,
}

impl Row {
    fn meet(&mut self, rule: &Rule, enforced: bool) {
        let concerned = self.open.intersection(rule.acts);
        if !(rule.action.refuses() && rule.enforce && enforced) {
            self.usable = self.usable.union(concerned);
        } else if !rule.conditions.is_empty() {
            return;
        }
        self.open = self.open.without(concerned);
    }
}

impl Usable {
    /// What `rules`, ended by the default, leave; `enforced` says whether anything is refused at all.
    pub(crate) fn new(rules: &[Rule], default: &Rule, enforced: bool) -> Usable {
        let fresh = Row { usable: Acts::default(), open: Acts::WITH_MECHANISM };
        let mechanisms = rules.iter().filter_map(|rule| rule.mechanism.as_ref());
        let mut named: BTreeMap<u64, Row> =
            mechanisms.flat_map(|named| named.numbers()).map(|mechanism| (*mechanism, fresh)).collect();
        let mut others = fresh;
        for rule in rules.iter().chain([default]) {
            match &rule.mechanism {
                Some(mechanisms) => {
                    for mechanism in mechanisms.numbers() {
                        if let Some(row) = named.get_mut(mechanism) {
                            row.meet(rule, enforced);
                        }
                    }
                }
                None => {
                    named.values_mut().for_each(|row| row.meet(rule, enforced));
                    others.meet(rule, enforced);
                }
            }
        }
        Usable {
            named: named.into_iter().map(|(mechanism, row)| (mechanism, row.usable)).collect(),
            others: others.usable,
        }
    }

    /// Whether some key could do `act` with the mechanism.
    pub(crate) fn contains(&self, mechanism: u64, act: Act) -> bool {
        let known = self.named.binary_search_by_key(&mechanism, |named| named.0);
        known.map_or(self.others, |place| self.named[place].1).contains(act)
    }
}
