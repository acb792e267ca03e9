// SPDX-License-Identifier: Apache-2.0
//! A table of fixed size that remembers facts by (scope, handle). Reading takes no lock and writes nothing, so that
//! threads that use one key do not slow each other; what is oldest makes room, so that memory stays flat whatever
//! an application enumerates. Forgetting is always right: facts can be asked for again.

use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering, fence};

/// Entries that one handle can stand in.
const WAYS: usize = 4;

/// One entry: a stamp (odd while it is written, zero when empty), what it is about, and `W` words of facts guarded by
/// the stamp; then `X` words that are their own guard.
struct Entry<const W: usize, const X: usize> {
    stamp: AtomicU64,
    scope: AtomicU64,
    handle: AtomicU64,
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

/// The facts that were found, as they were at one moment.
pub(crate) struct Found<const W: usize> {
    /// Which entry, for [`Table::free`].
    pub(crate) place: usize,
    /// What the facts are about, besides the handle.
    pub(crate) scope: u64,
    /// The facts.
    pub(crate) words: [u64; W],
}

impl<const W: usize, const X: usize> Table<W, X> {
    /// A table for about `capacity` handles (a power of two), or none where there is no memory. Pages are taken up
    /// as they are used.
    pub(crate) fn new(capacity: usize) -> Option<Table<W, X>> {
        let mut entries = Vec::new();
        entries.try_reserve_exact(capacity.next_multiple_of(WAYS)).ok()?;
        let empty = || Entry {
            stamp: AtomicU64::new(0),
            scope: AtomicU64::new(0),
            handle: AtomicU64::new(0),
            words: [const { AtomicU64::new(0) }; W],
            free: [const { AtomicU64::new(0) }; X],
        };
        entries.resize_with(capacity.next_multiple_of(WAYS), empty);
        let mut used = Vec::new();
        used.try_reserve_exact(entries.len()).ok()?;
        Some(Table { entries: entries.into_boxed_slice(), writer: Mutex::new(Writer { clock: 0, used }) })
    }

    /// The facts about `handle`, in any scope where `scope` is none.
    pub(crate) fn find(&self, scope: Option<u64>, handle: u64) -> Option<Found<W>> {
        let set = self.set(handle);
        (set..set + WAYS).find_map(|place| self.read(place, scope, handle))
    }

    fn read(&self, place: usize, scope: Option<u64>, handle: u64) -> Option<Found<W>> {
        let entry = &self.entries[place];
        let stamp = entry.stamp.load(Ordering::Acquire);
        if stamp == 0 || stamp % 2 == 1 || entry.handle.load(Ordering::Relaxed) != handle {
            return None;
        }
        let own = entry.scope.load(Ordering::Relaxed);
        if scope.is_some_and(|scope| scope != own) {
            return None;
        }
        let words = std::array::from_fn(|at| entry.words[at].load(Ordering::Relaxed));
        fence(Ordering::Acquire);
        // A writer came between: what was read may be half of each. Not knowing is the right answer.
        (entry.stamp.load(Ordering::Relaxed) == stamp).then_some(Found { place, scope: own, words })
    }

    /// The words of an entry that are their own guard. They may belong to another handle by now: of use only for
    /// what may be wrong after an eviction.
    pub(crate) fn free(&self, place: usize) -> &[AtomicU64; X] {
        &self.entries[place].free
    }

    /// Remembers facts; the free words start at zero. True where another handle's facts made room.
    pub(crate) fn remember(&self, scope: u64, handle: u64, words: &[u64; W]) -> bool {
        let mut writer = self.writer.lock();
        let set = self.set(handle);
        let stamp = |place: usize| self.entries[place].stamp.load(Ordering::Relaxed);
        let own = (set..set + WAYS).find(|place| self.is(*place, scope, handle));
        let Some(place) = own.or_else(|| (set..set + WAYS).min_by_key(|place| stamp(*place))) else { return false };
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

    fn write(&self, entry: &Entry<W, X>, clock: u64, scope: u64, handle: u64, words: &[u64; W]) {
        entry.stamp.store(clock | 1, Ordering::Relaxed);
        // Orders the odd stamp before the words: a reader that sees a new word sees that stamp when it looks again.
        fence(Ordering::Release);
        entry.scope.store(scope, Ordering::Relaxed);
        entry.handle.store(handle, Ordering::Relaxed);
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
        usize::try_from(spread).unwrap_or(0) % (self.entries.len() / WAYS) * WAYS
    }
}
