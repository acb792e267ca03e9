// SPDX-License-Identifier: Apache-2.0
//! The system calls behind a ring that std does not offer, as safe functions. None of them is on the way of a call.
//!
//! Whatever would raise a signal in the application (SIGXFSZ, SIGBUS) is refused here beforehand.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::ptr::{self, NonNull};

use crate::error::Error;
use crate::layout::index;

/// Descriptors below this are what hosts count on, close in loops and hand to `select`.
const HIGH: libc::c_int = 500;

/// Attempts at a call that signals interrupt. A host with a fast timer must not be kept here for ever.
const TRIES: usize = 64;

const FIXED: libc::c_int = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;
const READ_ONLY: libc::c_int = libc::F_SEAL_WRITE | libc::F_SEAL_FUTURE_WRITE;

/// What a file's seals say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seals {
    /// Its size is fixed for good, its content is not.
    Fixed,
    /// Its owner may still resize it, or it cannot be sealed at all.
    Loose,
    /// Nothing can be written to it.
    ReadOnly,
}

/// Reads a file's seals. Anything that is not a memory file counts as loose.
pub(crate) fn seals(file: &File) -> Seals {
    // SAFETY: F_GET_SEALS takes no pointer, and the borrowed file keeps the descriptor open.
    let seals = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GET_SEALS) };
    if seals < 0 || seals & FIXED != FIXED {
        Seals::Loose
    } else if seals & READ_ONLY != 0 {
        Seals::ReadOnly
    } else {
        Seals::Fixed
    }
}

/// Makes a memory file of this size, sealed against ever having another.
pub(crate) fn memory_file(bytes: u64) -> Result<File, Error> {
    permit(bytes)?;
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    // SAFETY: the name is a constant C string, which the kernel copies.
    let create = |flags| unsafe { libc::memfd_create(c"p11guard".as_ptr(), flags) };
    let mut descriptor = create(flags | libc::MFD_NOEXEC_SEAL);
    if descriptor < 0 && errno() == libc::EINVAL {
        // Kernels before 6.3 do not know MFD_NOEXEC_SEAL.
        descriptor = create(flags);
    }
    if descriptor < 0 {
        return Err(failed(
            "create a memory file for the ring (allow memfd_create, or configure a spool folder)",
        ));
    }
    // SAFETY: memfd_create just returned it and nobody else knows the number.
    let file = raise(unsafe { File::from_raw_fd(descriptor) })?;
    file.set_len(bytes).map_err(|error| because("size the ring's memory file (free memory)", &error))?;
    // SAFETY: F_ADD_SEALS takes an integer, and `file` keeps the descriptor open.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, FIXED) } < 0 {
        return Err(failed("seal the ring's memory file (allow fcntl F_ADD_SEALS)"));
    }
    Ok(file)
}

/// Makes a spool file of this size where no file was before, with every block of it allocated: a page without a
/// block is a SIGBUS once the disk is full.
pub(crate) fn spool_file(path: &Path, bytes: u64) -> Result<File, Error> {
    permit(bytes)?;
    let size = libc::off_t::try_from(bytes).map_err(|_| Error::FileLimit { needed: bytes, limit: bytes })?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
        .open(path)
        .map_err(|error| because("create the spool file (the folder must exist and be writable)", &error))?;
    let filled = raise(file).and_then(|file| {
        let mut errno = libc::EINTR;
        for _ in 0..TRIES {
            // SAFETY: it takes integers, and `file` keeps the descriptor open.
            errno = unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, size) };
            match errno {
                0 => return Ok(file),
                libc::EINTR => {}
                _ => break,
            }
        }
        Err(Error::System { step: "allocate the spool file (free space in its folder)", errno })
    });
    if filled.is_err() {
        discard(path);
    }
    filled
}

/// Removes a spool file that could not be finished.
pub(crate) fn discard(path: &Path) {
    // Nothing is left to be done if even this fails; a file without magic is refused by every consumer.
    let _ = fs::remove_file(path);
}

