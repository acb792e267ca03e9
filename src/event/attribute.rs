// SPDX-License-Identifier: Apache-2.0
//! Every standard attribute of PKCS#11 3.2: number, name, kind of value, and whether its value may be key
//! material. An attribute that is not in the list counts as secret: nobody knows what a vendor keeps in it.

use crate::names::{hardware_feature, profile, trust, validation_authority, validation_type};
use crate::value::{Named, certificate_type, key_type, object_class};

/// The bit of an attribute number that says that the value is an array of attributes or numbers
/// (`CKF_ARRAY_ATTRIBUTE`). Version 3.2 forgot it in `CKA_ENCAPSULATE_TEMPLATE` and
/// `CKA_DECAPSULATE_TEMPLATE`.
pub const ARRAY: u64 = 0x4000_0000;

/// One attribute.
#[derive(Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The `CKA_` number.
    pub number: u64,
    /// The name in use today, with its `CKA_`.
    pub name: &'static str,
    /// Earlier names of the same number.
    pub aliases: &'static [&'static str],
    /// What the value is.
    pub kind: Kind,
    /// Whether the value may be key material, in any class of object. The counter of a one-time password key
    /// counts as such: with it, passwords can be told from one another. The value of a [`Kind::Template`] is
    /// attributes, each of which has its own answer.
    pub secret: bool,
}

/// What the value of an attribute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `CK_BBOOL`.
    Bool,
    /// `CK_ULONG`: a count, a size, flags, or a number whose meaning another attribute decides.
    Number,
    /// Array of `CK_ULONG`.
    Numbers,
    /// Bytes without further structure here.
    Bytes,
    /// Unsigned number, most significant byte first.
    BigInteger,
    /// UTF-8, without a terminating zero.
    Text,
    /// `CK_DATE`.
    Date,
    /// `CK_VERSION`.
    Version,
    /// A `CKO_`.
    ObjectClass,
    /// A `CKK_`.
    KeyType,
    /// A `CKC_`.
    CertificateType,
    /// A `CKM_`.
    Mechanism,
    /// Array of `CKM_`.
    Mechanisms,
    /// A `CKH_` of a hardware feature.
    HardwareFeature,
    /// A `CKP_` of a profile.
    Profile,
    /// A `CKT_`.
    Trust,
    /// A `CKV_TYPE_`.
    ValidationType,
    /// A `CKV_AUTHORITY_TYPE_`.
    ValidationAuthority,
    /// Array of attributes.
    Template,
}

impl Kind {
    /// The name of `number` as a value of this kind.
    pub fn value_name(self, number: u64) -> Option<&'static str> {
        match self {
            Kind::ObjectClass => object_class::name(number),
            Kind::KeyType => key_type::name(number),
            Kind::CertificateType => certificate_type::name(number),
            Kind::Mechanism | Kind::Mechanisms => crate::mechanism::name(number),
            Kind::HardwareFeature => hardware_feature::name(number),
            Kind::Profile => profile::name(number),
            Kind::Trust => trust::name(number),
            Kind::ValidationType => validation_type::name(number),
            Kind::ValidationAuthority => validation_authority::name(number),
            _ => None,
        }
    }
}

/// The attribute with this number, if it is a standard one.
pub fn by_number(number: u64) -> Option<&'static Attribute> {
    ALL.binary_search_by_key(&number, |a| a.number).ok().map(|place| &ALL[place])
}

/// The attribute called `name`, today or earlier; exactly as in the standard (`CKA_LABEL`).
pub fn by_name(name: &str) -> Option<&'static Attribute> {
    ALL.iter().find(|a| a.name == name || a.aliases.contains(&name))
}

/// The name of the attribute with this number, if it is a standard one.
pub fn name(number: u64) -> Option<&'static str> {
    by_number(number).map(|a| a.name)
}

/// Shows an attribute by its name, or by its number in hexadecimal where it has none.
pub fn display(number: u64) -> Named {
    Named { number, name: name(number) }
}

/// Whether the value of the attribute with this number may be key material. True for every number that is not
/// in the list.
pub fn is_secret(number: u64) -> bool {
    by_number(number).is_none_or(|a| a.secret)
}

