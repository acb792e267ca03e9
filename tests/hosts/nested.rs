// SPDX-License-Identifier: Apache-2.0
//! Mechanisms inside the parameter of others: one line for each field of each structure that names an algorithm. The
//! shim has its own list of these fields; a test holds the two together.

use std::any::Any;

use cryptoki_sys::*;
use event::Function;
use event::mechanism::{self, Mechanism, Operation, Shape};
use event::parameter::Field;

use crate::cross::{measured, numbers};
use crate::frame::{Frame, invoke, offers};
use crate::lifecycle::opened;
use crate::module::{Module, WAYS, judged};

/// A field of a parameter structure that names an algorithm.
struct Position {
    shape: Shape,
    field: Field,
    made: fn(u64) -> Parameter,
}

/// A structure, with what it points to.
struct Parameter {
    at: CK_VOID_PTR,
    length: CK_ULONG,
    kept: Vec<Box<dyn Any>>,
}

impl Parameter {
    /// `whole`, which may point into `kept`, with a word behind it for [`longer`].
    fn new<T: 'static>(whole: T, mut kept: Vec<Box<dyn Any>>) -> Parameter {
        #[repr(C)]
        struct Tailed<T>(T, u64);
        let mut whole = Box::new(Tailed(whole, 0));
        let at = (&raw mut *whole).cast();
        kept.push(whole);
        Parameter { at, length: size_of::<T>() as CK_ULONG, kept }
    }

    /// A mechanism with this parameter, and where it lies.
    fn of_mechanism(self, mechanism: CK_MECHANISM_TYPE) -> (*mut CK_MECHANISM, Vec<Box<dyn Any>>) {
        let whole = CK_MECHANISM { mechanism, pParameter: self.at, ulParameterLen: self.length };
        let inner = Parameter::new(whole, self.kept);
        (inner.at.cast(), inner.kept)
    }
}

const NO_PARAMETER: fn() -> Parameter =
    || Parameter { at: std::ptr::null_mut(), length: 0, kept: Vec::new() };

macro_rules! positions {
    ($($shape:ident $field:ident: $layout:ident { $name:ident $($how:tt)? $($inner:ident { $deep:ident })? };)*) => {
        &[$(Position {
            shape: Shape::$shape,
            field: Field::$field,
            made: |number| positions!(@ $layout $name number $($how)? $($inner $deep)?),
        }),*]
    };
    (@ $layout:ident $name:ident $number:ident) => {
        Parameter::new($layout { $name: $number, ..Default::default() }, Vec::new())
    };
    (@ $layout:ident $name:ident $number:ident *) => {{
        let (at, kept) = NO_PARAMETER().of_mechanism($number);
        Parameter::new($layout { $name: at, ..Default::default() }, kept)
    }};
    (@ $layout:ident $name:ident $number:ident & $inner:ident $deep:ident) => {{
        let inner = Parameter::new($inner { $deep: $number, ..Default::default() }, Vec::new());
        Parameter::new($layout { $name: inner.at.cast(), ..Default::default() }, inner.kept)
    }};
}

