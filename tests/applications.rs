// SPDX-License-Identifier: Apache-2.0
//! Do real applications notice? Each works with a SoftHSM token, directly and through the shim with a policy that
//! allows everything; what they print must agree, and what they made must be good outside the token.

use std::path::Path;
use std::process::{Command, Stdio};

use harness::artifacts;
use harness::guard::{Route, Way};
use harness::run::{Run, eventually, run};
use harness::token::{self, LABEL, PIN};

/// Runs `work` over both ways, each with a fresh twin of the token and a folder for files; the texts must agree.
fn both(work: impl Fn(&Way, &Path) -> String) {
    let [bare, guarded] = [Route::Direct, Route::Through].map(|route| {
        let way = Way::new(route, token::softhsm());
        let folder = tempfile::TempDir::new().expect("a temporary folder");
        let said = work(&way, folder.path());
        assert_eq!(way.fault(), None);
        let said = said.replace(&way.module.display().to_string(), "MODULE");
        without_random(&said.replace(&folder.path().display().to_string(), "FOLDER"))
    });
    assert_eq!(guarded, bare);
    println!("{} lines agree", bare.lines().count());
}

/// Words of 32 and more hexadecimal digits are keys, points and fingerprints of this run: only their length stays.
fn without_random(text: &str) -> String {
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        for word in line.split_inclusive([' ', '\n', ';']) {
            let digits = word.trim_end_matches([' ', '\n', ';']);
            let hex =
                digits.len() >= 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':');
            out += &if hex { word.replace(digits, &format!("({})", digits.len())) } else { word.to_owned() };
        }
    }
    out
}

fn file(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).expect("a file of the test");
}

fn openssl(arguments: &[&str], folder: &Path) -> Run {
    run(Command::new("openssl").args(arguments).current_dir(folder))
}

#[test]
fn pkcs11_tool() {
    both(|way, folder| {
        file(&folder.join("data"), b"sixteen bytes or more: 48 of them, to be signed.");
        openssl(&["dgst", "-sha256", "-binary", "-out", "digest", "data"], folder).success();
        let mut said = String::new();
        let mut tool = |arguments: &[&str]| {
            let mut tool = way.command("pkcs11-tool");
            tool.current_dir(folder).arg("--module").arg(&way.module).args(arguments);
            let seen = run(&mut tool);
            // Its own test ends at a padding that SoftHSM does not have.
            let good = seen.status == 0 || arguments.contains(&"--test");
            assert!(good, "{arguments:?}\n{}\n{}", seen.stdout, seen.stderr);
            let mut lines: Vec<_> = seen.stdout.lines().collect();
            if arguments.contains(&"-O") {
                // SoftHSM lists objects by the names of their files, which are random.
                lines.sort_unstable();
            }
            said += &format!("{arguments:?} {}\n{}\n{}", seen.status, lines.join("\n"), seen.stderr);
        };
        for read in ["-I", "-L", "-T", "-M", "-O"] {
            tool(&[read, "--token-label", LABEL]);
        }
        let mut user = |arguments: &[&str]| {
            let login = ["--token-label", LABEL, "--login", "--pin", PIN];
            tool(&[&login, arguments].concat());
        };
        user(&["--keypairgen", "--key-type", "rsa:2048", "--id", "01", "--label", "rsa", "--usage-sign"]);
        user(&["--test"]);
        user(&["--keypairgen", "--key-type", "EC:prime256v1", "--id", "02", "--label", "ec", "--usage-sign"]);
        user(&[
            "--keygen",
            "--key-type",
            "AES:32",
            "--id",
            "03",
            "--label",
            "aes",
            "--usage-decrypt",
            "--usage-wrap",
        ]);
        user(&["--keygen", "--key-type", "AES:16", "--id", "04", "--label", "moved", "--extractable"]);
        user(&["--sign", "--mechanism", "SHA256-RSA-PKCS", "--id", "01", "-i", "data", "-o", "signature"]);
        user(&[
            "--verify",
            "--mechanism",
            "SHA256-RSA-PKCS",
            "--id",
            "01",
            "-i",
            "data",
            "--signature-file",
            "signature",
        ]);
        user(&[
            "--sign",
            "--mechanism",
            "ECDSA",
            "--id",
            "02",
            "-i",
            "digest",
            "-o",
            "ecdsa",
            "-f",
            "openssl",
        ]);
        user(&["--read-object", "--type", "pubkey", "--id", "01", "-o", "rsa.der"]);
        user(&["--read-object", "--type", "pubkey", "--id", "02", "-o", "ec.der"]);
        let iv = "00112233445566778899aabbccddeeff";
        user(&[
            "--encrypt",
            "--mechanism",
            "AES-CBC-PAD",
            "--id",
            "03",
            "--iv",
            iv,
            "-i",
            "data",
            "-o",
            "sealed",
        ]);
        user(&[
            "--decrypt",
            "--mechanism",
            "AES-CBC-PAD",
            "--id",
            "03",
            "--iv",
            iv,
            "-i",
            "sealed",
            "-o",
            "opened",
        ]);
        user(&[
            "--wrap",
            "--mechanism",
            "AES-KEY-WRAP",
            "--id",
            "03",
            "--application-id",
            "04",
            "-o",
            "wrapped",
        ]);
        user(&[
            "--unwrap",
            "--mechanism",
            "AES-KEY-WRAP",
            "--id",
            "03",
            "-i",
            "wrapped",
            "--application-id",
            "05",
            "--key-type",
            "AES:",
            "--application-label",
            "back",
        ]);
        user(&["-O"]);
        user(&["--delete-object", "--type", "secrkey", "--id", "04"]);
        user(&["--generate-random", "32", "-o", "random"]);
        user(&["-O"]);
        for (key, signature) in [("rsa.der", "signature"), ("ec.der", "ecdsa")] {
            let check =
                ["dgst", "-sha256", "-keyform", "DER", "-verify", key, "-signature", signature, "data"];
            assert!(openssl(&check, folder).success().stdout.contains("Verified OK"), "{key}");
        }
        let read = |name: &str| std::fs::read(folder.join(name)).expect("a file that the tool wrote");
        assert_eq!(read("opened"), read("data"));
        assert_eq!(read("random").len(), 32);
        said
    });
}

