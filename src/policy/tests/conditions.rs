// SPDX-License-Identifier: Apache-2.0
//! What each condition lets pass, one situation per line: a rule that allows with these conditions, a rule that denies
//! with them, and a call. `meets!` says that the call meets them for both, `fails!` for neither; `mixed!` that of
//! several facts one is right and one is not, so that neither an `allow` nor the rest of the world lets it pass.

use event::Function::{self, *};
use event::curve;
use event::mechanism::*;
use event::parameter::{Field, Parameter};
use event::record::Flags;
use event::value::key_type::{CKK_EC, CKK_ML_DSA, CKK_RSA};
use event::value::object_class::CKO_PRIVATE_KEY;
use event::value::user_type::{CKU_CONTEXT_SPECIFIC, CKU_SO, CKU_USER};
use policy::Act::{self, *};
use policy::{Action, Facts, NOBODY, Origin, Policy, Subject};

/// Whether an `allow` and whether a `deny` with these conditions decides the call.
fn decides(conditions: &str, facts: &Facts<'_>) -> (bool, bool) {
    let verdict = |action: &str, default: &str| {
        let text = format!(
            "version = 1\ndefault = '{default}'\n[[rule]]\nname = 'it'\naction = '{action}'\nremedy = 'ask'\n{conditions}\n"
        );
        let policy =
            Policy::parse("policy.toml", text.as_bytes()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let verdict = policy.judge(facts);
        let by_it = verdict.rule().name() == "it";
        let asked_for = policy.judge(&asked_for(&policy, facts));
        assert_eq!(asked_for.rule().name() == "it", by_it, "{conditions}: more decides than is asked for");
        assert_eq!(verdict.action() == Action::Deny, by_it == (action == "deny"), "{conditions}");
        by_it
    };
    (verdict("allow", "deny"), verdict("deny", "allow"))
}

/// What is left of a call where nothing is looked up but what the policy says it asks for.
fn asked_for<'c>(policy: &Policy, facts: &Facts<'c>) -> Facts<'c> {
    let asks = |subject| policy.asks(subject, facts.act);
    let nothing = Facts::of(facts.function, facts.act, facts.mechanism);
    if !policy.asks_more(facts.act) {
        return Facts { parameters: facts.parameters, ..nothing };
    }
    let (mut left, login) = (*facts, facts.act == Login);
    if !asks(Subject::Key) {
        (left.key, left.target) = (nothing.key, nothing.target);
    }
    if !asks(Subject::Token) {
        // A login names its user itself.
        (left.token, left.user) = (nothing.token, facts.user.filter(|_| login));
    }
    if !asks(Subject::Process) {
        left.process = nothing.process;
    }
    if !asks(Subject::Time) {
        left.time = nothing.time;
    }
    left
}

fn call<'c>(function: Function, act: Act, mechanism: u64) -> Facts<'c> {
    Facts::of(function, act, Some(mechanism))
}

fn flags(bits: u32, value: bool) -> Flags {
    let mut flags = Flags::default();
    flags.tell(bits, value);
    flags
}

fn place(curve: &str) -> Option<u16> {
    let known = curve::by_name(curve).unwrap();
    curve::ALL.iter().position(|curve| curve == known).map(|place| place.try_into().unwrap())
}

const fn field(depth: u8, field: Field, value: u64) -> Parameter {
    Parameter { depth, field, value }
}

macro_rules! judged {
    ($expected:expr, $conditions:literal: $function:ident $act:ident $mechanism:ident $(, $($field:ident).+ = $value:expr)*) => {{
        #[allow(unused_mut)]
        let mut facts = call($function, $act, $mechanism);
        $(facts.$($field).+ = $value;)*
        assert_eq!(decides($conditions, &facts), $expected, "{} {:?}", $conditions, facts);
    }};
}
macro_rules! meets { ($($situation:tt)+) => { judged!((true, true), $($situation)+) }; }
macro_rules! fails { ($($situation:tt)+) => { judged!((false, false), $($situation)+) }; }
macro_rules! mixed { ($($situation:tt)+) => { judged!((false, true), $($situation)+) }; }

