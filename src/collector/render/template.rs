// SPDX-License-Identifier: Apache-2.0
//! Templates: each attribute with its name, the length that the caller gave, and the value where it was kept, read
//! as the standard defines the attribute. What does not read so is shown in hexadecimal.

use event::attribute::{self, Attribute, CKA_EC_PARAMS, Kind};
use event::curve::{self, Parameters};
use event::record::{self, TemplateAttribute};
use event::value::Named;

use super::json::{Json, List, Object, object};
use super::object::{Date, Hex, Version, Word, utf8};

/// A template.
pub(super) struct Template<'a>(pub(super) &'a record::Template);

impl Json for Template<'_> {
    fn json(&self, out: &mut Vec<u8>) {
        object(out, |o| {
            o.put("count", self.0.count);
            o.put("attributes", List(self.0.attributes.iter().map(Entry)));
        });
    }
}

/// What the policy adds to a template.
pub(super) struct Hardened<'a>(pub(super) &'a record::Hardened);

impl Json for Hardened<'_> {
    fn json(&self, out: &mut Vec<u8>) {
        object(out, |o| {
            o.put("template", self.0.template);
            o.put("applied", self.0.applied);
            o.put("attributes", List(self.0.attributes.iter().map(Entry)));
        });
    }
}

struct Entry<'a>(&'a TemplateAttribute);

impl Json for Entry<'_> {
    fn json(&self, out: &mut Vec<u8>) {
        let TemplateAttribute { attribute: number, length, value } = self.0;
        let known = attribute::by_number(*number);
        object(out, |o| {
            o.put("number", number);
            o.known("name", known.map(|attribute| attribute.name));
            o.put("length", length);
            match (value, known) {
                (None, _) => {}
                (Some(value), None) => o.put("value", Hex(value)),
                (Some(value), Some(attribute)) => put(o, attribute, value, value.len() as u64 != *length),
            }
        });
    }
}

/// Writes the `value` of an attribute; `cut` where some of it was not kept.
fn put(o: &mut Object<'_>, attribute: &Attribute, value: &[u8], cut: bool) {
    const NAME: &str = "value";
    let kind = attribute.kind;
    match (kind, value) {
        (Kind::Bool, [byte]) => o.put(NAME, *byte != 0),
        (Kind::Version, [major, minor]) => o.put(NAME, Version(*major, *minor)),
        (Kind::Text, text) => match utf8(text, cut) {
            Some(text) => o.put(NAME, text),
            None => o.lossy(NAME, text),
        },
        (Kind::Date, date) => match Date::read(date) {
            Some(date) => o.put(NAME, date),
            None => o.put(NAME, Hex(date)),
        },
        (Kind::Number, number) => match numbers(number) {
            Some([number]) => o.put(NAME, u64::from_ne_bytes(*number)),
            _ => o.put(NAME, Hex(value)),
        },
        (Kind::Numbers, list) => match numbers(list) {
            Some(list) => o.put(NAME, List(list.iter().map(|number| u64::from_ne_bytes(*number)))),
            None => o.put(NAME, Hex(value)),
        },
        (Kind::Mechanisms, list) => match numbers(list) {
            Some(list) => o.put(NAME, List(list.iter().map(|number| named(kind, *number)))),
            None => o.put(NAME, Hex(value)),
        },
        (Kind::Bool | Kind::Version | Kind::Bytes | Kind::BigInteger | Kind::Template, bytes) => {
            o.put(NAME, Hex(bytes));
            if attribute.number == CKA_EC_PARAMS
                && let Parameters::Named(curve) = curve::from_parameters(bytes)
            {
                o.put("curve", curve.name);
            }
        }
        (_, number) => match numbers(number) {
            Some([number]) => o.put(NAME, named(kind, *number)),
            _ => o.put(NAME, Hex(value)),
        },
    }
}

/// The value as `CK_ULONG`s of the host, if it is a whole number of them.
fn numbers(value: &[u8]) -> Option<&[[u8; 8]]> {
    let (numbers, rest) = value.as_chunks();
    rest.is_empty().then_some(numbers)
}

fn named(kind: Kind, number: [u8; 8]) -> Word {
    let number = u64::from_ne_bytes(number);
    Word(Named { number, name: kind.value_name(number) })
}
