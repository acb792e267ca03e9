// SPDX-License-Identifier: Apache-2.0
//! What happens in a host that allows little, or that touches our descriptors? An error; never a signal, never a
//! byte in a foreign file. Each case runs in a process of its own, because limits are the process's.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use ring::{Backing, Clock, Error, Generation, Layout, Producer};

const CASE: &str = "RING_TEST_CASE";

/// Runs the named test again in a new process, there with `case`, and expects it to succeed.
fn alone(name: &str, case: impl FnOnce()) {
    if std::env::var_os(CASE).is_some() {
        return case();
    }
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--test-threads", "1"])
        .env(CASE, name)
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
}

fn create(backing: Backing<'_>) -> Result<Producer, Error> {
    let layout = Layout::new(1, 65536).unwrap();
    Producer::create(layout, backing, Clock::Monotonic, b"", Generation::first()?)
}

/// Does something under a limit, then lifts it again: harness and sanitizers have needs of their own.
fn limited<T>(resource: libc::__rlimit_resource_t, value: u64, act: impl FnOnce() -> T) -> T {
    let mut before = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live rlimit.
    assert_eq!(unsafe { libc::getrlimit(resource, &raw mut before) }, 0);
    let set = |limit: libc::rlimit| {
        // SAFETY: the pointer is to a live rlimit.
        assert_eq!(unsafe { libc::setrlimit(resource, &raw const limit) }, 0);
    };
    set(libc::rlimit { rlim_cur: value, ..before });
    let result = act();
    set(before);
    result
}

#[test]
fn a_file_size_limit_is_an_error_and_no_signal() {
    alone("a_file_size_limit_is_an_error_and_no_signal", || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ring");
        for backing in [Backing::Memfd, Backing::File(&path)] {
            let made = limited(libc::RLIMIT_FSIZE, 0, || create(backing));
            assert!(matches!(made, Err(Error::FileLimit { limit: 0, .. })));
        }
        assert!(!path.exists());
    });
}

#[test]
fn without_descriptors_creation_is_an_error() {
    alone("without_descriptors_creation_is_an_error", || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ring");
        for backing in [Backing::Memfd, Backing::File(&path)] {
            let made = limited(libc::RLIMIT_NOFILE, 0, || create(backing));
            assert!(matches!(made, Err(Error::System { errno: libc::EMFILE, .. })));
        }
        assert!(!path.exists());
    });
}

#[test]
fn a_ring_that_cannot_be_mapped_leaves_nothing_behind() {
    alone("a_ring_that_cannot_be_mapped_leaves_nothing_behind", || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ring");
        let generation = Generation::first().unwrap();
        let before = fs::read_dir("/proc/self/fd").unwrap().count();
        let layout = Layout::new(4, 1 << 20).unwrap();
        for backing in [Backing::Memfd, Backing::File(&path)] {
            let create = || Producer::create(layout, backing, Clock::Monotonic, b"", generation);
            let made = limited(libc::RLIMIT_AS, 1 << 20, create);
            assert!(matches!(made, Err(Error::System { errno: libc::ENOMEM, .. })));
        }
        assert!(!path.exists());
        assert_eq!(fs::read_dir("/proc/self/fd").unwrap().count(), before);
    });
}

#[test]
fn a_host_without_standard_streams_does_not_print_into_the_ring() {
    alone("a_host_without_standard_streams_does_not_print_into_the_ring", || {
        // SAFETY: nothing else runs in this process that would use its input.
        unsafe { libc::close(0) };
        let producer = create(Backing::Memfd).unwrap();
        assert!(producer.descriptor().as_raw_fd() >= 500);
    });
}

#[test]
fn few_descriptors_allowed_still_means_none_of_the_standard_ones() {
    alone("few_descriptors_allowed_still_means_none_of_the_standard_ones", || {
        let producer = limited(libc::RLIMIT_NOFILE, 64, || create(Backing::Memfd)).unwrap();
        assert!((3..64).contains(&producer.descriptor().as_raw_fd()));
    });
}

#[test]
fn a_descriptor_that_the_host_took_over_is_noticed_and_left_alone() {
    alone("a_descriptor_that_the_host_took_over_is_noticed_and_left_alone", || {
        let producer = create(Backing::Memfd).unwrap();
        let number = producer.descriptor().as_raw_fd();
        assert!(producer.owns_descriptor());
        let foreign = tempfile::tempfile().unwrap();
        // SAFETY: plays the host that uses our number again; `producer` must find out.
        assert_eq!(unsafe { libc::dup2(foreign.as_raw_fd(), number) }, number);
        assert!(!producer.owns_descriptor());
        let lane = producer.lane(0);
        lane.publish(&[7; 64]).unwrap();
        drop(producer);
        // SAFETY: asks for the flags of a number, whatever it is.
        assert!(unsafe { libc::fcntl(number, libc::F_GETFD) } >= 0, "closed a descriptor of the host");
        assert_eq!(foreign.metadata().unwrap().len(), 0);
        lane.publish(&[7; 64]).unwrap();
    });
}

#[test]
fn a_spool_file_is_private_allocated_and_never_someone_elses() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ring");
    let producer = create(Backing::File(&path)).unwrap();
    let status = producer.descriptor().try_clone_to_owned().map(File::from).unwrap().metadata().unwrap();
    assert_eq!(status.permissions().mode() & 0o777, 0o600);
    assert!(
        std::os::unix::fs::MetadataExt::blocks(&status) * 512 >= status.len(),
        "a hole is a SIGBUS to come"
    );
    assert!(matches!(create(Backing::File(&path)), Err(Error::System { errno: libc::EEXIST, .. })));
    assert!(path.exists(), "a failed attempt removed the other ring");
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(folder.path().join("target"), &link).unwrap();
    assert!(create(Backing::File(&link)).is_err());
    assert!(!folder.path().join("target").exists());
    assert!(create(Backing::File(Path::new("/nonexistent/ring"))).is_err());
}

#[test]
fn hello_has_a_limit() {
    let layout = Layout::new(1, 65536).unwrap();
    let make = |bytes: usize| {
        Producer::create(
            layout,
            Backing::Memfd,
            Clock::Monotonic,
            &vec![7; bytes],
            Generation::first().unwrap(),
        )
    };
    assert!(make(65536).is_ok());
    assert_eq!(make(65537).unwrap_err(), Error::Hello(65537));
}
