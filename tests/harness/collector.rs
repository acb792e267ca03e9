// SPDX-License-Identifier: Apache-2.0
//! A real collector with private sockets, log and spool, that can be killed and started again.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::artifacts;
use crate::guard::Guard;
use crate::lines::Lines;
use crate::run::eventually;

/// A collector's folder, and the collector while it runs.
pub struct Collector {
    folder: TempDir,
    child: Option<Child>,
}

impl Collector {
    /// A folder with a configuration; nothing runs yet.
    pub fn prepared() -> Collector {
        let folder = TempDir::new().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("spool")).expect("a spool folder");
        let text = format!(
            "attach = {:?}\nreaders = {:?}\nlog = {:?}\nspool = {:?}\nkeys = {:?}\npolicies = {:?}\n",
            at("attach.sock"),
            at("events.sock"),
            at("log"),
            at("spool"),
            at("keys"),
            folder.path()
        );
        std::fs::write(at("collector.toml"), text).expect("the collector's configuration");
        Collector { folder, child: None }
    }

    /// Lets every call be an event: for a test whose subject is each of them.
    pub fn of_calls(self) -> Collector {
        let path = self.path("collector.toml");
        let mut text = std::fs::read_to_string(&path).expect("the collector's configuration");
        text += "[record]\ndata = \"calls\"\n";
        std::fs::write(path, text).expect("the collector's configuration");
        self
    }

    /// A running collector.
    pub fn started() -> Collector {
        let mut collector = Collector::prepared();
        collector.start();
        collector
    }

    /// Starts it and waits until it takes connections.
    pub fn start(&mut self) {
        assert!(self.child.is_none(), "one collector per folder");
        let errors = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path("stderr"))
            .expect("a file for its words");
        let mut command = Command::new(artifacts::p11guard());
        command.arg("collect").arg("--config").arg(self.path("collector.toml"));
        let child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors).spawn().expect("p11guard runs");
        self.child = Some(child);
        eventually("a collector that listens", || {
            let ended =
                self.child.as_mut().and_then(|child| child.try_wait().expect("a child can be waited for"));
            assert!(ended.is_none(), "the collector ended: {}", self.words());
            UnixStream::connect(self.path("events.sock")).ok()
        });
    }

    /// Kills it with SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("our own child can be killed");
            child.wait().expect("and waited for");
        }
    }

    /// Asks it to end and waits until it has.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let pid = i32::try_from(child.id()).expect("a pid");
            // SAFETY: signals our own child, which has not been waited for.
            unsafe { libc::kill(pid, libc::SIGTERM) };
            let ended =
                eventually("a collector that ends", || child.try_wait().expect("a child can be waited for"));
            assert!(ended.success(), "the collector ended with {ended}: {}", self.words());
        }
    }

    /// Lets `guard` report here, with the spool of this collector.
    pub fn guard(&self, guard: Guard) -> Guard {
        let [attach, spool] = ["attach.sock", "spool"].map(|name| format!("{:?}", self.path(name)));
        guard.set("socket", &attach).set("spool", &spool)
    }

    /// A file of its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The segments of the log, to be read as it grows.
    pub fn log(&self) -> PathBuf {
        self.path("log/events")
    }

    /// Everything that is in the log.
    pub fn stored(&self) -> Vec<Value> {
        let read = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
        self.text().lines().map(read).collect()
    }

    /// Everything in the log, once `count` streams are closed that had calls: a process that found the collector too
    /// slow leaves a ring behind that nobody used, and goes on with one in the spool.
    pub fn stored_after(&self, count: usize) -> Vec<Value> {
        eventually("closed streams", || {
            let text = self.text();
            let ended = |line: &&str| line.contains("\"event\":\"stream.closed\"");
            let closed = text.lines().filter(ended).filter(|line| !line.contains("\"attempted\":0,")).count();
            (closed >= count).then(|| self.stored())
        })
    }

    /// The text of the log, up to the last whole line.
    pub fn text(&self) -> String {
        Lines::new(self.log()).read()
    }

    /// What it wrote to its standard error in all its lives.
    pub fn words(&self) -> String {
        std::fs::read_to_string(self.path("stderr")).unwrap_or_default()
    }
}

impl Drop for Collector {
    /// The keeper outlives a collector by design, but not its test: it is known by the path of its socket.
    fn drop(&mut self) {
        self.kill();
        let socket = self.path("keeper.sock").display().to_string();
        for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            let pid = process.file_name().to_string_lossy().parse::<i32>();
            if let Ok(pid) = pid
                && String::from_utf8_lossy(&line).contains(&format!("keep\0--socket\0{socket}"))
            {
                // SAFETY: no pointer is involved.
                unsafe { libc::kill(pid, libc::SIGKILL) };
            }
        }
    }
}

/// Every file under `folder`, in order of name.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<_> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() { found.extend(files(&entry)) } else { found.push(entry) }
    }
    found
}
