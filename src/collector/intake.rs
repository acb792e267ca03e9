// SPDX-License-Identifier: Apache-2.0
//! From rings to the log. One thread reads every ring in turn into one batch, makes the batch durable, and only then
//! acknowledges: the ring is the queue, and what is not in the log yet is still in the ring.

mod account;
mod arrival;
pub(crate) mod attach;
mod books;
mod identity;
mod lanes;
mod limiter;
mod live;
mod operations;
pub(crate) mod packet;
pub(crate) mod quota;
pub(crate) mod spool;

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use ring::{Backing, Consumer};
use rustix::fs::fstat;
use serde_json::{Map, Value};

use crate::clock::{Host, monotonic_now};
use crate::error::Error;
use crate::keeper::Keeper;
use crate::log::Log;
use crate::stream::{Name, Process, Stream};
use account::Account;
use arrival::{Arrival, Origin, Refusal, ring_id};
pub(crate) use arrival::{Message, Post, Stop, Wake};
use books::{Accounts, Books, Recovered};
use identity::{Pinned, again, may_live};
use limiter::Limiter;
use live::Live;
use operations::Operations;
use quota::{Quota, Ticket};

/// Bytes of frames in one batch, all rings together.
const BATCH: usize = 4 << 20;
/// Every ring may have this much of a batch, however many there are.
const LEAST_SHARE: usize = 16 << 10;
/// How long to wait between two batches while there is work, and at most while there is none.
const BUSY: Duration = Duration::from_millis(1);
const IDLE: Duration = Duration::from_millis(20);
/// How often the rings are told that somebody reads them.
const BEAT: Duration = Duration::from_millis(250);
/// How often processes are looked at.
const LOOK: Duration = Duration::from_millis(20);
/// How often losses are told, and the books written.
const TICK: Duration = Duration::from_secs(1);
/// How often a log that cannot be written is tried again.
const RETRY: Duration = Duration::from_millis(200);
/// How long streams that never fall silent are read after the stop.
const DRAIN: Duration = Duration::from_secs(2);
/// How many closed streams are remembered.
const ENDED: usize = 4096;

/// The thread that reads.
pub(crate) struct Intake {
    log: Log,
    books: Books,
    host: Host,
    live: HashMap<[u8; 16], Live>,
    /// Streams that the log tells of and whose ring is not at hand.
    waiting: Accounts,
    /// The last streams that were closed: their rings are not taken a second time.
    ended: VecDeque<[u8; 16]>,
    keeper: Option<Keeper>,
    inbox: Receiver<Message>,
    wake: Wake,
    stop: Stop,
    streams: Quota,
    refusals: Limiter,
    due: Due,
}

/// When what was done last.
struct Due {
    beat: Instant,
    look: Instant,
    tick: Instant,
}

/// What an intake works with.
pub(crate) struct Parts {
    pub(crate) log: Log,
    pub(crate) keeper: Option<Keeper>,
    pub(crate) inbox: Receiver<Message>,
    pub(crate) wake: Wake,
    pub(crate) stop: Stop,
    pub(crate) streams: Quota,
}

impl Intake {
    /// Recovers log and books, and takes over what the keeper holds.
    ///
    /// # Errors
    /// [`Error::Path`] if the log cannot be read.
    pub(crate) fn start(parts: Parts) -> Result<Intake, Error> {
        let Parts { mut log, keeper, inbox, wake, stop, streams } = parts;
        let host = Host::watch();
        let mut books = Books::of(&log, host.boot);
        let recovered = books.recover(&mut log)?;
        tell_start(&mut log, &host, &recovered);
        let now = Instant::now();
        let mut intake = Intake {
            log,
            books,
            host,
            live: HashMap::new(),
            waiting: recovered.accounts,
            ended: VecDeque::new(),
            keeper,
            inbox,
            wake,
            stop,
            streams,
            refusals: Limiter::new(now),
            due: Due { beat: now, look: now, tick: now },
        };
        intake.take_over();
        Ok(intake)
    }

    /// Takes what the first scan of the spool found. `more`: some files were left for later.
    pub(crate) fn begin(&mut self, messages: Vec<Message>, more: bool) {
        messages.into_iter().for_each(|message| self.hear(message));
        if !more && self.keeper.as_ref().is_none_or(Keeper::is_there) {
            // Their rings were released, or they would have come by now.
            self.waiting.retain(|_, account| !account.closed);
        }
    }

    /// Reads until the collector stops, and then until the rings are empty.
    ///
    /// # Errors
    /// [`Error::Unstored`] if the log cannot be written.
    pub(crate) fn run(mut self) -> Result<(), Error> {
        let mut patience = BUSY;
        let mut stopped: Option<Instant> = None;
        loop {
            while let Ok(message) = self.inbox.try_recv() {
                self.hear(message);
            }
            if self.stop.is_stopped() {
                stopped.get_or_insert_with(Instant::now);
            }
            let (frames, whole) = self.round(stopped.is_some());
            match stopped {
                Some(_) if !whole => break,
                Some(since) if frames == 0 || since.elapsed() > DRAIN => break,
                Some(_) => {}
                None => {
                    patience = if frames > 0 { BUSY } else { (patience * 2).min(IDLE) };
                    self.wake.wait(patience);
                }
            }
        }
        self.finish()
    }

