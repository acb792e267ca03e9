// SPDX-License-Identifier: Apache-2.0
//! Reading a record that a process we do not trust has written: every length is checked, nothing is assumed.

use std::collections::BTreeMap;
use std::fmt;

use super::view::{KeyView, TextView, TokenView};
use super::{FOLLOWS, HEADER, NONE, Tag, VERSION};
use crate::Function;
use crate::attribute::CKA_END_DATE;
use crate::parameter::{Field, Parameter};
use crate::record::{
    Call, Extent, Hardened, Header, Key, MechanismUse, Notice, Policy, Quarantine, Rule, Session, Template,
    TemplateAttribute, Trace, Verdict, What,
};

/// Why a frame is not a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// Shorter than its own lengths say.
    Short,
    /// Written by a shim of another format version.
    Version(u8),
    /// No function has this number.
    Function(u16),
    /// No verdict has this number.
    Verdict(u8),
    /// No extent of a quarantine has this number.
    Extent(u64),
    /// A field has a number that this version does not know.
    Field(u8),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Malformed::Short => write!(f, "the frame is shorter than its lengths say"),
            Malformed::Version(v) => write!(
                f,
                "the frame has format version {v}, this program reads {VERSION}; update the older of library and collector"
            ),
            Malformed::Function(n) => write!(f, "no function has the number {n}"),
            Malformed::Verdict(n) => write!(f, "no verdict has the number {n}"),
            Malformed::Extent(n) => write!(f, "no extent of a quarantine has the number {n}"),
            Malformed::Field(n) => write!(f, "no parameter field has the number {n}"),
        }
    }
}

impl std::error::Error for Malformed {}

/// What the ring that a frame came through holds for its frames to speak of.
pub trait Definitions {
    /// The definition at `place`; none where there is none.
    fn find(&mut self, place: u64) -> Option<&[u8]>;
}

impl Definitions for BTreeMap<u64, Vec<u8>> {
    fn find(&mut self, place: u64) -> Option<&[u8]> {
        self.get(&place).map(Vec::as_slice)
    }
}

/// Reads a frame. Sections of kinds that this version does not know are passed over; facts whose definition is not
/// found are left out, and the call is marked as degraded.
pub fn decode(frame: &[u8], definitions: &mut impl Definitions) -> Result<Call, Malformed> {
    let mut fixed = In(frame.get(..HEADER).ok_or(Malformed::Short)?);
    let mut call = fixed_part(&mut fixed)?;
    if call.header.policy_defined {
        let found = definitions.find(call.header.policy).map(|bytes| In(bytes).policy()).transpose()?;
        call.header.degraded |= found.is_none();
        call.policy = found;
    }
    let mut rest = In(&frame[HEADER..]);
    while !rest.0.is_empty() {
        let (tag, length, _) = (rest.u16()?, usize::from(rest.u16()?), rest.u32()?);
        let mut section = In(rest.take(length)?);
        rest.take(length.next_multiple_of(8) - length)?;
        if let Some(tag) = Tag::from_number(tag) {
            section.read(tag, &mut call, definitions)?;
        }
    }
    Ok(call)
}

/// Reads the fixed part of a frame alone.
pub fn header(frame: &[u8]) -> Result<Header, Malformed> {
    let mut fixed = In(frame.get(..HEADER).ok_or(Malformed::Short)?);
    fixed_part(&mut fixed).map(|call| call.header)
}

/// The flag that tells a notice from a call.
const NOTICE: u8 = 64;

/// Whether a frame is a [`Notice`] and no call.
pub fn is_notice(frame: &[u8]) -> bool {
    frame.get(FLAGS).is_some_and(|flags| flags & NOTICE != 0)
}

/// Where the flags stand in the fixed part.
const FLAGS: usize = 81;

