// SPDX-License-Identifier: Apache-2.0
//! Is one value known as one, however often and in whatever bytes it is derived? The shim is a cdylib and cannot test
//! itself, hence the paths.
#![allow(missing_docs)]

#[path = "../src/shim/call"]
mod call {
    pub(crate) mod derivation;
    #[allow(dead_code)]
    mod read;
}
#[path = "../src/shim/memory.rs"]
#[allow(dead_code)]
mod memory;

use call::derivation::spell;
use cryptoki_sys::*;
use event::mechanism::{self, Operation};
use event::record::Flags;
use memory::{Memory, Value};
use policy::Origin;
use std::ptr;

/// How a mechanism with this parameter derives; every object holds the value that has half its handle for a number.
fn spelled<P>(number: CK_MECHANISM_TYPE, parameter: &P) -> Option<Vec<u8>> {
    let mechanism = CK_MECHANISM {
        mechanism: number,
        pParameter: ptr::from_ref(parameter).cast_mut().cast(),
        ulParameterLen: size_of::<P>() as CK_ULONG,
    };
    // SAFETY: the parameter and what it points to live through the call.
    unsafe { spell(&mechanism, &|handle| handle / 2) }
}

fn ecdh(kdf: CK_ULONG, shared: &[u8], point: &[u8]) -> Option<Vec<u8>> {
    let parameter = CK_ECDH1_DERIVE_PARAMS {
        kdf,
        ulSharedDataLen: shared.len() as CK_ULONG,
        pSharedData: shared.as_ptr().cast_mut(),
        ulPublicDataLen: point.len() as CK_ULONG,
        pPublicData: point.as_ptr().cast_mut(),
    };
    spelled(CKM_ECDH1_DERIVE, &parameter)
}

fn hkdf(extract: CK_BBOOL, salt_type: CK_ULONG, salt: &[u8], key: CK_ULONG, info: &[u8]) -> Option<Vec<u8>> {
    let parameter = CK_HKDF_PARAMS {
        bExtract: extract,
        bExpand: CK_TRUE,
        prfHashMechanism: CKM_SHA256,
        ulSaltType: salt_type,
        pSalt: salt.as_ptr().cast_mut(),
        ulSaltLen: salt.len() as CK_ULONG,
        hSaltKey: key,
        pInfo: info.as_ptr().cast_mut(),
        ulInfoLen: info.len() as CK_ULONG,
    };
    spelled(CKM_HKDF_DERIVE, &parameter)
}

fn counter(parts: &[&[u8]]) -> Option<Vec<u8>> {
    let format = CK_SP800_108_COUNTER_FORMAT { bLittleEndian: CK_FALSE, ulWidthInBits: 32 };
    let mut list = vec![CK_PRF_DATA_PARAM {
        type_: CK_SP800_108_ITERATION_VARIABLE,
        pValue: ptr::from_ref(&format).cast_mut().cast(),
        ulValueLen: size_of_val(&format) as CK_ULONG,
    }];
    list.extend(parts.iter().map(|bytes| CK_PRF_DATA_PARAM {
        type_: CK_SP800_108_BYTE_ARRAY,
        pValue: bytes.as_ptr().cast_mut().cast(),
        ulValueLen: bytes.len() as CK_ULONG,
    }));
    let parameter = CK_SP800_108_KDF_PARAMS {
        prfType: CKM_SHA256_HMAC,
        ulNumberOfDataParams: list.len() as CK_ULONG,
        pDataParams: list.as_mut_ptr(),
        ulAdditionalDerivedKeys: 0,
        pAdditionalDerivedKeys: ptr::null_mut(),
    };
    spelled(CKM_SP800_108_COUNTER_KDF, &parameter)
}

#[test]
fn a_point_is_the_same_in_every_encoding() {
    let (x, y) = ([3; 32], [5; 32]);
    let plain = [&[4][..], &x, &y].concat();
    let way = ecdh(CKD_NULL, b"", &plain);
    let encodings = [
        [&[4, 65][..], &plain].concat(),
        [&[4, 0x81, 65][..], &plain].concat(),
        [&[2][..], &x].concat(),
        [&[3][..], &x].concat(),
        [&[4, 33, 3][..], &x].concat(),
        // The point on the other side of the axis gives the same secret.
        [&[4][..], &x, &[6; 32]].concat(),
    ];
    for encoding in &encodings {
        assert_eq!(ecdh(CKD_NULL, b"", encoding), way, "{encoding:02x?}");
    }
    assert_ne!(ecdh(CKD_NULL, b"", &[&[4][..], &y, &x].concat()), way);
    // A coordinate of a Montgomery curve, by itself and in an OCTET STRING.
    assert_eq!(ecdh(CKD_NULL, b"", &[4; 32]), ecdh(CKD_NULL, b"", &[&[4, 32][..], &[4; 32]].concat()));
    // Not the head of an OCTET STRING, but a point whose first byte is that of its length.
    let odd = [&[4, 63][..], &[9; 63]].concat();
    assert_eq!(ecdh(CKD_NULL, b"", &odd), ecdh(CKD_NULL, b"", &[&[2, 63][..], &[9; 31]].concat()));
}

