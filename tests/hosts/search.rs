// SPDX-License-Identifier: Apache-2.0
//! An application on a token with objects of several tenants: what it finds, in searches that take turns, and what the
//! handles of others' objects are good for.

use cryptoki_sys::*;
use event::Function;

use crate::cross::numbers;
use crate::frame::{Frame, invoke};
use crate::module::Module;
use crate::sight::framed;

/// The first slot whose token has this label; ends the program where there is none.
fn slot_of(table: &CK_FUNCTION_LIST_3_2, label: &str) -> CK_SLOT_ID {
    let slots = labelled_slots(table);
    match slots.iter().find(|(_, own)| own == label) {
        Some((slot, _)) => *slot,
        None => {
            println!("no token {label} among {slots:?}");
            std::process::exit(4)
        }
    }
}

fn labelled_slots(table: &CK_FUNCTION_LIST_3_2) -> Vec<(CK_SLOT_ID, String)> {
    let Some((list, info)) = table.C_GetSlotList.zip(table.C_GetTokenInfo) else { return Vec::new() };
    let (mut slots, mut count) = ([0; 16], 16);
    // SAFETY: room for as many as the count says; then a place for each token's information.
    unsafe {
        list(CK_TRUE, slots.as_mut_ptr(), &mut count);
        slots[..count as usize]
            .iter()
            .map(|slot| {
                let mut token = CK_TOKEN_INFO::default();
                info(*slot, &mut token);
                (*slot, String::from_utf8_lossy(&token.label).trim_end().to_owned())
            })
            .collect()
    }
}

fn started(table: &CK_FUNCTION_LIST_3_2) {
    let mut args = CK_C_INITIALIZE_ARGS { flags: CKF_OS_LOCKING_OK, ..Default::default() };
    // SAFETY: valid arguments.
    table.C_Initialize.map(|initialize| unsafe { initialize((&raw mut args).cast()) });
}

fn session(table: &CK_FUNCTION_LIST_3_2, slot: CK_SLOT_ID) -> CK_SESSION_HANDLE {
    let mut session = 0;
    let flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
    // SAFETY: a place for the handle.
    table.C_OpenSession.map(|open| unsafe { open(slot, flags, std::ptr::null_mut(), None, &mut session) });
    session
}

fn log_in(table: &CK_FUNCTION_LIST_3_2, session: CK_SESSION_HANDLE, pin: &str) {
    // SAFETY: a PIN of its length.
    table
        .C_Login
        .map(|login| unsafe { login(session, CKU_USER, pin.as_ptr().cast_mut(), pin.len() as CK_ULONG) });
}

fn label(table: &CK_FUNCTION_LIST_3_2, session: CK_SESSION_HANDLE, object: CK_OBJECT_HANDLE) -> String {
    let mut text = [0_u8; 64];
    let mut asked = CK_ATTRIBUTE { type_: CKA_LABEL, pValue: text.as_mut_ptr().cast(), ulValueLen: 64 };
    // SAFETY: an attribute with room for its value.
    match table.C_GetAttributeValue.map(|ask| unsafe { ask(session, object, &mut asked, 1) }) {
        Some(CKR_OK) => String::from_utf8_lossy(&text[..asked.ulValueLen as usize]).replace(' ', "_"),
        rv => format!("{:#x}", rv.unwrap_or(CK_RV::MAX)),
    }
}

/// `MODULE LABEL PIN MOST…`: the tokens that are listed; then for each number two searches on two sessions, in turns and so
/// many objects at a time, with every object's label read between: `MOST LABEL…` for each session.
pub(crate) fn search(arguments: &[String]) {
    let module = Module::load(&arguments[0]);
    let Some(table) = module.table("2.40") else { return };
    started(&table);
    let labels: Vec<_> = labelled_slots(&table).into_iter().map(|(_, label)| label).collect();
    println!("tokens {}", labels.join(","));
    let slot = slot_of(&table, &arguments[1]);
    let sessions = [session(&table, slot), session(&table, slot)];
    log_in(&table, sessions[0], &arguments[2]);
    let (Some(begin), Some(next), Some(end)) =
        (table.C_FindObjectsInit, table.C_FindObjects, table.C_FindObjectsFinal)
    else {
        return;
    };
    for most in numbers(&arguments[3..]) {
        let mut found = [Vec::new(), Vec::new()];
        let mut open = [true; 2];
        // SAFETY: no template; room for as many handles as are asked for.
        unsafe {
            for session in sessions {
                begin(session, std::ptr::null_mut(), 0);
            }
            while open != [false; 2] {
                for (place, session) in sessions.into_iter().enumerate() {
                    if !open[place] {
                        continue;
                    }
                    let (mut room, mut count) = ([u64::MAX; 16], 0);
                    let rv = next(session, room.as_mut_ptr(), most, &mut count);
                    open[place] = rv == CKR_OK && count > 0;
                    for handle in &room[..count as usize] {
                        found[place].push(label(&table, session, *handle));
                    }
                    if room[count as usize..].iter().any(|rest| !matches!(rest, 0 | &u64::MAX)) {
                        println!("left behind {room:?}");
                    }
                }
            }
            for session in sessions {
                end(session);
            }
        }
        for labels in &mut found {
            labels.sort();
            println!("{most} {}", labels.join(","));
        }
    }
    invoke(&table, Function::C_Finalize, &mut Frame::new(0, 0));
}

/// `MODULE BARE LABEL PIN`: every object that the bare module knows, and what the other one makes of its handle:
/// `LABEL read=… size=RV sign=RV copy=RV set=RV digest=RV destroy=RV`.
pub(crate) fn foreign(arguments: &[String]) {
    let [module, bare] = [0, 1].map(|place| Module::load(&arguments[place]).table("2.40"));
    let (Some(table), Some(bare)) = (module, bare) else { return };
    started(&table);
    let slot = slot_of(&bare, &arguments[2]);
    // Handles are for the whole application: what one session finds is good in every other.
    let (own, other) = (session(&table, slot), session(&bare, slot));
    log_in(&table, own, &arguments[3]);
    let (mut room, mut count) = ([0; 64], 0);
    if let (Some(begin), Some(next), Some(end)) =
        (bare.C_FindObjectsInit, bare.C_FindObjects, bare.C_FindObjectsFinal)
    {
        // SAFETY: no template; room for 64 handles.
        unsafe {
            begin(other, std::ptr::null_mut(), 0);
            next(other, room.as_mut_ptr(), 64, &mut count);
            end(other);
        }
    }
    for handle in &room[..count as usize] {
        let mut line = format!("{} read={}", label(&bare, other, *handle), label(&table, own, *handle));
        let mut call = |name: &str, function, mechanism| {
            let mut frame = framed(own, mechanism, *handle);
            (frame.mechanism.pParameter, frame.mechanism.ulParameterLen) = (std::ptr::null_mut(), 0);
            line += &format!(" {name}={:#x}", invoke(&table, function, &mut frame).unwrap_or(CK_RV::MAX));
        };
        call("size", Function::C_GetObjectSize, 0);
        call("sign", Function::C_SignInit, CKM_ECDSA);
        // Ends what may have begun.
        call("cancel", Function::C_Sign, 0);
        call("copy", Function::C_CopyObject, 0);
        call("wrap", Function::C_WrapKey, CKM_AES_KEY_WRAP);
        call("destroy", Function::C_DestroyObject, 0);
        println!("{line} after={}", label(&bare, other, *handle));
    }
    invoke(&table, Function::C_Finalize, &mut Frame::new(0, 0));
}
