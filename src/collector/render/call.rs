// SPDX-License-Identifier: Apache-2.0
//! A call as an event: the order of its members, and nothing that was not recorded.

use event::hello::Field;
use event::record::{Call, MechanismUse, Quarantine, Trace, Verdict};
use event::value::rv;
use event::{attribute, mechanism};

use super::form::Gap;
use super::json::{Json, object};
use super::key::{Key, Worker};
use super::object::{Hex, Word};
use super::parameters::Parameters;
use super::template::{Hardened, Template};
use super::time::Utc;
use super::who::{Process, Session, User};
use crate::stream::{OperationFacts, Stream};

/// An event with its gaps.
pub(super) struct Event<'a> {
    pub(super) call: &'a Call,
    pub(super) stream: &'a Stream,
    pub(super) facts: Option<&'a OperationFacts>,
    /// It tells of a whole operation, of which this call is the first.
    pub(super) whole: bool,
}

impl Json for Event<'_> {
    fn json(&self, out: &mut Vec<u8>) {
        let Event { call, stream, facts, whole } = self;
        let head = &call.header;
        object(out, |o| {
            o.put("index", Gap::Index);
            o.put("event", if *whole { "operation" } else { "call" });
            o.put("id", Id(&stream.id));
            o.put("time", Gap::Time);
            o.put("time_unix_ns", Gap::TimeNs);
            o.put("duration_ns", Gap::Duration);
            o.put("stream", Hex(&stream.id));
            o.put("lane", Gap::Lane);
            o.put("sequence", Gap::Sequence);
            o.put("function", head.function.name());
            if *whole {
                o.put("rv", Gap::Rv);
            } else {
                o.put("rv", Word(rv::display(head.rv)));
            }
            o.put("verdict", Judged { call, stream });
            o.known("mechanism", call.mechanism.as_ref().map(Mechanism));
            if !call.message.is_empty() {
                o.put("message", Parameters { mechanism: None, fields: &call.message, depth: 0 });
            }
            o.known("key", call.keys.first().map(Key));
            o.list("other_keys", call.keys.iter().skip(1).map(Key));
            o.list("created", call.created.iter());
            o.list("templates", call.templates.iter().map(Template));
            o.list("hardened", call.hardened.iter().map(Hardened));
            o.list("attributes", call.attributes.iter().map(|number| Word(attribute::display(*number))));
            if *whole {
                o.put("bytes_in", Gap::BytesIn);
                o.put("bytes_out", Gap::BytesOut);
                o.put("folded", Gap::Folded);
            } else {
                o.known("bytes_in", head.bytes_in);
                o.known("bytes_out", head.bytes_out);
                o.mark("size_query", head.size_query);
            }
            o.known("slot", call.slot);
            o.known("flags", call.flags);
            o.known("user", call.user.map(User));
            o.known_text("username", call.username.as_ref());
            o.known("count", call.count);
            o.known("session", Session::of(call));
            o.put("thread", head.thread);
            o.put("process", Process(&stream.process));
            o.known("operation", (head.operation != 0).then_some(Operation(*facts)));
            o.known("trace", call.trace.as_ref().map(Traced));
            o.known_text("fault", call.fault.as_ref());
            o.mark("truncated", head.truncated);
            o.mark("degraded", head.degraded);
            o.mark("answered_here", head.answered_here);
        });
    }
}

/// The id of an event, which no other ever has: stream, lane, sequence.
struct Id<'a>(&'a [u8; 16]);

impl Json for Id<'_> {
    fn json(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        Hex(self.0).digits(out);
        out.extend_from_slice(&[b'/', Gap::Path as u8, b'"']);
    }
}

struct Mechanism<'a>(&'a MechanismUse);

impl Json for Mechanism<'_> {
    fn json(&self, out: &mut Vec<u8>) {
        let MechanismUse { number, parameters } = self.0;
        object(out, |o| {
            o.put("number", number);
            o.known("name", mechanism::name(*number));
            if !parameters.is_empty() {
                o.put("parameters", Parameters { mechanism: Some(*number), fields: parameters, depth: 0 });
            }
        });
    }
}

struct Judged<'a> {
    call: &'a Call,
    stream: &'a Stream,
}

impl Json for Judged<'_> {
    fn json(&self, out: &mut Vec<u8>) {
        let Judged { call, stream } = self;
        let action = match call.header.verdict {
            Verdict::NotJudged => "not_judged",
            Verdict::Allow => "allow",
            Verdict::Warn => "warn",
            Verdict::Deny => "deny",
        };
        object(out, |o| {
            o.put("action", action);
            o.put("enforced", call.header.enforced);
            if let Some(rule) = &call.rule {
                o.text("rule", &rule.name);
                o.text("conditions", &rule.conditions);
                o.known("nested", call.nested.map(|number| Word(mechanism::display(number))));
                o.text("clause", &rule.clause);
                o.text("reason", &rule.reason);
                o.text("remedy", &rule.remedy);
            }
            o.known("quarantine", call.quarantine.map(Held));
            o.list("instead", call.instead.iter().map(|mechanism| Word(mechanism::display(*mechanism))));
            if let Some(policy) = &call.policy {
                o.put("policy", Hex(&policy.hash));
                o.put("policy_revision", policy.revision);
            } else if call.header.policy != 0 && !call.header.policy_defined {
                let prefix = call.header.policy.to_be_bytes();
                let whole = stream.said(Field::PolicyHash).filter(|hash| hash.starts_with(&prefix));
                o.put("policy", Hex(whole.unwrap_or(&prefix)));
            }
        });
    }
}

struct Held(Quarantine);

impl Json for Held {
    fn json(&self, out: &mut Vec<u8>) {
        let Quarantine { of, until } = self.0;
        object(out, |o| {
            o.put("of", of.name());
            o.known("until", until.map(Utc));
        });
    }
}

/// What ties Init, Update and Final together, with what the Init said.
struct Operation<'a>(Option<&'a OperationFacts>);

impl Json for Operation<'_> {
    fn json(&self, out: &mut Vec<u8>) {
        object(out, |o| {
            o.put("id", Gap::Operation);
            let Some(facts) = self.0 else { return };
            o.known("mechanism", facts.mechanism.map(|number| Word(mechanism::display(number))));
            o.known("key", facts.key.as_ref().map(Worker));
        });
    }
}

struct Traced<'a>(&'a Trace);

impl Json for Traced<'_> {
    fn json(&self, out: &mut Vec<u8>) {
        object(out, |o| {
            o.put("trace_id", Hex(&self.0.trace_id));
            o.put("span_id", Hex(&self.0.span_id));
            o.put("flags", u32::from(self.0.flags));
        });
    }
}
