// SPDX-License-Identifier: Apache-2.0
//! Is the library the C surface it claims to be, and nobody else's? What it exports and needs, whose functions its
//! tables hold, how it mirrors the vendor's interfaces, and what happens at the edges: NULL, fork, unload.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use event::{FUNCTIONS, Function};
use harness::artifacts;
use harness::counts::WAYS;
use harness::guard::{ALLOW_ALL, Guard, Route, Way};
use harness::run::{Run, run};
use harness::token::{self, Token};

/// Largest library that may ship, stripped, in bytes.
const LARGEST: u64 = 1_500_000;

fn host(way: &Way, subject: &str, arguments: &[&str], preload: Option<&Path>) -> Run {
    let mut command = way.command(artifacts::host());
    command.arg(subject).arg(&way.module).args(arguments);
    if let Some(library) = preload {
        command.env("LD_PRELOAD", library);
    }
    run(&mut command)
}

fn tool(program: &str, arguments: &[&OsStr]) -> String {
    run(Command::new(program).args(arguments)).success().stdout
}

/// A shared library that exports every `C_` function and fails every call.
fn decoy() -> std::path::PathBuf {
    artifacts::c_library("decoy")
}

fn both(token: impl Fn() -> Token) -> (Way, Way) {
    (Way::new(Route::Direct, token()), Way::new(Route::Through, token()))
}

#[test]
fn exactly_the_functions_of_the_standard_are_exported() {
    let symbols = tool("nm", &["-D".as_ref(), "--defined-only".as_ref(), artifacts::shim().as_ref()]);
    let exported: BTreeSet<&str> =
        symbols.lines().filter_map(|line| line.split_whitespace().last()).collect();
    let standard: BTreeSet<&str> = FUNCTIONS.iter().map(|function| function.name).collect();
    assert_eq!(exported, standard);
    println!("{} symbols exported, all of the standard", exported.len());
}

#[test]
fn the_libraries_it_needs_are_the_known_ones() {
    let dynamic = tool("readelf", &["-d".as_ref(), artifacts::shim().as_ref()]);
    let needed: Vec<&str> = dynamic
        .lines()
        .filter(|line| line.contains("(NEEDED)"))
        .filter_map(|line| line.split(['[', ']']).nth(1))
        .collect();
    let known: Vec<&str> = include_str!("golden/needed.txt").lines().collect();
    assert_eq!(needed, known, "tests/golden/needed.txt has the list");
    let flags: Vec<&str> = dynamic.lines().filter(|line| line.contains("FLAGS")).collect();
    assert!(flags.iter().any(|line| line.contains("NODELETE")), "-z nodelete: {flags:?}");
    println!("needs {needed:?}");
}

#[test]
fn the_library_is_small() {
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let stripped = folder.path().join("stripped.so");
    tool(
        "strip",
        &["--strip-unneeded".as_ref(), "-o".as_ref(), stripped.as_ref(), artifacts::shim().as_ref()],
    );
    let size = std::fs::metadata(&stripped).expect("the stripped library").len();
    assert!(size <= LARGEST, "{size} bytes are more than {LARGEST}");
    println!("{size} bytes of {LARGEST}");
}

#[test]
fn a_decoy_that_exports_everything_captures_nothing() {
    let way = Way::new(Route::Through, token::stub(""));
    let decoy = decoy();
    for preload in [None, Some(decoy.as_path())] {
        let tables = host(&way, "tables", &[], preload).success();
        assert_eq!(
            tables.stdout,
            "export major=0 minor=0 own=104 null=0 foreign=0\n2.40 major=2 minor=40 own=68 null=0 \
             foreign=0\n3.0 major=3 minor=0 own=92 null=0 foreign=0\n3.2 major=3 minor=2 own=104 null=0 foreign=0\n"
        );
    }
    let calls = host(&way, "storm", &["2", "100", "1", "finalize"], Some(&decoy)).success();
    assert_eq!(calls.number("succeeded"), 100);
    assert!(token::counts(way.token()).of(Function::C_GenerateRandom) >= 98);
    println!("368 entries lie in the library itself, 100 calls went through it");
}

