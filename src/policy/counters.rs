// SPDX-License-Identifier: Apache-2.0
//! Counts calls for the rates of a policy. A call counts when it comes and is taken back if it turns out not to count,
//! so that however many come at once, no more than the limit go on in any window. The clock is the caller's; memory is
//! bounded, and what there is no memory for is counted together, which refuses too early and never too late.

use std::collections::HashMap;

use event::value::rv::*;

use crate::Policy;
use crate::kinds::Per;
use crate::rates::{PARTS, Rate};

/// Parts of a window that are kept: the one that has begun, and all that lie in the window with it.
const KEPT: usize = PARTS + 1;
/// Counters that are kept: somewhat under half a megabyte.
const MOST: usize = 3584;
/// Of those, so many are for what has no counter of its own.
const SHARED: usize = 256;
/// How often at most room is looked for, nanoseconds.
const PAUSE: u64 = 1_000_000_000;

/// What a call belongs to, for rates of every kind; it counts in none of a kind that it does not belong to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Belongs {
    /// The session, by a number that no later one has.
    pub session: Option<u64>,
    /// The slot.
    pub token: Option<u64>,
    /// The handle of the first key.
    pub key: Option<u64>,
}

/// What was counted of a call.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    belongs: Belongs,
    now: u64,
    /// The rates that are reached, a bit for each.
    reached: u64,
    /// The rates in whose own counters it stands, and those in whose shared ones it does.
    own: u64,
    shared: u64,
}

impl Counted {
    /// For `Memory::reached`.
    pub fn reached(&self) -> u64 {
        self.reached
    }

    /// Whether there is anything to take back of a call that did not fail.
    pub fn may_change(&self, policy: &Policy) -> bool {
        bits(self.own | self.shared).any(|place| policy.rates[place].failed)
    }
}

/// Answers that say that nothing was tried: to log in where one is logged in is no wrong PIN.
const NOTHING_TRIED: &[u64] = &[
    CKR_BUFFER_TOO_SMALL,
    CKR_CRYPTOKI_NOT_INITIALIZED,
    CKR_FUNCTION_NOT_SUPPORTED,
    CKR_OPERATION_NOT_INITIALIZED,
    CKR_SESSION_CLOSED,
    CKR_SESSION_HANDLE_INVALID,
    CKR_SESSION_READ_ONLY_EXISTS,
    CKR_USER_ALREADY_LOGGED_IN,
    CKR_USER_ANOTHER_ALREADY_LOGGED_IN,
    CKR_USER_TOO_MANY_TYPES,
];

/// Whether a call to which the token answered so counts as one that failed.
pub fn failed(rv: u64) -> bool {
    rv != CKR_OK && !NOTHING_TRIED.contains(&rv)
}

/// The counters of one process.
#[derive(Debug, Default)]
pub struct Counters {
    /// By the identity of the rate and what is counted apart in it.
    known: HashMap<[u64; 3], Counter>,
    /// When room was last looked for.
    looked: u64,
}

/// Calls in the parts of a window.
#[derive(Debug, Clone, Copy)]
struct Counter {
    /// The number of the newest part, counted from the beginning of time.
    newest: u64,
    /// When all that it counts is forgotten.
    ends: u64,
    parts: [u32; KEPT],
}

impl Counters {
    /// Counts a call that comes at `now` (nanoseconds of a clock that never goes back) in the rates `counting`
    /// ([`Policy::counting`]) that are not reached yet.
    pub fn come(&mut self, policy: &Policy, counting: u64, belongs: Belongs, now: u64) -> Counted {
        let mut counted = Counted { belongs, now, reached: 0, own: 0, shared: 0 };
        for place in bits(counting) {
            let rate = &policy.rates[place];
            let Some(key) = rate.key(&belongs) else { continue };
            let together = self.sum(rate, &key, now) + self.sum(rate, &rate.shared(), now);
            if together >= u64::from(rate.most) {
                counted.reached |= 1 << place;
            } else {
                self.count(policy, place, &mut counted);
            }
        }
        counted
    }

    /// The call goes on, reached or not: it counts in every rate.
    pub fn goes_on(&mut self, policy: &Policy, counted: &mut Counted) {
        for place in bits(counted.reached) {
            self.count(policy, place, counted);
        }
    }

    /// The call was refused: it counts in none.
    pub fn refused(&mut self, policy: &Policy, counted: &Counted) {
        self.take_back(policy, counted, |_| true);
    }

