// SPDX-License-Identifier: Apache-2.0
//! An event as it is explained: the call, what was said of it when it was made, and where that policy may be.

use std::fs;
use std::path::PathBuf;

use policy::Policy;
use settings::Shim;

use super::super::super::Failure;
use super::super::check::hash;
use super::super::hardened::Hardened;
use super::super::known::Known;
use super::super::recorded::{Held, Line};
use super::super::source::Stream;
use super::configurations;

/// An event.
pub(super) struct Told {
    pub(super) id: Option<String>,
    pub(super) time: Option<String>,
    pub(super) call: Known,
    /// What the call saw.
    pub(super) sights: Vec<Known>,
    pub(super) then: Then,
    /// The policy file that the process named when its stream was opened.
    policy: Option<PathBuf>,
}

/// What was said of the call when it was made.
#[derive(Default)]
pub(super) struct Then {
    pub(super) action: String,
    pub(super) enforced: bool,
    pub(super) rule: Option<String>,
    pub(super) conditions: Option<String>,
    pub(super) nested: Option<u64>,
    pub(super) clause: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) remedy: Option<String>,
    /// Who was held, and until when.
    pub(super) held: Option<String>,
    /// Mechanisms of the token that would have been allowed.
    pub(super) instead: Vec<u64>,
    /// What was added to its templates, or would have been.
    pub(super) hardened: Option<Hardened>,
    /// SHA-256 of the policy, or its first eight bytes.
    pub(super) policy: Option<String>,
}

impl Told {
    /// Reads an event by itself.
    pub(super) fn read(text: &[u8]) -> Result<Told, Failure> {
        let line = Line::read(text).map_err(|error| {
            let text =
                format!("standard input is not one event: {error}; hand in one line of p11guard tail --json");
            Failure::Refused(text)
        })?;
        Told::of(&line, &Stream::default())
    }

    /// An event of a stream.
    pub(super) fn of(line: &Line<'_>, stream: &Stream) -> Result<Told, Failure> {
        let sights = line.sights(stream);
        // A call that only sees may have been judged by that.
        let judged = line.verdict.as_ref().is_some_and(|verdict| verdict.rule.is_some());
        let seen = || sights.last().cloned().filter(|_| judged);
        let call = line.call(stream).or_else(seen).ok_or_else(|| {
            Failure::Refused(
                "the event is none that a policy judges; explain one whose `verdict` is allow, warn or deny"
                    .into(),
            )
        })?;
        let text = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(str::to_owned);
        let mut then = line.verdict.as_ref().map_or_else(Then::default, |verdict| Then {
            action: verdict.action.to_string(),
            enforced: verdict.enforced,
            rule: text(&verdict.rule),
            conditions: text(&verdict.conditions),
            nested: verdict.nested.map(|word| word.number),
            clause: text(&verdict.clause),
            reason: text(&verdict.reason),
            remedy: text(&verdict.remedy),
            held: verdict.quarantine.as_ref().map(Held::words),
            instead: verdict.instead.iter().map(|word| word.number).collect(),
            policy: text(&verdict.policy),
            hardened: None,
        });
        then.hardened = Hardened::told(&line.hardened);
        Ok(Told {
            id: text(&line.id),
            time: text(&line.time),
            call,
            sights,
            then,
            policy: stream.policy.clone(),
        })
    }

    /// The policy that the event names, where a file that its process or this host's configurations name still has
    /// that hash.
    pub(super) fn policy_in_place(&self) -> Option<(PathBuf, Policy)> {
        let wanted = self.then.policy.as_deref()?;
        let configured = configurations().into_iter().filter_map(|path| {
            let bytes = fs::read(&path).ok()?;
            Shim::parse(&path.to_string_lossy(), &bytes).ok().map(|shim| shim.policy)
        });
        self.policy.clone().into_iter().chain(configured).find_map(|path| {
            let bytes = fs::read(&path).ok()?;
            let policy = Policy::parse(&path.to_string_lossy(), &bytes).ok()?;
            hash(&policy).starts_with(wanted).then_some((path, policy))
        })
    }
}
