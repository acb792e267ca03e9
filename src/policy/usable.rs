// SPDX-License-Identifier: Apache-2.0
//! Which mechanisms could be used for what, whatever the key: found once, because applications list mechanisms often.

use std::collections::BTreeMap;

use event::mechanism;

use crate::act::{Act, Acts};
use crate::conditions::Condition;
use crate::guards::Guard;
use crate::rule::Rule;
use crate::stage::Enforce;

/// What some key could do with each mechanism without being refused.
#[derive(Debug)]
pub(crate) struct Usable {
    /// The mechanisms that are looked at one by one, sorted.
    named: Box<[(u64, Acts)]>,
    /// Every other one.
    others: Acts,
    bans: Box<[Ban]>,
}

/// What a guard says of mechanisms whatever the key.
#[derive(Debug)]
struct Ban {
    acts: Acts,
    is_banned: fn(u64) -> bool,
}

/// What is decided of one mechanism by the rules so far.
#[derive(Clone, Copy)]
struct Row {
    usable: Acts,
    open: Acts,
}

impl Row {
    /// Asks the next rule; `mechanism` where the row is for one.
    fn meet(&mut self, rule: &Rule, mechanism: Option<u64>, enforced: bool) {
        let concerned = self.open.intersection(rule.acts);
        let settled = |condition: &Condition| condition.settled(mechanism?);
        if rule.conditions.iter().any(|condition| settled(condition) == Some(false)) {
            return;
        }
        // Elsewhere and on another day a staged rule refuses nothing: better listed and refused than hidden and allowed.
        if !(rule.action.refuses() && rule.enforce == Enforce::Always && enforced) {
            self.usable = self.usable.union(concerned);
        } else if rule.conditions.iter().any(|condition| settled(condition).is_none()) {
            return;
        }
        self.open = self.open.without(concerned);
    }
}

impl Usable {
    /// What `guards` and `rules`, ended by the default, leave; `enforced` says whether anything is refused at all.
    pub(crate) fn new(guards: &[&Guard], rules: &[Rule], default: &Rule, enforced: bool) -> Usable {
        let fresh = Row { usable: Acts::default(), open: Acts::WITH_MECHANISM };
        let mechanisms = rules.iter().filter_map(|rule| rule.mechanism.as_ref());
        let mut named: BTreeMap<u64, Row> =
            mechanisms.flat_map(|named| named.numbers()).map(|mechanism| (*mechanism, fresh)).collect();
        // What a rule without mechanisms says of one all the same.
        let wide = rules.iter().filter(|rule| rule.mechanism.is_none());
        let wide: Vec<_> = wide.flat_map(|rule| &rule.conditions).filter(|asked| asked.settles()).collect();
        let told = |number: &u64| wide.iter().any(|condition| condition.settled(*number).is_some());
        let known = mechanism::ALL.iter().map(|known| known.number);
        named.extend(known.filter(told).map(|number| (number, fresh)));
        let mut others = fresh;
        // Guards have rules too, but those are asked by their own questions.
        for rule in rules[guards.len()..].iter().chain([default]) {
            match &rule.mechanism {
                Some(mechanisms) => {
                    for mechanism in mechanisms.numbers() {
                        if let Some(row) = named.get_mut(mechanism) {
                            row.meet(rule, Some(*mechanism), enforced);
                        }
                    }
                }
                None => {
                    named.iter_mut().for_each(|(mechanism, row)| row.meet(rule, Some(*mechanism), enforced));
                    others.meet(rule, None, enforced);
                }
            }
        }
        let bans = guards.iter().filter_map(|guard| {
            Some(Ban { acts: guard.acts.iter().copied().collect(), is_banned: guard.bans? })
        });
        Usable {
            named: named.into_iter().map(|(mechanism, row)| (mechanism, row.usable)).collect(),
            others: others.usable,
            bans: bans.filter(|_| enforced).collect(),
        }
    }

    /// Whether some key could do `act` with the mechanism.
    pub(crate) fn contains(&self, mechanism: u64, act: Act) -> bool {
        let known = self.named.binary_search_by_key(&mechanism, |named| named.0);
        known.map_or(self.others, |place| self.named[place].1).contains(act)
            && !self.bans.iter().any(|ban| ban.acts.contains(act) && (ban.is_banned)(mechanism))
    }
}

#[cfg(test)]
mod tests;
