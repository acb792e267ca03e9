// SPDX-License-Identifier: Apache-2.0
use event::mechanism::{CKM_RSA_AES_KEY_WRAP, CKM_RSA_PKCS_OAEP, CKM_SHA256};
use event::parameter::{Field, Parameter};

use super::*;

fn problem(text: &str) -> String {
    read("p.test.toml", text.as_bytes()).unwrap_err()
}

fn case(lines: &str) -> String {
    format!("policy = \"p.toml\"\n[[case]]\nname = \"n\"\nexpect = \"deny\"\n{lines}\n")
}

#[test]
fn a_case_says_everything_that_a_call_can_be() {
    let file = read(
        "p.test.toml",
        case(
            "rule = \"r\"\nfunction = \"C_WrapKeyAuthenticated\"\nmechanism = \"CKM_RSA_AES_KEY_WRAP\"\n\
             parameters.aes_key_bits = 256\n\
             parameters.mechanism = { name = \"CKM_RSA_PKCS_OAEP\", parameters = { hash = \"CKM_SHA256\" } }\n\
             key = { class = \"CKO_PUBLIC_KEY\", type = \"CKK_RSA\", bits = 2048, label = \"wrap\", \
                     id = \"01ff\", trusted = true, end_date = 2030-12-31 }\n\
             target = { curve = \"prime256v1\", extractable = true }\n\
             token = { label = \"t\", slot = 3 }\nuser = \"so\"\nprocess = { host = \"h\", exe = \"/x\", uid = 0, service = \"s\" }\n\
             time = 2031-01-01T08:00:00Z\nmemory = { key_uses = [\"wrap\", \"decrypt\"], foreign = true, reached = true }\n\
             input = { length = 20, digest = \"CKM_SHA_1\" }\nflags = 6\n\
             enforced = true\nhardened = [\"sensitive\", \"end_date\"]",
        )
        .as_bytes(),
    )
    .unwrap();
    let [case] = file.cases.as_slice() else { panic!("{file:?}") };
    let facts = case.call.facts();
    assert_eq!(
        (&*file.policy, case.line, case.expect, case.rule.as_deref()),
        ("p.toml", 3, "deny", Some("r"))
    );
    assert_eq!((facts.act, facts.mechanism), (Act::Wrap, Some(CKM_RSA_AES_KEY_WRAP)));
    assert!(facts.parameters.contains(&Parameter {
        depth: 0,
        field: Field::Mechanism,
        value: CKM_RSA_PKCS_OAEP
    }));
    assert!(facts.parameters.contains(&Parameter { depth: 1, field: Field::Hash, value: CKM_SHA256 }));
    assert_eq!(
        (facts.key.bits, facts.key.label, facts.key.end),
        (Some(2048), Some(&b"wrap"[..]), Some(*b"20301231"))
    );
    assert_eq!((facts.target.bits, facts.target.curve), (Some(256), Some(0)));
    assert_eq!((facts.user, facts.process.uid, facts.time), (Some(0), Some(0), Some(1_925_020_800)));
    assert_eq!((facts.memory.key_uses, facts.memory.reached), (Flags::WRAP | Flags::DECRYPT, u64::MAX));
    assert_eq!((case.enforced, facts.process.host), (Some(true), Some(&b"h"[..])));
    assert_eq!(case.hardened, Some(["end_date", "sensitive"].into()));
    assert_eq!((facts.token.slot, facts.flags, facts.input.length), (Some(3), Some(6), Some(20)));
}

#[test]
fn every_mistake_has_its_place_and_a_remedy() {
    for (text, place, what, help) in [
        ("policy = 3\n[[case]]\n", "1:10", "no text", "quotes"),
        ("polcy = \"p\"\n", "1:1", "unknown key `polcy`", "`policy`"),
        ("policy = \"p\"\n", "1:1", "`case` is missing", "[[case]]"),
        ("policy = [\n", "1:", "", "one `key = value`"),
        (&case("operation = \"sing\""), "5:13", "unknown operation `sing`", "`sign`"),
        (&case("operation = \"sign\""), "2:1", "`mechanism` is missing", "CKM_ECDSA"),
        (&case("mechanism = \"CKM_ECDSA\""), "2:1", "`operation` is missing", "sign"),
        (&case("operation = \"sign\"\nmechanism = \"CKM_ECDAS\""), "6:13", "unknown mechanism", "CKM_ECDSA"),
        (
            &case("operation = \"sign\"\nfunction = \"C_WrapKey\""),
            "6:12",
            "does `wrap`, not `sign`",
            "leave one",
        ),
        (&case("function = \"C_Verify\""), "5:12", "unknown function that policies judge", "C_VerifyInit"),
        (&case("operation = \"find\"\nkey = { bit = 3 }"), "6:9", "unknown key `bit`", "`bits`"),
        (&case("operation = \"find\"\nkey = { curve = \"P256\" }"), "6:17", "unknown curve `P256`", "P-256"),
        (&case("operation = \"find\"\nkey = { id = \"0\" }"), "6:14", "no hexadecimal id", "01ff"),
        (&case("operation = \"find\"\ntime = \"2031-01-01\""), "6:8", "no time", "without quotes"),
        (
            &case("operation = \"find\"\nhardened = [\"sensitve\"]"),
            "6:13",
            "unknown attribute to harden `sensitve`",
            "`sensitive`",
        ),
        (&case("operation = \"find\"\nuser = \"root\""), "6:8", "unknown user `root`", "so, user"),
    ] {
        let told = problem(text);
        assert!(told.starts_with(&format!("p.test.toml:{place}")), "{text}\n{told}");
        assert!(told.contains(what) && told.contains('^') && told.contains(help), "{text}\n{told}");
    }
}

#[test]
fn the_mistakes_of_all_cases_are_told_at_once() {
    let two = case("operation = \"sing\"") + "[[case]]\nname = \"m\"\nexpect = \"denied\"\n";
    assert_eq!(problem(&two).matches("error:").count(), 2);
}
