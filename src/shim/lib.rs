// SPDX-License-Identifier: Apache-2.0
//! `libp11guard.so`: the PKCS#11 module that applications load in place of the vendor's. Every call is judged,
//! forwarded and recorded. It starts no thread, prints nothing, and keeps no PIN, key value or plaintext.
#![deny(unsafe_code)]

mod abi;
mod call;
mod facts;
mod gate;
mod in_force;
mod interfaces;
mod lifecycle;
mod mechanisms;
mod memory;
mod process;
mod quarantine;
mod recorder;
mod start;
mod thread;
mod trace;
mod vendor;
mod visible;
