// SPDX-License-Identifier: Apache-2.0
//! What the built-in profiles say of single calls, one line per situation: action and rule, on the day of
//! the call.

use event::mechanism;
use event::parameter::{Field, Parameter};
use event::value::key_type::*;
use event::{Function, curve};
use policy::{Act, Action, Facts, Object, Policy};

fn policy(profile: &str) -> Policy {
    let text = format!("version = 1\ndefault = \"allow\"\ninclude = [\"{profile}\"]\n");
    Policy::parse(profile, text.as_bytes()).unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

/// Seconds since 1970 of the noon of a date.
fn noon(year: u64, month: u64, day: u64) -> u64 {
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719_468;
    days * 86_400 + 43_200
}

fn facts(act: &str, mechanism: &str, key: Object<'static>) -> Facts<'static> {
    let act = Act::from_name(act).unwrap();
    let mechanism = (!mechanism.is_empty()).then(|| mechanism::parse(mechanism).unwrap());
    let facts = Facts {
        key,
        template: key,
        time: Some(noon(2026, 11, 21)),
        ..Facts::of(Function::C_Initialize, act, mechanism)
    };
    Facts { key, ..facts }
}

fn key(key_type: u64, bits: u32) -> Object<'static> {
    Object { key_type: Some(key_type), bits: Some(bits), present: true, ..Object::default() }
}

fn on(name: &str) -> Object<'static> {
    let place = curve::ALL.iter().position(|curve| curve.name == name).unwrap();
    Object { curve: Some(place.try_into().unwrap()), ..key(CKK_EC, u32::from(curve::ALL[place].bits)) }
}

fn set(key_type: u64, number: u64) -> Object<'static> {
    Object { parameter_set: Some(number), ..key(key_type, 0) }
}

#[track_caller]
fn judged(policy: &Policy, facts: Facts<'_>, action: Action, rule: &str) {
    let verdict = policy.judge(&facts);
    assert_eq!((verdict.action(), verdict.rule().name()), (action, rule));
}

/// `table!(policy: allow "sign" "CKM_ECDSA" key; deny "sign" … => "rule"; …)`, and with `on (2031, 1, 1)`
/// that day.
macro_rules! table {
    ($policy:ident: $($word:ident $act:literal $mechanism:literal $key:expr,
    $(on $day:expr,)? $rule:literal;)*) => {
        $({
            #[allow(unused_mut)]
            let mut facts = facts($act, $mechanism, $key);
            $(facts.time = Some({ let (year, month, day) = $day; noon(year, month, day) });)?
            judged(&$policy, facts, Action::$word, $rule);
        })*
    };
}

