// SPDX-License-Identifier: Apache-2.0
//! Keys and templates, read back from the objects that show them, as the library saw them when it asked the policy.

use std::borrow::Cow;
use std::collections::HashMap;

use event::attribute::{
    self, CKA_CLASS, CKA_EC_PARAMS, CKA_END_DATE, CKA_ID, CKA_KEY_TYPE, CKA_LABEL, CKA_MODULUS_BITS,
    CKA_PARAMETER_SET, CKA_PRIME, CKA_PUBLIC_EXPONENT, CKA_START_DATE, CKA_VALUE_LEN,
};
use event::curve::{self, Parameters};
use event::record::Flags;
use serde::Deserialize;
use serde_json::Value;

use super::super::known::Thing;
use super::{Word, bytes};

#[derive(Debug, Deserialize)]
pub(super) struct KeyLine<'a> {
    handle: Option<u64>,
    class: Option<Word>,
    #[serde(rename = "type")]
    key_type: Option<Word>,
    bits: Option<u32>,
    #[serde(borrow)]
    curve: Option<Cow<'a, str>>,
    parameter_set: Option<Word>,
    public_exponent: Option<u64>,
    #[serde(borrow, default)]
    label: Cow<'a, str>,
    #[serde(borrow)]
    label_hex: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    flags: HashMap<Cow<'a, str>, bool>,
    #[serde(borrow)]
    start_date: Option<Cow<'a, str>>,
    #[serde(borrow)]
    end_date: Option<Cow<'a, str>>,
}

impl KeyLine<'_> {
    pub(super) fn handle(&self) -> Option<u64> {
        self.handle
    }

    /// The object; of one whose handle alone was known, nothing.
    pub(super) fn thing(&self) -> Thing {
        let Some(class) = self.class else { return Thing::default() };
        let mut flags = Flags::default();
        for (bit, _, name) in Flags::ALL {
            if let Some(value) = self.flags.get(*name) {
                flags.tell(*bit, *value);
            }
        }
        Thing {
            class: Some(class.number),
            key_type: self.key_type.map(|word| word.number),
            bits: self.bits,
            curve: self.curve.as_deref().and_then(place_of_curve),
            parameter_set: self.parameter_set.map(|word| word.number),
            exponent: self.public_exponent,
            flags,
            label: Some(bytes(&self.label, self.label_hex.as_deref())),
            id: hex(&self.id),
            start: self.start_date.as_deref().and_then(date),
            end: self.end_date.as_deref().and_then(date),
            present: true,
            ..Thing::default()
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct TemplateLine<'a> {
    #[serde(borrow)]
    attributes: Vec<AttributeLine<'a>>,
}

/// What the policy added to a template, or would have added.
#[derive(Debug, Clone, Deserialize)]
pub(in super::super) struct HardenedLine {
    pub(in super::super) template: u64,
    pub(in super::super) applied: bool,
    pub(in super::super) attributes: Vec<AddedLine>,
}

#[derive(Debug, Clone, Deserialize)]
pub(in super::super) struct AddedLine {
    pub(in super::super) number: u64,
    pub(in super::super) value: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct AttributeLine<'a> {
    number: u64,
    length: u64,
    value: Option<Value>,
    #[serde(borrow)]
    value_hex: Option<Cow<'a, str>>,
}

impl TemplateLine<'_> {
    /// What the template asks for.
    pub(super) fn thing(&self) -> Thing {
        let mut thing = Thing::default();
        self.attributes.iter().for_each(|attribute| attribute.put(&mut thing));
        thing
    }
}

impl AttributeLine<'_> {
    fn put(&self, thing: &mut Thing) {
        thing.present = true;
        thing.secret |= attribute::is_secret(self.number);
        match self.number {
            CKA_CLASS => thing.class = self.number(),
            CKA_KEY_TYPE => thing.key_type = self.number(),
            CKA_PARAMETER_SET => thing.parameter_set = self.number(),
            CKA_MODULUS_BITS => thing.bits = self.number().and_then(|bits| u32::try_from(bits).ok()),
            CKA_VALUE_LEN => thing.bits = self.number().and_then(bits_of),
            CKA_PRIME => thing.bits = bits_of(self.length),
            CKA_PUBLIC_EXPONENT => thing.exponent = self.hex().map(|bytes| saturated(&bytes)),
            CKA_EC_PARAMS => match curve::from_parameters(&self.hex().unwrap_or_default()) {
                Parameters::Named(named) => {
                    thing.bits = Some(u32::from(named.bits));
                    thing.curve = place_of_curve(named.name);
                }
                Parameters::Explicit => thing.explicit_curve = true,
                _ => (),
            },
            CKA_LABEL => thing.label = self.text().map(|text| bytes(text, self.value_hex.as_deref())),
            CKA_ID => thing.id = self.hex(),
            CKA_START_DATE => thing.start = self.text().and_then(date),
            CKA_END_DATE => thing.end = self.text().and_then(date),
            other => {
                let flag = Flags::ALL.iter().find(|(_, number, _)| *number == other);
                if let (Some((bit, ..)), Some(value)) = (flag, self.value.as_ref().and_then(Value::as_bool)) {
                    thing.flags.tell(*bit, value);
                }
            }
        }
    }

    /// A number, by itself or with its name.
    fn number(&self) -> Option<u64> {
        let value = self.value.as_ref()?;
        value.as_u64().or_else(|| value.get("number")?.as_u64())
    }

    fn text(&self) -> Option<&str> {
        self.value.as_ref()?.as_str()
    }

    fn hex(&self) -> Option<Vec<u8>> {
        hex(self.text()?)
    }
}

fn bits_of(bytes: u64) -> Option<u32> {
    u32::try_from(bytes.checked_mul(8)?).ok()
}

/// The place of the curve of this name in `event::curve::ALL`.
pub(in super::super) fn place_of_curve(name: &str) -> Option<u16> {
    let found = curve::by_name(name)?;
    let place = curve::ALL.iter().position(|known| known == found)?;
    u16::try_from(place).ok()
}

/// A date as `CK_DATE` has it, from one with dashes or without.
pub(in super::super) fn date(text: &str) -> Option<[u8; 8]> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
    digits.iter().all(u8::is_ascii_digit).then_some(digits)?.try_into().ok()
}

/// A big-endian number, or the largest there is.
fn saturated(bytes: &[u8]) -> u64 {
    let bytes = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len())..];
    match bytes.len() {
        ..=8 => bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)),
        _ => u64::MAX,
    }
}

/// Bytes from hexadecimal digits.
pub(in super::super) fn hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| {
        let digits = std::str::from_utf8(pair).ok().filter(|digits| !digits.starts_with('+'))?;
        u8::from_str_radix(digits, 16).ok()
    };
    rest.is_empty().then(|| pairs.iter().map(byte).collect())?
}
