// SPDX-License-Identifier: Apache-2.0
//! Can a producer that writes what it likes make a consumer panic, hang, or believe it? It owns the file, so every
//! byte of it is tried.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use ring::layout::{CONTROL_BYTES, HEADER_BYTES};
use ring::{Backing, Clock, Consumer, Fault, Generation, Layout, Producer, Refused};
use tempfile::TempDir;

const FRAME: &[u8] = b"a frame that was published";

/// A spool ring of two lanes with frames in both, and the file to spoil it through.
struct Ring {
    _folder: TempDir,
    path: PathBuf,
    file: File,
    producer: Producer,
}

impl Ring {
    fn new() -> Ring {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ring");
        let layout = Layout::new(2, 65536).unwrap();
        let generation = Generation::first().unwrap();
        let producer =
            Producer::create(layout, Backing::File(&path), Clock::Monotonic, b"hello", generation).unwrap();
        for lane in 0..2 {
            for _ in 0..3 {
                let _ = producer.lane(lane).begin();
                producer.lane(lane).publish(FRAME).unwrap();
            }
        }
        let file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        Ring { _folder: folder, path, file, producer }
    }

    fn open(&self) -> Result<Consumer, Refused> {
        Consumer::open(self.file.try_clone().unwrap(), Backing::File(&self.path))
    }

    fn word(&self, lane: u64, word: u64) -> u64 {
        HEADER_BYTES + lane * CONTROL_BYTES + word * 8
    }

    fn write(&self, at: u64, value: u64) {
        self.file.write_all_at(&value.to_ne_bytes(), at).unwrap();
    }
}

/// Header and control blocks.
const SOUND: usize = 4096 + 2 * 128;
const _: () = assert!(SOUND as u64 == HEADER_BYTES + 2 * CONTROL_BYTES);

/// Uses everything a consumer offers. Ends by itself, whatever the file holds; returns the frames per lane.
fn exercise(consumer: &mut Consumer) -> [usize; 2] {
    let mut frames = [0; 2];
    for round in 0..8 {
        if round == 4 {
            consumer.producer_is_dead();
        }
        let _ = consumer.poll(usize::MAX, &mut |frame| frames[usize::from(frame.lane)] += 1);
        let _ = consumer.acknowledge();
        let _ = consumer.refresh();
        let _ = consumer.beat(round);
        let _: u64 = consumer.counters().map(ring::Counters::lost_in_all).fold(0, u64::saturating_add);
    }
    frames
}

#[test]
fn no_byte_of_the_control_area_panics_the_consumer_or_harms_the_other_lane() {
    let ring = Ring::new();
    let mut sound = [0; SOUND];
    ring.file.read_exact_at(&mut sound, 0).unwrap();
    for (index, was) in sound.into_iter().enumerate() {
        let at = index as u64;
        // Between header and control blocks lies nothing that anybody reads.
        if (512..HEADER_BYTES).contains(&at) {
            continue;
        }
        for byte in [0, 1, 7, 8, 0x7f, 0x80, 0xff, was ^ 1, was ^ 0x80, was.wrapping_add(8)] {
            // Both before it is opened and behind the back of a consumer that has read some of it.
            for late in [false, true] {
                ring.file.write_all_at(&sound, 0).unwrap();
                if !late {
                    ring.file.write_all_at(&[byte], at).unwrap();
                }
                let Ok(mut consumer) = ring.open() else { continue };
                if late {
                    consumer.poll(1, &mut |_| {}).unwrap();
                    ring.file.write_all_at(&[byte], at).unwrap();
                }
                let frames = exercise(&mut consumer);
                if late && at >= HEADER_BYTES {
                    assert_eq!(frames, [0, 0], "byte {at} = {byte}: frames out of nothing");
                } else if at >= HEADER_BYTES {
                    let other = usize::from(at < HEADER_BYTES + CONTROL_BYTES);
                    assert_eq!(frames[other], 3, "byte {at} = {byte}: the other lane suffered");
                }
            }
        }
    }
}

