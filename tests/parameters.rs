// SPDX-License-Identifier: Apache-2.0
//! Does the shim read of a mechanism's parameter what it should, and nothing else? Every structure lies right
//! before a page that cannot be read, and every pointer in it that must not be followed leads nowhere.

#[path = "../src/shim/call"]
mod call {
    pub(crate) mod parameter;
}
#[path = "parameters/samples.rs"]
mod samples;

use call::parameter::{MOST, Parameters, decode, holds_handles};
use cryptoki_sys::*;
use event::mechanism::{
    CKM_KIP_MAC, CKM_MD5_HMAC, CKM_RSA_PKCS_PSS, CKM_SHA256, CKM_SHA256_HMAC_GENERAL, Shape,
};
use event::parameter::{Field, Kind};
use samples::{NOWHERE, Sample, filled, samples};
use std::collections::HashSet;
use std::ffi::c_void;
use std::ptr;

/// Longer than any structure by more than any of them could have grown.
const LONGEST: usize = 256;

/// A copy of some bytes that ends where readable memory ends.
struct Guarded {
    pages: *mut c_void,
    page: usize,
    at: *const c_void,
}

impl Guarded {
    fn new(bytes: &[u8]) -> Guarded {
        // SAFETY: asks the system for a number.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap();
        assert!(bytes.len() <= page);
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a fresh mapping of two pages at a place of the system's choice.
        let pages = unsafe {
            libc::mmap(ptr::null_mut(), 2 * page, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0)
        };
        assert_ne!(pages, libc::MAP_FAILED);
        // SAFETY: the second of the two pages just mapped, of which nobody knows yet.
        assert_eq!(unsafe { libc::mprotect(pages.add(page), page, libc::PROT_NONE) }, 0);
        // SAFETY: the bytes fit in the first page, which is ours and can be written.
        let at = unsafe {
            let at = pages.cast::<u8>().add(page - bytes.len());
            at.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            at
        };
        Guarded { pages, page, at: at.cast() }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: the mapping that `new` made; nothing borrows from it any more.
        unsafe { libc::munmap(self.pages, 2 * self.page) };
    }
}

type Fields = Vec<(u8, Field, u64)>;

fn fields(found: &Parameters) -> Fields {
    found.as_slice().iter().map(|p| (p.depth, p.field, p.value)).collect()
}

fn decoded(shape: Shape, at: *const c_void, length: usize) -> (Fields, bool) {
    let mut found = Parameters::new();
    // SAFETY: the tests pass what `decode` asks for, or a length that must keep it from reading.
    unsafe { decode(shape, at, length, &mut found) };
    (fields(&found), found.overflowed())
}

/// The fields of a structure, none of which were left out.
fn of<T>(shape: Shape, structure: &T) -> Fields {
    let (fields, overflowed) = decoded(shape, ptr::from_ref(structure).cast(), size_of::<T>());
    assert!(!overflowed);
    fields
}

fn malformed(length: usize) -> (Fields, bool) {
    (vec![(0, Field::Malformed, length as u64)], false)
}

fn mechanism<T>(number: u64, parameter: *const T) -> CK_MECHANISM {
    CK_MECHANISM {
        mechanism: number,
        pParameter: parameter.cast_mut().cast(),
        ulParameterLen: if parameter.is_null() { 0 } else { size_of::<T>() as CK_ULONG },
    }
}

#[test]
fn every_structure_decodes_to_its_fields() {
    for Sample { shape, bytes, fields } in samples() {
        let guarded = Guarded::new(&bytes);
        assert_eq!(decoded(shape, guarded.at, bytes.len()), (fields, false), "{shape:?}");
    }
}

#[test]
fn a_structure_need_not_be_aligned() {
    for Sample { shape, bytes, fields } in samples() {
        for shift in 1..size_of::<CK_ULONG>() {
            let moved = [&vec![0xAA; shift][..], &bytes].concat();
            assert_eq!(
                decoded(shape, moved[shift..].as_ptr().cast(), bytes.len()),
                (fields.clone(), false),
                "{shape:?}"
            );
        }
    }
}

