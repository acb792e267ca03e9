// SPDX-License-Identifier: Apache-2.0
//! Handing the ring to the collector over its socket: without blocking, without a signal, and to nobody who merely
//! took the socket's place. The connection is kept, so that the collector sees the process end.
#![allow(unsafe_code)]

use ring::Producer;
use std::ffi::OsStr;
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long an application waits for its ring to be taken in, once, when it starts the module.
const PATIENCE: Duration = Duration::from_millis(50);
/// What a shim says first: the protocol and its version.
const GREETING: &[u8; 16] = b"p11guard-attach1";
/// Sizes as the system calls want them.
#[allow(clippy::cast_possible_truncation)]
const DESCRIPTOR: u32 = size_of::<RawFd>() as u32;
#[allow(clippy::cast_possible_truncation)]
const CREDENTIALS: libc::socklen_t = size_of::<libc::ucred>() as libc::socklen_t;
#[allow(clippy::cast_possible_truncation)]
const FAMILY: libc::sa_family_t = libc::AF_UNIX as libc::sa_family_t;
/// Descriptors from here on are seldom handed out to the host's own files.
const HIGH: RawFd = 500;

/// The way to the collector.
pub(super) struct Connection {
    path: PathBuf,
    /// The socket that the ring went over; -1 for none yet.
    socket: AtomicI32,
    /// Its inode: a host that closes all descriptors may have a file of its own under that number.
    inode: AtomicU64,
    /// The seccomp mode when the ring was made. A filter that came later may kill the process for a socket.
    seccomp: i32,
}

impl Connection {
    pub(super) fn new(path: &Path) -> Connection {
        Connection {
            path: path.to_owned(),
            socket: AtomicI32::new(-1),
            inode: AtomicU64::new(0),
            seccomp: seccomp_mode(),
        }
    }

    /// Whether the process took rights from itself since: no file and no socket is opened from then on.
    pub(super) fn is_confined(&self) -> bool {
        seccomp_mode() != self.seccomp
    }

    /// Hands the ring over; whether it was sent.
    pub(super) fn hand_over(&self, producer: &Producer) -> bool {
        if self.is_confined() || !producer.owns_descriptor() {
            return false;
        }
        let Some(socket) = self.connect() else { return false };
        if !send(&socket, producer) {
            return false;
        }
        let new = high(socket);
        let inode = inode(new);
        let (old, was) = (self.socket.swap(new, Ordering::AcqRel), self.inode.swap(inode, Ordering::AcqRel));
        if old >= 0 && self::inode(old) == was {
            // SAFETY: the descriptor is the one that an earlier hand-over kept, and nobody else's.
            drop(unsafe { OwnedFd::from_raw_fd(old) });
        }
        true
    }

    fn connect(&self) -> Option<OwnedFd> {
        let flags = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: no pointer is involved.
        let socket = unsafe { libc::socket(libc::AF_UNIX, flags, 0) };
        if socket < 0 {
            return None;
        }
        // SAFETY: just made.
        let socket = unsafe { OwnedFd::from_raw_fd(socket) };
        let (address, length) = address(&self.path)?;
        // SAFETY: the address is as long as said. The socket does not block: a full queue is an error.
        let connected = unsafe { libc::connect(socket.as_raw_fd(), (&raw const address).cast(), length) };
        (connected == 0 && self.trusted(&socket)).then_some(socket)
    }

    /// Whether the other end is the collector: it runs as root, as this user, or as the owner of the socket's folder.
    fn trusted(&self, socket: &OwnedFd) -> bool {
        let mut peer = libc::ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
        let mut length = CREDENTIALS;
        let peer_at: *mut libc::ucred = &mut peer;
        // SAFETY: room for the answer, as long as said.
        let got = unsafe {
            libc::getsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERCRED,
                peer_at.cast(),
                &mut length,
            )
        };
        let folder = self.path.parent().and_then(|folder| std::fs::metadata(folder).ok());
        // SAFETY: no pointer is involved.
        let own = unsafe { libc::geteuid() };
        got == 0
            && (peer.uid == 0 || peer.uid == own || folder.is_some_and(|folder| folder.uid() == peer.uid))
    }
}

