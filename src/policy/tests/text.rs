// SPDX-License-Identifier: Apache-2.0
//! What is said of a broken policy, against the files of `golden/`; and that no text makes the parser
//! panic. `P11GUARD_GOLDEN=write cargo test -p policy` writes the expected texts anew.

use policy::{MAX_BYTES, Policy};
use proptest::prelude::*;
use std::fs;
use std::path::Path;

fn diagnostic(path: &str, text: &[u8]) -> String {
    match Policy::parse(path, text) {
        Ok(_) => "no mistake was found".to_owned(),
        Err(diagnostics) => diagnostics.to_string(),
    }
}

#[test]
fn every_mistake_is_placed_and_answered_with_what_to_write() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let write = std::env::var_os("P11GUARD_GOLDEN").is_some_and(|word| word == "write");
    let mut differing = Vec::new();
    let mut files = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap();
        let said = diagnostic(name, &fs::read(&path).unwrap()) + "\n";
        let expected = path.with_extension("txt");
        if write {
            fs::write(&expected, &said).unwrap();
        }
        if fs::read_to_string(&expected).unwrap_or_default() != said {
            differing.push(format!("{name} is now answered with:\n{said}"));
        }
        files += 1;
    }
    assert!(files > 30, "only {files} golden files");
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn a_policy_over_the_size_limit_is_refused_before_it_is_read() {
    let said = diagnostic("policy.toml", &vec![b'#'; MAX_BYTES + 1]);
    assert!(said.starts_with("policy.toml:1:1: error: the policy has 4194305 bytes"), "{said}");
    assert!(
        Policy::parse("policy.toml", &[b"version = 1\n#".as_slice(), &vec![b'#'; MAX_BYTES - 13]].concat())
            .is_ok()
    );
}

#[test]
fn a_flood_of_mistakes_is_cut_short_and_counted() {
    let text = "version = 1\n".to_owned() + &"[[rule]]\n".repeat(100);
    let diagnostics = Policy::parse("policy.toml", text.as_bytes()).unwrap_err();
    assert_eq!(diagnostics.list().len(), 50);
    assert!(diagnostics.to_string().ends_with("policy.toml: and 150 more"));
}

#[test]
fn a_mistake_can_be_read_in_parts() {
    let diagnostics = Policy::parse("p.toml", b"version = 1\nmode = \"observ\"\n").unwrap_err();
    let [mistake] = diagnostics.list() else { panic!("{diagnostics}") };
    assert_eq!((mistake.line(), mistake.column()), (2, 8));
    assert_eq!(mistake.message(), "unknown mode `observ`");
    assert_eq!(mistake.help(), "did you mean `observe`?");
}

/// Pieces of policies, so that random texts come past the TOML parser.
fn policy_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("version = 1\n"),
        Just("[[rule]]\n"),
        Just("[rule]\n"),
        Just("name = \"a\"\n"),
        Just("name = \"\u{1b}ü\"\n"),
        Just("action = \"allow\"\n"),
        Just("action = \"deny\"\n"),
        Just("mechanism = [\"CKM_ECDSA\", 0x80000001]\n"),
        Just("mechanism = [\"CKM_ECDS\", -1, [], {}]\n"),
        Just("operation = [\"sign\", \"wrap\"]\n"),
        Just("curve = [\"P-256\"]\n"),
        Just("min_bits = 3000\n"),
        Just("max_bits = 2000\n"),
        Just("rule = [1, {name = \"b\"}]\n"),
        Just("x = \"\"\"\n"),
        Just("\r\n"),
        Just("ü"),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = diagnostic("p.toml", &bytes);
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        let _ = diagnostic("p.toml", text.as_bytes());
    }

    #[test]
    fn what_it_prints_steers_no_terminal(text in policy_like(), cut in any::<prop::sample::Index>()) {
        let cut = text.floor_char_boundary(cut.index(text.len() + 1));
        for text in [&text[..], &text[..cut]] {
            let said = diagnostic("p\u{7}.toml", text.as_bytes());
            prop_assert!(said.chars().all(|c| c == '\n' || !c.is_control()), "{said:?}");
        }
    }
}
