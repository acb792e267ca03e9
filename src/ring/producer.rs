// SPDX-License-Identifier: Apache-2.0
//! The application's end of a ring: makes it, maps it for good, and hands out [`Lane`]s to publish through.
//!
//! Whatever it finds in the shared pages, it writes inside its own lanes only. In a forked child, where the pages
//! are not mapped, every method here is inert; [`Generation`] tells the caller to make a ring of its own.

use std::fs::File;
use std::io::Read;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::ptr::{self, NonNull};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::Backing;
use crate::clock::{Clock, Triple};
use crate::definitions;
use crate::error::Error;
use crate::fork::Generation;
use crate::frame::{self, Geometry, WORD};
use crate::lane::{self, Control, Memory};
use crate::layout::{DEFINITION_MAX, DEFINITIONS_BYTES, HELLO_MAX, Layout, MAGIC, Page, VERSION, index};
use crate::loss::Loss;
use crate::system;

/// The writing end of one ring. Its pages stay mapped when it is dropped, because a call under way may still be
/// publishing: make one per process and keep it.
#[derive(Debug)]
pub struct Producer {
    file: ManuallyDrop<File>,
    /// Device and inode of the ring, to know its descriptor by.
    identity: (u64, u64),
    start: NonNull<u8>,
    layout: Layout,
    stream: [u8; 16],
    salt: u64,
    generation: Generation,
}

// SAFETY: the pointer is to shared pages that stay mapped and are only accessed as atomic words, or as bytes that
// the lane protocol has given to one thread.
unsafe impl Send for Producer {}
// SAFETY: as above.
unsafe impl Sync for Producer {}

impl Producer {
    /// Makes a ring. `hello` is what the consumer is told first, up to 64 KiB of it.
    ///
    /// # Errors
    /// [`Error`] if HELLO is too long, a limit of the process forbids it, or the system refuses a step. Nothing is
    /// left behind then: no file, no descriptor, no mapping.
    pub fn create(
        layout: Layout,
        backing: Backing<'_>,
        clock: Clock,
        hello: &[u8],
        generation: Generation,
    ) -> Result<Producer, Error> {
        if hello.len() as u64 > HELLO_MAX {
            return Err(Error::Hello(hello.len()));
        }
        let stream = system::random::<16>()?;
        let salt = frame::salt(u64::from_ne_bytes(system::random::<8>()?));
        let file = match backing {
            Backing::Memfd => system::memory_file(layout.total())?,
            Backing::File(path) => system::spool_file(path, layout.total())?,
        };
        let mapped = file
            .metadata()
            .map_err(|error| Error::System {
                step: "examine the new ring",
                errno: error.raw_os_error().unwrap_or(0),
            })
            .and_then(|status| Ok((status, system::map(&file, layout.total())?)));
        let (status, start) = match mapped {
            Ok(mapped) => mapped,
            Err(error) => {
                if let Backing::File(path) = backing {
                    system::discard(path);
                }
                return Err(error);
            }
        };
        let producer = Producer {
            file: ManuallyDrop::new(file),
            identity: (status.dev(), status.ino()),
            start,
            layout,
            stream,
            salt,
            generation,
        };
        producer.introduce(clock, hello);
        Ok(producer)
    }

    /// The descriptor to hand to a collector. Ask [`owns_descriptor`](Producer::owns_descriptor) first.
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Whether the descriptor still is the ring: some hosts close every descriptor they do not know and use the
    /// numbers again. One `fstat`.
    #[must_use]
    pub fn owns_descriptor(&self) -> bool {
        self.file.metadata().is_ok_and(|status| (status.dev(), status.ino()) == self.identity)
    }

    /// The stream's random name.
    #[must_use]
    pub fn stream(&self) -> [u8; 16] {
        self.stream
    }

    /// Number of lanes.
    #[must_use]
    pub fn lanes(&self) -> u16 {
        self.layout.lanes()
    }

