// SPDX-License-Identifier: Apache-2.0
//! What was learnt, as a policy in TOML. Text of applications stands in comments alone, where it cannot end the line.

use std::collections::BTreeMap;

use collector::render::Shown;
use event::{curve, mechanism};
use policy::Act;

use super::super::findings::time_words;
use super::seen::Seen;
use super::{Learnt, is_sensible};

/// Names that a comment lists.
const MOST_NAMES: usize = 5;

/// The whole policy.
pub(super) fn policy(learnt: &Learnt) -> String {
    let mut text = head(learnt);
    for ((act, number), seen) in learnt.uses.iter().filter(|((act, number), _)| is_sensible(*act, *number)) {
        text += &rule(*act, *number, seen);
    }
    // What the standard does not know of cannot be named together, so the mechanism stands alone; one such rule is
    // enough, and those for its proper operations stand above.
    let mut odd: BTreeMap<u64, Vec<(Act, &Seen)>> = BTreeMap::new();
    for ((act, number), seen) in learnt.uses.iter().filter(|((act, number), _)| !is_sensible(*act, *number)) {
        odd.entry(*number).or_default().push((*act, seen));
    }
    for (number, uses) in &odd {
        text += &odd_rule(*number, uses);
    }
    text
}

fn head(learnt: &Learnt) -> String {
    let calls: u64 = learnt.uses.values().map(|seen| seen.count).sum();
    let first = learnt.uses.values().map(|seen| seen.first).min().unwrap_or_default();
    let last = learnt.uses.values().map(|seen| seen.last).max().unwrap_or_default();
    let refused = match learnt.refused {
        0 => String::new(),
        some => format!("# {some} calls that were refused when they were made were not learnt.\n"),
    };
    format!(
        "# Learnt from {calls} calls between {} and {}.\n{refused}\
         # It allows what was seen and denies the rest: read it, and take out what should not go on.\n\
         version = 1\nname = \"learnt\"\n\
         # Begin with \"observe\": events then show what this policy would refuse, and nothing is refused.\n\
         mode = \"enforce\"\ndefault = \"deny\"\n",
        time_words(first),
        time_words(last),
    )
}

fn rule(act: Act, number: u64, seen: &Seen) -> String {
    let mut text = format!(
        "\n{}[[rule]]\nname = \"{}-{}\"\naction = \"allow\"\noperation = [\"{}\"]\nmechanism = [{}]\n",
        comment(seen),
        act.name(),
        short(number),
        act.name(),
        value(mechanism::name(number), number),
    );
    if let Some(curves) = seen.curves(number) {
        let known = curves.iter().filter_map(|place| curve::ALL.get(usize::from(*place)));
        text += &format!("curve = [{}]\n", list(known.map(|curve| format!("\"{}\"", curve.name))));
    } else if let Some(bits) = seen.bits() {
        text += &format!("min_bits = {bits}\n");
    }
    if let Some(sets) = seen.sets() {
        text += &format!("parameter_set = [{}]\n", list(sets.iter().map(|name| format!("\"{name}\""))));
    }
    for (key, told) in seen.listed() {
        let mut told = told.clone();
        // `hash` asks the mechanism's own hash as well.
        let own = mechanism::by_number(number).and_then(|known| known.digest).filter(|_| key == "hash");
        told.extend(own.map(|hash| (mechanism::name(hash).unwrap_or_default(), hash)));
        let named =
            told.iter().map(|(name, number)| value(Some(*name).filter(|name| !name.is_empty()), *number));
        text += &format!("{key} = [{}]\n", list(named));
    }
    for (key, least) in seen.least() {
        text += &format!("{key} = {least}\n");
    }
    text
}

/// The rule of a mechanism in operations that the standard does not give it: where the token did them all the same.
fn odd_rule(number: u64, uses: &[(Act, &Seen)]) -> String {
    let acts = list(uses.iter().map(|(act, _)| act.name().to_owned()));
    let known = format!("the standard gives {} no such operation: {acts}", mechanism::display(number));
    if uses.iter().all(|(_, seen)| seen.failed == seen.count) {
        return format!("\n# Left out, since it never worked: {known}.\n");
    }
    let comments: String = uses.iter().map(|(_, seen)| comment(seen)).collect();
    format!(
        "\n{comments}# Without an operation: {known}.\n\
         [[rule]]\nname = \"any-{}\"\naction = \"allow\"\nmechanism = [{}]\n",
        short(number),
        value(mechanism::name(number), number),
    )
}

/// How often, when, with which keys, by whom.
fn comment(seen: &Seen) -> String {
    let failed = match seen.failed {
        0 => String::new(),
        some if some == seen.count => ", none of which succeeded".into(),
        some => format!(", {some} of which failed"),
    };
    let (first, last) = (time_words(seen.first), time_words(seen.last));
    let when = if first == last { first } else { format!("{first} to {last}") };
    let calls = if seen.count == 1 { "call" } else { "calls" };
    let mut text = format!("# {} {calls}{failed}, {when}\n", seen.count);
    for (what, counts) in [("keys", &seen.keys), ("programs", &seen.programs), ("services", &seen.services)] {
        if !counts.is_empty() {
            text += &format!("# {what}: {}\n", counted(counts));
        }
    }
    text
}

