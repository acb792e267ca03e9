// SPDX-License-Identifier: Apache-2.0
//! From rings to the log. One thread reads every ring in turn into one batch, makes the batch durable, and only then
//! acknowledges: the ring is the queue, and what is not in the log yet is still in the ring.

mod account;
mod admit;
mod announce;
mod arrival;
pub(crate) mod attach;
mod books;
mod covers;
mod entry;
mod fold;
mod forms;
mod identity;
mod lanes;
mod limiter;
mod live;
mod marks;
mod operations;
pub(crate) mod packet;
pub(crate) mod quota;
pub(crate) mod spool;
mod summary;
mod tell;

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use serde_json::{Map, Value};

use crate::clock::{Host, monotonic_now};
use crate::error::Error;
use crate::keeper::Keeper;
use crate::levels::Levels;
use crate::log::{Log, Sealer, Seals};
use crate::sign::Signing;
use crate::stream::{Name, Stream};
use announce::Announcer;
use arrival::Origin;
pub(crate) use arrival::{Message, Post, Stop, Wake};
use books::{Accounts, Books};
use forms::Forms;
use identity::may_live;
use limiter::Limiter;
use live::{Haul, Live};
use marks::Marks;
use quota::Quota;

/// Bytes of frames in one batch, all rings together.
const BATCH: usize = 4 << 20;
/// Every ring may have this much of a batch, however many there are.
const LEAST_SHARE: usize = 16 << 10;
/// How long to wait after a batch, after one that found a lane filling up, and at most after empty ones. Each batch
/// costs an fdatasync, which on a small machine is taken from the applications; a full ring costs records.
const BUSY: Duration = Duration::from_millis(5);
const PRESSED: Duration = Duration::from_millis(1);
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
    forms: Forms,
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
    announcer: Announcer,
    /// Where the log is sealed.
    sealing: Option<(Sealer, Marks)>,
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
    pub(crate) policies: PathBuf,
    pub(crate) levels: Levels,
    pub(crate) signing: Option<(Signing, Arc<Seals>)>,
}

impl Intake {
    /// Recovers log and books, and takes over what the keeper holds.
    ///
    /// # Errors
    /// [`Error::Path`] if the log cannot be read; what [`Sealer::start`] gives.
    pub(crate) fn start(parts: Parts) -> Result<Intake, Error> {
        let Parts { mut log, keeper, inbox, wake, stop, streams, policies, levels, signing } = parts;
        let host = Host::watch();
        let mut books = Books::of(&log, host.boot);
        let recovered = books.recover(&mut log)?;
        let now = Instant::now();
        let sealing = match signing {
            Some((signing, seals)) => {
                Some((Sealer::start(&mut log, signing, seals)?, Marks::new(&host.boot, now)))
            }
            None => None,
        };
        // So that a collector killed again and again reads no part of the log more often than it wrote it.
        let known = recovered.accounts.iter().map(|(id, account)| (id, Cow::Borrowed(account)));
        if let Err(error) = books.write(log.end(), known) {
            tracing::error!(%error, "the books cannot be written");
        }
        tell::start(&mut log, &host, &recovered);
        let mut intake = Intake {
            log,
            books,
            host,
            live: HashMap::new(),
            forms: Forms::new(levels),
            waiting: recovered.accounts,
            ended: VecDeque::new(),
            keeper,
            inbox,
            wake,
            stop,
            streams,
            refusals: Limiter::new(now),
            announcer: Announcer::new(policies),
            sealing,
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
            let (haul, whole) = self.round(stopped.is_some());
            match stopped {
                Some(_) if !whole => break,
                Some(since) if haul.frames == 0 || since.elapsed() > DRAIN => break,
                Some(_) => {}
                None => {
                    patience = match haul {
                        Haul { frames: 0, .. } => (patience * 2).min(IDLE),
                        Haul { pressed: true, .. } => PRESSED,
                        _ => BUSY,
                    };
                    self.wake.wait(patience);
                }
            }
        }
        self.finish()
    }

