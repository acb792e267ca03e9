// SPDX-License-Identifier: Apache-2.0
//! `C_Initialize` and `C_Finalize`: they start the library and end what is remembered, and otherwise pass through
//! untouched, `pReserved`, mutex callbacks and flags included.
#![allow(unsafe_code)]

use cryptoki_sys::{CK_RV, CKR_GENERAL_ERROR, CKR_OK};
use event::Function;
use std::ffi::c_void;

use crate::gate::{gate, ours};
use crate::start::Shim;

/// Without a valid configuration the module does not start: `CKR_GENERAL_ERROR`, and the reason is written down.
pub(crate) fn initialize(table: usize, arguments: *mut c_void) -> CK_RV {
    if ours(Shim::start).flatten().is_none() {
        return CKR_GENERAL_ERROR;
    }
    gate(
        Function::C_Initialize,
        table,
        |_| (),
        // SAFETY: the caller's argument, as it came.
        |_, list| list.0.C_Initialize.map(|initialize| unsafe { initialize(arguments) }),
        |_| (),
    )
}

pub(crate) fn finalize(table: usize, reserved: *mut c_void) -> CK_RV {
    let rv = gate(
        Function::C_Finalize,
        table,
        |_| (),
        // SAFETY: the caller's argument, as it came.
        |_, list| list.0.C_Finalize.map(|finalize| unsafe { finalize(reserved) }),
        |_| (),
    );
    if rv == CKR_OK
        && let Some(shim) = Shim::current()
        && let Some(recorder) = shim.recorder()
    {
        let _ = ours(|| recorder.finalized(&shim.policy));
    }
    rv
}
