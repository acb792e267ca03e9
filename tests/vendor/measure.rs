// SPDX-License-Identifier: Apache-2.0
//! Counts what arrives, in the file that `VENDOR_COUNTS` names (see `counts`), else in memory nobody sees.
//! It never fails a call: a module that cannot count must still answer as it always does.

use std::ffi::CString;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use cryptoki_sys::CK_MECHANISM;
use event::Function;

use crate::counts::{CELLS, LAST, SEEN, SEEN_PAIRS, cell};

/// One call of `function` came in by `way`.
pub(crate) fn arrived(way: usize, function: Function) {
    cells()[cell(way, function as usize)].fetch_add(1, Relaxed);
}

/// A mechanism came in: `at` is the address of the caller's structure, `mechanism` its content.
pub(crate) fn mechanism_arrived(at: *const CK_MECHANISM, mechanism: &CK_MECHANISM) {
    let cells = cells();
    let last = [mechanism.mechanism, at as u64, mechanism.pParameter as u64, mechanism.ulParameterLen];
    for (place, value) in last.into_iter().enumerate() {
        cells[LAST + place].store(value, Relaxed);
    }
    let key = mechanism.mechanism.wrapping_add(1);
    for pair in 0..SEEN_PAIRS {
        let name = &cells[SEEN + 2 * pair];
        let found = name.compare_exchange(0, key, Relaxed, Relaxed).unwrap_or_else(|known| known);
        if found == 0 || found == key {
            cells[SEEN + 2 * pair + 1].fetch_add(1, Relaxed);
            return;
        }
    }
}

fn cells() -> &'static [AtomicU64; CELLS] {
    static CELLS_AT: OnceLock<&'static [AtomicU64; CELLS]> = OnceLock::new();
    CELLS_AT.get_or_init(|| {
        let bytes = CELLS * size_of::<AtomicU64>();
        let file = std::env::var("VENDOR_COUNTS").ok().and_then(|path| CString::new(path).ok());
        // SAFETY: plain system calls; the mapping is page-aligned, zero-filled up to `bytes` and never unmapped,
        // and all access to it is atomic.
        unsafe {
            let fd = file.map_or(-1, |path| libc::open(path.as_ptr(), libc::O_RDWR | libc::O_CLOEXEC));
            let flags = if fd < 0 { libc::MAP_SHARED | libc::MAP_ANONYMOUS } else { libc::MAP_SHARED };
            let at =
                libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_READ | libc::PROT_WRITE, flags, fd, 0);
            libc::close(fd);
            if at == libc::MAP_FAILED {
                return Box::leak(Box::new([const { AtomicU64::new(0) }; CELLS]));
            }
            &*at.cast()
        }
    })
}
