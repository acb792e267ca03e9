// SPDX-License-Identifier: Apache-2.0
//! Whether the rules make sense: a rule that no call could ever reach is a mistake of its author, and is refused. Only
//! what is certain is refused, and what would take too long to find out is let be.

use std::collections::HashMap;

use event::mechanism::{self, Family, Mechanism, Operation};
use event::parameter_set::{self, ParameterSet};

use crate::DEFAULT;
use crate::act::{Act, Acts};
use crate::conditions::{Condition, cover};
use crate::diagnostic::Report;
use crate::guards;
use crate::index::Index;
use crate::kinds::{Per, mechanisms_of_entry, operations};
use crate::problem::Problem;
use crate::rates;
use crate::reader::{Section, shown};
use crate::rule::{Action, Rule};
use crate::strength;
use crate::subject::Subject;

/// The families whose keys lie on curves; of CMS nothing is said, since it signs with any key.
const CURVED: [Family; 5] = [Family::Ec, Family::Edwards, Family::Montgomery, Family::Signal, Family::Cms];
/// How many pairs of rules are compared: a few milliseconds' worth.
const MOST_COMPARISONS: usize = 1 << 19;

/// Reports what is wrong with one rule by itself.
pub(crate) fn of_one(rule: &Rule, section: &Section<'_>, report: &mut Report<'_>) {
    if rule.action.refuses() && rule.remedy.is_none() {
        report.add(section.span(), Problem::DenyWithoutRemedy { rule: rule.name.to_string() });
    }
    if !rule.action.refuses() && rule.rv.is_some() {
        report.add(section.span_of("rv"), Problem::UselessRv { action: rule.action.name() });
    } else if rule.rv.is_some() && rule.acts.without(Acts::SEEN).is_empty() {
        report.add(section.span_of("rv"), Problem::HiddenRv);
    }
    sights(rule, section, report);
    limits(rule, section, report);
    rate(rule, section, report);
    staged(rule, section, report);
    if rule.harden.is_some() {
        if rule.action.refuses() {
            report.add(section.span_of("harden"), Problem::HardensRefused);
        } else if rule.acts.intersection(Acts::MAKING).is_empty() {
            report.add(section.span_of("harden"), Problem::HardensNoKey);
        }
    }
    if section.value("curve").is_some()
        && rule
            .conditions
            .iter()
            .any(|condition| matches!(condition, Condition::explicit_curve(asked) if asked.is_true()))
    {
        report.add(section.span_of("explicit_curve"), Problem::CurveSpelledOut);
    }
    if rule.mechanism.is_some() {
        mechanisms(rule, section, report);
    }
}

/// Reports a smallest that is larger than the largest, and days that end before they begin.
fn limits(rule: &Rule, section: &Section<'_>, report: &mut Report<'_>) {
    let limit = |condition: &Condition| Some((Condition::KEYS[condition.place()], condition.limit()?));
    for (low, least) in rule.conditions.iter().filter_map(limit) {
        let high = rule.conditions.iter().filter_map(limit).find(|(high, most)| {
            let pair = match low.strip_prefix("min_") {
                Some(what) => high.strip_prefix("max_") == Some(what),
                None => (low, *high) == ("from", "until"),
            };
            pair && least > *most
        });
        if let Some((high, _)) = high {
            report.add(section.span_of(low), Problem::Cross { low, high });
        }
    }
}

/// Acts of which calls name a key that works; a digest may be the one inside of a signature.
const WITH_KEY: &[Act] = &[
    Act::Encrypt,
    Act::Decrypt,
    Act::Sign,
    Act::Verify,
    Act::SignRecover,
    Act::VerifyRecover,
    Act::Wrap,
    Act::Unwrap,
    Act::Derive,
    Act::Encapsulate,
    Act::Decapsulate,
    Act::Copy,
    Act::Modify,
    Act::Destroy,
    Act::Read,
    Act::DigestKey,
    Act::Digest,
];
/// Acts that are done outside of sessions.
const WITHOUT_SESSION: &[Act] = &[Act::Open];

/// Reports a rate in which nothing would ever be counted.
fn rate(rule: &Rule, section: &Section<'_>, report: &mut Report<'_>) {
    let Some(rate) = rule.conditions.iter().find_map(Condition::rate_of) else { return };
    let set = |acts: &[Act]| acts.iter().copied().collect::<Acts>();
    let per = match rate.per {
        Per::Key if rule.acts.intersection(set(WITH_KEY)).is_empty() => "key",
        Per::Session if rule.acts.without(set(WITHOUT_SESSION)).is_empty() => "session",
        _ => return,
    };
    report.add(section.span_of("rate"), Problem::RateOfNothing { per });
}

