// SPDX-License-Identifier: Apache-2.0
//! `C_GetMechanismList` and `C_GetMechanismInfo` as the policy leaves them: the same table that judges calls filters
//! what the application may choose from, so that a well-written one chooses what is allowed.
#![allow(unsafe_code)]

use cryptoki_sys::*;
use event::mechanism::{self, Operation};
use policy::Policy;

use crate::vendor::List;

/// `CKF_` bits that announce no operation of their own: kept whatever the policy says.
fn announced(flags: CK_FLAGS) -> impl Iterator<Item = Operation> {
    Operation::ALL.iter().copied().filter(move |operation| flags & operation.flags() != 0)
}

/// Whether the policy leaves a mechanism any use at all. Of a standard one the standard says what it can be asked to
/// do; of a vendor's own the token does.
fn usable(policy: &Policy, list: &List, slot: CK_SLOT_ID, mechanism: CK_MECHANISM_TYPE) -> bool {
    if let Some(known) = mechanism::by_number(mechanism) {
        return known.operations.iter().any(|operation| policy.may_use(mechanism, operation));
    }
    let mut info = CK_MECHANISM_INFO::default();
    // SAFETY: room for the answer.
    match list.0.C_GetMechanismInfo.map(|ask| unsafe { ask(slot, mechanism, &mut info) }) {
        Some(CKR_OK) => announced(info.flags).any(|operation| policy.may_use(mechanism, operation)),
        _ => Operation::ALL.iter().any(|operation| policy.may_use(mechanism, *operation)),
    }
}

/// `C_GetMechanismList`, filtered on all its three ways: count, too little room, fill (PKCS#11 3.2, section 5.5.5).
pub(crate) fn list(
    policy: &Policy,
    vendor: &List,
    slot: CK_SLOT_ID,
    out: *mut CK_MECHANISM_TYPE,
    count: *mut CK_ULONG,
) -> Option<CK_RV> {
    let forward = vendor.0.C_GetMechanismList?;
    let all = match whole(vendor, slot) {
        Ok(all) => all,
        // What the vendor refuses, it refuses to the caller itself.
        // SAFETY: the caller's arguments, as they came.
        Err(_) => return Some(unsafe { forward(slot, out, count) }),
    };
    let kept: Vec<u64> =
        all.iter().copied().filter(|mechanism| usable(policy, vendor, slot, *mechanism)).collect();
    if kept.len() == all.len() || count.is_null() {
        // SAFETY: the caller's arguments, as they came.
        return Some(unsafe { forward(slot, out, count) });
    }
    // SAFETY: not NULL, and the caller's promise that it is a count, and that there is room for so many.
    Some(unsafe { hand_out(&kept, out, count) })
}

/// Hands a list out as PKCS#11 has it: the count, too little room, the list (PKCS#11 3.2, section 5.2).
///
/// # Safety
/// `count` is a count, and `out` is NULL or has room for so many.
pub(crate) unsafe fn hand_out(list: &[CK_ULONG], out: *mut CK_ULONG, count: *mut CK_ULONG) -> CK_RV {
    // SAFETY: the caller's promise.
    let room = unsafe { count.read_unaligned() };
    // SAFETY: as above.
    unsafe { count.write_unaligned(list.len() as CK_ULONG) };
    if out.is_null() {
        return CKR_OK;
    }
    if room < list.len() as CK_ULONG {
        return CKR_BUFFER_TOO_SMALL;
    }
    for (place, entry) in list.iter().enumerate() {
        // SAFETY: the caller's promise of room for so many.
        unsafe { out.add(place).write_unaligned(*entry) };
    }
    CKR_OK
}

/// The vendor's whole list.
pub(crate) fn whole(vendor: &List, slot: CK_SLOT_ID) -> Result<Vec<u64>, Option<CK_RV>> {
    listed(&mut |list, count| vendor.mechanism_list(slot, list, count))
}

/// Asks the vendor for a list, for as much of it as there is room for; for its count where there is none.
type Ask<'a> = dyn FnMut(Option<&mut [u64]>, &mut CK_ULONG) -> Option<CK_RV> + 'a;

/// A whole list that `ask` gives, or its count where there is no room. The count is always asked for first: softokn of NSS
/// writes its whole list whatever the room. It may change between two questions.
#[inline(never)]
pub(crate) fn listed(ask: &mut Ask<'_>) -> Result<Vec<u64>, Option<CK_RV>> {
    for _ in 0..8 {
        let mut count = 0;
        let rv = ask(None, &mut count);
        if rv != Some(CKR_OK) {
            return Err(rv);
        }
        let length = usize::try_from(count).unwrap_or(usize::MAX);
        let mut list = Vec::new();
        list.try_reserve_exact(length).map_err(|_| Some(CKR_HOST_MEMORY))?;
        list.resize(length, 0);
        match ask(Some(&mut list), &mut count) {
            Some(CKR_OK) => {
                list.truncate(usize::try_from(count).unwrap_or(0));
                return Ok(list);
            }
            Some(CKR_BUFFER_TOO_SMALL) => (),
            other => return Err(other),
        }
    }
    Err(None)
}

/// `C_GetMechanismInfo`: a mechanism without use is none, and the flags of uses that are refused are taken away.
pub(crate) fn info(
    policy: &Policy,
    vendor: &List,
    slot: CK_SLOT_ID,
    mechanism: CK_MECHANISM_TYPE,
    out: *mut CK_MECHANISM_INFO,
) -> Option<CK_RV> {
    if !usable(policy, vendor, slot, mechanism) {
        return Some(CKR_MECHANISM_INVALID);
    }
    // SAFETY: the caller's arguments, as they came.
    let rv = vendor.0.C_GetMechanismInfo.map(|ask| unsafe { ask(slot, mechanism, out) })?;
    if rv == CKR_OK && !out.is_null() {
        // SAFETY: the vendor has just written there.
        let mut info = unsafe { out.read_unaligned() };
        for operation in announced(info.flags).filter(|operation| !policy.may_use(mechanism, *operation)) {
            info.flags &= !operation.flags();
        }
        // SAFETY: as above.
        unsafe { out.write_unaligned(info) };
    }
    Some(rv)
}
