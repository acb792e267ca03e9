// SPDX-License-Identifier: Apache-2.0
//! What a derivation does to its base key, spelled in one way: two derivations of one value that are spelled alike give
//! one value. Contents are spelled, not addresses; keys by their values; what the mechanism passes over is left out. Of
//! a parameter that cannot be read to its end there is no spelling.
#![allow(unsafe_code)]

use cryptoki_sys::*;
use event::mechanism::{self, Shape};
use std::ffi::c_void;

use super::read;

/// Longer parts of a parameter are not read.
const LONGEST: usize = 16384;
/// So many bytes of data that is encrypted, appended or mixed in tell results apart: tokens cut them to the length that
/// is asked for, and keys that begin alike are no two keys.
const HEAD: usize = 16;
/// More parts of the input of a pseudo-random function are not read.
const MOST_PARTS: usize = 64;

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
    // SAFETY: our caller's promise.
    unsafe { way.parameter(known.parameter, mechanism.pParameter, mechanism.ulParameterLen) }?;
    Some(way.bytes)
}

impl Spelling<'_> {
    /// # Safety
    /// As for [`spell`].
    unsafe fn parameter(&mut self, shape: Shape, at: *const c_void, length: CK_ULONG) -> Option<()> {
        // SAFETY: our caller's promise covers the structure of each shape and what it points to.
        unsafe {
            match shape {
                Shape::None => (),
                // A public value, as a number: zeros before it are none of it.
                Shape::Bytes => self.bytes(without_zeros(bytes(at.cast(), length)?)),
                Shape::Extract | Shape::MacGeneral => self.number(structure(at, length)?),
                Shape::ObjectHandle => self.key(structure(at, length)?),
                Shape::KeyDerivationString => {
                    let p: CK_KEY_DERIVATION_STRING_DATA = structure(at, length)?;
                    self.head(p.pData, p.ulLen)?;
                }
                Shape::DesCbcEncryptData => {
                    let p: CK_DES_CBC_ENCRYPT_DATA_PARAMS = structure(at, length)?;
                    self.bytes(&p.iv);
                    self.head(p.pData, p.length)?;
                }
                // The same layout for every cipher with blocks of 16 bytes.
                Shape::AesCbcEncryptData
                | Shape::CamelliaCbcEncryptData
                | Shape::AriaCbcEncryptData
                | Shape::SeedCbcEncryptData => {
                    let p: CK_AES_CBC_ENCRYPT_DATA_PARAMS = structure(at, length)?;
                    self.bytes(&p.iv);
                    self.head(p.pData, p.length)?;
                }
                Shape::Ecdh1Derive => {
                    let p: CK_ECDH1_DERIVE_PARAMS = structure(at, length)?;
                    self.kdf(p.kdf, p.pSharedData, p.ulSharedDataLen)?;
                    self.bytes(abscissa(bytes(p.pPublicData, p.ulPublicDataLen)?));
                }
                Shape::X942Dh1Derive => {
                    let p: CK_X9_42_DH1_DERIVE_PARAMS = structure(at, length)?;
                    self.kdf(p.kdf, p.pOtherInfo, p.ulOtherInfoLen)?;
                    self.bytes(without_zeros(bytes(p.pPublicData, p.ulPublicDataLen)?));
                }
                Shape::Hkdf => self.hkdf(&structure(at, length)?)?,
                Shape::Sp800108Kdf => {
                    let p: CK_SP800_108_KDF_PARAMS = structure(at, length)?;
                    self.number(p.prfType);
                    self.parts(p.pDataParams, p.ulNumberOfDataParams)?;
                }
                Shape::Sp800108FeedbackKdf => {
                    let p: CK_SP800_108_FEEDBACK_KDF_PARAMS = structure(at, length)?;
                    self.number(p.prfType);
                    self.bytes(bytes(p.pIV, p.ulIVLen)?);
                    self.parts(p.pDataParams, p.ulNumberOfDataParams)?;
                }
                Shape::TlsKdf => {
                    let p: CK_TLS_KDF_PARAMS = structure(at, length)?;
                    self.number(p.prfMechanism);
                    self.bytes(bytes(p.pLabel, p.ulLabelLength)?);
                    self.randoms(&p.RandomInfo)?;
                    self.bytes(bytes(p.pContextData, p.ulContextDataLength)?);
                }
                Shape::Ssl3MasterKeyDerive => {
                    let p: CK_SSL3_MASTER_KEY_DERIVE_PARAMS = structure(at, length)?;
                    self.randoms(&p.RandomInfo)?;
                }
                Shape::Tls12MasterKeyDerive => {
                    let p: CK_TLS12_MASTER_KEY_DERIVE_PARAMS = structure(at, length)?;
                    self.number(p.prfHashMechanism);
                    self.randoms(&p.RandomInfo)?;
                }
                Shape::Tls12ExtendedMasterKeyDerive => {
                    let p: CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS = structure(at, length)?;
                    self.number(p.prfHashMechanism);
                    self.bytes(bytes(p.pSessionHash, p.ulSessionHashLen)?);
                }
                Shape::IkePrfDerive => {
                    let p: CK_IKE_PRF_DERIVE_PARAMS = structure(at, length)?;
                    self.numbers(&[p.prfMechanism, u64::from(p.bDataAsKey != 0)]);
                    self.optional_key(p.bRekey, p.hNewKey);
                    self.bytes.extend(bytes(p.pNi, p.ulNiLen)?);
                    self.bytes.extend(bytes(p.pNr, p.ulNrLen)?);
                }
                Shape::Ike1PrfDerive => {
                    let p: CK_IKE1_PRF_DERIVE_PARAMS = structure(at, length)?;
                    self.numbers(&[p.prfMechanism, u64::from(p.keyNumber)]);
                    self.key(p.hKeygxy);
                    self.optional_key(p.bHasPrevKey, p.hPrevKey);
                    self.bytes.extend(bytes(p.pCKYi, p.ulCKYiLen)?);
                    self.bytes.extend(bytes(p.pCKYr, p.ulCKYrLen)?);
                }
                Shape::Ike1ExtendedDerive => {
                    let p: CK_IKE1_EXTENDED_DERIVE_PARAMS = structure(at, length)?;
                    self.number(p.prfMechanism);
                    self.optional_key(p.bHasKeygxy, p.hKeygxy);
                    self.bytes(bytes(p.pExtraData, p.ulExtraDataLen)?);
                }
                Shape::Ike2PrfPlusDerive => {
                    let p: CK_IKE2_PRF_PLUS_DERIVE_PARAMS = structure(at, length)?;
                    self.number(p.prfMechanism);
                    self.optional_key(p.bHasSeedKey, p.hSeedKey);
                    self.bytes(bytes(p.pSeedData, p.ulSeedDataLen)?);
                }
                _ => return None,
            }
        }
        Some(())
    }

    /// What is not extracted has no salt, what is not expanded no info; HMAC pads a salt with zeros.
    ///
    /// # Safety
    /// As for [`spell`].
    unsafe fn hkdf(&mut self, p: &CK_HKDF_PARAMS) -> Option<()> {
        let (extract, expand) = (p.bExtract != 0, p.bExpand != 0);
        self.numbers(&[u64::from(extract), u64::from(expand), p.prfHashMechanism]);
        if extract && p.ulSaltType == CKF_HKDF_SALT_KEY {
            self.key(p.hSaltKey);
        } else if extract && p.ulSaltType == CKF_HKDF_SALT_DATA {
            // SAFETY: our caller's promise.
            let salt = unsafe { bytes(p.pSalt, p.ulSaltLen) }?;
            let zeros = salt.iter().rev().take_while(|byte| **byte == 0).count();
            self.bytes(&salt[..salt.len() - zeros]);
        } else {
            self.bytes(&[]);
        }
        if expand {
            // SAFETY: our caller's promise.
            self.bytes(unsafe { bytes(p.pInfo, p.ulInfoLen) }?);
        }
        Some(())
    }

    /// The input of a pseudo-random function of SP 800-108. Bytes that follow bytes are read as one.
    ///
    /// # Safety
    /// As for [`spell`].
    unsafe fn parts(&mut self, at: *const CK_PRF_DATA_PARAM, count: CK_ULONG) -> Option<()> {
        let count = usize::try_from(count).ok().filter(|count| *count <= MOST_PARTS)?;
        if at.is_null() && count > 0 {
            return None;
        }
        for place in 0..count {
            // SAFETY: our caller's promise of so many parts, each of what its type says.
            unsafe {
                let part = at.add(place).read_unaligned();
                if part.type_ == CK_SP800_108_BYTE_ARRAY {
                    self.bytes.extend(bytes(part.pValue.cast(), part.ulValueLen)?);
                    continue;
                }
                self.number(part.type_);
                match part.type_ {
                    CK_SP800_108_KEY_HANDLE => self.key(structure(part.pValue, part.ulValueLen)?),
                    CK_SP800_108_DKM_LENGTH => {
                        let p: CK_SP800_108_DKM_LENGTH_FORMAT = structure(part.pValue, part.ulValueLen)?;
                        let order = u64::from(p.bLittleEndian != 0);
                        self.numbers(&[p.dkmLengthMethod, order, p.ulWidthInBits]);
                    }
                    _ if part.pValue.is_null() => (),
                    CK_SP800_108_ITERATION_VARIABLE | CK_SP800_108_OPTIONAL_COUNTER => {
                        let p: CK_SP800_108_COUNTER_FORMAT = structure(part.pValue, part.ulValueLen)?;
                        self.numbers(&[u64::from(p.bLittleEndian != 0), p.ulWidthInBits]);
                    }
                    _ => return None,
                }
            }
        }
        Some(())
    }

    /// Without a function no data is mixed in.
    ///
    /// # Safety
    /// As for [`spell`].
    unsafe fn kdf(&mut self, kdf: CK_ULONG, data: *const CK_BYTE, length: CK_ULONG) -> Option<()> {
        self.number(kdf);
        if kdf != CKD_NULL {
            // SAFETY: our caller's promise.
            self.bytes(unsafe { bytes(data, length) }?);
        }
        Some(())
    }

    /// # Safety
    /// As for [`spell`].
    unsafe fn head(&mut self, data: *const CK_BYTE, length: CK_ULONG) -> Option<()> {
        // SAFETY: our caller's promise, of which no more is used than was given.
        self.bytes(unsafe { bytes(data, length.min(HEAD as CK_ULONG)) }?);
        Some(())
    }

    /// # Safety
    /// As for [`spell`].
    unsafe fn randoms(&mut self, randoms: &CK_SSL3_RANDOM_DATA) -> Option<()> {
        // SAFETY: our caller's promise.
        unsafe {
            self.bytes.extend(bytes(randoms.pClientRandom, randoms.ulClientRandomLen)?);
            self.bytes.extend(bytes(randoms.pServerRandom, randoms.ulServerRandomLen)?);
        }
        Some(())
    }

    fn optional_key(&mut self, has: CK_BBOOL, handle: CK_OBJECT_HANDLE) {
        self.number(u64::from(has != 0));
        if has != 0 {
            self.key(handle);
        }
    }

    fn key(&mut self, handle: CK_OBJECT_HANDLE) {
        self.number((self.value_of)(handle));
    }

    fn numbers(&mut self, numbers: &[u64]) {
        numbers.iter().for_each(|number| self.number(*number));
    }

    fn number(&mut self, number: u64) {
        self.bytes.extend(number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.bytes.extend(bytes);
    }
}

/// The structure at `at`, which may be longer than it need be.
///
/// # Safety
/// `at` is NULL or readable for `length` bytes, and any bytes are a `T`.
unsafe fn structure<T>(at: *const c_void, length: CK_ULONG) -> Option<T> {
    let whole = !at.is_null() && length >= size_of::<T>() as CK_ULONG;
    // SAFETY: our caller's promise.
    whole.then(|| unsafe { at.cast::<T>().read_unaligned() })
}

/// All of some bytes, if they can be had.
///
/// # Safety
/// `at` is NULL or readable for `length` bytes.
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
