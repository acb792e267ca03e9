// SPDX-License-Identifier: Apache-2.0
//! A key, as its token described it: what is told is shown, what is not told is absent.

use event::record::{self, Flags};
use event::value::{key_type, object_class};
use event::{curve, mechanism, parameter_set};

use super::json::{Json, List, Object, object};
use super::object::{Date, Hex, Word};

/// A key with everything that is known of it.
pub(super) struct Key<'a>(pub(super) &'a record::Key);

impl Json for Key<'_> {
    fn json(&self, out: &mut Vec<u8>) {
        let key = self.0;
        object(out, |o| {
            o.put("handle", key.handle);
            kind(o, key);
            name(o, key);
            o.text("unique_id", &key.unique_id);
            o.known("local", key.flags.value(Flags::LOCAL));
            o.known("sensitive", key.flags.value(Flags::SENSITIVE));
            o.known("extractable", key.flags.value(Flags::EXTRACTABLE));
            if key.flags.known & Flags::USAGE != 0 {
                let allowed = Flags::USAGE & key.flags.set & key.flags.known;
                let uses = Flags::ALL.iter().filter(|(bit, ..)| allowed & bit != 0);
                o.put("usage", List(uses.map(|(.., name)| *name)));
            }
            if key.flags.known != 0 {
                o.put("flags", Told(key.flags));
            }
            date(o, "start_date", "start_date_hex", key.start.as_ref());
            date(o, "end_date", "end_date_hex", key.end.as_ref());
            let allowed = key.allowed_mechanisms.iter();
            o.list("allowed_mechanisms", allowed.map(|number| Word(mechanism::display(*number))));
        });
    }
}

/// The key that an operation works with, in short.
pub(super) struct Worker<'a>(pub(super) &'a record::Key);

impl Json for Worker<'_> {
    fn json(&self, out: &mut Vec<u8>) {
        object(out, |o| {
            o.put("handle", self.0.handle);
            kind(o, self.0);
            name(o, self.0);
        });
    }
}

fn kind(o: &mut Object<'_>, key: &record::Key) {
    o.known("class", key.class.map(|number| Word(object_class::display(number))));
    o.known("type", key.key_type.map(|number| Word(key_type::display(number))));
    o.known("bits", key.bits);
    let set =
        key.parameter_set.map(|number| parameter_set::display(key.key_type.unwrap_or(u64::MAX), number));
    o.known("parameter_set", set.map(Word));
    o.known("public_exponent", key.exponent);
    o.known("curve", key.curve.and_then(|place| curve::ALL.get(usize::from(place))).map(|curve| curve.name));
}

fn name(o: &mut Object<'_>, key: &record::Key) {
    o.text("label", &key.label);
    o.hex("id", &key.id);
}

/// Digits of a date are shown with dashes; a token that stores something else is quoted in hexadecimal.
fn date(o: &mut Object<'_>, name: &str, otherwise: &str, date: Option<&[u8; 8]>) {
    let Some(date) = date else { return };
    match Date::read(date) {
        Some(date) => o.put(name, date),
        None => o.put(otherwise, Hex(date)),
    }
}

/// Every flag that the token told.
struct Told(Flags);

impl Json for Told {
    fn json(&self, out: &mut Vec<u8>) {
        object(out, |o| Flags::ALL.iter().for_each(|(bit, _, name)| o.known(name, self.0.value(*bit))));
    }
}