#[test]
fn preloaded_it_does_not_capture_the_vendors_table() {
    for (name, token) in [("captured stub", token::stub("captured")), ("stub", token::stub(""))] {
        let way = Way::new(Route::Through, token);
        let calls = host(&way, "storm", &["2", "100", "1", "finalize"], Some(artifacts::shim()));
        let calls = calls.success();
        assert_eq!(calls.number("succeeded"), 100, "{name}");
        assert_eq!(
            token::counts(way.token()).of(Function::C_GenerateRandom),
            98,
            "{name}: each call arrived once"
        );
    }
    let way = Way::new(Route::Through, token::softhsm());
    let tool = way
        .command("pkcs11-tool")
        .env("LD_PRELOAD", artifacts::shim())
        .arg("--module")
        .arg(&way.module)
        .arg("-T")
        .output();
    let tool = tool.expect("pkcs11-tool runs: install opensc");
    assert!(
        tool.status.success() && String::from_utf8_lossy(&tool.stdout).contains(token::LABEL),
        "{tool:?}"
    );
}

/// What the host prints of a module, as it must be through the shim, which adds one interface of its own at the end.
fn with_own(bare: &str) -> String {
    let listed = bare.lines().filter(|line| line.starts_with("listed")).count();
    let mut lines: Vec<String> = bare.lines().map(str::to_owned).collect();
    lines[0] = lines[0].replace(&format!("count={listed}"), &format!("count={}", listed + 1));
    lines.insert(1 + listed, "listed \"Vendor p11guard\" 1.0 flags=0".to_owned());
    lines.join("\n") + "\n"
}

#[test]
fn interfaces_mirror_the_vendors_minor_by_minor() {
    let mut agreed = 0;
    for misbehaviour in ["", "v3-in-v2-list", "null-entries"] {
        let (direct, through) = both(|| token::stub(misbehaviour));
        let [bare, guarded] = [&direct, &through].map(|way| host(way, "interfaces", &[], None).success());
        // A table says what it contains: the list of the 2.x entry point is one of 2.40, whatever the vendor calls it.
        let tables = host(&through, "tables", &[], None).success();
        assert!(tables.stdout.contains("2.40 major=2 minor=40 own=68 null=0"), "{}", tables.stdout);
        assert_eq!(guarded.stdout, with_own(&bare.stdout), "{misbehaviour}");
        agreed += guarded.stdout.lines().count();
    }
    let (direct, through) = both(token::kryoptic);
    let [bare, guarded] = [&direct, &through].map(|way| host(way, "interfaces", &[], None).success());
    assert_eq!(guarded.stdout, with_own(&bare.stdout), "kryoptic");
    println!("{} answers agree", agreed + bare.stdout.lines().count());
}

#[test]
fn a_vendors_own_interface_is_hidden_unless_configured() {
    let plain = host(&Way::new(Route::Direct, token::stub("")), "interfaces", &[], None).success();
    let (direct, through) = both(|| token::stub("vendor-interface"));
    assert_eq!(host(&through, "interfaces", &[], None).success().stdout, with_own(&plain.stdout), "hidden");
    let token = token::stub("vendor-interface");
    let guard = Guard::new(&token.module, ALLOW_ALL).set("vendor_interfaces", "\"pass\"");
    let passing = Way::guarded(guard, token);
    let bare = host(&direct, "interfaces", &[], None).success();
    assert_eq!(host(&passing, "interfaces", &[], None).success().stdout, with_own(&bare.stdout), "passed");
}

#[test]
fn a_missing_interface_is_made_from_the_list_of_2_40() {
    // SoftHSM has no such symbol; the stub has one that answers CKR_FUNCTION_NOT_SUPPORTED.
    for token in [token::softhsm(), token::stub("no-interface")] {
        let name = token.module.display().to_string();
        let way = Way::new(Route::Through, token);
        let seen = host(&way, "interfaces", &[], None).success().stdout;
        let mut lines = seen.lines();
        assert_eq!(lines.next(), Some("list sized=0x0 small=0x150 filled=0x0 count=2"), "{name}");
        assert_eq!(lines.next(), Some("listed \"PKCS 11\" 2.40 flags=0"), "{name}");
        assert_eq!(lines.next(), Some("listed \"Vendor p11guard\" 1.0 flags=0"), "{name}");
        for line in lines {
            let standard = line.contains("name=None") || line.contains("\"PKCS 11\") version");
            let version = line.contains("version=None") || line.contains("version=Some((2, 40))");
            let offered = standard && version && line.contains("flags=0 rv");
            assert_eq!(line.contains("rv=0x0 "), offered, "{name}: {line}");
        }
    }
}

