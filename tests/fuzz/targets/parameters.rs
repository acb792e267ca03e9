// SPDX-License-Identifier: Apache-2.0
//! The parameter decoder on any shape, length and content, in memory of exactly that length: it reads nothing
//! beyond, ends, and answers with a list that the collector can show.
#![no_main]

#[path = "../../../src/shim/call"]
mod call {
    pub(crate) mod parameter;
}

use call::parameter::{MOST, Parameters, decode};
use cryptoki_sys::*;
use event::mechanism::{self, Shape};
use event::parameter::{Field, Kind};
use libfuzzer_sys::fuzz_target;
use std::mem::offset_of;
use std::ptr;

// The input: the shape, the length of the inner parameter, the inner mechanism (two bytes), the inner
// parameter, the outer one. An inner parameter of length 0 stands for the outer one: a structure that
// contains itself.
fuzz_target!(|bytes: &[u8]| {
    let [shape, inner_length, high, low, content @ ..] = bytes else { return };
    let shape = Shape::ALL[usize::from(*shape) % Shape::ALL.len()];
    let known = &mechanism::ALL[usize::from(u16::from_be_bytes([*high, *low])) % mechanism::ALL.len()];
    let (inner, outer) = content.split_at(content.len().min(usize::from(*inner_length)));

    let mut inner: Box<[u8]> = inner.into();
    let mut outer: Box<[u8]> = outer.into();
    point(known.parameter, &mut inner, ptr::null(), ptr::null());
    let parameter = if inner.is_empty() { outer.as_ptr() } else { inner.as_ptr() };
    let length = if inner.is_empty() { outer.len() } else { inner.len() };
    let nested = Box::new(CK_MECHANISM {
        mechanism: known.number,
        pParameter: parameter.cast_mut().cast(),
        ulParameterLen: length as CK_ULONG,
    });
    let oaep = (inner.len() == size_of::<CK_RSA_PKCS_OAEP_PARAMS>()).then_some(inner.as_ptr());
    point(shape, &mut outer, ptr::from_ref(&*nested).cast(), oaep.unwrap_or(ptr::null()));
    // What the outer structure contains may be itself as another structure, whose pointers must then lead
    // nowhere else.
    if inner.is_empty() && known.parameter != shape {
        point(known.parameter, &mut outer, ptr::null(), ptr::null());
    }

    let mut found = Parameters::new();
    // SAFETY: the outer parameter is readable for its length; what it points to is NULL or ours.
    unsafe { decode(shape, outer.as_ptr().cast(), outer.len(), &mut found) };
    check(&found, outer.len());
});

/// Writes the pointers that the decoder follows, as far as they lie within the structure.
fn point(shape: Shape, structure: &mut [u8], mechanism: *const u8, oaep: *const u8) {
    let places: &[(usize, *const u8)] = match shape {
        Shape::Kip => &[(offset_of!(CK_KIP_PARAMS, pMechanism), mechanism)],
        Shape::CmsSig => &[
            (offset_of!(CK_CMS_SIG_PARAMS, pSigningMechanism), mechanism),
            (offset_of!(CK_CMS_SIG_PARAMS, pDigestMechanism), mechanism),
        ],
        Shape::RsaAesKeyWrap => &[(offset_of!(CK_RSA_AES_KEY_WRAP_PARAMS, pOAEPParams), oaep)],
        _ => &[],
    };
    for (offset, pointer) in places {
        if let Some(place) = structure.get_mut(*offset..offset + size_of::<usize>()) {
            place.copy_from_slice(&pointer.expose_provenance().to_ne_bytes());
        }
    }
}

fn check(found: &Parameters, length: usize) {
    let overflowed = found.overflowed();
    let found = found.as_slice();
    assert!(!overflowed || found.len() == MOST || found.iter().any(|parameter| parameter.depth >= 2));
    if let Some(first) = found.first() {
        assert_eq!(first.depth, 0);
        if first.field == Field::Malformed {
            assert_eq!((found.len(), first.value), (1, length as u64));
        }
    }
    for pair in found.windows(2) {
        let unread = pair[1].field == Field::Malformed;
        let deeper = pair[1].depth > pair[0].depth;
        let nested = pair[1].depth == pair[0].depth + 1 && pair[0].field.kind() == Kind::Mechanism;
        // What there was no room for stands in the last place, whatever stands before it.
        assert!(!deeper || nested || (unread && overflowed));
        assert!(pair[1].depth <= if unread { 3 } else { 2 });
    }
}
