// SPDX-License-Identifier: Apache-2.0
//! Is there a mechanism that the policy is not asked about? Every function that takes one with every mechanism, by every
//! way in; and every mechanism in every place inside the parameter of another. The stub vendor counts what gets through.

#[path = "nested/fields.rs"]
mod fields;
#[path = "nested/rows.rs"]
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use event::Function;
use event::mechanism::{
    self, CKM_CMS_SIG, CKM_KIP_DERIVE, CKM_MD5, CKM_SHA256, Family, Operation, Operations,
};
use event::parameter::{Field, Kind};
use harness::collector::Collector;
use harness::counts::WAYS;
use harness::guard::{ALLOW_ALL, Guard, Way};
use harness::token;
use policy::{Act, Facts, Policy};
use rows::{Inside, Row, act, crossed, inside};

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

/// Mechanisms that no list knows: one the standard has left out, a vendor's, the largest number.
const STRANGERS: [u64; 3] = [0x22, 0x8000_0001, u64::MAX];

fn every_mechanism() -> Vec<u64> {
    mechanism::ALL.iter().map(|known| known.number).chain(STRANGERS).collect()
}

fn guarded(policy: &str) -> Way {
    let token = token::stub("");
    Way::guarded(Guard::new(&token.module, policy), token)
}

/// A `deny` rule; `asks` are lines of conditions.
fn rule(name: &str, asks: &str) -> String {
    format!("[[rule]]\nname = \"{name}\"\naction = \"deny\"\nremedy = \"none\"\n{asks}\n")
}

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
        for function in Function::ALL.iter().filter(|function| fields_of_mechanisms(**function)) {
            let expected = arrived.get(&(place, *function as u16)).copied().unwrap_or_default();
            assert_eq!(counts.by_way(place, *function), expected, "{name} {}", function.name());
        }
    }
    println!("{} calls reached the vendor, each once", rows.len());
}

