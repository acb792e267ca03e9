// SPDX-License-Identifier: Apache-2.0
//! The one table of parameter structures: for each shape its C structure and the fields that are recorded of
//! it. What a structure only points to, and what the module writes back into it (versions, key handles,
//! lengths of output), has no line: before the call it says nothing, and may never have been written.

use super::{Parameters, Word, nested};
use cryptoki_sys::*;
use event::mechanism::Shape;
use event::parameter::{Field, Kind};
use std::ffi::c_void;

/// A parameter that is one number by itself.
#[repr(C)]
struct One {
    number: CK_ULONG,
}

/// `CK_GCM_PARAMS` as the text of version 2.40 has it; the header of the same version added `ulIvBits`.
#[repr(C)]
struct GcmParamsOf240 {
    p_iv: *mut CK_BYTE,
    iv_len: CK_ULONG,
    p_aad: *mut CK_BYTE,
    aad_len: CK_ULONG,
    tag_bits: CK_ULONG,
}

/// Below this no address is mapped (`vm.mmap_min_addr`), and no password is this long.
/// `CK_PKCS5_PBKD2_PARAMS` and `CK_PKCS5_PBKD2_PARAMS2` are equal in size: one has the address of the
/// password's length, the other the length.
const LOWEST_ADDRESS: u64 = 0x1_0000;

/// One entry: the shape, its structures (the shorter ones of earlier versions after `|`), and after `else` the
/// shape, shorter as well, that callers of earlier versions pass in its place. What is longer than the first is
/// read as the first: some modules take a structure with more behind it. In a structure, for each recorded field:
///
/// - `Field: name` — the number there
/// - `Field ? name` — the number there if it is a length and not an address
/// - `Field -> name` — the mechanism that the pointer there leads to, and its own parameter
/// - `Shape => name` — the fields of the structure that the pointer there leads to
macro_rules! structures {
    ($(
        $shape:ident: $($layout:ident { $($field:ident $how:tt $($name:ident).+),+ })|+ $(else $other:ident)?;
    )*) => {
        /// Puts the fields of the structure at `at` into `out`, as far as it is as long as one that `shape` can
        /// be; false where `length` is of none.
        ///
        /// # Safety
        /// `at` is readable for `length` bytes, aligned or not; the structures that it points to are as
        /// PKCS#11 demands.
        pub(super) unsafe fn read(
            shape: Shape,
            at: *const c_void,
            length: usize,
            depth: u8,
            out: &mut Parameters,
        ) -> bool {
            match shape {
                Shape::None => length == 0,
                Shape::Iv => {
                    out.put(depth, Field::IvLen, length as u64);
                    true
                }
                Shape::Bytes => {
                    out.put(depth, Field::Length, length as u64);
                    true
                }
                $(Shape::$shape => {
                    $(if length >= size_of::<$layout>() {
                        // SAFETY: our caller promises `length` bytes; any bytes are such a structure.
                        let whole = unsafe { at.cast::<$layout>().read_unaligned() };
                        $(structures!(@ $field $how whole $(.$name)+, depth, out);)+
                        return length == size_of::<$layout>();
                    })+
                    // SAFETY: our caller's promise is the one that is asked for.
                    false $(|| unsafe { read(Shape::$other, at, length, depth, out) })?
                })*
            }
        }

        /// Whether an object handle stands in the structure.
        pub(super) fn holds_handles(shape: Shape) -> bool {
            match shape {
                Shape::None | Shape::Iv | Shape::Bytes => false,
                $(Shape::$shape => false $($(|| structures!(? $field $how))+)+,)*
            }
        }
    };
    (? $field:ident =>) => { false };
    (? $field:ident $how:tt) => { matches!(Field::$field.kind(), Kind::Handle) };
    (@ $field:ident : $whole:ident $(.$value:ident)+, $depth:ident, $out:ident) => {
        $out.put($depth, Field::$field, $whole$(.$value)+.word())
    };
    (@ $field:ident ? $whole:ident .$value:ident, $depth:ident, $out:ident) => {
        if $whole.$value.word() < LOWEST_ADDRESS {
            structures!(@ $field : $whole.$value, $depth, $out);
        }
    };
    (@ $field:ident -> $whole:ident .$value:ident, $depth:ident, $out:ident) => {
        // SAFETY: PKCS#11 has the application point here to a mechanism.
        unsafe { nested(Field::$field, $whole.$value, $depth, $out) }
    };
    (@ $shape:ident => $whole:ident .$value:ident, $depth:ident, $out:ident) => {
        // SAFETY: PKCS#11 has the application point here to such a structure.
        unsafe { pointed(Shape::$shape, $whole.$value, $depth, $out) }
    };
}

