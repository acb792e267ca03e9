// SPDX-License-Identifier: Apache-2.0
//! Guards: rule families that conditions cannot say, each switched on by its name in a policy. A guard is a
//! pure question to the facts of a call; what it must remember of earlier calls is handed in with them. The
//! one list of guards is here, the questions are in the files below, by subject.
//!
//! The first guard of the list that refuses a call gives the reason: those that know more of an attack
//! stand first.

mod administration;
mod exposure;
mod inputs;
mod origin;
mod roles;
mod wrapping;

use event::record::Flags;
use event::value::rv::*;

use crate::act::Act::{self, *};
use crate::facts::{Facts, Object};

/// A guard.
#[derive(Debug)]
pub(crate) struct Guard {
    /// Its name in policies and events.
    pub name: &'static str,
    /// Where it is asked for.
    pub clause: &'static str,
    /// Why a call is refused.
    pub reason: &'static str,
    /// What to do instead.
    pub remedy: &'static str,
    /// The `CKR_` number of the refusal.
    pub rv: u64,
    /// The acts that it is asked about.
    pub acts: &'static [Act],
    /// Mechanisms that it refuses in each of its acts, whatever the key.
    pub bans: Option<fn(u64) -> bool>,
    /// Whether it refuses a call with one of its acts.
    pub refuses: fn(&Facts<'_>) -> bool,
}

/// Every guard.
pub(crate) const ALL: &[Guard] = &[
    Guard {
        name: "clear-templates",
        clause: "PKCS#11 3.2, section 4.1.1",
        reason: "a template that says two things of one attribute is judged by one and may be carried out by the other",
        remedy: "name each attribute once",
        rv: CKR_TEMPLATE_INCONSISTENT,
        acts: &[Generate, GenerateKeyPair, Import, Copy, Modify, Unwrap, Derive, Encapsulate, Decapsulate],
        bans: None,
        refuses: inputs::ambiguous,
    },
    Guard {
        name: "operation-state",
        clause: "PKCS#11 3.2, C_SetOperationState",
        reason: "a saved operation state resumes an operation that no rule has judged, and may hold key \
                 material",
        remedy: "finish the operation in its session, or start it again",
        rv: CKR_STATE_UNSAVEABLE,
        acts: &[State],
        bans: None,
        refuses: administration::always,
    },
    Guard {
        name: "read-only",
        clause: "PKCS#11 3.2, C_OpenSession",
        reason: "this application has no business changing the token",
        remedy: "open the session without CKF_RW_SESSION",
        rv: CKR_TOKEN_WRITE_PROTECTED,
        acts: &[Open],
        bans: None,
        refuses: administration::writes,
    },
    Guard {
        name: "no-administration",
        clause: "PKCS#11 3.2, user types and C_InitToken",
        reason: "C_InitToken, C_InitPIN, C_SetPIN and the security officer's login are not for applications",
        remedy: "administer the token with the vendor's module, away from the application's host",
        rv: CKR_USER_TYPE_INVALID,
        acts: &[Administer, Login],
        bans: None,
        refuses: administration::administers,
    },
    Guard {
        name: "no-secret-reads",
        clause: "PKCS#11 3.2, CKA_SENSITIVE and CKA_EXTRACTABLE",
        reason: "the attributes asked for are the key itself",
        remedy: "leave CKA_VALUE and the private parts of the key out of C_GetAttributeValue, or wrap the \
                 key",
        rv: CKR_ATTRIBUTE_SENSITIVE,
        acts: &[Read],
        bans: None,
        refuses: exposure::read,
    },
    Guard {
        name: "no-digest-key",
        clause: "Clulow 2003 (reduced key space); PKCS#11 3.2, C_DigestKey",
        reason: "the digest of a key that may not be read tells it apart from guesses",
        remedy: "derive with CKM_HKDF_DERIVE or CKM_SP800_108_COUNTER_KDF; compare keys by CKA_CHECK_VALUE",
        rv: CKR_KEY_INDIGESTIBLE,
        acts: &[DigestKey],
        bans: None,
        refuses: exposure::digested,
    },
    Guard {
        name: "fixed-identity",
        clause: "PKCS#11 3.2, CKA_TRUSTED",
        reason: "label, id and trust say which key is meant: who changes them, or swaps a wrapping key, \
                 picks the key",
        remedy: "set CKA_LABEL and CKA_ID in the template that makes the key; leave CKA_TRUSTED and the \
                 removal of wrapping keys to an administrator",
        rv: CKR_ACTION_PROHIBITED,
        acts: &[
            Modify,
            Destroy,
            Generate,
            GenerateKeyPair,
            Import,
            Copy,
            Unwrap,
            Derive,
            Encapsulate,
            Decapsulate,
        ],
        bans: None,
        refuses: administration::identity,
    },
    Guard {
        name: "frozen-usage",
        clause: "Bortolozzo, Centenaro, Focardi, Steel 2010 (sticky attributes)",
        reason: "a key that changes what it is for, or a copy with another use, joins roles that must stay \
                 apart",
        remedy: "set every usage flag when the key is made, and make a second key for a second use; \
                 CKA_SENSITIVE may only become true, CKA_EXTRACTABLE only false",
        rv: CKR_ACTION_PROHIBITED,
        acts: &[Modify, Copy],
        bans: None,
        refuses: roles::thawed,
    },
    Guard {
        name: "foreign-keys",
        clause: "Delaune, Kremer, Steel 2008; PKCS#11 3.2, CKA_TRUSTED",
        reason: "whoever chose this value may know it: what it wraps is given away, what it decrypts proves \
                 nothing",
        remedy: "wrap with a key that was generated in the token, or that the security officer marked \
                 CKA_TRUSTED; import and unwrap with CKA_WRAP = false, secret keys from outside with \
                 CKA_DECRYPT = false",
        rv: CKR_KEY_FUNCTION_NOT_PERMITTED,
        acts: &[Import, Unwrap, Derive, Encapsulate, Decapsulate, Wrap, Decrypt],
        bans: None,
        refuses: origin::foreign,
    },
    Guard {
        name: "no-padding-oracles",
        clause: "Bardou, Focardi, Kawamoto, Simionato, Steel, Tsay 2012; Vaudenay 2002",
        reason: "whether the padding was right tells the plaintext to whoever may ask often enough",
        remedy: "use CKM_RSA_PKCS_OAEP instead of CKM_RSA_PKCS, and CKM_AES_GCM or CKM_AES_KEY_WRAP_KWP \
                 instead of CBC",
        rv: CKR_MECHANISM_INVALID,
        acts: &[Decrypt, Unwrap, Decapsulate],
        bans: Some(wrapping::tells_padding),
        refuses: wrapping::oracle,
    },
    Guard {
        name: "no-raw-rsa",
        clause: "Clulow 2003; NIST FIPS 186-5, public exponent",
        reason: "RSA without padding makes signing and decrypting one operation, and a small exponent lets \
                 a root be taken",
        remedy: "use CKM_RSA_PKCS_PSS or CKM_RSA_PKCS_OAEP, with a CKA_PUBLIC_EXPONENT of 65537",
        rv: CKR_MECHANISM_INVALID,
        acts: &[Sign, SignRecover, Decrypt, Wrap, Unwrap, GenerateKeyPair, Import],
        bans: Some(inputs::without_padding),
        refuses: inputs::raw_rsa,
    },
    Guard {
        name: "role-separation",
        clause: "Clulow 2003; Delaune, Kremer, Steel 2008",
        reason: "one key value would protect keys or data in one role and give them out in another",
        remedy: "make one key for each role, and say false in its template to what undoes it: with CKA_WRAP \
                 say CKA_DECRYPT = false (with a public key CKA_ENCRYPT = false too), with CKA_UNWRAP say \
                 CKA_ENCRYPT, CKA_DERIVE, CKA_SIGN and CKA_SIGN_RECOVER = false, with CKA_DECRYPT of a \
                 private key say CKA_SIGN and CKA_SIGN_RECOVER = false, with CKA_DERIVE of a secret key say \
                 CKA_ENCRYPT = false",
        rv: CKR_KEY_FUNCTION_NOT_PERMITTED,
        acts: &[
            Generate,
            GenerateKeyPair,
            Import,
            Copy,
            Modify,
            Wrap,
            Unwrap,
            Derive,
            Encapsulate,
            Decapsulate,
            Encrypt,
            Decrypt,
            Sign,
            SignRecover,
        ],
        bans: None,
        refuses: roles::mixed,
    },
    Guard {
        name: "strong-wrap",
        clause: "NIST SP 800-57 part 1 revision 5, comparable strengths",
        reason: "a wrapped key is worth no more than the key that wraps it",
        remedy: "wrap with a key that is at least as strong: AES-256 with CKM_AES_KEY_WRAP_KWP is enough \
                 for every key",
        rv: CKR_WRAPPING_KEY_SIZE_RANGE,
        acts: &[Wrap],
        bans: None,
        refuses: wrapping::weaker_than_wrapped,
    },
    Guard {
        name: "authenticated-wrap",
        clause: "NIST SP 800-38F; Clulow 2003 (private key modification)",
        reason: "whoever can change a wrapped key unnoticed can learn it, or make keys that the token never \
                 made",
        remedy: "wrap with CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP, CKM_AES_GCM, CKM_RSA_PKCS_OAEP or \
                 CKM_RSA_AES_KEY_WRAP",
        rv: CKR_MECHANISM_INVALID,
        acts: &[Wrap, Unwrap],
        bans: Some(wrapping::unauthenticated),
        refuses: wrapping::malleable,
    },
    Guard {
        name: "trusted-wrap",
        clause: "PKCS#11 3.2, CKA_TRUSTED and CKA_WRAP_WITH_TRUSTED",
        reason: "keys leave this token only under a wrapping key that the security officer has marked",
        remedy: "wrap with a key whose CKA_TRUSTED is true, or have the security officer set it",
        rv: CKR_KEY_FUNCTION_NOT_PERMITTED,
        acts: &[Wrap],
        bans: None,
        refuses: wrapping::untrusted,
    },
    Guard {
        name: "no-weaker-copies",
        clause: "Bortolozzo, Centenaro, Focardi, Steel 2010; PKCS#11 3.2, C_UnwrapKey and C_DeriveKey",
        reason: "the same value, or one that follows from it, would be readable or extractable though its \
                 origin is not",
        remedy: "unwrap with CKA_SENSITIVE = true and CKA_EXTRACTABLE = false, derive with CKA_SENSITIVE = \
                 true",
        rv: CKR_TEMPLATE_INCONSISTENT,
        acts: &[Unwrap, Derive, Encapsulate, Decapsulate],
        bans: None,
        refuses: origin::weaker,
    },
    Guard {
        name: "derived-length",
        clause: "Clulow 2003 (reduced key space); CVE-2015-5464",
        reason: "a short key, or a key that is a part of another, is found by trying, and with it the other \
                 one",
        remedy: "make keys of at least 14 bytes (CKA_VALUE_LEN), and derive with CKM_HKDF_DERIVE or \
                 CKM_SP800_108_COUNTER_KDF",
        rv: CKR_KEY_SIZE_RANGE,
        acts: &[Generate, Derive, Unwrap, Encapsulate, Decapsulate],
        bans: None,
        refuses: exposure::short,
    },
    Guard {
        name: "hash-peek",
        clause: "NIST policy on hash functions, 2015-08-05",
        reason: "the hash that is signed is one for which collisions can be computed, whatever the \
                 mechanism is called",
        remedy: "hash with SHA-256 or better, or let the token do it (CKM_SHA256_RSA_PKCS_PSS, \
                 CKM_ECDSA_SHA256)",
        rv: CKR_MECHANISM_PARAM_INVALID,
        acts: &[Sign, SignRecover, SignData],
        bans: None,
        refuses: inputs::banned_hash,
    },
    Guard {
        name: "nonce-reuse",
        clause: "NIST SP 800-38D; RFC 8439, section 4",
        reason: "the same key with the same IV gives away the difference of two plaintexts, and with GCM \
                 the key of the tags",
        remedy: "let the token make the IV (CKG_GENERATE_COUNTER with C_MessageEncryptInit), or count it up",
        rv: CKR_MECHANISM_PARAM_INVALID,
        acts: &[Encrypt, EncryptMessage, Wrap, Sign],
        bans: None,
        refuses: inputs::nonce_twice,
    },
];

/// Whether the object is told to have the flag.
fn yes(object: &Object<'_>, flag: u32) -> bool {
    object.flags.value(flag) == Some(true)
}

/// Whether the object is told not to have the flag.
fn no(object: &Object<'_>, flag: u32) -> bool {
    object.flags.value(flag) == Some(false)
}

/// Whether the token hands the value out anyway.
fn readable(object: &Object<'_>) -> bool {
    no(object, Flags::SENSITIVE) && yes(object, Flags::EXTRACTABLE)
}

#[cfg(test)]
mod tests;
