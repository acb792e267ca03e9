// SPDX-License-Identifier: Apache-2.0
//! A clock for batches of calls that make no system call: what else runs on the machine is none of their cost.

use std::time::Duration;

/// The time that processors have spent on the calling thread.
pub(crate) fn spent() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the system call fills the structure that it is given.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(failed, 0, "every Linux has this clock");
    let part = |number: i64| u64::try_from(number).expect("no time is negative");
    Duration::from_secs(part(time.tv_sec)) + Duration::from_nanos(part(time.tv_nsec))
}
