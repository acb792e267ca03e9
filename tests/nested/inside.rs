// SPDX-License-Identifier: Apache-2.0
//! Every structure that names another algorithm, with every mechanism in it, at every depth: each call is refused just where
//! a rule names what is inside, and what nobody can read is refused as what is denied.

use std::collections::{BTreeMap, BTreeSet};

use event::Function;
use event::mechanism::{self, CKM_CMS_SIG, CKM_KIP_DERIVE, CKM_MD5, CKM_SHA256, Operations};
use event::parameter::{Field, Kind};
use harness::collector::Collector;
use harness::guard::{ALLOW_ALL, Guard, Way};
use harness::token;
use policy::Act;

use crate::fields;
use crate::rows::{Inside, act, inside};
use crate::{every_mechanism, guarded, rule, takes_mechanism};

/// The fields that a run of the host has tried.
fn tried(rows: &[Inside]) -> BTreeSet<(String, &'static str)> {
    rows.iter().map(|row| (row.shape.clone(), row.field.name())).collect()
}

#[test]
fn every_structure_with_a_mechanism_in_it_is_refused_for_it_and_the_event_says_so() {
    // Events of operations come in the order of their ends.
    let mut collector = Collector::prepared().of_calls();
    collector.start();
    let token = token::stub("");
    let text = format!("version = 1\ndefault = \"allow\"\n{}", rule("no-md5", "mechanism = \"CKM_MD5\""));
    let guard = collector.guard(Guard::new(&token.module, &text)).lane_size("4 MiB");
    let rows = inside(&Way::guarded(guard, token), "nested", "fields", &[CKM_MD5, CKM_SHA256]);
    assert_eq!(tried(&rows), fields::known(|field| field.kind() == Kind::Mechanism));

    let stored = collector.stored_after(1);
    let is_of_host = |name: &str| Function::from_name(name).is_some_and(takes_mechanism);
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
    let groups: BTreeMap<_, _> = mechanisms.iter().map(|number| (*number, group(*number))).collect();
    for extent in ["fields", "depths"] {
        let rows = inside(&way, "nested", extent, &mechanisms);
        let mut refused = 0;
        for row in &rows {
            let denied = match groups[&row.number] {
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

#[test]
fn what_cannot_be_read_inside_another_mechanism_counts_as_what_is_denied() {
    let text = format!("version = 1\ndefault = \"allow\"\n{}", rule("no-md5", "mechanism = \"CKM_MD5\""));
    for (policy, arrive) in [(text.as_str(), 0), (ALLOW_ALL, 1)] {
        let rows = inside(&guarded(policy), "nested", "unread", &[CKM_MD5, CKM_SHA256]);
        for row in &rows {
            assert_eq!(row.calls, arrive, "{row:?}");
            assert!(arrive == 1 || row.rv == 0x70, "{row:?}");
        }
        println!(
            "{} calls of which nobody can say what is inside; each reached the vendor {arrive} times",
            rows.len()
        );
    }
}
