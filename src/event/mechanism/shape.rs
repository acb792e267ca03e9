// SPDX-License-Identifier: Apache-2.0
//! The structures that mechanism parameters come in, one line each: what `pParameter` points to.

macro_rules! shapes {
    ($($shape:ident $structure:literal;)*) => {
        /// What the parameter of a mechanism is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Shape {
            $(#[doc = concat!("`", $structure, "`.")] $shape),*
        }

        impl Shape {
            /// Every shape.
            pub const ALL: &[Shape] = &[$(Shape::$shape),*];

            /// The C type that `pParameter` points to; empty for none.
            pub const fn structure(self) -> &'static str {
                match self { $(Shape::$shape => $structure),* }
            }
        }
    };
}

shapes! {
    // No parameter; an initialisation vector by itself; opaque bytes (a public value, a version, an object
    // identifier).
    None                         "";
    Iv                           "CK_BYTE[]";
    Bytes                        "CK_BYTE";
    // One number or handle.
    MacGeneral                   "CK_MAC_GENERAL_PARAMS";
    Extract                      "CK_EXTRACT_PARAMS";
    ObjectHandle                 "CK_OBJECT_HANDLE";
    Version                      "CK_VERSION";
    // RSA.
    RsaPkcsOaep                  "CK_RSA_PKCS_OAEP_PARAMS";
    RsaPkcsPss                   "CK_RSA_PKCS_PSS_PARAMS";
    RsaAesKeyWrap                "CK_RSA_AES_KEY_WRAP_PARAMS";
    // Signatures of the other kinds.
    DsaParameterGen              "CK_DSA_PARAMETER_GEN_PARAM";
    Eddsa                        "CK_EDDSA_PARAMS";
    Xeddsa                       "CK_XEDDSA_PARAMS";
    SignAdditionalContext        "CK_SIGN_ADDITIONAL_CONTEXT";
    HashSignAdditionalContext    "CK_HASH_SIGN_ADDITIONAL_CONTEXT";
    CmsSig                       "CK_CMS_SIG_PARAMS";
    // Key agreement.
    Ecdh1Derive                  "CK_ECDH1_DERIVE_PARAMS";
    EcmqvDerive                  "CK_ECMQV_DERIVE_PARAMS";
    EcdhAesKeyWrap               "CK_ECDH_AES_KEY_WRAP_PARAMS";
    X942Dh1Derive                "CK_X9_42_DH1_DERIVE_PARAMS";
    X942Dh2Derive                "CK_X9_42_DH2_DERIVE_PARAMS";
    X942MqvDerive                "CK_X9_42_MQV_DERIVE_PARAMS";
    KeaDerive                    "CK_KEA_DERIVE_PARAMS";
    X3dhInitiate                 "CK_X3DH_INITIATE_PARAMS";
    X3dhRespond                  "CK_X3DH_RESPOND_PARAMS";
    X2RatchetInitialize          "CK_X2RATCHET_INITIALIZE_PARAMS";
    X2RatchetRespond             "CK_X2RATCHET_RESPOND_PARAMS";
    // Authenticated encryption; the message and wrapping forms of the same mechanisms.
    Gcm                          "CK_GCM_PARAMS";
    GcmMessage                   "CK_GCM_MESSAGE_PARAMS";
    GcmWrap                      "CK_GCM_WRAP_PARAMS";
    Ccm                          "CK_CCM_PARAMS";
    CcmMessage                   "CK_CCM_MESSAGE_PARAMS";
    CcmWrap                      "CK_CCM_WRAP_PARAMS";
    Salsa20ChaCha20Poly1305      "CK_SALSA20_CHACHA20_POLY1305_PARAMS";
    Salsa20ChaCha20Poly1305Msg   "CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS";
    // Ciphers.
    Ctr                          "CK_AES_CTR_PARAMS";
    ChaCha20                     "CK_CHACHA20_PARAMS";
    Salsa20                      "CK_SALSA20_PARAMS";
    Rc2                          "CK_RC2_PARAMS";
    Rc2Cbc                       "CK_RC2_CBC_PARAMS";
    Rc2MacGeneral                "CK_RC2_MAC_GENERAL_PARAMS";
    Rc5                          "CK_RC5_PARAMS";
    Rc5Cbc                       "CK_RC5_CBC_PARAMS";
    Rc5MacGeneral                "CK_RC5_MAC_GENERAL_PARAMS";
    SkipjackPrivateWrap          "CK_SKIPJACK_PRIVATE_WRAP_PARAMS";
    SkipjackRelayx               "CK_SKIPJACK_RELAYX_PARAMS";
    KeyWrapSetOaep               "CK_KEY_WRAP_SET_OAEP_PARAMS";
    GostR3410Derive              "CK_GOSTR3410_DERIVE_PARAMS";
    GostR3410KeyWrap             "CK_GOSTR3410_KEY_WRAP_PARAMS";
    // Key derivation.
    KeyDerivationString          "CK_KEY_DERIVATION_STRING_DATA";
    DesCbcEncryptData            "CK_DES_CBC_ENCRYPT_DATA_PARAMS";
    AesCbcEncryptData            "CK_AES_CBC_ENCRYPT_DATA_PARAMS";
    CamelliaCbcEncryptData       "CK_CAMELLIA_CBC_ENCRYPT_DATA_PARAMS";
    AriaCbcEncryptData           "CK_ARIA_CBC_ENCRYPT_DATA_PARAMS";
    SeedCbcEncryptData           "CK_SEED_CBC_ENCRYPT_DATA_PARAMS";
    Hkdf                         "CK_HKDF_PARAMS";
    Sp800108Kdf                  "CK_SP800_108_KDF_PARAMS";
    Sp800108FeedbackKdf          "CK_SP800_108_FEEDBACK_KDF_PARAMS";
    Pbe                          "CK_PBE_PARAMS";
    Pkcs5Pbkd2                   "CK_PKCS5_PBKD2_PARAMS2";
    Kip                          "CK_KIP_PARAMS";
    Otp                          "CK_OTP_PARAMS";
    // Protocols.
    Ssl3MasterKeyDerive          "CK_SSL3_MASTER_KEY_DERIVE_PARAMS";
    Ssl3KeyMat                   "CK_SSL3_KEY_MAT_PARAMS";
    TlsPrf                       "CK_TLS_PRF_PARAMS";
    TlsMac                       "CK_TLS_MAC_PARAMS";
    TlsKdf                       "CK_TLS_KDF_PARAMS";
    Tls12MasterKeyDerive         "CK_TLS12_MASTER_KEY_DERIVE_PARAMS";
    Tls12ExtendedMasterKeyDerive "CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS";
    Tls12KeyMat                  "CK_TLS12_KEY_MAT_PARAMS";
    WtlsMasterKeyDerive          "CK_WTLS_MASTER_KEY_DERIVE_PARAMS";
    WtlsKeyMat                   "CK_WTLS_KEY_MAT_PARAMS";
    WtlsPrf                      "CK_WTLS_PRF_PARAMS";
    IkePrfDerive                 "CK_IKE_PRF_DERIVE_PARAMS";
    Ike1PrfDerive                "CK_IKE1_PRF_DERIVE_PARAMS";
    Ike1ExtendedDerive           "CK_IKE1_EXTENDED_DERIVE_PARAMS";
    Ike2PrfPlusDerive            "CK_IKE2_PRF_PLUS_DERIVE_PARAMS";
}

