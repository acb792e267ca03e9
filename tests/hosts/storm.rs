// SPDX-License-Identifier: Apache-2.0
//! Many calls from many threads, to be counted on the other side.

use cryptoki_sys::*;
use event::Function;

use crate::frame::{Frame, invoke};
use crate::lifecycle::{opened, randoms};
use crate::module::Module;

/// `MODULE THREADS CALLS ROUNDS END`: in each round `THREADS` threads make `CALLS` calls together, each in a session of
/// its own. Says `round` after each and waits for a line before the next; at last how many calls returned `CKR_OK`. END
/// says how it ends: `finalize`; `exit` without; or `wait` alive, for a signal.
pub(crate) fn storm(arguments: &[String]) {
    let module = Module::load(&arguments[0]);
    let [threads, calls, rounds] = [1, 2, 3].map(|place| arguments[place].parse::<u64>().unwrap_or_default());
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
            let started: Vec<_> =
                shares.iter().map(|share| scope.spawn(|| calls_of_a_thread(&table, *share))).collect();
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

fn calls_of_a_thread(table: &CK_FUNCTION_LIST_3_2, calls: u64) -> u64 {
    let mut session = 0;
    let Some(open) = table.C_OpenSession else { return 0 };
    // SAFETY: valid arguments.
    let rv = unsafe { open(7, CKF_SERIAL_SESSION, std::ptr::null_mut(), None, &mut session) };
    if rv != CKR_OK || calls == 0 {
        return 0;
    }
    1 + randoms(table, session, calls - 1)
}
