// SPDX-License-Identifier: Apache-2.0
//! Many calls from many threads, to be counted on the other side.

use cryptoki_sys::*;
use event::Function;

use crate::frame::{Frame, invoke};
use crate::lifecycle::{opened, randoms};
use crate::module::Module;

/// `MODULE THREADS CALLS END`: every thread makes its share of `CALLS` calls in a session of its own; prints how
/// many returned `CKR_OK`. END says how it ends: `finalize`; `exit` without; or `wait` alive, for a signal.
pub(crate) fn storm(arguments: &[String]) {
    let module = Module::load(&arguments[0]);
    let [threads, calls] = [1, 2].map(|place| arguments[place].parse::<u64>().unwrap_or_default());
    let Some(table) = module.table("2.40") else { return };
    opened(&table);
    let shares: Vec<u64> = (0..threads).map(|thread| calls / threads + u64::from(thread < calls % threads)).collect();
    let succeeded: u64 = std::thread::scope(|scope| {
        let started: Vec<_> = shares.iter().map(|share| scope.spawn(|| calls_of_a_thread(&table, *share))).collect();
        started.into_iter().map(|thread| thread.join().unwrap_or(0)).sum()
    });
    println!("succeeded={succeeded}");
    match arguments.get(3).map(String::as_str) {
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
