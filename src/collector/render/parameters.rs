// SPDX-License-Identifier: Apache-2.0
//! The fields of a mechanism parameter as an object: the fields of a nested mechanism stand inside the field that
//! names it. Fields that a record puts where none can be are counted, not shown.

use event::mechanism::{self, CKM_PKCS5_PBKD2};
use event::parameter::{Field, Kind, Parameter};
use event::{attribute, names};

use super::json::{Json, object};

/// Nesting that no standard mechanism reaches; JSON readers refuse what nests without end.
const DEEPEST: u8 = 8;

// `written` below has a bit for each field.
const _: () = assert!(Field::ALL.len() < 128);

/// The fields of one mechanism's parameter, as recorded, and the fields of those nested in it.
pub(super) struct Parameters<'a> {
    /// The mechanism, where it is known.
    pub(super) mechanism: Option<u64>,
    /// Its fields, at `depth` and deeper.
    pub(super) fields: &'a [Parameter],
    /// How deep the mechanism is nested.
    pub(super) depth: u8,
}

impl Json for Parameters<'_> {
    fn json(&self, out: &mut Vec<u8>) {
        let mut written = 0_u128;
        let mut misplaced = 0_u64;
        let mut rest = self.fields;
        object(out, |o| {
            while let Some((field, after)) = rest.split_first() {
                let deeper = after.iter().position(|next| next.depth <= self.depth).unwrap_or(after.len());
                let (mut nested, next) = after.split_at(deeper);
                rest = next;
                let bit = 1_u128.checked_shl(u32::from(field.field as u8)).unwrap_or(0);
                if field.depth != self.depth || written & bit != 0 {
                    misplaced += 1 + nested.len() as u64;
                    continue;
                }
                written |= bit;
                if field.field.kind() != Kind::Mechanism || self.depth == DEEPEST {
                    misplaced += nested.len() as u64;
                    nested = &[];
                }
                o.put(field.field.name(), Value { mechanism: self.mechanism, field, nested });
            }
            if misplaced > 0 {
                o.put("misplaced", misplaced);
            }
        });
    }
}

struct Value<'a> {
    mechanism: Option<u64>,
    field: &'a Parameter,
    nested: &'a [Parameter],
}

impl Json for Value<'_> {
    fn json(&self, out: &mut Vec<u8>) {
        let number = self.field.value;
        let name = match self.field.field.kind() {
            Kind::Number | Kind::Handle => return number.json(out),
            Kind::Flag => return (number != 0).json(out),
            Kind::Mechanism => mechanism::name(number),
            Kind::Generator if self.field.field == Field::Mgf => names::mgf::name(number),
            Kind::Generator => names::generator::name(number),
            Kind::Kdf => names::kdf::name(number),
            Kind::Prf => names::prf::name(number),
            Kind::Source if self.mechanism == Some(CKM_PKCS5_PBKD2) => names::salt_source::name(number),
            Kind::Source => names::oaep_source::name(number),
            Kind::Hedge => names::hedge::name(number),
            Kind::Attribute => attribute::name(number),
        };
        object(out, |o| {
            o.put("number", number);
            o.known("name", name);
            if !self.nested.is_empty() {
                let depth = self.field.depth + 1;
                o.put("parameters", Parameters { mechanism: Some(number), fields: self.nested, depth });
            }
        });
    }
}