    /// One batch: reads every ring, makes it durable, acknowledges. How many frames there were, and whether the log
    /// could be written. `last`: what has ended by now must be closed in this round, or the next.
    fn round(&mut self, last: bool) -> (usize, bool) {
        let now = Instant::now();
        if passed(&mut self.due.look, now, LOOK) || last {
            self.live.values_mut().for_each(|live| live.look(&mut self.log));
        }
        let share = (BATCH / self.live.len().max(1)).max(LEAST_SHARE);
        let mut frames = 0;
        for live in self.live.values_mut().filter(|live| !live.account.closed) {
            let read = live.read(&mut self.log, share);
            frames += read;
            if let Some(reason) = live.end(read) {
                live.close(reason, &mut self.log);
            }
        }
        if passed(&mut self.due.beat, now, BEAT) {
            beat(&mut self.live, &mut self.log);
        }
        let ticks = passed(&mut self.due.tick, now, TICK);
        if ticks {
            self.tick();
        }
        if self.log.pending() > 0 && !self.commit() {
            return (frames, false);
        }
        self.release();
        if ticks {
            self.write_books();
        }
        (frames, true)
    }

    /// Makes the batch durable and acknowledges it, in this order.
    fn commit(&mut self) -> bool {
        let Intake { log, live, stop, .. } = self;
        let mut corrupt = Vec::new();
        let mut go_on = || {
            // The rings fill meanwhile; that is what they are for. Only the applications must not think us gone.
            let now = monotonic_now();
            corrupt.extend(live.iter_mut().filter_map(|(id, live)| Some((*id, live.ring.beat(now).err()?))));
            !stop.wait(RETRY)
        };
        if !log.commit(&mut go_on) {
            return false;
        }
        for (id, corrupt) in corrupt {
            live[&id].is_corrupt(corrupt, log);
        }
        for live in live.values_mut() {
            if let Err(corrupt) = live.ring.acknowledge() {
                live.is_corrupt(corrupt, log);
            }
        }
        true
    }

    /// Lets go of the rings whose end is durable.
    fn release(&mut self) {
        let closed: Vec<_> =
            self.live.iter().filter(|(_, live)| live.account.closed).map(|(id, _)| *id).collect();
        for id in closed {
            if let Some(live) = self.live.remove(&id) {
                self.discard(&id, &live.origin, live.inode);
                self.ended.push_front(id);
                self.ended.truncate(ENDED);
            }
        }
    }

    /// Removes a ring that is not needed any more.
    fn discard(&mut self, id: &[u8; 16], origin: &Origin, inode: (u64, u64)) {
        match origin {
            Origin::Attached(_) => {
                if let Some(keeper) = &mut self.keeper
                    && let Err(error) = keeper.release(id)
                {
                    tracing::warn!(%error, stream = %Name(id), "the keeper did not drop a ring");
                }
            }
            Origin::Spooled { path, .. } => {
                if let Err(error) = spool::remove(path, inode) {
                    tracing::warn!(%error, ?path, "a spool file that was read cannot be removed");
                }
            }
        }
    }

    fn tick(&mut self) {
        self.host.look();
        for live in self.live.values_mut().filter(|live| !live.account.closed) {
            live.reading = self.host.reading(live.ring.header());
            live.tell_losses(&mut self.log, false);
        }
        for (reason, count) in self.refusals.overflow() {
            let mut fields = Map::new();
            fields.insert("reason".into(), reason.into());
            fields.insert("more".into(), count.into());
            self.log.control("stream.refused", &fields, None);
        }
        self.give_up_lost_rings();
        self.keep_keeper();
    }

    /// Closes the streams whose process is gone and whose ring is nowhere.
    fn give_up_lost_rings(&mut self) {
        for (id, account) in self.waiting.iter_mut().filter(|(_, account)| !account.closed) {
            if may_live(&account.process) {
                continue;
            }
            let sum =
                |each: fn(&lanes::Lane) -> u64| account.lanes.iter().map(each).fold(0, u64::saturating_add);
            let mut fields = Map::new();
            fields.insert("reason".into(), "ring gone".into());
            fields.insert("stored".into(), sum(|lane| lane.stored).into());
            fields.insert("malformed".into(), sum(|lane| lane.malformed).into());
            fields.insert("lost".into(), sum(|lane| lane.reported.iter().sum()).into());
            // How many calls there were stood in the ring: nobody can say that none is missing.
            fields.insert("attempted".into(), Value::Null);
            let stream = Stream { id: *id, process: account.process.clone(), hello: Vec::new() };
            tracing::error!(stream = %stream.name(), pid = stream.process.pid, "the ring of a stream is gone");
            self.log.control("stream.closed", &fields, Some(&stream));
            account.closed = true;
        }
    }