fn fixed_part(fixed: &mut In<'_>) -> Result<Call, Malformed> {
    let [version, _] = fixed.array()?;
    if version != VERSION {
        return Err(Malformed::Version(version));
    }
    let function = fixed.u16()?;
    let function = Function::from_number(function).ok_or(Malformed::Function(function))?;
    let thread = fixed.u32()?;
    let (sequence, start, end, rv, operation) =
        (fixed.u64()?, fixed.u64()?, fixed.u64()?, fixed.u64()?, fixed.u64()?);
    let (bytes_in, bytes_out, session) = (fixed.optional()?, fixed.optional()?, fixed.optional()?);
    let policy = fixed.u64()?;
    let [verdict, flags] = fixed.array()?;
    let header = Header {
        function,
        thread,
        sequence,
        start,
        end,
        rv,
        operation,
        bytes_in,
        bytes_out,
        session,
        policy,
        verdict: Verdict::from_number(verdict).ok_or(Malformed::Verdict(verdict))?,
        enforced: flags & 1 != 0,
        size_query: flags & 2 != 0,
        truncated: flags & 4 != 0,
        degraded: flags & 8 != 0,
        answered_here: flags & 16 != 0,
        policy_defined: flags & 32 != 0,
        is_notice: flags & NOTICE != 0,
    };
    Ok(Call {
        header,
        session: None,
        slot: None,
        mechanism: None,
        message: Vec::new(),
        keys: Vec::new(),
        created: Vec::new(),
        templates: Vec::new(),
        attributes: Vec::new(),
        rule: None,
        nested: None,
        quarantine: None,
        instead: Vec::new(),
        hardened: Vec::new(),
        flags: None,
        user: None,
        username: None,
        count: None,
        trace: None,
        fault: None,
        policy: None,
        notice: None,
    })
}

/// What is still to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct In<'a>(pub(super) &'a [u8]);

