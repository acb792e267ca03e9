// SPDX-License-Identifier: Apache-2.0
//! The table of attacks: on which bare token each one succeeds, which rules may refuse it under
//! `anti-tookan`, and what is published of Caml Crush 1.0.12 with its patch sets 1 and 2. "Not published"
//! stands where nothing is known of it.

/// An attack.
pub(crate) struct Row {
    /// Its number; a letter behind it tells variants apart.
    pub(crate) name: &'static str,
    /// What is done.
    pub(crate) about: &'static str,
    /// The bare tokens on which it succeeds.
    pub(crate) hits: Tokens,
    /// The rules that may refuse it, the one that is meant for it first. None: it is hidden, not refused.
    pub(crate) rules: &'static [&'static str],
    /// What Caml Crush does.
    pub(crate) caml_crush: &'static str,
}

/// Which of the two tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tokens {
    Neither,
    SoftHsm,
    Nss,
    Both,
}

use Tokens::{Both, Neither, Nss, SoftHsm};

const fn row(
    name: &'static str,
    about: &'static str,
    hits: Tokens,
    rules: &'static [&'static str],
    caml_crush: &'static str,
) -> Row {
    Row { name, about, hits, rules, caml_crush }
}

/// A rule for mechanisms that an attack goes around, beside the guards of `anti-tookan`.
pub(crate) const BANS: &str = r#"
[[rule]]
name = "no-sha1"
action = "deny"
mechanism = ["CKM_SHA_1"]
remedy = "use CKM_SHA256"
[[rule]]
name = "no-md5"
action = "deny"
mechanism = ["CKM_MD5"]
remedy = "use CKM_SHA256"
[[rule]]
name = "no-gcm"
action = "deny"
mechanism = ["CKM_AES_GCM"]
remedy = "use CKM_AES_CCM"
"#;

/// The attacks that go around one of the bans; only these are made under them.
pub(crate) const AROUND_A_BAN: [&str; 3] = ["T30", "T31b", "T36"];