#[test]
fn p11tool() {
    both(|way, folder| {
        let mut said = String::new();
        let url = format!("pkcs11:token={}", LABEL.replace(' ', "%20"));
        let mut tool = |arguments: &[&str]| {
            let mut tool = way.command("p11tool");
            tool.env("GNUTLS_PIN", PIN)
                .current_dir(folder)
                .arg("--provider")
                .arg(&way.module)
                .args(arguments);
            let seen = run(&mut tool).success();
            // An id that it makes is a hash of the key.
            let kept =
                |line: &&str| !line.contains("id=") && !line.contains("ID:") && !line.starts_with("Object ");
            let mut lines: Vec<_> = seen.stdout.lines().filter(kept).collect();
            if arguments.contains(&"--list-all") {
                // In the order of the names of SoftHSM's files, which are random.
                lines.sort_unstable();
            }
            said += &format!("{arguments:?}\n{}\n", lines.join("\n"));
        };
        tool(&["--list-tokens"]);
        tool(&["--list-mechanisms", &url]);
        let key = [
            "--login",
            "--generate-privkey=ecdsa",
            "--curve=secp256r1",
            "--label=made",
            "--outfile=made.pem",
            &url,
        ];
        tool(&key);
        tool(&["--login", "--list-all", &url]);
        tool(&["--login", "--test-sign", &format!("{url};object=made;type=private")]);
        assert!(openssl(&["pkey", "-pubin", "-in", "made.pem", "-noout"], folder).status == 0);
        said
    });
}

/// `openssl` with the engine over the way's module.
fn with_engine(way: &Way, folder: &Path) -> Command {
    let mut openssl = way.command("openssl");
    openssl.env("OPENSSL_CONF", artifacts::root().join("tests/hosts/engine.cnf")).env("TEST_PIN", PIN);
    openssl.env("TEST_MODULE", &way.module).current_dir(folder);
    openssl
}