    /// The call did not fail.
    pub fn succeeded(&mut self, policy: &Policy, counted: &Counted) {
        self.take_back(policy, counted, |rate| rate.failed);
    }

    fn sum(&self, rate: &Rate, key: &[u64; 3], now: u64) -> u64 {
        self.known.get(key).map_or(0, |counter| counter.sum(now / rate.part))
    }

    /// Counts one more, in a counter of its own if there is room for one. Where there is room for none at all the rate
    /// is as good as reached: what cannot be counted cannot be let through.
    fn count(&mut self, policy: &Policy, place: usize, counted: &mut Counted) {
        let rate = &policy.rates[place];
        let Some(own) = rate.key(&counted.belongs) else { return };
        if self.add(rate, own, counted.now, MOST - SHARED) {
            counted.own |= 1 << place;
        } else if self.add(rate, rate.shared(), counted.now, MOST) {
            counted.shared |= 1 << place;
        } else {
            counted.reached |= 1 << place;
        }
    }

    fn add(&mut self, rate: &Rate, key: [u64; 3], now: u64, most: usize) -> bool {
        if !self.known.contains_key(&key) && !self.has_room(now, most) {
            return false;
        }
        let part = now / rate.part;
        let fresh = Counter { newest: part, ends: 0, parts: [0; KEPT] };
        let counter = self.known.entry(key).or_insert(fresh);
        counter.advance(part);
        let count = &mut counter.parts[slot(part)];
        *count = count.saturating_add(1);
        counter.ends = (part + KEPT as u64).saturating_mul(rate.part);
        true
    }

    /// Whether there is room for one more counter; those that count nothing any more make some.
    fn has_room(&mut self, now: u64, most: usize) -> bool {
        if self.known.len() >= most && now.saturating_sub(self.looked) >= PAUSE {
            self.looked = now;
            self.known.retain(|_, counter| counter.ends > now);
        }
        // All of it at once: the host's memory is asked for at the first call, and not again.
        let more = if self.known.capacity() == 0 { MOST } else { 1 };
        self.known.len() < most && self.known.try_reserve(more).is_ok()
    }

    fn take_back(&mut self, policy: &Policy, counted: &Counted, which: impl Fn(&Rate) -> bool) {
        for place in bits(counted.own | counted.shared) {
            let rate = &policy.rates[place];
            let own = counted.own >> place & 1 != 0;
            let key = if own { rate.key(&counted.belongs) } else { Some(rate.shared()) };
            let counter = key.filter(|_| which(rate)).and_then(|key| self.known.get_mut(&key));
            if let Some(counter) = counter {
                counter.take_back(counted.now / rate.part);
            }
        }
    }
}

impl Rate {
    /// What is counted together with a call; none where it does not belong to anything that is.
    fn key(&self, belongs: &Belongs) -> Option<[u64; 3]> {
        let (first, second) = match self.per {
            Per::Process => (0, 0),
            Per::Session => (belongs.session?, 0),
            Per::Token => (belongs.token?, 0),
            Per::Key => (belongs.token?, belongs.key?),
        };
        Some([self.identity, first, second])
    }

    /// Where calls are counted that there is no room for by themselves.
    fn shared(&self) -> [u64; 3] {
        [self.identity, u64::MAX, u64::MAX]
    }
}

impl Counter {
    /// Forgets what lies too far before `part`.
    fn advance(&mut self, part: u64) {
        let passed = part.saturating_sub(self.newest).min(KEPT as u64);
        (0..passed).for_each(|back| self.parts[slot(part - back)] = 0);
        self.newest = self.newest.max(part);
    }

    /// Calls in the window that ends in `part`.
    fn sum(&self, part: u64) -> u64 {
        let oldest = part.saturating_sub(PARTS as u64);
        let begin = (self.newest + 1).saturating_sub(KEPT as u64).max(oldest);
        (begin..=self.newest).map(|part| u64::from(self.parts[slot(part)])).sum()
    }

    fn take_back(&mut self, part: u64) {
        if self.newest.saturating_sub(part) < KEPT as u64 {
            let count = &mut self.parts[slot(part)];
            *count = count.saturating_sub(1);
        }
    }
}

/// Where a part of the window is kept.
fn slot(part: u64) -> usize {
    usize::try_from(part % KEPT as u64).unwrap_or(0)
}

/// The places of the bits that are set.
fn bits(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = (word != 0).then(|| word.trailing_zeros() as usize)?;
        word &= word - 1;
        Some(place)
    })
}
