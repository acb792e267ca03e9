// SPDX-License-Identifier: Apache-2.0
//! Start, fork, unload.

use cryptoki_sys::*;
use event::Function;

use crate::frame::{Frame, invoke};
use crate::module::Module;

/// Initializes the module and opens a session; ends the program with the return value where the module refuses.
pub(crate) fn opened(table: &CK_FUNCTION_LIST_3_2) -> CK_SESSION_HANDLE {
    let mut args = CK_C_INITIALIZE_ARGS { flags: CKF_OS_LOCKING_OK, ..Default::default() };
    let mut session = 0;
    // SAFETY: valid arguments that live through the calls.
    let rv = unsafe {
        match (table.C_Initialize, table.C_OpenSession) {
            (Some(initialize), Some(open)) => match initialize((&raw mut args).cast()) {
                CKR_OK => {
                    open(7, CKF_SERIAL_SESSION | CKF_RW_SESSION, std::ptr::null_mut(), None, &mut session)
                }
                rv => rv,
            },
            _ => CKR_FUNCTION_NOT_SUPPORTED,
        }
    };
    if rv != CKR_OK {
        println!("opened={rv:#x}");
        std::process::exit(3);
    }
    session
}

/// `MODULE`: prints what `C_Initialize` answers, then `C_GetInfo`, then `C_Finalize`.
pub(crate) fn initialize(arguments: &[String]) {
    let module = Module::load(&arguments[0]);
    let Some(table) = module.table("2.40") else { return println!("no table") };
    for function in [Function::C_Initialize, Function::C_GetInfo, Function::C_Finalize] {
        let rv = invoke(&table, function, &mut Frame::new(0, 0));
        println!("{}={:#x}", function.name(), rv.unwrap_or(CK_RV::MAX));
    }
}

/// `MODULE CALLS`: so many digests before the fork, in the parent after it, and in the child, which goes on without
/// initializing again, as modules let it. Prints what each saw: `parent OK` and `child OK` counts and their pids.
pub(crate) fn fork(arguments: &[String]) {
    let module = Module::load(&arguments[0]);
    let calls: u64 = arguments.get(1).and_then(|text| text.parse().ok()).unwrap_or(10);
    let Some(table) = module.table("2.40") else { return };
    let session = opened(&table);
    let before = randoms(&table, session, calls);
    // SAFETY: this program has one thread.
    let child = unsafe { libc::fork() };
    let after = randoms(&table, session, calls);
    if child == 0 {
        println!("child pid={} calls={after}", std::process::id());
        return;
    }
    // SAFETY: waits for our own child.
    let status = unsafe {
        let mut status = 0;
        libc::waitpid(child, &mut status, 0);
        status
    };
    println!("parent pid={} calls={}", std::process::id(), before + after);
    println!("status={status}");
    invoke(&table, Function::C_Finalize, &mut Frame::new(0, 0));
}

/// `MODULE TIMES`: loads, uses and unloads the module again and again; prints how often all of it worked.
pub(crate) fn reload(arguments: &[String]) {
    let times: u64 = arguments.get(1).and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut worked = 0;
    for _ in 0..times {
        let module = Module::load(&arguments[0]);
        if let Some(table) = module.table("2.40") {
            let session = opened(&table);
            worked += randoms(&table, session, 1);
            invoke(&table, Function::C_Finalize, &mut Frame::new(0, 0));
        }
        module.unload();
    }
    println!("worked={worked}");
}

/// How many of `calls` calls of `C_GenerateRandom` succeeded.
pub(crate) fn randoms(table: &CK_FUNCTION_LIST_3_2, session: CK_SESSION_HANDLE, calls: u64) -> u64 {
    let mut bytes = [0u8; 16];
    let Some(random) = table.C_GenerateRandom else { return 0 };
    // SAFETY: a valid session and a buffer of the given length.
    (0..calls).filter(|_| unsafe { random(session, bytes.as_mut_ptr(), 16) } == CKR_OK).count() as u64
}
