// SPDX-License-Identifier: Apache-2.0
//! The policy in force, and its replacement while calls are under way: a call keeps the policy that it began with, so
//! its verdict and the hash that its record carries are of one policy. What was replaced is kept until the process ends.
//!
//! A new policy comes as a new file in the place of the old one (`mv`, `install`): a file that is written where it
//! stands could be read half written, and half a policy may allow more than the whole. For the same reason a file is
//! taken in only once it was found unchanged by two looks in a row.
#![allow(unsafe_code)]

use event::record::{self, Rule, Text, What};
use event::wire::{FOLLOWS, MAX_PART, MAX_RULE, encode_policy, encode_rule};
use parking_lot::Mutex;
use policy::{Action, Policy, Subject};
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};

use crate::facts;
use crate::process::Process;
use crate::recorder::Recorder;
use crate::start::fault::Fault;
use crate::start::files::{self, Content, Identity};
use crate::start::signature;

/// Stands where the place of a rule is not asked for yet. Places are multiples of eight.
const NOT_YET: u64 = 1;

/// A policy with all that a record says of it.
pub(crate) struct InForce {
    pub(crate) policy: Policy,
    /// The first eight bytes of its hash.
    prefix: u64,
    /// What records carry of it.
    text: Box<[u64]>,
    /// Where the ring of the recorder with number `ring` defines that.
    place: AtomicU64,
    /// The process, where the policy asks which one it is.
    pub(crate) process: Option<Process>,
    /// By place of the rule: its text as records carry it.
    texts: Box<[Box<[u64]>]>,
    /// By place of the rule: where the ring of the recorder with number `ring` defines that text.
    places: Box<[AtomicU64]>,
    ring: AtomicU64,
}

impl InForce {
    fn new(policy: Policy) -> InForce {
        let [a, b, c, d, e, f, g, h, ..] = policy.hash();
        let texts: Box<[_]> = policy.rules().map(text_of).collect();
        InForce {
            prefix: u64::from_be_bytes([a, b, c, d, e, f, g, h]),
            text: words_of(&policy),
            place: AtomicU64::new(FOLLOWS),
            places: texts.iter().map(|_| AtomicU64::new(NOT_YET)).collect(),
            texts,
            process: policy.asks_ever(Subject::Process).then(Process::own),
            ring: AtomicU64::new(0),
            policy,
        }
    }

    /// How a record speaks of the policy.
    #[inline]
    pub(crate) fn mark(&self, recorder: Option<&Recorder>) -> Mark {
        if let Some(recorder) = recorder
            && self.ring.load(Ordering::Acquire) != recorder.number()
        {
            self.introduce(recorder);
        }
        match self.place.load(Ordering::Relaxed) {
            FOLLOWS => Mark { word: self.prefix, defined: false },
            place => Mark { word: place, defined: true },
        }
    }

    /// Another process, or a new ring: what was defined is not defined there.
    #[cold]
    fn introduce(&self, recorder: &Recorder) {
        self.places.iter().for_each(|place| place.store(NOT_YET, Ordering::Relaxed));
        self.place.store(recorder.place_of(&self.text), Ordering::Relaxed);
        self.ring.store(recorder.number(), Ordering::Release);
    }

    /// A rule as records carry it.
    pub(crate) fn text(&'static self, rule: &policy::Rule) -> &'static [u64] {
        self.texts.get(rule.place()).map_or(&[], |text| text)
    }

    /// How a record speaks of a rule: the place of its definition, and the text itself where that place is none.
    #[inline]
    pub(crate) fn rule(&self, rule: &policy::Rule, recorder: Option<&Recorder>) -> (u64, &[u64]) {
        let Some((text, place)) = self.texts.get(rule.place()).zip(self.places.get(rule.place())) else {
            return (FOLLOWS, &[]);
        };
        let Some(recorder) = recorder else { return (FOLLOWS, text) };
        // Acquire: the definition that another thread wrote comes before the record that speaks of it.
        let known = match place.load(Ordering::Acquire) {
            NOT_YET => {
                let defined = recorder.place_of(text);
                place.store(defined, Ordering::Release);
                defined
            }
            known => known,
        };
        (known, if known == FOLLOWS { text } else { &[] })
    }
}

/// How a record speaks of a policy: by the place of its definition, else by the first bytes of its hash.
pub(crate) struct Mark {
    pub(crate) word: u64,
    pub(crate) defined: bool,
}

/// What was found in the place of the policy.
struct Seen {
    /// The file that was decided on last: taken in, or refused.
    decided: Identity,
    /// The file that was found last.
    found: Identity,
}

/// Where policies come from, and which is in force.
pub(crate) struct Source {
    path: PathBuf,
    /// The key that signs policies, if they must be signed.
    key: Option<String>,
    /// Who may own the file besides root.
    owner: u32,
    /// Why a policy was refused is written here.
    spool: Option<PathBuf>,
    in_force: AtomicPtr<InForce>,
    seen: Mutex<Seen>,
    /// A new file was found, and is looked at again.
    pending: AtomicBool,
    /// What the collector said when it was last looked at.
    announced: AtomicU64,
}

impl Source {
    /// The policy at `path`, read for the first time as `content`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn new(
        path: PathBuf,
        key: Option<String>,
        owner: u32,
        spool: Option<PathBuf>,
        content: &Content,
    ) -> Result<Source, Fault> {
        let policy = checked(&path, &content.bytes, key.as_deref(), owner)
            .map_err(|wrong| Fault::new(wrong, spool.clone()))?;
        let in_force = AtomicPtr::new(Box::into_raw(Box::new(InForce::new(policy))));
        let seen = Mutex::new(Seen { decided: content.identity, found: content.identity });
        let (pending, announced) = (AtomicBool::new(false), AtomicU64::new(0));
        Ok(Source { path, key, owner, spool, in_force, seen, pending, announced })
    }

