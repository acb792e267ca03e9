// SPDX-License-Identifier: Apache-2.0
//! Return values, object classes, key types and the other numbers that calls and objects carry: one line
//! each. The lists hold what PKCS#11 3.2 defines; any other number is shown in hexadecimal, never hidden.

use std::fmt;

/// A number with its name: shown by the name, or in hexadecimal where it has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// The number.
    pub number: u64,
    /// Its name, if the standard gives it one.
    pub name: Option<&'static str>,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.name {
            Some(name) => f.write_str(name),
            None => write!(f, "{:#010x}", self.number),
        }
    }
}

/// Makes a module of each list: a constant per name, `ALL`, `name`, `number` and `display`. A line is
/// `number NAME | EARLIER_NAME;`, and lines are sorted by number.
macro_rules! numbers {
    ($(#[$doc:meta])* $module:ident { $($number:literal $name:ident $(| $alias:ident)?;)* }) => {
        $(#[$doc])*
        pub mod $module {
            $(
                #[doc = concat!("Number ", stringify!($number), ".")]
                pub const $name: u64 = $number;
                $(
                    #[doc = concat!("Earlier name of `", stringify!($name), "`.")]
                    pub const $alias: u64 = $number;
                )?
            )*

            /// Every number with its name, sorted by number; of several names the one in use today comes
            /// first.
            pub const ALL: &[(u64, &str)] =
                &[$(($number, stringify!($name)), $(($number, stringify!($alias)),)?)*];

            /// The name of `number`.
            pub fn name(number: u64) -> Option<&'static str> {
                let place = ALL.partition_point(|entry| entry.0 < number);
                ALL.get(place).filter(|entry| entry.0 == number).map(|entry| entry.1)
            }

            /// The number called `name`, today or earlier.
            pub fn number(name: &str) -> Option<u64> {
                ALL.iter().find(|entry| entry.1 == name).map(|entry| entry.0)
            }

            /// Shows `number` by its name, or in hexadecimal where it has none.
            pub fn display(number: u64) -> $crate::value::Named {
                $crate::value::Named { number, name: name(number) }
            }
        }
    };
}
pub(crate) use numbers;

numbers! {
    /// What a function returned (`CK_RV`).
    rv {
        0x00000000 CKR_OK;
        0x00000001 CKR_CANCEL;
        0x00000002 CKR_HOST_MEMORY;
        0x00000003 CKR_SLOT_ID_INVALID;
        0x00000005 CKR_GENERAL_ERROR;
        0x00000006 CKR_FUNCTION_FAILED;
        0x00000007 CKR_ARGUMENTS_BAD;
        0x00000008 CKR_NO_EVENT;
        0x00000009 CKR_NEED_TO_CREATE_THREADS;
        0x0000000a CKR_CANT_LOCK;
        0x00000010 CKR_ATTRIBUTE_READ_ONLY;
        0x00000011 CKR_ATTRIBUTE_SENSITIVE;
        0x00000012 CKR_ATTRIBUTE_TYPE_INVALID;
        0x00000013 CKR_ATTRIBUTE_VALUE_INVALID;
        0x0000001b CKR_ACTION_PROHIBITED;
        0x00000020 CKR_DATA_INVALID;
        0x00000021 CKR_DATA_LEN_RANGE;
        0x00000030 CKR_DEVICE_ERROR;
        0x00000031 CKR_DEVICE_MEMORY;
        0x00000032 CKR_DEVICE_REMOVED;
        0x00000040 CKR_ENCRYPTED_DATA_INVALID;
        0x00000041 CKR_ENCRYPTED_DATA_LEN_RANGE;
        0x00000042 CKR_AEAD_DECRYPT_FAILED;
        0x00000050 CKR_FUNCTION_CANCELED;
        0x00000051 CKR_FUNCTION_NOT_PARALLEL;
        0x00000054 CKR_FUNCTION_NOT_SUPPORTED;
        0x00000060 CKR_KEY_HANDLE_INVALID;
        0x00000062 CKR_KEY_SIZE_RANGE;
        0x00000063 CKR_KEY_TYPE_INCONSISTENT;
        0x00000064 CKR_KEY_NOT_NEEDED;
        0x00000065 CKR_KEY_CHANGED;
        0x00000066 CKR_KEY_NEEDED;
        0x00000067 CKR_KEY_INDIGESTIBLE;
        0x00000068 CKR_KEY_FUNCTION_NOT_PERMITTED;
        0x00000069 CKR_KEY_NOT_WRAPPABLE;
        0x0000006a CKR_KEY_UNEXTRACTABLE;
        0x00000070 CKR_MECHANISM_INVALID;
        0x00000071 CKR_MECHANISM_PARAM_INVALID;
        0x00000082 CKR_OBJECT_HANDLE_INVALID;
        0x00000090 CKR_OPERATION_ACTIVE;
        0x00000091 CKR_OPERATION_NOT_INITIALIZED;
        0x000000a0 CKR_PIN_INCORRECT;
        0x000000a1 CKR_PIN_INVALID;
        0x000000a2 CKR_PIN_LEN_RANGE;
        0x000000a3 CKR_PIN_EXPIRED;
        0x000000a4 CKR_PIN_LOCKED;
        0x000000b0 CKR_SESSION_CLOSED;
        0x000000b1 CKR_SESSION_COUNT;
        0x000000b3 CKR_SESSION_HANDLE_INVALID;
        0x000000b4 CKR_SESSION_PARALLEL_NOT_SUPPORTED;
        0x000000b5 CKR_SESSION_READ_ONLY;
        0x000000b6 CKR_SESSION_EXISTS;
        0x000000b7 CKR_SESSION_READ_ONLY_EXISTS;
        0x000000b8 CKR_SESSION_READ_WRITE_SO_EXISTS;
        0x000000c0 CKR_SIGNATURE_INVALID;
        0x000000c1 CKR_SIGNATURE_LEN_RANGE;
        0x000000d0 CKR_TEMPLATE_INCOMPLETE;
        0x000000d1 CKR_TEMPLATE_INCONSISTENT;
        0x000000e0 CKR_TOKEN_NOT_PRESENT;
        0x000000e1 CKR_TOKEN_NOT_RECOGNIZED;
        0x000000e2 CKR_TOKEN_WRITE_PROTECTED;
        0x000000f0 CKR_UNWRAPPING_KEY_HANDLE_INVALID;
        0x000000f1 CKR_UNWRAPPING_KEY_SIZE_RANGE;
        0x000000f2 CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT;
        0x00000100 CKR_USER_ALREADY_LOGGED_IN;
        0x00000101 CKR_USER_NOT_LOGGED_IN;
        0x00000102 CKR_USER_PIN_NOT_INITIALIZED;
        0x00000103 CKR_USER_TYPE_INVALID;
        0x00000104 CKR_USER_ANOTHER_ALREADY_LOGGED_IN;
        0x00000105 CKR_USER_TOO_MANY_TYPES;
        0x00000110 CKR_WRAPPED_KEY_INVALID;
        0x00000112 CKR_WRAPPED_KEY_LEN_RANGE;
        0x00000113 CKR_WRAPPING_KEY_HANDLE_INVALID;
        0x00000114 CKR_WRAPPING_KEY_SIZE_RANGE;
        0x00000115 CKR_WRAPPING_KEY_TYPE_INCONSISTENT;
        0x00000120 CKR_RANDOM_SEED_NOT_SUPPORTED;
        0x00000121 CKR_RANDOM_NO_RNG;
        0x00000130 CKR_DOMAIN_PARAMS_INVALID;
        0x00000140 CKR_CURVE_NOT_SUPPORTED;
        0x00000150 CKR_BUFFER_TOO_SMALL;
        0x00000160 CKR_SAVED_STATE_INVALID;
        0x00000170 CKR_INFORMATION_SENSITIVE;
        0x00000180 CKR_STATE_UNSAVEABLE;
        0x00000190 CKR_CRYPTOKI_NOT_INITIALIZED;
        0x00000191 CKR_CRYPTOKI_ALREADY_INITIALIZED;
        0x000001a0 CKR_MUTEX_BAD;
        0x000001a1 CKR_MUTEX_NOT_LOCKED;
        0x000001b0 CKR_NEW_PIN_MODE;
        0x000001b1 CKR_NEXT_OTP;
        0x000001b5 CKR_EXCEEDED_MAX_ITERATIONS;
        0x000001b6 CKR_FIPS_SELF_TEST_FAILED;
        0x000001b7 CKR_LIBRARY_LOAD_FAILED;
        0x000001b8 CKR_PIN_TOO_WEAK;
        0x000001b9 CKR_PUBLIC_KEY_INVALID;
        0x00000200 CKR_FUNCTION_REJECTED;
        0x00000201 CKR_TOKEN_RESOURCE_EXCEEDED;
        0x00000202 CKR_OPERATION_CANCEL_FAILED;
        0x00000203 CKR_KEY_EXHAUSTED;
        0x00000204 CKR_PENDING;
        0x00000205 CKR_SESSION_ASYNC_NOT_SUPPORTED;
        0x00000206 CKR_SEED_RANDOM_REQUIRED;
        0x00000207 CKR_OPERATION_NOT_VALIDATED;
        0x00000208 CKR_TOKEN_NOT_INITIALIZED;
        0x00000209 CKR_PARAMETER_SET_NOT_SUPPORTED;
    }
}

numbers! {
    /// What an object is (`CKA_CLASS`).
    object_class {
        0x00000000 CKO_DATA;
        0x00000001 CKO_CERTIFICATE;
        0x00000002 CKO_PUBLIC_KEY;
        0x00000003 CKO_PRIVATE_KEY;
        0x00000004 CKO_SECRET_KEY;
        0x00000005 CKO_HW_FEATURE;
        0x00000006 CKO_DOMAIN_PARAMETERS;
        0x00000007 CKO_MECHANISM;
        0x00000008 CKO_OTP_KEY;
        0x00000009 CKO_PROFILE;
        0x0000000a CKO_VALIDATION;
        0x0000000b CKO_TRUST;
    }
}

numbers! {
    /// What a key is for (`CKA_KEY_TYPE`).
    key_type {
        0x00000000 CKK_RSA;
        0x00000001 CKK_DSA;
        0x00000002 CKK_DH;
        0x00000003 CKK_EC | CKK_ECDSA;
        0x00000004 CKK_X9_42_DH;
        0x00000005 CKK_KEA;
        0x00000010 CKK_GENERIC_SECRET;
        0x00000011 CKK_RC2;
        0x00000012 CKK_RC4;
        0x00000013 CKK_DES;
        0x00000014 CKK_DES2;
        0x00000015 CKK_DES3;
        0x00000016 CKK_CAST;
        0x00000017 CKK_CAST3;
        0x00000018 CKK_CAST128 | CKK_CAST5;
        0x00000019 CKK_RC5;
        0x0000001a CKK_IDEA;
        0x0000001b CKK_SKIPJACK;
        0x0000001c CKK_BATON;
        0x0000001d CKK_JUNIPER;
        0x0000001e CKK_CDMF;
        0x0000001f CKK_AES;
        0x00000020 CKK_BLOWFISH;
        0x00000021 CKK_TWOFISH;
        0x00000022 CKK_SECURID;
        0x00000023 CKK_HOTP;
        0x00000024 CKK_ACTI;
        0x00000025 CKK_CAMELLIA;
        0x00000026 CKK_ARIA;
        0x00000027 CKK_MD5_HMAC;
        0x00000028 CKK_SHA_1_HMAC;
        0x00000029 CKK_RIPEMD128_HMAC;
        0x0000002a CKK_RIPEMD160_HMAC;
        0x0000002b CKK_SHA256_HMAC;
        0x0000002c CKK_SHA384_HMAC;
        0x0000002d CKK_SHA512_HMAC;
        0x0000002e CKK_SHA224_HMAC;
        0x0000002f CKK_SEED;
        0x00000030 CKK_GOSTR3410;
        0x00000031 CKK_GOSTR3411;
        0x00000032 CKK_GOST28147;
        0x00000033 CKK_CHACHA20;
        0x00000034 CKK_POLY1305;
        0x00000035 CKK_AES_XTS;
        0x00000036 CKK_SHA3_224_HMAC;
        0x00000037 CKK_SHA3_256_HMAC;
        0x00000038 CKK_SHA3_384_HMAC;
        0x00000039 CKK_SHA3_512_HMAC;
        0x0000003a CKK_BLAKE2B_160_HMAC;
        0x0000003b CKK_BLAKE2B_256_HMAC;
        0x0000003c CKK_BLAKE2B_384_HMAC;
        0x0000003d CKK_BLAKE2B_512_HMAC;
        0x0000003e CKK_SALSA20;
        0x0000003f CKK_X2RATCHET;
        0x00000040 CKK_EC_EDWARDS;
        0x00000041 CKK_EC_MONTGOMERY;
        0x00000042 CKK_HKDF;
        0x00000043 CKK_SHA512_224_HMAC;
        0x00000044 CKK_SHA512_256_HMAC;
        0x00000045 CKK_SHA512_T_HMAC;
        0x00000046 CKK_HSS;
        0x00000047 CKK_XMSS;
        0x00000048 CKK_XMSSMT;
        0x00000049 CKK_ML_KEM;
        0x0000004a CKK_ML_DSA;
        0x0000004b CKK_SLH_DSA;
    }
}

numbers! {
    /// Who logs in (`CK_USER_TYPE`).
    user_type {
        0x00000000 CKU_SO;
        0x00000001 CKU_USER;
        0x00000002 CKU_CONTEXT_SPECIFIC;
    }
}

numbers! {
    /// What a session may do (`CK_SESSION_INFO.state`).
    session_state {
        0x00000000 CKS_RO_PUBLIC_SESSION;
        0x00000001 CKS_RO_USER_FUNCTIONS;
        0x00000002 CKS_RW_PUBLIC_SESSION;
        0x00000003 CKS_RW_USER_FUNCTIONS;
        0x00000004 CKS_RW_SO_FUNCTIONS;
    }
}

numbers! {
    /// What a certificate is (`CKA_CERTIFICATE_TYPE`).
    certificate_type {
        0x00000000 CKC_X_509;
        0x00000001 CKC_X_509_ATTR_CERT;
        0x00000002 CKC_WTLS;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_is_sorted_and_leads_from_name_to_number_and_back() {
        macro_rules! check {
            ($($module:ident)*) => {$(
                assert!($module::ALL.is_sorted_by_key(|entry| entry.0), stringify!($module));
                for (number, name) in $module::ALL {
                    assert_eq!($module::number(name), Some(*number));
                    assert_eq!($module::number($module::name(*number).unwrap()), Some(*number));
                }
            )*};
        }
        check!(rv object_class key_type user_type session_state certificate_type);
    }

    #[test]
    fn of_two_names_the_one_in_use_is_shown() {
        assert_eq!(key_type::display(key_type::CKK_ECDSA).to_string(), "CKK_EC");
        assert_eq!(key_type::number("CKK_CAST5"), Some(key_type::CKK_CAST128));
    }

    #[test]
    fn a_number_without_a_name_is_shown_in_hexadecimal() {
        assert_eq!(rv::display(0x70).to_string(), "CKR_MECHANISM_INVALID");
        assert_eq!(rv::display(0x8000_0001).to_string(), "0x80000001");
        assert_eq!(rv::display(4).to_string(), "0x00000004");
    }
}