#[test]
fn baseline_refuses_what_is_broken_and_nothing_else() {
    let baseline = policy("baseline");
    table! { baseline:
        Deny "sign" "CKM_SHA1_RSA_PKCS" key(CKK_RSA, 2048), "baseline-signatures-with-broken-hashes";
        Deny "sign" "CKM_ECDSA_SHA1" on("P-256"), "baseline-signatures-with-broken-hashes";
        Allow "sign" "CKM_SHA_1_HMAC" key(CKK_GENERIC_SECRET, 160), "default";
        Allow "sign" "CKM_SHA256_RSA_PKCS" key(CKK_RSA, 2048), "default";
        Allow "verify" "CKM_SHA1_RSA_PKCS" key(CKK_RSA, 2048), "default";
        Deny "encrypt" "CKM_DES_CBC" key(CKK_DES, 64), "baseline-broken-ciphers";
        Deny "generate" "CKM_PBE_SHA1_RC4_128" Object::default(), "baseline-broken-ciphers";
        Warn "decrypt" "CKM_RC4" key(CKK_RC4, 128), "baseline-data-of-broken-ciphers";
        Allow "encrypt" "CKM_DES3_CBC" key(CKK_DES3, 192), "default";
        Allow "encrypt" "CKM_AES_CBC" key(CKK_AES, 128), "default";
        Deny "generate-key-pair" "CKM_RSA_PKCS_KEY_PAIR_GEN" key(CKK_RSA, 1024), "baseline-short-rsa-keys";
        Warn "verify" "CKM_SHA256_RSA_PKCS" key(CKK_RSA, 1024), "baseline-data-of-short-rsa-keys";
        Deny "sign" "CKM_DSA_SHA256" key(CKK_DSA, 1024), "baseline-short-dsa-keys";
        Deny "derive" "CKM_DH_PKCS_DERIVE" key(CKK_DH, 1024), "baseline-short-dh-groups";
        Deny "sign" "CKM_ECDSA_SHA256" on("P-192"), "baseline-small-curves";
        Allow "sign" "CKM_ECDSA_SHA256" on("P-224"), "default";
        Deny "verify" "CKM_ECDSA_SHA256" Object { explicit_curve: true, ..Object::default() },
        "baseline-explicit-curves";
        Deny "import" "" Object { explicit_curve: true, ..Object::default() }, "baseline-import-of-explicit-curves";
        Deny "generate-key-pair" "CKM_RSA_PKCS_KEY_PAIR_GEN" Object { exponent: Some(1),
        ..key(CKK_RSA, 2048) }, "baseline-no-exponent";
        Warn "generate-key-pair" "CKM_RSA_PKCS_KEY_PAIR_GEN" Object { exponent: Some(3),
        ..key(CKK_RSA, 2048) }, "baseline-small-exponent";
        Warn "decrypt" "CKM_RSA_PKCS" key(CKK_RSA, 2048), "baseline-pkcs1-padding-oracle";
        Allow "decrypt" "CKM_RSA_PKCS_OAEP" key(CKK_RSA, 2048), "default";
        Warn "sign" "CKM_RSA_X_509" key(CKK_RSA, 2048), "baseline-raw-rsa";
        Deny "derive" "CKM_SSL3_MASTER_KEY_DERIVE" Object::default(), "baseline-ssl3";
        Deny "wrap" "CKM_NULL" Object::default(), "baseline-broken-ciphers";
    }
    let with = |act, mechanism, (field, value), action, rule| {
        let parameters = [Parameter { depth: 0, field, value }];
        let facts = Facts { parameters: &parameters, ..facts(act, mechanism, key(CKK_RSA, 2048)) };
        judged(&baseline, facts, action, rule);
    };
    let sha1 = mechanism::CKM_SHA_1;
    with(
        "sign",
        "CKM_RSA_PKCS_PSS",
        (Field::Hash, sha1),
        Action::Deny,
        "baseline-signatures-with-broken-hashes",
    );
    with(
        "wrap",
        "CKM_RSA_PKCS_OAEP",
        (Field::Hash, mechanism::CKM_MD5),
        Action::Deny,
        "baseline-oaep-with-broken-hashes",
    );
    with("wrap", "CKM_RSA_PKCS_OAEP", (Field::Hash, sha1), Action::Allow, "default");
    with("encrypt", "CKM_AES_GCM", (Field::TagBits, 32), Action::Deny, "baseline-tiny-tags");
    with("encrypt", "CKM_AES_GCM", (Field::TagBits, 64), Action::Warn, "baseline-short-tags");
    with("encrypt", "CKM_AES_GCM", (Field::TagBits, 128), Action::Allow, "default");
    with("sign", "CKM_AES_CMAC_GENERAL", (Field::MacLen, 2), Action::Deny, "baseline-tiny-macs");
    with("generate", "CKM_PKCS5_PBKD2", (Field::Iterations, 500), Action::Warn, "baseline-few-iterations");
}

#[test]
fn nist_judges_on_the_day_of_the_call() {
    let nist = policy("nist-800-131a");
    table! { nist:
        Warn "encrypt" "CKM_DES3_CBC" key(CKK_DES3, 192), on (2023, 12, 31), "nist-tdea-deprecated";
        Deny "encrypt" "CKM_DES3_CBC" key(CKK_DES3, 192), on (2024, 1, 1), "nist-tdea";
        Allow "decrypt" "CKM_DES3_CBC" key(CKK_DES3, 192), "default";
        Deny "encrypt" "CKM_CAMELLIA_CBC" key(CKK_CAMELLIA, 256), "nist-other-ciphers";
        Deny "sign" "CKM_SHA1_RSA_PKCS" key(CKK_RSA, 2048), "nist-sha1-signatures";
        Allow "sign" "CKM_SHA_1_HMAC" key(CKK_GENERIC_SECRET, 160), on (2030, 12, 31), "default";
        Deny "sign" "CKM_SHA_1_HMAC" key(CKK_GENERIC_SECRET, 160), on (2031, 1, 1), "nist-sha1";
        Warn "sign" "CKM_SHA256_RSA_PKCS" key(CKK_RSA, 1024), "nist-short-rsa-signatures";
        Allow "sign" "CKM_SHA256_RSA_PKCS" key(CKK_RSA, 2048), "default";
        Warn "sign" "CKM_SHA256_RSA_PKCS" key(CKK_RSA, 2048), on (2031, 1, 1), "nist-draft-112-bits";
        Warn "sign" "CKM_ECDSA_SHA384" on("P-384"), on (2036, 1, 1), "nist-draft-quantum";
        Allow "wrap" "CKM_AES_KEY_WRAP_KWP" key(CKK_AES, 256), "default";
    }
}

