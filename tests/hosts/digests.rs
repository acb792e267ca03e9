// SPDX-License-Identifier: Apache-2.0
//! Judged calls from many threads, for as long as a test needs them.

use cryptoki_sys::*;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::lifecycle::opened;
use crate::module::Module;

/// `MODULE THREADS`: so many threads start MD5 and SHA-256 digests and cancel them, at full speed, until standard input
/// ends.
pub(crate) fn digests(arguments: &[String]) {
    let module = Module::load(&arguments[0]);
    let threads: usize = arguments[1].parse().unwrap_or_default();
    let Some(table) = module.table("2.40") else { return };
    opened(&table);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| digests_of_a_thread(&table, &done));
        }
        let _ = std::io::stdin().lines().last();
        done.store(true, Ordering::Relaxed);
    });
}

fn digests_of_a_thread(table: &CK_FUNCTION_LIST_3_2, done: &AtomicBool) {
    let mut session = 0;
    let (Some(open), Some(start), Some(end)) = (table.C_OpenSession, table.C_DigestInit, table.C_DigestFinal)
    else {
        return;
    };
    // SAFETY: valid arguments.
    if unsafe { open(7, CKF_SERIAL_SESSION, std::ptr::null_mut(), None, &mut session) } != CKR_OK {
        return;
    }
    while !done.load(Ordering::Relaxed) {
        for mechanism in [CKM_MD5, CKM_SHA256].repeat(10) {
            let mut mechanism =
                CK_MECHANISM { mechanism, pParameter: std::ptr::null_mut(), ulParameterLen: 0 };
            let (mut digest, mut length) = ([0; 64], 64);
            // SAFETY: valid arguments.
            if unsafe { start(session, &mut mechanism) } == CKR_OK {
                // SAFETY: as above.
                unsafe { end(session, digest.as_mut_ptr(), &mut length) };
            }
        }
        // Somebody has to read what is recorded of this.
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
