// SPDX-License-Identifier: Apache-2.0
//! Guards: a record costs its producer one number, one copy and one commit, tens of nanoseconds, while a consumer on
//! another thread drains the lane; and a full lane costs less than a record, because the loss is only counted.

mod clock;

use std::fs::File;
use std::hint::black_box;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::thread;
use std::time::Duration;

use clock::spent;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use ring::{Backing, Clock, Consumer, Generation, Lane, Layout, Loss, Producer};

/// So many records of 400 bytes fit into the lane: within a chunk none is lost, whatever the consumer does.
const CHUNK: u64 = 1000;
const LANE: u64 = 512 << 10;

fn producer() -> Producer {
    let layout = Layout::new(1, LANE).expect("a layout inside the bounds");
    let generation = Generation::first().expect("a generation page");
    Producer::create(layout, Backing::Memfd, Clock::detect(), b"", generation).expect("a ring")
}

/// The time of so many records, published in whole chunks; between chunks it waits until the consumer has all.
fn publish(lane: Lane, frame: &[u8], iterations: u64, drained: &AtomicU64) -> Duration {
    let chunks = iterations.div_ceil(CHUNK);
    let mut took = Duration::ZERO;
    for _ in 0..chunks {
        let wanted = drained.load(Acquire) + CHUNK;
        let start = spent();
        for _ in 0..CHUNK {
            black_box(lane.begin());
            let _ = black_box(lane.publish(black_box(frame)));
        }
        took += spent() - start;
        while drained.load(Acquire) < wanted {
            thread::yield_now();
        }
    }
    took.mul_f64(iterations as f64 / (chunks * CHUNK) as f64)
}

fn drained_lane(criterion: &mut Criterion) {
    let producer = producer();
    let descriptor = producer.descriptor().try_clone_to_owned().expect("a descriptor");
    let mut consumer = Consumer::open(File::from(descriptor), Backing::Memfd).expect("a sound ring");
    let (drained, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Relaxed) {
                let read = consumer.poll(1 << 18, &mut |_| {}).expect("a sound lane");
                consumer.acknowledge().expect("a sound file");
                drained.fetch_add(read as u64, Release);
                if read == 0 {
                    // As the collector does; reading without a pause would measure the cache lines in dispute.
                    thread::sleep(Duration::from_millis(1));
                }
            }
        });
        let mut group = criterion.benchmark_group("ring");
        for bytes in [200, 400] {
            let frame = vec![0x5a; bytes];
            group.bench_with_input(
                BenchmarkId::new("begin and publish, bytes", bytes),
                &frame,
                |bench, frame| {
                    bench.iter_custom(|iterations| publish(producer.lane(0), frame, iterations, &drained));
                },
            );
        }
        stop.store(true, Relaxed);
    });
}

fn full_lane(criterion: &mut Criterion) {
    let producer = producer();
    let (lane, frame) = (producer.lane(0), [0x5a; 200]);
    while lane.publish(&frame).is_ok() {}
    assert_eq!(lane.publish(&frame), Err(Loss::RingFull));
    criterion.bench_function("ring/begin and publish, full lane", |bench| {
        bench.iter(|| {
            black_box(lane.begin());
            lane.publish(black_box(&frame))
        });
    });
}

criterion_group!(benches, drained_lane, full_lane);
criterion_main!(benches);
