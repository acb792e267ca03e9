// SPDX-License-Identifier: Apache-2.0
//! This program once more, as an application of its own: it makes a ring, hands it over or spools it, calls, and
//! then ends as it was told to.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use ring::{Backing, Producer};

use super::log::until;
use super::rig::{attach, emit, producer};

const ROLE: &str = "P11GUARD_TEST_APPLICATION";

/// What an application does.
pub(crate) struct Application<'a> {
    /// Socket to attach to, or spool file to make.
    pub(crate) ring: &'a Path,
    pub(crate) spooled: bool,
    pub(crate) calls: u64,
    /// Whether it begins one more call that never ends, and then waits to be killed.
    pub(crate) hangs: bool,
    /// Where it writes its stream's id once it has called.
    pub(crate) done: &'a Path,
}

impl Application<'_> {
    /// Starts it.
    pub(crate) fn start(&self) -> Child {
        let role =
            serde_json::json!([self.ring, self.spooled, self.calls, self.hangs, self.done]).to_string();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "child::runs_as_an_application_if_told_so", "--nocapture"]).env(ROLE, role);
        command.stdout(Stdio::null()).spawn().unwrap()
    }
}

#[test]
fn runs_as_an_application_if_told_so() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let (path, spooled, calls, hangs, done): (PathBuf, bool, u64, bool, PathBuf) =
        serde_json::from_str(&role).unwrap();
    let (producer, _connection) = if spooled {
        (producer(Backing::File(&path)), None)
    } else {
        let producer = producer(Backing::Memfd);
        let connection = attached(&producer, &path);
        (producer, Some(connection))
    };
    assert!((0..calls).all(|call| emit(&producer, (call % 2) as u16)));
    let begun = hangs.then(|| producer.lane(0).begin());
    std::fs::write(done.with_extension("part"), producer.stream()).unwrap();
    std::fs::rename(done.with_extension("part"), done).unwrap();
    while begun.is_some() {
        std::thread::park();
    }
}

/// Attaches, again and again until somebody reads the ring.
pub(crate) fn attached(producer: &Producer, socket: &Path) -> Option<std::os::fd::OwnedFd> {
    let mut connection = None;
    let mut tried = 0;
    until("attaching", || {
        if tried % 40 == 0 {
            connection = attach(producer, socket).ok();
        }
        tried += 1;
        producer.heartbeat() != 0
    });
    connection
}