#[test]
fn what_is_called() {
    meets!("function = 'C_SignInit'": C_SignInit Sign CKM_ECDSA);
    meets!("function = ['C_WrapKey', 'C_SignInit']": C_SignInit Sign CKM_ECDSA);
    fails!("function = 'C_MessageSignInit'": C_SignInit Sign CKM_ECDSA);
    meets!("operation = 'protect'": C_SignInit Sign CKM_ECDSA);
    fails!("operation = 'process'": C_SignInit Sign CKM_ECDSA);
    meets!("operation = ['process', 'sign']": C_SignInit Sign CKM_ECDSA);
    meets!("operation = 'wrap'\nmechanism = 'CKM_AES_KEY_WRAP_KWP'": C_WrapKey Wrap CKM_AES_KEY_WRAP_KWP);
}

#[test]
fn mechanisms_by_name_number_family_and_pattern() {
    meets!("mechanism = 'CKM_ECDSA'": C_SignInit Sign CKM_ECDSA);
    meets!("mechanism = 0x1041": C_SignInit Sign CKM_ECDSA);
    meets!("mechanism = 'family:EC'": C_SignInit Sign CKM_ECDSA);
    fails!("mechanism = 'family:rsa'": C_SignInit Sign CKM_ECDSA);
    meets!("mechanism = 'CKM_ECDSA*'": C_SignInit Sign CKM_ECDSA_SHA256);
    meets!("mechanism = ['CKM_SHA1_*', 'CKM_*_SHA1']": C_SignInit Sign CKM_ECDSA_SHA1);
    fails!("mechanism = 'CKM_ECDS?'": C_SignInit Sign CKM_ECDSA_SHA256);
    meets!("mechanism = 'CKM_ECDS?'": C_SignInit Sign CKM_ECDSA);
}

#[test]
fn the_size_the_curve_and_the_exponent() {
    meets!("min_bits = 2048\nmax_bits = 4096": C_SignInit Sign CKM_RSA_PKCS, key.bits = Some(2048));
    fails!("min_bits = 2048": C_SignInit Sign CKM_RSA_PKCS, key.bits = Some(2047));
    fails!("max_bits = 2048": C_SignInit Sign CKM_RSA_PKCS, key.bits = None);
    meets!("curve = 'P-256'": C_SignInit Sign CKM_ECDSA, key.curve = place("P-256"));
    fails!("curve = 'P-256'": C_SignInit Sign CKM_ECDSA, key.curve = place("P-256"), key.explicit_curve = true);
    meets!("explicit_curve = true": C_SignInit Sign CKM_ECDSA, key.explicit_curve = true);
    meets!("explicit_curve = false": C_SignInit Sign CKM_ECDSA, key.curve = place("P-256"));
    fails!("explicit_curve = false": C_SignInit Sign CKM_ECDSA);
    meets!("min_exponent = 65537": C_SignInit Sign CKM_RSA_PKCS, key.exponent = Some(65537));
    fails!("min_exponent = 65537": C_SignInit Sign CKM_RSA_PKCS, key.exponent = Some(3));
    meets!("max_exponent = 65536": C_SignInit Sign CKM_RSA_PKCS, key.exponent = Some(3));
    fails!("max_exponent = 65536": C_SignInit Sign CKM_RSA_PKCS, key.exponent = None);
}

#[test]
fn the_strength() {
    meets!("min_strength = 112": C_SignInit Sign CKM_RSA_PKCS, key.key_type = Some(CKK_RSA), key.bits = Some(2048));
    fails!("min_strength = 128": C_SignInit Sign CKM_RSA_PKCS, key.key_type = Some(CKK_RSA), key.bits = Some(2048));
    meets!("max_strength = 112": C_EncryptInit Encrypt CKM_DES3_CBC);
    fails!("max_strength = 80": C_EncryptInit Encrypt CKM_DES3_CBC);
    fails!("min_strength = 1": C_EncryptInit Encrypt CKM_AES_GCM);
}

