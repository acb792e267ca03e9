// SPDX-License-Identifier: Apache-2.0
//! Who is taken in: new streams, streams that come again after a restart of the collector or of a connection, and
//! nobody under the id of another.

use std::fs::File;
use std::os::fd::AsFd;
use std::sync::Arc;

use ring::{Backing, Consumer};
use rustix::fs::fstat;
use serde_json::Map;

use super::account::Account;
use super::arrival::{Arrival, Message, Origin, Refusal, ring_id};
use super::identity::{Pinned, again};
use super::live::{Definitions, Live};
use super::operations::Operations;
use super::quota::Ticket;
use super::summary::Summary;
use super::{Intake, tell};
use crate::clock::monotonic_now;
use crate::keeper::Keeper;
use crate::stream::{Process, Stream};

impl Intake {
    /// Adopts every ring that the keeper holds.
    pub(super) fn take_over(&mut self) {
        let Some(keeper) = &mut self.keeper else { return };
        let parked = match keeper.reach().and_then(|()| keeper.list()) {
            Ok(parked) => parked,
            Err(error) => {
                tracing::error!(%error, "no keeper: a ring is lost if this process is killed while its application ends");
                return;
            }
        };
        for parked in parked {
            let process: Process = serde_json::from_slice(&parked.blob).unwrap_or_default();
            let life = again(&process);
            let file = Arc::new(File::from(parked.ring));
            let opened = fstat(&*file).map_err(|error| error.to_string()).and_then(|status| {
                let clone = file.try_clone().map_err(|error| error.to_string())?;
                let ring = Consumer::open(clone, Backing::Memfd).map_err(|refused| refused.to_string())?;
                Ok((ring, ring_id(&status)))
            });
            match opened {
                Ok((ring, inode)) => {
                    let who = Pinned { process, life };
                    let origin = Origin::Attached(file);
                    self.admit(Arrival { ring, inode, who, origin, connection: None });
                }
                Err(reason) => self.refuse(Refusal { process, stream: Some(parked.id), reason }),
            }
        }
    }

    /// Finds the keeper again, or another, and parks everything there.
    pub(super) fn keep_keeper(&mut self) {
        if self.keeper.as_ref().is_none_or(Keeper::is_there) {
            return;
        }
        tracing::warn!("the keeper does not answer; starting it anew");
        self.take_over();
        if let Some(keeper) = &mut self.keeper {
            self.live.values().for_each(|live| park(keeper, &live.stream, &live.origin));
        }
    }

    pub(super) fn hear(&mut self, message: Message) {
        match message {
            Message::Arrived(arrival) => self.admit(*arrival),
            Message::Refused(refusal) => self.refuse(*refusal),
        }
    }

    /// Takes a ring in: a new stream, one that comes again, or one that is somebody else's.
    fn admit(&mut self, arrival: Arrival) {
        let id = arrival.ring.header().stream;
        let process = &arrival.who.process;
        if let Some(live) = self.live.get_mut(&id)
            && live.inode == arrival.inode
            && live.stream.process.pid == process.pid
        {
            live.connection = arrival.connection.or(live.connection.take());
            return;
        }
        if self.waiting.get(&id).is_some_and(|account| account.closed) {
            return self.discard(&id, &arrival.origin, arrival.inode);
        }
        let live = self.live.get(&id).map(|live| &live.account);
        let owner = live.or(self.waiting.get(&id)).map(|account| account.process.pid);
        let reason = match owner {
            _ if self.ended.contains(&id) => "the stream was closed before".to_owned(),
            Some(owner) if owner != process.pid || live.is_some() => {
                format!("the stream belongs to process {owner}")
            }
            _ => match self.streams.take(process.uid, 1) {
                Some(ticket) => return self.take_in(arrival, ticket),
                None => "its user has as many streams as one may have".to_owned(),
            },
        };
        self.refuse(Refusal { process: process.clone(), stream: Some(id), reason });
    }

    fn take_in(&mut self, arrival: Arrival, ticket: Ticket) {
        let id = arrival.ring.header().stream;
        let account = self.waiting.remove(&id);
        let new = account.is_none();
        let mut live = self.live_of(arrival, account, ticket);
        if let Some(keeper) = &mut self.keeper {
            park(keeper, &live.stream, &live.origin);
        }
        // Told before the first event of it, and again only if it never was.
        if new {
            tell::stream(&mut self.log, &live);
        }
        let word = self.announcer.word;
        let told = live.ring.beat(monotonic_now()).and_then(|()| live.ring.tell_policy(word));
        if let Err(corrupt) = told {
            live.is_corrupt(corrupt, &mut self.log);
        }
        self.live.insert(id, live);
    }

    fn live_of(&self, arrival: Arrival, account: Option<Account>, ticket: Ticket) -> Live {
        let Arrival { ring, inode, who: Pinned { process, life }, origin, connection } = arrival;
        let mut account = account.unwrap_or_default();
        // What was known while the process lived is better than what is known now that it does not.
        if account.process.pid != process.pid || life.is_some() || account.process.exe.is_none() {
            account.process = process;
        }
        let hello =
            event::hello::fields(ring.hello()).map(|(field, value)| (field, value.to_vec())).collect();
        Live {
            stream: Arc::new(Stream { id: ring.header().stream, process: account.process.clone(), hello }),
            reading: self.host.reading(ring.header()),
            before: ring.counters().copied().collect(),
            definitions: Definitions(ring.definitions()),
            account,
            ring,
            inode,
            origin,
            connection,
            life,
            operations: Operations::default(),
            summary: Summary::default(),
            old: None,
            reached: Vec::new(),
            _ticket: ticket,
            dead: false,
            untold: None,
        }
    }

    /// Tells of somebody who was not let in; a flood of them only by number.
    pub(super) fn refuse(&mut self, refusal: Refusal) {
        let Refusal { process, stream, reason } = refusal;
        if !self.refusals.passes(&reason) {
            return;
        }
        tracing::warn!(pid = process.pid, uid = process.uid, reason, "a stream was refused");
        let mut fields = Map::new();
        fields.insert("reason".into(), reason.into());
        if stream.is_none() {
            fields.insert("pid".into(), process.pid.into());
            fields.insert("uid".into(), process.uid.into());
        }
        let named = stream.map(|id| Stream { id, process, hello: Vec::new() });
        self.log.control("stream.refused", &fields, named.as_ref());
    }
}

fn park(keeper: &mut Keeper, stream: &Stream, origin: &Origin) {
    let Origin::Attached(file) = origin else { return };
    let blob = serde_json::to_vec(&stream.process).unwrap_or_default();
    if let Err(error) = keeper.park(&stream.id, &blob, file.as_fd()) {
        tracing::warn!(%error, stream = %stream.name(), "the keeper did not take a ring");
    }
}