/// `Shape Field: STRUCTURE { member }` for a number there, `{ member * }` for a pointer to a mechanism, and
/// `{ member & STRUCTURE { member } }` for a pointer to a structure with the number.
// CK_XEDDSA_PARAMS has no other member.
#[allow(clippy::needless_update)]
const MECHANISMS: &[Position] = positions! {
    RsaPkcsOaep Hash: CK_RSA_PKCS_OAEP_PARAMS { hashAlg };
    RsaPkcsPss Hash: CK_RSA_PKCS_PSS_PARAMS { hashAlg };
    RsaAesKeyWrap Hash: CK_RSA_AES_KEY_WRAP_PARAMS { pOAEPParams & CK_RSA_PKCS_OAEP_PARAMS { hashAlg } };
    DsaParameterGen Hash: CK_DSA_PARAMETER_GEN_PARAM { hash };
    Xeddsa Hash: CK_XEDDSA_PARAMS { hash };
    HashSignAdditionalContext Hash: CK_HASH_SIGN_ADDITIONAL_CONTEXT { hash };
    CmsSig SigningMechanism: CK_CMS_SIG_PARAMS { pSigningMechanism * };
    CmsSig DigestMechanism: CK_CMS_SIG_PARAMS { pDigestMechanism * };
    X2RatchetInitialize Aead: CK_X2RATCHET_INITIALIZE_PARAMS { aeadMechanism };
    X2RatchetRespond Aead: CK_X2RATCHET_RESPOND_PARAMS { aeadMechanism };
    Hkdf PrfMechanism: CK_HKDF_PARAMS { prfHashMechanism };
    Sp800108Kdf PrfMechanism: CK_SP800_108_KDF_PARAMS { prfType };
    Sp800108FeedbackKdf PrfMechanism: CK_SP800_108_FEEDBACK_KDF_PARAMS { prfType };
    Kip Mechanism: CK_KIP_PARAMS { pMechanism * };
    TlsMac PrfMechanism: CK_TLS_MAC_PARAMS { prfHashMechanism };
    TlsKdf PrfMechanism: CK_TLS_KDF_PARAMS { prfMechanism };
    Tls12MasterKeyDerive PrfMechanism: CK_TLS12_MASTER_KEY_DERIVE_PARAMS { prfHashMechanism };
    Tls12ExtendedMasterKeyDerive PrfMechanism: CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS { prfHashMechanism };
    Tls12KeyMat PrfMechanism: CK_TLS12_KEY_MAT_PARAMS { prfHashMechanism };
    WtlsMasterKeyDerive DigestMechanism: CK_WTLS_MASTER_KEY_DERIVE_PARAMS { DigestMechanism };
    WtlsKeyMat DigestMechanism: CK_WTLS_KEY_MAT_PARAMS { DigestMechanism };
    WtlsPrf DigestMechanism: CK_WTLS_PRF_PARAMS { DigestMechanism };
    IkePrfDerive PrfMechanism: CK_IKE_PRF_DERIVE_PARAMS { prfMechanism };
    Ike1PrfDerive PrfMechanism: CK_IKE1_PRF_DERIVE_PARAMS { prfMechanism };
    Ike1ExtendedDerive PrfMechanism: CK_IKE1_EXTENDED_DERIVE_PARAMS { prfMechanism };
    Ike2PrfPlusDerive PrfMechanism: CK_IKE2_PRF_PLUS_DERIVE_PARAMS { prfMechanism };
};

/// The same of fields that name a function by a number of its own kind: mask generation, key derivation, PBKDF2.
const WORDS: &[Position] = positions! {
    RsaPkcsOaep Mgf: CK_RSA_PKCS_OAEP_PARAMS { mgf };
    RsaPkcsPss Mgf: CK_RSA_PKCS_PSS_PARAMS { mgf };
    RsaAesKeyWrap Mgf: CK_RSA_AES_KEY_WRAP_PARAMS { pOAEPParams & CK_RSA_PKCS_OAEP_PARAMS { mgf } };
    Ecdh1Derive Kdf: CK_ECDH1_DERIVE_PARAMS { kdf };
    EcmqvDerive Kdf: CK_ECMQV_DERIVE_PARAMS { kdf };
    EcdhAesKeyWrap Kdf: CK_ECDH_AES_KEY_WRAP_PARAMS { kdf };
    X942Dh1Derive Kdf: CK_X9_42_DH1_DERIVE_PARAMS { kdf };
    X942Dh2Derive Kdf: CK_X9_42_DH2_DERIVE_PARAMS { kdf };
    X942MqvDerive Kdf: CK_X9_42_MQV_DERIVE_PARAMS { kdf };
    X3dhInitiate Kdf: CK_X3DH_INITIATE_PARAMS { kdf };
    X3dhRespond Kdf: CK_X3DH_RESPOND_PARAMS { kdf };
    X2RatchetInitialize Kdf: CK_X2RATCHET_INITIALIZE_PARAMS { kdfMechanism };
    X2RatchetRespond Kdf: CK_X2RATCHET_RESPOND_PARAMS { kdfMechanism };
    GostR3410Derive Kdf: CK_GOSTR3410_DERIVE_PARAMS { kdf };
    Pkcs5Pbkd2 Prf: CK_PKCS5_PBKD2_PARAMS2 { prf };
};

type Wrap = fn(Outer) -> Outer;
/// A mechanism that is handed over, or put into another one.
type Outer = (CK_MECHANISM_TYPE, Parameter);