macro_rules! attributes {
    ($($number:literal $name:ident $(| $alias:ident)?: $kind:ident $(, $secret:ident)?;)*) => {
        $(#[doc = concat!("Attribute ", stringify!($number), ".")] pub const $name: u64 = $number;)*

        /// Every standard attribute, sorted by number.
        pub static ALL: &[Attribute] = &[$(Attribute {
            number: $number,
            name: stringify!($name),
            aliases: &[$(stringify!($alias))?],
            kind: Kind::$kind,
            secret: attributes!(mark $($secret)?),
        }),*];
    };
    (mark secret) => { true };
    (mark) => { false };
}

attributes! {
    0x00000000 CKA_CLASS: ObjectClass;
    0x00000001 CKA_TOKEN: Bool;
    0x00000002 CKA_PRIVATE: Bool;
    0x00000003 CKA_LABEL: Text;
    0x00000004 CKA_UNIQUE_ID: Text;
    0x00000010 CKA_APPLICATION: Text;
    0x00000011 CKA_VALUE: Bytes, secret;
    0x00000012 CKA_OBJECT_ID: Bytes;
    0x00000080 CKA_CERTIFICATE_TYPE: CertificateType;
    0x00000081 CKA_ISSUER: Bytes;
    0x00000082 CKA_SERIAL_NUMBER: Bytes;
    0x00000083 CKA_AC_ISSUER: Bytes;
    0x00000084 CKA_OWNER: Bytes;
    0x00000085 CKA_ATTR_TYPES: Bytes;
    0x00000086 CKA_TRUSTED: Bool;
    0x00000087 CKA_CERTIFICATE_CATEGORY: Number;
    0x00000088 CKA_JAVA_MIDP_SECURITY_DOMAIN: Number;
    0x00000089 CKA_URL: Text;
    0x0000008a CKA_HASH_OF_SUBJECT_PUBLIC_KEY: Bytes;
    0x0000008b CKA_HASH_OF_ISSUER_PUBLIC_KEY: Bytes;
    0x0000008c CKA_NAME_HASH_ALGORITHM: Mechanism;
    0x00000090 CKA_CHECK_VALUE: Bytes;
    0x00000100 CKA_KEY_TYPE: KeyType;
    0x00000101 CKA_SUBJECT: Bytes;
    0x00000102 CKA_ID: Bytes;
    0x00000103 CKA_SENSITIVE: Bool;
    0x00000104 CKA_ENCRYPT: Bool;
    0x00000105 CKA_DECRYPT: Bool;
    0x00000106 CKA_WRAP: Bool;
    0x00000107 CKA_UNWRAP: Bool;
    0x00000108 CKA_SIGN: Bool;
    0x00000109 CKA_SIGN_RECOVER: Bool;
    0x0000010a CKA_VERIFY: Bool;
    0x0000010b CKA_VERIFY_RECOVER: Bool;
    0x0000010c CKA_DERIVE: Bool;
    0x00000110 CKA_START_DATE: Date;
    0x00000111 CKA_END_DATE: Date;
    0x00000120 CKA_MODULUS: BigInteger;
    0x00000121 CKA_MODULUS_BITS: Number;
    0x00000122 CKA_PUBLIC_EXPONENT: BigInteger;
    0x00000123 CKA_PRIVATE_EXPONENT: BigInteger, secret;
    0x00000124 CKA_PRIME_1: BigInteger, secret;
    0x00000125 CKA_PRIME_2: BigInteger, secret;
    0x00000126 CKA_EXPONENT_1: BigInteger, secret;
    0x00000127 CKA_EXPONENT_2: BigInteger, secret;
    0x00000128 CKA_COEFFICIENT: BigInteger, secret;
    0x00000129 CKA_PUBLIC_KEY_INFO: Bytes;
    0x00000130 CKA_PRIME: BigInteger;
    0x00000131 CKA_SUBPRIME: BigInteger;
    0x00000132 CKA_BASE: BigInteger;
    0x00000133 CKA_PRIME_BITS: Number;
    0x00000134 CKA_SUBPRIME_BITS | CKA_SUB_PRIME_BITS: Number;
    0x00000160 CKA_VALUE_BITS: Number;
    0x00000161 CKA_VALUE_LEN: Number;
    0x00000162 CKA_EXTRACTABLE: Bool;
    0x00000163 CKA_LOCAL: Bool;
    0x00000164 CKA_NEVER_EXTRACTABLE: Bool;
    0x00000165 CKA_ALWAYS_SENSITIVE: Bool;
    0x00000166 CKA_KEY_GEN_MECHANISM: Mechanism;
    0x00000170 CKA_MODIFIABLE: Bool;
    0x00000171 CKA_COPYABLE: Bool;
    0x00000172 CKA_DESTROYABLE: Bool;
    0x00000180 CKA_EC_PARAMS | CKA_ECDSA_PARAMS: Bytes;
    0x00000181 CKA_EC_POINT: Bytes;
    0x00000200 CKA_SECONDARY_AUTH: Bool;
    0x00000201 CKA_AUTH_PIN_FLAGS: Number;
    0x00000202 CKA_ALWAYS_AUTHENTICATE: Bool;
    0x00000210 CKA_WRAP_WITH_TRUSTED: Bool;
    0x00000220 CKA_OTP_FORMAT: Number;
    0x00000221 CKA_OTP_LENGTH: Number;
    0x00000222 CKA_OTP_TIME_INTERVAL: Number;
    0x00000223 CKA_OTP_USER_FRIENDLY_MODE: Bool;
    0x00000224 CKA_OTP_CHALLENGE_REQUIREMENT: Number;
    0x00000225 CKA_OTP_TIME_REQUIREMENT: Number;
    0x00000226 CKA_OTP_COUNTER_REQUIREMENT: Number;
    0x00000227 CKA_OTP_PIN_REQUIREMENT: Number;
    0x0000022a CKA_OTP_USER_IDENTIFIER: Text;
    0x0000022b CKA_OTP_SERVICE_IDENTIFIER: Text;
    0x0000022c CKA_OTP_SERVICE_LOGO: Bytes;
    0x0000022d CKA_OTP_SERVICE_LOGO_TYPE: Text;
    0x0000022e CKA_OTP_COUNTER: Bytes, secret;
    0x0000022f CKA_OTP_TIME: Text;
    0x00000250 CKA_GOSTR3410_PARAMS: Bytes;
    0x00000251 CKA_GOSTR3411_PARAMS: Bytes;
    0x00000252 CKA_GOST28147_PARAMS: Bytes;
    0x00000300 CKA_HW_FEATURE_TYPE: HardwareFeature;
    0x00000301 CKA_RESET_ON_INIT: Bool;
    0x00000302 CKA_HAS_RESET: Bool;
    0x00000400 CKA_PIXEL_X: Number;
    0x00000401 CKA_PIXEL_Y: Number;
    0x00000402 CKA_RESOLUTION: Number;
    0x00000403 CKA_CHAR_ROWS: Number;
    0x00000404 CKA_CHAR_COLUMNS: Number;
    0x00000405 CKA_COLOR: Bool;
    0x00000406 CKA_BITS_PER_PIXEL: Number;
    0x00000480 CKA_CHAR_SETS: Text;
    0x00000481 CKA_ENCODING_METHODS: Text;
    0x00000482 CKA_MIME_TYPES: Text;
    0x00000500 CKA_MECHANISM_TYPE: Mechanism;
    0x00000501 CKA_REQUIRED_CMS_ATTRIBUTES: Bytes;
    0x00000502 CKA_DEFAULT_CMS_ATTRIBUTES: Bytes;
    0x00000503 CKA_SUPPORTED_CMS_ATTRIBUTES: Bytes;
    0x00000601 CKA_PROFILE_ID: Profile;
    0x00000602 CKA_X2RATCHET_BAG: Bytes, secret;
    0x00000603 CKA_X2RATCHET_BAGSIZE: Number;
    0x00000604 CKA_X2RATCHET_BOBS1STMSG: Bool;
    0x00000605 CKA_X2RATCHET_CKR: Bytes, secret;
    0x00000606 CKA_X2RATCHET_CKS: Bytes, secret;
    0x00000607 CKA_X2RATCHET_DHP: Bytes;
    0x00000608 CKA_X2RATCHET_DHR: Bytes;
    0x00000609 CKA_X2RATCHET_DHS: Bytes, secret;
    0x0000060a CKA_X2RATCHET_HKR: Bytes, secret;
    0x0000060b CKA_X2RATCHET_HKS: Bytes, secret;
    0x0000060c CKA_X2RATCHET_ISALICE: Bool;
    0x0000060d CKA_X2RATCHET_NHKR: Bytes, secret;
    0x0000060e CKA_X2RATCHET_NHKS: Bytes, secret;
    0x0000060f CKA_X2RATCHET_NR: Number;
    0x00000610 CKA_X2RATCHET_NS: Number;
    0x00000611 CKA_X2RATCHET_PNS: Number;
    0x00000612 CKA_X2RATCHET_RK: Bytes, secret;
    0x00000617 CKA_HSS_LEVELS: Number;
    0x00000618 CKA_HSS_LMS_TYPE: Number;
    0x00000619 CKA_HSS_LMOTS_TYPE: Number;
    0x0000061a CKA_HSS_LMS_TYPES: Numbers;
    0x0000061b CKA_HSS_LMOTS_TYPES: Numbers;
    0x0000061c CKA_HSS_KEYS_REMAINING: Number;
    0x0000061d CKA_PARAMETER_SET: Number;
    0x0000061e CKA_OBJECT_VALIDATION_FLAGS: Number;
    0x0000061f CKA_VALIDATION_TYPE: ValidationType;
    0x00000620 CKA_VALIDATION_VERSION: Version;
    0x00000621 CKA_VALIDATION_LEVEL: Number;
    0x00000622 CKA_VALIDATION_MODULE_ID: Text;
    0x00000623 CKA_VALIDATION_FLAG: Number;
    0x00000624 CKA_VALIDATION_AUTHORITY_TYPE: ValidationAuthority;
    0x00000625 CKA_VALIDATION_COUNTRY: Text;
    0x00000626 CKA_VALIDATION_CERTIFICATE_IDENTIFIER: Text;
    0x00000627 CKA_VALIDATION_CERTIFICATE_URI: Text;
    0x00000628 CKA_VALIDATION_VENDOR_URI: Text;
    0x00000629 CKA_VALIDATION_PROFILE: Text;
    0x0000062a CKA_ENCAPSULATE_TEMPLATE: Template;
    0x0000062b CKA_DECAPSULATE_TEMPLATE: Template;
    0x0000062c CKA_TRUST_SERVER_AUTH: Trust;
    0x0000062d CKA_TRUST_CLIENT_AUTH: Trust;
    0x0000062e CKA_TRUST_CODE_SIGNING: Trust;
    0x0000062f CKA_TRUST_EMAIL_PROTECTION: Trust;
    0x00000630 CKA_TRUST_IPSEC_IKE: Trust;
    0x00000631 CKA_TRUST_TIME_STAMPING: Trust;
    0x00000632 CKA_TRUST_OCSP_SIGNING: Trust;
    0x00000633 CKA_ENCAPSULATE: Bool;
    0x00000634 CKA_DECAPSULATE: Bool;
    0x00000635 CKA_HASH_OF_CERTIFICATE: Bytes;
    0x00000636 CKA_PUBLIC_CRC64_VALUE: Bytes;
    0x00000637 CKA_SEED: Bytes, secret;
    0x40000211 CKA_WRAP_TEMPLATE: Template;
    0x40000212 CKA_UNWRAP_TEMPLATE: Template;
    0x40000213 CKA_DERIVE_TEMPLATE: Template;
    0x40000600 CKA_ALLOWED_MECHANISMS: Mechanisms;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_every_name_leads_back_to_its_number() {
        assert!(ALL.is_sorted_by(|a, b| a.number < b.number));
        for attribute in ALL {
            for name in attribute.aliases.iter().chain([&attribute.name]) {
                assert_eq!(by_name(name), Some(attribute));
            }
        }
        assert_eq!(display(CKA_EC_PARAMS).to_string(), "CKA_EC_PARAMS");
        assert_eq!(by_name("CKA_ECDSA_PARAMS").unwrap().number, CKA_EC_PARAMS);
    }

    #[test]
    fn arrays_are_arrays() {
        for attribute in ALL {
            let array = matches!(attribute.kind, Kind::Template | Kind::Mechanisms);
            assert!(array || attribute.number & ARRAY == 0, "{}", attribute.name);
        }
    }

    #[test]
    fn what_may_be_key_material_is_secret() {
        for secret in
            [CKA_VALUE, CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_EXPONENT_1, CKA_COEFFICIENT, CKA_SEED]
        {
            assert!(is_secret(secret));
        }
        for open in [CKA_LABEL, CKA_ID, CKA_MODULUS, CKA_EC_POINT, CKA_PRIME, CKA_CHECK_VALUE] {
            assert!(!is_secret(open));
        }
        assert!(is_secret(0x8000_0001), "an attribute that nobody knows");
    }

    #[test]
    fn a_number_is_named_by_what_its_attribute_holds() {
        assert_eq!(by_number(CKA_CLASS).unwrap().kind.value_name(3), Some("CKO_PRIVATE_KEY"));
        assert_eq!(by_number(CKA_KEY_TYPE).unwrap().kind.value_name(3), Some("CKK_EC"));
        assert_eq!(by_number(CKA_VALUE_LEN).unwrap().kind.value_name(3), None);
    }
}