#[test]
fn what_a_mechanism_passes_over_makes_no_difference() {
    let point = [&[2][..], &[3; 32]].concat();
    assert_eq!(ecdh(CKD_NULL, b"a", &point), ecdh(CKD_NULL, b"b", &point));
    assert_ne!(ecdh(CKD_SHA256_KDF, b"a", &point), ecdh(CKD_SHA256_KDF, b"b", &point));

    let data = |salt, key| hkdf(CK_TRUE, CKF_HKDF_SALT_DATA, salt, key, b"i");
    assert_eq!(data(b"salt", 2), data(b"salt\0\0", 8));
    assert_ne!(data(b"salt", 2), data(b"tlas", 2));
    assert_eq!(data(b"", 2), hkdf(2, CKF_HKDF_SALT_NULL, b"x", 4, b"i"));
    assert_eq!(hkdf(CK_FALSE, 0, b"x", 4, b"i"), hkdf(CK_FALSE, CKF_HKDF_SALT_KEY, b"", 6, b"i"));
    // A salt that is a key is known by its value, not by its handle.
    let key = |handle| hkdf(CK_TRUE, CKF_HKDF_SALT_KEY, b"", handle, b"i");
    assert_eq!(key(6), key(7));
    assert_ne!(key(6), key(8));

    assert_eq!(counter(&[b"ab", b"c"]), counter(&[b"a", b"bc"]));
    assert_ne!(counter(&[b"ab", b"c"]), counter(&[b"ab", b"d"]));
    assert!(counter(&[b"ab"]).is_some());
}

#[test]
fn data_that_is_encrypted_counts_as_far_as_every_token_reads_it() {
    let way = |bytes: &[u8]| {
        let parameter = CK_KEY_DERIVATION_STRING_DATA {
            pData: bytes.as_ptr().cast_mut(),
            ulLen: bytes.len() as CK_ULONG,
        };
        spelled(CKM_AES_ECB_ENCRYPT_DATA, &parameter)
    };
    assert_eq!(way(&[1; 16]), way(&[1; 48]));
    assert_ne!(way(&[1; 16]), way(&[2; 16]));
}

#[test]
fn what_cannot_be_read_in_full_is_not_spelled() {
    assert_eq!(spelled(CKM_VENDOR_DEFINED | 1, &0_u64), None);
    assert_eq!(spelled(CKM_ECDH1_DERIVE, &0_u64), None);
    assert_eq!(ecdh(CKD_SHA256_KDF, &vec![0; 1 << 20], b"p"), None);
    assert_eq!(counter(&[&b"a"[..]; 100]), None);
    let derives = |known: &&mechanism::Mechanism| known.operations.contains(Operation::Derive);
    let none = CK_MECHANISM::default();
    let read = mechanism::ALL.iter().filter(derives).filter(|known| {
        // SAFETY: a parameter of no bytes.
        unsafe { spell(&CK_MECHANISM { mechanism: known.number, ..none }, &|handle| handle) }.is_some()
    });
    let names: Vec<_> = read.map(|known| known.name).collect();
    println!("without a parameter: {}", names.join(" "));
    assert!(names.contains(&"CKM_SHA256_KEY_DERIVATION") && !names.contains(&"CKM_HKDF_DERIVE"));
}

#[test]
fn the_same_way_from_the_same_value_leads_to_the_same_value() {
    let memory = Memory::default();
    let (base, copy, other) = ((1, 10), (1, 11), (1, 12));
    memory.made(memory.same(base, Origin::Copied), copy, 0);
    let first = memory.derived(base, b"way", Value::default());
    memory.made(first, (1, 20), Flags::UNWRAP);
    let again = memory.derived(copy, b"way", Value::default());
    assert_eq!(memory.of_making(again).uses, Flags::UNWRAP);
    memory.made(again, (1, 21), Flags::ENCRYPT);
    let (value, origin) = memory.of((1, 20), Flags::default());
    assert_eq!((value.uses, origin), (Flags::UNWRAP | Flags::ENCRYPT, Some(Origin::Derived)));
    assert_eq!(memory.of(copy, Flags::default()).1, Some(Origin::Copied));
    assert_eq!(memory.of(base, Flags::default()).1, None);

    for making in [
        memory.derived(base, b"another way", Value::default()),
        memory.derived(other, b"way", Value::default()),
        memory.decapsulated(base, b"way"),
        memory.unwrapped(b"way", Value::default()),
    ] {
        assert_eq!(memory.of_making(making).uses, 0);
    }
    let sealed = memory.fresh(Value::default(), Origin::Encapsulated);
    memory.made(sealed, (1, 30), Flags::UNWRAP);
    memory.encapsulated(base, b"ciphertext", sealed);
    assert_eq!(memory.of_making(memory.decapsulated(copy, b"ciphertext")).uses, Flags::UNWRAP);
}
