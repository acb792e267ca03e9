// SPDX-License-Identifier: Apache-2.0
//! A ring file of any content: the consumer neither panics nor hangs, whatever it is asked to do with it.
//!
//! The input leaves out what a ring leaves empty: header (512 bytes), four control blocks (512), control blocks that
//! replace them once the consumer has polled (512), and the rest at the start of each lane in turn, 256 bytes each.
#![no_main]

use std::cell::RefCell;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use ring::layout::{HEADER_BYTES, LANE_MIN};
use ring::{Backing, Consumer, Counters, Layout};

const PART: usize = 512;

thread_local! {
    static FILE: RefCell<File> = RefCell::new(tempfile::tempfile().expect("a temporary file"));
}

fuzz_target!(|input: &[u8]| {
    FILE.with_borrow(|file| try_ring(file, input));
});

fn try_ring(file: &File, input: &[u8]) {
    let part = |number: usize| {
        let rest = input.get(number * PART..).unwrap_or_default();
        &rest[..rest.len().min(PART)]
    };
    let word =
        |at: usize| part(0).get(at..at + 8).map_or(0, |word| u64::from_ne_bytes(word.try_into().unwrap()));
    // The file has the size that its header claims, or else every input would end at that check.
    let claimed = Layout::new(word(16).min(4) as u16, word(24)).or(Layout::new(1, LANE_MIN));
    let Ok(layout) = claimed else { return };
    let write = |at, bytes: &[u8]| file.write_all_at(bytes, at).expect("a temporary file can be written");
    file.set_len(0).and_then(|()| file.set_len(layout.total())).expect("a temporary file can be sized");
    write(0, part(0));
    write(HEADER_BYTES, part(1));
    for (lane, frames) in (0..layout.lanes()).zip(input.get(3 * PART..).unwrap_or_default().chunks(256)) {
        write(layout.lane_at(lane), frames);
    }
    let file = file.try_clone().expect("a descriptor");
    let later = |at, bytes: &[u8]| file.write_all_at(bytes, at).expect("a temporary file can be written");
    let Ok(mut consumer) =
        Consumer::open(file.try_clone().expect("a descriptor"), Backing::File(Path::new("")))
    else {
        return;
    };
    let mut seen = 0;
    for round in 0..6 {
        match round {
            2 => later(HEADER_BYTES, part(2)),
            4 => consumer.producer_is_dead(),
            _ => {}
        }
        let polled = consumer.poll(1 << 16, &mut |frame| {
            assert!((8..=4096).contains(&frame.bytes.len()) && frame.lane < 4);
            seen += frame.bytes.len() as u64;
        });
        let _ = (polled, consumer.acknowledge(), consumer.refresh(), consumer.beat(round));
    }
    let _: u64 = consumer.counters().map(Counters::lost_in_all).fold(0, u64::saturating_add);
    assert!(seen <= 2 * 4 * layout.lane_bytes(), "more came out than lanes hold");
}