    /// Finds the keeper again, or another, and parks everything there.
    fn keep_keeper(&mut self) {
        if self.keeper.as_ref().is_none_or(Keeper::is_there) {
            return;
        }
        tracing::warn!("the keeper does not answer; starting it anew");
        self.take_over();
        if let Some(keeper) = &mut self.keeper {
            self.live.values().for_each(|live| park(keeper, &live.stream, &live.origin));
        }
    }

    fn write_books(&mut self) {
        let live = self.live.iter().map(|(id, live)| (id, &live.account));
        let accounts = live.chain(self.waiting.iter());
        if let Err(error) = self.books.write(self.log.end(), accounts) {
            // Older books only make the next start read more of the log.
            tracing::error!(%error, "the books cannot be written");
        }
    }

    /// Adopts every ring that the keeper holds.
    fn take_over(&mut self) {
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

    fn hear(&mut self, message: Message) {
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
            tell_stream(&mut self.log, &live);
        }
        if let Err(corrupt) = live.ring.beat(monotonic_now()) {
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
            stream: Stream { id: ring.header().stream, process: account.process.clone(), hello },
            reading: self.host.reading(ring.header()),
            before: ring.counters().copied().collect(),
            account,
            ring,
            inode,
            origin,
            connection,
            life,
            operations: Operations::default(),
            _ticket: ticket,
            dead: false,
            untold: None,
        }
    }

    /// Tells of somebody who was not let in; a flood of them only by number.
    fn refuse(&mut self, refusal: Refusal) {
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

    fn finish(mut self) -> Result<(), Error> {
        self.live.values_mut().for_each(|live| live.tell_losses(&mut self.log, false));
        let mut fields = Map::new();
        fields.insert(
            "open_streams".into(),
            self.live.values().filter(|live| !live.account.closed).count().into(),
        );
        self.log.control("log.closed", &fields, None);
        let stored = self.commit();
        if stored {
            self.release();
            self.write_books();
        }
        if let Some(keeper) = self.keeper.as_mut().filter(|_| self.live.is_empty()) {
            keeper.dismiss();
        }
        self.log.durable().close();
        if stored {
            Ok(())
        } else {
            Err(Error::Unstored { path: self.log.path().into(), bytes: self.log.pending() })
        }
    }
}

/// Whether `every` has passed since `last`, which is now then.
fn passed(last: &mut Instant, now: Instant, every: Duration) -> bool {
    let passed = now.saturating_duration_since(*last) >= every;
    if passed {
        *last = now;
    }
    passed
}

fn beat(live: &mut HashMap<[u8; 16], Live>, log: &mut Log) {
    let now = monotonic_now();
    for live in live.values_mut() {
        if let Err(corrupt) = live.ring.beat(now) {
            live.is_corrupt(corrupt, log);
        }
    }
}

fn park(keeper: &mut Keeper, stream: &Stream, origin: &Origin) {
    let Origin::Attached(file) = origin else { return };
    let blob = serde_json::to_vec(&stream.process).unwrap_or_default();
    if let Err(error) = keeper.park(&stream.id, &blob, file.as_fd()) {
        tracing::warn!(%error, stream = %stream.name(), "the keeper did not take a ring");
    }
}

fn tell_start(log: &mut Log, host: &Host, recovered: &Recovered) {
    let Recovered { scan, rebooted, rebuilt, .. } = recovered;
    let mut fields = Map::new();
    fields.insert("version".into(), env!("CARGO_PKG_VERSION").into());
    fields.insert("boot".into(), Name(&host.boot).to_string().into());
    fields.insert("torn_bytes".into(), scan.torn.into());
    fields.insert("damaged_lines".into(), scan.damaged.into());
    fields.insert("rebooted".into(), (*rebooted).into());
    fields.insert("rebuilt".into(), (*rebuilt).into());
    if scan.damaged > 0 {
        tracing::error!(lines = scan.damaged, "lines of the log are damaged; they stay as they are");
    }
    log.control("log.opened", &fields, None);
}

fn tell_stream(log: &mut Log, live: &Live) {
    let header = live.ring.header();
    let mut fields = Map::new();
    for (field, value) in &live.stream.hello {
        let text = match std::str::from_utf8(value) {
            Ok(text) if !field.name().ends_with("_hash") => text.to_owned(),
            _ => value.iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        fields.insert(field.name().into(), text.into());
    }
    let lanes =
        serde_json::json!({ "lanes": header.layout.lanes(), "lane_bytes": header.layout.lane_bytes() });
    let mut own = Map::new();
    own.insert("hello".into(), Value::Object(fields));
    own.insert("ring".into(), lanes);
    own.insert("generation".into(), header.generation.into());
    own.insert("spooled".into(), matches!(live.origin, Origin::Spooled { .. }).into());
    own.insert("start_ticks".into(), live.stream.process.start_ticks.into());
    log.control("stream.opened", &own, Some(&live.stream));
}