#[test]
fn cnsa_knows_only_its_own_algorithms() {
    let cnsa = policy("cnsa-2.0");
    table! { cnsa:
        Allow "encrypt" "CKM_AES_GCM" key(CKK_AES, 256), "default";
        Deny "encrypt" "CKM_AES_GCM" key(CKK_AES, 128), "cnsa-short-aes-keys";
        Deny "encrypt" "CKM_CHACHA20_POLY1305" key(CKK_CHACHA20, 256), "cnsa-other-ciphers";
        Deny "digest" "CKM_SHA256" Object::default(), "cnsa-other-hashes";
        Allow "digest" "CKM_SHA384" Object::default(), "default";
        Warn "digest" "CKM_SHA3_384" Object::default(), "cnsa-sha3";
        Deny "encapsulate" "CKM_ML_KEM" set(CKK_ML_KEM, 2), "cnsa-small-ml-kem";
        Allow "encapsulate" "CKM_ML_KEM" set(CKK_ML_KEM, 3), "default";
        Deny "sign" "CKM_ML_DSA" set(CKK_ML_DSA, 2), "cnsa-small-ml-dsa";
        Allow "sign" "CKM_ML_DSA" set(CKK_ML_DSA, 3), "default";
        Deny "sign" "CKM_HASH_ML_DSA_SHA512" set(CKK_ML_DSA, 3), "cnsa-hash-ml-dsa";
        Deny "sign" "CKM_SLH_DSA" set(CKK_SLH_DSA, 1), "cnsa-slh-dsa";
        Deny "sign" "CKM_XMSSMT" Object::default(), "cnsa-multi-tree";
        Allow "sign" "CKM_XMSS" Object::default(), "default";
        Allow "sign" "CKM_ECDSA_SHA384" on("P-384"), "default";
        Deny "sign" "CKM_ECDSA_SHA384" on("P-256"), "cnsa-1-small-curves";
        Deny "sign" "CKM_ECDSA_SHA384" on("P-521"), "cnsa-1-other-curves";
        Deny "sign" "CKM_SHA384_RSA_PKCS" key(CKK_RSA, 2048), "cnsa-1-short-keys";
        Warn "sign" "CKM_ECDSA_SHA384" on("P-384"), on (2032, 1, 1), "cnsa-1-is-over";
    }
}

#[test]
fn the_others_say_what_their_editions_say() {
    let (bsi, fips, pci) = (policy("bsi-tr-02102"), policy("fips-140-3"), policy("pci-pin"));
    table! { bsi:
        Deny "sign" "CKM_SHA256_RSA_PKCS_PSS" key(CKK_RSA, 2048), "bsi-short-rsa-and-dl-keys";
        Allow "sign" "CKM_SHA256_RSA_PKCS_PSS" key(CKK_RSA, 2048), on (2023, 12, 31), "default";
        Allow "sign" "CKM_SHA256_RSA_PKCS_PSS" key(CKK_RSA, 3072), "default";
        Warn "sign" "CKM_SHA256_RSA_PKCS" key(CKK_RSA, 3072), "bsi-pkcs1-padding";
        Deny "sign" "CKM_ECDSA_SHA224" on("P-256"), "bsi-short-hashes";
        Deny "sign" "CKM_ECDSA_SHA256" on("P-224"), "bsi-224-bit-curves";
        Warn "derive" "CKM_ECDH1_DERIVE" on("P-256"), on (2032, 1, 1), "bsi-classical-key-agreement";
    }
    table! { fips:
        Deny "encrypt" "CKM_DES3_CBC" key(CKK_DES3, 192), "fips-tdea";
        Deny "encrypt" "CKM_CHACHA20_POLY1305" key(CKK_CHACHA20, 256), "fips-other-ciphers";
        Warn "encrypt" "CKM_RSA_PKCS" key(CKK_RSA, 2048), "fips-pkcs1-transport";
        Warn "sign" "CKM_ECDSA_SHA256" on("secp256k1"), "fips-other-curves";
        Allow "sign" "CKM_ECDSA_SHA256" on("P-256"), "default";
    }
    table! { pci:
        Allow "encrypt" "CKM_DES3_ECB" key(CKK_DES3, 128), "default";
        Deny "encrypt" "CKM_DES_ECB" key(CKK_DES, 64), "pci-pin-encryption";
        Deny "wrap" "CKM_DES3_CBC" key(CKK_DES3, 192), "pci-pin-key-blocks";
        Warn "wrap" "CKM_DES3_CBC" key(CKK_DES3, 192), on (2024, 12, 31), "pci-pin-key-blocks-first-phases";
        Allow "wrap" "CKM_AES_KEY_WRAP_KWP" key(CKK_AES, 256), "default";
        Deny "sign" "CKM_SHA224_RSA_PKCS" key(CKK_RSA, 2048), "pci-pin-hashes";
        Deny "sign" "CKM_SHA256_HMAC" key(CKK_GENERIC_SECRET, 112), "pci-pin-short-hmac-keys";
    }
}
