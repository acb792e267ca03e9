// SPDX-License-Identifier: Apache-2.0
//! Which fields of which structures name an algorithm, asked of the shim's own decoder: every shape over memory that is a
//! right structure of any kind, at every length.

#[path = "../../src/shim/call"]
#[allow(dead_code)]
mod call {
    pub(crate) mod parameter;
}

use std::collections::BTreeSet;

use call::parameter::{Parameters, decode};
use event::mechanism::Shape;
use event::parameter::Field;

/// Longer than any structure, in words.
const LONGEST: usize = 64;

/// The pairs of shape and field that the decoder can find, of the fields that `wanted` picks.
pub(crate) fn known(wanted: impl Fn(Field) -> bool) -> BTreeSet<(String, &'static str)> {
    // Zeros are a mechanism without a parameter, and any structure without a pointer.
    let inner = [0_u64; LONGEST];
    let whole = [inner.as_ptr() as u64; LONGEST];
    let mut found = BTreeSet::new();
    let mut parameters = Parameters::new();
    for shape in Shape::ALL {
        for length in 0..size_of_val(&whole) {
            // SAFETY: `length` bytes of words, each of which leads to more bytes than any structure has.
            unsafe { decode(*shape, whole.as_ptr().cast(), length, &mut parameters) };
            let fields = parameters.as_slice().iter().map(|parameter| parameter.field);
            found.extend(
                fields.filter(|field| wanted(*field)).map(|field| (format!("{shape:?}"), field.name())),
            );
        }
    }
    found
}
