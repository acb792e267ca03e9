// SPDX-License-Identifier: Apache-2.0
//! Finds the rules that name a call's mechanism, its act and the label or id of its key, in the order of the policy,
//! without looking at the others. Rules that name no mechanism are kept once, not once per mechanism, so that a large
//! policy stays small.

use crate::act::{Act, Acts};
use crate::conditions::{Asked, Condition};
use crate::rule::{Action, Rule};
use crate::stage::Enforce;

/// A rule that names more mechanisms times keys than this is found by its mechanisms alone.
const MOST_PINS: usize = 64;
/// The pin of rules that pin no key.
const NO_PIN: u64 = 0;
/// Set in the pins of rules that name no mechanism.
const ANY_MECHANISM: u64 = 1 << 63;

/// A rule in one of the lists, with all that judging takes of it: reading the rule itself would be one cache miss more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    /// The rule's place.
    pub(crate) place: u32,
    acts: Acts,
    /// Where its conditions begin among those of all rules, and how many there are.
    begin: u32,
    count: u16,
    /// What the rule does.
    pub(crate) action: Action,
    /// Whether it is carried out.
    pub(crate) enforce: Enforce,
}

impl Entry {
    /// Where the rule's conditions stand among those of all rules, these in the order of their rules.
    #[inline]
    pub(crate) fn conditions(self) -> std::ops::Range<usize> {
        self.begin as usize..self.begin as usize + usize::from(self.count)
    }
}

/// The list of the rules for one mechanism and one pin; a free slot has an empty one.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    mechanism: u64,
    pin: u64,
    begin: u32,
    end: u32,
}

/// An open-addressing table from mechanism and pin to lists of rules.
#[derive(Debug)]
pub(crate) struct Index {
    /// A power of two, at most half full.
    slots: Box<[Slot]>,
    /// Places ascend within each list.
    entries: Box<[Entry]>,
    /// The rules that name neither mechanism nor key.
    unnamed: (u32, u32),
    /// The acts of all rules of each kind: where an act is in none, no list of the kind needs to be looked for.
    kinds: Kinds,
}

/// Something for each way of naming a key and of naming mechanisms.
#[derive(Debug, Clone, Copy, Default)]
struct Kinds {
    named: Acts,
    /// Those of all that follow.
    pinned: Acts,
    by_label: [Acts; 2],
    by_id: [Acts; 2],
}

