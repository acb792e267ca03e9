// SPDX-License-Identifier: Apache-2.0
//! What the guards need to know of earlier calls: which objects hold one key value and what it was ever allowed to do,
//! and which nonces a key has used. Of wrapped keys and nonces only keyed hashes are kept. Nothing is kept where the
//! policy has no guard that asks; a forked child begins anew.

use event::record::Flags;
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};

/// Values and nonces that are remembered; with more, the oldest make room.
const MOST: usize = 8192;

/// A slot and an object handle.
type Place = (u64, u64);

/// What is known of a key value.
#[derive(Clone, Copy, Default)]
pub(crate) struct Value {
    /// The uses that any object with this value ever had.
    pub(crate) uses: u32,
    /// It came from outside: imported, or unwrapped by an asymmetric key.
    pub(crate) foreign: bool,
    /// The token generated it.
    pub(crate) generated: bool,
}

/// A value that a call is about to give to new objects.
#[derive(Clone, Copy)]
pub(crate) struct Making(u64);

/// See the module.
#[derive(Default)]
pub(crate) struct Memory {
    hasher: RandomState,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    next: u64,
    /// By number: values, oldest first.
    values: BTreeMap<u64, Value>,
    objects: HashMap<Place, u64>,
    /// By the hash of a wrapped key: the value that it held.
    wrapped: HashMap<u64, u64>,
    wrapped_order: VecDeque<u64>,
    nonces: HashSet<u64>,
    nonce_order: VecDeque<u64>,
}

impl Memory {
    /// What is known of the value of a key whose token says that it has `flags`.
    pub(crate) fn of(&self, place: Place, flags: Flags) -> Value {
        let mut known = self.known.lock();
        let number = known.number(place);
        let value = known.values.entry(number).or_default();
        value.uses |= flags.set & Flags::USAGE;
        *value
    }

    /// A value that no object holds yet.
    pub(crate) fn fresh(&self, value: Value) -> Making {
        let mut known = self.known.lock();
        let number = known.new_value();
        known.values.insert(number, value);
        Making(number)
    }

    /// The value of an object that is about to be copied.
    pub(crate) fn copy(&self, place: Place) -> Making {
        Making(self.known.lock().number(place))
    }

    /// Notes what an object looks like when it is wrapped.
    pub(crate) fn wraps(&self, place: Place, wrapped: &[u8]) {
        let hash = self.hasher.hash_one(wrapped);
        let mut known = self.known.lock();
        let number = known.number(place);
        known.is_wrapped(hash, number);
    }

    /// The value of a wrapped key that is about to be unwrapped: that of the key that was wrapped here, whatever it was
    /// wrapped with; else for the same bytes the same value.
    pub(crate) fn unwrapped(&self, wrapped: &[u8], foreign: bool) -> Making {
        let hash = self.hasher.hash_one(wrapped);
        let mut known = self.known.lock();
        if let Some(number) = known.wrapped.get(&hash).filter(|number| known.values.contains_key(number)) {
            return Making(*number);
        }
        let number = known.new_value();
        known.is_wrapped(hash, number);
        known.values.entry(number).or_default().foreign = foreign;
        Making(number)
    }

    /// What is known of a value that is in the making.
    pub(crate) fn of_making(&self, making: Making) -> Value {
        self.known.lock().values.get(&making.0).copied().unwrap_or_default()
    }

    /// Notes an object that has the value now, and what its template asked for.
    pub(crate) fn made(&self, making: Making, place: Place, asked: u32) {
        let mut known = self.known.lock();
        known.objects.insert(place, making.0);
        known.values.entry(making.0).or_default().uses |= asked & Flags::USAGE;
    }

    /// Forgets an object: it was destroyed, or its handle may come back for another.
    pub(crate) fn gone(&self, which: impl Fn(Place) -> bool) {
        self.known.lock().objects.retain(|place, _| !which(*place));
    }

    /// The hash by which a nonce of a key is known.
    pub(crate) fn nonce(&self, place: Place, nonce: &[u8]) -> u64 {
        let number = self.known.lock().number(place);
        self.hasher.hash_one((number, nonce))
    }

    /// Whether a nonce was used before.
    pub(crate) fn repeats(&self, nonce: u64) -> bool {
        self.known.lock().nonces.contains(&nonce)
    }

    /// Notes that a nonce is used.
    pub(crate) fn uses(&self, nonce: u64) {
        let mut known = self.known.lock();
        if known.nonces.insert(nonce) {
            known.nonce_order.push_back(nonce);
        }
        if known.nonce_order.len() > MOST
            && let Some(oldest) = known.nonce_order.pop_front()
        {
            known.nonces.remove(&oldest);
        }
    }
}

impl Known {
    /// The number of the value that an object holds.
    fn number(&mut self, place: Place) -> u64 {
        match self.objects.get(&place) {
            Some(number) => *number,
            None => {
                let number = self.new_value();
                self.objects.insert(place, number);
                number
            }
        }
    }

    /// Notes what the value with this number looks like when it is wrapped.
    fn is_wrapped(&mut self, hash: u64, number: u64) {
        if self.wrapped.insert(hash, number).is_none() {
            self.wrapped_order.push_back(hash);
        }
        if self.wrapped_order.len() > MOST
            && let Some(oldest) = self.wrapped_order.pop_front()
        {
            self.wrapped.remove(&oldest);
        }
    }

    fn new_value(&mut self) -> u64 {
        self.next += 1;
        self.values.insert(self.next, Value::default());
        while self.values.len() > MOST
            && let Some((oldest, _)) = self.values.pop_first()
        {
            self.objects.retain(|_, number| *number != oldest);
        }
        self.next
    }
}
