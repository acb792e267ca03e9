// SPDX-License-Identifier: Apache-2.0
//! Every function that takes a mechanism with every mechanism and no parameter, by every way in: each call is refused just
//! where the policy says, and what is refused never reaches the vendor.

use std::collections::{BTreeMap, BTreeSet};

use event::Function;
use event::mechanism::{self, Family, Operation, Operations};
use harness::counts::WAYS;
use harness::guard::ALLOW_ALL;
use harness::token;
use policy::{Act, Facts, Policy};

use crate::rows::{Row, act, crossed};
use crate::{STRANGERS, every_mechanism, guarded, rule, takes_mechanism};

const DENY_ALL: &str = "version = 1\ndefault = \"deny\"\n";

/// What a rule can have a refused call return, and the number of that.
const ANSWERS: [(&str, u64); 10] = [
    ("mechanism", 0x70),
    ("parameter", 0x71),
    ("key-size", 0x62),
    ("key-function", 0x68),
    ("template", 0xd1),
    ("attribute", 0x13),
    ("domain", 0x130),
    ("prohibited", 0x1b),
    ("user-type", 0x103),
    ("function", 0x200),
];

/// The operations that the rule for a family names: none, or every second one of those that the family knows.
fn denied_of(place: usize) -> Vec<Operation> {
    let of_family = mechanism::ALL.iter().filter(|known| known.family == Family::ALL[place]);
    let operations = of_family.fold(Operations::empty(), |all, known| all.union(known.operations));
    match place % 3 {
        0 => Vec::new(),
        rest => operations.iter().skip(rest - 1).step_by(2).collect(),
    }
}

/// One rule for each family, each with an answer that its neighbours do not give.
fn families() -> String {
    let rules = Family::ALL.iter().enumerate().map(|(place, family)| {
        let operations: Vec<_> = denied_of(place).iter().map(|operation| operation.name()).collect();
        let operations =
            if operations.is_empty() { String::new() } else { format!("operation = {operations:?}\n") };
        let (answer, name) = (ANSWERS[place % ANSWERS.len()].0, family.name());
        rule(&format!("no-{name}"), &format!("mechanism = \"family:{name}\"\n{operations}rv = \"{answer}\""))
    });
    format!("version = 1\ndefault = \"allow\"\n{}", rules.collect::<String>())
}

/// What the table of mechanisms says a call returns under [`families`] if it is refused.
fn refusal_by_family(row: &Row) -> Option<u64> {
    let family = mechanism::by_number(row.mechanism)?.family;
    let place = Family::ALL.iter().position(|known| *known == family)?;
    let operations = denied_of(place);
    let denied =
        operations.is_empty() || operations.iter().any(|denied| Act::from(*denied) == act(row.function));
    denied.then_some(ANSWERS[place % ANSWERS.len()].1)
}

#[test]
fn what_the_default_denies_reaches_no_vendor_by_any_function_or_way() {
    let mechanisms = every_mechanism();
    assert!(STRANGERS.iter().all(|number| mechanism::by_number(*number).is_none()));
    let way = guarded(DENY_ALL);
    let rows = crossed(&way, &mechanisms);
    // 21 functions take a mechanism: 12 since 2.40, 4 since 3.0, 5 since 3.2; the exported symbols are all of them.
    assert_eq!(rows.len(), (21 + 12 + 16 + 21) * mechanisms.len());
    for row in &rows {
        assert_eq!((row.rv, row.calls, row.last), (0x70, 0, 0), "{row:?}");
    }
    assert_eq!(token::counts(way.token()).last_mechanism(), (0, 0, 0), "no mechanism ever arrived");
    println!("{} calls refused, none reached the vendor", rows.len());
}

#[test]
fn what_is_allowed_reaches_the_vendor_once_by_the_way_it_came() {
    let mechanisms = every_mechanism();
    let way = guarded(ALLOW_ALL);
    let rows = crossed(&way, &mechanisms);
    let mut arrived: BTreeMap<(usize, u16), u64> = BTreeMap::new();
    for row in &rows {
        assert_eq!((row.calls, row.last), (1, row.mechanism), "{row:?}");
        *arrived.entry((row.way, row.function as u16)).or_default() += 1;
    }
    let counts = token::counts(way.token());
    for (place, name) in WAYS.iter().enumerate() {
        for function in Function::ALL.iter().filter(|function| takes_mechanism(**function)) {
            let expected = arrived.get(&(place, *function as u16)).copied().unwrap_or_default();
            assert_eq!(counts.by_way(place, *function), expected, "{name} {}", function.name());
        }
    }
    println!("{} calls reached the vendor, each once", rows.len());
}

#[test]
fn every_pair_of_function_and_mechanism_is_refused_just_where_the_table_says() {
    let text = families();
    let policy = Policy::parse("families", text.as_bytes()).unwrap_or_else(|wrong| panic!("{wrong}"));
    let rows = crossed(&guarded(&text), &every_mechanism());
    let mut by_rule = BTreeSet::new();
    let mut refused = 0;
    for row in &rows {
        let facts = Facts::of(row.function, act(row.function), Some(row.mechanism));
        let verdict = policy.judge(&facts);
        let expected = refusal_by_family(row);
        assert_eq!(verdict.refuses().then(|| verdict.rv()), expected, "{row:?}: the engine");
        match expected {
            Some(rv) => assert_eq!((row.rv, row.calls), (rv, 0), "{row:?}"),
            None => assert_eq!((row.calls, row.last), (1, row.mechanism), "{row:?}"),
        }
        refused += usize::from(expected.is_some());
        by_rule.extend(expected.map(|_| verdict.rule().name()));
    }
    assert_eq!(by_rule.len(), Family::ALL.len(), "every rule refused something");
    println!("{} calls judged, {refused} refused by {} rules, the others arrived", rows.len(), by_rule.len());
}
