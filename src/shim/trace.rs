// SPDX-License-Identifier: Apache-2.0
//! The interface "Vendor p11guard": an application tells which trace the calls of a thread belong to
//! (`pkcs11-headers/p11guard.h`). TRACEPARENT at start stands for every thread that does not.
#![allow(unsafe_code)]

use cryptoki_sys::{CK_INTERFACE, CK_RV, CK_VERSION, CKR_ARGUMENTS_BAD, CKR_OK};
use event::record::Trace;
use std::ffi::{CStr, c_char};
use std::ptr;

use crate::gate::ours;
use crate::thread;

/// The name of the interface.
pub(crate) const NAME: &CStr = c"Vendor p11guard";

#[repr(C)]
#[allow(non_snake_case)]
struct Functions {
    version: CK_VERSION,
    SetTraceContext: unsafe extern "C" fn(*const c_char) -> CK_RV,
}

static FUNCTIONS: Functions =
    Functions { version: CK_VERSION { major: 1, minor: 0 }, SetTraceContext: set_trace_context };

/// The interface as `C_GetInterface` gives it. Nobody writes through its pointers.
pub(crate) fn interface() -> CK_INTERFACE {
    CK_INTERFACE {
        pInterfaceName: NAME.as_ptr().cast_mut().cast(),
        pFunctionList: ptr::from_ref(&FUNCTIONS).cast_mut().cast(),
        flags: 0,
    }
}

unsafe extern "C" fn set_trace_context(traceparent: *const c_char) -> CK_RV {
    let set = || {
        if traceparent.is_null() {
            thread::set_trace(None);
            return CKR_OK;
        }
        // SAFETY: the caller's promise: a NULL-terminated string.
        let text = unsafe { CStr::from_ptr(traceparent) };
        match text.to_str().ok().and_then(Trace::parse) {
            Some(trace) => {
                thread::set_trace(Some(trace));
                CKR_OK
            }
            None => CKR_ARGUMENTS_BAD,
        }
    };
    ours(set).unwrap_or(CKR_ARGUMENTS_BAD)
}
