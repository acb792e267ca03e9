// SPDX-License-Identifier: Apache-2.0
//! A table of fixed size that remembers facts by (scope, handle). Reading takes no lock and writes nothing, so that
//! threads that use one key do not slow each other; what is oldest makes room, so that memory stays flat whatever
//! an application enumerates. Forgetting is always right: facts can be asked for again.
#![allow(unsafe_code)]

use parking_lot::Mutex;
use std::alloc::{Layout, alloc_zeroed};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering, fence};

/// Entries that one handle can stand in.
const WAYS: usize = 4;

/// One entry: a stamp (odd while it is written, zero when empty), what it is about, and up to `W` words of facts guarded
/// by the stamp; then `X` words that are their own guard. All zeros is an empty entry.
#[repr(C)]
struct Entry<const W: usize, const X: usize> {
    stamp: AtomicU64,
    scope: AtomicU64,
    handle: AtomicU64,
    length: AtomicU64,
    words: [AtomicU64; W],
    free: [AtomicU64; X],
}

/// See the module.
pub(crate) struct Table<const W: usize, const X: usize> {
    entries: Box<[Entry<W, X>]>,
    writer: Mutex<Writer>,
}

/// What only writers need.
struct Writer {
    /// The stamp given last.
    clock: u64,
    /// The places of the entries in use, so that forgetting does not walk the whole table.
    used: Vec<usize>,
}

/// An entry that was found.
pub(crate) struct Found<'t, const W: usize, const X: usize> {
    entry: &'t Entry<W, X>,
    place: usize,
    stamp: u64,
    /// What the facts are about, besides the handle.
    pub(crate) scope: u64,
}

impl<const W: usize, const X: usize> Clone for Found<'_, W, X> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<const W: usize, const X: usize> Copy for Found<'_, W, X> {}

impl<const W: usize, const X: usize> Found<'_, W, X> {
    /// A number to find the entry by again, for [`Table::free_at`].
    pub(crate) fn place(&self) -> u64 {
        self.place as u64
    }

    /// Gives `take` the facts that were found. False where a writer came between: what was taken may then be half of
    /// each, and not knowing is the right answer.
    #[inline]
    pub(crate) fn read(&self, take: impl FnOnce(&[AtomicU64])) -> bool {
        let length = usize::try_from(self.entry.length.load(Ordering::Relaxed)).unwrap_or(0).min(W);
        take(&self.entry.words[..length]);
        // Orders the reads before the second look at the stamp.
        fence(Ordering::Acquire);
        self.entry.stamp.load(Ordering::Relaxed) == self.stamp
    }
}

impl<'t, const W: usize, const X: usize> Found<'t, W, X> {
    /// The words of an entry that are their own guard. They may belong to another handle by now: of use only for
    /// what may be wrong after an eviction.
    #[inline]
    pub(crate) fn free(&self) -> &'t [AtomicU64; X] {
        &self.entry.free
    }
}

