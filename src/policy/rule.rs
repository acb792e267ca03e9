// SPDX-License-Identifier: Apache-2.0
//! A rule of the policy, and the verdict that it gives.

use crate::act::{Act, Acts};
use crate::conditions::Condition;
use crate::facts::Facts;
use crate::harden::Harden;
use crate::kinds::Mechanisms;
use crate::quarantine::Quarantine;
use crate::refusal;
use crate::stage::{Enforce, Stage};

/// What a rule does with the calls that it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// The call is right.
    Allow,
    /// The call goes on and is worth a look.
    Warn,
    /// The call is refused.
    Deny,
    /// The call is refused, and whoever made it is held: see [`Quarantine`].
    Quarantine,
}

impl Action {
    pub(crate) const WORDS: [(&'static str, Action); 4] = [
        ("allow", Action::Allow),
        ("warn", Action::Warn),
        ("deny", Action::Deny),
        ("quarantine", Action::Quarantine),
    ];

    /// Its word in the policy and in events.
    pub fn name(self) -> &'static str {
        Action::WORDS[self as usize].0
    }

    /// Whether the call is refused where the rule is carried out.
    pub fn refuses(self) -> bool {
        matches!(self, Action::Deny | Action::Quarantine)
    }
}

/// Whether the policy is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// What a rule denies is refused.
    Enforce,
    /// Nothing is refused; verdicts are recorded as they would have been.
    Observe,
}

impl Mode {
    pub(crate) const WORDS: [(&'static str, Mode); 2] =
        [("enforce", Mode::Enforce), ("observe", Mode::Observe)];
}

/// A guard that is switched on, one `[[rule]]`, or the default that decides where none matches.
#[derive(Debug)]
pub struct Rule {
    pub(crate) place: usize,
    pub(crate) name: Box<str>,
    pub(crate) action: Action,
    pub(crate) enforce: Enforce,
    /// Where and when a staged rule is carried out.
    pub(crate) stage: Stage,
    pub(crate) harden: Option<Harden>,
    pub(crate) reason: Option<Box<str>>,
    pub(crate) remedy: Option<Box<str>>,
    pub(crate) clause: Option<Box<str>>,
    pub(crate) edition: Option<Box<str>>,
    pub(crate) profile: Option<&'static str>,
    pub(crate) rv: Option<u64>,
    pub(crate) quarantine: Option<Quarantine>,
    pub(crate) words: Box<str>,
    pub(crate) acts: Acts,
    pub(crate) mechanism: Option<Mechanisms>,
    /// What is asked besides acts and mechanisms, in the order of the registry; moved into the policy in the end.
    pub(crate) conditions: Box<[Condition]>,
}

impl Rule {
    /// Its place, from 0: guards first, then the rules of included profiles, then those of the file, then the default.
    pub fn place(&self) -> usize {
        self.place
    }

    /// Its name: unique in the policy, `default` for the default.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it does.
    pub fn action(&self) -> Action {
        self.action
    }

    /// Whether it is carried out, or in shadow.
    pub fn enforce(&self) -> Enforce {
        self.enforce
    }

    /// Whether it is carried out for this call, if the policy is.
    #[inline]
    pub(crate) fn is_enforced(&self, facts: &Facts<'_>) -> bool {
        match self.enforce {
            Enforce::Always => true,
            Enforce::Never => false,
            Enforce::Staged => self.stage.is_met(facts),
        }
    }

    /// Why it stands in the policy.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// What to do instead; always there where the action refuses.
    pub fn remedy(&self) -> Option<&str> {
        self.remedy.as_deref()
    }

    /// Who is held and for how long, where the action is `Quarantine`.
    pub fn quarantine(&self) -> Option<Quarantine> {
        self.quarantine
    }

    /// The clause that it stands for, of a standard or of a publication.
    pub fn clause(&self) -> Option<&str> {
        self.clause.as_deref()
    }

    /// The edition of what its clause is of.
    pub fn edition(&self) -> Option<&str> {
        self.edition.as_deref()
    }

    /// The built-in profile that it comes from.
    pub fn profile(&self) -> Option<&'static str> {
        self.profile
    }

    /// The keys of its conditions, all of which a call that it decides has met; `guard` or `no rule` for the others.
    pub fn conditions(&self) -> &str {
        &self.words
    }
}

/// What the policy says of one call.
#[must_use = "a verdict that nobody asks refuses nothing"]
#[derive(Debug, Clone, Copy)]
pub struct Verdict<'p> {
    pub(crate) rule: &'p Rule,
    pub(crate) action: Action,
    pub(crate) enforced: bool,
    /// What the call does, for which a refusal returns what fits.
    pub(crate) act: Act,
    pub(crate) nested: Option<u64>,
    /// Where `rule` decided on what is inside the parameter: the rule that decided on the call itself, and whether that one is
    /// carried out.
    pub(crate) outer: Option<(&'p Rule, bool)>,
}

impl<'p> Verdict<'p> {
    /// What is to be done: what the rule does, but `Allow` where the default meets a call without a mechanism.
    pub fn action(self) -> Action {
        self.action
    }

    /// Whether it is carried out: false for a rule in shadow and in observe mode.
    pub fn enforced(self) -> bool {
        self.enforced
    }

    /// Whether the call must not go on.
    pub fn refuses(self) -> bool {
        self.action.refuses() && self.enforced
    }

    /// The rule that decided: the first that matches, else the default.
    pub fn rule(self) -> &'p Rule {
        self.rule
    }

    /// The `CKR_` number that the call returns if it is refused.
    pub fn rv(self) -> u64 {
        match self.rule.rv {
            Some(rv) if !Acts::SEEN.contains(self.act) => rv,
            _ => refusal::usual(self.act),
        }
    }

    /// Whether it is stricter than another.
    pub fn is_stricter_than(self, other: Verdict<'_>) -> bool {
        self.weight() > other.weight()
    }

    /// The mechanism inside the parameter of the call's own that was decided on, where that was the stricter verdict.
    pub fn nested(self) -> Option<u64> {
        self.nested
    }

    /// What is added to the templates of a call that goes on, and whether it is: in shadow and in observe mode it is only said.
    /// That is for the rule that decided on the call itself, whatever is inside its parameter.
    pub fn harden(self) -> Option<(&'p Harden, bool)> {
        let (rule, enforced) = self.outer.unwrap_or((self.rule, self.enforced));
        rule.harden.as_ref().filter(|_| !self.refuses()).map(|harden| (harden, enforced))
    }

    /// What decided, in words: see [`Rule::conditions`].
    pub fn decided_by(self) -> &'p str {
        self.rule.conditions()
    }

    /// How strict it is.
    pub(crate) fn weight(self) -> u8 {
        match (self.action, self.enforced) {
            (Action::Allow, _) => 0,
            (Action::Warn, _) => 1,
            (Action::Deny, false) => 2,
            (Action::Quarantine, false) => 3,
            (Action::Deny, true) => 4,
            (Action::Quarantine, true) => 5,
        }
    }
}
