// SPDX-License-Identifier: Apache-2.0
//! Judging: guards first, then the first rule that matches, then the mechanisms inside the mechanism's parameter.
//! Nothing here allocates.

use event::Function;
use event::mechanism::Operation;
use event::parameter::{Field, Kind, Parameter};

use crate::Policy;
use crate::act::{Act, Acts};
use crate::conditions::Asked;
use crate::facts::Facts;
use crate::guards::Guard;
use crate::index::Entry;
use crate::rule::{Action, Mode, Rule, Verdict};
use crate::stage::Enforce;

impl Policy {
    /// The verdict on a call: that of the first guard that refuses it; else that of the first rule whose conditions
    /// the facts meet, or the default's; or that on a mechanism inside the parameter of its own, if that is stricter.
    ///
    /// Rules are held against templates as the caller wrote them, guards against templates as they go to the token.
    pub fn judge(&self, facts: &Facts<'_>) -> Verdict<'_> {
        let refusing = if self.hardens && Acts::MAKING.contains(facts.act) {
            self.guard_of_hardened(*facts)
        } else {
            self.guard(facts)
        };
        if let Some(guard) = refusing {
            return self.verdict(guard, facts, facts.act);
        }
        self.by_rules(Asked::outer(facts))
    }

    #[inline]
    fn by_rules(&self, asked: Asked<'_>) -> Verdict<'_> {
        if asked.parameters.iter().any(is_mechanism) {
            return self.with_nested(asked, self.outer(&asked));
        }
        self.outer(&asked)
    }

    /// The verdict of the rules on a call without what is inside its parameter.
    #[inline]
    fn outer(&self, asked: &Asked<'_>) -> Verdict<'_> {
        match self.first(asked) {
            Some(found) => self.found(found, asked, asked.act),
            None => self.by_default(asked.act),
        }
    }

    /// The same of a call of which its mechanism and its parameter are all that is asked ([`Policy::asks_more`]).
    pub fn judge_mechanism(&self, act: Act, mechanism: u64, parameters: &[Parameter]) -> Verdict<'_> {
        const NOTHING_MORE: Facts<'_> = Facts::of(Function::C_Initialize, Act::Digest, None);
        self.by_rules(Asked { facts: &NOTHING_MORE, act, mechanism: Some(mechanism), parameters })
    }

    /// The first guard that refuses.
    #[inline]
    fn guard(&self, facts: &Facts<'_>) -> Option<&Rule> {
        let refusing = self.guards.of(facts.act).iter().find(|guard| (guard.refuses)(facts))?;
        Some(&self.rules[refusing.place])
    }

    /// The first guard that refuses the call as the rule that decides it would carry it out.
    #[cold]
    fn guard_of_hardened(&self, mut facts: Facts<'_>) -> Option<&Rule> {
        let outer = self.outer(&Asked::outer(&facts));
        if let Some((harden, true)) = outer.harden() {
            harden.apply(&mut facts);
        }
        self.guard(&facts)
    }

    /// Whether some key could be used with this mechanism in this operation without being refused. What is false here is
    /// refused whatever the key; the mechanism list and info that an application sees are filtered by it.
    #[inline(never)]
    pub fn may_use(&self, mechanism: u64, operation: Operation) -> bool {
        self.usable.contains(mechanism, operation.into())
    }

    /// Whether anything but `Allow` could be said of calls that do this: where it is false they need not be judged.
    pub fn considers(&self, act: Act) -> bool {
        self.considered.contains(act)
    }

    /// The strictest of the verdicts on a call and on the mechanisms inside its parameter. Of those only rules that
    /// name them are heard, since the default is for what a call does, not for what it is made of. A hash function
    /// inside a signature is not used for less than a digest, so it is asked as both.
    #[cold]
    fn with_nested<'p>(&'p self, asked: Asked<'_>, outer: Verdict<'p>) -> Verdict<'p> {
        let mut strictest = outer;
        for inner in inside(asked) {
            let Some(found) = self.first(&inner) else { continue };
            let verdict = Verdict { nested: inner.mechanism, ..self.found(found, &inner, asked.act) };
            if verdict.weight() > strictest.weight() && verdict.rule.mechanism.is_some() {
                strictest = verdict;
            }
        }
        let strictest = self.with_unread(asked, strictest);
        Verdict { outer: strictest.nested.map(|_| (outer.rule, outer.enforced)), ..strictest }
    }