#[test]
fn no_byte_of_a_lane_panics_the_consumer_or_harms_the_other_lane() {
    let ring = Ring::new();
    let layout = Layout::new(2, 65536).unwrap();
    let start = layout.lane_at(0);
    let mut sound = [0; 160];
    ring.file.read_exact_at(&mut sound, start).unwrap();
    let tail = [0; 16];
    for at in 0..sound.len() {
        let flips = (0..8).map(|bit| sound[at] ^ 1 << bit);
        for byte in flips.chain([0, 1, 7, 8, 0x7f, 0x80, 0xff]) {
            let mut spoilt = sound;
            spoilt[at] = byte;
            ring.file.write_all_at(&spoilt, start).unwrap();
            ring.file.write_all_at(&tail, ring.word(0, 12)).unwrap();
            ring.file.write_all_at(&tail, ring.word(1, 12)).unwrap();
            let mut consumer = ring.open().unwrap();
            assert_eq!(exercise(&mut consumer)[1], 3);
        }
    }
}

#[test]
fn a_corrupt_lane_is_told_once_and_the_others_go_on() {
    let ring = Ring::new();
    let mut consumer = ring.open().unwrap();
    ring.write(ring.word(0, 0), 1 << 40);
    let mut lanes = Vec::new();
    let told = consumer.poll(1 << 20, &mut |frame| lanes.push(frame.lane)).unwrap_err();
    assert_eq!((told.lane, told.fault), (Some(0), Fault::Overfull));
    assert_eq!(lanes, [1, 1, 1]);
    ring.producer.lane(1).publish(FRAME).unwrap();
    assert_eq!(consumer.poll(1 << 20, &mut |_| {}), Ok(1));
}

#[test]
fn impossible_heads_are_named() {
    for (head, fault) in [
        (3 * 40 + 4, Fault::Unaligned),
        (65536 + 8, Fault::Overfull),
        (u64::MAX - 7, Fault::Overfull),
        (2 * 40, Fault::Backwards),
        (0, Fault::Backwards),
    ] {
        let ring = Ring::new();
        let mut consumer = ring.open().unwrap();
        assert_eq!(consumer.poll(1 << 20, &mut |_| {}), Ok(6));
        ring.write(ring.word(1, 0), head);
        let told = consumer.poll(1 << 20, &mut |_| {}).unwrap_err();
        assert_eq!((told.lane, told.fault), (Some(1), fault));
    }
}

#[test]
fn a_frame_that_reaches_past_head_is_named_and_those_before_it_are_handed_on() {
    let ring = Ring::new();
    ring.write(ring.word(1, 0), 2 * 40 + 8);
    let mut frames = 0;
    let told = ring.open().unwrap().poll(1 << 20, &mut |_| frames += 1).unwrap_err();
    assert_eq!((told.lane, told.fault, told.position, frames), (Some(1), Fault::PastHead, 80, 3 + 2));
}

#[test]
fn an_impossible_tail_spoils_its_lane_only() {
    for tail in [8 * 1000, 4, u64::MAX, u64::MAX - 7] {
        let ring = Ring::new();
        ring.write(ring.word(0, 12), tail);
        let mut consumer = ring.open().unwrap();
        assert_eq!(consumer.poll(1 << 20, &mut |_| {}).unwrap_err().lane, Some(0), "tail {tail}");
    }
}

