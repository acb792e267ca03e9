// SPDX-License-Identifier: Apache-2.0
//! What the parameter of a mechanism says, as fields: lengths, counts, handles and names of algorithms. Reads
//! a structure only where the caller's length has room for it, follows no pointer but those to structures of a
//! fixed size, and records no byte of a buffer.
#![allow(unsafe_code)]

mod shapes;

use cryptoki_sys::CK_MECHANISM;
use event::mechanism::{self, Shape};
use event::parameter::{Field, Parameter};
use std::ffi::c_void;
use std::mem::MaybeUninit;

/// At most this many fields of one call are recorded.
pub(crate) const MOST: usize = 24;

/// Mechanisms inside mechanisms are followed to this depth: a `CK_KIP_PARAMS` may point to itself.
const DEEPEST: u8 = 2;

/// The fields of one call, over memory that is not cleared: that would cost more than to decode.
#[derive(Debug)]
pub(crate) struct Parameters {
    list: [MaybeUninit<Parameter>; MOST],
    /// The first so many of `list` are written.
    used: usize,
    overflowed: bool,
}

impl Parameters {
    /// No field yet.
    pub(crate) const fn new() -> Parameters {
        Parameters { list: [const { MaybeUninit::uninit() }; MOST], used: 0, overflowed: false }
    }

    /// The fields in the order of the structure, those of a nested mechanism behind the field that names it.
    pub(crate) fn as_slice(&self) -> &[Parameter] {
        let written = self.list.get(..self.used).unwrap_or_default();
        // SAFETY: `put` alone moves `used`, past a place that it has written.
        unsafe { written.assume_init_ref() }
    }

    /// Whether there was more than is recorded: fields beyond [`MOST`], or a mechanism nested deeper than is
    /// followed. The fields say so by a [`Field::Malformed`] inside a nested mechanism.
    pub(crate) fn overflowed(&self) -> bool {
        self.overflowed
    }

    fn put(&mut self, depth: u8, field: Field, value: u64) {
        match self.list.get_mut(self.used) {
            Some(place) => {
                place.write(Parameter { depth, field, value });
                self.used += 1;
            }
            None => {
                self.overflowed = true;
                if let Some(last) = self.list.last_mut() {
                    last.write(Parameter { depth: 1, field: Field::Malformed, value: 0 });
                }
            }
        }
    }
}

/// Puts the fields of a mechanism's parameter into `out`, in place of what was there. No parameter (NULL and
/// 0) has no field; one that cannot be what `shape` says has [`Field::Malformed`] with the length that was
/// claimed, behind the fields of what it is longer than, if it is.
///
/// # Safety
/// `parameter` is what the caller passed as `pParameter`: NULL, or readable for `length` bytes as PKCS#11
/// demands of it; so are the structures that it points to. It need not be aligned.
pub(crate) unsafe fn decode(shape: Shape, parameter: *const c_void, length: usize, out: &mut Parameters) {
    out.used = 0;
    out.overflowed = false;
    // SAFETY: our caller's promise about `parameter` is the one that is asked for.
    unsafe { fields(shape, parameter, length, 0, out) }
}

/// Whether the parameter of this shape holds object handles: in its structure, or in the list that those of SP 800-108
/// point to, which is no part of the fields.
pub(crate) fn holds_handles(shape: Shape) -> bool {
    matches!(shape, Shape::Sp800108Kdf | Shape::Sp800108FeedbackKdf) || shapes::holds_handles(shape)
}

/// # Safety
/// As for [`decode`].
unsafe fn fields(shape: Shape, parameter: *const c_void, length: usize, depth: u8, out: &mut Parameters) {
    if parameter.is_null() && length == 0 {
        return;
    }
    // SAFETY: `parameter` is not NULL here, so our caller's promise makes it readable for `length` bytes.
    if parameter.is_null() || !unsafe { shapes::read(shape, parameter, length, depth, out) } {
        out.put(depth, Field::Malformed, length as u64);
    }
}

/// The mechanism that a structure at `depth` points to, then the fields of its parameter one level deeper.
///
/// # Safety
/// `at` is NULL, or a readable `CK_MECHANISM`, aligned or not, whose parameter is as [`decode`] demands.
unsafe fn nested(named: Field, at: *const CK_MECHANISM, depth: u8, out: &mut Parameters) {
    if at.is_null() {
        return;
    }
    // SAFETY: `at` is not NULL here, so our caller's promise makes it readable.
    let inner = unsafe { at.read_unaligned() };
    out.put(depth, named, inner.mechanism.word());
    if depth == DEEPEST {
        if !inner.pParameter.is_null() {
            out.overflowed = true;
            out.put(depth + 1, Field::Malformed, inner.ulParameterLen.word());
        }
        return;
    }
    let shape = mechanism::by_number(inner.mechanism.word()).map_or(Shape::Bytes, |m| m.parameter);
    let length = usize::try_from(inner.ulParameterLen).unwrap_or(usize::MAX);
    // SAFETY: our caller's promise covers the parameter of the mechanism at `at`.
    unsafe { fields(shape, inner.pParameter, length, depth + 1, out) }
}

/// A number of a C structure, whatever its width here.
trait Word {
    fn word(self) -> u64;
}

impl Word for u8 {
    fn word(self) -> u64 {
        u64::from(self)
    }
}

impl Word for u32 {
    fn word(self) -> u64 {
        u64::from(self)
    }
}

impl Word for u64 {
    fn word(self) -> u64 {
        self
    }
}
