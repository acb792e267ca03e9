// SPDX-License-Identifier: Apache-2.0
//! The numbers inside mechanism parameters and rarer attributes, by subject: the standard gives the same
//! number and even the same prefix to different things (`CKG_GENERATE` and `CKG_MGF1_SHA1` are both 1), so
//! each subject is a list.

use crate::value::numbers;

numbers! {
    /// Mask generation functions of RSA-OAEP and RSA-PSS (`CK_RSA_PKCS_MGF_TYPE`).
    mgf {
        0x00000001 CKG_MGF1_SHA1;
        0x00000002 CKG_MGF1_SHA256;
        0x00000003 CKG_MGF1_SHA384;
        0x00000004 CKG_MGF1_SHA512;
        0x00000005 CKG_MGF1_SHA224;
        0x00000006 CKG_MGF1_SHA3_224;
        0x00000007 CKG_MGF1_SHA3_256;
        0x00000008 CKG_MGF1_SHA3_384;
        0x00000009 CKG_MGF1_SHA3_512;
    }
}

numbers! {
    /// Generators of IVs and nonces (`CK_GENERATOR_FUNCTION`).
    generator {
        0x00000000 CKG_NO_GENERATE;
        0x00000001 CKG_GENERATE;
        0x00000002 CKG_GENERATE_COUNTER;
        0x00000003 CKG_GENERATE_RANDOM;
        0x00000004 CKG_GENERATE_COUNTER_XOR;
    }
}

numbers! {
    /// Key derivation functions of key agreement (`CK_EC_KDF_TYPE` and its kin).
    kdf {
        0x00000001 CKD_NULL;
        0x00000002 CKD_SHA1_KDF;
        0x00000003 CKD_SHA1_KDF_ASN1;
        0x00000004 CKD_SHA1_KDF_CONCATENATE;
        0x00000005 CKD_SHA224_KDF;
        0x00000006 CKD_SHA256_KDF;
        0x00000007 CKD_SHA384_KDF;
        0x00000008 CKD_SHA512_KDF;
        0x00000009 CKD_CPDIVERSIFY_KDF;
        0x0000000a CKD_SHA3_224_KDF;
        0x0000000b CKD_SHA3_256_KDF;
        0x0000000c CKD_SHA3_384_KDF;
        0x0000000d CKD_SHA3_512_KDF;
        0x0000000e CKD_SHA1_KDF_SP800;
        0x0000000f CKD_SHA224_KDF_SP800;
        0x00000010 CKD_SHA256_KDF_SP800;
        0x00000011 CKD_SHA384_KDF_SP800;
        0x00000012 CKD_SHA512_KDF_SP800;
        0x00000013 CKD_SHA3_224_KDF_SP800;
        0x00000014 CKD_SHA3_256_KDF_SP800;
        0x00000015 CKD_SHA3_384_KDF_SP800;
        0x00000016 CKD_SHA3_512_KDF_SP800;
        0x00000017 CKD_BLAKE2B_160_KDF;
        0x00000018 CKD_BLAKE2B_256_KDF;
        0x00000019 CKD_BLAKE2B_384_KDF;
        0x0000001a CKD_BLAKE2B_512_KDF;
    }
}

numbers! {
    /// Pseudo-random functions of PBKDF2.
    prf {
        0x00000001 CKP_PKCS5_PBKD2_HMAC_SHA1;
        0x00000002 CKP_PKCS5_PBKD2_HMAC_GOSTR3411;
        0x00000003 CKP_PKCS5_PBKD2_HMAC_SHA224;
        0x00000004 CKP_PKCS5_PBKD2_HMAC_SHA256;
        0x00000005 CKP_PKCS5_PBKD2_HMAC_SHA384;
        0x00000006 CKP_PKCS5_PBKD2_HMAC_SHA512;
        0x00000007 CKP_PKCS5_PBKD2_HMAC_SHA512_224;
        0x00000008 CKP_PKCS5_PBKD2_HMAC_SHA512_256;
    }
}

numbers! {
    /// Where the label of RSA-OAEP comes from.
    oaep_source {
        0x00000001 CKZ_DATA_SPECIFIED;
    }
}

numbers! {
    /// Where the salt of PBKDF2 comes from.
    salt_source {
        0x00000001 CKZ_SALT_SPECIFIED;
    }
}

