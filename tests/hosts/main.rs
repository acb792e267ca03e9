// SPDX-License-Identifier: Apache-2.0
//! The test host: loads a module as an application does and calls it in ways no tool would. One subject per run:
//! `host SUBJECT MODULE ARGUMENT…`; what it saw goes to standard output, one fact per line, for a test to judge.
//! It judges nothing itself: status 0 means that it got to the end.

// Counts of a few hundred, on the 64-bit hosts that PKCS#11's types are tested on.
#![allow(clippy::cast_possible_truncation)]

#[path = "../attacks/attacks.rs"]
mod attacks;
mod cross;
mod digests;
mod discovery;
mod frame;
mod keys;
mod lifecycle;
mod module;
mod nested;
mod nulls;
mod script;
mod search;
mod sight;
mod storm;
mod veto;

use std::process::ExitCode;

/// What a run is about; it takes the module and the subject's own arguments.
type Subject = fn(&[String]);

/// Every subject.
const SUBJECTS: &[(&str, Subject)] = &[
    ("initialize", lifecycle::initialize),
    ("fork", lifecycle::fork),
    ("reload", lifecycle::reload),
    ("interfaces", discovery::interfaces),
    ("tables", discovery::tables),
    ("mechanisms", discovery::mechanisms),
    ("nulls", nulls::nulls),
    ("veto", veto::veto),
    ("race", veto::race),
    ("parameter", veto::parameter),
    ("cross", cross::cross),
    ("nested", nested::nested),
    ("words", nested::words),
    ("handles", sight::handles),
    ("inside", sight::inside),
    ("slots", sight::slots),
    ("search", search::search),
    ("foreign", search::foreign),
    ("storm", storm::storm),
    ("script", script::script),
    ("digests", digests::digests),
    ("attack", attacks::attack),
    ("life", attacks::life),
    ("keys", keys::keys),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let subject = arguments.first().and_then(|name| SUBJECTS.iter().find(|(known, _)| known == name));
    match subject {
        Some((_, run)) if arguments.len() > 1 => run(&arguments[1..]),
        _ => {
            let names: Vec<_> = SUBJECTS.iter().map(|(name, _)| *name).collect();
            eprintln!("host: say `host SUBJECT MODULE …` with one of the subjects {}", names.join(", "));
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
