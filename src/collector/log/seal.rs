// SPDX-License-Identifier: Apache-2.0
//! Sealing: follows the log with a cursor of its own, grows the tree, writes its tiles, has the signer sign it, and
//! only then shows the note. Nothing waits for it: events that no note covers yet are durable and readable, they are
//! only not proved. What it cannot do now (a full disk, no signer) it does later, in the same order.

mod grow;
mod shown;
mod start;

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::{Folder, Log};
use crate::error::Error;
use crate::sign::Signing;
use grow::Growing;
use shown::Shown;

/// How often what failed is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// The newest note.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Latest {
    /// Events that it covers.
    pub(crate) size: u64,
    /// The note as it stands in `checkpoint`, empty before the first.
    pub(crate) note: String,
    /// Number of the key that signs next.
    pub(crate) epoch: u64,
}

/// What the others see of the sealing: what is wanted, and what is done.
#[derive(Debug, Default)]
pub(crate) struct Seals {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    wanted: u64,
    latest: Latest,
    stopped: bool,
}

impl Seals {
    /// Wants a note over the first `size` events, all of them durable.
    pub(crate) fn want(&self, size: u64) {
        self.state.lock().wanted = size;
        self.changed.notify_all();
    }

    /// The newest note, and whether it is the one that was wanted last.
    pub(crate) fn latest(&self) -> (Latest, bool) {
        let state = self.state.lock();
        (state.latest.clone(), state.latest.size >= state.wanted)
    }

    /// Waits for a note over more than `size` events.
    pub(crate) fn wait(&self, size: u64, patience: Duration) -> Latest {
        let mut state = self.state.lock();
        if state.latest.size <= size {
            self.changed.wait_for(&mut state, patience);
        }
        state.latest.clone()
    }

    fn show(&self, latest: Latest) {
        self.state.lock().latest = latest;
        self.changed.notify_all();
    }

    /// The next size to seal, once there is one; `None` at the end.
    fn next(&self) -> Option<u64> {
        let mut state = self.state.lock();
        while state.wanted <= state.latest.size && !state.stopped {
            self.changed.wait(&mut state);
        }
        (state.wanted > state.latest.size).then_some(state.wanted)
    }

    /// Waits before another try; `false` if that is not wanted any more.
    fn again(&self) -> bool {
        let mut state = self.state.lock();
        if !state.stopped {
            self.changed.wait_for(&mut state, RETRY);
        }
        !state.stopped
    }
}

/// The thread that seals. Dropping it gives up what is not sealed.
#[derive(Debug)]
pub(crate) struct Sealer {
    seals: Arc<Seals>,
    thread: Option<JoinHandle<()>>,
}

impl Sealer {
    /// Brings proofs and log together after a start, and goes on from there. The log must be recovered.
    ///
    /// # Errors
    /// [`Error::Forked`] where the log is not the one that was signed, [`Error::Unsealed`] where there is no signer,
    /// [`Error::Path`] where a file cannot be read or written.
    pub(crate) fn start(log: &mut Log, signing: Signing, seals: Arc<Seals>) -> Result<Sealer, Error> {
        let sealing = start::start(log, signing)?;
        seals.show(sealing.latest());
        seals.want(sealing.growing.size());
        let shared = Arc::clone(&seals);
        let work = move || sealing.run(&shared);
        let thread = thread::Builder::new().name("seal".into()).spawn(work);
        Ok(Sealer { seals, thread: Some(thread.map_err(Error::system("start a thread"))?) })
    }

    /// What the others see.
    pub(crate) fn seals(&self) -> &Seals {
        &self.seals
    }
}

impl Drop for Sealer {
    /// What was wanted last is tried once more.
    fn drop(&mut self) {
        self.seals.state.lock().stopped = true;
        self.seals.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The sealing itself.
struct Sealing {
    growing: Growing,
    shown: Shown,
    signing: Signing,
}

impl Sealing {
    fn run(mut self, seals: &Seals) {
        while let Some(size) = seals.next() {
            let mut failed = false;
            // The same size until it is done: the signer may have signed it, and its answer was lost.
            while let Err(error) = self.seal(size) {
                if !std::mem::replace(&mut failed, true) {
                    tracing::error!(%error, size, "the log cannot be sealed; trying again");
                }
                if !seals.again() {
                    return;
                }
            }
            if failed {
                tracing::info!(size, "the log is sealed again");
            }
            seals.show(self.latest());
        }
    }

    /// Seals the first `size` events: tiles, signature, note, in this order.
    fn seal(&mut self, size: u64) -> io::Result<()> {
        self.growing.grow(size)?;
        self.growing.flush()?;
        if !self.signing.is_there() {
            let signed = self.signing.hello(&self.shown.origin(), self.shown.known())?;
            self.shown.take_certificates(&signed.certificates)?;
            // A signer that answered and was not heard has signed this very tree.
            self.settle(signed.size, &signed.note)?;
        }
        if self.growing.signed() < size {
            let signed = self.signing.sign(self.shown.known(), self.growing.unsigned())?;
            self.shown.take_certificates(&signed.certificates)?;
            self.settle(signed.size, &signed.note)?;
        }
        self.growing.drop_stale();
        Ok(())
    }

    /// Takes in a note of the signer, if it is news.
    fn settle(&mut self, size: u64, note: &str) -> io::Result<()> {
        if size == self.growing.signed() {
            return Ok(());
        }
        if size != self.growing.size() {
            let what = format!("the signer signed {size} events, and there are {}", self.growing.size());
            return Err(io::Error::other(what));
        }
        self.shown.show(note, size, self.growing.root())?;
        self.growing.mark_signed();
        Ok(())
    }

    fn latest(&self) -> Latest {
        Latest {
            size: self.growing.signed(),
            note: self.shown.note().into(),
            epoch: self.shown.known().saturating_sub(1),
        }
    }
}

#[cfg(test)]
mod tests;
