// SPDX-License-Identifier: Apache-2.0
//! The collector as a whole: started, stopped, waited for. `p11guard collect` runs one for the host, `p11guard run`
//! one for a single command.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::net::SocketType;
use rustix::net::sockopt::set_socket_passcred;

use crate::error::Error;
use crate::intake::attach::Door;
use crate::intake::packet::{group, listen};
use crate::intake::quota::Quota;
use crate::intake::spool::{Found, Spool};
use crate::intake::{Intake, Parts, Post, Stop, Wake};
use crate::keeper::{Keeper, raise_descriptor_limit};
use crate::log::{Log, Seals};
use crate::readers::Readers;
use crate::settings::Settings;
use crate::sign::{At, Signing};

/// A running collector. Dropping it stops it.
pub struct Collector {
    /// In the order in which they end: the doors, so that whoever has come is let in; the intake, so that everything
    /// is stored; the readers, so that they get it.
    stages: [Stage; 3],
    wake: Wake,
    /// Sockets to remove, each with the inode that was bound.
    sockets: Vec<(PathBuf, u64)>,
}

/// Threads that end together.
struct Stage {
    stop: Stop,
    threads: Vec<JoinHandle<Result<(), Error>>>,
}

impl Collector {
    /// Recovers the log, takes over the rings that are left from before, opens the sockets and starts to read.
    ///
    /// # Errors
    /// [`Error`] says what is in the way and what to do; nothing is left running then.
    pub fn start(settings: Settings) -> Result<Collector, Error> {
        raise_descriptor_limit();
        let (attach_group, readers_group) =
            (group(settings.attach_group.as_deref())?, group(settings.readers_group.as_deref())?);
        let log = Log::open(&settings.log, readers_group)?;
        let mut sockets = Sockets::default();
        let attach_mode = if attach_group.is_some() { 0o660 } else { 0o666 };
        let attach = sockets.listen(&settings.attach, SocketType::SEQPACKET, attach_mode, attach_group)?;
        // The kernel says with each message who sent it, which may be another than who connected.
        set_socket_passcred(&attach, true)
            .map_err(|error| Error::system("ask for credentials")(error.into()))?;
        let listener = sockets.listen(&settings.readers, SocketType::STREAM, 0o660, readers_group)?;

        let stages = [Stage::new()?, Stage::new()?, Stage::new()?];
        let [doors, taking, reading] = stages.each_ref().map(|stage| stage.stop.clone());
        let wake = Wake::new()?;
        let (channel, inbox) = crossbeam_channel::bounded(1024);
        let post = Post { channel, wake: wake.clone(), stop: doors };
        let keeper = settings.keeper.then(|| Keeper::at(settings.attach.with_file_name("keeper.sock")));
        let streams = Quota::new(settings.streams_per_uid.into());
        let (folder, durable) = (log.folder(), log.durable());
        let seals = Arc::<Seals>::default();
        let signing = signer(&settings).map(|at| (Signing::at(at), Arc::clone(&seals)));
        let mut intake = Intake::start(Parts {
            log,
            keeper,
            inbox,
            wake: wake.clone(),
            stop: taking,
            streams,
            policies: settings.policies.clone(),
            levels: settings.record,
            signing,
        })?;
        let mut spool =
            settings.spool.map(|folder| Spool::new(folder, Quota::new(settings.spool_bytes_per_uid)));
        let Found { messages, more } = spool.as_mut().map(Spool::scan).unwrap_or_default();
        intake.begin(messages, more);

        let door = Door {
            listener: attach,
            quota: Quota::new(settings.connections_per_uid.into()),
            post: post.clone(),
        };
        let limit = settings.readers_limit;
        let readers = Readers { listener, limit, log: folder, durable, seals, stop: reading };
        let mut collector = Collector { stages, wake, sockets: sockets.keep() };
        let [doors, taking, reading] = &mut collector.stages;
        taking.spawn("intake", move || intake.run())?;
        reading.spawn("readers", move || {
            readers.serve();
            Ok(())
        })?;
        doors.spawn("attach", move || {
            door.keep();
            Ok(())
        })?;
        if let Some(spool) = spool {
            doors.spawn("spool", move || {
                spool.watch(&post);
                Ok(())
            })?;
        }
        Ok(collector)
    }

    /// Lets in who has come, reads what the rings hold, makes it durable, writes the books, gives the readers the
    /// rest, and ends. Streams of processes that still live stay open in the log.
    ///
    /// # Errors
    /// [`Error::Unstored`] if the log could not be written, [`Error::Panic`] if a part of the collector failed.
    pub fn stop(mut self) -> Result<(), Error> {
        self.end()
    }

    /// Whether all parts work: one that ends by itself has said why.
    pub fn is_running(&self) -> bool {
        self.stages.iter().flat_map(|stage| &stage.threads).all(|thread| !thread.is_finished())
    }

    /// Waits until the collector ends, which it does only if a part of it fails.
    ///
    /// # Errors
    /// As [`stop`](Collector::stop).
    pub fn wait(mut self) -> Result<(), Error> {
        while self.is_running() {
            thread::sleep(Duration::from_millis(200));
        }
        self.end()
    }

    fn end(&mut self) -> Result<(), Error> {
        let mut ended = Ok(());
        for stage in &mut self.stages {
            stage.stop.stop();
            self.wake.wake();
            for thread in stage.threads.drain(..) {
                ended = ended.and(thread.join().unwrap_or(Err(Error::Panic)));
            }
        }
        remove(&std::mem::take(&mut self.sockets));
        ended
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::error!(%error, "the collector did not end well");
        }
    }
}

impl Stage {
    fn new() -> Result<Stage, Error> {
        Ok(Stage { stop: Stop::new()?, threads: Vec::new() })
    }

    fn spawn(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        let spawned = thread::Builder::new().name(name.into()).spawn(work);
        self.threads.push(spawned.map_err(Error::system("start a thread"))?);
        Ok(())
    }
}

/// Where the log is signed, if it is.
fn signer(settings: &Settings) -> Option<At> {
    let Settings { signer, keys, program, epoch, .. } = settings;
    let own = |keys: &PathBuf| At::Own { program: program.clone(), keys: keys.clone(), epoch: *epoch };
    signer.clone().map(At::Socket).or_else(|| keys.as_ref().map(own))
}

/// Sockets that are removed again if the start fails.
#[derive(Default)]
struct Sockets(Vec<(PathBuf, u64)>);

impl Sockets {
    fn listen(
        &mut self,
        path: &Path,
        kind: SocketType,
        mode: u32,
        group: Option<u32>,
    ) -> Result<OwnedFd, Error> {
        let socket = listen(path, kind, mode, group)?;
        let inode = fs::symlink_metadata(path).map_or(0, |status| status.ino());
        self.0.push((path.to_owned(), inode));
        Ok(socket)
    }

    fn keep(mut self) -> Vec<(PathBuf, u64)> {
        std::mem::take(&mut self.0)
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

fn remove(sockets: &[(PathBuf, u64)]) {
    for (path, inode) in sockets {
        if fs::symlink_metadata(path).is_ok_and(|status| status.ino() == *inode) {
            let _ = fs::remove_file(path);
        }
    }
}
