// SPDX-License-Identifier: Apache-2.0
//! Is bad input refused with an explanation, and can no text forge a line? Broken configurations and policies through the
//! library itself; hostile labels through a real token to every sink.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use harness::artifacts;
use harness::collector::Collector;
use harness::golden::golden;
use harness::guard::{ALLOW_ALL, Guard, Way};
use harness::run::{Run, run};
use harness::token::{self, PIN, SO_PIN};
use serde_json::Value;

/// Name of the golden text, shim configuration, policy. Words in capitals stand for real paths.
const BROKEN: &[(&str, &str, &str)] = &[
    ("config-empty", "", ALLOW_ALL),
    ("config-not-toml", "module = \n", ALLOW_ALL),
    ("config-unknown-key", "module = \"MODULE\"\npolicy = \"POLICY\"\npolcy = \"x\"\n", ALLOW_ALL),
    ("config-relative-module", "module = \"softhsm.so\"\npolicy = \"POLICY\"\n", ALLOW_ALL),
    ("config-bad-choice", "module = \"MODULE\"\npolicy = \"POLICY\"\non_fault = \"maybe\"\n", ALLOW_ALL),
    ("config-bad-lanes", "module = \"MODULE\"\npolicy = \"POLICY\"\n[ring]\nlanes = 0\n", ALLOW_ALL),
    (
        "config-bad-size",
        "module = \"MODULE\"\npolicy = \"POLICY\"\n[ring]\nlane_size = \"12 pounds\"\n",
        ALLOW_ALL,
    ),
    ("config-no-such-module", "module = \"FOLDER/none.so\"\npolicy = \"POLICY\"\n", ALLOW_ALL),
    ("config-module-is-no-library", "module = \"POLICY\"\npolicy = \"POLICY\"\n", ALLOW_ALL),
    ("config-module-is-no-pkcs11", "module = \"LIBC\"\npolicy = \"POLICY\"\n", ALLOW_ALL),
    ("config-module-is-the-library", "module = \"LIBRARY\"\npolicy = \"POLICY\"\n", ALLOW_ALL),
    ("config-no-such-policy", "module = \"MODULE\"\npolicy = \"FOLDER/none.toml\"\n", ALLOW_ALL),
    ("policy-empty", "module = \"MODULE\"\npolicy = \"POLICY\"\n", ""),
    (
        "policy-unknown-mechanism",
        "module = \"MODULE\"\npolicy = \"POLICY\"\n",
        "version = 1\n[[rule]]\nname = \"a\"\naction = \"allow\"\nmechanism = [\"CKM_SHA_l\"]\n",
    ),
    (
        "policy-no-remedy",
        "module = \"MODULE\"\npolicy = \"POLICY\"\n",
        "version = 1\n[[rule]]\nname = \"a\"\naction = \"deny\"\nmechanism = [\"CKM_MD5\"]\n",
    ),
    (
        "policy-unknown-action",
        "module = \"MODULE\"\npolicy = \"POLICY\"\n",
        "version = 1\n[[rule]]\nname = \"a\"\naction = \"permit\"\n",
    ),
    ("policy-future-version", "module = \"MODULE\"\npolicy = \"POLICY\"\n", "version = 2\n"),
];

fn initialize(way: &Way) -> Run {
    run(way.command(artifacts::host()).arg("initialize").arg(&way.module)).success()
}

/// What `p11guard doctor` says of the configuration.
fn doctor(way: &Way) -> String {
    let seen = run(way.command(artifacts::p11guard()).arg("doctor"));
    let lines: Vec<&str> = seen.stdout.lines().collect();
    let wrong = lines
        .iter()
        .position(|line| line.starts_with("wrong config"))
        .unwrap_or_else(|| panic!("{}", seen.stdout));
    let more = lines[wrong + 1..].iter().take_while(|line| line.starts_with(' ')).count();
    lines[wrong..=wrong + more].iter().flat_map(|line| [*line, "\n"]).collect()
}

/// A library that is no PKCS#11 module: one that this very test has loaded.
fn libc() -> String {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("the mappings of this process");
    let line = maps.lines().find(|line| line.contains("/libc.so")).expect("the C library");
    line[line.find('/').expect("a path")..].to_owned()
}

