// SPDX-License-Identifier: Apache-2.0
//! A log as the collector writes it: several starts, and so several keys, more than 64 KiB of events, three segments.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use collector::proof::Key;
use ed25519_dalek::SigningKey;
use harness::artifacts;
use harness::collector::{Collector, files};
use harness::guard::{ALLOW_ALL, Guard, Way};
use harness::run::run;
use harness::token;

/// Files by their names in the folder of the log.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// The log, and what the attacker has taken as well.
pub(super) struct Sample {
    pub(super) files: Files,
    /// The log as it was after each start but the last.
    pub(super) older: Vec<Files>,
    /// The first key, as an auditor has it.
    pub(super) key: Key,
    /// The secret in force at the end.
    pub(super) secret: SigningKey,
}

impl Sample {
    /// One for all tests: none of them changes it.
    pub(super) fn shared() -> &'static Sample {
        static SAMPLE: LazyLock<Sample> = LazyLock::new(Sample::make);
        &SAMPLE
    }

    /// Writes the log with real calls.
    fn make() -> Sample {
        let mut collector = Collector::prepared();
        let token = token::stub("");
        let guard = collector.guard(Guard::new(&token.module, ALLOW_ALL));
        let way = Way::guarded(guard, token);
        let mut older = Vec::new();
        for round in 0..4 {
            collector.start();
            let mut command = way.command(artifacts::host());
            run(command.arg("fork").arg(&way.module).arg("5")).success();
            collector.stored_after((round + 1) * 2);
            collector.stop();
            older.push(load(&collector));
        }
        let mut files = older.pop().expect("four");
        split(&mut files);
        let first = run(std::process::Command::new(artifacts::p11guard())
            .arg("checkpoint")
            .arg("--key")
            .arg(collector.path("log")));
        let key = Key::parse(first.success().stdout.trim()).expect("a key");
        let secrets = harness::collector::files(&collector.path("keys"));
        let secret = secrets.iter().find(|path| path.ends_with("secret")).expect("a secret");
        let seed = std::fs::read(secret).expect("a secret").try_into().expect("32 bytes");
        Sample { files, older, key, secret: SigningKey::from_bytes(&seed) }
    }
}

/// What a verifier reads of the log.
fn load(collector: &Collector) -> Files {
    let folder = collector.path("log");
    let all = files(&folder).into_iter().map(|path| {
        let name = path.strip_prefix(&folder).expect("below it").to_string_lossy().into_owned();
        (name, std::fs::read(&path).expect("a file of the log"))
    });
    all.filter(|(name, _)| name != "state.json").collect()
}

/// Cuts the one segment in three, as if it had been full: a segment is named after its first event.
fn split(files: &mut Files) {
    let whole = files.remove("events/000000000000.jsonl").expect("the segment");
    let lines: Vec<_> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    for (first, end) in
        [(0, lines.len() / 3), (lines.len() / 3, lines.len() / 2), (lines.len() / 2, lines.len())]
    {
        files.insert(format!("events/{first:012}.jsonl"), lines[first..end].concat());
    }
}