    /// A handle on a lane; indices beyond the last start again at the first.
    #[must_use]
    pub fn lane(&self, index: u16) -> Lane {
        let lane = index % self.layout.lanes();
        let at = |offset| {
            // SAFETY: the layout that sized the mapping gave the offset, so it lies inside.
            unsafe { self.start.add(crate::layout::index(offset)) }
        };
        Lane {
            control: at(self.layout.control_at(lane)).cast(),
            data: at(self.layout.lane_at(lane)),
            geometry: self.geometry(),
            generation: self.generation,
        }
    }

    /// When the collector last gave a sign of life: its `CLOCK_MONOTONIC` in nanoseconds, 0 if never.
    #[inline]
    #[must_use]
    pub fn heartbeat(&self) -> u64 {
        // Relaxed, as with the other two: a word of its own that orders nothing.
        self.page().map_or(0, |page| page.heartbeat.load(Relaxed))
    }

    /// The policy generation that the collector has announced.
    #[inline]
    #[must_use]
    pub fn policy(&self) -> u64 {
        self.page().map_or(0, |page| page.policy.load(Relaxed))
    }

    /// The collector's quarantine word, 0 if there is none.
    #[inline]
    #[must_use]
    pub fn quarantined(&self) -> u64 {
        self.page().map_or(0, |page| page.quarantine.load(Relaxed))
    }

    /// Refreshes the header's latest clock triple. Where another thread, or the one that a signal interrupted, is at
    /// it already, that one's triple is as good.
    pub fn stamp(&self, triple: Triple) {
        let Some(page) = self.page() else { return };
        let stamps = page.stamps.load(Relaxed);
        let odd = stamps.wrapping_add(1);
        // Acquire: the triple is not written before the number is odd. Release: nor after it is even again.
        if stamps.is_multiple_of(2) && page.stamps.compare_exchange(stamps, odd, Acquire, Relaxed).is_ok() {
            std::sync::atomic::fence(Release);
            write_triple(&page.latest, triple);
            page.stamps.store(odd.wrapping_add(1), Release);
        }
    }

    /// Keeps bytes that frames speak of by the place given back, as long as there is a ring. None where they are longer
    /// than 1024 bytes, empty, or where there is no room any more: the frame then carries them itself.
    #[must_use]
    pub fn define(&self, bytes: &[u8]) -> Option<u64> {
        let (page, length) = (self.page()?, bytes.len() as u64);
        if length == 0 || length > DEFINITION_MAX {
            return None;
        }
        let behind = |place: u64| {
            let end = place.checked_add(definitions::room(length))?;
            (end <= DEFINITIONS_BYTES).then_some(end)
        };
        // Relaxed: it hands out places. Whoever speaks of one publishes a frame after this, and the frame's commit
        // orders the bytes.
        let place = page.defined.fetch_update(Relaxed, Relaxed, behind).ok()?;
        // SAFETY: the words and bytes from `place` lie inside the area, which lies inside the mapping, and were
        // given to nobody else.
        unsafe {
            let head = self.start.add(index(self.layout.definitions_at() + place));
            head.cast::<u64>().write(length);
            ptr::copy_nonoverlapping(
                bytes.as_ptr(),
                head.add(index(definitions::HEAD)).as_ptr(),
                bytes.len(),
            );
        }
        Some(place)
    }

    /// Says that nothing more will be published.
    pub fn close(&self) {
        if let Some(page) = self.page() {
            // Release: whoever reads the flag finds every frame committed before it.
            page.closed.store(1, Release);
        }
    }

    fn introduce(&self, clock: Clock, hello: &[u8]) {
        let Some(page) = self.page() else { return };
        // SAFETY: HELLO's area lies inside the mapping, holds HELLO_MAX bytes, and nobody else knows the ring yet.
        unsafe {
            let area = self.start.add(index(self.layout.hello_at()));
            ptr::copy_nonoverlapping(hello.as_ptr(), area.as_ptr(), hello.len());
        }
        let now = Triple::now(clock);
        for (word, value) in [
            (&page.version, VERSION),
            (&page.lanes, u64::from(self.layout.lanes())),
            (&page.lane_bytes, self.layout.lane_bytes()),
            (&page.hello_bytes, hello.len() as u64),
            (&page.salt, self.salt),
            (&page.pid, u64::from(std::process::id())),
            (&page.generation, self.generation.number()),
            (&page.clock, clock.to_word()),
        ] {
            word.store(value, Relaxed);
        }
        write_id(&page.stream, self.stream);
        write_id(&page.boot, boot_id());
        write_triple(&page.first, now);
        write_triple(&page.latest, now);
        // Release, and last: a spool file found half made has no magic.
        page.magic.store(MAGIC, Release);
    }

