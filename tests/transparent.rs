// SPDX-License-Identifier: Apache-2.0
//! Does an application notice? The same scenario over the bare module and through the shim with a policy that allows
//! everything, each with a fresh twin of the same token; every return value, length and byte must agree.

use std::path::Path;

use harness::artifacts;
use harness::guard::{Route, Way};
use harness::run::{Run, run};
use harness::token::{self, PIN, Token};

/// Runs the C host both ways and compares all that it printed; at least `succeeded` calls must have come back CKR_OK,
/// and the lines of `proof` must be among what was printed.
fn scenario(name: &str, token: impl Fn() -> Token, succeeded: usize, proof: &[&str]) {
    let host = artifacts::c_host("scenario");
    let [bare, guarded] = [Route::Direct, Route::Through].map(|route| {
        let token = token();
        let (reserved, folder) = (token.reserved.clone(), token.folder.path().to_owned());
        let way = Way::new(route, token);
        let mut command = way.command(&host);
        command.arg(&way.module).arg(PIN).args(reserved);
        let seen = run(&mut command);
        assert_eq!(
            seen.status,
            0,
            "{name} {route:?}\n{}\n{}\n{:?}",
            last_lines(&seen.stdout),
            seen.stderr,
            way.fault()
        );
        sections(&anonymous(&seen, &folder))
    });
    let mut compared = 0;
    for (bare, guarded) in bare.iter().zip(&guarded) {
        // The shim has every function; where the vendor lacks one it says so.
        let [expected, seen] = [bare, guarded].map(|section| section.replace(" -\n", " 0x54\n"));
        for (place, (bare, guarded)) in expected.lines().zip(seen.lines()).enumerate() {
            assert_eq!(guarded, bare, "{name}, line {place}, after:\n{}", before(&seen, place));
        }
        assert_eq!(seen.lines().count(), expected.lines().count(), "{name}");
        compared += seen.lines().count();
    }
    assert_eq!(bare.len(), guarded.len());
    let fine = guarded.iter().map(|section| section.matches(" 0x0\n").count()).sum::<usize>();
    assert!(fine >= succeeded, "{name}: only {fine} calls succeeded");
    for line in proof {
        assert!(guarded.iter().any(|section| section.lines().any(|seen| seen == *line)), "{name}: no {line}");
    }
    println!("{name}: {compared} lines agree, {fine} calls succeeded");
}

/// What was answered, without the folder of this run's token. The last line counts the calls of functions that were
/// there: through the shim all of them are.
fn anonymous(run: &Run, folder: &Path) -> String {
    let folder = folder.display().to_string();
    let hex: String = folder.bytes().map(|byte| format!("{byte:02x}")).collect();
    let answers: String =
        run.stdout.split_inclusive('\n').filter(|line| !line.starts_with("calls ")).collect();
    answers.replace(&folder, "FOLDER").replace(&hex, &"00".repeat(folder.len()))
}

fn sections(text: &str) -> Vec<String> {
    text.split("== ").map(str::to_owned).filter(|section| !section.is_empty()).collect()
}

fn before(text: &str, place: usize) -> String {
    text.lines().skip(place.saturating_sub(8)).take(place.min(8)).collect::<Vec<_>>().join("\n")
}

fn last_lines(text: &str) -> String {
    before(text, text.lines().count())
}

#[test]
fn a_c_application_over_softhsm() {
    scenario(
        "SoftHSM",
        token::softhsm,
        800,
        &["C_Encrypt 0x0", "C_WrapKey 0x0", "C_DeriveKey 0x0", "C_VerifyFinal 0x0"],
    );
}

#[test]
fn a_c_application_over_nss_with_its_reserved_string() {
    scenario(
        "NSS softokn",
        token::nss,
        1500,
        &["C_Encrypt 0x0", "C_EncryptMessage 0x0", "C_DecryptMessage 0x0"],
    );
}

#[test]
fn a_c_application_over_p11_kit_trust() {
    scenario("p11-kit-trust", token::trust, 100, &["C_FindObjects 0x0"]);
}

#[test]
fn a_c_application_over_a_token_of_3_2() {
    scenario(
        "kryoptic",
        token::kryoptic,
        3000,
        &["  same 1", "C_EncapsulateKey 0x0", "C_EncryptMessage 0x0", "C_VerifySignature 0x0"],
    );
}

#[test]
fn a_c_application_over_the_stub_vendor() {
    scenario("stub vendor", || token::stub(""), 1000, &["C_DecapsulateKey 0x0"]);
}

#[test]
fn the_cryptoki_crate() {
    for (name, token, signatures) in [
        ("SoftHSM", token::softhsm as fn() -> Token, 2),
        ("NSS softokn", token::nss, 2),
        ("p11-kit-trust", token::trust, 0),
        ("kryoptic", token::kryoptic, 2),
    ] {
        let [bare, guarded] = [Route::Direct, Route::Through].map(|route| {
            let token = token();
            let (reserved, folder) = (token.reserved.clone(), token.folder.path().to_owned());
            let way = Way::new(route, token);
            let seen = run(way.command(artifacts::client()).arg(&way.module).arg(PIN).args(reserved));
            assert_eq!(
                seen.status,
                0,
                "{name} {route:?}\n{}\n{}\n{:?}",
                seen.stdout,
                seen.stderr,
                way.fault()
            );
            anonymous(&seen, &folder)
        });
        for (bare, guarded) in bare.lines().zip(guarded.lines()) {
            assert_eq!(guarded, bare, "{name}");
        }
        assert_eq!(guarded.lines().count(), bare.lines().count(), "{name}");
        assert!(guarded.matches("verify: Ok(())").count() >= signatures, "{name}:\n{guarded}");
        println!("{name}: {} answers agree", guarded.lines().count());
    }
}
