// SPDX-License-Identifier: Apache-2.0
//! An ordinary life: what services do with keys all day, written as applications write it, on a token that
//! switches every usage flag on that a template leaves out.

use super::*;

const BACKUP_KEY: &str = "token local wrap unwrap !encrypt !decrypt !derive !extractable sensitive";
const TRANSPORT_PUBLIC: &str = "token local wrap !encrypt";
const TRANSPORT_PRIVATE: &str =
    "token local unwrap !decrypt !sign !sign_recover !derive sensitive !extractable";

pub(super) fn calls() -> Vec<(&'static str, Facts<'static>)> {
    let certificate = Object { class: Some(CKO_CERTIFICATE), label: Some(b"ca"), ..Object::default() };
    vec![
        // A TLS server and a code signer, with keys made by tools that say nothing of usage.
        (
            "TLS: make an RSA key",
            call!(GenerateKeyPair CKM_RSA_PKCS_KEY_PAIR_GEN,
            template = rsa_public("token verify"),
            private_template = rsa_private("token private sensitive sign")),
        ),
        (
            "TLS: make an EC key, nothing said",
            call!(GenerateKeyPair CKM_EC_KEY_PAIR_GEN,
            template = object(CKO_PUBLIC_KEY, CKK_EC, 256, "token"), private_template = ec_private("token")),
        ),
        (
            "TLS: sign with PSS",
            call!(Sign CKM_SHA256_RSA_PKCS_PSS, key = rsa_private(SILENT_PRIVATE),
            memory.key_uses = flags(SILENT_PUBLIC).set,
            parameters = const { &[parameter(Field::Hash, CKM_SHA256),
            parameter(Field::Mgf, CKG_MGF1_SHA256)] }),
        ),
        (
            "TLS: sign a SHA-256 DigestInfo",
            call!(Sign CKM_RSA_PKCS, key = rsa_private(SILENT_PRIVATE),
            input = Input { length: Some(51), digest: Some(CKM_SHA256) }),
        ),
        (
            "TLS: sign a SHA-256 hash",
            call!(Sign CKM_ECDSA, key = ec_private(SILENT_PRIVATE), input.length = Some(32)),
        ),
        (
            "TLS: the data of a signature",
            call!(SignData CKM_ECDSA, key = ec_private(SILENT_PRIVATE),
            input.length = Some(48)),
        ),
        (
            "TLS: ECDH",
            call!(Derive CKM_ECDH1_DERIVE, key = ec_private("local derive sign sensitive !extractable"),
            template = generic("sensitive !extractable derive")),
        ),
        (
            "TLS: HKDF",
            call!(Derive CKM_HKDF_DERIVE,
            key = generic("!local encrypt wrap unwrap derive sensitive !extractable"),
            template = aes("sensitive !extractable encrypt decrypt !wrap")),
        ),
        (
            "code signing",
            call!(Sign CKM_SHA384_RSA_PKCS, key = rsa_private("token local sign !decrypt sensitive")),
        ),
        (
            "read a certificate",
            call!(Read, key = certificate, template.secret = true, template.present = true),
        ),
        ("read a public key", call!(Read, key = rsa_public(SILENT_PUBLIC), template.secret = true)),
        (
            "read what a private key is for",
            call!(Read, key = rsa_private(SILENT_PRIVATE), template.present = true),
        ),
        ("look for a key", call!(Find, template = rsa_private("sign"), template.label = Some(b"tls"))),
        ("import a certificate", call!(Import, template = certificate)),
        ("import a public key to verify with", call!(Import, template = rsa_public("verify"))),
        ("verify with it", call!(Verify CKM_RSA_PKCS, key = rsa_public("!local encrypt wrap verify"))),
        ("verify an old signature", call!(Verify CKM_SHA1_RSA_PKCS, key = rsa_public("!local verify"))),
        // Data encryption, session keys included.
        (
            "make a data key",
            call!(Generate CKM_AES_KEY_GEN, template = aes("token encrypt decrypt sensitive")),
        ),
        ("make a session key, nothing said", call!(Generate CKM_AES_KEY_GEN, template = aes(""))),
        (
            "make a session key to be wrapped",
            call!(Generate CKM_AES_KEY_GEN, template = aes("sensitive extractable")),
        ),
        ("encrypt", call!(Encrypt CKM_AES_GCM, key = aes(SILENT_SECRET))),
        (
            "decrypt",
            call!(Decrypt CKM_AES_GCM, key = aes(SILENT_SECRET), memory.key_uses = flags(SILENT_SECRET).set),
        ),
        (
            "decrypt with what came back from a backup",
            call!(Decrypt CKM_AES_GCM,
            key = aes("!local encrypt decrypt !wrap !unwrap sensitive !extractable")),
        ),
        (
            "encrypt for the owner of an RSA key",
            call!(Encrypt CKM_RSA_PKCS_OAEP, key = rsa_public("!local encrypt wrap")),
        ),
        (
            "make an RSA key to decrypt with",
            call!(GenerateKeyPair CKM_RSA_PKCS_KEY_PAIR_GEN,
            template = rsa_public("encrypt !wrap"),
            private_template = rsa_private("decrypt !sign !sign_recover")),
        ),
        (
            "decrypt with it",
            call!(Decrypt CKM_RSA_PKCS_OAEP, key = rsa_private("local decrypt unwrap !sign !sign_recover"),
            memory.key_uses = flags("encrypt").set),
        ),
        ("authenticate with HMAC", call!(Sign CKM_SHA256_HMAC, key = generic(SILENT_SECRET))),
        ("authenticate with CMAC", call!(Sign CKM_AES_CMAC, key = aes(SILENT_SECRET))),
        ("throw a session key away", call!(Destroy, key = aes(SILENT_SECRET))),
        (
            "throw a session's backup key away",
            call!(Destroy, key = aes("!token wrap unwrap !encrypt !decrypt")),
        ),
        ("retire a key", call!(Destroy, key = rsa_private("token local sign decrypt unwrap"))),
        // The key ceremony: a backup under AES, transport under RSA, restored elsewhere.
        (
            "make the backup key",
            call!(Generate CKM_AES_KEY_GEN,
            template = aes("token wrap unwrap !encrypt !decrypt sensitive !extractable")),
        ),
        (
            "make the transport key",
            call!(GenerateKeyPair CKM_RSA_PKCS_KEY_PAIR_GEN, template = rsa_public("token wrap !encrypt"),
            private_template = rsa_private("token unwrap !decrypt !sign !sign_recover sensitive !extractable")),
        ),
        (
            "back a key up",
            call!(Wrap CKM_AES_KEY_WRAP_KWP, key = aes(BACKUP_KEY),
            target = rsa_private("extractable sensitive"),
            memory.key_uses = flags(BACKUP_KEY).set),
        ),
        (
            "back a key up with RFC 3394",
            call!(Wrap CKM_AES_KEY_WRAP, key = aes(BACKUP_KEY), target = aes("extractable")),
        ),
        (
            "transport a key",
            call!(Wrap CKM_RSA_PKCS_OAEP, key = rsa_public(TRANSPORT_PUBLIC),
            target = Object { bits: Some(128), ..aes("extractable") },
            memory.key_uses = flags("wrap unwrap").set),
        ),
        (
            "transport a key to a partner whom the security officer trusts",
            call!(Wrap CKM_RSA_PKCS_OAEP,
            key = rsa_public("trusted !local wrap !encrypt"),
            target = Object { bits: Some(128), ..aes("extractable") }),
        ),
        (
            "restore a key",
            call!(Unwrap CKM_AES_KEY_WRAP_KWP, key = aes(BACKUP_KEY),
            template = rsa_private("token private sensitive !extractable sign !decrypt !unwrap")),
        ),
        (
            "restore a data key",
            call!(Unwrap CKM_AES_KEY_WRAP_KWP, key = aes(BACKUP_KEY),
            template = aes("sensitive !extractable encrypt decrypt !wrap !unwrap"),
            memory.value_uses = flags("encrypt decrypt").set),
        ),
        (
            "receive a key",
            call!(Unwrap CKM_RSA_PKCS_OAEP, key = rsa_private(TRANSPORT_PRIVATE),
            template = aes("sensitive !extractable encrypt !decrypt !wrap !unwrap"),
            memory.key_uses = flags(TRANSPORT_PUBLIC).set),
        ),
        (
            "receive a signing key",
            call!(Unwrap CKM_RSA_AES_KEY_WRAP, key = rsa_private(TRANSPORT_PRIVATE),
            template = rsa_private("sensitive !extractable sign !decrypt !unwrap")),
        ),
        // Sessions and logins.
        ("open a session", call!(Open, flags = Some(6))),
        ("log in", call!(Login, user = Some(1))),
        ("confirm one use", call!(Login, user = Some(2))),
        (
            "copy a key into the token",
            call!(
                Copy,
                key = rsa_private(SILENT_PRIVATE),
                template = Object { label: Some(b"tls"), flags: flags("token"), ..Object::default() }
            ),
        ),
        (
            "tighten a key",
            call!(
                Modify,
                key = aes("!sensitive extractable"),
                template.flags = flags("sensitive !extractable")
            ),
        ),
        (
            "name a key that has no name",
            call!(
                Modify,
                key = Object { label: Some(b""), id: Some(b""), ..rsa_private("sign") },
                template = Object { label: Some(b"tls"), id: Some(b"1"), ..Object::default() }
            ),
        ),
        ("hash", call!(Digest CKM_SHA256)),
    ]
}
