// SPDX-License-Identifier: Apache-2.0
//! The process as the policy sees it: read once, when a policy that asks comes into force. What an event says of a process comes from
//! the collector, which asks the kernel; this is for deciding inside the process, which could lie to itself.
#![allow(unsafe_code)]

use event::cgroup;
use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStringExt;

use crate::start::files;

/// What a [`policy::Process`] speaks of.
pub(crate) struct Process {
    host: Option<Vec<u8>>,
    exe: Option<Vec<u8>>,
    uid: u32,
    gid: u32,
    unit: Option<String>,
    container: Option<String>,
    service: Option<Vec<u8>>,
}

impl Process {
    /// This process.
    pub(crate) fn own() -> Process {
        let cgroup = std::fs::read("/proc/self/cgroup").ok();
        let path = cgroup.as_deref().and_then(cgroup::unified);
        Process {
            host: host(),
            exe: std::fs::read_link("/proc/self/exe").ok().map(|path| path.into_os_string().into_vec()),
            // SAFETY: no pointer is involved, here and in the next line.
            uid: unsafe { libc::geteuid() },
            // SAFETY: as above.
            gid: unsafe { libc::getegid() },
            unit: path.and_then(cgroup::unit).map(str::to_owned),
            container: path.and_then(cgroup::container).map(str::to_owned),
            service: files::environment(c"OTEL_SERVICE_NAME"),
        }
    }

    /// As the policy is asked.
    pub(crate) fn facts(&self) -> policy::Process<'_> {
        policy::Process {
            host: self.host.as_deref(),
            exe: self.exe.as_deref(),
            uid: Some(self.uid),
            gid: Some(self.gid),
            unit: self.unit.as_deref().map(str::as_bytes),
            container: self.container.as_deref().map(str::as_bytes),
            service: self.service.as_deref(),
        }
    }
}

/// The host's name as the kernel gives it.
pub(crate) fn host() -> Option<Vec<u8>> {
    let mut names = MaybeUninit::<libc::utsname>::zeroed();
    // SAFETY: room for the answer, which are arrays of characters, each with a zero at its end.
    let names = unsafe { (libc::uname(names.as_mut_ptr()) == 0).then(|| names.assume_init()) }?;
    // SAFETY: as above.
    let name = unsafe { CStr::from_ptr(names.nodename.as_ptr()) };
    Some(name.to_bytes().to_vec()).filter(|name| !name.is_empty())
}
