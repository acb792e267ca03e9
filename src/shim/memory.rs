// SPDX-License-Identifier: Apache-2.0
//! What the guards need to know of earlier calls: which objects hold one key value and what it was ever allowed to do,
//! and which nonces a key has used. Of wrapped keys and nonces only keyed hashes are kept. Nothing is kept where the
//! policy has no guard that asks; a forked child begins anew.

use event::record::Flags;
use parking_lot::Mutex;
use policy::Origin;
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

/// A value that a call is about to give to new objects, and how these come about.
#[derive(Clone, Copy)]
pub(crate) struct Making {
    value: u64,
    origin: Origin,
}

/// What leads to a value: for the same way the same one.
#[derive(Hash)]
enum Way<'w> {
    /// To unwrap this, by whatever key.
    Unwrapping(&'w [u8]),
    /// To derive from the value with this number as it is spelled here.
    Deriving(u64, &'w [u8]),
    /// To decapsulate this by the key with this number.
    Decapsulating(u64, &'w [u8]),
}

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
    /// The value that an object holds, and how the object came about where that was seen.
    objects: HashMap<Place, (u64, Option<Origin>)>,
    /// By the hash of a way: the value that it leads to.
    ways: HashMap<u64, u64>,
    way_order: VecDeque<u64>,
    nonces: HashSet<u64>,
    nonce_order: VecDeque<u64>,
}

impl Memory {
    /// What is known of the value of a key whose token says that it has `flags`, and how the key came about.
    pub(crate) fn of(&self, place: Place, flags: Flags) -> (Value, Option<Origin>) {
        let mut known = self.known.lock();
        let (number, origin) = known.object(place);
        let value = known.values.entry(number).or_default();
        value.uses |= flags.set & Flags::USAGE;
        (*value, origin)
    }

    /// The value of an object, by a number.
    pub(crate) fn number(&self, place: Place) -> u64 {
        self.known.lock().object(place).0
    }

    /// A value that no object holds yet.
    pub(crate) fn fresh(&self, value: Value, origin: Origin) -> Making {
        Making { value: self.known.lock().new_value(value), origin }
    }

    /// The value of an object that is about to be copied, or to have its other half made.
    pub(crate) fn same(&self, place: Place, origin: Origin) -> Making {
        Making { value: self.number(place), origin }
    }

    /// Notes what an object looks like when it is wrapped.
    pub(crate) fn wraps(&self, place: Place, wrapped: &[u8]) {
        let mut known = self.known.lock();
        let (number, _) = known.object(place);
        known.leads(self.hasher.hash_one(Way::Unwrapping(wrapped)), number);
    }

    /// Notes the ciphertext that an encapsulation with a key has just made for `making`.
    pub(crate) fn encapsulated(&self, key: Place, ciphertext: &[u8], making: Making) {
        let mut known = self.known.lock();
        let (number, _) = known.object(key);
        known.leads(self.hasher.hash_one(Way::Decapsulating(number, ciphertext)), making.value);
    }

    /// The value of a wrapped key that is about to be unwrapped: that of the key that was wrapped here, whatever it was
    /// wrapped with; else for the same bytes the same value.
    pub(crate) fn unwrapped(&self, wrapped: &[u8], value: Value) -> Making {
        self.led(|_| Way::Unwrapping(wrapped), value, Origin::Unwrapped)
    }

    /// The value that is derived of a key's in the way that is spelled here: for the same way the same value.
    pub(crate) fn derived(&self, base: Place, spelled: &[u8], value: Value) -> Making {
        let way = |known: &mut Known| Way::Deriving(known.object(base).0, spelled);
        self.led(way, value, Origin::Derived)
    }

    /// The value that a ciphertext holds for a key: that of the key that was encapsulated here; else for the same bytes
    /// the same value.
    pub(crate) fn decapsulated(&self, key: Place, ciphertext: &[u8]) -> Making {
        let way = |known: &mut Known| Way::Decapsulating(known.object(key).0, ciphertext);
        self.led(way, Value::default(), Origin::Encapsulated)
    }

    /// Where a way leads: to a new value, which is `value`, where it was not gone before.
    fn led<'w>(&self, way: impl Fn(&mut Known) -> Way<'w>, value: Value, origin: Origin) -> Making {
        let mut known = self.known.lock();
        let hash = self.hasher.hash_one(way(&mut known));
        let found = known.ways.get(&hash).copied().filter(|number| known.values.contains_key(number));
        let number = found.unwrap_or_else(|| {
            let number = known.new_value(value);
            known.leads(hash, number);
            number
        });
        Making { value: number, origin }
    }

    /// What is known of a value that is in the making.
    pub(crate) fn of_making(&self, making: Making) -> Value {
        self.known.lock().values.get(&making.value).copied().unwrap_or_default()
    }

    /// Notes an object that has the value now, and what its template asked for.
    pub(crate) fn made(&self, making: Making, place: Place, asked: u32) {
        let mut known = self.known.lock();
        known.objects.insert(place, (making.value, Some(making.origin)));
        known.values.entry(making.value).or_default().uses |= asked & Flags::USAGE;
    }

    /// Forgets an object: it was destroyed, or its handle may come back for another.
    pub(crate) fn gone(&self, which: impl Fn(Place) -> bool) {
        self.known.lock().objects.retain(|place, _| !which(*place));
    }

    /// The hash by which a nonce of a key is known.
    pub(crate) fn nonce(&self, place: Place, nonce: &[u8]) -> u64 {
        self.hasher.hash_one((self.number(place), nonce))
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
    /// The number of the value that an object holds, and how the object came about.
    fn object(&mut self, place: Place) -> (u64, Option<Origin>) {
        match self.objects.get(&place) {
            Some(object) => *object,
            None => {
                let object = (self.new_value(Value::default()), None);
                self.objects.insert(place, object);
                object
            }
        }
    }

    /// Notes the way with this hash as one to the value with this number.
    fn leads(&mut self, way: u64, number: u64) {
        if self.ways.insert(way, number).is_none() {
            self.way_order.push_back(way);
        }
        if self.way_order.len() > MOST
            && let Some(oldest) = self.way_order.pop_front()
        {
            self.ways.remove(&oldest);
        }
    }

    fn new_value(&mut self, value: Value) -> u64 {
        self.next += 1;
        self.values.insert(self.next, value);
        while self.values.len() > MOST
            && let Some((oldest, _)) = self.values.pop_first()
        {
            self.objects.retain(|_, (number, _)| *number != oldest);
        }
        self.next
    }
}