/// Waits for the collector's first sign of life in a ring that was sent to it: from then on the ring outlives both
/// processes. A collector that is busy, stuck or gone holds the application up no longer than this.
pub(super) fn takes_in(producer: &Producer) -> bool {
    let start = Instant::now();
    while producer.heartbeat() == 0 {
        if start.elapsed() > PATIENCE {
            return false;
        }
        std::thread::sleep(Duration::from_micros(50));
    }
    true
}

/// Sends the greeting, the stream and the ring's descriptor in one message.
fn send(socket: &OwnedFd, producer: &Producer) -> bool {
    let stream = producer.stream();
    let mut parts = [
        libc::iovec { iov_base: GREETING.as_ptr().cast_mut().cast(), iov_len: GREETING.len() },
        libc::iovec { iov_base: stream.as_ptr().cast_mut().cast(), iov_len: stream.len() },
    ];
    // Room for one descriptor, aligned as control messages must be.
    let mut control = [0u64; 4];
    // SAFETY: all zeros is an empty message.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = parts.as_mut_ptr();
    message.msg_iovlen = parts.len();
    message.msg_control = control.as_mut_ptr().cast();
    // SAFETY: arithmetic on lengths.
    message.msg_controllen = unsafe { libc::CMSG_SPACE(DESCRIPTOR) } as usize;
    // SAFETY: the control buffer has room for one header and one descriptor, and is aligned for them.
    unsafe {
        let header = libc::CMSG_FIRSTHDR(&message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(DESCRIPTOR) as usize;
        libc::CMSG_DATA(header).cast::<RawFd>().write_unaligned(producer.descriptor().as_raw_fd());
    }
    // A dead peer must not kill the host, and a stuck one must not hold it up.
    let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
    // SAFETY: every pointer of the message is to memory above.
    let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &message, flags) };
    usize::try_from(sent) == Ok(GREETING.len() + stream.len())
}

fn address(path: &Path) -> Option<(libc::sockaddr_un, libc::socklen_t)> {
    // SAFETY: all zeros is an address without a name.
    let mut address: libc::sockaddr_un = unsafe { mem::zeroed() };
    address.sun_family = FAMILY;
    let bytes = path.as_os_str().as_bytes();
    if bytes.len() >= address.sun_path.len() {
        return None;
    }
    for (to, from) in address.sun_path.iter_mut().zip(bytes) {
        *to = from.cast_signed();
    }
    let length = mem::offset_of!(libc::sockaddr_un, sun_path) + bytes.len() + 1;
    Some((address, libc::socklen_t::try_from(length).ok()?))
}

/// The same socket under a high number, if there is one.
fn high(socket: OwnedFd) -> RawFd {
    // SAFETY: no pointer is involved.
    let moved = unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_DUPFD_CLOEXEC, HIGH) };
    if moved >= 0 { moved } else { std::os::fd::IntoRawFd::into_raw_fd(socket) }
}

fn inode(descriptor: RawFd) -> u64 {
    let mut status = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: room for the answer.
    if unsafe { libc::fstat(descriptor, status.as_mut_ptr()) } != 0 {
        return 0;
    }
    // SAFETY: fstat succeeded.
    unsafe { status.assume_init() }.st_ino
}

fn seccomp_mode() -> i32 {
    // SAFETY: no pointer is involved.
    unsafe { libc::prctl(libc::PR_GET_SECCOMP) }
}

/// A name for a spool file that no other process takes: the pid is for people, the random half keeps it single.
pub(super) fn spool_name() -> PathBuf {
    let mut random = [0u8; 8];
    // SAFETY: room for as many bytes as asked. Where none come, O_EXCL keeps the name single.
    unsafe { libc::getrandom(random.as_mut_ptr().cast(), random.len(), libc::GRND_NONBLOCK) };
    let digits = format!("{:016x}.ring", u64::from_ne_bytes(random));
    PathBuf::from(OsStr::from_bytes(digits.as_bytes()))
}

/// The kernel's id of the calling thread.
pub(super) fn thread_id() -> u32 {
    // SAFETY: no pointer is involved.
    unsafe { libc::gettid() }.cast_unsigned()
}

/// Runs system calls of ours without a trace in the host's errno.
pub(crate) fn keeping_errno(code: impl FnOnce()) {
    // SAFETY: the calling thread's own errno.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let before = unsafe { place.read() };
    code();
    // SAFETY: as above.
    unsafe { place.write(before) };
}