impl Index {
    /// The index of `rules`.
    pub(crate) fn new(rules: &[Rule]) -> Index {
        let mut rows: Vec<(u64, u64, Entry)> = Vec::with_capacity(rules.len() * 2);
        let mut kinds = Kinds::default();
        let mut begin = 0;
        for (place, rule) in (0_u32..).zip(rules) {
            let count = u16::try_from(rule.conditions.len()).unwrap_or(u16::MAX);
            let entry =
                Entry { place, acts: rule.acts, begin, count, action: rule.action, enforce: rule.enforce };
            begin += u32::from(count);
            if rule.acts.is_empty() {
                continue;
            }
            let pins = Pins::of(rule);
            let any = usize::from(rule.mechanism.is_none());
            let kind = match pins {
                Pins::None => &mut kinds.named,
                Pins::Labels(_) => &mut kinds.by_label[any],
                Pins::Ids(_) => &mut kinds.by_id[any],
            };
            *kind = kind.union(rule.acts);
            if !matches!(pins, Pins::None) {
                kinds.pinned = kinds.pinned.union(rule.acts);
            }
            for pin in pins.list() {
                match &rule.mechanism {
                    None => rows.push((0, pin | ANY_MECHANISM, entry)),
                    Some(named) => {
                        rows.extend(named.numbers().iter().map(|mechanism| (*mechanism, *pin, entry)))
                    }
                }
            }
        }
        rows.sort_unstable_by_key(|(mechanism, pin, entry)| (*pin, *mechanism, entry.place));

        let lists = rows.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1));
        let mut slots = vec![Slot::default(); (lists.clone().count() * 2).next_power_of_two()];
        let mut unnamed = (0, 0);
        let mut begin = 0;
        for list in lists {
            let (mechanism, pin, _) = list[0];
            let end = begin + u32::try_from(list.len()).unwrap_or(u32::MAX);
            if pin == ANY_MECHANISM {
                unnamed = (begin, end);
            }
            let mut place = home(mechanism, pin, slots.len());
            while slots[place].begin != slots[place].end {
                place = (place + 1) & (slots.len() - 1);
            }
            slots[place] = Slot { mechanism, pin, begin, end };
            begin = end;
        }
        let entries = rows.iter().map(|row| row.2).collect();
        Index { slots: slots.into(), entries, unnamed, kinds }
    }

    /// The first of the rules for this call's mechanism, act and key of which `met` says yes. Each list is walked by
    /// itself, up to what was found in those before it; the short ones come first.
    #[inline]
    pub(crate) fn first(&self, asked: &Asked<'_>, met: impl Fn(&Entry) -> bool) -> Option<&Entry> {
        let mut best = None;
        if self.kinds.pinned.contains(asked.act) {
            best = self.first_pinned(asked, &met);
        }
        if let Some(mechanism) = asked.mechanism.filter(|_| self.kinds.named.contains(asked.act)) {
            best = walk(self.find(mechanism, NO_PIN), best, asked.act, &met);
        }
        walk(self.list(self.unnamed), best, asked.act, &met)
    }

    fn first_pinned(&self, asked: &Asked<'_>, met: &impl Fn(&Entry) -> bool) -> Option<&Entry> {
        let mut best = None;
        let key = asked.facts.subject();
        let pins = [(self.kinds.by_label, key.label, Pinned::Label), (self.kinds.by_id, key.id, Pinned::Id)];
        for ([named, any], text, kind) in pins {
            let Some(text) = text.filter(|_| named.union(any).contains(asked.act)) else { continue };
            let pin = pin(kind, text);
            if let Some(mechanism) = asked.mechanism.filter(|_| named.contains(asked.act)) {
                best = walk(self.find(mechanism, pin), best, asked.act, met);
            }
            if any.contains(asked.act) {
                best = walk(self.find(0, pin | ANY_MECHANISM), best, asked.act, met);
            }
        }
        best
    }

    /// The places of the rules that could decide what `rule` is for with this mechanism, in the order of the policy, up
    /// to the place `end`; `None` stands for the mechanisms that no rule names.
    pub(crate) fn rivals(&self, rule: &Rule, mechanism: Option<u64>, end: usize) -> Vec<usize> {
        let first = |wanted: fn(&Condition) -> bool| {
            let pins = Pins::by(rule.conditions.iter().find(|condition| wanted(condition)));
            pins.list().first().copied().filter(|pin| *pin != NO_PIN)
        };
        let label = first(|condition| matches!(condition, Condition::label(_)));
        let id = first(|condition| matches!(condition, Condition::id(_)));
        let pins = [Some(NO_PIN), label, id].into_iter().flatten();
        let named = |pin| mechanism.map(|mechanism| self.find(mechanism, pin));
        let lists = pins.flat_map(|pin| [Some(self.find(0, pin | ANY_MECHANISM)), named(pin)]).flatten();
        let before = |list: &'_ [Entry]| list.partition_point(|entry| (entry.place as usize) < end);
        let mut rivals: Vec<usize> =
            lists.flat_map(|list| &list[..before(list)]).map(|entry| entry.place as usize).collect();
        rivals.sort_unstable();
        rivals
    }

    #[inline]
    fn find(&self, mechanism: u64, pin: u64) -> &[Entry] {
        let mut place = home(mechanism, pin, self.slots.len());
        loop {
            let slot = &self.slots[place];
            if slot.begin == slot.end {
                return &[];
            }
            if slot.mechanism == mechanism && slot.pin == pin {
                return self.list((slot.begin, slot.end));
            }
            place = (place + 1) & (self.slots.len() - 1);
        }
    }

    fn list(&self, (begin, end): (u32, u32)) -> &[Entry] {
        &self.entries[begin as usize..end as usize]
    }
}

/// The first rule of `list` that stands before `best` and of which `met` says yes; else `best`.
#[inline]
fn walk<'i>(
    list: &'i [Entry],
    best: Option<&'i Entry>,
    act: Act,
    met: &impl Fn(&Entry) -> bool,
) -> Option<&'i Entry> {
    let end = best.map_or(u32::MAX, |best| best.place);
    let before = list.iter().take_while(|entry| entry.place < end);
    before.into_iter().find(|entry| entry.acts.contains(act) && met(entry)).or(best)
}

