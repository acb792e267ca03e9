// SPDX-License-Identifier: Apache-2.0
//! The algorithms that mechanisms belong to, one line each.

macro_rules! families {
    ($($family:ident $name:literal $what:literal;)*) => {
        /// The algorithm or protocol that a mechanism belongs to. A hash function's HMAC, key derivation and
        /// key generation belong to the hash function.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Family {
            $(#[doc = $what] $family),*
        }

        impl Family {
            /// Every family.
            pub const ALL: &[Family] = &[$(Family::$family),*];

            /// Its name in policies and events.
            pub const fn name(self) -> &'static str {
                match self { $(Family::$family => $name),* }
            }
        }
    };
}

families! {
    Rsa        "rsa"            "RSA: signatures, encryption, key transport.";
    Dsa        "dsa"            "DSA, with its domain parameters.";
    Dh         "dh"             "Diffie-Hellman of PKCS #3.";
    X942Dh     "x9.42-dh"       "Diffie-Hellman and MQV of ANSI X9.42.";
    Kea        "kea"            "Key Exchange Algorithm of Fortezza.";
    Ec         "ec"             "Weierstrass curves: ECDSA, ECDH, ECMQV.";
    Edwards    "edwards"        "Edwards curves: EdDSA.";
    Montgomery "montgomery"     "Montgomery curves: X25519, X448, XEdDSA.";
    Signal     "signal"         "X3DH and the double ratchet of the Signal protocol.";
    MlKem      "ml-kem"         "ML-KEM of FIPS 203.";
    MlDsa      "ml-dsa"         "ML-DSA of FIPS 204.";
    SlhDsa     "slh-dsa"        "SLH-DSA of FIPS 205.";
    HashBased  "hash-based"     "Stateful hash-based signatures: HSS, XMSS, XMSS-MT.";
    Aes        "aes"            "AES in all its modes, key wrapping and message authentication included.";
    Des        "des"            "Single DES.";
    Des3       "des3"           "Triple DES with two or three keys.";
    Cdmf       "cdmf"           "DES weakened to 40 bits.";
    Rc2        "rc2"            "RC2.";
    Rc4        "rc4"            "RC4.";
    Rc5        "rc5"            "RC5.";
    Cast       "cast"           "CAST.";
    Cast3      "cast3"          "CAST3.";
    Cast128    "cast128"        "CAST-128, also known as CAST5.";
    Idea       "idea"           "IDEA.";
    Blowfish   "blowfish"       "Blowfish.";
    Twofish    "twofish"        "Twofish.";
    Camellia   "camellia"       "Camellia.";
    Aria       "aria"           "ARIA.";
    Seed       "seed"           "SEED.";
    Skipjack   "skipjack"       "SKIPJACK.";
    Baton      "baton"          "BATON.";
    Juniper    "juniper"        "JUNIPER.";
    ChaCha20   "chacha20"       "ChaCha20, with Poly1305 too.";
    Salsa20    "salsa20"        "Salsa20, with Poly1305 too.";
    Poly1305   "poly1305"       "Poly1305 alone.";
    Gost28147  "gost28147"      "GOST 28147-89.";
    GostR3410  "gostr3410"      "GOST R 34.10-2001.";
    GostR3411  "gostr3411"      "GOST R 34.11-94.";
    Md2        "md2"            "MD2.";
    Md5        "md5"            "MD5.";
    Sha1       "sha1"           "SHA-1.";
    Sha2       "sha2"           "SHA-224 to SHA-512, the truncated ones included.";
    Sha3       "sha3"           "SHA3-224 to SHA3-512.";
    Shake      "shake"          "SHAKE128 and SHAKE256.";
    Blake2b    "blake2b"        "BLAKE2b.";
    Ripemd     "ripemd"         "RIPEMD-128 and RIPEMD-160.";
    Fasthash   "fasthash"       "FASTHASH of Fortezza.";
    Fortezza   "fortezza"       "Fortezza timestamps.";
    Generic    "generic"        "Generic secrets, and keys joined or cut from others.";
    Hkdf       "hkdf"           "HKDF of RFC 5869.";
    Sp800108   "sp800-108"      "Key derivation of NIST SP 800-108.";
    Pkcs5      "pkcs5"          "PBKDF2.";
    Pbe        "pbe"            "Password-based keys of PKCS #5 version 1 and PKCS #12.";
    Ssl3       "ssl3"           "SSL 3.0.";
    Tls        "tls"            "TLS 1.0 to 1.2.";
    Wtls       "wtls"           "WTLS.";
    Ike        "ike"            "IKE versions 1 and 2.";
    Cms        "cms"            "Signatures of CMS.";
    Kip        "kip"            "CT-KIP.";
    Otp        "otp"            "One-time passwords: SecurID, HOTP, ActivIdentity.";
    Lynks      "lynks"          "Key wrapping of LYNKS.";
    SetOaep    "set-oaep"       "Key wrapping of SET.";
    Null       "null"           "No cryptography at all: data passes through unchanged.";
}

impl Family {
    /// The family called `name`.
    pub fn from_name(name: &str) -> Option<Family> {
        Family::ALL.iter().copied().find(|f| f.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_is_found_by_its_name_and_has_a_mechanism() {
        for family in Family::ALL {
            assert_eq!(Family::from_name(family.name()), Some(*family));
            assert!(crate::mechanism::ALL.iter().any(|m| m.family == *family), "{family:?}");
        }
    }
}
