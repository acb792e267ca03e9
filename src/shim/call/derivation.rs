// SPDX-License-Identifier: Apache-2.0
//! What a derivation does to its base key, spelled in one way: two derivations of one value that are spelled alike give
//! one value. Contents are spelled, not addresses; keys by their values; what the mechanism passes over is left out. Of
//! a parameter that cannot be read to its end there is no spelling.
#![allow(unsafe_code)]

use cryptoki_sys::*;
use event::mechanism::{self, Shape};
use std::mem::offset_of;

use super::read;

/// Longer parts of a parameter are not read.
const LONGEST: usize = 16384;
/// So many bytes of data that is encrypted, appended or mixed in tell results apart: tokens cut them to the length that
/// is asked for, and keys that begin alike are no two keys.
const HEAD: usize = 16;
/// More parts of the input of a pseudo-random function are not read.
const MOST_PARTS: CK_ULONG = 64;

/// How a field of a structure is spelled. The numbers are its place, and those of others that it is read with.
#[derive(Clone, Copy)]
enum Part {
    /// A number.
    Number(usize),
    /// A truth value.
    Truth(usize),
    /// A byte that is a number.
    Byte(usize),
    /// So many bytes of the structure itself.
    Inside(usize, usize),
    /// A pointer and a length: bytes.
    Bytes(usize, usize),
    /// The same, right behind what is before it.
    Joined(usize, usize),
    /// The same, of which the beginning counts.
    Head(usize, usize),
    /// The same: a number, of which zeros before it are no part.
    Integer(usize, usize),
    /// The same: a point of a curve.
    Point(usize, usize),
    /// A function and the data that is mixed in by it: without a function none is.
    Function(usize, usize, usize),
    /// A key.
    Key(usize),
    /// Whether there is a key, and it.
    OptionalKey(usize, usize),
    /// A pointer and a count: the input of a pseudo-random function of SP 800-108.
    Parts(usize, usize),
    /// Of HKDF: what is not extracted has no salt, what is not expanded no info.
    Hkdf,
}

macro_rules! spellings {
    ($($shape:ident: $layout:ident { $($part:ident($($($field:ident).+),*)),+ $(,)? };)*) => {
        /// The size of a shape's structure, and what of it is spelled.
        const fn parts(shape: Shape) -> Option<(usize, &'static [Part])> {
            match shape {
                $(Shape::$shape => Some((
                    size_of::<$layout>(),
                    const { &[$(Part::$part($(offset_of!($layout, $($field).+)),*)),+] },
                )),)*
                Shape::None => Some((0, &[])),
                Shape::MacGeneral | Shape::Extract => Some((size_of::<CK_ULONG>(), &[Part::Number(0)])),
                Shape::ObjectHandle => Some((size_of::<CK_OBJECT_HANDLE>(), &[Part::Key(0)])),
                Shape::Hkdf => Some((size_of::<CK_HKDF_PARAMS>(), &[Part::Hkdf])),
                Shape::DesCbcEncryptData => Some((
                    size_of::<CK_DES_CBC_ENCRYPT_DATA_PARAMS>(),
                    const {
                        type Layout = CK_DES_CBC_ENCRYPT_DATA_PARAMS;
                        &[Part::Inside(0, 8), Part::Head(offset_of!(Layout, pData), offset_of!(Layout, length))]
                    },
                )),
                // The same layout for every cipher with blocks of 16 bytes.
                Shape::AesCbcEncryptData
                | Shape::CamelliaCbcEncryptData
                | Shape::AriaCbcEncryptData
                | Shape::SeedCbcEncryptData => Some((
                    size_of::<CK_AES_CBC_ENCRYPT_DATA_PARAMS>(),
                    const {
                        type Layout = CK_AES_CBC_ENCRYPT_DATA_PARAMS;
                        &[Part::Inside(0, 16), Part::Head(offset_of!(Layout, pData), offset_of!(Layout, length))]
                    },
                )),
                _ => None,
            }
        }
    };
}