/// Maps a ring for writing. The mapping is never undone: a call under way may still be publishing into it.
/// Children do not inherit it and core dumps do not show it.
pub(crate) fn map(file: &File, bytes: u64) -> Result<NonNull<u8>, Error> {
    let (length, access) = (index(bytes), libc::PROT_READ | libc::PROT_WRITE);
    // SAFETY: a new mapping at an address of the kernel's choice overlays nothing of ours.
    let start = unsafe { libc::mmap(ptr::null_mut(), length, access, libc::MAP_SHARED, file.as_raw_fd(), 0) };
    let start = mapped(start, "map the ring (raise RLIMIT_AS or configure fewer or smaller lanes)")?;
    for advice in [libc::MADV_DONTFORK, libc::MADV_DONTDUMP] {
        // SAFETY: it covers exactly the mapping made above and changes no byte of it.
        if unsafe { libc::madvise(start.as_ptr().cast(), length, advice) } < 0 {
            let error = failed("keep the ring out of children and core dumps (allow madvise)");
            // SAFETY: nobody has seen the mapping yet.
            unsafe { libc::munmap(start.as_ptr().cast(), length) };
            return Err(error);
        }
    }
    Ok(start)
}

/// One private page that the kernel clears in every child.
pub(crate) fn page_wiped_on_fork() -> Result<NonNull<u8>, Error> {
    const PAGE: usize = 4096;
    let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a new mapping at an address of the kernel's choice overlays nothing of ours.
    let start = unsafe { libc::mmap(ptr::null_mut(), PAGE, access, kind, -1, 0) };
    let start = mapped(start, "map the page that detects forks (free memory)")?;
    // SAFETY: it covers exactly the mapping made above.
    if unsafe { libc::madvise(start.as_ptr().cast(), PAGE, libc::MADV_WIPEONFORK) } < 0 {
        let error = failed("detect forks (MADV_WIPEONFORK needs Linux 4.14 or later)");
        // SAFETY: nobody has seen the mapping yet.
        unsafe { libc::munmap(start.as_ptr().cast(), PAGE) };
        return Err(error);
    }
    Ok(start)
}

/// Fills an array with the kernel's random bytes.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    // SAFETY: the pointer and length are those of the array.
    let got = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), N, libc::GRND_NONBLOCK) };
    // Requests this small are never cut short; without entropy at boot an error is better than a wait.
    if usize::try_from(got) == Ok(N) { Ok(bytes) } else { Err(failed("name the stream (allow getrandom)")) }
}

/// Refuses a size that the process may not write: the kernel would answer with SIGXFSZ instead of an error.
fn permit(needed: u64) -> Result<(), Error> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live rlimit.
    if unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &raw mut limit) } < 0 {
        return Err(failed("read RLIMIT_FSIZE (allow getrlimit)"));
    }
    if limit.rlim_cur != libc::RLIM_INFINITY && limit.rlim_cur < needed {
        return Err(Error::FileLimit { needed, limit: limit.rlim_cur });
    }
    Ok(())
}

/// Moves a file out of the low descriptor numbers. One that got 0, 1 or 2 because the host had closed it would
/// otherwise receive what the host prints.
fn raise(file: File) -> Result<File, Error> {
    for lowest in [HIGH, 3] {
        // SAFETY: F_DUPFD_CLOEXEC takes an integer, and `file` keeps the descriptor open.
        let descriptor = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_DUPFD_CLOEXEC, lowest) };
        if descriptor >= 0 {
            // SAFETY: fcntl just returned it and nobody else knows the number.
            return Ok(unsafe { File::from_raw_fd(descriptor) });
        }
    }
    Err(failed("find a descriptor for the ring (raise RLIMIT_NOFILE)"))
}

fn mapped(start: *mut libc::c_void, step: &'static str) -> Result<NonNull<u8>, Error> {
    if start == libc::MAP_FAILED {
        return Err(failed(step));
    }
    NonNull::new(start.cast()).ok_or(Error::System { step, errno: 0 })
}

fn errno() -> i32 {
    io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

fn failed(step: &'static str) -> Error {
    Error::System { step, errno: errno() }
}

fn because(step: &'static str, error: &io::Error) -> Error {
    Error::System { step, errno: error.raw_os_error().unwrap_or(0) }
}