/// Whether a function takes a mechanism.
fn fields_of_mechanisms(function: Function) -> bool {
    function.info().arguments.iter().any(|(name, _)| *name == "pMechanism")
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

/// The fields that a run of the host has tried.
fn tried(rows: &[Inside]) -> BTreeSet<(String, &'static str)> {
    rows.iter().map(|row| (row.shape.clone(), row.field.name())).collect()
}

#[test]
fn every_structure_with_a_mechanism_in_it_is_refused_for_it_and_the_event_says_so() {
    let collector = Collector::started();
    let token = token::stub("");
    let text = format!("version = 1\ndefault = \"allow\"\n{}", rule("no-md5", "mechanism = \"CKM_MD5\""));
    let guard = collector.guard(Guard::new(&token.module, &text)).lane_size("4 MiB");
    let rows = inside(&Way::guarded(guard, token), "nested", "fields", &[CKM_MD5, CKM_SHA256]);
    assert_eq!(tried(&rows), fields::known(|field| field.kind() == Kind::Mechanism));

    let stored = collector.stored_after(1);
    let is_of_host = |name: &str| Function::from_name(name).is_some_and(fields_of_mechanisms);
    let events: Vec<_> =
        stored.iter().filter(|event| event["function"].as_str().is_some_and(is_of_host)).collect();
    assert_eq!(events.len(), rows.len());
    for (row, event) in rows.iter().zip(events) {
        let (verdict, said) = (&event["verdict"], event.to_string());
        assert_eq!(event["function"], row.function.name(), "{row:?} {said}");
        if row.number == CKM_MD5 {
            assert_eq!((row.rv, row.calls), (0x70, 0), "{row:?}");
            assert_eq!((&verdict["action"], &verdict["enforced"]), (&"deny".into(), &true.into()), "{said}");
            assert_eq!(
                (&verdict["rule"], &verdict["nested"]["name"]),
                (&"no-md5".into(), &"CKM_MD5".into()),
                "{said}"
            );
            println!("{:<30} {:<18} refused by no-md5 for CKM_MD5 inside", row.shape, row.field.name());
        } else {
            assert_eq!((row.calls, row.last), (1, row.mechanism), "{row:?}");
            assert_eq!(verdict["action"], "allow", "{said}");
        }
    }
}

#[test]
fn every_structure_that_names_another_function_is_refused_for_it() {
    let rules = [
        (Field::Mgf, 1, rule("no-mgf1-sha1", "mgf = \"CKG_MGF1_SHA1\"")),
        (Field::Kdf, 2, rule("no-sha1-kdf", "kdf = \"CKD_SHA1_KDF\"")),
        (Field::Prf, 1, rule("no-sha1-prf", "prf = \"CKP_PKCS5_PBKD2_HMAC_SHA1\"")),
    ];
    let text =
        rules.iter().fold(String::from("version = 1\ndefault = \"allow\"\n"), |text, (.., rule)| text + rule);
    let way = guarded(&text);
    for extent in ["fields", "depths"] {
        let rows = inside(&way, "words", extent, &[1, 2, 3, 4]);
        assert_eq!(tried(&rows), fields::known(|field| rules.iter().any(|(known, ..)| *known == field)));
        for row in &rows {
            let denied = rules.iter().any(|(field, number, _)| (*field, *number) == (row.field, row.number));
            assert_eq!(row.calls, u64::from(!denied), "{row:?}");
            assert!(!denied || row.rv == 0x70, "{row:?}");
        }
        println!("{} calls judged by {} rules with {extent}", rows.len(), rules.len());
    }
}

#[test]
fn every_mechanism_in_every_place_inside_another_is_judged_by_the_rules_that_name_it() {
    let mechanisms = every_mechanism();
    // What is outside must be allowed, or nothing would be learnt of what is inside.
    let outside = |number: u64| {
        number == CKM_KIP_DERIVE
            || number == CKM_CMS_SIG
            || mechanism::by_number(number).is_some_and(|known| {
                mechanism::ALL.iter().find(|first| first.parameter == known.parameter) == Some(known)
            })
    };
    let rules = [(0, ""), (1, "operation = \"digest\""), (2, "operation = \"derive\"")];
    // A rule for one operation can name only what could be in a place for it.
    let fits = |number: u64, operation: &str| {
        let inner = Operations::SIGN.union(Operations::DIGEST).union(Operations::ENCRYPT);
        operation.is_empty()
            || mechanism::by_number(number)
                .is_none_or(|known| known.operations.iter().any(|operation| inner.contains(operation)))
    };
    let group = |number: u64| {
        let place = mechanisms.iter().position(|known| *known == number)? % 4;
        let rule = rules.iter().find(|(rule, operation)| *rule == place && fits(number, operation))?;
        (!outside(number)).then_some(rule)
    };
    let text =
        rules.iter().fold(String::from("version = 1\ndefault = \"allow\"\n"), |text, (place, operation)| {
            let of_group = |number: &&u64| group(**number).is_some_and(|(known, _)| known == place);
            let named: Vec<_> =
                mechanisms.iter().filter(of_group).map(|number| format!("\"{number:#x}\"")).collect();
            text + &rule(
                &format!("group-{place}"),
                &format!("mechanism = [{}]\n{operation}", named.join(", ")),
            )
        });
    let way = guarded(&text);
    for extent in ["fields", "depths"] {
        let rows = inside(&way, "nested", extent, &mechanisms);
        let mut refused = 0;
        for row in &rows {
            let denied = match group(row.number) {
                None => false,
                Some((2, _)) => act(row.function) == Act::Derive,
                Some(_) => true,
            };
            assert_eq!(row.calls, u64::from(!denied), "{row:?}");
            assert!(!denied || row.rv == 0x70, "{row:?}");
            refused += usize::from(denied);
        }
        println!("{} calls with {extent}, {refused} refused for what is inside", rows.len());
    }
}

#[test]
fn a_mechanism_inside_another_is_judged_in_every_function_and_by_every_way() {
    let text = format!("version = 1\ndefault = \"allow\"\n{}", rule("no-md5", "mechanism = \"CKM_MD5\""));
    let rows = inside(&guarded(&text), "nested", "calls", &[CKM_MD5, CKM_SHA256]);
    for row in &rows {
        let denied = row.number == CKM_MD5;
        assert_eq!(row.calls, u64::from(!denied), "{row:?}");
        assert!(!denied || row.rv == 0x70, "{row:?}");
    }
    let outside: BTreeSet<_> = rows.iter().map(|row| row.mechanism).collect();
    println!("{} calls with {} mechanisms outside, every second refused", rows.len(), outside.len());
}
