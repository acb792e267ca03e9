// SPDX-License-Identifier: Apache-2.0
//! The file as it is written: which keys there are at the top, and which profiles and guards it switches on. Refuses
//! what it does not know; rules are read in `draft.rs`, and whether they make sense together is for `sense.rs`.

use crate::act::Acts;
use crate::conditions::Condition;
use crate::diagnostic::Report;
use crate::draft;
use crate::guards;
use crate::index::Index;
use crate::problem::{Problem, Wanted};
use crate::profile::{self, Profile};
use crate::reader::{Section, list, number, text, word, wrong_type};
use crate::rule::{Action, Mode, Rule};
use crate::sense;
use crate::stage::{Enforce, Stage};
use toml::de::{DeTable, DeValue};

const VERSION: Wanted = Wanted { what: "number", example: "version = 1" };
const REVISION: Wanted = Wanted { what: "revision", example: "revision = 12" };
const MODE: Wanted = Wanted { what: "mode", example: "mode = \"observe\"" };
const DEFAULT: Wanted = Wanted { what: "default", example: "\"deny\"" };
const RULE: Wanted = Wanted { what: "list of rules", example: "[[rule]]" };
const PROFILE: Wanted = Wanted { what: "profile", example: "\"baseline\"" };
const PROFILES: Wanted = Wanted { what: "list of profiles", example: "[\"baseline\"]" };
const GUARD: Wanted = Wanted { what: "guard", example: "\"role-separation\"" };
const GUARDS: Wanted = Wanted { what: "list of guards", example: "[\"role-separation\"]" };

/// What can be said of calls that no rule is for. To hold somebody takes a rule that says why.
const DEFAULTS: &[(&str, Action)] = Action::WORDS.split_at(3).0;

/// The keys at the top of a policy.
const KEYS: &[&str] = &["version", "revision", "name", "mode", "default", "include", "guards", "rule"];
/// Those of a profile. It is a policy of its own too, but where it is included mode and default are the file's.
const PROFILE_KEYS: &[&str] = &["version", "name", "mode", "default", "guards", "rule"];

/// A policy as it is written.
pub(crate) struct File {
    pub(crate) name: Box<str>,
    pub(crate) revision: u64,
    pub(crate) mode: Mode,
    pub(crate) default: Action,
    /// How many of the rules are guards; they come first, in the order of their registry.
    pub(crate) guards: Vec<&'static guards::Guard>,
    /// The profiles that it includes, in its order.
    pub(crate) profiles: Vec<&'static Profile>,
    pub(crate) rules: Vec<Rule>,
}

/// Reads the policy; what comes back is of use only if nothing was reported.
pub(crate) fn read(source: &str, report: &mut Report<'_>) -> Option<File> {
    let document = parse(source, report)?;
    let top = Section::new(&document, 0..0);
    top.refuse_others(KEYS, report);
    version(&top, report);
    let name = top.value("name").map(|value| text(value, draft::NAME, report));
    let revision = top.value("revision").map(|value| number(value, REVISION, 0..=u64::MAX, report));
    let mode = top.value("mode").map(|value| word(value, MODE, Mode::WORDS.into_iter(), report));
    let default = top.value("default").map(|value| word(value, DEFAULT, DEFAULTS.iter().copied(), report));
    let mut guards = guards(&top, report);
    let mut rules = Vec::new();
    let profiles = included(&top, report);
    for profile in &profiles {
        let (more, of_profile) = read_profile(profile, &top, report);
        guards.extend(more);
        rules.extend(of_profile);
    }
    let own = own_rules(&top, &rules, report);

    let guards: Vec<_> = guards::ALL.iter().filter(|guard| guards.contains(&guard.name)).collect();
    let mut all: Vec<Rule> = guards.iter().map(|guard| of_guard(guard)).chain(rules).collect();
    all.extend(own?);
    for (place, rule) in all.iter_mut().enumerate() {
        rule.place = place;
    }
    for (place, rate) in
        (0..).zip(all.iter_mut().filter_map(|rule| rule.conditions.iter_mut().find_map(Condition::rate_mut)))
    {
        rate.place = place;
    }
    Some(File {
        name: name.unwrap_or_else(|| Some("unnamed".into()))?,
        revision: revision.unwrap_or(Some(0))?,
        mode: mode.unwrap_or(Some(Mode::Enforce))?,
        default: default.unwrap_or(Some(Action::Deny))?,
        guards,
        profiles,
        rules: all,
    })
}