#[test]
fn what_the_key_is() {
    meets!("class = 'CKO_PRIVATE_KEY'": C_SignInit Sign CKM_ECDSA, key.class = Some(CKO_PRIVATE_KEY));
    fails!("class = ['CKO_SECRET_KEY', 2]": C_SignInit Sign CKM_ECDSA, key.class = Some(CKO_PRIVATE_KEY));
    meets!("key_type = 'CKK_EC'": C_SignInit Sign CKM_ECDSA, key.key_type = Some(CKK_EC));
    fails!("key_type = 'CKK_EC'": C_SignInit Sign CKM_ECDSA, key.key_type = None);
    meets!("local = true": C_SignInit Sign CKM_ECDSA, key.flags = flags(Flags::LOCAL, true));
    fails!("local = true": C_SignInit Sign CKM_ECDSA, key.flags = flags(Flags::LOCAL, false));
    fails!("local = false": C_SignInit Sign CKM_ECDSA);
    meets!("extractable = false": C_SignInit Sign CKM_ECDSA, key.flags = flags(Flags::EXTRACTABLE, false));
    fails!("extractable = true": C_SignInit Sign CKM_ECDSA, key.flags = flags(Flags::EXTRACTABLE, false));
    meets!("sensitive = true": C_SignInit Sign CKM_ECDSA, key.flags = flags(Flags::SENSITIVE, true));
    fails!("sensitive = true": C_SignInit Sign CKM_ECDSA, key.flags = flags(Flags::LOCAL, true));
    meets!("trusted = true": C_WrapKey Wrap CKM_AES_KEY_WRAP, key.flags = flags(Flags::TRUSTED, true));
    fails!("trusted = true": C_WrapKey Wrap CKM_AES_KEY_WRAP, target.flags = flags(Flags::TRUSTED, true));
    meets!("token_object = false": C_SignInit Sign CKM_ECDSA, key.flags = flags(Flags::TOKEN, false));
    fails!("token_object = true": C_SignInit Sign CKM_ECDSA, key.flags = flags(Flags::TOKEN, false));
    meets!("private = true": C_SignInit Sign CKM_ECDSA, key.flags = flags(Flags::PRIVATE, true));
    fails!("private = false": C_SignInit Sign CKM_ECDSA, key.flags = flags(Flags::PRIVATE, true));
    meets!("foreign = true": C_WrapKey Wrap CKM_AES_KEY_WRAP, memory.foreign = true);
    fails!("foreign = true": C_WrapKey Wrap CKM_AES_KEY_WRAP);
    meets!("origin = 'derived'": C_WrapKey Wrap CKM_AES_KEY_WRAP, memory.origin = Some(Origin::Derived));
    fails!("origin = ['unwrapped', 'copied']": C_WrapKey Wrap CKM_AES_KEY_WRAP, memory.origin = Some(Origin::Derived));
    // Where it was not seen, a token that says so has generated it.
    meets!("origin = 'generated'": C_WrapKey Wrap CKM_AES_KEY_WRAP, key.flags = flags(Flags::LOCAL, true));
    fails!("origin = 'generated'": C_WrapKey Wrap CKM_AES_KEY_WRAP,
        key.flags = flags(Flags::LOCAL, true), memory.origin = Some(Origin::Copied));
    fails!("origin = 'imported'": C_WrapKey Wrap CKM_AES_KEY_WRAP, key.flags = flags(Flags::LOCAL, false));
}

