// SPDX-License-Identifier: Apache-2.0
//! Objects: attribute lists. The built-in ones have fixed handles, so that tests can name them.

use std::collections::BTreeMap;

use cryptoki_sys::*;

use crate::misbehaviour::{Misbehaviour, wanted};

/// Attribute types and values, in the caller's order.
pub(crate) type Template = Vec<(CK_ATTRIBUTE_TYPE, Vec<u8>)>;

/// An object of the token.
#[derive(Clone, Default)]
pub(crate) struct Object {
    attributes: BTreeMap<CK_ATTRIBUTE_TYPE, Vec<u8>>,
}

impl Object {
    /// Takes over what `template` says.
    pub(crate) fn set(&mut self, template: &Template) {
        self.attributes.extend(template.iter().cloned());
    }

    /// Whether every attribute of `template` has the same value here.
    pub(crate) fn matches(&self, template: &Template) -> bool {
        template.iter().all(|(kind, value)| self.attributes.get(kind) == Some(value))
    }

    /// Answers one entry of a `C_GetAttributeValue` template (PKCS#11 3.2, section 5.7.5).
    ///
    /// # Safety
    /// `asked.pValue` is NULL or has room for `asked.ulValueLen` bytes.
    pub(crate) unsafe fn answer(&self, asked: &mut CK_ATTRIBUTE) -> Result<(), CK_RV> {
        let refuse = |asked: &mut CK_ATTRIBUTE, rv| {
            asked.ulValueLen = CK_UNAVAILABLE_INFORMATION;
            Err(rv)
        };
        let sensitive = self.attributes.get(&CKA_SENSITIVE).is_some_and(|value| value == &[CK_TRUE]);
        if sensitive && matches!(asked.type_, CKA_VALUE | CKA_PRIVATE_EXPONENT) {
            return refuse(asked, CKR_ATTRIBUTE_SENSITIVE);
        }
        let Some(value) = self.attributes.get(&asked.type_) else {
            return refuse(asked, CKR_ATTRIBUTE_TYPE_INVALID);
        };
        let room = asked.ulValueLen;
        asked.ulValueLen = value.len() as CK_ULONG;
        if asked.pValue.is_null() {
            return Ok(());
        }
        if room < asked.ulValueLen {
            return refuse(asked, CKR_BUFFER_TOO_SMALL);
        }
        // SAFETY: the caller's promise, and the room was compared just above.
        unsafe { asked.pValue.cast::<u8>().copy_from(value.as_ptr(), value.len()) };
        if wanted(Misbehaviour::LyingLengths) {
            asked.ulValueLen = value.len() as CK_ULONG + 0x1000_0000;
        }
        Ok(())
    }
}

/// Reads a caller's template.
///
/// # Safety
/// `at` points to `count` attributes whose values have the lengths they say.
pub(crate) unsafe fn read(at: *const CK_ATTRIBUTE, count: CK_ULONG) -> Template {
    let mut template = Template::new();
    for place in 0..count as usize {
        // SAFETY: the caller's promise.
        let attribute = unsafe { &*at.add(place) };
        let value = if attribute.pValue.is_null() {
            Vec::new()
        } else {
            // SAFETY: the caller's promise.
            unsafe {
                std::slice::from_raw_parts(attribute.pValue.cast::<u8>(), attribute.ulValueLen as usize)
                    .to_vec()
            }
        };
        template.push((attribute.type_, value));
    }
    template
}

/// The objects that `C_Initialize` finds: 1 AES-256; 2, 3 RSA-2048; 4, 5 P-256; 6, 7 RSA-1024; 8, 9 ML-KEM-768.
/// Even numbers are public keys, odd ones secret or private.
pub(crate) fn built_in() -> BTreeMap<CK_OBJECT_HANDLE, Object> {
    const P_256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    let modulus = |bits: u64| {
        vec![(CKA_MODULUS, vec![0xc5; bits as usize / 8]), (CKA_MODULUS_BITS, bits.to_ne_bytes().to_vec())]
    };
    let curve = || vec![(CKA_EC_PARAMS, P_256.to_vec())];
    let set = || vec![(CKA_PARAMETER_SET, 2u64.to_ne_bytes().to_vec())];
    BTreeMap::from([
        (
            1,
            key(
                CKO_SECRET_KEY,
                CKK_AES,
                "stub aes",
                vec![(CKA_VALUE_LEN, 32u64.to_ne_bytes().to_vec()), (CKA_VALUE, vec![0x5a; 32])],
            ),
        ),
        (2, key(CKO_PUBLIC_KEY, CKK_RSA, "stub rsa", modulus(2048))),
        (3, key(CKO_PRIVATE_KEY, CKK_RSA, "stub rsa", modulus(2048))),
        (4, key(CKO_PUBLIC_KEY, CKK_EC, "stub ec", curve())),
        (5, key(CKO_PRIVATE_KEY, CKK_EC, "stub ec", curve())),
        (6, key(CKO_PUBLIC_KEY, CKK_RSA, "stub weak rsa", modulus(1024))),
        (7, key(CKO_PRIVATE_KEY, CKK_RSA, "stub weak rsa", modulus(1024))),
        (8, key(CKO_PUBLIC_KEY, CKK_ML_KEM, "stub ml-kem", set())),
        (9, key(CKO_PRIVATE_KEY, CKK_ML_KEM, "stub ml-kem", set())),
    ])
}

fn key(class: CK_OBJECT_CLASS, kind: CK_KEY_TYPE, label: &str, own: Template) -> Object {
    let hidden = class != CKO_PUBLIC_KEY;
    let yes = |truth: bool| vec![CK_BBOOL::from(truth)];
    let mut object = Object::default();
    object.set(&vec![
        (CKA_CLASS, class.to_ne_bytes().to_vec()),
        (CKA_KEY_TYPE, kind.to_ne_bytes().to_vec()),
        (CKA_LABEL, label.as_bytes().to_vec()),
        (CKA_ID, label.as_bytes().iter().take(8).copied().collect()),
        (CKA_UNIQUE_ID, format!("unique {label} {class}").into_bytes()),
        (CKA_TOKEN, yes(true)),
        (CKA_PRIVATE, yes(hidden)),
        (CKA_SENSITIVE, yes(hidden)),
        (CKA_EXTRACTABLE, yes(!hidden)),
        (CKA_LOCAL, yes(true)),
        (CKA_SIGN, yes(hidden)),
        (CKA_DECRYPT, yes(hidden)),
        (CKA_UNWRAP, yes(hidden)),
        (CKA_DERIVE, yes(hidden)),
        (CKA_VERIFY, yes(!hidden)),
        (CKA_ENCRYPT, yes(true)),
        (CKA_WRAP, yes(true)),
        (CKA_START_DATE, Vec::new()),
        (CKA_END_DATE, b"20301231".to_vec()),
    ]);
    object.set(&own);
    object
}
