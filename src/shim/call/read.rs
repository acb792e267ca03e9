// SPDX-License-Identifier: Apache-2.0
//! Reading the caller's mechanism, templates and texts: unaligned, bounded, and never the value of an attribute that
//! may carry key material.
#![allow(unsafe_code)]

use cryptoki_sys::{CK_ATTRIBUTE, CK_MECHANISM, CK_ULONG};
use event::attribute::{self, Kind};
use std::ffi::c_void;

/// More attributes than this are counted, not recorded.
const MOST_ATTRIBUTES: usize = 64;
/// More attributes than this are not looked at: no object has so many.
const MOST_JUDGED: usize = 4096;
/// Longer values than this are recorded by their length alone.
const LONGEST_VALUE: usize = 64;

/// One attribute of a template.
pub(super) struct Attribute<'a> {
    /// The `CKA_` number.
    pub(super) number: u64,
    /// `ulValueLen`.
    pub(super) length: u64,
    /// The value, where it is public and short.
    pub(super) value: Option<&'a [u8]>,
    /// It may carry key material.
    pub(super) secret: bool,
}

impl<'a> Attribute<'a> {
    /// As the record wants it.
    pub(super) fn for_record(self) -> (u64, u64, Option<&'a [u8]>) {
        (self.number, self.length, self.value)
    }
}

/// The mechanism at `pointer`; none for NULL.
///
/// # Safety
/// `pointer` is NULL or points to a CK_MECHANISM, aligned or not.
#[inline]
pub(super) unsafe fn mechanism(pointer: *const CK_MECHANISM) -> Option<CK_MECHANISM> {
    // SAFETY: the caller's promise.
    (!pointer.is_null()).then(|| unsafe { pointer.read_unaligned() })
}

/// The structure at `pointer`; none where `length` is not its own.
///
/// # Safety
/// `pointer` is NULL or points to `length` bytes, and any bytes are a valid `T`.
pub(super) unsafe fn structure<T>(pointer: *const c_void, length: CK_ULONG) -> Option<T> {
    let whole = !pointer.is_null() && length == size_of::<T>() as CK_ULONG;
    // SAFETY: the caller's promise.
    whole.then(|| unsafe { pointer.cast::<T>().read_unaligned() })
}

/// The attributes of a template. The values of those of the standard that carry no key material may be recorded; what
/// a vendor's own attribute carries is not known, and nested templates are pointers.
///
/// # Safety
/// `pointer` is NULL or points to `count` CK_ATTRIBUTEs, aligned or not, whose values are as long as they say.
pub(super) unsafe fn template<'a>(
    pointer: *const CK_ATTRIBUTE,
    count: CK_ULONG,
) -> impl Iterator<Item = Attribute<'a>> {
    // SAFETY: the caller's promise.
    unsafe { attributes(pointer, count, MOST_ATTRIBUTES) }
}

/// As [`template`], of longer ones more.
///
/// # Safety
/// As [`template`].
pub(super) unsafe fn template_to_judge<'a>(
    pointer: *const CK_ATTRIBUTE,
    count: CK_ULONG,
) -> impl ExactSizeIterator<Item = Attribute<'a>> {
    // SAFETY: the caller's promise.
    unsafe { attributes(pointer, count, MOST_JUDGED) }
}

/// # Safety
/// As [`template`].
unsafe fn attributes<'a>(
    pointer: *const CK_ATTRIBUTE,
    count: CK_ULONG,
    most: usize,
) -> impl ExactSizeIterator<Item = Attribute<'a>> {
    // SAFETY: the caller's promise.
    unsafe { entries(pointer, count, most) }.map(|attribute| {
        let length = usize::try_from(attribute.ulValueLen).unwrap_or(usize::MAX);
        let known = attribute::by_number(attribute.type_);
        let secret = known.is_none_or(|known| known.secret);
        let keeps = !secret && known.is_some_and(|known| known.kind != Kind::Template);
        let readable = !attribute.pValue.is_null() && length <= LONGEST_VALUE && keeps;
        let value = readable.then(|| {
            // SAFETY: the caller's promise; the length is small.
            unsafe { std::slice::from_raw_parts(attribute.pValue.cast::<u8>(), length) }
        });
        Attribute { number: attribute.type_, length: attribute.ulValueLen, value, secret }
    })
}

/// The numbers of a template's attributes.
///
/// # Safety
/// As [`template`], but for the values, which are not read.
#[inline]
pub(super) unsafe fn numbers(
    pointer: *const CK_ATTRIBUTE,
    count: CK_ULONG,
) -> impl ExactSizeIterator<Item = u64> {
    // SAFETY: the caller's promise.
    unsafe { entries(pointer, count, MOST_ATTRIBUTES) }.map(|attribute| attribute.type_)
}

/// As [`numbers`], of longer templates more.
///
/// # Safety
/// As [`numbers`].
pub(super) unsafe fn numbers_to_judge(
    pointer: *const CK_ATTRIBUTE,
    count: CK_ULONG,
) -> impl ExactSizeIterator<Item = u64> {
    // SAFETY: the caller's promise.
    unsafe { entries(pointer, count, MOST_JUDGED) }.map(|attribute| attribute.type_)
}

/// # Safety
/// As [`template`], but for the values, which are not read.
#[inline]
pub(super) unsafe fn entries(
    pointer: *const CK_ATTRIBUTE,
    count: CK_ULONG,
    most: usize,
) -> impl ExactSizeIterator<Item = CK_ATTRIBUTE> {
    let count = if pointer.is_null() { 0 } else { usize::try_from(count).unwrap_or(0).min(most) };
    // SAFETY: the caller's promise.
    (0..count).map(move |place| unsafe { pointer.add(place).read_unaligned() })
}

/// Words as the bytes that they were made of.
pub(super) fn bytes_of(words: &[u64]) -> &[u8] {
    // SAFETY: as many bytes, of which any are valid, and no stricter alignment.
    unsafe { std::slice::from_raw_parts(words.as_ptr().cast(), size_of_val(words)) }
}

/// Text of the caller, at most `most` bytes of it.
///
/// # Safety
/// `pointer` is NULL or points to `length` bytes.
pub(super) unsafe fn bytes<'a>(pointer: *const u8, length: CK_ULONG, most: usize) -> &'a [u8] {
    let length = usize::try_from(length).unwrap_or(0).min(most);
    if pointer.is_null() || length == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(pointer, length) }
}
