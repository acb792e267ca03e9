// SPDX-License-Identifier: Apache-2.0
//! What is known of one call, owned: read from an event or from a test case, lent to the policy as `policy::Facts`.

use event::Function;
use event::parameter::Parameter;
use event::record::Flags;
use policy::{Act, Facts, Input, Memory, Object, Policy, Process, Token, Verdict};

/// A call.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) function: Function,
    pub(super) act: Act,
    pub(super) mechanism: Option<u64>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) key: Thing,
    pub(super) target: Thing,
    pub(super) template: Thing,
    pub(super) private_template: Thing,
    pub(super) slot: Option<u64>,
    pub(super) token: Option<Vec<u8>>,
    pub(super) serial: Option<Vec<u8>>,
    pub(super) model: Option<Vec<u8>>,
    pub(super) user: Option<u64>,
    pub(super) process: Who,
    /// UTC seconds since 1970.
    pub(super) time: Option<u64>,
    pub(super) memory: Memory,
    pub(super) input: Input,
    pub(super) flags: Option<u64>,
}

/// An object, as `policy::Object` has it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Thing {
    pub(super) class: Option<u64>,
    pub(super) key_type: Option<u64>,
    pub(super) bits: Option<u32>,
    pub(super) curve: Option<u16>,
    pub(super) explicit_curve: bool,
    pub(super) exponent: Option<u64>,
    pub(super) parameter_set: Option<u64>,
    pub(super) flags: Flags,
    pub(super) label: Option<Vec<u8>>,
    pub(super) id: Option<Vec<u8>>,
    pub(super) start: Option<[u8; 8]>,
    pub(super) end: Option<[u8; 8]>,
    pub(super) secret: bool,
    pub(super) present: bool,
}

/// A process, as `policy::Process` has it.
#[derive(Debug, Clone, Default)]
pub(super) struct Who {
    pub(super) host: Option<Vec<u8>>,
    pub(super) exe: Option<Vec<u8>>,
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    pub(super) unit: Option<Vec<u8>>,
    pub(super) container: Option<Vec<u8>>,
    pub(super) service: Option<Vec<u8>>,
}

/// Of what a call is and what it sees, the one that decides: the first that is refused, and where none is, the first
/// with the strictest verdict; with equal ones the call itself, which is the last.
pub(super) fn strictest<'p, 'c>(policy: &'p Policy, calls: &'c [Known]) -> Option<(&'c Known, Verdict<'p>)> {
    let judged = calls.iter().rev().map(|call| (call, policy.judge(&call.facts())));
    judged.reduce(|best, next| if next.1.is_stricter_than(best.1) || next.1.refuses() { next } else { best })
}

impl Known {
    /// A call of which only this is known.
    pub(super) fn of(function: Function, act: Act, mechanism: Option<u64>) -> Known {
        Known {
            function,
            act,
            mechanism,
            parameters: Vec::new(),
            key: Thing::default(),
            target: Thing::default(),
            template: Thing::default(),
            private_template: Thing::default(),
            slot: None,
            token: None,
            serial: None,
            model: None,
            user: None,
            process: Who::default(),
            time: None,
            memory: Memory::default(),
            input: Input::default(),
            flags: None,
        }
    }

    /// What the policy is asked.
    pub(super) fn facts(&self) -> Facts<'_> {
        let who = &self.process;
        Facts {
            function: self.function,
            act: self.act,
            mechanism: self.mechanism,
            parameters: &self.parameters,
            key: self.key.object(),
            target: self.target.object(),
            template: self.template.object(),
            private_template: self.private_template.object(),
            token: Token {
                slot: self.slot,
                label: self.token.as_deref(),
                serial: self.serial.as_deref(),
                model: self.model.as_deref(),
            },
            user: self.user,
            process: Process {
                host: who.host.as_deref(),
                exe: who.exe.as_deref(),
                uid: who.uid,
                gid: who.gid,
                unit: who.unit.as_deref(),
                container: who.container.as_deref(),
                service: who.service.as_deref(),
            },
            time: self.time,
            memory: self.memory,
            input: self.input,
            flags: self.flags,
        }
    }

    /// The key that decides: the one that works, or the one that templates ask for.
    pub(super) fn subject(&self) -> &Thing {
        match self.act {
            Act::Generate | Act::GenerateKeyPair | Act::Import => &self.template,
            _ => &self.key,
        }
    }
}

impl Thing {
    fn object(&self) -> Object<'_> {
        Object {
            class: self.class,
            key_type: self.key_type,
            bits: self.bits,
            curve: self.curve,
            explicit_curve: self.explicit_curve,
            exponent: self.exponent,
            parameter_set: self.parameter_set,
            flags: self.flags,
            label: self.label.as_deref(),
            id: self.id.as_deref(),
            start: self.start,
            end: self.end,
            secret: self.secret,
            ambiguous: false,
            present: self.present,
        }
    }
}
