// SPDX-License-Identifier: Apache-2.0
//! Who a stream of records comes from: its id, the process as the kernel describes it, and what its shim said of
//! itself once. Nothing of the process stands here that the process itself could have chosen to claim, except where
//! `claimed` says so.

use std::fmt;

use event::hello::Field;
use event::record::Key;
use serde::{Deserialize, Serialize};

/// A stream: one ring of one process, from its attach to its close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Chosen at random by the shim; a process has one, its child after fork another.
    pub id: [u8; 16],
    /// The process, as the kernel describes it.
    pub process: Process,
    /// What the shim said of itself: library, module, configuration, policy.
    pub hello: Vec<(Field, Vec<u8>)>,
}

impl Stream {
    /// The id as it stands in events: 32 lower-case hexadecimal digits.
    pub fn name(&self) -> String {
        Name(&self.id).to_string()
    }

    /// What the hello says of `field`, if it names it.
    pub fn said(&self, field: Field) -> Option<&[u8]> {
        self.hello.iter().find(|(known, _)| *known == field).map(|(_, value)| value.as_slice())
    }
}

/// A stream id, shown as 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy)]
pub struct Name<'a>(pub &'a [u8; 16]);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A process, as the kernel described it while it was known to live.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Process id, in the collector's pid namespace.
    pub pid: u32,
    /// When it started, UTC nanoseconds.
    pub start_ns: Option<u64>,
    /// When it started, clock ticks since boot: no step of the clock changes it, so it ties the pid to one process.
    pub start_ticks: Option<u64>,
    /// The program, `/proc/<pid>/exe`.
    pub exe: Option<Vec<u8>>,
    /// `/proc/<pid>/comm`, without its newline. The process may set it to anything.
    pub comm: Option<Vec<u8>>,
    /// Effective user at connect; owner of the file where the ring was spooled.
    pub uid: u32,
    /// Effective group at connect; group of the file where the ring was spooled.
    pub gid: u32,
    /// Path in the unified control group hierarchy.
    pub cgroup: Option<Vec<u8>>,
    /// The systemd unit that the control group names.
    pub unit: Option<String>,
    /// The container that the control group names: 64 hexadecimal digits.
    pub container: Option<String>,
    /// The pid is the ring's own word: its process was gone before anybody could ask the kernel. The uid is not.
    pub claimed: bool,
}

/// What an operation's Init said, carried by the later calls of the operation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OperationFacts {
    /// `CKM_` number.
    pub mechanism: Option<u64>,
    /// The key that works.
    pub key: Option<Key>,
}
