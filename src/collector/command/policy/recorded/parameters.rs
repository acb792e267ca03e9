// SPDX-License-Identifier: Apache-2.0
//! The fields of a mechanism's parameter, read back from the object that shows them: names to fields, words to
//! numbers, and the fields of a nested mechanism behind the field that names it, one level deeper.

use std::fmt;

use event::parameter::{Field, Parameter};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

/// Fields in the order in which they were recorded.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Fields(pub(in super::super) Vec<Parameter>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fields, D::Error> {
        let mut fields = Vec::new();
        Level { depth: 0, into: &mut fields }.deserialize(deserializer)?;
        Ok(Fields(fields))
    }
}

/// The fields of one mechanism.
struct Level<'f> {
    depth: u8,
    into: &'f mut Vec<Parameter>,
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the fields of a mechanism's parameter")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(name) = map.next_key::<String>()? {
            match Field::ALL.iter().find(|field| field.name() == name) {
                Some(field) => {
                    map.next_value_seed(Value { field: *field, depth: self.depth, into: self.into })?
                }
                // Fields that stood where none can be are counted, and mean nothing.
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// The value of a field: a number, a truth value, or a number with its name and the fields inside.
struct Value<'f> {
    field: Field,
    depth: u8,
    into: &'f mut Vec<Parameter>,
}

impl Value<'_> {
    fn put(self, value: u64) {
        self.into.push(Parameter { depth: self.depth, field: self.field, value });
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value of a field of a mechanism's parameter")
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.put(value);
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.put(u64::from(value));
        Ok(())
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let place = self.into.len();
        self.into.push(Parameter { depth: self.depth, field: self.field, value: 0 });
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "number" => self.into[place].value = map.next_value()?,
                "parameters" if self.depth < u8::MAX => {
                    map.next_value_seed(Level { depth: self.depth + 1, into: self.into })?;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}
