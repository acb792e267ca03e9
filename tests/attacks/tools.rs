// SPDX-License-Identifier: Apache-2.0
//! Ordinary work with ordinary tools under the guards: keys, signatures and a public key with pkcs11-tool, a
//! TLS server with OpenSSL.

use std::path::Path;
use std::process::{Command, Stdio};

use harness::artifacts;
use harness::guard::{Guard, Way};
use harness::run::{Run, eventually, run};
use harness::token::{self, LABEL, PIN};

use crate::POLICY;

fn guarded() -> Way {
    let token = token::softhsm();
    Way::guarded(Guard::new(&token.module, POLICY), token)
}

/// pkcs11-tool with the user logged in.
fn tool(way: &Way, folder: &Path, arguments: &[&str]) {
    let mut tool = way.command("pkcs11-tool");
    tool.current_dir(folder).arg("--module").arg(&way.module);
    tool.args(["--token-label", LABEL, "--login", "--pin", PIN]).args(arguments);
    let seen = run(&mut tool);
    assert_eq!(seen.status, 0, "{arguments:?}\n{}\n{}{:?}", seen.stdout, seen.stderr, way.fault());
    println!("pkcs11-tool {}", arguments.join(" "));
}

fn openssl(folder: &Path, arguments: &[&str]) -> Run {
    run(Command::new("openssl").args(arguments).current_dir(folder)).success()
}

#[test]
fn pkcs11_tool_works_under_the_guards() {
    let (way, folder) = (guarded(), tempfile::TempDir::new().expect("a temporary folder"));
    let folder = folder.path();
    std::fs::write(folder.join("data"), b"a release of 32 bytes, no more. ").expect("a file of the test");
    openssl(folder, &["dgst", "-sha256", "-binary", "-out", "digest", "data"]);
    for arguments in [
        "--keypairgen --key-type rsa:2048 --id 01 --label rsa --usage-sign",
        "--keypairgen --key-type EC:prime256v1 --id 02 --label ec --usage-sign",
        "--keygen --key-type AES:32 --id 03 --label data --usage-decrypt",
        "--sign --mechanism SHA256-RSA-PKCS --id 01 -i data -o rsa.signature",
        "--sign --mechanism SHA256-RSA-PKCS-PSS --id 01 -i data -o pss.signature",
        "--sign --mechanism ECDSA --id 02 -i digest -o ec.signature -f openssl",
        "--verify --mechanism SHA256-RSA-PKCS --id 01 -i data --signature-file rsa.signature",
        "--encrypt --mechanism AES-CBC --id 03 --iv 00112233445566778899aabbccddeeff -i data -o sealed",
        "--decrypt --mechanism AES-CBC --id 03 --iv 00112233445566778899aabbccddeeff -i sealed -o opened",
        "--read-object --type pubkey --id 01 -o rsa.der",
        "--read-object --type pubkey --id 02 -o ec.der",
        "--write-object rsa.der --type pubkey --id 05 --label partner --usage-sign",
        "--verify --mechanism SHA256-RSA-PKCS --id 05 -i data --signature-file rsa.signature",
        "--list-objects",
        "--delete-object --type secrkey --id 03",
        "--generate-random 32 -o random",
    ] {
        tool(&way, folder, &arguments.split(' ').collect::<Vec<_>>());
    }
    for (key, signature) in [("rsa.der", "rsa.signature"), ("ec.der", "ec.signature")] {
        openssl(
            folder,
            &["dgst", "-sha256", "-keyform", "DER", "-verify", key, "-signature", signature, "data"],
        );
    }
    let read = |name: &str| std::fs::read(folder.join(name)).expect("a file that the tool wrote");
    assert_eq!(read("opened"), read("data"));
}

#[test]
fn a_tls_server_works_under_the_guards() {
    let (way, folder) = (guarded(), tempfile::TempDir::new().expect("a temporary folder"));
    let folder = folder.path();
    for (id, kind, signature) in [("07", "rsa:2048", "RSA-PSS"), ("08", "EC:prime256v1", "ECDSA")] {
        tool(
            &way,
            folder,
            &["--keypairgen", "--key-type", kind, "--id", id, "--label", "tls", "--usage-sign"],
        );
        let key = format!("pkcs11:token={};id=%{id};type=private", LABEL.replace(' ', "%20"));
        let with_key = |arguments: &[&str]| {
            let mut openssl = way.command("openssl");
            openssl
                .env("OPENSSL_CONF", artifacts::root().join("tests/hosts/engine.cnf"))
                .env("TEST_PIN", PIN);
            openssl.env("TEST_MODULE", &way.module).current_dir(folder).args(arguments);
            openssl.args(["-key", &key, "-engine", "pkcs11", "-keyform", "engine"]);
            openssl
        };
        run(&mut with_key(&["req", "-x509", "-new", "-days", "2", "-out", "cert.pem"])).success();
        let mut server =
            with_key(&["s_server", "-unix", "tls.sock", "-unlink", "-cert", "cert.pem", "-tls1_3"]);
        server
            .args(["-naccept", "1", "-rev"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut server = server.spawn().expect("openssl runs");
        let client = "echo 'to the token' | openssl s_client -unix tls.sock -CAfile cert.pem -verify_return_error \
                      -no_ign_eof 2>&1; true";
        let seen = eventually("a TLS handshake", || {
            let seen = run(Command::new("sh").args(["-c", client]).current_dir(folder));
            (!seen.stdout.contains("connect:errno")).then_some(seen)
        });
        server.wait().expect("our own child");
        let signed = format!("Peer signature type: {signature}");
        assert!(seen.stdout.contains(&signed), "{}", seen.stdout);
        println!("TLS 1.3 with a key in the token, {signed}");
    }
}
