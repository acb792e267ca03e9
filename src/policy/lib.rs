// SPDX-License-Identifier: Apache-2.0
//! The policy: text in, a table of decisions out, one verdict per call.
//!
//! Guards that are switched on are asked first, then rules in order: the first that matches decides. A policy with a
//! mistake in it is refused as a whole, with every mistake placed (`path:line:column`, carets, what to write instead).
//! Nothing here reads a file, asks a clock, starts a thread or, when judging, allocates: text and facts are handed in.
#![forbid(unsafe_code)]

mod act;
mod conditions;
mod counters;
mod day;
mod diagnostic;
mod draft;
mod facts;
mod file;
mod glob;
mod guards;
mod harden;
mod index;
mod judge;
mod kinds;
mod problem;
mod profile;
mod quarantine;
mod rates;
mod reader;
mod refusal;
mod rule;
mod sense;
mod span;
mod stage;
mod strength;
mod subject;
mod usable;

pub use act::{Act, Acts, GROUPS};
pub use counters::{Belongs, Counted, Counters, failed};
pub use diagnostic::{Diagnostic, Diagnostics};
pub use event::record::Extent;
pub use facts::{Facts, Input, Memory, NOBODY, Object, Origin, Process, Token};
pub use harden::{Additions, Harden};
pub use kinds::Per;
pub use quarantine::Quarantine;
pub use rule::{Action, Mode, Rule, Verdict};
pub use stage::Enforce;
pub use subject::Subject;

use conditions::Condition;
use diagnostic::Report;
use index::Index;
use problem::Problem;
use profile::Profile;
use sha2::{Digest, Sha256};
use stage::Stage;
use usable::Usable;

/// The longest policy that is read, in bytes.
pub const MAX_BYTES: usize = 4 << 20;

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
    revision: u64,
    mode: Mode,
    /// Guards first, as many as `guards`.
    rules: Box<[Rule]>,
    default: Rule,
    guards: judge::Guards,
    /// The conditions of all rules, one rule's after the other's: what is asked together lies together.
    conditions: Box<[Condition]>,
    rates: Box<[rates::Rate]>,
    index: Index,
    usable: Usable,
    considered: Acts,
    remembers: bool,
    asked: subject::Asked,
    hardens: bool,
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
        let mut file = report.finish(path, file)?;
        let default = Rule {
            place: file.rules.len(),
            name: DEFAULT.into(),
            action: file.default,
            enforce: Enforce::Always,
            stage: Stage::default(),
            harden: None,
            reason: Some(DEFAULT_REASON.into()),
            remedy: Some(DEFAULT_REMEDY.into()),
            clause: None,
            edition: None,
            profile: None,
            rv: None,
            quarantine: None,
            words: "no rule".into(),
            acts: Acts::WITH_MECHANISM,
            mechanism: None,
            conditions: Box::default(),
        };
        let recalls =
            |condition: &Condition| matches!(condition, Condition::foreign(_) | Condition::origin(_));
        let remembers =
            !file.guards.is_empty() || file.rules.iter().any(|rule| rule.conditions.iter().any(recalls));
        Ok(Policy {
            name: file.name,
            revision: file.revision,
            mode: file.mode,
            index: Index::new(&file.rules),
            usable: Usable::new(&file.guards, &file.rules, &default, file.mode == Mode::Enforce),
            asked: subject::Asked::new(&file.rules, &file.guards, remembers),
            considered: judge::considered(&file.rules, &file.guards),
            rates: rates::of_rules(&file.rules),
            conditions: file.rules.iter_mut().flat_map(|rule| std::mem::take(&mut rule.conditions)).collect(),
            remembers,
            hardens: file.rules.iter().any(|rule| rule.harden.is_some()),
            rules: file.rules.into(),
            default,
            guards: judge::Guards::new(&file.guards),
            hash: hash(bytes, &file.profiles),
        })
    }

    /// Its name; `unnamed` where the file gives none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which of its revisions this is, 0 where the file does not say: a running library takes none that is lower.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether it can make use of [`Memory`]: where not, nobody needs to keep any.
    pub fn remembers(&self) -> bool {
        self.remembers
    }

    /// Whether calls that do this are judged by facts of this kind: where not, nobody needs to look them up.
    #[inline]
    pub fn asks(&self, subject: Subject, act: Act) -> bool {
        self.asked.asks(subject, act)
    }

    /// Whether any call is judged by facts of this kind.
    pub fn asks_ever(&self, subject: Subject) -> bool {
        Act::ALL.iter().any(|act| self.asks(subject, *act))
    }

    /// Whether calls that do this are judged by more than their mechanism and its parameter; where not,
    /// [`Policy::judge_mechanism`] says the same as [`Policy::judge`], for less.
    #[inline]
    pub fn asks_more(&self, act: Act) -> bool {
        self.asked.asks_more(act)
    }

    /// Whether rules say what may be seen at all: where not, nobody needs to look.
    pub fn hides(&self) -> bool {
        !self.considered.intersection(Acts::SEEN).is_empty()
    }

    /// Whether a rule adds to templates: where not, no verdict does.
    pub fn hardens(&self) -> bool {
        self.hardens
    }

    /// Whether it is carried out.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The SHA-256 of its file, and right behind it of the text of each profile that it includes, in the order in which
    /// it names them: the same hash means the same rules, whichever version of p11guard brought the profiles. Of a file
    /// that includes none, that of the file alone.
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// Every guard that is switched on, every rule in order, the default last: `Rule::place` counts in this order.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().chain([&self.default])
    }
}

fn hash(file: &[u8], profiles: &[&Profile]) -> [u8; 32] {
    let hash = Sha256::new_with_prefix(file);
    profiles.iter().fold(hash, |hash, profile| hash.chain_update(profile.text)).finalize().into()
}
