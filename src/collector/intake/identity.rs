// SPDX-License-Identifier: Apache-2.0
//! Who a process is, by the kernel's word alone: what /proc says of a pid while a descriptor of that very process
//! shows that it lives. What cannot be had is left out, never guessed.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::sync::OnceLock;
use std::time::Duration;

use event::cgroup;
use rustix::fs::{Stat, major, minor};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::time::ClockId;

use super::packet::ready;
use crate::clock::nanoseconds;
use crate::stream::Process;

/// A process and the descriptor that tells when it ends; none for a process that could not be made sure of.
#[derive(Debug)]
pub(crate) struct Pinned {
    pub(crate) process: Process,
    pub(crate) life: Option<OwnedFd>,
}

/// The process behind a connection. `pid`, `uid` and `gid` are the kernel's word from the moment it connected; the
/// rest is what /proc says of that pid, unless the pid went to another process since, which has not mapped `ring`.
pub(crate) fn of_peer((pid, uid, gid): (u32, u32, u32), ring: &Stat) -> Pinned {
    let bare = Process { pid, uid, gid, ..Process::default() };
    match pinned(&bare) {
        Some(pinned) if maps(pid, ring) != Some(false) => pinned,
        _ => Pinned { process: bare, life: None },
    }
}

/// The process that writes to a spooled ring: the one of the file's owner that has mapped the file, whatever pid it
/// has in a namespace of its own. Where there is none, it is gone, and its pid is only what the ring claims.
/// `written_ns` is when the file was last written, UTC.
pub(crate) fn of_spooled(claimed: u32, ring: &Stat, written_ns: u64) -> Pinned {
    let who =
        |pid, claimed| Process { pid, uid: ring.st_uid, gid: ring.st_gid, claimed, ..Process::default() };
    let writes = |pid: &u32| file_uid(*pid) == Some(ring.st_uid) && maps(*pid, ring) == Some(true);
    let numbered = |entry: fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    let all = fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(numbered);
    std::iter::once(claimed)
        .chain(all)
        .filter(writes)
        .filter_map(|pid| pinned(&who(pid, false)))
        .find(|found| found.process.start_ns.is_some_and(|start| start <= written_ns))
        .unwrap_or_else(|| Pinned { process: who(claimed, true), life: None })
}

/// The process that was known as `known` to an earlier collector: its descriptor, if it still is that process.
pub(crate) fn again(known: &Process) -> Option<OwnedFd> {
    let started = known.start_ticks?;
    let life = open(known.pid)?;
    (start_ticks(known.pid) == Some(started) && !has_ended(&life)).then_some(life)
}

/// Whether a process known from before may still live: certain to be false only where the pid is free or another's.
pub(crate) fn may_live(known: &Process) -> bool {
    match known.start_ticks {
        Some(_) => again(known).is_some(),
        None => open(known.pid).is_some(),
    }
}

/// Whether the process of a descriptor has ended, all its threads included.
pub(crate) fn has_ended(life: &OwnedFd) -> bool {
    ready(life, Duration::ZERO)
}

/// What /proc says of `bare.pid`, if it is certain that one living process said all of it.
fn pinned(bare: &Process) -> Option<Pinned> {
    let pid = bare.pid;
    let life = open(pid)?;
    let text = |file: &str| fs::read(format!("/proc/{pid}/{file}")).ok();
    let cgroup = text("cgroup").as_deref().and_then(cgroup::unified).map(<[u8]>::to_vec);
    let start_ticks = start_ticks(pid);
    let process = Process {
        start_ns: start_ticks.map(start_utc),
        start_ticks,
        exe: fs::read_link(format!("/proc/{pid}/exe")).ok().map(|path| path.into_os_string().into_vec()),
        comm: text("comm").map(|comm| comm.strip_suffix(b"\n").unwrap_or(&comm).to_vec()),
        unit: cgroup.as_deref().and_then(cgroup::unit).map(str::to_owned),
        container: cgroup.as_deref().and_then(cgroup::container).map(str::to_owned),
        cgroup,
        ..bare.clone()
    };
    // Still alive, so the pid was this process's all along.
    (!has_ended(&life)).then_some(Pinned { process, life: Some(life) })
}