#[test]
fn what_templates_ask() {
    meets!("asks = { extractable = true }": C_GenerateKey Generate CKM_AES_KEY_GEN, template.flags = flags(Flags::EXTRACTABLE, true));
    fails!("asks = { extractable = true }": C_GenerateKey Generate CKM_AES_KEY_GEN, template.flags = flags(Flags::EXTRACTABLE, false));
    fails!("asks = { extractable = false }": C_GenerateKey Generate CKM_AES_KEY_GEN);
    meets!("asks = { sensitive = true, token = true }": C_GenerateKeyPair GenerateKeyPair CKM_EC_KEY_PAIR_GEN,
        template.flags = flags(Flags::TOKEN, true), private_template.flags = flags(Flags::SENSITIVE, true));
    fails!("asks = { sensitive = true, token = true }": C_GenerateKeyPair GenerateKeyPair CKM_EC_KEY_PAIR_GEN,
        private_template.flags = flags(Flags::SENSITIVE, true));
    mixed!("asks = { token = true }": C_GenerateKeyPair GenerateKeyPair CKM_EC_KEY_PAIR_GEN,
        template.flags = flags(Flags::TOKEN, true), private_template.flags = flags(Flags::TOKEN, false));
    meets!("min_value_len = 14": C_DeriveKey Derive CKM_HKDF_DERIVE, template.bits = Some(112));
    fails!("min_value_len = 14": C_DeriveKey Derive CKM_HKDF_DERIVE, template.bits = Some(104));
    meets!("max_value_len = 13": C_DeriveKey Derive CKM_HKDF_DERIVE, template.bits = Some(8));
    fails!("max_value_len = 13": C_DeriveKey Derive CKM_HKDF_DERIVE);
    // A key that is made is what its template asks for, of a pair its private half.
    meets!("min_bits = 3072": C_GenerateKeyPair GenerateKeyPair CKM_RSA_PKCS_KEY_PAIR_GEN, template.bits = Some(3072));
    meets!("extractable = true": C_GenerateKeyPair GenerateKeyPair CKM_RSA_PKCS_KEY_PAIR_GEN,
        private_template.flags = flags(Flags::EXTRACTABLE, true));
}

