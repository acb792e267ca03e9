// SPDX-License-Identifier: Apache-2.0
//! A measuring device in the shape of a PKCS#11 module: it counts every call by function and way in, keeps the
//! state that the standard asks for, answers always the same, and misbehaves where `VENDOR_MISBEHAVE` says so.
//! It refuses to be a token: it computes nothing and protects nothing.
//!
//! Most of its behaviour is an expansion of the facts in `event::pkcs11!`: each word there has a method in `words`.
#![allow(non_snake_case)]
// CK_ULONG is as wide as usize wherever these tests run.
#![allow(clippy::cast_possible_truncation)]

mod call;
mod counts;
mod discovery;
mod entry;
mod measure;
mod misbehaviour;
mod object;
mod special;
mod token;
mod words;
