// SPDX-License-Identifier: Apache-2.0
//! One line for each structure and each size of it: what the application wrote, and the fields that are to be
//! seen. All that is not written is [`FILLING`], so that a pointer that must not be followed leads to
//! [`NOWHERE`].

use cryptoki_sys::*;
use event::mechanism::Shape;
use event::parameter::Field;
use std::mem::MaybeUninit;
use std::{ptr, slice};

/// What fills a structure where nothing was written.
const FILLING: u8 = 0xAA;

/// No address that could be mapped, on any machine.
pub(crate) const NOWHERE: *const u8 =
    ptr::without_provenance(usize::from_ne_bytes([FILLING; size_of::<usize>()]));

/// A structure and its fields.
pub(crate) struct Sample {
    pub(crate) shape: Shape,
    pub(crate) bytes: Vec<u8>,
    pub(crate) fields: Vec<(u8, Field, u64)>,
}

/// A C structure of numbers and pointers, filled.
pub(crate) fn filled<T: Copy>() -> T {
    let mut structure = MaybeUninit::<T>::uninit();
    // SAFETY: any bytes are a structure of numbers and pointers, of which alone the tests ask.
    unsafe {
        ptr::write_bytes(structure.as_mut_ptr(), FILLING, 1);
        structure.assume_init()
    }
}