/// Every attack.
pub(crate) const ROWS: &[Row] = &[
    row("T01", "wrap, then decrypt", Both, &["role-separation"], "refused at generation: 0x13, 0xd1"),
    row("T01b", "the same with nothing said", Both, &["role-separation"], "not published"),
    row("T01c", "the same said twice", Both, &["clear-templates"], "not published"),
    row("T01d", "the same, the other way round", Neither, &["clear-templates"], "not published"),
    row("T01e", "the same with 2 for true", Both, &["role-separation"], "not published"),
    row("T01f", "the same behind 70 labels", Neither, &["role-separation"], "not published"),
    row("T02", "wrap by KW, decrypt by ECB", Both, &["role-separation"], "refused at generation"),
    row("T03", "WRAP, later DECRYPT", Both, &["frozen-usage"], "refused"),
    row("T04", "one copy wraps, one decrypts", Both, &["frozen-usage"], "set 1: succeeds; set 2: 0xd1"),
    row("T05", "WRAP and DECRYPT on two halves", SoftHsm, &["role-separation"], "refused at generation"),
    row("T06", "private half gets DECRYPT later", Both, &["frozen-usage"], "set 1: change accepted"),
    row("T07", "raw signature of a wrapped key", SoftHsm, &["no-raw-rsa", "role-separation"], OPEN_BY_NAME),
    row("T07b", "raw signature of a ciphertext", Both, &["no-raw-rsa"], OPEN_BY_NAME),
    row("T07c", "the same with recovery", Neither, &["no-raw-rsa"], OPEN_BY_NAME),
    row("T08", "unwrap as readable", Both, &["no-weaker-copies"], "0x06, 0xd1"),
    row("T08b", "unwrap as readable, by RSA", Both, &["no-weaker-copies"], "refused: own wrapping format"),
    row("T09", "unwrap twice, a role each", Both, &["foreign-keys"], "refused: own wrapping format"),
    row("T09b", "unwrap twice: ENCRYPT, UNWRAP", Both, &["role-separation", "foreign-keys"], "not published"),
    row("T09c", "the same by two keys", Both, &["role-separation", "foreign-keys"], "not published"),
    row("T10", "encrypt, then unwrap", Both, &["role-separation"], "refused at generation"),
    row("T11", "Trojan wrapped key, PKCS #1", Both, TROJAN, "refused: own wrapping format"),
    row("T11b", "Trojan wrapped key, OAEP", Both, &["foreign-keys"], "refused: own wrapping format"),
    row("T12", "Trojan public key", Both, &["foreign-keys"], "0xd1"),
    row("T13", "known secret key wraps", Both, &["foreign-keys"], "refused: non-local"),
    row("T13b", "known secret key gets WRAP later", Both, &["foreign-keys", "frozen-usage"], "refused"),
    row("T13c", "the same with nothing said", Both, &["foreign-keys", "role-separation"], "not published"),
    row("T14", "read a sensitive value", Neither, &["no-secret-reads"], "refused, and some legal reads too"),
    row("T15", "read an unextractable value", Nss, &["no-secret-reads"], "left to the token"),
    row("T15b", "the same behind 300 others", Nss, &["no-secret-reads"], "not published"),
    row("T16", "SENSITIVE off", Neither, &["frozen-usage"], "refused: sticky"),
    row("T16b", "EXTRACTABLE on", Neither, &["frozen-usage"], "refused: sticky"),
    row("T16c", "SENSITIVE off in a copy", Neither, &["frozen-usage"], "refused: sticky"),
    row("T16d", "EXTRACTABLE on in a copy", Nss, &["frozen-usage"], "refused: sticky"),
    row("T16e", "the same said twice", Nss, &["clear-templates"], "not published"),
    row("T17", "you derive, I encrypt", Both, &["role-separation"], OPEN_DERIVING),
    row("T17b", "derive twice, by ECDH", Both, &["role-separation"], "not published"),
    row("T17c", "the same, in other bytes", Both, &["role-separation"], "not published"),
    row("T17d", "derive twice, by encryption", Both, &["role-separation"], "not published"),
    row("T17e", "derive twice, by HKDF", Nss, &["role-separation"], "not published"),
    row("T18", "derive as readable", Both, &["no-weaker-copies", "derived-length"], OPEN_DERIVING),
    row("T19", "one-byte key and its digest", Both, &["derived-length", "no-digest-key"], OPEN_DERIVING),
    row("T20", "one byte at a time", Nss, &["derived-length"], OPEN_BY_NAME),
    row("T21", "concatenate and cut", Nss, &["derived-length"], OPEN_BY_NAME),
    row("T21b", "mix and cut", Nss, &["derived-length"], OPEN_BY_NAME),
    row("T22", "RSA-512 wraps AES-128", Both, &["strong-wrap"], "succeeds: no sizes"),
    row("T22b", "AES-128 wraps AES-256", Both, &["strong-wrap"], "succeeds: no sizes"),
    row("T23", "cube root of a raw wrap", Neither, &["no-raw-rsa"], OPEN_BY_NAME),
    row("T24", "private key wrapped by CBC", Both, &["authenticated-wrap"], OPEN_BY_NAME),
    row("T24b", "changed on the way back", Nss, &["authenticated-wrap"], "refused: own wrapping format"),
    row("T25", "PKCS #1 oracle, decryption", SoftHsm, &["no-padding-oracles"], "succeeds with its rule"),
    row("T25b", "PKCS #1 oracle, unwrapping", SoftHsm, UNWRAP_ORACLE, "refused by its rule"),
    row("T26", "CBC padding oracle", Both, &["no-padding-oracles"], "succeeds with its rule"),
    row("T27", "TRUSTED by the officer", SoftHsm, &["no-administration", "fixed-identity"], "login refused"),
    row("T28", "key in another's place", Both, &["fixed-identity"], "token objects: read-only sessions"),
    row("T28b", "wrapping key made again", Both, &["fixed-identity"], "token objects: read-only sessions"),
    row("T29", "SHA-1 in a DigestInfo", Both, &["hash-peek"], "succeeds"),
    row("T29b", "SHA-1 handed to ECDSA", Both, &["hash-peek"], "succeeds"),
    row("T29c", "SHA-1 in PSS", Both, &["hash-peek"], "succeeds: reads no parameter"),
    row("T29d", "SHA-1 without its NULL", Both, &["hash-peek"], "succeeds"),
    row("T29e", "SHA-1 behind zeros, to ECDSA", Both, &["hash-peek"], "succeeds"),
    row("T29f", "SHA-1 again after a refusal", Both, &["hash-peek"], "succeeds"),
    row("T30", "banned hash in a parameter", Both, &["no-sha1"], "succeeds: reads no parameter"),
    row("T31", "resumed operation", Nss, &["operation-state"], "its key handles are not checked"),
    row("T31b", "banned mechanism, 3.0 entry", Nss, &["no-gcm"], "has no 3.x"),
    row("T31c", "vendor's interface", Nss, &[], "has no 3.x"),
    row("T32", "same nonce twice", Both, &["nonce-reuse"], "succeeds: not covered"),
    row("T32b", "the same with a copy of the key", Both, &["nonce-reuse"], "succeeds: not covered"),
    row("T32c", "the same in messages of 3.0", Nss, &["nonce-reuse"], "has no 3.x"),
    row("T32d", "the same counter block", Both, &["nonce-reuse"], "succeeds: not covered"),
    row("T33", "key conjured of random bytes", Nss, &["authenticated-wrap"], "refused: own wrapping format"),
    row("T34", "check value of a short key", SoftHsm, &["derived-length"], "succeeds: not covered"),
    row("T35", "C_InitToken", Both, &["no-administration"], "succeeds with its rules"),
    row("T35b", "C_SetPIN", Both, &["no-administration"], "not covered"),
    row("T35c", "C_Login in a loop", Both, &["login-attempts"], "not covered"),
    row("T36", "changed while judged", Both, &["no-md5"], "not published"),
];

const TROJAN: &[&str] = &["foreign-keys", "authenticated-wrap", "no-padding-oracles"];
const UNWRAP_ORACLE: &[&str] = &["no-padding-oracles", "authenticated-wrap"];
const OPEN_BY_NAME: &str = "succeeds unless the mechanism is listed";
const OPEN_DERIVING: &str = "succeeds: no rule for deriving";
