// SPDX-License-Identifier: Apache-2.0
//! Many calls from many threads, to be counted on the other side.

use cryptoki_sys::*;
use event::Function;

use crate::frame::{Frame, invoke};
use crate::lifecycle::{opened, randoms};
use crate::module::Module;

/// `MODULE THREADS CALLS ROUNDS END [digests]`: in each round `THREADS` threads make `CALLS` calls together, each in a session of
/// its own: random numbers, or digests of three calls and random numbers between them. Says `round` after each and waits for a line before the next; at last how many calls returned `CKR_OK`. END
/// says how it ends: `finalize`; `exit` without; or `wait` alive, for a signal.
pub(crate) fn storm(arguments: &[String]) {
    let module = Module::load(&arguments[0]);
    let [threads, calls, rounds] = [1, 2, 3].map(|place| arguments[place].parse::<u64>().unwrap_or_default());
    let digests = arguments.get(5).is_some_and(|work| work == "digests");
    let Some(table) = module.table("2.40") else { return };
    opened(&table);
    let shares: Vec<u64> =
        (0..threads).map(|thread| calls / threads + u64::from(thread < calls % threads)).collect();
    let mut succeeded = 0;
    let mut lines = std::io::stdin().lines();
    for round in 0..rounds {
        if round > 0 {
            println!("round");
            lines.next();
        }
        succeeded += std::thread::scope(|scope| {
            let started: Vec<_> = shares
                .iter()
                .map(|share| scope.spawn(|| calls_of_a_thread(&table, *share, digests)))
                .collect();
            started.into_iter().map(|thread| thread.join().unwrap_or(0)).sum::<u64>()
        });
    }
    println!("succeeded={succeeded}");
    match arguments.get(4).map(String::as_str) {
        Some("wait") => loop {
            std::thread::park();
        },
        Some("exit") => {}
        _ => drop(invoke(&table, Function::C_Finalize, &mut Frame::new(0, 0))),
    }
}

fn calls_of_a_thread(table: &CK_FUNCTION_LIST_3_2, calls: u64, digests: bool) -> u64 {
    let mut session = 0;
    let Some(open) = table.C_OpenSession else { return 0 };
    // SAFETY: valid arguments.
    let rv = unsafe { open(7, CKF_SERIAL_SESSION, std::ptr::null_mut(), None, &mut session) };
    if rv != CKR_OK || calls == 0 {
        return 0;
    }
    let work = if digests { mixed } else { randoms };
    1 + work(table, session, calls - 1)
}

/// How many of `calls` calls succeeded, of which the last may leave a digest unfinished.
fn mixed(table: &CK_FUNCTION_LIST_3_2, session: CK_SESSION_HANDLE, calls: u64) -> u64 {
    let (Some(init), Some(update), Some(last), Some(random)) =
        (table.C_DigestInit, table.C_DigestUpdate, table.C_DigestFinal, table.C_GenerateRandom)
    else {
        return 0;
    };
    let mut mechanism =
        CK_MECHANISM { mechanism: CKM_SHA256, pParameter: std::ptr::null_mut(), ulParameterLen: 0 };
    let mut bytes = [0; 64];
    let call = |place: &u64| {
        let mut length = 64;
        // SAFETY: a valid session, a mechanism without parameter, and buffers of the given length.
        let rv = unsafe {
            match place % 4 {
                0 => init(session, &mut mechanism),
                1 => update(session, bytes.as_mut_ptr(), 40),
                2 => last(session, bytes.as_mut_ptr(), &mut length),
                _ => random(session, bytes.as_mut_ptr(), 16),
            }
        };
        rv == CKR_OK
    };
    (0..calls).filter(call).count() as u64
}
