// SPDX-License-Identifier: Apache-2.0
//! A call as an event: the order of its members, and nothing that was not recorded.

use event::hello::Field;
use event::record::{Call, Header, MechanismUse, Rule, Trace, Verdict};
use event::value::rv;
use event::{attribute, mechanism};
use serde::{Serialize, Serializer};

use super::key::{Key, Worker};
use super::object::{Hex, Shown, Word, object};
use super::parameters::Parameters;
use super::place::Place;
use super::template::Template;
use super::time::Utc;
use super::who::{Process, Session, User};

/// Appends the event of one call: one line of JSON in printable ASCII, its newline included.
pub fn call(out: &mut Vec<u8>, call: &Call, at: &Place<'_>) {
    // Writing to memory does not fail, and no value of an event refuses to be written.
    let _ = super::line(out, &Event { call, at });
}

struct Event<'a> {
    call: &'a Call,
    at: &'a Place<'a>,
}

impl Serialize for Event<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Event { call, at } = self;
        let head = &call.header;
        let stream = Hex(&at.stream.id);
        object(serializer, |o| {
            o.put("index", at.index)?;
            o.put("event", "call")?;
            o.put("id", Shown(format_args!("{stream}/{}/{}", at.lane, head.sequence)))?;
            o.put("time", Utc(at.time_ns))?;
            o.put("time_unix_ns", at.time_ns)?;
            o.put("duration_ns", at.duration_ns)?;
            o.put("stream", stream)?;
            o.put("lane", at.lane)?;
            o.put("sequence", head.sequence)?;
            o.put("function", head.function.name())?;
            o.put("rv", Word(rv::display(head.rv)))?;
            o.put("verdict", Judged { head, rule: call.rule.as_ref(), at })?;
            o.known("mechanism", call.mechanism.as_ref().map(Mechanism))?;
            if !call.message.is_empty() {
                o.put("message", Parameters { mechanism: None, fields: &call.message, depth: 0 })?;
            }
            if let Some((first, others)) = call.keys.split_first() {
                o.put("key", Key(first))?;
                o.list("other_keys", &others.iter().map(Key).collect::<Vec<_>>())?;
            }
            o.list("created", &call.created)?;
            o.list("templates", &call.templates.iter().map(Template).collect::<Vec<_>>())?;
            o.list(
                "attributes",
                &call.attributes.iter().map(|number| Word(attribute::display(*number))).collect::<Vec<_>>(),
            )?;
            o.known("bytes_in", head.bytes_in)?;
            o.known("bytes_out", head.bytes_out)?;
            o.mark("size_query", head.size_query)?;
            o.known("slot", call.slot)?;
            o.known("flags", call.flags)?;
            o.known("user", call.user.map(User))?;
            o.known_text("username", call.username.as_ref())?;
            o.known("count", call.count)?;
            o.known("session", Session::of(call))?;
            o.put("thread", head.thread)?;
            o.put("process", Process(&at.stream.process))?;
            o.known("operation", Operation::of(head, at))?;
            o.known("trace", call.trace.as_ref().map(Traced))?;
            o.known_text("fault", call.fault.as_ref())?;
            o.mark("truncated", head.truncated)?;
            o.mark("degraded", head.degraded)?;
            o.mark("answered_here", head.answered_here)
        })
    }
}

struct Mechanism<'a>(&'a MechanismUse);

impl Serialize for Mechanism<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let MechanismUse { number, parameters } = self.0;
        object(serializer, |o| {
            o.put("number", number)?;
            o.known("name", mechanism::name(*number))?;
            if parameters.is_empty() {
                return Ok(());
            }
            o.put("parameters", Parameters { mechanism: Some(*number), fields: parameters, depth: 0 })
        })
    }
}

struct Judged<'a> {
    head: &'a Header,
    rule: Option<&'a Rule>,
    at: &'a Place<'a>,
}

impl Serialize for Judged<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let action = match self.head.verdict {
            Verdict::NotJudged => "not_judged",
            Verdict::Allow => "allow",
            Verdict::Warn => "warn",
            Verdict::Deny => "deny",
        };
        object(serializer, |o| {
            o.put("action", action)?;
            o.put("enforced", self.head.enforced)?;
            if let Some(rule) = self.rule {
                o.text("rule", &rule.name)?;
                o.text("reason", &rule.reason)?;
                o.text("remedy", &rule.remedy)?;
            }
            let prefix = self.head.policy.to_be_bytes();
            let whole = self.at.stream.said(Field::PolicyHash).filter(|hash| hash.starts_with(&prefix));
            if self.head.policy == 0 { Ok(()) } else { o.put("policy", Hex(whole.unwrap_or(&prefix))) }
        })
    }
}

/// What ties Init, Update and Final together, with what the Init said.
struct Operation<'a> {
    id: u64,
    at: &'a Place<'a>,
}

impl<'a> Operation<'a> {
    fn of(head: &Header, at: &'a Place<'a>) -> Option<Operation<'a>> {
        (head.operation != 0).then_some(Operation { id: head.operation, at })
    }
}

impl Serialize for Operation<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (lane, sequence) = (self.id >> 48, self.id & 0xffff_ffff_ffff);
        object(serializer, |o| {
            o.put("id", Shown(format_args!("{lane}/{sequence}")))?;
            let Some(facts) = self.at.operation else { return Ok(()) };
            o.known("mechanism", facts.mechanism.map(|number| Word(mechanism::display(number))))?;
            o.known("key", facts.key.as_ref().map(Worker))
        })
    }
}

struct Traced<'a>(&'a Trace);

impl Serialize for Traced<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object(serializer, |o| {
            o.put("trace_id", Hex(&self.0.trace_id))?;
            o.put("span_id", Hex(&self.0.span_id))?;
            o.put("flags", self.0.flags)
        })
    }
}