/// Reports the rates that are more than a policy can have; `before` are the rules of the profiles that it includes.
pub(crate) fn few_rates(rules: &[Rule], sections: &[Section<'_>], before: &[Rule], report: &mut Report<'_>) {
    let has = |rule: &&Rule| rule.conditions.iter().any(|condition| condition.rate_of().is_some());
    let room = rates::MOST.saturating_sub(before.iter().filter(has).count());
    for (_, section) in rules.iter().zip(sections).filter(|(rule, _)| has(rule)).skip(room) {
        report.add(section.span_of("rate"), Problem::ManyRates { most: rates::MOST });
    }
}

/// Reports what does not go with being seen: what is asked of an object where only slots are seen, which neither a slot nor
/// its token meets; what is known of calls and of keys that are used, not of all that a search finds; and to hold who
/// asks, since a search asks for everything.
fn sights(rule: &Rule, section: &Section<'_>, report: &mut Report<'_>) {
    if rule.acts.intersection(Acts::SEEN).is_empty() {
        return;
    }
    if rule.action == Action::Quarantine {
        report.add(section.span_of("action"), Problem::HeldSight);
    }
    let only = rule.acts.without(Acts::SEEN).is_empty();
    let slots = only && !rule.acts.contains(Act::See);
    for condition in &rule.conditions {
        let key = Condition::KEYS[condition.place()];
        let problem = match condition {
            Condition::rate(_) => Problem::NotOfSights { key },
            Condition::foreign(_) if only => Problem::NotOfSights { key },
            _ if slots && condition.asks(Subject::Key) => Problem::NotOfSlots { key },
            _ => continue,
        };
        report.add(section.span_of(key), problem);
    }
}

/// Reports a stage that ends before it begins, alone or with the days of its rule.
fn staged(rule: &Rule, section: &Section<'_>, report: &mut Report<'_>) {
    let [from, until] = rule.stage.days();
    let of_rule = |key: &str| {
        let mut conditions = rule.conditions.iter();
        conditions.find(|condition| Condition::KEYS[condition.place()] == key).and_then(Condition::limit)
    };
    let first = from.max(of_rule("from"));
    let last = [until, of_rule("until")].into_iter().flatten().min();
    if (from.is_some() || until.is_some()) && first.zip(last).is_some_and(|(first, last)| first > last) {
        report.add(section.span_of("enforce"), Problem::NeverEnforced);
    }
}

/// Reports mechanisms and operations that do not go together, and mechanisms that are held to a curve or a parameter set
/// that their keys do not have.
fn mechanisms(rule: &Rule, section: &Section<'_>, report: &mut Report<'_>) {
    let asks_of_curves = section.value("curve").is_some() || section.value("explicit_curve").is_some();
    let operations_written = section.entries("operation");
    let sets = rule.conditions.iter().find_map(|condition| match condition {
        Condition::parameter_set(sets) => Some(sets),
        _ => None,
    });
    if !asks_of_curves && sets.is_none() && operations_written.is_empty() {
        return;
    }
    let mut possible = Acts::default();
    for entry in section.entries("mechanism") {
        // Of a vendor's mechanism nothing is known, so nothing contradicts it.
        let known: Vec<_> = mechanisms_of_entry(entry).into_iter().map(mechanism::by_number).collect();
        let word = || shown(entry.get_ref());
        if asks_of_curves && known.iter().all(|known| known.is_some_and(|m| !CURVED.contains(&m.family))) {
            report.add(entry.span(), Problem::CurveWithoutCurves { mechanism: word() });
        }
        let has_none = |m: &Mechanism| {
            let of_type = |set: &ParameterSet| strength::type_of(m.family) == Some(set.key_type);
            let mut named = sets.into_iter().flat_map(|sets| sets.numbers()).filter_map(set_at);
            sets.is_some() && m.family != Family::Cms && !named.any(of_type)
        };
        if known.iter().all(|known| known.is_some_and(has_none)) {
            report.add(entry.span(), Problem::SetWithoutSets { mechanism: word() });
        }
        let acts = known.iter().fold(Acts::default(), |acts, known| acts.union(acts_of(*known, rule.action)));
        if acts.intersection(rule.acts).is_empty() {
            report.add(entry.span(), Problem::UselessMechanism { mechanism: word() });
        }
        possible = possible.union(acts);
    }
    for entry in operations_written {
        let acts = operations(entry, &mut Report::new("")).unwrap_or_default();
        if acts.intersection(possible).is_empty() {
            report.add(entry.span(), Problem::UselessOperation { operation: shown(entry.get_ref()) });
        }
    }
}

fn set_at(place: &u64) -> Option<&'static ParameterSet> {
    parameter_set::ALL.get(usize::try_from(*place).ok()?)
}