spellings! {
    KeyDerivationString: CK_KEY_DERIVATION_STRING_DATA { Head(pData, ulLen) };
    Ecdh1Derive: CK_ECDH1_DERIVE_PARAMS {
        Function(kdf, pSharedData, ulSharedDataLen), Point(pPublicData, ulPublicDataLen)
    };
    X942Dh1Derive: CK_X9_42_DH1_DERIVE_PARAMS {
        Function(kdf, pOtherInfo, ulOtherInfoLen), Integer(pPublicData, ulPublicDataLen)
    };
    Sp800108Kdf: CK_SP800_108_KDF_PARAMS { Number(prfType), Parts(pDataParams, ulNumberOfDataParams) };
    Sp800108FeedbackKdf: CK_SP800_108_FEEDBACK_KDF_PARAMS {
        Number(prfType), Bytes(pIV, ulIVLen), Parts(pDataParams, ulNumberOfDataParams)
    };
    TlsKdf: CK_TLS_KDF_PARAMS {
        Number(prfMechanism), Bytes(pLabel, ulLabelLength),
        Joined(RandomInfo.pClientRandom, RandomInfo.ulClientRandomLen),
        Joined(RandomInfo.pServerRandom, RandomInfo.ulServerRandomLen),
        Bytes(pContextData, ulContextDataLength)
    };
    Ssl3MasterKeyDerive: CK_SSL3_MASTER_KEY_DERIVE_PARAMS {
        Joined(RandomInfo.pClientRandom, RandomInfo.ulClientRandomLen),
        Joined(RandomInfo.pServerRandom, RandomInfo.ulServerRandomLen)
    };
    Tls12MasterKeyDerive: CK_TLS12_MASTER_KEY_DERIVE_PARAMS {
        Number(prfHashMechanism), Joined(RandomInfo.pClientRandom, RandomInfo.ulClientRandomLen),
        Joined(RandomInfo.pServerRandom, RandomInfo.ulServerRandomLen)
    };
    Tls12ExtendedMasterKeyDerive: CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS {
        Number(prfHashMechanism), Bytes(pSessionHash, ulSessionHashLen)
    };
    IkePrfDerive: CK_IKE_PRF_DERIVE_PARAMS {
        Number(prfMechanism), Truth(bDataAsKey), OptionalKey(bRekey, hNewKey), Joined(pNi, ulNiLen),
        Joined(pNr, ulNrLen)
    };
    Ike1PrfDerive: CK_IKE1_PRF_DERIVE_PARAMS {
        Number(prfMechanism), Byte(keyNumber), Key(hKeygxy), OptionalKey(bHasPrevKey, hPrevKey),
        Joined(pCKYi, ulCKYiLen), Joined(pCKYr, ulCKYrLen)
    };
    Ike1ExtendedDerive: CK_IKE1_EXTENDED_DERIVE_PARAMS {
        Number(prfMechanism), OptionalKey(bHasKeygxy, hKeygxy), Bytes(pExtraData, ulExtraDataLen)
    };
    Ike2PrfPlusDerive: CK_IKE2_PRF_PLUS_DERIVE_PARAMS {
        Number(prfMechanism), OptionalKey(bHasSeedKey, hSeedKey), Bytes(pSeedData, ulSeedDataLen)
    };
}

/// A spelling under way.
struct Spelling<'v> {
    bytes: Vec<u8>,
    /// The value of an object, by a number.
    value_of: &'v dyn Fn(CK_OBJECT_HANDLE) -> u64,
}

/// How `mechanism` derives a key. `value_of` gives the value that an object holds as a number. None where that is not
/// known in full: vendors' mechanisms, and those that give several keys or change a state.
///
/// # Safety
/// `pParameter` is what PKCS#11 demands for the mechanism: NULL, or readable for `ulParameterLen` bytes, and so is
/// what it points to.
#[inline(never)]
pub(crate) unsafe fn spell(
    mechanism: &CK_MECHANISM,
    value_of: &dyn Fn(CK_OBJECT_HANDLE) -> u64,
) -> Option<Vec<u8>> {
    let known = mechanism::by_number(mechanism.mechanism)?;
    let mut way = Spelling { bytes: Vec::new(), value_of };
    way.number(match known.number {
        // On curves of cofactor 1, which all but a few are, the two are one.
        CKM_ECDH1_COFACTOR_DERIVE => CKM_ECDH1_DERIVE,
        CKM_HKDF_DATA => CKM_HKDF_DERIVE,
        other => other,
    });
    let (at, length) = (mechanism.pParameter.cast_const().cast::<u8>(), mechanism.ulParameterLen);
    if known.parameter == Shape::Bytes {
        // SAFETY: our caller's promise.
        way.counted(without_zeros(unsafe { bytes(at, length) }?));
        return Some(way.bytes);
    }
    let (size, parts) = parts(known.parameter)?;
    if size > 0 && (at.is_null() || length < size as CK_ULONG) {
        return None;
    }
    // SAFETY: the structure is there in full, and our caller promises what it points to.
    parts.iter().try_for_each(|part| unsafe { way.part(at, *part) })?;
    Some(way.bytes)
}

