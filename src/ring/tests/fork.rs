// SPDX-License-Identifier: Apache-2.0
//! What does a forked child see of its parent's ring? Nothing, and it knows so.

use std::fs::{self, File};

use ring::{Backing, Clock, Consumer, Generation, Layout, Loss, Producer};

fn create(generation: Generation) -> Producer {
    let layout = Layout::new(1, 65536).unwrap();
    Producer::create(layout, Backing::Memfd, Clock::Monotonic, b"", generation).unwrap()
}

/// Runs `child` in a forked process and returns its exit status.
fn forked(raw: bool, child: impl FnOnce() -> bool) -> i32 {
    // SAFETY: the child runs `child` and exits; it takes no lock that another thread of ours may hold, but for
    // the allocator's, which glibc hands over in a usable state (and the raw child allocates nothing).
    let pid = unsafe {
        if raw { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) } else { i64::from(libc::fork()) }
    };
    let pid = libc::pid_t::try_from(pid).unwrap();
    assert!(pid >= 0);
    if pid == 0 {
        let right = child();
        // SAFETY: ends the child without running what the parent registered.
        unsafe { libc::_exit(i32::from(!right)) };
    }
    let mut status = 0;
    // SAFETY: waits for the child made above; the pointer is to a live int.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    status
}

fn mapped() -> bool {
    fs::read_to_string("/proc/self/maps").unwrap().contains("memfd:p11guard")
}

#[test]
fn old_handles_do_nothing_in_a_child_and_the_parent_goes_on() {
    for raw in [false, true] {
        let generation = Generation::first().unwrap();
        let producer = create(generation);
        let lane = producer.lane(0);
        assert_eq!(lane.begin(), 1);
        let status = forked(raw, || {
            producer.close();
            !generation.intact()
                && lane.begin() == 0
                && lane.publish(&[7; 64]) == Err(Loss::Internal)
                && producer.heartbeat() == 0
                && (raw || !mapped())
        });
        assert_eq!(status, 0);
        assert!(generation.intact() && mapped());
        assert_eq!(lane.begin(), 2);
        let file = File::from(producer.descriptor().try_clone_to_owned().unwrap());
        assert!(
            !Consumer::open(file, Backing::Memfd).unwrap().is_closed(),
            "a child closed its parent's ring"
        );
    }
}

#[test]
fn a_child_makes_a_ring_of_its_own() {
    let generation = Generation::first().unwrap();
    let producer = create(generation);
    let status = forked(false, || {
        let own = create(generation.next().unwrap());
        let file = File::from(own.descriptor().try_clone_to_owned().unwrap());
        let mut consumer = Consumer::open(file, Backing::Memfd).unwrap();
        let lane = own.lane(0);
        let published = lane.begin() == 1 && lane.publish(b"from the child").is_ok();
        let header = *consumer.header();
        published
            && consumer.poll(4096, &mut |_| {}) == Ok(1)
            && header.generation == 2
            && header.pid == u64::from(std::process::id())
            && header.stream != producer.stream()
    });
    assert_eq!(status, 0);
}
