// SPDX-License-Identifier: Apache-2.0
//! Templates: each attribute with its name, the length that the caller gave, and the value where it was kept, read
//! as the standard defines the attribute. What does not read so is shown in hexadecimal.

use event::attribute::{self, Attribute, CKA_EC_PARAMS, Kind};
use event::curve::{self, Parameters};
use event::record::{self, TemplateAttribute};
use event::value::Named;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::object::{Date, Hex, Object, Shown, Word, object, utf8};

/// A template.
pub(super) struct Template<'a>(pub(super) &'a record::Template);

impl Serialize for Template<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object(serializer, |o| {
            o.put("count", self.0.count)?;
            o.put("attributes", self.0.attributes.iter().map(Entry).collect::<Vec<_>>())
        })
    }
}

struct Entry<'a>(&'a TemplateAttribute);

impl Serialize for Entry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let TemplateAttribute { attribute: number, length, value } = self.0;
        let known = attribute::by_number(*number);
        object(serializer, |o| {
            o.put("number", number)?;
            o.known("name", known.map(|attribute| attribute.name))?;
            o.put("length", length)?;
            match (value, known) {
                (None, _) => Ok(()),
                (Some(value), None) => o.put("value", Hex(value)),
                (Some(value), Some(attribute)) => put(o, attribute, value, value.len() as u64 != *length),
            }
        })
    }
}

/// Writes the `value` of an attribute; `cut` where some of it was not kept.
fn put<M: SerializeMap>(
    o: &mut Object<M>,
    attribute: &Attribute,
    value: &[u8],
    cut: bool,
) -> Result<(), M::Error> {
    const NAME: &str = "value";
    let kind = attribute.kind;
    match (kind, value) {
        (Kind::Bool, [byte]) => o.put(NAME, *byte != 0),
        (Kind::Version, [major, minor]) => o.put(NAME, Shown(format_args!("{major}.{minor}"))),
        (Kind::Text, text) => match utf8(text, cut) {
            Some(text) => o.put(NAME, text),
            None => {
                o.put(NAME, String::from_utf8_lossy(text))?;
                o.put("value_hex", Hex(text))
            }
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
            Some(list) => {
                o.put(NAME, list.iter().map(|number| u64::from_ne_bytes(*number)).collect::<Vec<_>>())
            }
            None => o.put(NAME, Hex(value)),
        },
        (Kind::Mechanisms, list) => match numbers(list) {
            Some(list) => o.put(NAME, list.iter().map(|number| named(kind, *number)).collect::<Vec<_>>()),
            None => o.put(NAME, Hex(value)),
        },
        (Kind::Bool | Kind::Version | Kind::Bytes | Kind::BigInteger | Kind::Template, bytes) => {
            o.put(NAME, Hex(bytes))?;
            match curve::from_parameters(bytes) {
                Parameters::Named(curve) if attribute.number == CKA_EC_PARAMS => o.put("curve", curve.name),
                _ => Ok(()),
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
