// SPDX-License-Identifier: Apache-2.0
//! What each thread keeps: which lane it publishes through, its kernel id, its trace context. No destructor runs
//! when a thread ends.

use event::record::Trace;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

/// A thread as one process sees it.
#[derive(Clone, Copy)]
pub(crate) struct Thread {
    /// The stream that the lane belongs to: another one means another process or another ring.
    pub(crate) stream: u64,
    /// The lane.
    pub(crate) lane: u16,
    /// The kernel's thread id.
    pub(crate) id: u32,
}

thread_local! {
    static THREAD: Cell<Thread> = const { Cell::new(Thread { stream: 0, lane: 0, id: 0 }) };
    static TRACE: Cell<Option<Trace>> = const { Cell::new(None) };
}

/// The calling thread; `join` gives it a lane where it has none of this stream.
pub(crate) fn current(stream: u64, join: impl FnOnce() -> Thread) -> Thread {
    THREAD.with(|cell| {
        let thread = cell.get();
        if thread.stream == stream {
            return thread;
        }
        let joined = join();
        cell.set(joined);
        joined
    })
}

/// Some thread has set a trace context: until then no thread needs to look for its own.
static TRACED: AtomicBool = AtomicBool::new(false);

/// The calling thread's trace context; `otherwise` where it has none.
#[inline]
pub(crate) fn trace(otherwise: Option<Trace>) -> Option<Trace> {
    if TRACED.load(Ordering::Relaxed) { TRACE.with(Cell::get).or(otherwise) } else { otherwise }
}

/// Sets the calling thread's trace context.
pub(crate) fn set_trace(trace: Option<Trace>) {
    TRACED.store(true, Ordering::Relaxed);
    TRACE.with(|cell| cell.set(trace));
}