impl Spelling<'_> {
    /// # Safety
    /// `at` is a structure that has the part; what it points to is as for [`spell`].
    unsafe fn part(&mut self, at: *const u8, part: Part) -> Option<()> {
        // SAFETY: our caller's promise.
        unsafe {
            let number = |place| field::<CK_ULONG>(at, place);
            let data = |pointer, length| bytes(field(at, pointer), number(length));
            match part {
                Part::Number(place) => self.number(number(place)),
                Part::Truth(place) => self.number(u64::from(field::<CK_BBOOL>(at, place) != 0)),
                Part::Byte(place) => self.number(u64::from(field::<CK_BYTE>(at, place))),
                Part::Inside(place, length) => self.counted(bytes(at.add(place), length as CK_ULONG)?),
                Part::Bytes(pointer, length) => self.counted(data(pointer, length)?),
                Part::Joined(pointer, length) => self.bytes.extend(data(pointer, length)?),
                Part::Head(pointer, length) => {
                    let length = number(length).min(HEAD as CK_ULONG);
                    self.counted(bytes(field(at, pointer), length)?);
                }
                Part::Integer(pointer, length) => self.counted(without_zeros(data(pointer, length)?)),
                Part::Point(pointer, length) => self.counted(abscissa(data(pointer, length)?)),
                Part::Function(function, pointer, length) => {
                    self.number(number(function));
                    if number(function) != CKD_NULL {
                        self.counted(data(pointer, length)?);
                    }
                }
                Part::Key(place) => self.key(number(place)),
                Part::OptionalKey(has, place) => {
                    let has = field::<CK_BBOOL>(at, has) != 0;
                    self.number(u64::from(has));
                    if has {
                        self.key(number(place));
                    }
                }
                Part::Parts(pointer, count) => self.parts(field(at, pointer), number(count))?,
                Part::Hkdf => self.hkdf(&at.cast::<CK_HKDF_PARAMS>().read_unaligned())?,
            }
        }
        Some(())
    }

    /// HMAC pads a salt with zeros.
    ///
    /// # Safety
    /// As for [`spell`].
    unsafe fn hkdf(&mut self, p: &CK_HKDF_PARAMS) -> Option<()> {
        let (extract, expand) = (p.bExtract != 0, p.bExpand != 0);
        self.number(u64::from(extract) << 1 | u64::from(expand));
        self.number(p.prfHashMechanism);
        if extract && p.ulSaltType == CKF_HKDF_SALT_KEY {
            self.key(p.hSaltKey);
        } else if extract && p.ulSaltType == CKF_HKDF_SALT_DATA {
            // SAFETY: our caller's promise.
            let salt = unsafe { bytes(p.pSalt, p.ulSaltLen) }?;
            let zeros = salt.iter().rev().take_while(|byte| **byte == 0).count();
            self.counted(&salt[..salt.len() - zeros]);
        } else {
            self.counted(&[]);
        }
        if expand {
            // SAFETY: our caller's promise.
            self.counted(unsafe { bytes(p.pInfo, p.ulInfoLen) }?);
        }
        Some(())
    }

    /// Bytes that follow bytes are read as one.
    ///
    /// # Safety
    /// As for [`spell`].
    unsafe fn parts(&mut self, at: *const CK_PRF_DATA_PARAM, count: CK_ULONG) -> Option<()> {
        if count > MOST_PARTS || at.is_null() && count > 0 {
            return None;
        }
        for place in 0..count {
            // SAFETY: our caller's promise of so many parts, each of what its type says.
            unsafe {
                let part = at.wrapping_add(usize::try_from(place).ok()?).read_unaligned();
                let value = bytes(part.pValue.cast(), part.ulValueLen)?;
                let (at, whole) = (value.as_ptr(), |size| value.len() >= size);
                if part.type_ == CK_SP800_108_BYTE_ARRAY {
                    self.bytes.extend(value);
                    continue;
                }
                self.number(part.type_);
                match part.type_ {
                    CK_SP800_108_KEY_HANDLE if whole(size_of::<CK_OBJECT_HANDLE>()) => self.key(field(at, 0)),
                    CK_SP800_108_DKM_LENGTH if whole(size_of::<CK_SP800_108_DKM_LENGTH_FORMAT>()) => {
                        type Format = CK_SP800_108_DKM_LENGTH_FORMAT;
                        self.part(at, Part::Number(offset_of!(Format, dkmLengthMethod)))?;
                        self.part(at, Part::Truth(offset_of!(Format, bLittleEndian)))?;
                        self.part(at, Part::Number(offset_of!(Format, ulWidthInBits)))?;
                    }
                    CK_SP800_108_ITERATION_VARIABLE | CK_SP800_108_OPTIONAL_COUNTER
                        if whole(size_of::<CK_SP800_108_COUNTER_FORMAT>()) =>
                    {
                        type Format = CK_SP800_108_COUNTER_FORMAT;
                        self.part(at, Part::Truth(offset_of!(Format, bLittleEndian)))?;
                        self.part(at, Part::Number(offset_of!(Format, ulWidthInBits)))?;
                    }
                    // Which iteration it is, where the mechanism alone says how that is written.
                    CK_SP800_108_ITERATION_VARIABLE if value.is_empty() => (),
                    _ => return None,
                }
            }
        }
        Some(())
    }

    fn key(&mut self, handle: CK_OBJECT_HANDLE) {
        self.number((self.value_of)(handle));
    }

    #[inline(never)]
    fn number(&mut self, number: u64) {
        self.bytes.extend(number.to_le_bytes());
    }

    #[inline(never)]
    fn counted(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.bytes.extend(bytes);
    }
}