structures! {
    // One number or handle.
    MacGeneral: One { MacLen: number };
    Extract: One { Bit: number };
    ObjectHandle: One { OtherKey: number };
    Version: CK_VERSION { VersionMajor: major, VersionMinor: minor };

    // RSA.
    RsaPkcsOaep: CK_RSA_PKCS_OAEP_PARAMS {
        Hash: hashAlg, Mgf: mgf, Source: source, SourceLen: ulSourceDataLen
    };
    RsaPkcsPss: CK_RSA_PKCS_PSS_PARAMS { Hash: hashAlg, Mgf: mgf, SaltLen: sLen };
    RsaAesKeyWrap: CK_RSA_AES_KEY_WRAP_PARAMS { AesKeyBits: ulAESKeyBits, RsaPkcsOaep => pOAEPParams };

    // Signatures of the other kinds.
    DsaParameterGen: CK_DSA_PARAMETER_GEN_PARAM { Hash: hash, SeedLen: ulSeedLen, Index: ulIndex };
    Eddsa: CK_EDDSA_PARAMS { Prehash: phFlag, ContextLen: ulContextDataLen };
    Xeddsa: CK_XEDDSA_PARAMS { Hash: hash };
    SignAdditionalContext: CK_SIGN_ADDITIONAL_CONTEXT { Hedge: hedgeVariant, ContextLen: ulContextLen };
    HashSignAdditionalContext: CK_HASH_SIGN_ADDITIONAL_CONTEXT {
        Hedge: hedgeVariant, ContextLen: ulContextLen, Hash: hash
    };
    CmsSig: CK_CMS_SIG_PARAMS {
        Certificate: certificateHandle, SigningMechanism -> pSigningMechanism,
        DigestMechanism -> pDigestMechanism, RequestedAttributesLen: ulRequestedAttributesLen,
        RequiredAttributesLen: ulRequiredAttributesLen
    };

    // Key agreement.
    Ecdh1Derive: CK_ECDH1_DERIVE_PARAMS {
        Kdf: kdf, SharedDataLen: ulSharedDataLen, PublicDataLen: ulPublicDataLen
    };
    EcmqvDerive: CK_ECMQV_DERIVE_PARAMS {
        Kdf: kdf, SharedDataLen: ulSharedDataLen, PublicDataLen: ulPublicDataLen,
        PrivateDataLen: ulPrivateDataLen, OtherKey: hPrivateData, PublicKey: publicKey
    };
    EcdhAesKeyWrap: CK_ECDH_AES_KEY_WRAP_PARAMS {
        AesKeyBits: ulAESKeyBits, Kdf: kdf, SharedDataLen: ulSharedDataLen
    };
    X942Dh1Derive: CK_X9_42_DH1_DERIVE_PARAMS {
        Kdf: kdf, InfoLen: ulOtherInfoLen, PublicDataLen: ulPublicDataLen
    };
    X942Dh2Derive: CK_X9_42_DH2_DERIVE_PARAMS {
        Kdf: kdf, InfoLen: ulOtherInfoLen, PublicDataLen: ulPublicDataLen, PrivateDataLen: ulPrivateDataLen,
        OtherKey: hPrivateData
    };
    X942MqvDerive: CK_X9_42_MQV_DERIVE_PARAMS {
        Kdf: kdf, InfoLen: ulOtherInfoLen, PublicDataLen: ulPublicDataLen, PrivateDataLen: ulPrivateDataLen,
        OtherKey: hPrivateData, PublicKey: publicKey
    };
    KeaDerive: CK_KEA_DERIVE_PARAMS {
        Sender: isSender, RandomLen: ulRandomLen, PublicDataLen: ulPublicDataLen
    };
    X3dhInitiate: CK_X3DH_INITIATE_PARAMS {
        Kdf: kdf, PeerIdentity: pPeer_identity, PeerPrekey: pPeer_prekey, OwnIdentity: pOwn_identity,
        OwnEphemeral: pOwn_ephemeral
    };
    X3dhRespond: CK_X3DH_RESPOND_PARAMS { Kdf: kdf, PeerIdentity: pInitiator_identity };
    X2RatchetInitialize: CK_X2RATCHET_INITIALIZE_PARAMS {
        PeerPrekey: peer_public_prekey, PeerIdentity: peer_public_identity, OwnIdentity: own_public_identity,
        EncryptedHeader: bEncryptedHeader, Curve: eCurve, Aead: aeadMechanism, Kdf: kdfMechanism
    };
    X2RatchetRespond: CK_X2RATCHET_RESPOND_PARAMS {
        OwnPrekey: own_prekey, PeerIdentity: initiator_identity, OwnIdentity: own_public_identity,
        EncryptedHeader: bEncryptedHeader, Curve: eCurve, Aead: aeadMechanism, Kdf: kdfMechanism
    };

    // Authenticated encryption; the message and wrapping forms of the same mechanisms.
    Gcm: CK_GCM_PARAMS { IvLen: ulIvLen, IvBits: ulIvBits, AadLen: ulAADLen, TagBits: ulTagBits }
        | GcmParamsOf240 { IvLen: iv_len, AadLen: aad_len, TagBits: tag_bits };
    GcmMessage: CK_GCM_MESSAGE_PARAMS {
        IvLen: ulIvLen, IvFixedBits: ulIvFixedBits, IvGenerator: ivGenerator, TagBits: ulTagBits
    };
    GcmWrap: CK_GCM_WRAP_PARAMS {
        IvLen: ulIvLen, IvFixedBits: ulIvFixedBits, IvGenerator: ivGenerator, AadLen: ulAADLen,
        TagBits: ulTagBits
    } else Gcm;
    Ccm: CK_CCM_PARAMS { DataLen: ulDataLen, NonceLen: ulNonceLen, AadLen: ulAADLen, MacLen: ulMACLen };
    CcmMessage: CK_CCM_MESSAGE_PARAMS {
        DataLen: ulDataLen, NonceLen: ulNonceLen, IvFixedBits: ulNonceFixedBits, IvGenerator: nonceGenerator,
        MacLen: ulMACLen
    };
    CcmWrap: CK_CCM_WRAP_PARAMS {
        DataLen: ulDataLen, NonceLen: ulNonceLen, IvFixedBits: ulNonceFixedBits, IvGenerator: nonceGenerator,
        AadLen: ulAADLen, MacLen: ulMACLen
    } else Ccm;
    Salsa20ChaCha20Poly1305: CK_SALSA20_CHACHA20_POLY1305_PARAMS { NonceLen: ulNonceLen, AadLen: ulAADLen };
    Salsa20ChaCha20Poly1305Msg: CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS { NonceLen: ulNonceLen };

    // Ciphers.
    Ctr: CK_AES_CTR_PARAMS { CounterBits: ulCounterBits };
    ChaCha20: CK_CHACHA20_PARAMS { BlockCounterBits: blockCounterBits, NonceBits: ulNonceBits };
    Salsa20: CK_SALSA20_PARAMS { NonceBits: ulNonceBits };
    Rc2: One { EffectiveBits: number };
    Rc2Cbc: CK_RC2_CBC_PARAMS { EffectiveBits: ulEffectiveBits };
    Rc2MacGeneral: CK_RC2_MAC_GENERAL_PARAMS { EffectiveBits: ulEffectiveBits, MacLen: ulMacLength };
    Rc5: CK_RC5_PARAMS { WordSize: ulWordsize, Rounds: ulRounds };
    Rc5Cbc: CK_RC5_CBC_PARAMS { WordSize: ulWordsize, Rounds: ulRounds, IvLen: ulIvLen };
    Rc5MacGeneral: CK_RC5_MAC_GENERAL_PARAMS { WordSize: ulWordsize, Rounds: ulRounds, MacLen: ulMacLength };
    SkipjackPrivateWrap: CK_SKIPJACK_PRIVATE_WRAP_PARAMS {
        PasswordLen: ulPasswordLen, PublicDataLen: ulPublicDataLen, Prime: ulPAndGLen, Base: ulPAndGLen,
        Subprime: ulQLen, RandomLen: ulRandomLen
    };
    SkipjackRelayx: CK_SKIPJACK_RELAYX_PARAMS {
        WrappedLen: ulOldWrappedXLen, OldPasswordLen: ulOldPasswordLen, OldPublicDataLen: ulOldPublicDataLen,
        OldRandomLen: ulOldRandomLen, PasswordLen: ulNewPasswordLen, PublicDataLen: ulNewPublicDataLen,
        RandomLen: ulNewRandomLen
    };
    KeyWrapSetOaep: CK_KEY_WRAP_SET_OAEP_PARAMS { BlockContents: bBC, DataLen: ulXLen };
    GostR3410Derive: CK_GOSTR3410_DERIVE_PARAMS {
        Kdf: kdf, PublicDataLen: ulPublicDataLen, UkmLen: ulUKMLen
    };
    GostR3410KeyWrap: CK_GOSTR3410_KEY_WRAP_PARAMS {
        WrapOid: ulWrapOIDLen, UkmLen: ulUKMLen, OtherKey: hKey
    };

    // Key derivation.
    KeyDerivationString: CK_KEY_DERIVATION_STRING_DATA { DataLen: ulLen };
    DesCbcEncryptData: CK_DES_CBC_ENCRYPT_DATA_PARAMS { DataLen: length };
    AesCbcEncryptData: CK_AES_CBC_ENCRYPT_DATA_PARAMS { DataLen: length };
    CamelliaCbcEncryptData: CK_CAMELLIA_CBC_ENCRYPT_DATA_PARAMS { DataLen: length };
    AriaCbcEncryptData: CK_ARIA_CBC_ENCRYPT_DATA_PARAMS { DataLen: length };
    SeedCbcEncryptData: CK_SEED_CBC_ENCRYPT_DATA_PARAMS { DataLen: length };
    Hkdf: CK_HKDF_PARAMS {
        Extract: bExtract, Expand: bExpand, PrfMechanism: prfHashMechanism, SaltType: ulSaltType,
        SaltLen: ulSaltLen, SaltKey: hSaltKey, InfoLen: ulInfoLen
    };
    Sp800108Kdf: CK_SP800_108_KDF_PARAMS {
        PrfMechanism: prfType, DataParameters: ulNumberOfDataParams, AdditionalKeys: ulAdditionalDerivedKeys
    };
    Sp800108FeedbackKdf: CK_SP800_108_FEEDBACK_KDF_PARAMS {
        PrfMechanism: prfType, DataParameters: ulNumberOfDataParams, IvLen: ulIVLen,
        AdditionalKeys: ulAdditionalDerivedKeys
    };
    Pbe: CK_PBE_PARAMS { PasswordLen: ulPasswordLen, SaltLen: ulSaltLen, Iterations: ulIteration };
    Pkcs5Pbkd2: CK_PKCS5_PBKD2_PARAMS2 {
        Source: saltSource, SaltLen: ulSaltSourceDataLen, Iterations: iterations, Prf: prf,
        PasswordLen ? ulPasswordLen
    };
    Kip: CK_KIP_PARAMS { Mechanism -> pMechanism, OtherKey: hKey, SeedLen: ulSeedLen };
    Otp: CK_OTP_PARAMS { Parameters: ulCount };

    // Protocols.
    Ssl3MasterKeyDerive: CK_SSL3_MASTER_KEY_DERIVE_PARAMS {
        ClientRandomLen: RandomInfo.ulClientRandomLen, ServerRandomLen: RandomInfo.ulServerRandomLen
    };
    Ssl3KeyMat: CK_SSL3_KEY_MAT_PARAMS {
        MacBits: ulMacSizeInBits, KeyBits: ulKeySizeInBits, IvBits: ulIVSizeInBits, Export: bIsExport,
        ClientRandomLen: RandomInfo.ulClientRandomLen, ServerRandomLen: RandomInfo.ulServerRandomLen
    };
    TlsPrf: CK_TLS_PRF_PARAMS { SeedLen: ulSeedLen, LabelLen: ulLabelLen };
    TlsMac: CK_TLS_MAC_PARAMS {
        PrfMechanism: prfHashMechanism, MacLen: ulMacLength, ServerOrClient: ulServerOrClient
    };
    TlsKdf: CK_TLS_KDF_PARAMS {
        PrfMechanism: prfMechanism, LabelLen: ulLabelLength, ClientRandomLen: RandomInfo.ulClientRandomLen,
        ServerRandomLen: RandomInfo.ulServerRandomLen, ContextLen: ulContextDataLength
    };
    Tls12MasterKeyDerive: CK_TLS12_MASTER_KEY_DERIVE_PARAMS {
        ClientRandomLen: RandomInfo.ulClientRandomLen, ServerRandomLen: RandomInfo.ulServerRandomLen,
        PrfMechanism: prfHashMechanism
    };
    Tls12ExtendedMasterKeyDerive: CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS {
        PrfMechanism: prfHashMechanism, SessionHashLen: ulSessionHashLen
    };
    Tls12KeyMat: CK_TLS12_KEY_MAT_PARAMS {
        MacBits: ulMacSizeInBits, KeyBits: ulKeySizeInBits, IvBits: ulIVSizeInBits, Export: bIsExport,
        ClientRandomLen: RandomInfo.ulClientRandomLen, ServerRandomLen: RandomInfo.ulServerRandomLen,
        PrfMechanism: prfHashMechanism
    };
    WtlsMasterKeyDerive: CK_WTLS_MASTER_KEY_DERIVE_PARAMS {
        DigestMechanism: DigestMechanism, ClientRandomLen: RandomInfo.ulClientRandomLen,
        ServerRandomLen: RandomInfo.ulServerRandomLen
    };
    WtlsKeyMat: CK_WTLS_KEY_MAT_PARAMS {
        DigestMechanism: DigestMechanism, MacBits: ulMacSizeInBits, KeyBits: ulKeySizeInBits,
        IvBits: ulIVSizeInBits, SequenceNumber: ulSequenceNumber, Export: bIsExport,
        ClientRandomLen: RandomInfo.ulClientRandomLen, ServerRandomLen: RandomInfo.ulServerRandomLen
    };
    WtlsPrf: CK_WTLS_PRF_PARAMS {
        DigestMechanism: DigestMechanism, SeedLen: ulSeedLen, LabelLen: ulLabelLen
    };
    IkePrfDerive: CK_IKE_PRF_DERIVE_PARAMS {
        PrfMechanism: prfMechanism, DataAsKey: bDataAsKey, RekeyOrDh: bRekey, InitiatorLen: ulNiLen,
        ResponderLen: ulNrLen, OtherKey: hNewKey
    };
    Ike1PrfDerive: CK_IKE1_PRF_DERIVE_PARAMS {
        PrfMechanism: prfMechanism, HasPreviousKey: bHasPrevKey, OtherKey: hKeygxy, PreviousKey: hPrevKey,
        InitiatorLen: ulCKYiLen, ResponderLen: ulCKYrLen, KeyNumber: keyNumber
    };
    Ike1ExtendedDerive: CK_IKE1_EXTENDED_DERIVE_PARAMS {
        PrfMechanism: prfMechanism, RekeyOrDh: bHasKeygxy, OtherKey: hKeygxy, DataLen: ulExtraDataLen
    };
    Ike2PrfPlusDerive: CK_IKE2_PRF_PLUS_DERIVE_PARAMS {
        PrfMechanism: prfMechanism, HasSeedKey: bHasSeedKey, OtherKey: hSeedKey, SeedLen: ulSeedDataLen
    };
}

/// The fields of a structure that another one at `depth` points to, beside those of the other.
///
/// # Safety
/// `at` is NULL, or a readable structure, aligned or not.
unsafe fn pointed<T>(shape: Shape, at: *const T, depth: u8, out: &mut Parameters) {
    if !at.is_null() {
        // SAFETY: `at` is not NULL here, so our caller's promise makes the whole structure readable.
        unsafe { read(shape, at.cast(), size_of::<T>(), depth, out) };
    }
}