    /// One batch: reads every ring, makes it durable, acknowledges. What there was, and whether the log could be
    /// written. `last`: what has ended by now must be closed in this round, or the next.
    fn round(&mut self, last: bool) -> (Haul, bool) {
        let now = Instant::now();
        if passed(&mut self.due.look, now, LOOK) || last {
            self.live.values_mut().for_each(|live| live.look(&mut self.log));
        }
        let share = (BATCH / self.live.len().max(1)).max(LEAST_SHARE);
        let mut haul = Haul::default();
        for live in self.live.values_mut().filter(|live| !live.account.closed) {
            let read = live.read(&mut self.forms, &mut self.log, share, now);
            live.tell_due(&mut self.log, now);
            haul.frames += read.frames;
            haul.pressed |= read.pressed;
            if let Some(reason) = live.end(read.frames) {
                live.close(reason, &mut self.log);
            }
        }
        if passed(&mut self.due.beat, now, BEAT) {
            let word = self.announcer.looks_new().then_some(self.announcer.word);
            beat(&mut self.live, &mut self.log, word);
        }
        let ticks = passed(&mut self.due.tick, now, TICK);
        if ticks {
            self.tick();
        }
        let size = if ticks { self.mark(now, false) } else { None };
        if self.log.pending() > 0 && !self.commit() {
            return (haul, false);
        }
        self.seal(size);
        self.release();
        if ticks {
            self.write_books();
        }
        (haul, true)
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
            live.acknowledge(log);
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

    /// Appends what a note ends with, where one is to be made; over how many events.
    fn mark(&mut self, now: Instant, last: bool) -> Option<u64> {
        let Intake { sealing, log, live, waiting, .. } = self;
        let (sealer, marks) = sealing.as_mut()?;
        marks.tell(log, sealer.seals(), now, last, accounts(live, waiting))
    }

    /// Wants a note over so many events, which are durable now.
    fn seal(&self, size: Option<u64>) {
        if let (Some((sealer, _)), Some(size)) = (&self.sealing, size) {
            sealer.seals().want(size);
        }
    }

    fn write_books(&mut self) {
        let accounts = accounts(&self.live, &self.waiting);
        if let Err(error) = self.books.write(self.log.end(), accounts) {
            // Older books only make the next start read more of the log.
            tracing::error!(%error, "the books cannot be written");
        }
    }

    fn finish(mut self) -> Result<(), Error> {
        for live in self.live.values_mut().filter(|live| !live.account.closed) {
            live.tell_all(&mut self.log);
            live.tell_losses(&mut self.log, false);
        }
        let mut fields = Map::new();
        fields.insert(
            "open_streams".into(),
            self.live.values().filter(|live| !live.account.closed).count().into(),
        );
        self.log.control("log.closed", &fields, None);
        let size = self.mark(Instant::now(), true);
        let stored = self.commit();
        if stored {
            self.seal(size);
            self.release();
            self.write_books();
        }
        if let Some(keeper) = self.keeper.as_mut().filter(|_| self.live.is_empty()) {
            keeper.dismiss();
        }
        // Its end is sealed before anybody is told that it has ended.
        self.sealing = None;
        self.log.durable().close();
        if stored {
            Ok(())
        } else {
            Err(Error::Unstored { path: self.log.path().into(), bytes: self.log.pending() })
        }
    }
}

/// The accounts of all streams that are not released yet.
fn accounts<'a>(
    live: &'a HashMap<[u8; 16], Live>,
    waiting: &'a Accounts,
) -> impl Iterator<Item = (&'a [u8; 16], Cow<'a, account::Account>)> {
    let told = live.iter().map(|(id, live)| (id, live.told()));
    told.chain(waiting.iter().map(|(id, account)| (id, Cow::Borrowed(account))))
}

/// Whether `every` has passed since `last`, which is now then.
fn passed(last: &mut Instant, now: Instant, every: Duration) -> bool {
    let passed = now.saturating_duration_since(*last) >= every;
    if passed {
        *last = now;
    }
    passed
}

fn beat(live: &mut HashMap<[u8; 16], Live>, log: &mut Log, policy: Option<u64>) {
    let now = monotonic_now();
    for live in live.values_mut() {
        let told =
            live.ring.beat(now).and_then(|()| policy.map_or(Ok(()), |word| live.ring.tell_policy(word)));
        if let Err(corrupt) = told {
            live.is_corrupt(corrupt, log);
        }
    }
}
