// SPDX-License-Identifier: Apache-2.0
//! The parameter sets of ML-KEM, ML-DSA and SLH-DSA (`CKA_PARAMETER_SET`): names, strengths and sizes, one
//! line each.

use crate::value::Named;
use crate::value::key_type::{CKK_ML_DSA, CKK_ML_KEM, CKK_SLH_DSA};

/// One parameter set.
#[derive(Debug, PartialEq, Eq)]
pub struct ParameterSet {
    /// The key type, a `CKK_`: the same number means another set in another key type.
    pub key_type: u64,
    /// The `CKP_` number.
    pub number: u64,
    /// The `CKP_` name.
    pub constant: &'static str,
    /// The name in the standard that defines the set (FIPS 203, 204, 205).
    pub name: &'static str,
    /// Bits of security that the set is as hard to break as: the key size of the AES or half the size of the
    /// hash function of its NIST category.
    pub strength: u16,
    /// Size of the public key, bytes.
    pub public_key: u16,
    /// Size of the private key, bytes.
    pub private_key: u16,
    /// Size of the ciphertext of ML-KEM, or of a signature, bytes.
    pub output: u16,
}

/// The set with this number in keys of this type.
pub fn by_number(key_type: u64, number: u64) -> Option<&'static ParameterSet> {
    ALL.iter().find(|s| s.key_type == key_type && s.number == number)
}

/// For messages and events: the number, and its name in the standard that defines the set.
pub fn display(key_type: u64, number: u64) -> Named {
    Named { number, name: by_number(key_type, number).map(|set| set.name) }
}

/// The set called `name`, by the name of its standard (letter case aside) or by its constant.
pub fn by_name(name: &str) -> Option<&'static ParameterSet> {
    ALL.iter().find(|s| s.constant == name || s.name.eq_ignore_ascii_case(name))
}

macro_rules! sets {
    ($($key_type:ident $number:literal $constant:ident $name:literal
        $strength:literal $public:literal $private:literal $output:literal;)*) => {
        $(#[doc = concat!($name, ".")] pub const $constant: u64 = $number;)*

        /// Every parameter set.
        pub static ALL: &[ParameterSet] = &[$(ParameterSet {
            key_type: $key_type,
            number: $number,
            constant: stringify!($constant),
            name: $name,
            strength: $strength,
            public_key: $public,
            private_key: $private,
            output: $output,
        }),*];
    };
}

// FIPS 203 table 3, FIPS 204 tables 1 and 2, FIPS 205 table 2 (a private key is twice a public key).
sets! {
    CKK_ML_KEM   1 CKP_ML_KEM_512         "ML-KEM-512"         128  800 1632   768;
    CKK_ML_KEM   2 CKP_ML_KEM_768         "ML-KEM-768"         192 1184 2400  1088;
    CKK_ML_KEM   3 CKP_ML_KEM_1024        "ML-KEM-1024"        256 1568 3168  1568;
    CKK_ML_DSA   1 CKP_ML_DSA_44          "ML-DSA-44"          128 1312 2560  2420;
    CKK_ML_DSA   2 CKP_ML_DSA_65          "ML-DSA-65"          192 1952 4032  3309;
    CKK_ML_DSA   3 CKP_ML_DSA_87          "ML-DSA-87"          256 2592 4896  4627;
    CKK_SLH_DSA  1 CKP_SLH_DSA_SHA2_128S  "SLH-DSA-SHA2-128s"  128   32   64  7856;
    CKK_SLH_DSA  2 CKP_SLH_DSA_SHAKE_128S "SLH-DSA-SHAKE-128s" 128   32   64  7856;
    CKK_SLH_DSA  3 CKP_SLH_DSA_SHA2_128F  "SLH-DSA-SHA2-128f"  128   32   64 17088;
    CKK_SLH_DSA  4 CKP_SLH_DSA_SHAKE_128F "SLH-DSA-SHAKE-128f" 128   32   64 17088;
    CKK_SLH_DSA  5 CKP_SLH_DSA_SHA2_192S  "SLH-DSA-SHA2-192s"  192   48   96 16224;
    CKK_SLH_DSA  6 CKP_SLH_DSA_SHAKE_192S "SLH-DSA-SHAKE-192s" 192   48   96 16224;
    CKK_SLH_DSA  7 CKP_SLH_DSA_SHA2_192F  "SLH-DSA-SHA2-192f"  192   48   96 35664;
    CKK_SLH_DSA  8 CKP_SLH_DSA_SHAKE_192F "SLH-DSA-SHAKE-192f" 192   48   96 35664;
    CKK_SLH_DSA  9 CKP_SLH_DSA_SHA2_256S  "SLH-DSA-SHA2-256s"  256   64  128 29792;
    CKK_SLH_DSA 10 CKP_SLH_DSA_SHAKE_256S "SLH-DSA-SHAKE-256s" 256   64  128 29792;
    CKK_SLH_DSA 11 CKP_SLH_DSA_SHA2_256F  "SLH-DSA-SHA2-256f"  256   64  128 49856;
    CKK_SLH_DSA 12 CKP_SLH_DSA_SHAKE_256F "SLH-DSA-SHAKE-256f" 256   64  128 49856;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_is_found_by_key_type_and_number_and_by_both_names() {
        for set in ALL {
            assert_eq!(by_number(set.key_type, set.number), Some(set));
            assert_eq!(by_name(set.name), Some(set));
            assert_eq!(by_name(set.constant), Some(set));
        }
        assert_eq!(by_name("ml-kem-768").unwrap().number, CKP_ML_KEM_768);
    }

    #[test]
    fn the_same_number_is_another_set_in_another_key_type() {
        assert_eq!(by_number(CKK_ML_KEM, 1).unwrap().name, "ML-KEM-512");
        assert_eq!(by_number(CKK_ML_DSA, 1).unwrap().name, "ML-DSA-44");
        assert_eq!(by_number(CKK_ML_DSA, 4), None);
    }
}