/// `CK_GCM_PARAMS` without `ulIvBits`.
#[repr(C)]
#[derive(Clone, Copy)]
struct GcmParamsOf240 {
    p_iv: *mut u8,
    iv_len: CK_ULONG,
    p_aad: *mut u8,
    aad_len: CK_ULONG,
    tag_bits: CK_ULONG,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct One {
    number: CK_ULONG,
}

macro_rules! samples {
    ($(
        $shape:ident $layout:ident { $($($name:ident).+: $written:expr),+ } = $($field:ident $value:literal)+;
    )*) => {
        /// Every sample.
        pub(crate) fn samples() -> Vec<Sample> {
            vec![$({
                let mut structure = MaybeUninit::<$layout>::uninit();
                let at = structure.as_mut_ptr();
                // SAFETY: the structure is ours, writes lie inside it, and all its bytes are initialised.
                let bytes = unsafe {
                    ptr::write_bytes(at, FILLING, 1);
                    $((&raw mut (*at).$($name).+).write($written);)+
                    slice::from_raw_parts(at.cast::<u8>(), size_of::<$layout>()).to_vec()
                };
                Sample { shape: Shape::$shape, bytes, fields: vec![$((0, Field::$field, $value)),+] }
            }),*]
        }
    };
}

samples! {
    MacGeneral One { number: 12 } = MacLen 12;
    Extract One { number: 21 } = Bit 21;
    ObjectHandle One { number: 42 } = OtherKey 42;
    Version CK_VERSION { major: 3, minor: 1 } = VersionMajor 3 VersionMinor 1;

    RsaPkcsOaep CK_RSA_PKCS_OAEP_PARAMS { hashAlg: 0x250, mgf: 2, source: 1, ulSourceDataLen: 7 }
        = Hash 0x250 Mgf 2 Source 1 SourceLen 7;
    RsaPkcsPss CK_RSA_PKCS_PSS_PARAMS { hashAlg: 0x220, mgf: 1, sLen: 20 } = Hash 0x220 Mgf 1 SaltLen 20;
    RsaAesKeyWrap CK_RSA_AES_KEY_WRAP_PARAMS {
        ulAESKeyBits: 256, pOAEPParams: ptr::null_mut()
    } = AesKeyBits 256;

    DsaParameterGen CK_DSA_PARAMETER_GEN_PARAM { hash: 0x250, ulSeedLen: 32, ulIndex: 1 }
        = Hash 0x250 SeedLen 32 Index 1;
    Eddsa CK_EDDSA_PARAMS { phFlag: 1, ulContextDataLen: 8 } = Prehash 1 ContextLen 8;
    Xeddsa CK_XEDDSA_PARAMS { hash: 0x270 } = Hash 0x270;
    SignAdditionalContext CK_SIGN_ADDITIONAL_CONTEXT {
        hedgeVariant: 2, ulContextLen: 5
    } = Hedge 2 ContextLen 5;
    HashSignAdditionalContext CK_HASH_SIGN_ADDITIONAL_CONTEXT {
        hedgeVariant: 1, ulContextLen: 6, hash: 0x220
    } = Hedge 1 ContextLen 6 Hash 0x220;
    CmsSig CK_CMS_SIG_PARAMS {
        certificateHandle: 9, pSigningMechanism: ptr::null_mut(), pDigestMechanism: ptr::null_mut(),
        ulRequestedAttributesLen: 3, ulRequiredAttributesLen: 4
    } = Certificate 9 RequestedAttributesLen 3 RequiredAttributesLen 4;

    Ecdh1Derive CK_ECDH1_DERIVE_PARAMS { kdf: 6, ulSharedDataLen: 10, ulPublicDataLen: 65 }
        = Kdf 6 SharedDataLen 10 PublicDataLen 65;
    EcmqvDerive CK_ECMQV_DERIVE_PARAMS {
        kdf: 6, ulSharedDataLen: 10, ulPublicDataLen: 65, ulPrivateDataLen: 32, hPrivateData: 4, publicKey: 5
    } = Kdf 6 SharedDataLen 10 PublicDataLen 65 PrivateDataLen 32 OtherKey 4 PublicKey 5;
    EcdhAesKeyWrap CK_ECDH_AES_KEY_WRAP_PARAMS { ulAESKeyBits: 192, kdf: 2, ulSharedDataLen: 11 }
        = AesKeyBits 192 Kdf 2 SharedDataLen 11;
    X942Dh1Derive CK_X9_42_DH1_DERIVE_PARAMS { kdf: 3, ulOtherInfoLen: 12, ulPublicDataLen: 256 }
        = Kdf 3 InfoLen 12 PublicDataLen 256;
    X942Dh2Derive CK_X9_42_DH2_DERIVE_PARAMS {
        kdf: 4, ulOtherInfoLen: 12, ulPublicDataLen: 256, ulPrivateDataLen: 20, hPrivateData: 8
    } = Kdf 4 InfoLen 12 PublicDataLen 256 PrivateDataLen 20 OtherKey 8;
    X942MqvDerive CK_X9_42_MQV_DERIVE_PARAMS {
        kdf: 4, ulOtherInfoLen: 12, ulPublicDataLen: 256, ulPrivateDataLen: 20, hPrivateData: 8, publicKey: 6
    } = Kdf 4 InfoLen 12 PublicDataLen 256 PrivateDataLen 20 OtherKey 8 PublicKey 6;
    KeaDerive CK_KEA_DERIVE_PARAMS { isSender: 1, ulRandomLen: 128, ulPublicDataLen: 127 }
        = Sender 1 RandomLen 128 PublicDataLen 127;
    X3dhInitiate CK_X3DH_INITIATE_PARAMS {
        kdf: 1, pPeer_identity: 2, pPeer_prekey: 3, pOwn_identity: 4, pOwn_ephemeral: 5
    } = Kdf 1 PeerIdentity 2 PeerPrekey 3 OwnIdentity 4 OwnEphemeral 5;
    X3dhRespond CK_X3DH_RESPOND_PARAMS { kdf: 1, pInitiator_identity: 2 } = Kdf 1 PeerIdentity 2;
    X2RatchetInitialize CK_X2RATCHET_INITIALIZE_PARAMS {
        peer_public_prekey: 1, peer_public_identity: 2, own_public_identity: 3, bEncryptedHeader: 1,
        eCurve: 255, aeadMechanism: 0x1087, kdfMechanism: 4
    } = PeerPrekey 1 PeerIdentity 2 OwnIdentity 3 EncryptedHeader 1 Curve 255 Aead 0x1087 Kdf 4;
    X2RatchetRespond CK_X2RATCHET_RESPOND_PARAMS {
        own_prekey: 1, initiator_identity: 2, own_public_identity: 3, bEncryptedHeader: 0, eCurve: 448,
        aeadMechanism: 0x1088, kdfMechanism: 4
    } = OwnPrekey 1 PeerIdentity 2 OwnIdentity 3 EncryptedHeader 0 Curve 448 Aead 0x1088 Kdf 4;

    Gcm CK_GCM_PARAMS { ulIvLen: 12, ulIvBits: 96, ulAADLen: 5, ulTagBits: 128 }
        = IvLen 12 IvBits 96 AadLen 5 TagBits 128;
    Gcm GcmParamsOf240 { iv_len: 12, aad_len: 5, tag_bits: 120 } = IvLen 12 AadLen 5 TagBits 120;
    GcmMessage CK_GCM_MESSAGE_PARAMS { ulIvLen: 12, ulIvFixedBits: 32, ivGenerator: 4, ulTagBits: 128 }
        = IvLen 12 IvFixedBits 32 IvGenerator 4 TagBits 128;
    GcmWrap CK_GCM_WRAP_PARAMS { ulIvLen: 12, ulIvFixedBits: 32, ivGenerator: 2, ulAADLen: 6, ulTagBits: 96 }
        = IvLen 12 IvFixedBits 32 IvGenerator 2 AadLen 6 TagBits 96;
    GcmWrap CK_GCM_PARAMS { ulIvLen: 13, ulIvBits: 104, ulAADLen: 7, ulTagBits: 64 }
        = IvLen 13 IvBits 104 AadLen 7 TagBits 64;
    GcmWrap GcmParamsOf240 { iv_len: 14, aad_len: 8, tag_bits: 32 } = IvLen 14 AadLen 8 TagBits 32;
    Ccm CK_CCM_PARAMS { ulDataLen: 100, ulNonceLen: 13, ulAADLen: 5, ulMACLen: 16 }
        = DataLen 100 NonceLen 13 AadLen 5 MacLen 16;
    CcmMessage CK_CCM_MESSAGE_PARAMS {
        ulDataLen: 100, ulNonceLen: 13, ulNonceFixedBits: 8, nonceGenerator: 3, ulMACLen: 16
    } = DataLen 100 NonceLen 13 IvFixedBits 8 IvGenerator 3 MacLen 16;
    CcmWrap CK_CCM_WRAP_PARAMS {
        ulDataLen: 100, ulNonceLen: 13, ulNonceFixedBits: 8, nonceGenerator: 3, ulAADLen: 5, ulMACLen: 16
    } = DataLen 100 NonceLen 13 IvFixedBits 8 IvGenerator 3 AadLen 5 MacLen 16;
    CcmWrap CK_CCM_PARAMS { ulDataLen: 101, ulNonceLen: 7, ulAADLen: 6, ulMACLen: 4 }
        = DataLen 101 NonceLen 7 AadLen 6 MacLen 4;
    Salsa20ChaCha20Poly1305 CK_SALSA20_CHACHA20_POLY1305_PARAMS {
        ulNonceLen: 12, ulAADLen: 5
    } = NonceLen 12 AadLen 5;
    Salsa20ChaCha20Poly1305Msg CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS { ulNonceLen: 24 } = NonceLen 24;

    Ctr CK_AES_CTR_PARAMS { ulCounterBits: 32 } = CounterBits 32;
    ChaCha20 CK_CHACHA20_PARAMS { blockCounterBits: 32, ulNonceBits: 96 } = BlockCounterBits 32 NonceBits 96;
    Salsa20 CK_SALSA20_PARAMS { ulNonceBits: 64 } = NonceBits 64;
    Rc2 One { number: 128 } = EffectiveBits 128;
    Rc2Cbc CK_RC2_CBC_PARAMS { ulEffectiveBits: 40 } = EffectiveBits 40;
    Rc2MacGeneral CK_RC2_MAC_GENERAL_PARAMS {
        ulEffectiveBits: 64, ulMacLength: 4
    } = EffectiveBits 64 MacLen 4;
    Rc5 CK_RC5_PARAMS { ulWordsize: 4, ulRounds: 12 } = WordSize 4 Rounds 12;
    Rc5Cbc CK_RC5_CBC_PARAMS { ulWordsize: 4, ulRounds: 12, ulIvLen: 8 } = WordSize 4 Rounds 12 IvLen 8;
    Rc5MacGeneral CK_RC5_MAC_GENERAL_PARAMS { ulWordsize: 8, ulRounds: 16, ulMacLength: 5 }
        = WordSize 8 Rounds 16 MacLen 5;
    SkipjackPrivateWrap CK_SKIPJACK_PRIVATE_WRAP_PARAMS {
        ulPasswordLen: 1, ulPublicDataLen: 2, ulPAndGLen: 3, ulQLen: 4, ulRandomLen: 5
    } = PasswordLen 1 PublicDataLen 2 Prime 3 Base 3 Subprime 4 RandomLen 5;
    SkipjackRelayx CK_SKIPJACK_RELAYX_PARAMS {
        ulOldWrappedXLen: 1, ulOldPasswordLen: 2, ulOldPublicDataLen: 3, ulOldRandomLen: 4,
        ulNewPasswordLen: 5, ulNewPublicDataLen: 6, ulNewRandomLen: 7
    } = WrappedLen 1 OldPasswordLen 2 OldPublicDataLen 3 OldRandomLen 4 PasswordLen 5 PublicDataLen 6
        RandomLen 7;
    KeyWrapSetOaep CK_KEY_WRAP_SET_OAEP_PARAMS { bBC: 3, ulXLen: 20 } = BlockContents 3 DataLen 20;
    GostR3410Derive CK_GOSTR3410_DERIVE_PARAMS { kdf: 9, ulPublicDataLen: 64, ulUKMLen: 8 }
        = Kdf 9 PublicDataLen 64 UkmLen 8;
    GostR3410KeyWrap CK_GOSTR3410_KEY_WRAP_PARAMS { ulWrapOIDLen: 9, ulUKMLen: 8, hKey: 77 }
        = WrapOid 9 UkmLen 8 OtherKey 77;

    KeyDerivationString CK_KEY_DERIVATION_STRING_DATA { ulLen: 16 } = DataLen 16;
    DesCbcEncryptData CK_DES_CBC_ENCRYPT_DATA_PARAMS { length: 8 } = DataLen 8;
    AesCbcEncryptData CK_AES_CBC_ENCRYPT_DATA_PARAMS { length: 16 } = DataLen 16;
    CamelliaCbcEncryptData CK_CAMELLIA_CBC_ENCRYPT_DATA_PARAMS { length: 32 } = DataLen 32;
    AriaCbcEncryptData CK_ARIA_CBC_ENCRYPT_DATA_PARAMS { length: 48 } = DataLen 48;
    SeedCbcEncryptData CK_SEED_CBC_ENCRYPT_DATA_PARAMS { length: 64 } = DataLen 64;
    Hkdf CK_HKDF_PARAMS {
        bExtract: 1, bExpand: 0, prfHashMechanism: 0x250, ulSaltType: 4, ulSaltLen: 32, hSaltKey: 5,
        ulInfoLen: 6
    } = Extract 1 Expand 0 PrfMechanism 0x250 SaltType 4 SaltLen 32 SaltKey 5 InfoLen 6;
    Sp800108Kdf CK_SP800_108_KDF_PARAMS {
        prfType: 0x251, ulNumberOfDataParams: 3, ulAdditionalDerivedKeys: 2
    } = PrfMechanism 0x251 DataParameters 3 AdditionalKeys 2;
    Sp800108FeedbackKdf CK_SP800_108_FEEDBACK_KDF_PARAMS {
        prfType: 0x251, ulNumberOfDataParams: 3, ulIVLen: 32, ulAdditionalDerivedKeys: 2
    } = PrfMechanism 0x251 DataParameters 3 IvLen 32 AdditionalKeys 2;
    Pbe CK_PBE_PARAMS {
        ulPasswordLen: 9, ulSaltLen: 8, ulIteration: 1000
    } = PasswordLen 9 SaltLen 8 Iterations 1000;
    Pkcs5Pbkd2 CK_PKCS5_PBKD2_PARAMS2 {
        saltSource: 1, ulSaltSourceDataLen: 16, iterations: 600000, prf: 4, ulPasswordLen: 11
    } = Source 1 SaltLen 16 Iterations 600000 Prf 4 PasswordLen 11;
    Kip CK_KIP_PARAMS { pMechanism: ptr::null_mut(), hKey: 6, ulSeedLen: 16 } = OtherKey 6 SeedLen 16;
    Otp CK_OTP_PARAMS { ulCount: 3 } = Parameters 3;

    Ssl3MasterKeyDerive CK_SSL3_MASTER_KEY_DERIVE_PARAMS {
        RandomInfo.ulClientRandomLen: 32, RandomInfo.ulServerRandomLen: 28
    } = ClientRandomLen 32 ServerRandomLen 28;
    Ssl3KeyMat CK_SSL3_KEY_MAT_PARAMS {
        ulMacSizeInBits: 160, ulKeySizeInBits: 128, ulIVSizeInBits: 64, bIsExport: 1,
        RandomInfo.ulClientRandomLen: 32, RandomInfo.ulServerRandomLen: 28
    } = MacBits 160 KeyBits 128 IvBits 64 Export 1 ClientRandomLen 32 ServerRandomLen 28;
    TlsPrf CK_TLS_PRF_PARAMS { ulSeedLen: 64, ulLabelLen: 13 } = SeedLen 64 LabelLen 13;
    TlsMac CK_TLS_MAC_PARAMS { prfHashMechanism: 0x250, ulMacLength: 12, ulServerOrClient: 2 }
        = PrfMechanism 0x250 MacLen 12 ServerOrClient 2;
    TlsKdf CK_TLS_KDF_PARAMS {
        prfMechanism: 0x260, ulLabelLength: 13, RandomInfo.ulClientRandomLen: 32,
        RandomInfo.ulServerRandomLen: 28, ulContextDataLength: 3
    } = PrfMechanism 0x260 LabelLen 13 ClientRandomLen 32 ServerRandomLen 28 ContextLen 3;
    Tls12MasterKeyDerive CK_TLS12_MASTER_KEY_DERIVE_PARAMS {
        RandomInfo.ulClientRandomLen: 32, RandomInfo.ulServerRandomLen: 28, prfHashMechanism: 0x250
    } = ClientRandomLen 32 ServerRandomLen 28 PrfMechanism 0x250;
    Tls12ExtendedMasterKeyDerive CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS {
        prfHashMechanism: 0x250, ulSessionHashLen: 32
    } = PrfMechanism 0x250 SessionHashLen 32;
    Tls12KeyMat CK_TLS12_KEY_MAT_PARAMS {
        ulMacSizeInBits: 160, ulKeySizeInBits: 128, ulIVSizeInBits: 64, bIsExport: 0,
        RandomInfo.ulClientRandomLen: 32, RandomInfo.ulServerRandomLen: 28, prfHashMechanism: 0x250
    } = MacBits 160 KeyBits 128 IvBits 64 Export 0 ClientRandomLen 32 ServerRandomLen 28 PrfMechanism 0x250;
    WtlsMasterKeyDerive CK_WTLS_MASTER_KEY_DERIVE_PARAMS {
        DigestMechanism: 0x220, RandomInfo.ulClientRandomLen: 32, RandomInfo.ulServerRandomLen: 28
    } = DigestMechanism 0x220 ClientRandomLen 32 ServerRandomLen 28;
    WtlsKeyMat CK_WTLS_KEY_MAT_PARAMS {
        DigestMechanism: 0x220, ulMacSizeInBits: 160, ulKeySizeInBits: 128, ulIVSizeInBits: 64,
        ulSequenceNumber: 9, bIsExport: 1, RandomInfo.ulClientRandomLen: 32, RandomInfo.ulServerRandomLen: 28
    } = DigestMechanism 0x220 MacBits 160 KeyBits 128 IvBits 64 SequenceNumber 9 Export 1
        ClientRandomLen 32 ServerRandomLen 28;
    WtlsPrf CK_WTLS_PRF_PARAMS { DigestMechanism: 0x210, ulSeedLen: 64, ulLabelLen: 13 }
        = DigestMechanism 0x210 SeedLen 64 LabelLen 13;
    IkePrfDerive CK_IKE_PRF_DERIVE_PARAMS {
        prfMechanism: 0x251, bDataAsKey: 1, bRekey: 0, ulNiLen: 32, ulNrLen: 24, hNewKey: 8
    } = PrfMechanism 0x251 DataAsKey 1 RekeyOrDh 0 InitiatorLen 32 ResponderLen 24 OtherKey 8;
    Ike1PrfDerive CK_IKE1_PRF_DERIVE_PARAMS {
        prfMechanism: 0x251, bHasPrevKey: 1, hKeygxy: 2, hPrevKey: 3, ulCKYiLen: 8, ulCKYrLen: 9, keyNumber: 2
    } = PrfMechanism 0x251 HasPreviousKey 1 OtherKey 2 PreviousKey 3 InitiatorLen 8 ResponderLen 9
        KeyNumber 2;
    Ike1ExtendedDerive CK_IKE1_EXTENDED_DERIVE_PARAMS {
        prfMechanism: 0x251, bHasKeygxy: 1, hKeygxy: 2, ulExtraDataLen: 33
    } = PrfMechanism 0x251 RekeyOrDh 1 OtherKey 2 DataLen 33;
    Ike2PrfPlusDerive CK_IKE2_PRF_PLUS_DERIVE_PARAMS {
        prfMechanism: 0x251, bHasSeedKey: 1, hSeedKey: 2, ulSeedDataLen: 34
    } = PrfMechanism 0x251 HasSeedKey 1 OtherKey 2 SeedLen 34;
}