impl<'a> In<'a> {
    #[inline(always)]
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    #[inline(always)]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(*taken)
    }

    #[inline(always)]
    pub(super) fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_le_bytes)
    }

    #[inline(always)]
    pub(super) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    #[inline(always)]
    pub(super) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    #[inline(always)]
    pub(super) fn optional(&mut self) -> Result<Option<u64>, Malformed> {
        self.u64().map(|value| (value != NONE).then_some(value))
    }

    /// A number that is never 0 and that earlier writers do not know: zeros may end facts.
    pub(super) fn later(&mut self) -> Option<u64> {
        self.u64().ok().filter(|value| *value != 0)
    }

    fn numbers(&mut self) -> Result<Vec<u64>, Malformed> {
        let mut numbers = Vec::with_capacity(self.0.len() / 8);
        while !self.0.is_empty() {
            numbers.push(self.u64()?);
        }
        Ok(numbers)
    }

    #[inline(always)]
    pub(super) fn text(&mut self) -> Result<TextView<'a>, Malformed> {
        let length = self.u32()?;
        let [kept] = self.array()?;
        Ok(TextView { bytes: self.take(usize::from(kept))?, length })
    }

    fn read(
        &mut self,
        tag: Tag,
        call: &mut Call,
        definitions: &mut impl Definitions,
    ) -> Result<(), Malformed> {
        match tag {
            Tag::Session => {
                let (id, user, read_write) = (self.u64()?, self.optional()?, self.u64()? != 0);
                let token =
                    self.facts(call, definitions, |facts| Ok(TokenView::read(facts.0)?.to_token()))?;
                call.session = Some(Session { id, read_write, user, token });
            }
            Tag::Slot => call.slot = Some(self.u64()?),
            Tag::Mechanism => {
                call.mechanism = Some(MechanismUse { number: self.u64()?, parameters: self.parameters()? })
            }
            Tag::Message => call.message = self.parameters()?,
            Tag::Key => {
                let handle = self.u64()?;
                // Of an object that nothing is known of, there is the handle alone.
                let known = |facts: &mut In<'_>| Ok(KeyView::read(facts.0)?.to_key(handle));
                let key = if self.0.is_empty() { None } else { self.facts(call, definitions, known)? };
                call.keys.push(key.unwrap_or_else(|| Key { handle, ..Key::default() }));
            }
            Tag::Created => call.created.push(self.u64()?),
            Tag::Template => call.templates.push(self.template()?),
            Tag::Attributes => call.attributes = self.numbers()?,
            Tag::Quarantine => {
                let (number, until) = (self.u64()?, self.optional()?);
                let of = Extent::ALL.into_iter().find(|of| *of as u64 == number);
                call.quarantine = Some(Quarantine { of: of.ok_or(Malformed::Extent(number))?, until });
            }
            Tag::Instead => call.instead = self.numbers()?,
            Tag::Hardened => call.hardened.push(self.hardened()?),
            Tag::Rule => {
                call.nested = self.optional()?;
                call.rule = self.facts(call, definitions, |facts| facts.rule())?;
            }
            Tag::Flags => call.flags = Some(self.u64()?),
            Tag::User => call.user = Some(self.u64()?),
            Tag::Username => call.username = Some(self.text()?.to_text()),
            Tag::Count => call.count = Some(self.u64()?),
            Tag::Trace => {
                call.trace = Some(Trace {
                    trace_id: self.array()?,
                    span_id: self.array()?,
                    flags: self.array::<1>()?[0],
                });
            }
            Tag::Fault => call.fault = Some(self.text()?.to_text()),
            Tag::Notice => {
                let what = What::from_number(self.u64()?);
                call.notice = what.map(|what| Notice { what, text: self.0.to_vec() });
            }
        }
        Ok(())
    }

    /// Facts that follow, or that stand among the definitions.
    fn facts<T>(
        &mut self,
        call: &mut Call,
        definitions: &mut impl Definitions,
        read: impl FnOnce(&mut In<'_>) -> Result<T, Malformed>,
    ) -> Result<Option<T>, Malformed> {
        let place = self.u64()?;
        let found = if place == FOLLOWS { Some(self.0) } else { definitions.find(place) };
        call.header.degraded |= found.is_none();
        found.map(|bytes| read(&mut In(bytes))).transpose()
    }

    fn policy(&mut self) -> Result<Policy, Malformed> {
        Ok(Policy { hash: self.array()?, revision: self.u64()?, name: self.text()?.to_text() })
    }

    fn rule(&mut self) -> Result<Rule, Malformed> {
        Ok(Rule {
            name: self.text()?.to_text(),
            conditions: self.text()?.to_text(),
            clause: self.text()?.to_text(),
            reason: self.text()?.to_text(),
            remedy: self.text()?.to_text(),
        })
    }

    fn template(&mut self) -> Result<Template, Malformed> {
        let mut template = Template { count: self.u64()?, attributes: Vec::new() };
        while !self.0.is_empty() {
            let (attribute, length) = (self.u64()?, self.u64()?);
            let [present] = self.array()?;
            let value = self.text()?;
            let value = (present != 0).then(|| value.bytes.to_vec());
            template.attributes.push(TemplateAttribute { attribute, length, value });
        }
        Ok(template)
    }

    fn hardened(&mut self) -> Result<Hardened, Malformed> {
        let (template, applied) = (self.u64()?, self.u64()? != 0);
        let mut attributes = Vec::new();
        while !self.0.is_empty() {
            let (attribute, value) = (self.u64()?, self.array::<8>()?);
            let length = if attribute == CKA_END_DATE { 8 } else { 1 };
            let value = value[..length].to_vec();
            attributes.push(TemplateAttribute { attribute, length: length as u64, value: Some(value) });
        }
        Ok(Hardened { template, applied, attributes })
    }

    fn parameters(&mut self) -> Result<Vec<Parameter>, Malformed> {
        let mut parameters = Vec::new();
        while !self.0.is_empty() {
            let [depth, field] = self.array()?;
            let field = Field::from_number(field).ok_or(Malformed::Field(field))?;
            parameters.push(Parameter { depth, field, value: self.u64()? });
        }
        Ok(parameters)
    }
}