#[test]
fn holes_in_the_vendors_table_answer_that_they_are_not_supported() {
    let (direct, through) = both(|| token::stub("null-entries"));
    let bare = host(&direct, "tables", &[], None).success().stdout;
    assert!(bare.contains("2.40 major=2 minor=40 own=55 null=13"), "the stub has holes: {bare}");
    let guarded = host(&through, "tables", &[], None).success().stdout;
    assert!(guarded.lines().all(|line| line.ends_with("null=0 foreign=0")), "{guarded}");
    let seen = host(&through, "nulls", &[], None).success().stdout;
    let bare = host(&direct, "nulls", &[], None).success().stdout;
    let bare: BTreeSet<&str> = bare.lines().collect();
    let mut holes = BTreeSet::new();
    for line in seen.lines().filter(|line| !line.starts_with("export")) {
        if !bare.contains(line) {
            assert!(line.contains("rv=0x54"), "{line}");
            holes.extend(line.split(' ').nth(1));
        }
    }
    assert!(
        holes.iter().all(|name| Function::from_name(name).is_some_and(|f| (f as u16).is_multiple_of(5))),
        "{holes:?}"
    );
    println!("{} holes answer CKR_FUNCTION_NOT_SUPPORTED", holes.len());
}

#[test]
fn every_function_treats_null_pointers_as_the_bare_module_does() {
    for misbehaviour in ["", "lying-lengths"] {
        let (direct, through) = both(|| token::stub(misbehaviour));
        let [bare, guarded] = [&direct, &through].map(|way| host(way, "nulls", &[], None).success());
        let (bare, guarded): (Vec<_>, Vec<_>) =
            (bare.stdout.lines().collect(), guarded.stdout.lines().collect());
        for (bare, guarded) in bare.iter().zip(&guarded) {
            assert_eq!(guarded, bare, "{misbehaviour}");
        }
        assert_eq!(guarded.len(), bare.len());
        println!("{} calls agree {misbehaviour}", bare.len());
    }
}

#[test]
fn every_way_in_leads_to_the_vendors_way_of_the_same_version() {
    let (direct, through) = both(|| token::stub(""));
    for way in [&direct, &through] {
        host(way, "nulls", &[], None).success();
    }
    let [bare, guarded] = [&direct, &through].map(|way| token::counts(way.token()));
    // Discovery is answered by the shim; the rest of these it also asks itself, to learn of tokens, sessions and keys.
    let its_own = |name: &str| {
        name.starts_with("C_Get") || matches!(name, "C_Initialize" | "C_Finalize" | "C_OpenSession")
    };
    let mut compared = 0;
    for function in Function::ALL.iter().filter(|function| !its_own(function.name())) {
        for (place, way) in WAYS.iter().enumerate() {
            let [bare, guarded] = [&bare, &guarded].map(|counts| counts.by_way(place, *function));
            assert_eq!(guarded, bare, "{} by {way}", function.name());
            compared += 1;
        }
    }
    println!("{compared} pairs of function and way agree");
}

#[test]
fn a_forked_child_goes_on_and_an_unloaded_library_can_come_back() {
    let (direct, through) = both(|| token::stub(""));
    for way in [&direct, &through] {
        let seen = host(way, "fork", &["25"], None).success();
        assert!(seen.stdout.contains("status=0"), "{}", seen.stdout);
        assert!(seen.stdout.contains("calls=25\n") && seen.stdout.contains("calls=50\n"), "{}", seen.stdout);
        let seen = host(way, "reload", &["20"], None).success();
        assert_eq!(seen.number("worked"), 20);
        assert_eq!(seen.stderr, "", "nothing is ever printed in a host");
    }
}