/// By what a rule pins the keys that it is for.
enum Pins {
    None,
    Labels(Vec<u64>),
    Ids(Vec<u64>),
}

#[derive(Clone, Copy)]
enum Pinned {
    Label,
    Id,
}

impl Pins {
    fn of(rule: &Rule) -> Pins {
        let mechanisms = rule.mechanism.as_ref().map_or(1, |named| named.numbers().len());
        let pins = rule.conditions.iter().map(|condition| Pins::by(Some(condition)));
        pins.into_iter()
            .find(|pins| !matches!(pins, Pins::None) && pins.list().len() * mechanisms <= MOST_PINS)
            .unwrap_or(Pins::None)
    }

    fn by(condition: Option<&Condition>) -> Pins {
        let (kind, texts) = match condition {
            Some(Condition::label(texts)) => (Pinned::Label, texts),
            Some(Condition::id(texts)) => (Pinned::Id, texts),
            _ => return Pins::None,
        };
        let Some(texts) = texts.exactly() else { return Pins::None };
        let pins = texts.into_iter().map(|text| pin(kind, text)).collect();
        match kind {
            Pinned::Label => Pins::Labels(pins),
            Pinned::Id => Pins::Ids(pins),
        }
    }

    fn list(&self) -> &[u64] {
        match self {
            Pins::None => &[NO_PIN],
            Pins::Labels(pins) | Pins::Ids(pins) => pins,
        }
    }
}

/// A number for a text. Two texts may share one: what is found by it is compared in full.
fn pin(kind: Pinned, text: &[u8]) -> u64 {
    let begin = mix(kind as u64 + 1, text.len() as u64);
    let hash = match text.last_chunk() {
        // The last word overlaps the one before it.
        Some(last) => {
            let words = text.as_chunks().0.iter().chain([last]);
            words.fold(begin, |hash, word| mix(hash, u64::from_le_bytes(*word)))
        }
        None => mix(begin, text.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))),
    };
    (hash & !ANY_MECHANISM).max(1)
}

/// 2^64 divided by the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Both halves of a product: names that differ in their last digit alone would be neighbours in one half of it.
#[inline]
fn mix(hash: u64, word: u64) -> u64 {
    let (low, high) = (hash ^ word).carrying_mul(SPREAD, 0);
    low ^ high
}

/// Where the search for a list begins.
#[inline]
fn home(mechanism: u64, pin: u64, slots: usize) -> usize {
    (mix(mechanism.rotate_left(32), pin) >> 32) as usize & (slots - 1)
}

#[cfg(test)]
mod tests {
    use crate::Policy;

    /// What is looked up at every call should lie where it is looked for, also where names differ in one digit.
    #[test]
    fn keys_that_are_numbered_do_not_crowd() {
        let rule = |key: usize, mechanism: &str| {
            format!(
                "[[rule]]\nname = '{key} {mechanism}'\naction = 'allow'\nmechanism = '{mechanism}'\n\
                 label = 'service-{key:04}'\n"
            )
        };
        let rules = (0..1000).flat_map(|key| ["CKM_ECDSA", "CKM_RSA_PKCS_PSS"].map(|name| rule(key, name)));
        let text = rules.fold("version = 1\n".to_owned(), |text, rule| text + &rule);
        let index = Policy::parse("policy.toml", text.as_bytes()).unwrap().index;
        let slots = index.slots.len();
        let used = index.slots.iter().enumerate().filter(|(_, slot)| slot.begin != slot.end);
        let far = |(at, slot): (usize, &super::Slot)| {
            (at + slots - super::home(slot.mechanism, slot.pin, slots)) % slots
        };
        let steps: Vec<usize> = used.map(far).collect();
        let (sum, most) = (steps.iter().sum::<usize>(), steps.iter().max().copied());
        println!("{} lists in {slots} slots, {sum} steps beside the place, at most {most:?}", steps.len());
        assert!(sum < steps.len(), "{sum} steps for {} lists", steps.len());
    }
}