#[test]
fn fields_of_parameters() {
    const PSS: &[Parameter] =
        &[field(0, Field::Hash, CKM_SHA256), field(0, Field::Mgf, 2), field(0, Field::SaltLen, 32)];
    meets!("hash = 'CKM_SHA256'": C_SignInit Sign CKM_RSA_PKCS_PSS, parameters = PSS);
    fails!("hash = 'CKM_SHA384'": C_SignInit Sign CKM_RSA_PKCS_PSS, parameters = PSS);
    meets!("hash = 'CKM_SHA_1'": C_SignInit Sign CKM_ECDSA_SHA1);
    fails!("hash = 'CKM_SHA_1'": C_SignInit Sign CKM_ECDSA);
    mixed!("hash = 'CKM_SHA256'": C_SignInit Sign CKM_SHA1_RSA_PKCS_PSS, parameters = PSS);
    meets!("mgf = 'CKG_MGF1_SHA256'": C_SignInit Sign CKM_RSA_PKCS_PSS, parameters = PSS);
    fails!("mgf = ['CKG_MGF1_SHA1']": C_SignInit Sign CKM_RSA_PKCS_PSS, parameters = PSS);
    meets!("min_salt_len = 32\nmax_salt_len = 32": C_SignInit Sign CKM_RSA_PKCS_PSS, parameters = PSS);
    fails!("min_salt_len = 33": C_SignInit Sign CKM_RSA_PKCS_PSS, parameters = PSS);
    fails!("max_salt_len = 31": C_SignInit Sign CKM_RSA_PKCS_PSS, parameters = PSS);
    mixed!("min_salt_len = 32": C_SignInit Sign CKM_RSA_PKCS_PSS,
        parameters = const { &[field(0, Field::SaltLen, 32), field(1, Field::SaltLen, 0)] });

    const GCM: &[Parameter] = &[field(0, Field::IvLen, 12), field(0, Field::TagBits, 96)];
    meets!("min_tag_bits = 96\nmax_tag_bits = 128": C_EncryptInit Encrypt CKM_AES_GCM, parameters = GCM);
    fails!("min_tag_bits = 128": C_EncryptInit Encrypt CKM_AES_GCM, parameters = GCM);
    fails!("max_tag_bits = 95": C_EncryptInit Encrypt CKM_AES_GCM, parameters = GCM);
    meets!("min_iv_len = 12\nmax_iv_len = 12": C_EncryptInit Encrypt CKM_AES_GCM, parameters = GCM);
    fails!("min_iv_len = 13": C_EncryptInit Encrypt CKM_AES_GCM, parameters = GCM);
    fails!("max_iv_len = 11": C_EncryptInit Encrypt CKM_AES_CCM, parameters = const { &[field(0, Field::NonceLen, 12)] });
    meets!("iv_generator = 'caller'": C_EncryptInit Encrypt CKM_AES_GCM, parameters = GCM);
    meets!("iv_generator = 'token'": C_EncryptInit Encrypt CKM_AES_GCM, parameters = const { &[field(0, Field::IvGenerator, 2)] });
    fails!("iv_generator = 'token'": C_EncryptInit Encrypt CKM_AES_GCM, parameters = const { &[field(0, Field::IvGenerator, 0)] });
    fails!("iv_generator = 'caller'": C_EncryptInit Encrypt CKM_AES_ECB);
    meets!("min_mac_len = 8\nmax_mac_len = 16": C_SignInit Sign CKM_AES_MAC_GENERAL, parameters = const { &[field(0, Field::MacLen, 8)] });
    fails!("min_mac_len = 8": C_SignInit Sign CKM_AES_MAC_GENERAL, parameters = const { &[field(0, Field::MacLen, 4)] });
    fails!("max_mac_len = 7": C_SignInit Sign CKM_AES_MAC_GENERAL, parameters = const { &[field(0, Field::MacLen, 8)] });

    const PBKDF2: &[Parameter] =
        &[field(0, Field::Source, 1), field(0, Field::Iterations, 1000), field(0, Field::Prf, 1)];
    meets!("min_iterations = 1000\nmax_iterations = 1000": C_GenerateKey Generate CKM_PKCS5_PBKD2, parameters = PBKDF2);
    fails!("min_iterations = 600000": C_GenerateKey Generate CKM_PKCS5_PBKD2, parameters = PBKDF2);
    fails!("max_iterations = 999": C_GenerateKey Generate CKM_PKCS5_PBKD2, parameters = PBKDF2);
    meets!("prf = 'CKP_PKCS5_PBKD2_HMAC_SHA1'": C_GenerateKey Generate CKM_PKCS5_PBKD2, parameters = PBKDF2);
    // The number 1 names another thing in another field.
    fails!("prf = 'CKM_RSA_PKCS'": C_GenerateKey Generate CKM_PKCS5_PBKD2, parameters = PBKDF2);
    meets!("prf = 'CKM_SHA256'": C_DeriveKey Derive CKM_HKDF_DERIVE, parameters = const { &[field(0, Field::PrfMechanism, CKM_SHA256)] });
    meets!("source = 'CKZ_SALT_SPECIFIED'": C_GenerateKey Generate CKM_PKCS5_PBKD2, parameters = PBKDF2);
    fails!("source = 2": C_GenerateKey Generate CKM_PKCS5_PBKD2, parameters = PBKDF2);
    meets!("kdf = 'CKD_NULL'": C_DeriveKey Derive CKM_ECDH1_DERIVE, parameters = const { &[field(0, Field::Kdf, 1)] });
    fails!("kdf = 'CKD_SHA256_KDF'": C_DeriveKey Derive CKM_ECDH1_DERIVE, parameters = const { &[field(0, Field::Kdf, 1)] });
    meets!("min_context_len = 1\nmax_context_len = 255": C_SignInit Sign CKM_ML_DSA, parameters = const { &[field(0, Field::ContextLen, 5)] });
    fails!("min_context_len = 1": C_SignInit Sign CKM_ML_DSA, parameters = const { &[field(0, Field::ContextLen, 0)] });
    fails!("max_context_len = 255": C_SignInit Sign CKM_ML_DSA, parameters = const { &[field(0, Field::ContextLen, 256)] });
}

#[test]
fn parameter_sets_have_names_of_their_own_in_each_key_type() {
    meets!("parameter_set = 'ML-DSA-87'": C_SignInit Sign CKM_ML_DSA, key.key_type = Some(CKK_ML_DSA), key.parameter_set = Some(3));
    fails!("parameter_set = 'ML-KEM-1024'": C_SignInit Sign CKM_ML_DSA, key.key_type = Some(CKK_ML_DSA), key.parameter_set = Some(3));
    fails!("parameter_set = ['ML-DSA-44', 'ML-DSA-65']": C_SignInit Sign CKM_ML_DSA, key.key_type = Some(CKK_ML_DSA), key.parameter_set = Some(3));
    fails!("parameter_set = 'ML-DSA-44'": C_SignInit Sign CKM_ML_DSA, key.key_type = Some(CKK_ML_DSA));
    // The mechanism says of what type the key will be.
    meets!("parameter_set = 'ml-kem-768'": C_GenerateKeyPair GenerateKeyPair CKM_ML_KEM_KEY_PAIR_GEN, template.parameter_set = Some(2));
    meets!("parameter_set = 'SLH-DSA-SHAKE-256f'": C_SignInit Sign CKM_SLH_DSA, key.parameter_set = Some(12));
    meets!("min_strength = 192": C_SignInit Sign CKM_ML_DSA, key.parameter_set = Some(2));
}

