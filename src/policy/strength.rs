// SPDX-License-Identifier: Apache-2.0
//! How many bits of security a key has, at most: NIST SP 800-57 part 1 revision 5, table 2, and for named curves and
//! parameter sets what their lists say. A key of which too little is known has no strength, not a guessed one.

use event::mechanism::{self, Family};
use event::value::key_type::*;
use event::{curve, parameter_set};

use crate::facts::Object;

/// The strength of a key by what it is.
pub(crate) fn of_key(key: &Object<'_>) -> Option<u64> {
    of(key, key.key_type?)
}

/// The strength that a call works with: that of its key, and at most that of its mechanism where the mechanism alone
/// fixes one.
pub(crate) fn of_call(key: &Object<'_>, mechanism: Option<u64>) -> Option<u64> {
    let of_key = kind(key, mechanism).and_then(|key_type| of(key, key_type));
    let of_mechanism =
        mechanism.and_then(mechanism::by_number).and_then(|known| known.strength).map(u64::from);
    match (of_key, of_mechanism) {
        (Some(key), Some(mechanism)) => Some(key.min(mechanism)),
        (one, other) => one.or(other),
    }
}

/// The place of the key's parameter set in `event::parameter_set::ALL`.
pub(crate) fn parameter_set(key: &Object<'_>, mechanism: Option<u64>) -> Option<u64> {
    let (number, key_type) = (key.parameter_set?, kind(key, mechanism)?);
    let found = parameter_set::ALL.iter().position(|set| set.number == number && set.key_type == key_type);
    found.map(|place| place as u64)
}

/// The type of a key. Of one that does not say it, it follows from the mechanism.
fn kind(key: &Object<'_>, mechanism: Option<u64>) -> Option<u64> {
    key.key_type.or_else(|| type_of(mechanism::by_number(mechanism?)?.family))
}

fn of(key: &Object<'_>, key_type: u64) -> Option<u64> {
    let bits = key.bits.map(u64::from);
    match key_type {
        CKK_RSA | CKK_DSA | CKK_DH | CKK_X9_42_DH => bits.map(of_modulus),
        CKK_EC | CKK_EC_EDWARDS | CKK_EC_MONTGOMERY => {
            match key.curve.and_then(|place| curve::ALL.get(usize::from(place))) {
                Some(named) => Some(u64::from(named.strength)),
                // Of parameters that are spelled out the size says nothing: the curve may be singular.
                None if key.explicit_curve => None,
                None => bits.map(|bits| bits / 2),
            }
        }
        CKK_ML_KEM | CKK_ML_DSA | CKK_SLH_DSA => key
            .parameter_set
            .and_then(|set| parameter_set::by_number(key_type, set))
            .map(|set| u64::from(set.strength)),
        CKK_CDMF => Some(40),
        CKK_DES => Some(56),
        CKK_DES2 | CKK_SKIPJACK => Some(80),
        CKK_DES3 => Some(112),
        CKK_IDEA => Some(128),
        // Two keys, one of them for the tweak.
        CKK_AES_XTS => bits.map(|bits| bits / 2),
        CKK_CHACHA20 | CKK_SALSA20 | CKK_GOST28147 => Some(256),
        CKK_AES
        | CKK_CAMELLIA
        | CKK_ARIA
        | CKK_SEED
        | CKK_GENERIC_SECRET
        | CKK_HKDF
        | CKK_BLOWFISH
        | CKK_TWOFISH
        | CKK_CAST128
        | CKK_RC2
        | CKK_RC4
        | CKK_RC5
        | CKK_POLY1305
        | CKK_MD5_HMAC..=CKK_SHA224_HMAC
        | CKK_SHA3_224_HMAC..=CKK_BLAKE2B_512_HMAC
        | CKK_SHA512_224_HMAC..=CKK_SHA512_T_HMAC => bits,
        _ => None,
    }
}

/// Strength of an RSA modulus or of a finite field of `bits`.
fn of_modulus(bits: u64) -> u64 {
    match bits {
        ..1024 => 0,
        1024..2048 => 80,
        2048..3072 => 112,
        3072..7680 => 128,
        7680..15360 => 192,
        15360.. => 256,
    }
}

/// The type of the keys that a family of mechanisms works with, where there is one.
pub(crate) fn type_of(family: Family) -> Option<u64> {
    Some(match family {
        Family::Rsa => CKK_RSA,
        Family::Dsa => CKK_DSA,
        Family::Dh => CKK_DH,
        Family::X942Dh => CKK_X9_42_DH,
        Family::Ec => CKK_EC,
        Family::Edwards => CKK_EC_EDWARDS,
        Family::Montgomery => CKK_EC_MONTGOMERY,
        Family::MlKem => CKK_ML_KEM,
        Family::MlDsa => CKK_ML_DSA,
        Family::SlhDsa => CKK_SLH_DSA,
        Family::Aes => CKK_AES,
        Family::Camellia => CKK_CAMELLIA,
        Family::Aria => CKK_ARIA,
        Family::Seed => CKK_SEED,
        Family::ChaCha20 => CKK_CHACHA20,
        Family::Generic => CKK_GENERIC_SECRET,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::mechanism::*;

    #[test]
    fn strengths_are_those_of_the_tables() {
        let key = |key_type, bits| Object { key_type: Some(key_type), bits: Some(bits), ..Object::default() };
        for (key, strength) in [
            (key(CKK_RSA, 512), 0),
            (key(CKK_RSA, 2048), 112),
            (key(CKK_RSA, 3072), 128),
            (key(CKK_RSA, 4096), 128),
            (key(CKK_AES, 256), 256),
            (key(CKK_DES3, 192), 112),
            (key(CKK_SHA256_HMAC, 160), 160),
            (Object { curve: Some(0), ..key(CKK_EC, 256) }, 128),
            (Object { parameter_set: Some(3), ..key(CKK_ML_KEM, 0) }, 256),
        ] {
            assert_eq!(of_key(&key), Some(strength), "{key:?}");
        }
        assert_eq!(of_key(&Object::default()), None);
        assert_eq!(of_key(&Object { explicit_curve: true, ..key(CKK_EC, 256) }), None);
    }

    #[test]
    fn a_mechanism_says_what_kind_of_key_is_meant_and_bounds_it() {
        let large = Object { bits: Some(3072), ..Object::default() };
        assert_eq!(of_call(&large, Some(CKM_RSA_PKCS_PSS)), Some(128));
        assert_eq!(of_call(&Object::default(), Some(CKM_DES3_CBC)), Some(112));
        assert_eq!(of_call(&Object::default(), Some(CKM_AES_GCM)), None);
        assert_eq!(of_call(&large, None), None);
    }
}