#[test]
fn a_broken_configuration_or_policy_is_refused_with_a_reason() {
    for (name, config, policy) in BROKEN {
        let token = token::stub("");
        let module = token.module.display().to_string();
        let guard = Guard::new(&token.module, policy);
        let folder = guard.config().parent().expect("a folder").display().to_string();
        let library = artifacts::shim().display().to_string();
        let paths = [
            ("LIBRARY", library),
            ("LIBC", libc()),
            ("MODULE", module),
            ("POLICY", format!("{folder}/policy.toml")),
            ("FOLDER", folder),
        ];
        let config = paths.iter().fold((*config).to_owned(), |text, (word, path)| text.replace(word, path));
        // The spool folder is where the reason is written; top-level keys stand before tables.
        let config = if config.is_empty() || *name == "config-not-toml" {
            config
        } else {
            format!("spool = {:?}\n{config}", guard.spool())
        };
        guard.set_all(&config);
        let way = Way::guarded(guard, token);
        let seen = initialize(&way);
        assert_eq!(seen.stdout, "C_Initialize=0x5\nC_GetInfo=0x190\nC_Finalize=0x190\n", "{name}");
        assert_eq!(seen.stderr, "", "{name}: nothing is printed in the host");
        assert_eq!(token::counts(way.token()).total(), 0, "{name}: the vendor was not started");
        // A configuration that cannot be read names no spool for the reason; the doctor reads the same file.
        let text = way.fault().map_or_else(
            || doctor(&way),
            |fault| fault.lines().skip(1).flat_map(|line| [line, "\n"]).collect(),
        );
        let text = paths.iter().fold(text, |text, (word, path)| text.replace(path, word));
        assert!(text.contains("help: "), "{name}: {text}");
        golden(&format!("refused/{name}.txt"), &text);
    }
    println!("{} broken inputs refused", BROKEN.len());
}

#[test]
fn a_policy_that_breaks_later_never_becomes_silent_pass_through() {
    let token = token::stub("");
    let guard = Guard::new(&token.module, ALLOW_ALL);
    let way = Way::guarded(guard, token);
    assert!(initialize(&way).stdout.starts_with("C_Initialize=0x0\n"));
    way.guard().set_policy("version = 1\nmode = \"off\"\n");
    assert!(initialize(&way).stdout.starts_with("C_Initialize=0x5\n"));
}

/// Starts a line, forges an event, steers a terminal; 32 bytes is what a token's label holds.
const HOSTILE_TOKEN: &str = "x\n{\"index\":9}\u{1b}[31mred\u{202e}";
const HOSTILE_KEY: &str = "k\r\n{\"index\":0,\"event\":\"log.opened\"}\n\u{1b}]0;title\u{7}\u{9b}31m\"\\";

#[test]
fn hostile_text_forges_no_line_and_steers_no_terminal() {
    let token = token::softhsm();
    let mut init = Command::new("softhsm2-util");
    init.envs(token.environment.clone()).args([
        "--init-token",
        "--free",
        "--label",
        HOSTILE_TOKEN,
        "--pin",
        PIN,
        "--so-pin",
        SO_PIN,
    ]);
    run(&mut init).success();
    let mut collector = Collector::started();
    let guard = collector.guard(Guard::new(&token.module, ALLOW_ALL));
    let way = Way::guarded(guard, token);
    let mut tool = way.command("pkcs11-tool");
    tool.arg("--module").arg(&way.module).args(["--token-label", HOSTILE_TOKEN, "--login", "--pin", PIN]);
    tool.args(["--keypairgen", "--key-type", "EC:prime256v1", "--id", "01", "--label", HOSTILE_KEY]);
    run(&mut tool).success();
    std::fs::write(collector.path("data"), [7; 32]).expect("a file to sign");
    let mut sign = way.command("pkcs11-tool");
    sign.arg("--module").arg(&way.module).args([
        "--token-label",
        HOSTILE_TOKEN,
        "--login",
        "--pin",
        PIN,
        "--sign",
    ]);
    run(sign.args(["--mechanism", "ECDSA", "--id", "01", "-i"]).arg(collector.path("data"))).success();
    let stored = collector.stored_after(2);

    let text = collector.text();
    let strange = |c: char| c != '\n' && !(' '..='~').contains(&c);
    assert!(!text.contains(strange), "the log is printable ASCII");
    for (place, event) in stored.iter().enumerate() {
        assert_eq!(event["index"], place, "a forged line: {event}");
    }
    let said = |event: &&Value| event.to_string().contains("31mred") || event.to_string().contains("title");
    assert!(stored.iter().filter(said).count() > 0, "the labels are recorded, escaped");

    for json in [true, false] {
        let mut tail = Command::new(artifacts::p11guard());
        tail.args(["tail", "--from-start", "--socket"]).arg(collector.path("events.sock"));
        if json {
            tail.arg("--json");
        }
        let mut tail = tail.stdout(Stdio::piped()).spawn().expect("p11guard runs");
        let mut output = BufReader::new(tail.stdout.take().expect("a pipe"));
        let calls = stored.iter().filter(|event| event["event"] == "call").count();
        let (mut lines, mut finalized) = (Vec::new(), 0);
        while finalized < 2 {
            let mut line = String::new();
            assert_ne!(output.read_line(&mut line).expect("text"), 0, "the tail ended");
            finalized += usize::from(line.contains("C_Finalize"));
            lines.push(line);
        }
        tail.kill().expect("our own child");
        tail.wait().expect("our own child");
        let bad = |c: char| c != '\n' && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
        let forged =
            lines.iter().find(|line| line.contains(bad) || (!json && line.starts_with("{\"index\"")));
        assert_eq!(forged, None);
        assert!(lines.len() >= calls, "{} lines of {calls} calls", lines.len());
        println!("{} lines of tail, none forged (json: {json})", lines.len());
    }
    collector.stop();
}