#[test]
fn names_match_as_a_whole() {
    meets!("label = 'tls'": C_SignInit Sign CKM_ECDSA, key.label = Some(b"tls"));
    fails!("label = 'tls'": C_SignInit Sign CKM_ECDSA, key.label = Some(b"tls\n"));
    fails!("label = 'tls'": C_SignInit Sign CKM_ECDSA, key.label = None);
    meets!("label = ['a', 'tls-*']": C_SignInit Sign CKM_ECDSA, key.label = Some(b"tls-\n2"));
    fails!("label = 'ok*'": C_SignInit Sign CKM_ECDSA, key.label = Some(b"evil\nok"));
    meets!("label = 'a\\*'": C_SignInit Sign CKM_ECDSA, key.label = Some(b"a*"));
    fails!("label = 'a\\*'": C_SignInit Sign CKM_ECDSA, key.label = Some(b"ab"));
    meets!("id = 'key-1'": C_SignInit Sign CKM_ECDSA, key.id = Some(b"key-1"));
    meets!("id = '0x00ff'": C_SignInit Sign CKM_ECDSA, key.id = Some(&[0, 0xff]));
    meets!("id = '0x00*'": C_SignInit Sign CKM_ECDSA, key.id = Some(&[0, 1, 2]));
    fails!("id = '0x00?'": C_SignInit Sign CKM_ECDSA, key.id = Some(&[0, 1, 2]));
    meets!("label = 'a'\nid = 'b'": C_SignInit Sign CKM_ECDSA, key.label = Some(b"a"), key.id = Some(b"b"));
    fails!("label = 'a'\nid = 'b'": C_SignInit Sign CKM_ECDSA, key.label = Some(b"a"), key.id = Some(b"c"));
}

#[test]
fn the_token_and_the_user() {
    meets!("token = 'prod-*'": C_SignInit Sign CKM_ECDSA, token.label = Some(b"prod-1"));
    fails!("token = 'prod-*'": C_SignInit Sign CKM_ECDSA, token.label = Some(b"test"));
    meets!("serial = '4711'": C_SignInit Sign CKM_ECDSA, token.serial = Some(b"4711"));
    fails!("serial = '4711'": C_SignInit Sign CKM_ECDSA, token.serial = None);
    meets!("slot = [0, 7]": C_SignInit Sign CKM_ECDSA, token.slot = Some(7));
    fails!("slot = 0": C_SignInit Sign CKM_ECDSA, token.slot = Some(7));
    meets!("user = 'so'": C_SignInit Sign CKM_ECDSA, user = Some(CKU_SO));
    fails!("user = 'so'": C_SignInit Sign CKM_ECDSA, user = Some(CKU_USER));
    meets!("user = 'context-specific'": C_SignInit Sign CKM_ECDSA, user = Some(CKU_CONTEXT_SPECIFIC));
    meets!("user = 'none'": C_SignInit Sign CKM_ECDSA, user = Some(NOBODY));
    fails!("user = 'none'": C_SignInit Sign CKM_ECDSA, user = None);
}