    /// The stricter of a verdict and that on what could not be read inside a mechanism inside the parameter: too deep, too
    /// much, or not as long as it must be. It may be what any rule denies there, and no token is known that takes it.
    fn with_unread<'p>(&'p self, asked: Asked<'_>, read: Verdict<'p>) -> Verdict<'p> {
        let unread = |inner: &Parameter| inner.depth > 0 && inner.field == Field::Malformed;
        let Some(place) = asked.parameters.iter().position(unread) else { return read };
        let around = asked.parameters[..place].iter().rfind(|outer| is_mechanism(outer));
        let nested = around.map(|outer| outer.value);
        let rules = self.rules.iter();
        rules
            .filter(|rule| rule.acts.contains(asked.act) || rule.acts.contains(Act::Digest))
            .filter(|rule| rule.action.refuses())
            .map(|rule| Verdict { nested, ..self.verdict(rule, asked.facts, asked.act) })
            .find(|verdict| verdict.weight() > read.weight())
            .unwrap_or(read)
    }

    /// The first rule that matches.
    #[inline]
    fn first(&self, asked: &Asked<'_>) -> Option<&Entry> {
        self.index.first(asked, |entry| {
            self.conditions[entry.conditions()].iter().all(|condition| condition.met_by(asked))
        })
    }

    /// The verdict of a rule that was found for what is `asked`, on a call that does `act`.
    fn found(&self, entry: &Entry, asked: &Asked<'_>, act: Act) -> Verdict<'_> {
        let rule = &self.rules[entry.place as usize];
        let enforced = self.mode == Mode::Enforce
            && match entry.enforce {
                Enforce::Always => true,
                Enforce::Never => false,
                Enforce::Staged => rule.is_enforced(asked.facts),
            };
        Verdict { rule, action: entry.action, enforced, act, nested: None, outer: None }
    }

    fn verdict<'p>(&'p self, rule: &'p Rule, facts: &Facts<'_>, act: Act) -> Verdict<'p> {
        let enforced = self.mode == Mode::Enforce && rule.is_enforced(facts);
        Verdict { rule, action: rule.action, enforced, act, nested: None, outer: None }
    }

    /// The default is for calls with a mechanism; a call without one that no rule is for is right.
    fn by_default(&self, act: Act) -> Verdict<'_> {
        let (rule, enforced) = (&self.default, self.mode == Mode::Enforce);
        let action = if act.operation().is_some() { rule.action } else { Action::Allow };
        Verdict { rule, action, enforced, act, nested: None, outer: None }
    }
}

/// The guards that are switched on, by the acts that they are asked about.
#[derive(Debug)]
pub(crate) struct Guards {
    asked: Box<[Asking]>,
    /// Where the guards of each act begin; they end where those of the next begin.
    begins: [u16; Act::ALL.len() + 1],
}

/// A guard that is asked about an act.
#[derive(Debug)]
struct Asking {
    refuses: fn(&Facts<'_>) -> bool,
    /// The place of its rule.
    place: usize,
}

impl Guards {
    /// Of guards whose rules stand first in the policy, in this order.
    pub(crate) fn new(guards: &[&Guard]) -> Guards {
        let (mut asked, mut begins) = (Vec::new(), [0; Act::ALL.len() + 1]);
        for act in Act::ALL {
            let of_act = guards.iter().enumerate().filter(|(_, guard)| guard.acts.contains(act));
            asked.extend(of_act.map(|(place, guard)| Asking { refuses: guard.refuses, place }));
            begins[*act as usize + 1] = u16::try_from(asked.len()).unwrap_or(u16::MAX);
        }
        Guards { asked: asked.into(), begins }
    }

    fn of(&self, act: Act) -> &[Asking] {
        let [begin, end] = [act as usize, act as usize + 1].map(|place| usize::from(self.begins[place]));
        &self.asked[begin..end]
    }
}

/// The acts of which the policy has something to say.
pub(crate) fn considered(rules: &[Rule], guards: &[&Guard]) -> Acts {
    let operations: Acts = Operation::ALL.iter().map(|operation| Act::from(*operation)).collect();
    let of_rules = rules.iter().fold(operations, |acts, rule| acts.union(rule.acts));
    guards.iter().fold(of_rules, |acts, guard| acts.union(guard.acts.iter().copied().collect()))
}

/// The mechanisms inside the parameter of a call's own, each as rules are asked of it: under the act of the call and as
/// a digest.
pub(crate) fn inside<'c>(asked: Asked<'c>) -> impl Iterator<Item = Asked<'c>> {
    let fields = asked.parameters.iter().enumerate();
    fields.filter(|(_, parameter)| is_mechanism(parameter)).flat_map(move |(place, parameter)| {
        let rest = &asked.parameters[place + 1..];
        let deeper = rest.iter().take_while(|inner| inner.depth > parameter.depth).count();
        [asked.act, Act::Digest].map(|act| Asked {
            act,
            mechanism: Some(parameter.value),
            parameters: &rest[..deeper],
            ..asked
        })
    })
}

fn is_mechanism(parameter: &Parameter) -> bool {
    parameter.field.kind() == Kind::Mechanism
}