/// What a mechanism can be asked to do. One that may stand inside the parameter of another can be denied whatever that
/// one does.
fn acts_of(mechanism: Option<&Mechanism>, action: Action) -> Acts {
    let inner = [Operation::Digest, Operation::Sign, Operation::Encrypt];
    match mechanism {
        Some(known) if action == Action::Allow || !inner.iter().any(|o| known.operations.contains(*o)) => {
            let acts: Acts = known.operations.iter().map(Act::from).collect();
            if acts.contains(Act::Sign) { acts.union([Act::SignData].into_iter().collect()) } else { acts }
        }
        _ => Acts::WITH_MECHANISM,
    }
}

/// Reports names that are used twice, or that the default, a guard or an included rule has.
pub(crate) fn unique_names(
    rules: &[Rule],
    sections: &[Section<'_>],
    before: &[Rule],
    report: &mut Report<'_>,
) {
    let included: HashMap<&str, &str> =
        before.iter().filter_map(|rule| Some((&*rule.name, rule.profile?))).collect();
    let mut lines: HashMap<&str, usize> = HashMap::with_capacity(rules.len());
    for (rule, section) in rules.iter().zip(sections) {
        let place = section.span_of("name");
        let name = rule.name.to_string();
        if name == DEFAULT {
            report.add(place, Problem::ReservedName { name });
        } else if guards::ALL.iter().any(|guard| guard.name == name) {
            report.add(place, Problem::GuardName { name });
        } else if let Some(profile) = included.get(&*rule.name) {
            report.add(place, Problem::ProfileName { name, profile: (*profile).to_owned() });
        } else if let Some(line) = lines.get(&*rule.name) {
            report.add(place, Problem::DuplicateName { name, line: *line });
        } else {
            lines.insert(&rule.name, report.line(place.start));
        }
    }
}

/// Reports the rules of which every call is decided by rules above them.
pub(crate) fn all_reachable(
    rules: &[Rule],
    sections: &[Section<'_>],
    index: &Index,
    report: &mut Report<'_>,
) {
    let mut comparisons = MOST_COMPARISONS;
    for (place, section) in sections.iter().enumerate() {
        let rule = rules[place].name.to_string();
        match *deciders(place, rules, index, &mut comparisons) {
            [] => {}
            [above] if contradict(&rules[above], &rules[place]) => {
                let by = rules[above].name.to_string();
                report.add(section.span_of("name"), Problem::Contradiction { rule, by });
            }
            ref above => {
                let by = above.iter().map(|above| rules[*above].name.to_string()).collect();
                report.add(section.span_of("name"), Problem::Unreachable { rule, by });
            }
        }
    }
}

/// The places of the rules above that together match all that a rule matches; none where something is left to it.
fn deciders(place: usize, rules: &[Rule], index: &Index, comparisons: &mut usize) -> Vec<usize> {
    let rule = &rules[place];
    // `None` stands for the mechanisms that no rule names.
    let named = rule.mechanism.iter().flat_map(|named| named.numbers()).copied().map(Some);
    let unnamed = rule.mechanism.is_none().then_some(None);
    let mut by = Vec::new();
    for mechanism in named.chain(unnamed) {
        let mut left = rule.acts;
        let rivals = index.rivals(rule, mechanism, place);
        *comparisons = comparisons.saturating_sub(rivals.len());
        if *comparisons == 0 {
            return Vec::new();
        }
        for rival in rivals {
            let above = &rules[rival];
            if left.intersection(above.acts).is_empty()
                || !cover(&above.conditions, &rule.conditions)
                || !counts_as_much(above, rule)
            {
                continue;
            }
            left = left.without(above.acts);
            by.push(rival);
            if left.is_empty() {
                break;
            }
        }
        if !left.is_empty() {
            return Vec::new();
        }
    }
    by.sort_unstable();
    by.dedup();
    by
}

/// Whether a rule is reached by its rate, where it asks for one, whenever the other is: it counts whatever that counts.
fn counts_as_much(above: &Rule, rule: &Rule) -> bool {
    let all = |named: &[u64]| {
        rule.mechanism
            .as_ref()
            .is_some_and(|other| other.numbers().iter().all(|number| named.contains(number)))
    };
    !above.conditions.iter().any(|condition| condition.rate_of().is_some())
        || rule.acts.without(above.acts).is_empty()
            && above.mechanism.as_ref().is_none_or(|named| all(named.numbers()))
}

/// Whether two rules are for the same calls and say different things of them.
fn contradict(one: &Rule, other: &Rule) -> bool {
    let numbers = |rule: &Rule| {
        rule.mechanism.as_ref().map(|named| {
            let mut numbers = named.numbers().to_vec();
            numbers.sort_unstable();
            numbers
        })
    };
    one.action != other.action
        && one.acts == other.acts
        && numbers(one) == numbers(other)
        && cover(&one.conditions, &other.conditions)
        && cover(&other.conditions, &one.conditions)
}