    const fn geometry(&self) -> Geometry {
        Geometry { lane_bytes: self.layout.lane_bytes(), salt: self.salt }
    }

    /// The header, or nothing in a forked child, which has no such pages.
    #[inline]
    fn page(&self) -> Option<&Page> {
        // SAFETY: an intact generation means that the mapping of `create`, never undone, is there; a page is zeroed
        // or written by us, aligned, larger than a Page, and any bits are valid words.
        self.generation.intact().then(|| unsafe { self.start.cast().as_ref() })
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        // A host that closed all descriptors may have a file of its own under our number.
        if self.owns_descriptor() {
            // SAFETY: dropped here and nowhere else.
            unsafe { ManuallyDrop::drop(&mut self.file) };
        }
    }
}

/// A handle to publish through. Copies of it, on any thread and in signal handlers, may be used at the same time;
/// one lane per thread is faster.
#[derive(Clone, Copy, Debug)]
pub struct Lane {
    control: NonNull<Control<AtomicU64>>,
    data: NonNull<u8>,
    geometry: Geometry,
    generation: Generation,
}

// SAFETY: as for Producer; the handle outlives it because the mapping is never undone.
unsafe impl Send for Lane {}
// SAFETY: as above.
unsafe impl Sync for Lane {}

impl Lane {
    /// The next sequence number, from 1. Take it before anything else about a call is decided: each one must end in
    /// [`publish`](Lane::publish) or [`lose`](Lane::lose). In a forked child it is 0, and nothing is counted.
    #[inline]
    #[must_use]
    pub fn begin(&self) -> u64 {
        if self.generation.intact() { lane::begin(&Mapped(self)) } else { 0 }
    }

    /// Publishes a frame of 8 to 4096 bytes.
    ///
    /// # Errors
    /// The reason that was counted as the loss of this record. In a forked child [`Loss::Internal`], uncounted.
    #[inline]
    pub fn publish(&self, frame: &[u8]) -> Result<(), Loss> {
        self.publish_words([], frame)
    }

    /// Publishes a frame of words and the bytes behind them, 8 to 4096 bytes in all.
    ///
    /// # Errors
    /// As [`publish`](Lane::publish).
    #[inline]
    pub fn publish_words<const N: usize>(&self, words: [u64; N], bytes: &[u8]) -> Result<(), Loss> {
        if self.generation.intact() {
            lane::publish(&Mapped(self), words, bytes)
        } else {
            Err(Loss::Internal)
        }
    }

    /// Counts a record that was begun and will not be published.
    #[inline]
    pub fn lose(&self, reason: Loss) {
        if self.generation.intact() {
            lane::lose(&Mapped(self), reason);
        }
    }
}

/// A lane whose pages are mapped: made only after its generation was found intact.
struct Mapped<'a>(&'a Lane);

impl Memory for Mapped<'_> {
    type Word = AtomicU64;

    #[inline]
    fn control(&self) -> &Control<AtomicU64> {
        // SAFETY: the generation is intact, so the mapping is there; `Producer::lane` found the block inside it.
        unsafe { self.0.control.as_ref() }
    }

    #[inline]
    fn geometry(&self) -> Geometry {
        self.0.geometry
    }

    #[inline]
    unsafe fn word(&self, offset: u64) -> &AtomicU64 {
        // SAFETY: mapped as above; the caller's offset is aligned, inside the lane, and reserved by the caller.
        unsafe { self.0.data.add(index(offset)).cast().as_ref() }
    }

    #[inline]
    unsafe fn copy<const N: usize>(&self, offset: u64, words: [u64; N], bytes: &[u8]) {
        for (place, word) in words.into_iter().enumerate() {
            // SAFETY: the caller has reserved it. One by one: they were computed one by one a moment ago, and wider loads
            // of them would wait for those stores.
            unsafe { self.word(offset + WORD * place as u64) }.store(word, Relaxed);
        }
        // SAFETY: mapped as above; the caller has reserved these bytes of the lane, so nobody else touches them.
        unsafe {
            let to = self.0.data.add(index(offset) + size_of_val(&words));
            ptr::copy_nonoverlapping(bytes.as_ptr(), to.as_ptr(), bytes.len());
        }
    }
}