#[test]
fn every_shape_has_a_sample_and_every_field_a_structure() {
    let samples = samples();
    let shapes: HashSet<Shape> = samples.iter().map(|sample| sample.shape).collect();
    let plain = [Shape::None, Shape::Iv, Shape::Bytes];
    assert!(Shape::ALL.iter().all(|shape| shapes.contains(shape) || plain.contains(shape)));

    let mut recorded: HashSet<Field> =
        samples.iter().flat_map(|s| &s.fields).map(|(_, field, _)| *field).collect();
    recorded.extend([Field::IvLen, Field::Length, Field::Malformed, Field::Mechanism]);
    recorded.extend([Field::SigningMechanism, Field::DigestMechanism]);
    let unused: Vec<_> = Field::ALL.iter().filter(|field| !recorded.contains(field)).collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn it_is_known_which_parameters_hold_handles() {
    let samples = samples();
    for shape in Shape::ALL {
        let own = samples.iter().filter(|sample| sample.shape == *shape).flat_map(|sample| &sample.fields);
        let listed = matches!(shape, Shape::Sp800108Kdf | Shape::Sp800108FeedbackKdf);
        let expected = listed || own.into_iter().any(|(_, field, _)| field.kind() == Kind::Handle);
        assert_eq!(holds_handles(*shape), expected, "{shape:?}");
    }
}

#[test]
fn no_structure_has_a_field_twice() {
    for Sample { shape, fields, .. } in samples() {
        let different: HashSet<Field> = fields.iter().map(|(_, field, _)| *field).collect();
        assert_eq!(different.len(), fields.len(), "{shape:?}");
    }
}

#[test]
fn a_shorter_length_is_malformed_and_nothing_is_read() {
    let samples = samples();
    let unreadable = Guarded::new(&[]);
    for shape in Shape::ALL.iter().filter(|shape| !matches!(shape, Shape::None | Shape::Iv | Shape::Bytes)) {
        let sizes = samples.iter().filter(|sample| sample.shape == *shape).map(|sample| sample.bytes.len());
        for length in 0..sizes.min().unwrap() {
            assert_eq!(decoded(*shape, unreadable.at, length), malformed(length), "{shape:?}");
        }
    }
}

/// Modules that only ask whether a structure is long enough take one with more behind it: NSS does for some.
#[test]
fn a_longer_length_is_malformed_and_hides_nothing() {
    let samples = samples();
    for Sample { shape, bytes, fields } in &samples {
        let sizes: Vec<_> = samples.iter().filter(|s| s.shape == *shape).map(|s| s.bytes.len()).collect();
        for length in (bytes.len() + 1..LONGEST).take_while(|length| !sizes.contains(length)) {
            let longer = Guarded::new(&[bytes, &vec![0xAA; length - bytes.len()][..]].concat());
            let expected = [&fields[..], &[(0, Field::Malformed, length as u64)]].concat();
            assert_eq!(decoded(*shape, longer.at, length), (expected, false), "{shape:?} {length}");
        }
    }
}

#[test]
fn bytes_are_counted_and_never_read() {
    let unreadable = Guarded::new(&[]);
    for length in [0, 1, 16, usize::MAX] {
        for (shape, field) in [(Shape::Iv, Field::IvLen), (Shape::Bytes, Field::Length)] {
            assert_eq!(decoded(shape, unreadable.at, length), (vec![(0, field, length as u64)], false));
        }
    }
    assert_eq!(decoded(Shape::None, unreadable.at, 0), (vec![], false));
    assert_eq!(decoded(Shape::None, unreadable.at, 5), malformed(5));
}

#[test]
fn null_is_no_parameter_unless_it_claims_a_length() {
    for shape in Shape::ALL {
        assert_eq!(decoded(*shape, ptr::null(), 0), (vec![], false), "{shape:?}");
        for length in 1..LONGEST {
            assert_eq!(decoded(*shape, ptr::null(), length), malformed(length), "{shape:?}");
        }
    }
}

#[test]
fn what_was_decoded_before_is_gone() {
    let mut found = Parameters::new();
    let pss = CK_RSA_PKCS_PSS_PARAMS { hashAlg: CKM_SHA256, mgf: 2, sLen: 32 };
    // SAFETY: a whole structure; then nothing.
    unsafe {
        decode(Shape::RsaPkcsPss, ptr::from_ref(&pss).cast(), size_of_val(&pss), &mut found);
        decode(Shape::RsaPkcsPss, ptr::null(), 0, &mut found);
    }
    assert_eq!(found.as_slice(), []);
}

#[test]
fn an_address_in_the_place_of_a_password_length_is_not_recorded() {
    let lowest = NOWHERE.addr() as CK_ULONG;
    for (password, recorded) in
        [(0, true), (0xffff, true), (0x1_0000, false), (lowest, false), (CK_ULONG::MAX, false)]
    {
        let parameter = CK_PKCS5_PBKD2_PARAMS2 { ulPasswordLen: password, ..filled() };
        let found = of(Shape::Pkcs5Pbkd2, &parameter);
        assert_eq!(found.contains(&(0, Field::PasswordLen, password)), recorded, "{password:#x}");
        assert_eq!(found.len(), 4 + usize::from(recorded));
    }
}

#[test]
fn the_oaep_parameters_inside_a_key_wrap_are_fields_beside_it() {
    let oaep =
        CK_RSA_PKCS_OAEP_PARAMS { hashAlg: CKM_SHA256, mgf: 2, source: 1, ulSourceDataLen: 9, ..filled() };
    let wrap = CK_RSA_AES_KEY_WRAP_PARAMS { ulAESKeyBits: 256, pOAEPParams: ptr::from_ref(&oaep).cast_mut() };
    let expected = [
        (0, Field::AesKeyBits, 256),
        (0, Field::Hash, CKM_SHA256),
        (0, Field::Mgf, 2),
        (0, Field::Source, 1),
        (0, Field::SourceLen, 9),
    ];
    assert_eq!(of(Shape::RsaAesKeyWrap, &wrap), expected);
}

#[test]
fn a_mechanism_inside_a_mechanism_shows_with_its_own_parameter() {
    let length: CK_MAC_GENERAL_PARAMS = 12;
    let mac = mechanism(CKM_SHA256_HMAC_GENERAL, &raw const length);
    let kip =
        CK_KIP_PARAMS { pMechanism: ptr::from_ref(&mac).cast_mut(), hKey: 7, ulSeedLen: 20, ..filled() };
    let expected = [
        (0, Field::Mechanism, CKM_SHA256_HMAC_GENERAL),
        (1, Field::MacLen, 12),
        (0, Field::OtherKey, 7),
        (0, Field::SeedLen, 20),
    ];
    assert_eq!(of(Shape::Kip, &kip), expected);
}

#[test]
fn both_mechanisms_of_a_cms_signature_show() {
    let pss = CK_RSA_PKCS_PSS_PARAMS { hashAlg: CKM_SHA256, mgf: 2, sLen: 32 };
    let signing = mechanism(CKM_RSA_PKCS_PSS, &raw const pss);
    let digest = mechanism(CKM_SHA256, ptr::null::<u8>());
    let cms = CK_CMS_SIG_PARAMS {
        certificateHandle: 3,
        pSigningMechanism: ptr::from_ref(&signing).cast_mut(),
        pDigestMechanism: ptr::from_ref(&digest).cast_mut(),
        ulRequestedAttributesLen: 4,
        ulRequiredAttributesLen: 5,
        ..filled()
    };
    let expected = [
        (0, Field::Certificate, 3),
        (0, Field::SigningMechanism, CKM_RSA_PKCS_PSS),
        (1, Field::Hash, CKM_SHA256),
        (1, Field::Mgf, 2),
        (1, Field::SaltLen, 32),
        (0, Field::DigestMechanism, CKM_SHA256),
        (0, Field::RequestedAttributesLen, 4),
        (0, Field::RequiredAttributesLen, 5),
    ];
    assert_eq!(of(Shape::CmsSig, &cms), expected);
}

#[test]
fn a_nested_parameter_of_the_wrong_length_is_malformed_one_level_deeper() {
    let mac = CK_MECHANISM { ulParameterLen: 7, ..mechanism(CKM_SHA256_HMAC_GENERAL, NOWHERE) };
    let kip = CK_KIP_PARAMS { pMechanism: ptr::from_ref(&mac).cast_mut(), ..filled() };
    assert_eq!(of(Shape::Kip, &kip)[1], (1, Field::Malformed, 7));
}

#[test]
fn the_parameter_of_a_vendors_own_mechanism_is_counted() {
    let own = CK_MECHANISM { ulParameterLen: 40, ..mechanism(0x8000_0001, NOWHERE) };
    let kip = CK_KIP_PARAMS { pMechanism: ptr::from_ref(&own).cast_mut(), ..filled() };
    assert_eq!(of(Shape::Kip, &kip)[..2], [(0, Field::Mechanism, 0x8000_0001), (1, Field::Length, 40)]);
}

#[test]
fn a_nested_mechanism_need_not_be_aligned() {
    let own = mechanism(CKM_MD5_HMAC, ptr::null::<u8>());
    let mut moved = [0_u8; size_of::<CK_MECHANISM>() + 1];
    let place = moved[1..].as_mut_ptr().cast::<CK_MECHANISM>();
    // SAFETY: the array has room for a mechanism behind its first byte.
    unsafe { place.write_unaligned(own) };
    let kip = CK_KIP_PARAMS { pMechanism: place, ..filled() };
    assert_eq!(of(Shape::Kip, &kip)[0], (0, Field::Mechanism, CKM_MD5_HMAC));
}

#[test]
fn a_mechanism_that_contains_itself_ends_at_the_second_level_and_says_that_there_was_more() {
    let mut kip = CK_KIP_PARAMS { hKey: 7, ulSeedLen: 20, ..filled() };
    let mut own = mechanism(CKM_KIP_MAC, &raw const kip);
    kip.pMechanism = &raw mut own;
    let level = |depth| (depth, Field::Mechanism, CKM_KIP_MAC);
    let rest = |depth| [(depth, Field::OtherKey, 7), (depth, Field::SeedLen, 20)];
    let deeper = [(3, Field::Malformed, size_of_val(&kip) as u64)];
    let expected = [&[level(0), level(1), level(2)][..], &deeper, &rest(2), &rest(1), &rest(0)].concat();
    assert_eq!(decoded(Shape::Kip, (&raw const kip).cast(), size_of_val(&kip)), (expected, true));
}

#[test]
fn more_fields_than_there_is_room_for_are_cut_off_and_said_to_be() {
    let mut cms = CK_CMS_SIG_PARAMS { certificateHandle: 3, ..filled() };
    let mut own = mechanism(event::mechanism::CKM_CMS_SIG, &raw const cms);
    cms.pSigningMechanism = &raw mut own;
    cms.pDigestMechanism = &raw mut own;
    let (found, overflowed) = decoded(Shape::CmsSig, (&raw const cms).cast(), size_of_val(&cms));
    assert!(overflowed);
    assert_eq!(found.len(), MOST);
    assert_eq!(found.last(), Some(&(1, Field::Malformed, 0)));
}

#[test]
fn fields_of_a_nested_mechanism_stand_behind_the_field_that_names_it() {
    let mut cms = CK_CMS_SIG_PARAMS { certificateHandle: 3, pDigestMechanism: ptr::null_mut(), ..filled() };
    let mut own = mechanism(event::mechanism::CKM_CMS_SIG, &raw const cms);
    cms.pSigningMechanism = &raw mut own;
    let (found, _) = decoded(Shape::CmsSig, (&raw const cms).cast(), size_of_val(&cms));
    for pair in found.windows(2) {
        let [(outer, named, _), (inner, ..)] = pair else { unreachable!() };
        assert!(inner <= outer || (*inner == outer + 1 && named.kind() == Kind::Mechanism), "{pair:?}");
    }
}
