// SPDX-License-Identifier: Apache-2.0
//! Does a secret ever leave the application? The C host uses a PIN, key values and plaintexts that are known here; none
//! of them may be found in rings, log, books or on the readers' socket, as bytes or as hexadecimal digits.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::path::Path;

use harness::artifacts;
use harness::collector::{Collector, files};
use harness::guard::{ALLOW_ALL, Guard, Way};
use harness::run::{eventually, run};
use harness::token::{self, PIN, Token};

/// What tests/hosts/scenario hands to the modules and gets back from them: pieces long enough not to be there by chance.
const CANARIES: [&str; 8] = [
    PIN,
    "not the pin",
    "a fixed key of thirty-two",
    "another fixed k",
    "quick brown fox",
    "lazy dog, and then",
    "what it says",
    "sixteen bytes iv",
];
/// What must be found: proof that the search looks where records are.
const CONTROL: &str = "fixed aes";

/// Counts the canaries in the files of `folder`; returns the bytes searched.
fn search(folder: &Path) -> usize {
    let (mut searched, mut controls) = (0, 0);
    for path in files(folder) {
        // The canaries are ASCII, which this changes nowhere.
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_default()).into_owned();
        for canary in CANARIES {
            let hex: String = canary.bytes().map(|byte| format!("{byte:02x}")).collect();
            assert!(
                !text.contains(canary) && !text.contains(&hex),
                "{canary:?} stands in {}",
                path.display()
            );
        }
        controls += usize::from(text.contains(CONTROL));
        searched += text.len();
    }
    assert!(controls > 0, "the label of a key is recorded in {}", folder.display());
    searched
}

fn tokens() -> [Token; 3] {
    [token::softhsm(), token::nss(), token::kryoptic()]
}

fn scenario(way: &Way, reserved: Option<String>) {
    let mut host = way.command(artifacts::c_host("scenario"));
    let seen = run(host.arg(&way.module).arg(PIN).args(reserved));
    assert_eq!(seen.status, 0, "{}\n{:?}", seen.stderr, way.fault());
    assert!(seen.stdout.contains("C_Login 0x0"));
}

#[test]
fn no_secret_stands_in_a_ring() {
    for token in tokens() {
        let reserved = token.reserved.clone();
        let guard = Guard::new(&token.module, ALLOW_ALL).lane_size("4 MiB");
        let way = Way::guarded(guard, token);
        scenario(&way, reserved);
        let searched = search(&way.guard().spool());
        println!("{searched} bytes of a spooled ring searched for {} secrets", CANARIES.len());
    }
}

#[test]
fn no_secret_stands_in_the_log_or_goes_to_readers() {
    let mut collector = Collector::started();
    let mut reader = UnixStream::connect(collector.path("events.sock")).expect("the readers' socket");
    let tokens = tokens();
    let count = tokens.len();
    for token in tokens {
        let reserved = token.reserved.clone();
        let guard = collector.guard(Guard::new(&token.module, ALLOW_ALL));
        scenario(&Way::guarded(guard, token), reserved);
    }
    collector.stored_after(count);
    collector.stop();
    let mut heard = Vec::new();
    reader.read_to_end(&mut heard).expect("what the reader got");
    std::fs::write(collector.path("log/heard"), &heard).expect("a file to search");
    assert!(!heard.is_empty());
    let searched = search(&collector.path("log"));
    println!("{searched} bytes of log, books and events searched for {} secrets", CANARIES.len());
}

#[test]
fn no_secret_stands_in_the_memory_that_a_core_dump_would_show_of_the_ring() {
    let token = token::stub("");
    let guard = Guard::new(&token.module, ALLOW_ALL);
    let way = Way::guarded(guard, token);
    let mut host = way.command(artifacts::host());
    let mut child = host
        .arg("storm")
        .arg(&way.module)
        .args(["1", "10", "1", "wait"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the host runs");
    let maps = eventually("a mapped ring", || {
        let maps = std::fs::read_to_string(format!("/proc/{}/smaps", child.id())).ok()?;
        maps.contains(".ring").then_some(maps)
    });
    child.kill().expect("our own child");
    child.wait().expect("our own child");
    let mut rings = 0;
    for part in maps.split_inclusive("VmFlags:").zip(maps.split("VmFlags:").skip(1)) {
        if part.0.contains(".ring") {
            rings += 1;
            let flags = part.1.lines().next().unwrap_or_default();
            assert!(flags.split(' ').any(|flag| flag == "dd"), "MADV_DONTDUMP on the ring: {flags}");
        }
    }
    assert!(rings > 0);
    println!("{rings} mappings of the ring stay out of a core dump");
}
