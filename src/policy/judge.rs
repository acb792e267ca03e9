// SPDX-License-Identifier: Apache-2.0
//! Judging: guards first, then the first rule that matches, then the mechanisms inside the mechanism's parameter.
//! Nothing here allocates.

use event::mechanism::Operation;
use event::parameter::{Kind, Parameter};

use crate::act::{Act, Acts};
use crate::conditions::Asked;
use crate::facts::Facts;
use crate::guards::Guard;
use crate::refusal;
use crate::rule::{Action, Mode, Rule, Verdict};
use crate::Policy;

impl Policy {
    /// The verdict on a call: that of the first guard that refuses it; else that of the first rule whose conditions
    /// the facts meet, or the default's; or that on a mechanism inside the parameter of its own, if that is stricter.
    pub fn judge(&self, facts: &Facts<'_>) -> Verdict<'_> {
        let guard = self.guards.iter().position(|guard| guard.acts.contains(&facts.act) && (guard.refuses)(facts));
        if let Some(place) = guard {
            return self.verdict(&self.rules[place], facts.act);
        }
        let asked = Asked::outer(facts);
        let outer = match self.first(&asked) {
            Some(place) => self.verdict(&self.rules[place], facts.act),
            None => self.by_default(facts.act),
        };
        if facts.parameters.iter().any(is_mechanism) { self.with_nested(asked, outer) } else { outer }
    }

    /// Whether some key could be used with this mechanism in this operation without being refused by a rule. What is
    /// false here is refused whatever the key; the mechanism list and info that an application sees are filtered by it.
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
        for (place, parameter) in asked.parameters.iter().enumerate().filter(|(_, parameter)| is_mechanism(parameter)) {
            let rest = &asked.parameters[place + 1..];
            let deeper = rest.iter().take_while(|inner| inner.depth > parameter.depth).count();
            for act in [asked.act, Act::Digest] {
                let inner = Asked {
                    act,
                    mechanism: Some(parameter.value),
                    parameters: &rest[..deeper],
                    ..asked
                };
                let Some(rule) = self.first(&inner).map(|place| &self.rules[place]) else { continue };
                if rule.mechanism.is_none() {
                    continue;
                }
                let verdict = Verdict { nested: inner.mechanism, ..self.verdict(rule, asked.act) };
                if verdict.weight() > strictest.weight() {
                    strictest = verdict;
                }
            }
        }
        strictest
    }

    /// The place of the first rule that matches.
    #[inline]
    fn first(&self, asked: &Asked<'_>) -> Option<usize> {
        self.index.first(asked, |entry| {
            self.conditions[entry.conditions()].iter().all(|condition| condition.met_by(asked))
        })
    }

    fn verdict<'p>(&'p self, rule: &'p Rule, act: Act) -> Verdict<'p> {
        Verdict {
            rule,
            action: rule.action,
            enforced: rule.enforce && self.mode == Mode::Enforce,
            rv: rule.rv.unwrap_or_else(|| refusal::usual(act)),
            nested: None,
        }
    }

    /// The default is for calls with a mechanism; a call without one that no rule is for is right.
    fn by_default(&self, act: Act) -> Verdict<'_> {
        let verdict = self.verdict(&self.default, act);
        if act.operation().is_some() { verdict } else { Verdict { action: Action::Allow, ..verdict } }
    }
}

/// The acts of which the policy has something to say.
pub(crate) fn considered(rules: &[Rule], guards: &[&Guard]) -> Acts {
    let operations: Acts = Operation::ALL.iter().map(|operation| Act::from(*operation)).collect();
    let of_rules = rules.iter().fold(operations, |acts, rule| acts.union(rule.acts));
    guards.iter().fold(of_rules, |acts, guard| acts.union(guard.acts.iter().copied().collect()))
}

fn is_mechanism(parameter: &Parameter) -> bool {
    parameter.field.kind() == Kind::Mechanism
}
