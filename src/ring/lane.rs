// SPDX-License-Identifier: Apache-2.0
//! The producer's half of the lane protocol: number, reserve, copy, commit. Never waits, never allocates.
//!
//! Generic over the words it works on, so that loom runs this very code (model.rs). Each ordering says why it is
//! enough; the other half of every pair is in reader.rs.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::frame::{Geometry, WORD, span};
use crate::layout::{BODY_MAX, BODY_MIN};
use crate::loss::{LOSS_SLOTS, Loss};

/// A 64-bit word that several threads or processes share.
pub(crate) trait Word {
    fn load(&self, order: Ordering) -> u64;
    fn store(&self, value: u64, order: Ordering);
    fn add(&self, value: u64, order: Ordering) -> u64;
    fn exchange(&self, current: u64, new: u64, order: Ordering) -> Result<u64, u64>;
}

macro_rules! word {
    ($atomic:ty) => {
        impl Word for $atomic {
            #[inline]
            fn load(&self, order: Ordering) -> u64 {
                self.load(order)
            }
            #[inline]
            fn store(&self, value: u64, order: Ordering) {
                self.store(value, order);
            }
            #[inline]
            fn add(&self, value: u64, order: Ordering) -> u64 {
                self.fetch_add(value, order)
            }
            #[inline]
            fn exchange(&self, current: u64, new: u64, order: Ordering) -> Result<u64, u64> {
                self.compare_exchange_weak(current, new, order, Relaxed)
            }
        }
    };
}

word!(AtomicU64);
#[cfg(loom)]
word!(loom::sync::atomic::AtomicU64);

/// A lane's control block. The first cache line is the producers'; the consumer's words share the second with the
/// rarer losses only.
#[repr(C)]
pub(crate) struct Control<W> {
    /// Bytes ever reserved: the position of the next frame.
    pub(crate) head: W,
    /// Sequence numbers ever given.
    pub(crate) attempted: W,
    /// Frames ever committed.
    pub(crate) published: W,
    /// The last good reading of `tail`, so that publishing need not touch the consumer's cache line.
    pub(crate) seen: W,
    pub(crate) lost: [W; LOSS_SLOTS],
    /// Bytes ever acknowledged. Written by the consumer.
    pub(crate) tail: W,
    /// `!tail`, written after it: a reader that finds both in agreement has no torn value.
    pub(crate) mirror: W,
    pub(crate) spare: [W; 2],
}

/// One lane's memory: mapped pages in life, loom's words in the model.
pub(crate) trait Memory {
    type Word: Word;

    fn control(&self) -> &Control<Self::Word>;

    fn geometry(&self) -> Geometry;

    /// The commit word at an offset of the lane: a multiple of 8 below the lane's size.
    ///
    /// # Safety
    /// The caller has reserved the word and not committed it.
    unsafe fn word(&self, offset: u64) -> &Self::Word;

    /// Copies a body, words and the bytes behind them, to an offset of the lane.
    ///
    /// # Safety
    /// The caller has reserved these bytes, inside the lane, and not committed them.
    unsafe fn copy<const N: usize>(&self, offset: u64, words: [u64; N], bytes: &[u8]);
}

/// Gives the next sequence number, the first being 1.
#[inline]
pub(crate) fn begin(memory: &impl Memory) -> u64 {
    // Relaxed: a number orders nothing but itself.
    memory.control().attempted.add(1, Relaxed) + 1
}

/// Counts a record that was begun and will not be published.
#[inline]
pub(crate) fn lose(memory: &impl Memory, reason: Loss) {
    memory.control().lost[reason as usize].add(1, Relaxed);
}

/// Publishes a body, words and the bytes behind them, or counts why not.
#[inline]
pub(crate) fn publish<const N: usize>(
    memory: &impl Memory,
    words: [u64; N],
    bytes: &[u8],
) -> Result<(), Loss> {
    let length = size_of_val(&words) as u64 + bytes.len() as u64;
    let written = reserve(memory, length).map(|position| {
        let offset = memory.geometry().offset(position);
        // SAFETY: `reserve` gave us the whole span at `position`, which does not cross the end of the lane.
        unsafe { memory.copy(offset + WORD, words, bytes) };
        commit(memory, position, length);
    });
    if let Err(reason) = written {
        lose(memory, reason);
    }
    written
}

/// Takes room for a body; the position is where its frame starts. Filler before it is committed here.
#[inline]
pub(crate) fn reserve(memory: &impl Memory, body: u64) -> Result<u64, Loss> {
    if body > BODY_MAX {
        return Err(Loss::Oversize);
    }
    if body < BODY_MIN {
        return Err(Loss::Internal);
    }
    let (control, lane) = (memory.control(), memory.geometry());
    let span = span(body);
    // Relaxed, here and in the exchange: head hands out positions and publishes nothing. The consumer believes
    // commit words, never head, and the bytes themselves become ours through `seen` below.
    let mut head = control.head.load(Relaxed);
    loop {
        let pad = if span > lane.bytes_to_end(head) { lane.bytes_to_end(head) } else { 0 };
        let next = head.wrapping_add(pad + span);
        // Acquire: the consumer's last look at these bytes comes before our first write to them. It released
        // `tail`; whoever stored `seen` acquired that and releases it to us.
        let room = |tail: u64| next.wrapping_sub(tail) <= lane.lane_bytes;
        if !room(control.seen.load(Acquire)) && !room(look(control)) {
            // A head older than the tail looks like no room as well. Having acquired the tail, this load can
            // return no head older than the one that the consumer saw.
            let now = control.head.load(Relaxed);
            if now == head {
                return Err(Loss::RingFull);
            }
            head = now;
            continue;
        }
        match control.head.exchange(head, next, Relaxed) {
            Ok(_) if pad == 0 => return Ok(head),
            Ok(_) => {
                // SAFETY: the exchange gave us everything from head to next.
                let word = unsafe { memory.word(lane.offset(head)) };
                // Relaxed: filler has no body that would have to be visible with it.
                word.store(lane.pad(head), Relaxed);
                return Ok(head.wrapping_add(pad));
            }
            Err(now) => head = now,
        }
    }
}

/// Reads the consumer's tail. A value caught half-written is not used: the last good one stands.
#[cold]
fn look<W: Word>(control: &Control<W>) -> u64 {
    // The mirror is written last, so it is read first: a new mirror means that the whole tail is new.
    let mirror = control.mirror.load(Acquire);
    let tail = control.tail.load(Acquire);
    if mirror == !tail {
        // Several threads may do this at once and leave the older value; that only means another look.
        control.seen.store(tail, Release);
        tail
    } else {
        control.seen.load(Acquire)
    }
}

#[inline]
fn commit(memory: &impl Memory, position: u64, length: u64) {
    let (control, lane) = (memory.control(), memory.geometry());
    // SAFETY: reserved, and committed here.
    let word = unsafe { memory.word(lane.offset(position)) };
    // Release: whoever reads this word and then fences reads the body behind it.
    word.store(lane.commit(position, length), Release);
    control.published.add(1, Relaxed);
}