/// The field at a place of the structure at `at`, aligned or not.
///
/// # Safety
/// There is one, and any bytes are a `T`.
unsafe fn field<T>(at: *const u8, place: usize) -> T {
    // SAFETY: our caller's promise.
    unsafe { at.add(place).cast::<T>().read_unaligned() }
}

/// All of some bytes, if they can be had.
///
/// # Safety
/// `at` is NULL or readable for `length` bytes.
#[inline(never)]
unsafe fn bytes<'a>(at: *const CK_BYTE, length: CK_ULONG) -> Option<&'a [u8]> {
    // SAFETY: our caller's promise.
    let read = unsafe { read::bytes(at, length, LONGEST) };
    (read.len() as CK_ULONG == length).then_some(read)
}

fn without_zeros(number: &[u8]) -> &[u8] {
    &number[number.iter().take_while(|byte| **byte == 0).count()..]
}

/// What of a public point goes into the secret that is agreed on: the first coordinate. The point may be compressed or
/// not, and either may lie in an OCTET STRING (PKCS#11 3.2, section 6.3.17); points of Montgomery curves are one
/// coordinate.
fn abscissa(given: &[u8]) -> &[u8] {
    let point = match given {
        [0x04, length, inner @ ..] if usize::from(*length) == inner.len() => inner,
        [0x04, 0x81, length, inner @ ..] if usize::from(*length) == inner.len() => inner,
        _ => given,
    };
    let of_point = |point: &'_ [u8]| match point {
        [0x04 | 0x06 | 0x07, both @ ..] if both.len() % 2 == 0 => Some(both.len() / 2),
        [0x02 | 0x03, one @ ..] if one.len() % 2 == 0 => Some(one.len()),
        _ => None,
    };
    match (of_point(point), of_point(given)) {
        (Some(length), _) => &point[1..=length],
        // What looks like the head of an OCTET STRING is the point itself.
        (None, Some(length)) => &given[1..=length],
        (None, None) => point,
    }
}