numbers! {
    /// Where the salt of HKDF comes from.
    hkdf_salt {
        0x00000001 CKF_HKDF_SALT_NULL;
        0x00000002 CKF_HKDF_SALT_DATA;
        0x00000004 CKF_HKDF_SALT_KEY;
    }
}

numbers! {
    /// Whether a signature is made with fresh randomness (`CK_HEDGE_TYPE`).
    hedge {
        0x00000000 CKH_HEDGE_PREFERRED;
        0x00000001 CKH_HEDGE_REQUIRED;
        0x00000002 CKH_DETERMINISTIC_REQUIRED;
    }
}

numbers! {
    /// Parts of the input of SP 800-108 key derivation (`CK_PRF_DATA_TYPE`).
    prf_data {
        0x00000001 CK_SP800_108_ITERATION_VARIABLE;
        0x00000002 CK_SP800_108_COUNTER | CK_SP800_108_OPTIONAL_COUNTER;
        0x00000003 CK_SP800_108_DKM_LENGTH;
        0x00000004 CK_SP800_108_BYTE_ARRAY;
        0x00000005 CK_SP800_108_KEY_HANDLE;
    }
}

numbers! {
    /// Parameters of one-time passwords (`CK_OTP_PARAM_TYPE`).
    otp_parameter {
        0x00000000 CK_OTP_VALUE;
        0x00000001 CK_OTP_PIN;
        0x00000002 CK_OTP_CHALLENGE;
        0x00000003 CK_OTP_TIME;
        0x00000004 CK_OTP_COUNTER;
        0x00000005 CK_OTP_FLAGS;
        0x00000006 CK_OTP_OUTPUT_LENGTH;
        0x00000007 CK_OTP_OUTPUT_FORMAT;
    }
}

numbers! {
    /// Hardware features (`CKA_HW_FEATURE_TYPE`).
    hardware_feature {
        0x00000001 CKH_MONOTONIC_COUNTER;
        0x00000002 CKH_CLOCK;
        0x00000003 CKH_USER_INTERFACE;
    }
}

numbers! {
    /// Profiles (`CKA_PROFILE_ID`).
    profile {
        0x00000000 CKP_INVALID_ID;
        0x00000001 CKP_BASELINE_PROVIDER;
        0x00000002 CKP_EXTENDED_PROVIDER;
        0x00000003 CKP_AUTHENTICATION_TOKEN;
        0x00000004 CKP_PUBLIC_CERTIFICATES_TOKEN;
        0x00000005 CKP_COMPLETE_PROVIDER;
        0x00000006 CKP_HKDF_TLS_TOKEN;
    }
}

numbers! {
    /// How far a certificate is trusted (`CKA_TRUST_…`).
    trust {
        0x00000000 CKT_TRUST_UNKNOWN;
        0x00000001 CKT_TRUSTED;
        0x00000002 CKT_TRUST_ANCHOR;
        0x00000003 CKT_NOT_TRUSTED;
        0x00000004 CKT_TRUST_MUST_VERIFY_TRUST;
    }
}

numbers! {
    /// Kinds of validation (`CKA_VALIDATION_TYPE`).
    validation_type {
        0x00000000 CKV_TYPE_UNSPECIFIED;
        0x00000001 CKV_TYPE_SOFTWARE;
        0x00000002 CKV_TYPE_HARDWARE;
        0x00000003 CKV_TYPE_FIRMWARE;
        0x00000004 CKV_TYPE_HYBRID;
    }
}

numbers! {
    /// Who validated (`CKA_VALIDATION_AUTHORITY_TYPE`).
    validation_authority {
        0x00000000 CKV_AUTHORITY_TYPE_UNSPECIFIED;
        0x00000001 CKV_AUTHORITY_TYPE_NIST_CMVP;
        0x00000002 CKV_AUTHORITY_TYPE_COMMON_CRITERIA;
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
                    assert_eq!($module::display(*number).name.and_then($module::number), Some(*number));
                }
            )*};
        }
        check!(
            mgf generator kdf prf oaep_source salt_source hkdf_salt hedge
            prf_data otp_parameter hardware_feature profile trust validation_type validation_authority
        );
    }

    #[test]
    fn the_same_number_means_what_its_subject_says() {
        assert_eq!(mgf::name(1), Some("CKG_MGF1_SHA1"));
        assert_eq!(generator::name(1), Some("CKG_GENERATE"));
    }
}