    /// The policy in force.
    #[inline]
    pub(crate) fn in_force(&self) -> &'static InForce {
        // SAFETY: what is stored there came from a box that is never freed.
        unsafe { &*self.in_force.load(Ordering::Acquire) }
    }

    /// Whether there may be a new policy: `announced`, the collector's word, is a new one, or there is no collector.
    pub(crate) fn may_be_new(&self, announced: Option<u64>) -> bool {
        let new = announced.is_none_or(|word| self.announced.swap(word, Ordering::Relaxed) != word);
        new || self.pending.load(Ordering::Relaxed)
    }

    /// Takes a new policy in, if there is one and nothing is wrong with it; what came of that, if anything did.
    #[cold]
    pub(crate) fn look(&self) -> Option<(What, String)> {
        // Another thread that is at it already is enough.
        let mut seen = self.seen.try_lock()?;
        let found = files::identity(&self.path).filter(|found| *found != seen.decided);
        self.pending.store(found.is_some(), Ordering::Relaxed);
        let now = found?;
        if now != seen.found {
            seen.found = now;
            return None;
        }
        let in_place = now.same_file(&seen.decided);
        seen.decided = now;
        self.pending.store(false, Ordering::Relaxed);
        let replaced = if in_place { Err(self.written_in_place()) } else { self.replacement(&now) };
        match replaced {
            Ok(policy) => {
                let new = ptr::from_mut(Box::leak(Box::new(InForce::new(policy))));
                self.in_force.store(new, Ordering::Release);
                Some((What::PolicyReplaced, String::new()))
            }
            Err(fault) => {
                fault.write_down();
                Some((What::PolicyRefused, fault.to_string()))
            }
        }
    }

    fn replacement(&self, now: &Identity) -> Result<Policy, Fault> {
        let kept = |text: &dyn std::fmt::Display| {
            Fault::new(
                format_args!("the policy was not replaced, the last good one stays in force\n{text}"),
                self.spool.clone(),
            )
        };
        let content = files::read(&self.path, self.owner).map_err(|error| kept(&error))?;
        if content.identity != *now {
            return Err(kept(&"it changed while it was read: it is tried again once it changes again"));
        }
        let policy = checked(&self.path, &content.bytes, self.key.as_deref(), self.owner)
            .map_err(|wrong| kept(&wrong))?;
        let (old, new) = (self.in_force().policy.revision(), policy.revision());
        if new < old {
            return Err(kept(&format_args!(
                "{}: error: it has revision {new}, the one in force {old}\nhelp: give it a revision of at least {old}",
                self.path.display()
            )));
        }
        Ok(policy)
    }

    fn written_in_place(&self) -> Fault {
        let text = format_args!(
            "{}: error: it was written where it stands, and may have been read half written: the last good one stays in \
             force\nhelp: write a new file beside it and move it into its place (mv)",
            self.path.display()
        );
        Fault::new(text, self.spool.clone())
    }
}

/// The policy that a file holds, if it is signed as it must be and nothing is wrong with it.
fn checked(path: &Path, bytes: &[u8], key: Option<&str>, owner: u32) -> Result<Policy, String> {
    if let Some(key) = key {
        signature::check(path, bytes, key, owner).map_err(|unsigned| unsigned.to_string())?;
    }
    Policy::parse(&path.display().to_string(), bytes).map_err(|wrong| wrong.to_string())
}

/// A policy as records carry it.
fn words_of(policy: &Policy) -> Box<[u64]> {
    let name = Text::of(policy.name());
    let policy = record::Policy { hash: policy.hash(), revision: policy.revision(), name };
    let mut bytes = [0; MAX_PART];
    let length = encode_policy(&policy, &mut bytes);
    facts::words(&bytes, length).into()
}

/// A rule as records carry it; one that allows needs no more than its name.
fn text_of(rule: &policy::Rule) -> Box<[u64]> {
    let text =
        |text: Option<&str>| Text::of(text.filter(|_| rule.action() != Action::Allow).unwrap_or_default());
    let rule = Rule {
        name: Text::of(rule.name()),
        conditions: text(Some(rule.conditions())),
        clause: text(rule.clause()),
        reason: text(rule.reason()),
        remedy: text(rule.remedy()),
    };
    let mut bytes = [0; MAX_RULE];
    let length = encode_rule(&rule, &mut bytes);
    facts::words(&bytes, length).into()
}