#[test]
fn bytes_of_an_earlier_lap_are_not_frames() {
    let ring = Ring::new();
    let (mut consumer, lane) = (ring.open().unwrap(), ring.producer.lane(0));
    let mut laps = 3;
    while laps < 65536 / 40 * 3 {
        laps += usize::from(lane.publish(FRAME).is_ok());
        consumer.poll(1 << 20, &mut |_| {}).unwrap();
        consumer.acknowledge().unwrap();
    }
    // The producer now claims a whole lane of frames, and every byte of it is an old frame.
    let mut word = [0; 8];
    ring.file.read_exact_at(&mut word, ring.word(0, 12)).unwrap();
    ring.write(ring.word(0, 0), u64::from_ne_bytes(word) + 65536);
    assert_eq!(consumer.poll(1 << 20, &mut |_| {}), Ok(0));
    consumer.producer_is_dead();
    assert_eq!(consumer.poll(1 << 20, &mut |_| {}), Ok(0));
}

#[test]
fn a_file_cut_short_is_told_once_and_never_read_again() {
    let layout = Layout::new(2, 65536).unwrap();
    for length in [0, 100, HEADER_BYTES, HEADER_BYTES + 100, layout.lane_at(0) + 8, layout.lane_at(1) + 8] {
        let ring = Ring::new();
        let mut consumer = ring.open().unwrap();
        ring.file.set_len(length).unwrap();
        let told = consumer.poll(1 << 20, &mut |_| {}).unwrap_err();
        assert_eq!((told.lane, told.fault), (None, Fault::Truncated), "cut to {length}");
        assert_eq!(consumer.poll(1 << 20, &mut |_| {}), Ok(0));
        assert_eq!((consumer.acknowledge(), consumer.beat(1), consumer.refresh()), (Ok(()), Ok(()), Ok(())));
        assert_eq!(fs::metadata(&ring.path).unwrap().len(), length, "writing must not grow it again");
    }
}

#[test]
fn what_is_no_ring_is_refused_with_the_reason() {
    let refused = |spoil: &dyn Fn(&Ring)| {
        let ring = Ring::new();
        spoil(&ring);
        ring.open().unwrap_err()
    };
    assert_eq!(refused(&|ring| ring.write(0, 0)), Refused::Magic);
    assert_eq!(refused(&|ring| ring.write(8, 99)), Refused::Version(99));
    assert_eq!(refused(&|ring| ring.write(16, 65)), Refused::Layout { lanes: 65, lane_bytes: 65536 });
    assert_eq!(refused(&|ring| ring.write(32, 65537)), Refused::Hello(65537));
    assert_eq!(refused(&|ring| ring.write(96, 3)), Refused::Clock(3));
    assert!(matches!(refused(&|ring| ring.file.set_len(300_000).unwrap()), Refused::Size { .. }));
    assert_eq!(refused(&|ring| ring.file.set_len(0).unwrap()), Refused::File(Fault::Truncated));
    let link = |ring: &Ring| fs::hard_link(&ring.path, ring.path.with_extension("second")).unwrap();
    assert_eq!(refused(&link), Refused::Links(2));
    let device = Consumer::open(File::open("/dev/null").unwrap(), Backing::Memfd);
    assert_eq!(device.unwrap_err(), Refused::Kind);
    let ring = Ring::new();
    let unsealed = Consumer::open(ring.file.try_clone().unwrap(), Backing::Memfd);
    assert_eq!(unsealed.unwrap_err(), Refused::Unsealed);
    let read_only = Consumer::open(File::open(&ring.path).unwrap(), Backing::File(&ring.path));
    assert_eq!(read_only.unwrap_err(), Refused::File(Fault::Unwritable(libc::EBADF)));
}

#[test]
fn a_memory_ring_can_be_neither_cut_nor_grown() {
    let layout = Layout::new(1, 65536).unwrap();
    let generation = Generation::first().unwrap();
    let producer = Producer::create(layout, Backing::Memfd, Clock::Monotonic, b"", generation).unwrap();
    let file = File::from(producer.descriptor().try_clone_to_owned().unwrap());
    for length in [0, 4096, layout.total() - 1, layout.total() + 1] {
        assert_eq!(file.set_len(length).unwrap_err().raw_os_error(), Some(libc::EPERM));
    }
    assert!(Consumer::open(file, Backing::Memfd).is_ok());
}
