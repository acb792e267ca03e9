// SPDX-License-Identifier: Apache-2.0
//! A key, as its token described it: what is told is shown, what is not told is absent.

use event::record::{self, Flags};
use event::value::{key_type, object_class};
use event::{curve, mechanism};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::object::{Date, Hex, Object, Word, object};

/// What a key may be used for, of all its flags.
const USAGE: u32 = Flags::ENCRYPT
    | Flags::DECRYPT
    | Flags::WRAP
    | Flags::UNWRAP
    | Flags::SIGN
    | Flags::SIGN_RECOVER
    | Flags::VERIFY
    | Flags::VERIFY_RECOVER
    | Flags::DERIVE
    | Flags::ENCAPSULATE
    | Flags::DECAPSULATE;

/// A key with everything that is known of it.
pub(super) struct Key<'a>(pub(super) &'a record::Key);

impl Serialize for Key<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let key = self.0;
        object(serializer, |o| {
            o.put("handle", key.handle)?;
            kind(o, key)?;
            name(o, key)?;
            o.text("unique_id", &key.unique_id)?;
            o.known("local", key.flags.value(Flags::LOCAL))?;
            o.known("sensitive", key.flags.value(Flags::SENSITIVE))?;
            o.known("extractable", key.flags.value(Flags::EXTRACTABLE))?;
            if key.flags.known & USAGE != 0 {
                o.put("usage", Usage(key.flags))?;
            }
            if key.flags.known != 0 {
                o.put("flags", Told(key.flags))?;
            }
            date(o, "start_date", "start_date_hex", key.start.as_ref())?;
            date(o, "end_date", "end_date_hex", key.end.as_ref())?;
            let allowed: Vec<_> =
                key.allowed_mechanisms.iter().map(|number| Word(mechanism::display(*number))).collect();
            o.list("allowed_mechanisms", &allowed)
        })
    }
}

/// The key that an operation works with, in short.
pub(super) struct Worker<'a>(pub(super) &'a record::Key);

impl Serialize for Worker<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object(serializer, |o| {
            o.put("handle", self.0.handle)?;
            kind(o, self.0)?;
            name(o, self.0)
        })
    }
}

fn kind<M: SerializeMap>(o: &mut Object<M>, key: &record::Key) -> Result<(), M::Error> {
    o.known("class", key.class.map(|number| Word(object_class::display(number))))?;
    o.known("type", key.key_type.map(|number| Word(key_type::display(number))))?;
    o.known("bits", key.bits)?;
    o.known("curve", key.curve.and_then(|place| curve::ALL.get(usize::from(place))).map(|curve| curve.name))
}

fn name<M: SerializeMap>(o: &mut Object<M>, key: &record::Key) -> Result<(), M::Error> {
    o.text("label", &key.label)?;
    o.hex("id", &key.id)
}

/// Digits of a date are shown with dashes; a token that stores something else is quoted in hexadecimal.
fn date<M: SerializeMap>(
    o: &mut Object<M>,
    name: &str,
    otherwise: &str,
    date: Option<&[u8; 8]>,
) -> Result<(), M::Error> {
    let Some(date) = date else { return Ok(()) };
    match Date::read(date) {
        Some(date) => o.put(name, date),
        None => o.put(otherwise, Hex(date)),
    }
}

/// The names of the uses that are allowed.
struct Usage(Flags);

impl Serialize for Usage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let allowed = USAGE & self.0.set & self.0.known;
        serializer
            .collect_seq(Flags::ALL.iter().filter(|(bit, ..)| allowed & bit != 0).map(|(.., name)| name))
    }
}

/// Every flag that the token told.
struct Told(Flags);

impl Serialize for Told {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let told = |(bit, _, name): &(u32, u64, &'static str)| self.0.value(*bit).map(|value| (*name, value));
        serializer.collect_map(Flags::ALL.iter().filter_map(told))
    }
}
