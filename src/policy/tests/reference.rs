// SPDX-License-Identifier: Apache-2.0
//! The engine against a slow and obviously right evaluator: random policies, and every call of a small
//! world.

use event::curve;
use event::mechanism::Operation;
use policy::{Action, Facts, Mode, Policy};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const OPERATIONS: [Operation; 3] = [Operation::Sign, Operation::Verify, Operation::Digest];
/// The last one is named by no rule. Vendors' numbers, so that no operation and no curve contradicts them.
const MECHANISMS: [u64; 4] = [0x8000_0001, 0x8000_0002, u64::MAX, 0x8000_0003];
const NAMED: [u64; 3] = [0x8000_0001, 0x8000_0002, u64::MAX];
const BITS: std::ops::RangeInclusive<u32> = 1..=4;
const CURVES: [u16; 3] = [0, 1, 2];

#[derive(Debug, Clone)]
struct Rule {
    action: Action,
    enforce: bool,
    operations: Option<Vec<Operation>>,
    mechanisms: Option<Vec<u64>>,
    min_bits: Option<u32>,
    max_bits: Option<u32>,
    curves: Option<Vec<u16>>,
}

impl Rule {
    fn matches(&self, facts: &Facts) -> bool {
        self.names(facts.mechanism, facts.operation)
            && self.min_bits.is_none_or(|min| facts.key_bits.is_some_and(|bits| bits >= min))
            && self.max_bits.is_none_or(|max| facts.key_bits.is_some_and(|bits| bits <= max))
            && self.curves.as_ref().is_none_or(|list| facts.curve.is_some_and(|curve| list.contains(&curve)))
    }

    fn names(&self, mechanism: u64, operation: Operation) -> bool {
        self.operations.as_ref().is_none_or(|list| list.contains(&operation))
            && self.mechanisms.as_ref().is_none_or(|list| list.contains(&mechanism))
    }

    fn asks_of_the_key(&self) -> bool {
        self.min_bits.is_some() || self.max_bits.is_some() || self.curves.is_some()
    }

    fn toml(&self, place: usize) -> String {
        let mut toml =
            format!("[[rule]]\nname = 'r{place}'\naction = '{}'\nremedy = 'ask'\n", self.action.name());
        toml += &format!("enforce = {}\n", self.enforce);
        if let Some(list) = &self.operations {
            toml += &format!("operation = {:?}\n", list.iter().map(|o| o.name()).collect::<Vec<_>>());
        }
        if let Some(list) = &self.mechanisms {
            toml += &format!("mechanism = {list:?}\n");
        }
        if let Some(bits) = self.min_bits {
            toml += &format!("min_bits = {bits}\n");
        }
        if let Some(bits) = self.max_bits {
            toml += &format!("max_bits = {bits}\n");
        }
        if let Some(list) = &self.curves {
            let names: Vec<_> = list.iter().map(|place| curve::ALL[usize::from(*place)].name).collect();
            toml += &format!("curve = {names:?}\n");
        }
        toml
    }
}

fn actions() -> impl Strategy<Value = Action> {
    select(vec![Action::Allow, Action::Warn, Action::Deny])
}

fn rules() -> impl Strategy<Value = Rule> {
    let bits = || prop::option::weighted(0.3, BITS);
    (
        actions(),
        prop::bool::weighted(0.8),
        prop::option::of(subsequence(OPERATIONS.to_vec(), 1..=3)),
        prop::option::of(subsequence(NAMED.to_vec(), 1..=3)),
        bits(),
        bits(),
        prop::option::weighted(0.3, subsequence(CURVES.to_vec(), 1..=3)),
    )
        .prop_map(|(action, enforce, operations, mechanisms, min_bits, max_bits, curves)| Rule {
            action,
            enforce,
            operations,
            mechanisms,
            min_bits,
            max_bits,
            curves,
        })
}

/// Every call of the small world with this mechanism and operation.
fn calls(mechanism: u64, operation: Operation) -> impl Iterator<Item = Facts> {
    let bits = || std::iter::once(None).chain(BITS.map(Some));
    let curves = || std::iter::once(None).chain(CURVES.map(Some));
    bits().flat_map(move |key_bits| {
        curves().map(move |curve| Facts { key_bits, curve, ..Facts::of(operation, mechanism) })
    })
}

fn world() -> impl Iterator<Item = (u64, Operation)> {
    MECHANISMS.iter().flat_map(|mechanism| OPERATIONS.iter().map(|operation| (*mechanism, *operation)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_engine_agrees_with_the_reference(
        proposed in prop::collection::vec(rules(), 0..10),
        default in actions(),
        observe in prop::bool::weighted(0.2),
    ) {
        let mode = if observe { "observe" } else { "enforce" };
        let mut text = format!("version = 1\nmode = '{mode}'\ndefault = '{}'\n", default.name());
        let mut policy = Policy::parse("p.toml", text.as_bytes()).unwrap();
        let mut kept: Vec<Rule> = Vec::new();
        for rule in proposed {
            let longer = text.clone() + &rule.toml(kept.len());
            match Policy::parse("p.toml", longer.as_bytes()) {
                Ok(parsed) => {
                    policy = parsed;
                    text = longer;
                    kept.push(rule);
                }
                // A rule may only be refused where no call could ever be decided by it.
                Err(diagnostics) => {
                    let mut all = world().flat_map(|(mechanism, operation)| calls(mechanism, operation));
                    let decides = |facts: &Facts| rule.matches(facts) && !kept.iter().any(|above| above.matches(facts));
                    prop_assert!(!all.any(|facts| decides(&facts)), "{}", diagnostics);
                }
            }
        }

        prop_assert_eq!(policy.mode(), if observe { Mode::Observe } else { Mode::Enforce });
        for (mechanism, operation) in world() {
            let mut refuses_all = true;
            for facts in calls(mechanism, operation) {
                let place = kept.iter().position(|rule| rule.matches(&facts));
                let (action, enforce) = place.map_or((default, true), |place| (kept[place].action, kept[place].enforce));
                let verdict = policy.judge(&facts);
                prop_assert_eq!(verdict.rule().place(), place.unwrap_or(kept.len()), "{:?}\n{}", facts, text);
                prop_assert_eq!(verdict.action(), action);
                prop_assert_eq!(verdict.enforced(), enforce && !observe);
                prop_assert_eq!(verdict.refuses(), action == Action::Deny && enforce && !observe);
                refuses_all &= verdict.refuses();
            }
            // What is hidden is refused whatever the key; where no rule asks of the key, the reverse holds
            // too.
            let may_use = policy.may_use(mechanism, operation);
            prop_assert!(may_use || refuses_all, "{mechanism:#x} {operation:?}\n{text}");
            if !kept.iter().any(|rule| rule.names(mechanism, operation) && rule.asks_of_the_key()) {
                prop_assert_eq!(may_use, !refuses_all);
            }
        }
    }
}