fn write_triple(words: &[AtomicU64; 3], triple: Triple) {
    for (word, value) in words.iter().zip([triple.ticks, triple.monotonic, triple.utc]) {
        word.store(value, Relaxed);
    }
}

fn write_id(words: &[AtomicU64; 2], id: [u8; 16]) {
    for (word, half) in words.iter().zip(id.as_chunks::<8>().0) {
        word.store(u64::from_ne_bytes(*half), Relaxed);
    }
}

/// The kernel's boot id as bytes; zero where /proc is not to be had.
fn boot_id() -> [u8; 16] {
    let mut text = [0; 36];
    let read = File::open("/proc/sys/kernel/random/boot_id").and_then(|mut file| file.read_exact(&mut text));
    if read.is_err() {
        return [0; 16];
    }
    let mut id = [0; 16];
    let digits = text.iter().filter_map(|&byte| char::from(byte).to_digit(16));
    for (place, digit) in digits.take(32).enumerate() {
        id[place / 2] = id[place / 2] << 4 | u8::try_from(digit).unwrap_or(0);
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Consumer, Counters, Frame};

    fn ring() -> (Producer, Consumer) {
        let layout = Layout::new(1, 65536).unwrap();
        let generation = Generation::first().unwrap();
        let producer =
            Producer::create(layout, Backing::Memfd, Clock::Monotonic, b"hello", generation).unwrap();
        let file = File::from(producer.descriptor().try_clone_to_owned().unwrap());
        let consumer = Consumer::open(file, Backing::Memfd).unwrap();
        (producer, consumer)
    }

    fn drain(consumer: &mut Consumer) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        let mut keep = |frame: Frame<'_>| frames.push(frame.bytes.to_vec());
        while consumer.poll(1 << 20, &mut keep).unwrap() != 0 {}
        frames
    }

    #[test]
    fn the_header_and_hello_arrive_as_they_were_given() {
        let (producer, mut consumer) = ring();
        assert_eq!(consumer.hello(), b"hello");
        assert_eq!(consumer.header().stream, producer.stream());
        assert_eq!(consumer.header().pid, u64::from(std::process::id()));
        assert_eq!(consumer.header().generation, 1);
        assert_eq!(consumer.header().boot, boot_id());
        let triple = Triple { ticks: 1, monotonic: 2, utc: 3 };
        producer.stamp(triple);
        producer.close();
        assert!(!consumer.is_closed());
        consumer.refresh().unwrap();
        assert!(consumer.is_closed());
        assert_eq!(consumer.header().latest, triple);
        assert_ne!(consumer.header().first, triple);
    }

    #[test]
    fn a_triple_caught_half_written_is_not_believed() {
        let (producer, mut consumer) = ring();
        let before = consumer.header().latest;
        let page = producer.page().unwrap();
        page.stamps.store(1, Relaxed);
        page.latest[1].store(7, Relaxed);
        producer.stamp(Triple::default());
        consumer.refresh().unwrap();
        assert_eq!(consumer.header().latest, before);
    }

    #[test]
    fn what_the_consumer_says_reaches_the_producer() {
        let (producer, mut consumer) = ring();
        consumer.beat(11).unwrap();
        consumer.tell_policy(12).unwrap();
        consumer.quarantine(13).unwrap();
        assert_eq!((producer.heartbeat(), producer.policy(), producer.quarantined()), (11, 12, 13));
    }

    #[test]
    fn a_frame_never_committed_holds_back_the_lane_until_its_process_is_dead() {
        let (producer, mut consumer) = ring();
        let lane = producer.lane(0);
        for _ in 0..3 {
            let _ = lane.begin();
        }
        lane.publish(b"before the gap").unwrap();
        // Bytes that look like frames, but not like frames of this position.
        let position = lane::reserve(&Mapped(&lane), 2000).unwrap();
        let bait = lane.geometry.commit(position + 8, 64).to_ne_bytes().repeat(250);
        // SAFETY: reserved just above and not committed.
        unsafe { Mapped(&lane).copy(position + 16, [], &bait[..1900]) };
        lane.publish(b"after the gap").unwrap();

        assert_eq!(drain(&mut consumer), [b"before the gap".to_vec()]);
        consumer.producer_is_dead();
        assert_eq!(drain(&mut consumer), [b"after the gap".to_vec()]);
        let books = consumer.counters().next().unwrap();
        assert_eq!((books.attempted, books.published, books.lost_in_all()), (3, 2, 0));
    }

    #[test]
    fn a_full_lane_counts_the_loss_and_takes_frames_again_once_acknowledged() {
        let (producer, mut consumer) = ring();
        let lane = producer.lane(0);
        let mut published = 0;
        while lane.publish(&[7; 1000]).is_ok() {
            published += 1;
        }
        assert_eq!(published, 65536 / 1008);
        assert_eq!(lane.publish(&[7; 1000]), Err(Loss::RingFull));
        assert_eq!(drain(&mut consumer).len(), published);
        assert_eq!(lane.publish(&[7; 1000]), Err(Loss::RingFull), "polled is not acknowledged");
        consumer.acknowledge().unwrap();
        assert_eq!(lane.publish(&[7; 1000]), Ok(()));
        assert_eq!(drain(&mut consumer), [vec![7; 1000]]);
        assert_eq!(consumer.counters().next().unwrap().lost_for(Loss::RingFull), 3);
    }

    #[test]
    fn every_length_survives_many_laps() {
        let (producer, mut consumer) = ring();
        let lane = producer.lane(0);
        for length in (8..=4096).chain([4096; 50]) {
            let frame: Vec<u8> = (0..length).map(|byte| (byte % 251) as u8).collect();
            lane.publish(&frame).unwrap();
            assert_eq!(drain(&mut consumer), [frame]);
            consumer.acknowledge().unwrap();
        }
        assert_eq!(consumer.counters().next().unwrap().lost_in_all(), 0);
    }

    #[test]
    fn lengths_out_of_bounds_are_counted_losses() {
        let (producer, mut consumer) = ring();
        let lane = producer.lane(0);
        assert_eq!(lane.publish(&[0; 4097]), Err(Loss::Oversize));
        assert_eq!(lane.publish(&[0; 7]), Err(Loss::Internal));
        lane.lose(Loss::Sampled);
        drain(&mut consumer);
        let lost = [0, 1, 0, 0, 1, 1, 0, 0];
        assert_eq!(consumer.counters().next(), Some(&Counters { lost, ..Counters::default() }));
    }

    #[test]
    fn a_tail_caught_half_written_frees_nothing() {
        let (producer, _consumer) = ring();
        let lane = producer.lane(0);
        while lane.publish(&[7; 4096]).is_ok() {}
        let mapped = Mapped(&lane);
        mapped.control().tail.store(32768, Relaxed);
        assert_eq!(lane.publish(&[7; 4096]), Err(Loss::RingFull));
        mapped.control().mirror.store(!32768, Relaxed);
        assert_eq!(lane.publish(&[7; 4096]), Ok(()));
    }

    #[test]
    fn a_new_consumer_starts_at_what_was_acknowledged() {
        let (producer, mut consumer) = ring();
        let lane = producer.lane(0);
        lane.publish(b"durable frame").unwrap();
        drain(&mut consumer);
        consumer.acknowledge().unwrap();
        lane.publish(b"polled, not durable").unwrap();
        drain(&mut consumer);
        let file = File::from(producer.descriptor().try_clone_to_owned().unwrap());
        let mut second = Consumer::open(file, Backing::Memfd).unwrap();
        assert_eq!(drain(&mut second), [b"polled, not durable".to_vec()]);
    }
}
