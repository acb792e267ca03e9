// SPDX-License-Identifier: Apache-2.0
//! The rates of a policy: which calls count in which. Counting itself is `counters.rs`.

use std::ops::Range;

use sha2::{Digest, Sha256};

use crate::Policy;
use crate::act::Acts;
use crate::conditions::{Asked, Condition};
use crate::facts::Facts;
use crate::judge::inside;
use crate::kinds::{self, Per};
use crate::rule::Rule;

/// More rates than bits of a word no policy has.
pub(crate) const MOST: usize = u64::BITS as usize;

/// How many parts a window has: what is counted is forgotten part by part, so at most one part too late.
pub(crate) const PARTS: usize = 16;

/// A rate that a rule of the policy asks for.
#[derive(Debug)]
pub(crate) struct Rate {
    /// The same for a rule of the same name with the same rate, so that its counters outlive a reload.
    pub(crate) identity: u64,
    /// Only calls that failed count.
    pub(crate) failed: bool,
    pub(crate) most: u32,
    /// Nanoseconds of a part of the window.
    pub(crate) part: u64,
    pub(crate) per: Per,
    /// The place of its rule.
    rule: usize,
    acts: Acts,
    /// Where the conditions of its rule stand in the policy.
    conditions: Range<usize>,
}

/// The rates of rules whose conditions stand one rule's after the other's.
pub(crate) fn of_rules(rules: &[Rule]) -> Box<[Rate]> {
    let mut begin = 0;
    let mut rates = Vec::new();
    for (place, rule) in rules.iter().enumerate() {
        let conditions = begin..begin + rule.conditions.len();
        begin = conditions.end;
        if let Some(rate) = rule.conditions.iter().find_map(Condition::rate_of) {
            rates.push(Rate {
                identity: identity(&rule.name, rate),
                failed: rate.failed,
                most: rate.most,
                part: (rate.within * 1_000_000_000).div_ceil(PARTS as u64),
                per: rate.per,
                rule: place,
                acts: rule.acts,
                conditions,
            });
        }
    }
    rates.into()
}

fn identity(name: &str, rate: &kinds::Rate) -> u64 {
    let kinds::Rate { failed, most, within, per, place: _ } = *rate;
    let mut hash = Sha256::new();
    hash.update([u8::from(failed), per as u8]);
    hash.update(most.to_le_bytes());
    hash.update(within.to_le_bytes());
    hash.update(name);
    hash.finalize().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

impl Policy {
    /// Whether a rule asks how often something happened before: where not, nobody needs to count.
    pub fn counts_calls(&self) -> bool {
        !self.rates.is_empty()
    }

    /// The rates in which a call counts, a bit for each: it meets all other conditions of their rules, itself or
    /// with a mechanism inside the parameter of its own.
    pub fn counting(&self, facts: &Facts<'_>) -> u64 {
        let outer = Asked::outer(facts);
        let counts = |rate: &Rate| {
            self.counts(rate, &outer)
                || self.rules[rate.rule].mechanism.is_some()
                    && inside(outer).any(|inner| self.counts(rate, &inner))
        };
        self.rates.iter().zip(0..).filter(|(rate, _)| counts(rate)).fold(0, |bits, (_, bit)| bits | 1 << bit)
    }

    /// The rate of the rule with this name, as a bit; none where that is no rule with a rate.
    pub fn rate_of(&self, rule: &str) -> u64 {
        let place = self.rates.iter().position(|rate| &*self.rules[rate.rule].name == rule);
        place.map_or(0, |place| 1 << place)
    }

    fn counts(&self, rate: &Rate, asked: &Asked<'_>) -> bool {
        let named = &self.rules[rate.rule].mechanism;
        let others = self.conditions[rate.conditions.clone()].iter();
        rate.acts.contains(asked.act)
            && named
                .as_ref()
                .is_none_or(|named| asked.mechanism.is_some_and(|m| named.numbers().contains(&m)))
            && others.filter(|other| other.rate_of().is_none()).all(|other| other.met_by(asked))
    }
}