impl Shape {
    /// The shape that the same mechanism takes in the message functions, and in `C_WrapKeyAuthenticated` and
    /// `C_UnwrapKeyAuthenticated` (PKCS#11 3.2, 6.13.3).
    pub const fn in_messages(self) -> Shape {
        match self {
            Shape::Gcm => Shape::GcmMessage,
            Shape::Ccm => Shape::CcmMessage,
            Shape::Salsa20ChaCha20Poly1305 => Shape::Salsa20ChaCha20Poly1305Msg,
            other => other,
        }
    }

    /// The shape that the same mechanism takes in `C_WrapKey` and `C_UnwrapKey` since version 3.2. Callers of
    /// earlier versions pass the plain shape there: the two differ in length.
    pub const fn in_wrapping(self) -> Shape {
        match self {
            Shape::Gcm => Shape::GcmWrap,
            Shape::Ccm => Shape::CcmWrap,
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_shape_has_a_structure_of_its_own_and_a_mechanism() {
        let used: HashSet<Shape> = crate::mechanism::ALL
            .iter()
            .flat_map(|m| [m.parameter, m.parameter.in_messages(), m.parameter.in_wrapping()])
            .collect();
        let structures: HashSet<_> = Shape::ALL.iter().map(|s| s.structure()).collect();
        assert_eq!(structures.len(), Shape::ALL.len());
        assert!(Shape::ALL.iter().all(|s| used.contains(s)));
    }
}