#[test]
fn the_process() {
    meets!("exe = '/usr/sbin/nginx'": C_SignInit Sign CKM_ECDSA, process.exe = Some(b"/usr/sbin/nginx"));
    fails!("exe = '/usr/sbin/*'": C_SignInit Sign CKM_ECDSA, process.exe = Some(b"/tmp/usr/sbin/nginx"));
    meets!("host = ['web-?', 'db']": C_SignInit Sign CKM_ECDSA, process.host = Some(b"web-1"));
    fails!("host = 'web-?'": C_SignInit Sign CKM_ECDSA, process.host = Some(b"web-10"));
    fails!("host = '*'": C_SignInit Sign CKM_ECDSA, process.host = None);
    meets!("uid = 33": C_SignInit Sign CKM_ECDSA, process.uid = Some(33));
    fails!("uid = [0, 1]": C_SignInit Sign CKM_ECDSA, process.uid = Some(33));
    meets!("gid = 33": C_SignInit Sign CKM_ECDSA, process.gid = Some(33));
    fails!("gid = 33": C_SignInit Sign CKM_ECDSA, process.gid = None);
    meets!("unit = 'nginx.service'": C_SignInit Sign CKM_ECDSA, process.unit = Some(b"nginx.service"));
    fails!("unit = 'nginx.service'": C_SignInit Sign CKM_ECDSA, process.unit = Some(b"sshd.service"));
    meets!("container = 'ab*'": C_SignInit Sign CKM_ECDSA, process.container = Some(b"abcd"));
    fails!("container = 'ab*'": C_SignInit Sign CKM_ECDSA, process.container = None);
    meets!("service = 'payments'": C_SignInit Sign CKM_ECDSA, process.service = Some(b"payments"));
    fails!("service = 'payments'": C_SignInit Sign CKM_ECDSA, process.service = Some(b"payments2"));
}

#[test]
fn times_are_utc() {
    // 2026-11-21, a Saturday, 09:05:07.
    const NOW: u64 = 1_795_251_907;
    const DAY: u64 = 86_400;
    meets!("hours = '09:05-09:06'": C_SignInit Sign CKM_ECDSA, time = Some(NOW));
    fails!("hours = '08:00-09:05'": C_SignInit Sign CKM_ECDSA, time = Some(NOW));
    meets!("hours = '22:00-10:00'": C_SignInit Sign CKM_ECDSA, time = Some(NOW));
    fails!("hours = '10:00-09:00'": C_SignInit Sign CKM_ECDSA, time = Some(NOW));
    fails!("hours = '00:00-24:00'": C_SignInit Sign CKM_ECDSA, time = None);
    meets!("days = ['sat', 'sun']": C_SignInit Sign CKM_ECDSA, time = Some(NOW));
    fails!("days = 'fri'": C_SignInit Sign CKM_ECDSA, time = Some(NOW));
    fails!("days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']": C_SignInit Sign CKM_ECDSA, time = None);
    meets!("from = 2026-11-21\nuntil = 2026-11-21": C_SignInit Sign CKM_ECDSA, time = Some(NOW));
    fails!("from = 2026-11-22": C_SignInit Sign CKM_ECDSA, time = Some(NOW));
    fails!("until = 2026-11-20": C_SignInit Sign CKM_ECDSA, time = Some(NOW));
    // Where the day is not known: what is announced does not hold yet, what is to end holds still.
    fails!("from = 2031-01-01": C_SignInit Sign CKM_ECDSA);
    meets!("until = 2030-12-31": C_SignInit Sign CKM_ECDSA);

    meets!("expired = false": C_SignInit Sign CKM_ECDSA, time = Some(NOW), key.end = Some(*b"20261121"));
    meets!("expired = true": C_SignInit Sign CKM_ECDSA, time = Some(NOW + DAY), key.end = Some(*b"20261121"));
    fails!("expired = false": C_SignInit Sign CKM_ECDSA, time = Some(NOW));
    fails!("expired = true": C_SignInit Sign CKM_ECDSA, key.end = Some(*b"20000101"));
    meets!("min_key_age_days = 20\nmax_key_age_days = 20": C_SignInit Sign CKM_ECDSA, time = Some(NOW), key.start = Some(*b"20261101"));
    fails!("min_key_age_days = 21": C_SignInit Sign CKM_ECDSA, time = Some(NOW), key.start = Some(*b"20261101"));
    fails!("max_key_age_days = 19": C_SignInit Sign CKM_ECDSA, time = Some(NOW), key.start = Some(*b"20261101"));
    fails!("max_key_age_days = 19": C_SignInit Sign CKM_ECDSA, time = Some(NOW), key.start = Some(*b"2026110x"));
}