impl<const W: usize, const X: usize> Table<W, X> {
    /// A table for `capacity` handles (a power of two, at least four), or none where there is no memory. Pages are taken
    /// up as they are used.
    pub(crate) fn new(capacity: usize) -> Option<Table<W, X>> {
        let mut used = Vec::new();
        used.try_reserve_exact(capacity).ok()?;
        let layout = Layout::array::<Entry<W, X>>(capacity).ok()?;
        // SAFETY: the layout has a size. Memory that is zero from the start need not be touched to be cleared.
        let start = unsafe { alloc_zeroed(layout) }.cast::<Entry<W, X>>();
        if start.is_null() {
            return None;
        }
        // SAFETY: so many entries were just allocated by the global allocator, and all zeros is an entry.
        let entries = unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(start, capacity)) };
        Some(Table { entries, writer: Mutex::new(Writer { clock: 0, used }) })
    }

    /// The entry of `handle`, in any scope where `scope` is none.
    #[inline]
    pub(crate) fn find(&self, scope: Option<u64>, handle: u64) -> Option<Found<'_, W, X>> {
        let set = self.set(handle);
        self.entries.get(set..set + WAYS)?.iter().zip(set..).find_map(|(entry, place)| {
            let stamp = entry.stamp.load(Ordering::Acquire);
            let own = entry.scope.load(Ordering::Relaxed);
            let is = stamp != 0
                && stamp.is_multiple_of(2)
                && entry.handle.load(Ordering::Relaxed) == handle
                && scope.is_none_or(|scope| scope == own);
            is.then_some(Found { entry, place, stamp, scope: own })
        })
    }

    /// The free words of the entry at `place`, if it is that of `handle` still.
    #[inline]
    pub(crate) fn free_at(&self, place: u64, handle: u64) -> Option<&[AtomicU64; X]> {
        let entry = self.entries.get(usize::try_from(place).ok()?)?;
        let is = entry.stamp.load(Ordering::Acquire) != 0 && entry.handle.load(Ordering::Relaxed) == handle;
        is.then_some(&entry.free)
    }

    /// Remembers facts; the free words start at zero. True where another handle's facts made room.
    pub(crate) fn remember(&self, scope: u64, handle: u64, words: &[u64]) -> bool {
        let mut writer = self.writer.lock();
        let set = self.set(handle);
        let stamp = |place: usize| self.entries[place].stamp.load(Ordering::Relaxed);
        let own = (set..set + WAYS).find(|place| self.is(*place, scope, handle));
        let Some(place) = own.or_else(|| (set..set + WAYS).min_by_key(|place| stamp(*place))) else {
            return false;
        };
        let evicted = own.is_none() && stamp(place) != 0;
        if stamp(place) == 0 {
            writer.used.push(place);
        }
        writer.clock += 2;
        self.write(&self.entries[place], writer.clock, scope, handle, words);
        evicted
    }

    /// Forgets every entry that `which` (scope, facts) names.
    pub(crate) fn forget_if(&self, which: impl Fn(u64, &[AtomicU64; W]) -> bool) {
        self.writer.lock().used.retain(|place| {
            let entry = &self.entries[*place];
            let forgotten = which(entry.scope.load(Ordering::Relaxed), &entry.words);
            if forgotten {
                entry.stamp.store(0, Ordering::Release);
            }
            !forgotten
        });
    }

    /// Forgets what is known of one handle in a scope.
    pub(crate) fn forget_handle(&self, scope: u64, handle: u64) {
        let mut writer = self.writer.lock();
        let set = self.set(handle);
        let Some(place) = (set..set + WAYS).find(|place| self.is(*place, scope, handle)) else { return };
        self.entries[place].stamp.store(0, Ordering::Release);
        if let Some(at) = writer.used.iter().position(|used| *used == place) {
            writer.used.swap_remove(at);
        }
    }

    /// Whether an entry is in use for this handle; for writers, which nobody changes it under.
    fn is(&self, place: usize, scope: u64, handle: u64) -> bool {
        let entry = &self.entries[place];
        entry.stamp.load(Ordering::Relaxed) != 0
            && entry.handle.load(Ordering::Relaxed) == handle
            && entry.scope.load(Ordering::Relaxed) == scope
    }

    fn write(&self, entry: &Entry<W, X>, clock: u64, scope: u64, handle: u64, words: &[u64]) {
        entry.stamp.store(clock | 1, Ordering::Relaxed);
        // Orders the odd stamp before the words: a reader that sees a new word sees that stamp when it looks again.
        fence(Ordering::Release);
        entry.scope.store(scope, Ordering::Relaxed);
        entry.handle.store(handle, Ordering::Relaxed);
        entry.length.store(words.len().min(W) as u64, Ordering::Relaxed);
        for (to, from) in entry.words.iter().zip(words) {
            to.store(*from, Ordering::Relaxed);
        }
        for free in &entry.free {
            free.store(0, Ordering::Relaxed);
        }
        entry.stamp.store(clock, Ordering::Release);
    }

    /// Where the entries of a handle begin. Handles count up, or are addresses: both spread by this odd multiplier.
    fn set(&self, handle: u64) -> usize {
        let spread = handle.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        // The capacity is a power of two: a mask, where a division would be waited for at every call.
        usize::try_from(spread).unwrap_or(0) & (self.entries.len() - 1) & !(WAYS - 1)
    }
}
