// SPDX-License-Identifier: Apache-2.0
//! A key or a template as a case describes it: `{ class = "CKO_PRIVATE_KEY", type = "CKK_RSA", bits = 2048, … }`, with
//! boolean attributes by their names in events.

use event::record::Flags;
use event::value::{key_type, object_class};
use event::{curve, parameter_set};
use toml::de::DeValue;

use super::super::known::Thing;
use super::super::recorded::{date, hex, place_of_curve};
use super::reader::{Problem, Reader, Table, Value, wrong};

const KEYS: &[&str] = &[
    "class",
    "type",
    "bits",
    "curve",
    "explicit_curve",
    "exponent",
    "parameter_set",
    "label",
    "id",
    "start_date",
    "end_date",
    "secret",
];

/// The object that is described. Size and curve follow from each other where one is left out.
pub(super) fn read(reader: &Reader<'_>, value: &Value<'_>) -> Result<Thing, Problem> {
    let table = reader.table(value)?;
    let known: Vec<&str> = KEYS.iter().copied().chain(Flags::ALL.iter().map(|(.., name)| *name)).collect();
    reader.only(table, &known)?;
    let curve = table.get("curve").map(|value| curve_at(reader, value)).transpose()?;
    let number = |key| table.get(key).map(|value| reader.number(value)).transpose();
    let truth = |key| table.get(key).map_or(Ok(false), |value| reader.boolean(value));
    let bits = table.get("bits").map(|value| reader.small(value)).transpose()?;
    Ok(Thing {
        class: named(reader, table, "class", "object class", object_class::ALL)?,
        key_type: named(reader, table, "type", "key type", key_type::ALL)?,
        bits: bits.or_else(|| {
            curve.and_then(|place| curve::ALL.get(usize::from(place))).map(|known| known.bits.into())
        }),
        curve,
        explicit_curve: truth("explicit_curve")?,
        exponent: number("exponent")?,
        parameter_set: table.get("parameter_set").map(|value| set(reader, value)).transpose()?,
        flags: flags(reader, table)?,
        label: table.get("label").map(|value| reader.bytes(value)).transpose()?,
        id: table.get("id").map(|value| id(reader, value)).transpose()?,
        start: table.get("start_date").map(day).transpose()?,
        end: table.get("end_date").map(day).transpose()?,
        secret: truth("secret")?,
        present: true,
    })
}

fn named(
    reader: &Reader<'_>,
    table: &Table<'_>,
    key: &str,
    what: &str,
    list: &[(u64, &str)],
) -> Result<Option<u64>, Problem> {
    table.get(key).map(|value| reader.named(value, what, list)).transpose()
}

fn flags(reader: &Reader<'_>, table: &Table<'_>) -> Result<Flags, Problem> {
    let mut flags = Flags::default();
    for (bit, _, name) in Flags::ALL {
        if let Some(value) = table.get(*name) {
            flags.tell(*bit, reader.boolean(value)?);
        }
    }
    Ok(flags)
}

fn curve_at(reader: &Reader<'_>, value: &Value<'_>) -> Result<u16, Problem> {
    let names: Vec<&str> = curve::names().collect();
    match place_of_curve(reader.text(value)?) {
        Some(place) => Ok(place),
        // Which says what is near.
        None => reader.word(value, "curve", &names).map(|_| 0),
    }
}

fn set(reader: &Reader<'_>, value: &Value<'_>) -> Result<u64, Problem> {
    if let DeValue::Integer(_) = value.get_ref() {
        return reader.number(value);
    }
    let names: Vec<&str> = parameter_set::ALL.iter().map(|set| set.name).collect();
    match parameter_set::by_name(reader.text(value)?) {
        Some(set) => Ok(set.number),
        None => reader.word(value, "parameter set", &names).map(|_| 0),
    }
}

fn id(reader: &Reader<'_>, value: &Value<'_>) -> Result<Vec<u8>, Problem> {
    hex(reader.text(value)?).ok_or_else(|| wrong(value, "hexadecimal id", "\"01ff\""))
}

fn day(value: &Value<'_>) -> Result<[u8; 8], Problem> {
    let text = match value.get_ref() {
        DeValue::Datetime(day) if day.time.is_none() => day.to_string(),
        _ => String::new(),
    };
    date(&text).ok_or_else(|| wrong(value, "date", "2031-01-01"))
}
