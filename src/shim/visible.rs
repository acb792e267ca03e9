// SPDX-License-Identifier: Apache-2.0
//! `C_FindObjects`, `C_GetSlotList` and `C_WaitForSlotEvent` as the policy leaves them: what may not be seen is not in
//! the answer; where a fault of our own keeps it from being judged, neither. Where the policy hides nothing they are
//! forwarded as they came.
#![allow(unsafe_code)]

use cryptoki_sys::*;
use policy::Act;

use crate::call::Call;
use crate::gate::ours;
use crate::mechanisms::{hand_out, listed};
use crate::vendor::List;

/// Hidden events in a row after which a caller who does not wait is told that there is none.
const MOST_EVENTS: usize = 1024;

/// `C_FindObjects`. To every client a count of 0 is the end of the search, and to many one below what they asked for: so
/// for what is hidden the vendor is asked for more, until the caller's room is full or the vendor has no more.
pub(crate) fn objects(
    call: &mut Call<'_>,
    vendor: &List,
    session: CK_SESSION_HANDLE,
    out: *mut CK_OBJECT_HANDLE,
    most: CK_ULONG,
    count: *mut CK_ULONG,
) -> Option<CK_RV> {
    let forward = vendor.0.C_FindObjects?;
    if !call.policy().considers(Act::See) || out.is_null() || count.is_null() {
        // SAFETY: the caller's arguments, as they came.
        return Some(unsafe { forward(session, out, most, count) });
    }
    let room = usize::try_from(most).unwrap_or(usize::MAX);
    let (mut kept, mut written, mut hidden) = (0, 0, false);
    let answer = loop {
        let asked = room - kept;
        let mut given = 0;
        // SAFETY: the caller's room, behind what is kept of it.
        let rv = unsafe { forward(session, out.add(kept), asked as CK_ULONG, &mut given) };
        if rv != CKR_OK {
            // What was found before is the caller's; the next call hears of the failure.
            break if kept > 0 { CKR_OK } else { rv };
        }
        let given = usize::try_from(given).unwrap_or(usize::MAX).min(asked);
        let given = kept..kept + given;
        written = written.max(given.end);
        let none = given.is_empty();
        for place in given {
            // SAFETY: the vendor has written so many.
            let handle = unsafe { out.add(place).read_unaligned() };
            if ours(|| call.shows_object(handle)).unwrap_or(false) {
                // SAFETY: at or before the place that was read.
                unsafe { out.add(kept).write_unaligned(handle) };
                kept += 1;
            } else {
                hidden = true;
            }
        }
        // A vendor that gave less than was asked is asked again only where something was taken away.
        if none || kept == room || !hidden {
            break CKR_OK;
        }
    };
    for place in kept..written {
        // SAFETY: the vendor has written there. Not even the number of what is hidden stays.
        unsafe { out.add(place).write_unaligned(CK_INVALID_HANDLE) };
    }
    if answer == CKR_OK {
        // SAFETY: not NULL, and the caller's promise that it is a count.
        unsafe { count.write_unaligned(kept as CK_ULONG) };
    }
    Some(answer)
}

/// `C_GetSlotList`, on all its three ways.
pub(crate) fn slots(
    call: &mut Call<'_>,
    vendor: &List,
    present: CK_BBOOL,
    out: *mut CK_SLOT_ID,
    count: *mut CK_ULONG,
) -> Option<CK_RV> {
    let forward = vendor.0.C_GetSlotList?;
    if !call.policy().considers(Act::SeeToken) || count.is_null() {
        // SAFETY: the caller's arguments, as they came.
        return Some(unsafe { forward(present, out, count) });
    }
    match listed(&mut |list, count| vendor.slot_list(present, list, count)) {
        Ok(mut slots) => {
            slots.retain(|slot| ours(|| call.shows_slot(*slot)).unwrap_or(false));
            // SAFETY: not NULL, and the caller's promise that it is a count and there is room for so many.
            Some(unsafe { hand_out(&slots, out, count) })
        }
        Err(rv) => rv.or(Some(CKR_GENERAL_ERROR)),
    }
}

/// `C_WaitForSlotEvent`: an event in a hidden slot is none. The vendor writes to a place of our own, so that not even
/// its number reaches the caller.
pub(crate) fn event(
    call: &mut Call<'_>,
    vendor: &List,
    flags: CK_FLAGS,
    out: *mut CK_SLOT_ID,
    reserved: CK_VOID_PTR,
) -> Option<CK_RV> {
    let forward = vendor.0.C_WaitForSlotEvent?;
    if !call.policy().considers(Act::SeeToken) || out.is_null() {
        // SAFETY: the caller's arguments, as they came.
        return Some(unsafe { forward(flags, out, reserved) });
    }
    let mut hidden = 0;
    while flags & CKF_DONT_BLOCK == 0 || hidden < MOST_EVENTS {
        let mut slot = 0;
        // SAFETY: the caller's arguments, with a place for the slot.
        let rv = unsafe { forward(flags, &mut slot, reserved) };
        if rv != CKR_OK {
            return Some(rv);
        }
        if ours(|| call.shows_slot(slot)).unwrap_or(false) {
            // SAFETY: not NULL, and the caller's promise that it is a place for a slot.
            unsafe { out.write_unaligned(slot) };
            return Some(CKR_OK);
        }
        hidden += 1;
    }
    Some(CKR_NO_EVENT)
}