fn open(pid: u32) -> Option<OwnedFd> {
    pidfd_open(Pid::from_raw(i32::try_from(pid).ok()?)?, PidfdFlags::empty()).ok()
}

/// Field 22 of /proc/<pid>/stat. The second field is in parentheses and may hold anything, parentheses too.
fn start_ticks(pid: u32) -> Option<u64> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let after = stat.iter().rposition(|byte| *byte == b')')? + 1;
    std::str::from_utf8(&stat[after..]).ok()?.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// Clock ticks since boot as UTC nanoseconds.
fn start_utc(ticks: u64) -> u64 {
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    let since_boot = ticks.saturating_mul(1_000_000_000 / per_second);
    // Looked at once, so that one process has one start however often it is asked for.
    static BOOTED: OnceLock<u64> = OnceLock::new();
    let booted =
        BOOTED.get_or_init(|| nanoseconds(ClockId::Realtime).saturating_sub(nanoseconds(ClockId::Boottime)));
    booted.saturating_add(since_boot)
}

/// The user that a process makes files as.
fn file_uid(pid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let uids = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    // Real, effective, saved, file system.
    uids.split_ascii_whitespace().nth(3)?.parse().ok()
}

/// Whether a process has mapped a file; `None` where the kernel does not let us see.
fn maps(pid: u32, file: &Stat) -> Option<bool> {
    let maps = fs::read(format!("/proc/{pid}/maps")).ok()?;
    let device = format!("{:02x}:{:02x}", major(file.st_dev), minor(file.st_dev));
    let inode = file.st_ino.to_string();
    let is_it = |line: &[u8]| {
        // address permissions offset device inode path
        let mut fields = line.split(|byte| *byte == b' ').skip(3);
        fields.next() == Some(device.as_bytes()) && fields.next() == Some(inode.as_bytes())
    };
    // An empty list is what the kernel shows of a process that is not ours to look into.
    (!maps.is_empty()).then(|| maps.split(|byte| *byte == b'\n').any(is_it))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    #[test]
    fn a_living_process_is_described_and_a_dead_one_is_not() {
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        let bare = Process { pid: child.id(), uid: 7, ..Process::default() };
        // Between fork and exec the child still is this program.
        let known = loop {
            let known = pinned(&bare).unwrap();
            if known.process.exe.as_ref().is_some_and(|exe| exe.ends_with(b"sleep")) {
                break known;
            }
        };
        assert_eq!((known.process.comm.as_deref(), known.process.uid), (Some(&b"sleep"[..]), 7));
        let start = known.process.start_ns.unwrap();
        assert!(crate::clock::utc_now().abs_diff(start) < 60_000_000_000);
        assert!(again(&known.process).is_some());
        let other = Process { start_ticks: Some(1), ..known.process.clone() };
        assert!(again(&other).is_none());
        child.kill().unwrap();
        assert!(child.wait().unwrap().signal().is_some());
        assert!(has_ended(known.life.as_ref().unwrap()) && pinned(&bare).is_none());
        assert!(again(&known.process).is_none());
    }

    #[test]
    fn a_peer_that_has_not_mapped_the_ring_is_not_described() {
        let file = tempfile::tempfile().unwrap();
        let stat = rustix::fs::fstat(&file).unwrap();
        let pinned = of_peer((std::process::id(), 1, 2), &stat);
        assert!(pinned.life.is_none() && pinned.process.exe.is_none());
        assert_eq!((pinned.process.uid, pinned.process.claimed), (1, false));
        assert!(of_spooled(std::process::id(), &stat, u64::MAX).process.claimed);
    }
}