#[test]
fn openssls_engine() {
    both(|way, folder| {
        file(&folder.join("data"), b"to be signed");
        let mut keys = way.command("pkcs11-tool");
        keys.arg("--module").arg(&way.module).args(["--token-label", LABEL, "--login", "--pin", PIN]);
        run(keys.args(["--keypairgen", "--key-type", "EC:prime256v1", "--id", "07", "--label", "tls"]))
            .success();
        let key = format!("pkcs11:token={};id=%07;type=private", LABEL.replace(' ', "%20"));
        let engine = ["-engine", "pkcs11", "-keyform", "engine"];
        let mut said = String::new();
        let mut with_key = |arguments: &[&str]| {
            let seen = run(with_engine(way, folder).args(arguments)).success();
            said += &format!("{arguments:?}\n{}{}", seen.stdout, seen.stderr);
        };
        with_key(&[&["req", "-new", "-out", "request.pem", "-key", &key][..], &engine].concat());
        with_key(
            &[&["req", "-x509", "-new", "-days", "2", "-out", "cert.pem", "-key", &key][..], &engine]
                .concat(),
        );
        with_key(
            &[&["dgst", "-sha256", "-out", "signature", "-sign", &key][..], &engine, &["data"]].concat(),
        );
        assert!(
            openssl(&["req", "-in", "request.pem", "-verify", "-noout"], folder).stderr.contains("verify OK")
        );
        openssl(&["x509", "-in", "cert.pem", "-pubkey", "-noout", "-out", "public.pem"], folder).success();
        let check = ["dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "data"];
        assert!(openssl(&check, folder).success().stdout.contains("Verified OK"));

        let mut server = with_engine(way, folder);
        server
            .args([
                "s_server", "-unix", "tls.sock", "-cert", "cert.pem", "-naccept", "1", "-rev", "-key", &key,
            ])
            .args(engine);
        let mut server = server
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl runs");
        eventually("a TLS server", || folder.join("tls.sock").exists().then_some(()));
        let client = "echo 'to the token' | openssl s_client -unix tls.sock -CAfile cert.pem -verify_return_error -quiet -no_ign_eof 2>&1; true";
        let seen = eventually("a TLS handshake", || {
            let seen = run(Command::new("sh").args(["-c", client]).current_dir(folder));
            (!seen.stdout.contains("connect:errno")).then_some(seen)
        });
        server.wait().expect("our own child");
        assert!(seen.stdout.contains("verify return:1"), "{}", seen.stdout);
        said + "a handshake with the key in the token\n"
    });
}

#[test]
fn ssh_keygen() {
    both(|way, folder| {
        let mut keys = way.command("pkcs11-tool");
        keys.arg("--module").arg(&way.module).args(["--token-label", LABEL, "--login", "--pin", PIN]);
        run(keys.args(["--keypairgen", "--key-type", "EC:prime256v1", "--id", "08", "--label", "ssh"]))
            .success();
        let seen = run(way.command("ssh-keygen").arg("-D").arg(&way.module)).success();
        file(&folder.join("key.pub"), seen.stdout.as_bytes());
        let shown =
            run(Command::new("ssh-keygen").args(["-l", "-f", "key.pub"]).current_dir(folder)).success();
        assert!(
            shown.stdout.starts_with("256 SHA256:") && shown.stdout.ends_with(" ssh (ECDSA)\n"),
            "{}",
            shown.stdout
        );
        let kind = seen.stdout.split(' ').next().unwrap_or_default().to_owned();
        format!("{kind} {}", seen.stdout.len())
    });
}

#[test]
fn java() {
    both(|way, folder| {
        let config = folder.join("provider.cfg");
        file(
            &config,
            format!("name = Guard\nlibrary = {}\nslotListIndex = 0\n", way.module.display()).as_bytes(),
        );
        let mut keytool = way.command("keytool");
        keytool.args(["-genkeypair", "-addprovider", "SunPKCS11", "-providerarg"]).arg(&config);
        keytool.args(["-storetype", "PKCS11", "-keystore", "NONE", "-storepass", PIN, "-alias", "java"]);
        let made =
            run(keytool.args(["-keyalg", "EC", "-groupname", "secp256r1", "-dname", "CN=java"])).success();
        let mut java = way.command("java");
        java.arg(artifacts::root().join("tests/hosts/Sign.java")).arg(&config).args([PIN, "4", "25"]);
        let signed = run(&mut java).success();
        assert_eq!(signed.number("good"), 100);
        format!("{}{}{}", made.stdout, made.stderr, signed.stdout)
    });
}

#[test]
fn python_pkcs11() {
    let python = run(&mut Command::new(artifacts::root().join("scripts/python-env"))).success();
    both(|way, _| {
        let mut client = way.command(python.stdout.trim());
        client.arg(artifacts::root().join("tests/hosts/python.py")).arg(&way.module).args([LABEL, PIN]);
        let seen = run(&mut client).success();
        assert!(seen.stdout.ends_with("end\n"), "{}{}", seen.stdout, seen.stderr);
        seen.stdout
    });
}