fn parse<'t>(source: &'t str, report: &mut Report<'_>) -> Option<DeTable<'t>> {
    let (document, errors) = DeTable::parse_recoverable(source);
    for error in &errors {
        report.add(error.span().unwrap_or_default(), Problem::Syntax { message: error.message().to_owned() });
    }
    // What is left of a text that is not TOML says little of what was meant.
    errors.is_empty().then(|| document.into_inner())
}

fn version(top: &Section<'_>, report: &mut Report<'_>) {
    match top.value("version") {
        None => top.missing("version", "version = 1", report),
        Some(value) => {
            let found = number(value, VERSION, 0..=u64::MAX, report);
            if let Some(found) = found.filter(|version| *version != 1) {
                report.add(value.span(), Problem::Version { found: found.to_string() });
            }
        }
    }
}

/// The names of the guards that are switched on.
fn guards(top: &Section<'_>, report: &mut Report<'_>) -> Vec<&'static str> {
    let known = guards::ALL.iter().map(|guard| (guard.name, guard.name));
    let named = top.value("guards").and_then(|value| {
        list(value, GUARDS, report, |entry, report| word(entry, GUARD, known.clone(), report))
    });
    named.unwrap_or_default()
}

fn included(top: &Section<'_>, report: &mut Report<'_>) -> Vec<&'static Profile> {
    let known = profile::ALL.iter().zip(0_usize..).map(|(profile, place)| (profile.name, place));
    let named = top.value("include").and_then(|value| {
        list(value, PROFILES, report, |entry, report| word(entry, PROFILE, known.clone(), report))
    });
    named.unwrap_or_default().into_iter().map(|place| &profile::ALL[place]).collect()
}

/// The guards and the rules of a profile. What is wrong with it is told where it is included.
fn read_profile(
    profile: &Profile,
    top: &Section<'_>,
    report: &mut Report<'_>,
) -> (Vec<&'static str>, Vec<Rule>) {
    let mut own = Report::new(profile.text);
    let mut read = || {
        let document = parse(profile.text, &mut own)?;
        let top = Section::new(&document, 0..0);
        top.refuse_others(PROFILE_KEYS, &mut own);
        version(&top, &mut own);
        Some((guards(&top, &mut own), own_rules(&top, &[], &mut own)?))
    };
    let read = read();
    match own.finish(profile.name, read) {
        Ok((guards, mut rules)) => {
            rules.iter_mut().for_each(|rule| rule.profile = Some(profile.name));
            (guards, rules)
        }
        Err(diagnostics) => {
            let message = diagnostics.to_string();
            report.add(top.span_of("include"), Problem::BrokenProfile { name: profile.name, message });
            (Vec::new(), Vec::new())
        }
    }
}

/// A guard as the rule that it is for everybody outside.
fn of_guard(guard: &guards::Guard) -> Rule {
    Rule {
        place: 0,
        name: guard.name.into(),
        action: Action::Deny,
        enforce: Enforce::Always,
        stage: Stage::default(),
        harden: None,
        reason: Some(guard.reason.into()),
        remedy: Some(guard.remedy.into()),
        clause: Some(guard.clause.into()),
        edition: None,
        profile: None,
        rv: Some(guard.rv),
        quarantine: None,
        words: "guard".into(),
        acts: Acts::default(),
        mechanism: None,
        conditions: Box::default(),
    }
}

/// The rules of the file; `before` are those of the profiles that it includes.
fn own_rules(top: &Section<'_>, before: &[Rule], report: &mut Report<'_>) -> Option<Vec<Rule>> {
    let Some(value) = top.value("rule") else {
        return Some(Vec::new());
    };
    let DeValue::Array(tables) = value.get_ref() else {
        return wrong_type(value, RULE, report);
    };
    let problems = report.len();
    let mut rules: Vec<Rule> = Vec::with_capacity(tables.len());
    let mut sections: Vec<Section<'_>> = Vec::with_capacity(tables.len());
    for table in tables.iter() {
        if let DeValue::Table(keys) = table.get_ref() {
            let section = Section::new(keys, table.span());
            if let Some(rule) = draft::rule(&section, report) {
                rules.push(rule);
                sections.push(section);
            }
        } else {
            wrong_type::<()>(table, RULE, report);
        }
    }
    sense::unique_names(&rules, &sections, before, report);
    sense::few_rates(&rules, &sections, before, report);
    // Which rule shadows which is known only where every rule could be read.
    if report.len() == problems {
        sense::all_reachable(&rules, &sections, &Index::new(&rules), report);
    }
    Some(rules)
}
