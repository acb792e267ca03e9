// SPDX-License-Identifier: Apache-2.0
//! Who is held, by whose order and until when. Where nobody is, a call asks one word. Memory is bounded: what there is no
//! room for holds the whole process, so that nobody gets free by making others be held.
//!
//! An order says all that refusing takes, whoever gives it: it outlives the policy that it came from.

use parking_lot::Mutex;
use policy::Extent;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::in_force::InForce;

/// More sessions than this at once are held as the process.
const MOST: usize = 256;

/// Whom an order is for.
#[derive(Clone, Copy)]
pub(crate) enum Whom {
    /// The session with this handle, of this slot.
    Session { slot: u64, handle: u64 },
    /// Every call of the process.
    Process,
}

/// Why and until when somebody is held.
#[derive(Clone, Copy)]
pub(crate) struct Order {
    /// Nanoseconds of the clock that counts on while the machine sleeps ([`crate::recorder::boot_time`]).
    pub(crate) until: u64,
    /// The same for events, UTC nanoseconds since 1970.
    pub(crate) until_utc: Option<u64>,
    /// What the refused calls return.
    pub(crate) rv: u64,
    /// The policy that it came from.
    pub(crate) policy: &'static InForce,
    /// The rule, as records carry it.
    pub(crate) rule: &'static [u64],
}

/// See the module.
#[derive(Default)]
pub(crate) struct Quarantine {
    /// Somebody is held, or was until a moment ago.
    any: AtomicBool,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    process: Option<Order>,
    sessions: Vec<(u64, u64, Order)>,
}

impl Quarantine {
    /// Whether anybody is held.
    #[inline]
    pub(crate) fn holds_any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// Holds somebody from now on; who is held already is held until the later of the two ends. Says who it is now.
    pub(crate) fn hold(&self, whom: Whom, order: Order, now: u64) -> Extent {
        let mut held = self.held.lock();
        held.release(now);
        let extent = held.add(whom, order);
        self.any.store(true, Ordering::Relaxed);
        extent
    }

    /// The order by which a call is refused that is in this session, if it is in any.
    pub(crate) fn order(&self, session: Option<u64>, now: u64) -> Option<(Extent, Order)> {
        let mut held = self.held.lock();
        if held.release(now) {
            self.any.store(false, Ordering::Relaxed);
        }
        let process = held.process.map(|order| (Extent::Process, order));
        let of_session = || {
            let found = held.sessions.iter().find(|(_, handle, _)| Some(*handle) == session)?;
            Some((Extent::Session, found.2))
        };
        process.or_else(of_session)
    }

    /// Sessions are over: a new one that gets such a handle is another.
    #[cold]
    pub(crate) fn ended(&self, which: impl Fn(u64, u64) -> bool) {
        self.held.lock().sessions.retain(|(slot, handle, _)| !which(*slot, *handle));
    }

    /// What a forked child begins with: it has none of the sessions, and is held where its parent is. A lock that
    /// another thread held in the moment of the fork is never released; then nothing can be known.
    pub(crate) fn inherited(&self) -> Quarantine {
        let process = self.held.try_lock().and_then(|held| held.process);
        let any = AtomicBool::new(process.is_some());
        Quarantine { any, held: Mutex::new(Held { process, sessions: Vec::new() }) }
    }
}

impl Held {
    /// Lets go whose time is over; true where nobody is left.
    fn release(&mut self, now: u64) -> bool {
        self.process = self.process.filter(|order| order.until > now);
        self.sessions.retain(|(.., order)| order.until > now);
        self.process.is_none() && self.sessions.is_empty()
    }

    fn add(&mut self, whom: Whom, order: Order) -> Extent {
        if let Whom::Session { slot, handle } = whom {
            if let Some((.., known)) = self.sessions.iter_mut().find(|(_, known, _)| *known == handle) {
                known.prolong(order);
                return Extent::Session;
            }
            if self.sessions.len() < MOST && self.sessions.try_reserve(1).is_ok() {
                self.sessions.push((slot, handle, order));
                return Extent::Session;
            }
        }
        self.process.get_or_insert(order).prolong(order);
        Extent::Process
    }
}

impl Order {
    fn prolong(&mut self, other: Order) {
        if other.until > self.until {
            *self = other;
        }
    }
}