/// What becomes of a mechanism before it is handed over, where the shim can follow: it reads two levels.
const DEPTHS: [(&str, Wrap); 5] = [
    ("kip", in_kip),
    ("cms", in_cms),
    ("kip/kip", |inner| in_kip(in_kip(inner))),
    ("kip/cms", |inner| in_kip(in_cms(inner))),
    ("longer", longer),
];

/// The same where it cannot: one level more, and a structure inside another that is not as long as it must be.
const UNREAD: [(&str, Wrap); 3] = [
    ("kip/kip/kip", |inner| in_kip(in_kip(in_kip(inner)))),
    ("kip/longer", |inner| in_kip(longer(inner))),
    ("cms/shorter", |(number, parameter)| in_cms((number, Parameter { length: 1, ..parameter }))),
];

fn in_kip((number, parameter): Outer) -> Outer {
    let (at, kept) = parameter.of_mechanism(number);
    (CKM_KIP_DERIVE, Parameter::new(CK_KIP_PARAMS { pMechanism: at, ..Default::default() }, kept))
}

fn in_cms((number, parameter): Outer) -> Outer {
    let (at, kept) = parameter.of_mechanism(number);
    (CKM_CMS_SIG, Parameter::new(CK_CMS_SIG_PARAMS { pSigningMechanism: at, ..Default::default() }, kept))
}

/// With a structure that claims more room than it has fields: some modules only ask whether it has enough.
fn longer((number, parameter): Outer) -> Outer {
    (number, Parameter { length: parameter.length + size_of::<u64>() as CK_ULONG, ..parameter })
}

/// `MODULE EXTENT NUMBER…`: each of these numbers in each field that names a mechanism. With the extent `fields` in one
/// mechanism for each structure, by one function; `depths` and `unread` do to these what the lists above say; `calls`
/// takes every mechanism that has the structure, every function and every way in. One line per call:
/// `WAY FUNCTION MECHANISM WRAPPING SHAPE FIELD NUMBER RV:CALLS:LAST`.
pub(crate) fn nested(arguments: &[String]) {
    with(MECHANISMS, arguments);
}

/// The same with the fields that name another function.
pub(crate) fn words(arguments: &[String]) {
    with(WORDS, arguments);
}

fn with(positions: &[Position], arguments: &[String]) {
    let module = Module::load(&arguments[0]);
    let (extent, numbers) = (arguments[1].as_str(), numbers(&arguments[2..]));
    let wrappings = match extent {
        "depths" => &DEPTHS[..],
        "unread" => &UNREAD[..],
        _ => &[("-", (|outer| outer) as Wrap)][..],
    };
    for way in if extent == "calls" { &WAYS[..] } else { &WAYS[3..] } {
        let Some(table) = module.table(way) else { continue };
        let session = opened(&table);
        for position in positions {
            let outer = mechanism::ALL.iter().filter(|known| known.parameter == position.shape);
            for outer in outer.take(if extent == "calls" { usize::MAX } else { 1 }) {
                let fits = |function: &Function| extent == "calls" || *function == first(outer);
                for function in judged().filter(|function| offers(&table, *function) && fits(function)) {
                    for (wrapping, wrap) in wrappings {
                        for number in &numbers {
                            let (mechanism, parameter) = wrap((outer.number, (position.made)(*number)));
                            let mut frame = Frame::new(session, mechanism);
                            frame.mechanism.pParameter = parameter.at;
                            frame.mechanism.ulParameterLen = parameter.length;
                            let seen = measured(&table, function, &mut frame);
                            println!(
                                "{way} {} {mechanism} {wrapping} {:?} {} {number} {seen}",
                                function.name(),
                                position.shape,
                                position.field.name()
                            );
                        }
                    }
                }
            }
        }
        invoke(&table, Function::C_Finalize, &mut Frame::new(0, 0));
    }
}

/// The function that asks a mechanism for the first of the things that it can do.
pub(crate) fn first(mechanism: &Mechanism) -> Function {
    match mechanism.operations.iter().next() {
        Some(Operation::Encrypt) => Function::C_EncryptInit,
        Some(Operation::Sign) => Function::C_SignInit,
        Some(Operation::Generate) => Function::C_GenerateKey,
        Some(Operation::Wrap) => Function::C_WrapKey,
        _ => Function::C_DeriveKey,
    }
}