/// The most frequent names with their counts.
fn counted(counts: &BTreeMap<String, u64>) -> String {
    let mut names: Vec<_> = counts.iter().collect();
    names.sort_by_key(|(name, count)| (u64::MAX - **count, *name));
    let more = names.len().saturating_sub(MOST_NAMES);
    let shown = list(names.iter().take(MOST_NAMES).map(|(name, count)| format!("{} ({count})", Shown(name))));
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

fn list(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

/// A name in quotes, or the number of what has none.
fn value(name: Option<&str>, number: u64) -> String {
    name.map_or_else(|| format!("{number:#x}"), |name| format!("\"{name}\""))
}

/// A mechanism in the name of its rule: `ecdsa-sha256`, `0x80000001`.
fn short(number: u64) -> String {
    let shown = mechanism::display(number).to_string();
    shown.strip_prefix("CKM_").unwrap_or(&shown).to_ascii_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::super::super::acts;
    use super::super::super::known::{Known, Thing};
    use super::*;
    use event::mechanism::{CKM_ECDSA, CKM_RSA_PKCS_PSS, CKM_SHA256};
    use event::parameter::{Field, Parameter};
    use policy::{Action, Policy};

    fn call(act: Act, number: u64, key: Thing) -> Known {
        Known { key, ..Known::of(acts::function(act).unwrap(), act, Some(number)) }
    }

    fn learnt(calls: &[(Known, bool)]) -> (String, Policy) {
        let mut learnt = Learnt::default();
        for (call, failed) in calls {
            let key = (call.act, call.mechanism.unwrap());
            learnt.uses.entry(key).or_default().add(call, 1_795_237_200, *failed);
        }
        let text = policy(&learnt);
        let parsed = Policy::parse("learnt.toml", text.as_bytes());
        let parsed = parsed.unwrap_or_else(|diagnostics| panic!("{text}\n{diagnostics}"));
        for (call, failed) in calls.iter().filter(|(_, failed)| !failed) {
            assert_eq!(parsed.judge(&call.facts()).action(), Action::Allow, "{call:?} {failed}\n{text}");
        }
        (text, parsed)
    }

    #[test]
    fn what_was_seen_is_allowed_and_nothing_weaker_or_else() {
        let rsa = |bits| Thing { bits: Some(bits), class: Some(3), ..Thing::default() };
        let ec = Thing { bits: Some(256), curve: Some(0), ..Thing::default() };
        let hash = |value| vec![Parameter { depth: 0, field: Field::Hash, value }];
        let pss =
            |bits, value| Known { parameters: hash(value), ..call(Act::Sign, CKM_RSA_PKCS_PSS, rsa(bits)) };
        let (text, policy) = learnt(&[
            (pss(3072, CKM_SHA256), false),
            (pss(4096, CKM_SHA256), false),
            (call(Act::Sign, CKM_ECDSA, ec.clone()), false),
            (call(Act::Digest, CKM_SHA256, Thing::default()), false),
            (call(Act::Sign, 0x8000_0001, Thing::default()), false),
        ]);
        for denied in [
            pss(2048, CKM_SHA256),
            pss(3072, event::mechanism::CKM_SHA_1),
            call(Act::Verify, CKM_ECDSA, ec),
            call(Act::Sign, CKM_ECDSA, Thing { curve: Some(1), ..Thing::default() }),
            call(Act::Digest, event::mechanism::CKM_MD5, Thing::default()),
        ] {
            assert_eq!(policy.judge(&denied.facts()).action(), Action::Deny, "{denied:?}\n{text}");
        }
        assert!(text.contains("min_bits = 3072") && text.contains("curve = [\"P-256\"]"), "{text}");
        assert!(text.contains("name = \"sign-0x80000001\"") && text.contains("# 2 calls"), "{text}");
    }

    #[test]
    fn what_the_standard_does_not_know_is_left_out_unless_it_worked() {
        let odd = |failed| learnt(&[(call(Act::Sign, CKM_SHA256, Thing::default()), failed)]);
        let (text, policy) = odd(false);
        assert_eq!(policy.rules().count(), 2, "{text}");
        let (text, policy) = odd(true);
        assert_eq!(policy.rules().count(), 1, "{text}");
        assert!(text.contains("never worked"), "{text}");
    }

    #[test]
    fn no_label_or_program_breaks_out_of_its_comment() {
        let evil = "x\n[[rule]]\r\u{85}\u{2028}name = \"evil\"\u{7}\0".as_bytes().to_vec();
        let mut seen = call(Act::Sign, CKM_ECDSA, Thing { label: Some(evil.clone()), ..Thing::default() });
        seen.process.exe = Some(evil.clone());
        seen.process.service = Some(evil);
        let (text, policy) = learnt(&[(seen, false)]);
        assert_eq!(policy.rules().count(), 2, "{text}");
        assert!(text.lines().all(|line| !line.starts_with("name = \"evil")), "{text}");
    }
}
