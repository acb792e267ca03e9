// SPDX-License-Identifier: Apache-2.0
//! The policy: text in, a table of decisions out, one verdict per call.
//!
//! Rules are ordered and the first that matches decides. A policy with a mistake in it is refused as a
//! whole, with every mistake placed (`path:line:column`, carets, what to write instead). Nothing here reads
//! a file, asks a clock, starts a thread or, when judging, allocates: text and facts are handed in.
#![forbid(unsafe_code)]

mod conditions;
mod diagnostic;
mod file;
mod index;
mod kinds;
mod problem;
mod reader;
mod rule;
mod sense;

pub use conditions::Facts;
pub use diagnostic::{Diagnostic, Diagnostics};
pub use rule::{Action, Mode, Rule, Verdict};

use conditions::Conditions;
use diagnostic::Report;
use event::mechanism::Operation;
use index::Index;
use problem::Problem;
use sha2::{Digest, Sha256};

/// The longest policy that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// The name of the verdict where no rule matches; no rule may take it.
const DEFAULT: &str = "default";
/// Why a call that no rule matches gets the default's verdict.
const DEFAULT_REASON: &str = "no rule of the policy matches this call";
/// What to do where the default refuses.
const DEFAULT_REMEDY: &str = "use a mechanism that the policy allows, or add a rule that allows this one and try it \
                              with `p11guard policy check FILE`";

/// A policy that holds together, ready to judge.
#[derive(Debug)]
pub struct Policy {
    name: Box<str>,
    mode: Mode,
    rules: Box<[Rule]>,
    default: Rule,
    index: Index,
    hash: [u8; 32],
}

impl Policy {
    /// Reads a policy; `path` is only what messages call it.
    ///
    /// # Errors
    /// Every mistake of the text, each with its place and a remedy. A policy with a mistake is no policy.
    pub fn parse(path: &str, bytes: &[u8]) -> Result<Policy, Diagnostics> {
        let bytes_read = if bytes.len() > MAX_BYTES { &[] } else { bytes };
        let text = bytes_read.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        let mut report = Report::new(text);
        let file = if bytes.len() > MAX_BYTES {
            report.add(0..0, Problem::TooLarge { bytes: bytes.len() });
            None
        } else if let Some(byte) = bytes.get(text.len()) {
            report.add(text.len()..text.len(), Problem::NotUtf8 { byte: *byte });
            None
        } else {
            file::read(text, &mut report)
        };
        let file = report.finish(path, file)?;
        let default = Rule {
            place: file.rules.len(),
            name: DEFAULT.into(),
            action: file.default,
            enforce: true,
            reason: Some(DEFAULT_REASON.into()),
            remedy: Some(DEFAULT_REMEDY.into()),
            conditions: Conditions::default(),
        };
        Ok(Policy {
            name: file.name,
            mode: file.mode,
            index: Index::new(&file.rules),
            rules: file.rules.into(),
            default,
            hash: Sha256::digest(bytes).into(),
        })
    }

    /// The verdict on a call: that of the first rule whose conditions the facts meet, else the default's.
    pub fn judge(&self, facts: &Facts) -> Verdict<'_> {
        let rule = self
            .candidates(facts.mechanism, facts.operation)
            .find(|rule| rule.conditions.met_by(facts))
            .unwrap_or(&self.default);
        self.verdict(rule)
    }

    /// Whether some key could be used with this mechanism in this operation without being refused. What is
    /// false here is refused whatever the key; the mechanism list and info that an application sees are
    /// filtered by it.
    pub fn may_use(&self, mechanism: u64, operation: Operation) -> bool {
        for rule in self.candidates(mechanism, operation) {
            if !self.verdict(rule).refuses() {
                return true;
            }
            if rule.conditions.indexed_only() {
                return false;
            }
        }
        !self.verdict(&self.default).refuses()
    }

    /// Its name; `unnamed` where the file gives none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is carried out.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The SHA-256 of its text.
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// Every rule in order, the default last: `Rule::place` counts in this order.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().chain([&self.default])
    }

    fn candidates(&self, mechanism: u64, operation: Operation) -> impl Iterator<Item = &Rule> {
        self.index.candidates(mechanism, operation).map(|place| &self.rules[place])
    }

    fn verdict<'p>(&self, rule: &'p Rule) -> Verdict<'p> {
        Verdict { rule, enforced: rule.enforce && self.mode == Mode::Enforce }
    }
}
