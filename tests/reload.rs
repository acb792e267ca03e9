// SPDX-License-Identifier: Apache-2.0
//! Is the policy replaced at once and as a whole? Eight threads call while policies come and go: each event's verdict is
//! that of the policy whose hash it carries, and no broken, stale or foreign file takes anything away.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use harness::artifacts;
use harness::collector::Collector;
use harness::guard::{ALLOW_ALL, Guard, Way};
use harness::lines::Lines;
use harness::run::{eventually, run};
use harness::token;
use serde_json::Value;
use sha2::{Digest, Sha256};

const THREADS: &str = "8";

/// A policy that allows SHA-256 alone, or MD5 as well.
fn policy(revision: u64, md5: bool) -> String {
    let md5 = if md5 { ", \"CKM_MD5\"" } else { "" };
    format!(
        "version = 1\nrevision = {revision}\n[[rule]]\nname = \"digests\"\naction = \"allow\"\n\
         operation = [\"digest\"]\nmechanism = [\"CKM_SHA256\"{md5}]\n"
    )
}

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A collector, and an application that calls all the time under the policy in the collector's folder.
struct Busy {
    collector: Collector,
    child: Child,
    log: Lines,
    judged: Vec<Judged>,
    /// What the library said of its policy: the event, and the rest of it.
    notices: Vec<(String, Value)>,
    /// Its folders last as long as it runs.
    _way: Way,
}

impl Busy {
    fn under(text: &str) -> Busy {
        let mut collector = Collector::prepared();
        let path = collector.path("policy.toml");
        std::fs::write(&path, text).expect("the policy");
        collector.start();
        let token = token::stub("");
        let guard = collector.guard(Guard::new(&token.module, ALLOW_ALL)).set("policy", &format!("{path:?}"));
        let way = Way::guarded(guard, token);
        let mut command = way.command(artifacts::host());
        command.arg("digests").arg(&way.module).arg(THREADS).stdin(Stdio::piped()).stdout(Stdio::null());
        let child = command.spawn().expect("the host runs");
        let log = Lines::new(collector.log());
        Busy { collector, child, log, judged: Vec::new(), notices: Vec::new(), _way: way }
    }

    fn policy(&self) -> PathBuf {
        self.collector.path("policy.toml")
    }

    /// Puts a new file in the place of the old one, as `mv` does.
    fn replace(&self, text: &str, prepare: impl FnOnce(&Path)) {
        let new = self.collector.path("policy.new");
        std::fs::write(&new, text).expect("a new policy");
        prepare(&new);
        std::fs::rename(new, self.policy()).expect("moved into its place");
    }

    /// Waits until an event was judged by the policy with this text.
    fn until_judged_by(&mut self, text: &str) {
        let hash = hash(text);
        eventually("an event under the policy", || {
            self.read();
            self.judged.last().filter(|event| event.policy == hash).map(|_| ())
        });
    }

    /// Waits until the library says why it did not take a policy.
    fn until_refused(&self, why: &str) {
        eventually(why, || {
            let entries = std::fs::read_dir(self.collector.path("spool")).ok()?;
            let texts = entries.flatten().filter_map(|entry| std::fs::read_to_string(entry.path()).ok());
            texts.into_iter().find(|text| text.contains(why) && text.contains("last good one stays in force"))
        });
    }

    /// Reads what has come into the log.
    fn read(&mut self) {
        for line in self.log.read().lines() {
            self.judged.extend(Judged::read(line));
            self.notices.extend(notice(line));
        }
    }

    fn end(mut self) -> (Vec<Judged>, Vec<(String, Value)>) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().expect("the host ends").success());
        self.collector.stop();
        self.read();
        (self.judged, self.notices)
    }
}

fn notice(line: &str) -> Option<(String, Value)> {
    line.contains("\"event\":\"policy.").then_some(())?;
    let event: Value = serde_json::from_str(line).ok()?;
    Some((event["event"].as_str()?.to_owned(), event))
}

/// A judged call.
struct Judged {
    mechanism: String,
    action: String,
    policy: String,
    revision: u64,
    rv: String,
}

impl Judged {
    fn read(line: &str) -> Option<Judged> {
        line.contains("\"C_DigestInit\"").then_some(())?;
        let event: Value = serde_json::from_str(line).ok()?;
        let text = |pointer: &str| event.pointer(pointer)?.as_str().map(str::to_owned);
        Some(Judged {
            mechanism: text("/mechanism/name")?,
            action: text("/verdict/action")?,
            policy: text("/verdict/policy")?,
            revision: event.pointer("/verdict/policy_revision")?.as_u64()?,
            rv: text("/rv/name")?,
        })
    }
}

/// Checks that every verdict is the one that the policy of its hash gives; how many each policy gave.
fn agree(judged: &[Judged], policies: &[(String, bool)]) -> BTreeMap<String, usize> {
    let known: BTreeMap<String, bool> = policies.iter().map(|(text, md5)| (hash(text), *md5)).collect();
    let mut counts = BTreeMap::new();
    for call in judged {
        let md5 = known.get(&call.policy).expect("a policy that was in force");
        let allowed = call.mechanism == "CKM_SHA256" || *md5;
        let expected = if allowed { ("allow", "CKR_OK") } else { ("deny", "CKR_MECHANISM_INVALID") };
        assert_eq!(
            (call.action.as_str(), call.rv.as_str()),
            expected,
            "{} under {}",
            call.mechanism,
            call.policy
        );
        *counts.entry(call.policy.clone()).or_default() += 1;
    }
    counts
}

