// SPDX-License-Identifier: Apache-2.0
//! Which facts a policy asks for, act by act: whoever judges calls by it needs to look up no others.

use crate::act::{Act, Acts};
use crate::guards::Guard;
use crate::rule::Rule;

/// What a condition asks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The parameter of the mechanism.
    Parameter,
    /// The rest of the call: function, templates, flags.
    Call,
    /// The keys that are named.
    Key,
    /// The token, and who is logged in to it.
    Token,
    /// The process.
    Process,
    /// When it comes in.
    Time,
    /// How often something happened before.
    Past,
}

impl Subject {
    const ALL: [Subject; 7] = [
        Subject::Parameter,
        Subject::Call,
        Subject::Key,
        Subject::Token,
        Subject::Process,
        Subject::Time,
        Subject::Past,
    ];
}

/// By subject, the acts whose calls are judged by it.
#[derive(Debug)]
pub(crate) struct Asked {
    by_subject: [Acts; Subject::ALL.len()],
    /// The acts that are judged by more than mechanism and parameter.
    by_more: Acts,
}

impl Asked {
    /// What rules and guards ask. `remembers`: what became of earlier calls is asked for, and that is kept by key.
    pub(crate) fn new(rules: &[Rule], guards: &[&Guard], remembers: bool) -> Asked {
        let mut by_subject = Subject::ALL.map(|subject| {
            let asked_by = |rule: &Rule| {
                let conditions = rule.conditions.iter().any(|condition| condition.asks(subject));
                let whole = conditions || rule.stage.asks(subject);
                let making = rule.harden.as_ref().is_some_and(|harden| harden.asks(subject));
                let making = if making { rule.acts.intersection(Acts::MAKING) } else { Acts::default() };
                if whole { rule.acts } else { making }
            };
            let acts = rules.iter().map(asked_by).fold(Acts::default(), Acts::union);
            // What is inside a parameter is judged as a digest too, whatever the call does.
            if acts.contains(Act::Digest) { acts.union(Acts::WITH_MECHANISM) } else { acts }
        });
        if remembers {
            by_subject[Subject::Key as usize] = Act::ALL.iter().copied().collect();
        }
        let [_, more @ ..] = by_subject;
        let mut of_guards: Acts = guards.iter().flat_map(|guard| guard.acts).copied().collect();
        // What a call may see is more than its mechanism, whatever it does.
        if rules.iter().any(|rule| !rule.acts.intersection(Acts::SEEN).is_empty()) {
            of_guards = Act::ALL.iter().copied().collect();
        }
        Asked { by_subject, by_more: more.into_iter().fold(of_guards, Acts::union) }
    }

    #[inline]
    pub(crate) fn asks(&self, subject: Subject, act: Act) -> bool {
        self.by_subject[subject as usize].contains(act)
    }

    #[inline]
    pub(crate) fn asks_more(&self, act: Act) -> bool {
        self.by_more.contains(act)
    }
}
