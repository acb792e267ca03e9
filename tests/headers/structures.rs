// SPDX-License-Identifier: Apache-2.0
//! Every structure of the headers with its fields, for the comparison of layouts. A structure or field that is missing
//! here is named by the test.

use std::mem::{offset_of, size_of};

/// Size of each structure (`CK_X`) and place of each field (`CK_X.field`) as `cryptoki-sys` lays them out.
pub(super) fn layouts() -> Vec<(String, usize)> {
    let mut found = Vec::new();
    macro_rules! structures {
        ($($name:ident { $($field:ident)* })*) => {$(
            found.push((stringify!($name).to_owned(), size_of::<cryptoki_sys::$name>()));
            $(
                let field = stringify!($field).trim_end_matches('_');
                found.push((format!("{}.{field}", stringify!($name)), offset_of!(cryptoki_sys::$name, $field)));
            )*
        )*};
    }
    structures! {
        CK_AES_CBC_ENCRYPT_DATA_PARAMS { iv pData length }
        CK_AES_CCM_PARAMS { ulDataLen pNonce ulNonceLen pAAD ulAADLen ulMACLen }
        CK_AES_CTR_PARAMS { ulCounterBits cb }
        CK_AES_GCM_PARAMS { pIv ulIvLen ulIvBits pAAD ulAADLen ulTagBits }
        CK_ARIA_CBC_ENCRYPT_DATA_PARAMS { iv pData length }
        CK_ASYNC_DATA { ulVersion pValue ulValue hObject hAdditionalObject }
        CK_ATTRIBUTE { type_ pValue ulValueLen }
        CK_CAMELLIA_CBC_ENCRYPT_DATA_PARAMS { iv pData length }
        CK_CAMELLIA_CTR_PARAMS { ulCounterBits cb }
        CK_CCM_MESSAGE_PARAMS { ulDataLen pNonce ulNonceLen ulNonceFixedBits nonceGenerator pMAC ulMACLen }
        CK_CCM_PARAMS { ulDataLen pNonce ulNonceLen pAAD ulAADLen ulMACLen }
        CK_CCM_WRAP_PARAMS { ulDataLen pNonce ulNonceLen ulNonceFixedBits nonceGenerator pAAD ulAADLen ulMACLen
            }
        CK_CHACHA20_PARAMS { pBlockCounter blockCounterBits pNonce ulNonceBits }
        CK_CMS_SIG_PARAMS { certificateHandle pSigningMechanism pDigestMechanism pContentType
            pRequestedAttributes ulRequestedAttributesLen pRequiredAttributes ulRequiredAttributesLen }
        CK_C_INITIALIZE_ARGS { CreateMutex DestroyMutex LockMutex UnlockMutex flags pReserved }
        CK_DATE { year month day }
        CK_DERIVED_KEY { pTemplate ulAttributeCount phKey }
        CK_DES_CBC_ENCRYPT_DATA_PARAMS { iv pData length }
        CK_DSA_PARAMETER_GEN_PARAM { hash pSeed ulSeedLen ulIndex }
        CK_ECDH1_DERIVE_PARAMS { kdf ulSharedDataLen pSharedData ulPublicDataLen pPublicData }
        CK_ECDH2_DERIVE_PARAMS { kdf ulSharedDataLen pSharedData ulPublicDataLen pPublicData ulPrivateDataLen
            hPrivateData ulPublicDataLen2 pPublicData2 }
        CK_ECDH_AES_KEY_WRAP_PARAMS { ulAESKeyBits kdf ulSharedDataLen pSharedData }
        CK_ECMQV_DERIVE_PARAMS { kdf ulSharedDataLen pSharedData ulPublicDataLen pPublicData ulPrivateDataLen
            hPrivateData ulPublicDataLen2 pPublicData2 publicKey }
        CK_EDDSA_PARAMS { phFlag ulContextDataLen pContextData }
        CK_GCM_MESSAGE_PARAMS { pIv ulIvLen ulIvFixedBits ivGenerator pTag ulTagBits }
        CK_GCM_PARAMS { pIv ulIvLen ulIvBits pAAD ulAADLen ulTagBits }
        CK_GCM_WRAP_PARAMS { pIv ulIvLen ulIvFixedBits ivGenerator pAAD ulAADLen ulTagBits }
        CK_GOSTR3410_DERIVE_PARAMS { kdf pPublicData ulPublicDataLen pUKM ulUKMLen }
        CK_GOSTR3410_KEY_WRAP_PARAMS { pWrapOID ulWrapOIDLen pUKM ulUKMLen hKey }
        CK_HASH_SIGN_ADDITIONAL_CONTEXT { hedgeVariant pContext ulContextLen hash }
        CK_HKDF_PARAMS { bExtract bExpand prfHashMechanism ulSaltType pSalt ulSaltLen hSaltKey pInfo ulInfoLen }
        CK_IKE1_EXTENDED_DERIVE_PARAMS { prfMechanism bHasKeygxy hKeygxy pExtraData ulExtraDataLen }
        CK_IKE1_PRF_DERIVE_PARAMS { prfMechanism bHasPrevKey hKeygxy hPrevKey pCKYi ulCKYiLen pCKYr ulCKYrLen
            keyNumber }
        CK_IKE2_PRF_PLUS_DERIVE_PARAMS { prfMechanism bHasSeedKey hSeedKey pSeedData ulSeedDataLen }
        CK_IKE_PRF_DERIVE_PARAMS { prfMechanism bDataAsKey bRekey pNi ulNiLen pNr ulNrLen hNewKey }
        CK_INFO { cryptokiVersion manufacturerID flags libraryDescription libraryVersion }
        CK_INTERFACE { pInterfaceName pFunctionList flags }
        CK_KEA_DERIVE_PARAMS { isSender ulRandomLen RandomA RandomB ulPublicDataLen PublicData }
        CK_KEY_DERIVATION_STRING_DATA { pData ulLen }
        CK_KEY_WRAP_SET_OAEP_PARAMS { bBC pX ulXLen }
        CK_KIP_PARAMS { pMechanism hKey pSeed ulSeedLen }
        CK_MECHANISM { mechanism pParameter ulParameterLen }
        CK_MECHANISM_INFO { ulMinKeySize ulMaxKeySize flags }
        CK_OTP_PARAM { type_ pValue ulValueLen }
        CK_OTP_PARAMS { pParams ulCount }
        CK_OTP_SIGNATURE_INFO { pParams ulCount }
        CK_PBE_PARAMS { pInitVector pPassword ulPasswordLen pSalt ulSaltLen ulIteration }
        CK_PKCS5_PBKD2_PARAMS { saltSource pSaltSourceData ulSaltSourceDataLen iterations prf pPrfData
            ulPrfDataLen pPassword ulPasswordLen }
        CK_PKCS5_PBKD2_PARAMS2 { saltSource pSaltSourceData ulSaltSourceDataLen iterations prf pPrfData
            ulPrfDataLen pPassword ulPasswordLen }
        CK_PRF_DATA_PARAM { type_ pValue ulValueLen }
        CK_RC2_CBC_PARAMS { ulEffectiveBits iv }
        CK_RC2_MAC_GENERAL_PARAMS { ulEffectiveBits ulMacLength }
        CK_RC5_CBC_PARAMS { ulWordsize ulRounds pIv ulIvLen }
        CK_RC5_MAC_GENERAL_PARAMS { ulWordsize ulRounds ulMacLength }
        CK_RC5_PARAMS { ulWordsize ulRounds }
        CK_RSA_AES_KEY_WRAP_PARAMS { ulAESKeyBits pOAEPParams }
        CK_RSA_PKCS_OAEP_PARAMS { hashAlg mgf source pSourceData ulSourceDataLen }
        CK_RSA_PKCS_PSS_PARAMS { hashAlg mgf sLen }
        CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS { pNonce ulNonceLen pTag }
        CK_SALSA20_CHACHA20_POLY1305_PARAMS { pNonce ulNonceLen pAAD ulAADLen }
        CK_SALSA20_PARAMS { pBlockCounter pNonce ulNonceBits }
        CK_SEED_CBC_ENCRYPT_DATA_PARAMS { iv pData length }
        CK_SESSION_INFO { slotID state flags ulDeviceError }
        CK_SIGN_ADDITIONAL_CONTEXT { hedgeVariant pContext ulContextLen }
        CK_SKIPJACK_PRIVATE_WRAP_PARAMS { ulPasswordLen pPassword ulPublicDataLen pPublicData ulPAndGLen ulQLen
            ulRandomLen pRandomA pPrimeP pBaseG pSubprimeQ }
        CK_SKIPJACK_RELAYX_PARAMS { ulOldWrappedXLen pOldWrappedX ulOldPasswordLen pOldPassword
            ulOldPublicDataLen pOldPublicData ulOldRandomLen pOldRandomA ulNewPasswordLen pNewPassword
            ulNewPublicDataLen pNewPublicData ulNewRandomLen pNewRandomA }
        CK_SLOT_INFO { slotDescription manufacturerID flags hardwareVersion firmwareVersion }
        CK_SP800_108_COUNTER_FORMAT { bLittleEndian ulWidthInBits }
        CK_SP800_108_DKM_LENGTH_FORMAT { dkmLengthMethod bLittleEndian ulWidthInBits }
        CK_SP800_108_FEEDBACK_KDF_PARAMS { prfType ulNumberOfDataParams pDataParams ulIVLen pIV
            ulAdditionalDerivedKeys pAdditionalDerivedKeys }
        CK_SP800_108_KDF_PARAMS { prfType ulNumberOfDataParams pDataParams ulAdditionalDerivedKeys
            pAdditionalDerivedKeys }
        CK_SSL3_KEY_MAT_OUT { hClientMacSecret hServerMacSecret hClientKey hServerKey pIVClient pIVServer }
        CK_SSL3_KEY_MAT_PARAMS { ulMacSizeInBits ulKeySizeInBits ulIVSizeInBits bIsExport RandomInfo
            pReturnedKeyMaterial }
        CK_SSL3_MASTER_KEY_DERIVE_PARAMS { RandomInfo pVersion }
        CK_SSL3_RANDOM_DATA { pClientRandom ulClientRandomLen pServerRandom ulServerRandomLen }
        CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS { prfHashMechanism pSessionHash ulSessionHashLen pVersion }
        CK_TLS12_KEY_MAT_PARAMS { ulMacSizeInBits ulKeySizeInBits ulIVSizeInBits bIsExport RandomInfo
            pReturnedKeyMaterial prfHashMechanism }
        CK_TLS12_MASTER_KEY_DERIVE_PARAMS { RandomInfo pVersion prfHashMechanism }
        CK_TLS_KDF_PARAMS { prfMechanism pLabel ulLabelLength RandomInfo pContextData ulContextDataLength }
        CK_TLS_MAC_PARAMS { prfHashMechanism ulMacLength ulServerOrClient }
        CK_TLS_PRF_PARAMS { pSeed ulSeedLen pLabel ulLabelLen pOutput pulOutputLen }
        CK_TOKEN_INFO { label manufacturerID model serialNumber flags ulMaxSessionCount ulSessionCount
            ulMaxRwSessionCount ulRwSessionCount ulMaxPinLen ulMinPinLen ulTotalPublicMemory ulFreePublicMemory
            ulTotalPrivateMemory ulFreePrivateMemory hardwareVersion firmwareVersion utcTime }
        CK_VERSION { major minor }
        CK_WTLS_KEY_MAT_OUT { hMacSecret hKey pIV }
        CK_WTLS_KEY_MAT_PARAMS { DigestMechanism ulMacSizeInBits ulKeySizeInBits ulIVSizeInBits ulSequenceNumber
            bIsExport RandomInfo pReturnedKeyMaterial }
        CK_WTLS_MASTER_KEY_DERIVE_PARAMS { DigestMechanism RandomInfo pVersion }
        CK_WTLS_PRF_PARAMS { DigestMechanism pSeed ulSeedLen pLabel ulLabelLen pOutput pulOutputLen }
        CK_WTLS_RANDOM_DATA { pClientRandom ulClientRandomLen pServerRandom ulServerRandomLen }
        CK_X2RATCHET_INITIALIZE_PARAMS { sk peer_public_prekey peer_public_identity own_public_identity
            bEncryptedHeader eCurve aeadMechanism kdfMechanism }
        CK_X2RATCHET_RESPOND_PARAMS { sk own_prekey initiator_identity own_public_identity bEncryptedHeader
            eCurve aeadMechanism kdfMechanism }
        CK_X3DH_INITIATE_PARAMS { kdf pPeer_identity pPeer_prekey pPrekey_signature pOnetime_key pOwn_identity
            pOwn_ephemeral }
        CK_X3DH_RESPOND_PARAMS { kdf pIdentity_id pPrekey_id pOnetime_id pInitiator_identity
            pInitiator_ephemeral }
        CK_X9_42_DH1_DERIVE_PARAMS { kdf ulOtherInfoLen pOtherInfo ulPublicDataLen pPublicData }
        CK_X9_42_DH2_DERIVE_PARAMS { kdf ulOtherInfoLen pOtherInfo ulPublicDataLen pPublicData ulPrivateDataLen
            hPrivateData ulPublicDataLen2 pPublicData2 }
        CK_X9_42_MQV_DERIVE_PARAMS { kdf ulOtherInfoLen OtherInfo ulPublicDataLen PublicData ulPrivateDataLen
            hPrivateData ulPublicDataLen2 PublicData2 publicKey }
        CK_XEDDSA_PARAMS { hash }
    }
    found
}