#[test]
fn every_verdict_is_that_of_the_policy_whose_hash_it_carries() {
    let policies: Vec<(String, bool)> =
        (1..=5).map(|revision| (policy(revision, revision % 2 == 0), revision % 2 == 0)).collect();
    let mut busy = Busy::under(&policies[0].0);
    busy.until_judged_by(&policies[0].0);
    for (text, _) in &policies[1..] {
        busy.replace(text, |_| ());
        busy.until_judged_by(text);
    }
    let (judged, notices) = busy.end();
    let counts = agree(&judged, &policies);
    println!("calls judged by each policy: {counts:?}");
    assert_eq!(counts.len(), policies.len());
    for (text, revision) in policies.iter().map(|(text, _)| hash(text)).zip(1..) {
        let told = judged.iter().filter(|call| call.policy == text).map(|call| call.revision);
        assert!(told.into_iter().all(|told| told == revision));
    }
    let told: Vec<_> = notices.iter().map(|(name, notice)| (name.as_str(), &notice["policy"])).collect();
    let replaced: Vec<Value> = policies[1..].iter().map(|(text, _)| hash(text).into()).collect();
    assert_eq!(told, replaced.iter().map(|hash| ("policy.replaced", hash)).collect::<Vec<_>>());
}

#[test]
fn no_broken_stale_or_foreign_file_takes_the_place_of_a_good_one() {
    let strict = policy(7, false);
    let mut busy = Busy::under(&strict);
    busy.until_judged_by(&strict);
    let loose = policy(8, true);

    busy.replace(&loose[..loose.len() - 20], |_| ());
    busy.until_refused("error:");
    busy.replace(&policy(6, true), |_| ());
    busy.until_refused("it has revision 6, the one in force 7");
    busy.replace(&loose, |new| {
        let status = std::process::Command::new("chmod").arg("666").arg(new).status();
        assert!(status.expect("chmod runs").success());
    });
    busy.until_refused("others than its owner can write it");
    // SAFETY: no pointer is involved.
    if unsafe { libc::geteuid() } == 0 {
        busy.replace(&loose, |new| std::os::unix::fs::chown(new, Some(12345), None).expect("root may"));
        busy.until_refused("it belongs to user 12345");
    }
    let newer = policy(9, false);
    busy.replace(&newer, |_| ());
    busy.until_judged_by(&newer);
    std::fs::write(busy.policy(), policy(10, true)).expect("written where it stands");
    // Something else happens in the folder, so that the library looks.
    std::fs::write(busy.collector.path("note"), "").expect("a file");
    busy.until_refused("it was written where it stands");

    let (judged, notices) = busy.end();
    let refused =
        ["error:", "revision 6", "others than its owner", "belongs to user", "written where it stands"];
    let told = |why: &str| {
        notices.iter().any(|(name, notice)| {
            name == "policy.refused" && notice["error"].as_str().is_some_and(|error| error.contains(why))
        })
    };
    for why in refused {
        // SAFETY: no pointer is involved.
        let asked = why != "belongs to user" || unsafe { libc::geteuid() } == 0;
        assert_eq!(told(why), asked, "{why}");
    }
    let hashes: BTreeSet<&str> = judged.iter().map(|call| call.policy.as_str()).collect();
    agree(&judged, &[(strict, false), (newer, false)]);
    assert_eq!(hashes.len(), 2);
}

#[test]
fn a_policy_counts_only_with_the_signature_of_the_key_that_is_named() {
    let keys = tempfile::tempdir().expect("a folder");
    let key = |name: &str| format!("{}", keys.path().join(name).display());
    for name in ["ours", "theirs"] {
        let [public, secret] = ["pub", "key"].map(|kind| key(&format!("{name}.{kind}")));
        run(Command::new("minisign").args(["-G", "-W", "-p", &public, "-s", &secret])).success();
    }
    let sign = |name: &str, policy: &Path| {
        run(Command::new("minisign")
            .args(["-S", "-W", "-s", &key(&format!("{name}.key")), "-m"])
            .arg(policy))
        .success();
    };
    let public = std::fs::read_to_string(key("ours.pub")).expect("a public key");
    let public = public.lines().nth(1).expect("its second line");

    let start = |prepare: &dyn Fn(&Path)| {
        let token = token::stub("");
        let guard = Guard::new(&token.module, &policy(1, false)).set("policy_key", &format!("{public:?}"));
        prepare(&guard.policy());
        let way = Way::guarded(guard, token);
        run(way.command(artifacts::host()).arg("initialize").arg(&way.module));
        way.fault().unwrap_or_default()
    };
    assert!(start(&|_| ()).contains("policy.toml.minisig: error: it cannot be opened"));
    assert!(
        start(&|policy| sign("theirs", policy)).contains("it is not the signature of this policy by the key")
    );
    assert!(
        start(&|path| {
            sign("ours", path);
            std::fs::write(path, policy(2, true)).expect("changed behind the signature");
        })
        .contains("it is not the signature of this policy by the key")
    );
    assert!(
        start(&|policy| std::fs::write(policy.with_extension("toml.minisig"), "none").expect("written"))
            .contains("it is no minisign signature")
    );
    assert_eq!(start(&|policy| sign("ours", policy)), "");
}
