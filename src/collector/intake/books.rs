// SPDX-License-Identifier: Apache-2.0
//! The books, and how they stay right over a crash at any instant.
//!
//! `state.json` says for one end of the log (offset in its segment, and index) what every open stream's account was there. It is
//! written, whole and atomically, each second and at a start. A start reads the log from that end on and enters
//! every event into the accounts. What a ring holds that the log holds as well was read there, now or by a start
//! before: a lane of which that may be so is marked, and each frame that comes again is known by its number. Lost
//! books cost one pass over the whole log.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::account::Account;
use crate::error::Error;
use crate::log::{Log, Scan, replace};
use crate::stream::Name;

const FORMAT: u32 = 2;

/// Accounts by stream id.
pub(crate) type Accounts = HashMap<[u8; 16], Account>;

#[derive(Serialize, Deserialize)]
struct State<A> {
    format: u32,
    /// Boot id of the host: rings in memory do not outlive it.
    boot: String,
    offset: u64,
    index: u64,
    /// By stream id, hexadecimal.
    streams: Vec<(String, A)>,
}

/// The state file beside the log.
#[derive(Debug)]
pub(crate) struct Books {
    path: PathBuf,
    boot: String,
    /// The end of the log that it was written for.
    written: (u64, u64),
}

/// What a start found.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    pub(crate) accounts: Accounts,
    pub(crate) scan: Scan,
    /// The host was started anew since.
    pub(crate) rebooted: bool,
    /// The state could not be used, though the log is not new: all of it was read.
    pub(crate) rebuilt: bool,
}

impl Books {
    /// The books of a log, on a host with this boot id.
    pub(crate) fn of(log: &Log, boot: [u8; 16]) -> Books {
        Books { path: log.path().join("state.json"), boot: Name(&boot).to_string(), written: (0, 0) }
    }

    /// Reads state and log.
    ///
    /// # Errors
    /// As [`Log::recover`].
    pub(crate) fn recover(&mut self, log: &mut Log) -> Result<Recovered, Error> {
        let state = self.read().filter(|state| log.is_end(state.offset, state.index));
        let mut found = Recovered { rebuilt: state.is_none(), ..Recovered::default() };
        let (mut offset, mut index) = (0, 0);
        if let Some(state) = state {
            (offset, index) = (state.offset, state.index);
            found.rebooted = state.boot != self.boot;
            let known = |(id, account): (String, Account)| {
                Some((u128::from_str_radix(&id, 16).ok()?.to_be_bytes(), account))
            };
            found.accounts = state.streams.into_iter().filter_map(known).collect();
        }
        found.scan = log.recover(offset, index, &mut |head, line| {
            // A refusal names a stream that is not the refused one's.
            if let Some(id) = head.stream().filter(|_| head.event != "stream.refused") {
                found.accounts.entry(id).or_default().replay(head, line);
            }
        })?;
        found.rebuilt &= found.scan.index > 0;
        self.written = (offset, index);
        Ok(found)
    }

    fn read(&self) -> Option<State<Account>> {
        let bytes = match fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            read => read,
        };
        let read = bytes.map_err(|error| error.to_string());
        let state = read
            .and_then(|bytes| serde_json::from_slice::<State<Account>>(&bytes).map_err(|e| e.to_string()));
        match state {
            Ok(state) if state.format == FORMAT => Some(state),
            Ok(state) => {
                tracing::warn!(path = ?self.path, format = state.format, "the state is of another version: the log is read whole");
                None
            }
            Err(error) => {
                tracing::warn!(path = ?self.path, error, "the state cannot be read: the log is read whole");
                None
            }
        }
    }

    /// Writes the state down for the durable end of the log, unless it stands there already.
    pub(crate) fn write<'a>(
        &mut self,
        (offset, index): (u64, u64),
        accounts: impl Iterator<Item = (&'a [u8; 16], Cow<'a, Account>)>,
    ) -> io::Result<()> {
        if self.written == (offset, index) {
            return Ok(());
        }
        let streams = accounts.map(|(id, account)| (Name(id).to_string(), account)).collect();
        let state = State { format: FORMAT, boot: self.boot.clone(), offset, index, streams };
        replace(&self.path, &serde_json::to_vec(&state)?)?;
        self.written = (offset, index);
        Ok(())
    }
}
