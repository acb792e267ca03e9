// SPDX-License-Identifier: Apache-2.0
//! A rule of the policy, and the verdict that it gives.

use crate::conditions::Conditions;

/// What a rule does with the calls that it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// The call is right.
    Allow,
    /// The call goes on and is worth a look.
    Warn,
    /// The call is refused.
    Deny,
}

impl Action {
    pub(crate) const WORDS: [(&'static str, Action); 3] =
        [("allow", Action::Allow), ("warn", Action::Warn), ("deny", Action::Deny)];

    /// Its word in the policy and in events.
    pub fn name(self) -> &'static str {
        Action::WORDS[self as usize].0
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

/// One `[[rule]]`, or the default that decides where none matches.
#[derive(Debug)]
pub struct Rule {
    pub(crate) place: usize,
    pub(crate) name: Box<str>,
    pub(crate) action: Action,
    pub(crate) enforce: bool,
    pub(crate) reason: Option<Box<str>>,
    pub(crate) remedy: Option<Box<str>>,
    pub(crate) conditions: Conditions,
}

impl Rule {
    /// Its place in the policy, from 0; the default stands after the last rule.
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

    /// False for a rule in shadow: its verdict is recorded, and the call goes on.
    pub fn enforce(&self) -> bool {
        self.enforce
    }

    /// Why it stands in the policy.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// What to do instead; always there where the action is `Deny`.
    pub fn remedy(&self) -> Option<&str> {
        self.remedy.as_deref()
    }
}

/// What the policy says of one call.
#[must_use = "a verdict that nobody asks refuses nothing"]
#[derive(Debug, Clone, Copy)]
pub struct Verdict<'p> {
    pub(crate) rule: &'p Rule,
    pub(crate) enforced: bool,
}

impl<'p> Verdict<'p> {
    /// What the rule does.
    pub fn action(self) -> Action {
        self.rule.action
    }

    /// Whether it is carried out: false for a rule in shadow and in observe mode.
    pub fn enforced(self) -> bool {
        self.enforced
    }

    /// Whether the call must not go on.
    pub fn refuses(self) -> bool {
        self.rule.action == Action::Deny && self.enforced
    }

    /// The rule that decided: the first that matches, else the default.
    pub fn rule(self) -> &'p Rule {
        self.rule
    }
}
