// SPDX-License-Identifier: Apache-2.0
//! The one path of every call: decode, judge, forward, record. No lock is held over the vendor's function, and our
//! own code is caught if it panics; the vendor's is never ours to catch.

use cryptoki_sys::{CK_RV, CKR_CRYPTOKI_NOT_INITIALIZED, CKR_FUNCTION_NOT_SUPPORTED};
use event::Function;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::call::{Call, Room};
use crate::start::Shim;
use crate::vendor::List;

/// Takes a call through: `before` reads its facts, `forward` calls the vendor's function (none where the vendor has
/// no such function), `after` reads what it gave.
#[inline]
pub(crate) fn gate(
    function: Function,
    table: usize,
    before: impl FnOnce(&mut Call<'_>),
    forward: impl FnOnce(&mut Call<'_>, &List) -> Option<CK_RV>,
    after: impl FnOnce(&mut Call<'_>),
) -> CK_RV {
    // Some functions may be called before C_Initialize, and some modules answer them.
    let Some(shim) = Shim::current().or_else(start) else { return CKR_CRYPTOKI_NOT_INITIALIZED };
    let mut room = Room::new();
    let mut call = Call::begin(shim, function, &mut room);
    let read = ours(|| {
        before(&mut call);
        call.judge();
    });
    if read.is_none() {
        call.faulted();
    }
    match call.refusal() {
        Some(rv) => call.answered(rv),
        None => {
            let rv = shim.vendor.list(table).and_then(|list| forward(&mut call, list));
            call.returned(rv.unwrap_or(CKR_FUNCTION_NOT_SUPPORTED));
        }
    }
    let recorded = ours(|| {
        if call.reached_vendor() {
            after(&mut call);
        }
        call.take_effect();
        call.count_answer();
        call.record();
    });
    if recorded.is_none() {
        let _ = ours(|| call.record_what_there_is());
    }
    call.rv()
}

#[cold]
fn start() -> Option<&'static Shim> {
    ours(Shim::start).flatten()
}

/// Runs our own code; none where it panicked, which the application must not notice.
#[inline]
pub(crate) fn ours<T>(code: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(code)).ok()
}
