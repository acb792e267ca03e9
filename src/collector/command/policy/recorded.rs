// SPDX-License-Identifier: Apache-2.0
//! A recorded call, read back from its event: what the policy was asked then, so that any policy can be asked again.
//! What earlier calls taught the library stands in no event; guards that need it judge by what the event tells.

mod object;
mod parameters;

use std::borrow::Cow;

use event::Function;
use policy::{Act, Input, NOBODY};
use serde::Deserialize;

use super::acts;
use super::known::{Known, Thing, Who};
use super::source::Stream;
pub(super) use object::HardenedLine;
use object::{KeyLine, TemplateLine};
pub(super) use object::{date, hex, place_of_curve};
pub(super) use parameters::Fields;

/// An event, as far as policies ask.
#[derive(Debug, Deserialize)]
pub(super) struct Line<'a> {
    pub(super) index: Option<u64>,
    #[serde(borrow)]
    pub(super) event: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) time: Option<Cow<'a, str>>,
    pub(super) time_unix_ns: Option<u64>,
    #[serde(borrow)]
    pub(super) stream: Option<Cow<'a, str>>,
    #[serde(borrow)]
    hello: Option<Hello<'a>>,
    #[serde(borrow)]
    pub(super) function: Option<Cow<'a, str>>,
    pub(super) rv: Option<Word>,
    #[serde(borrow)]
    pub(super) verdict: Option<Verdict<'a>>,
    mechanism: Option<MechanismLine>,
    #[serde(borrow)]
    key: Option<KeyLine<'a>>,
    #[serde(default, borrow)]
    other_keys: Vec<KeyLine<'a>>,
    #[serde(default, borrow)]
    templates: Vec<TemplateLine<'a>>,
    #[serde(default)]
    pub(super) hardened: Vec<HardenedLine>,
    #[serde(default)]
    attributes: Vec<Word>,
    #[serde(borrow)]
    operation: Option<Operation<'a>>,
    bytes_in: Option<u64>,
    slot: Option<u64>,
    flags: Option<u64>,
    user: Option<User>,
    #[serde(borrow)]
    pub(super) session: Option<Session<'a>>,
    #[serde(borrow)]
    process: Option<Process<'a>>,
}

/// A number of the standard.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Word {
    pub(super) number: u64,
}

/// What was said of the call when it was made.
#[derive(Debug, Deserialize)]
pub(super) struct Verdict<'a> {
    #[serde(borrow)]
    pub(super) action: Cow<'a, str>,
    pub(super) enforced: bool,
    #[serde(borrow)]
    pub(super) rule: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) conditions: Option<Cow<'a, str>>,
    pub(super) nested: Option<Word>,
    #[serde(borrow)]
    pub(super) clause: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) remedy: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) quarantine: Option<Held<'a>>,
    /// Mechanisms of the token that would have been allowed.
    #[serde(default)]
    pub(super) instead: Vec<Word>,
    /// SHA-256 of the policy, or its first eight bytes.
    #[serde(borrow)]
    pub(super) policy: Option<Cow<'a, str>>,
}

/// A quarantine.
#[derive(Debug, Deserialize)]
pub(super) struct Held<'a> {
    #[serde(borrow)]
    of: Cow<'a, str>,
    #[serde(borrow)]
    until: Option<Cow<'a, str>>,
}

impl Held<'_> {
    /// In words.
    pub(super) fn words(&self) -> String {
        match &self.until {
            Some(until) => format!("the {} until {until}", self.of),
            None => format!("nobody; carried out, the {} would be", self.of),
        }
    }
}

/// What a process said of itself when its stream was opened.
#[derive(Debug, Deserialize)]
struct Hello<'a> {
    #[serde(borrow)]
    service: Option<Cow<'a, str>>,
    #[serde(borrow)]
    host: Option<Cow<'a, str>>,
    #[serde(borrow)]
    policy: Option<Cow<'a, str>>,
}

#[derive(Debug, Deserialize)]
struct MechanismLine {
    number: u64,
    #[serde(default)]
    parameters: Fields,
}

/// What the Init of a running operation said.
#[derive(Debug, Deserialize)]
struct Operation<'a> {
    /// Lane and sequence of the Init.
    #[serde(borrow)]
    id: Cow<'a, str>,
    mechanism: Option<Word>,
}

/// A `CKU_`: the standard's three are words.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
enum User {
    Named(UserName),
    Number(u64),
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum UserName {
    So,
    User,
    ContextSpecific,
}

#[derive(Debug, Deserialize)]
pub(super) struct Session<'a> {
    pub(super) id: Option<u64>,
    pub(super) handle: Option<u64>,
    slot: Option<u64>,
    read_write: Option<bool>,
    user: Option<User>,
    #[serde(borrow)]
    token: Option<Token<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Token<'a> {
    #[serde(borrow)]
    label: Cow<'a, str>,
    #[serde(borrow)]
    label_hex: Option<Cow<'a, str>>,
    #[serde(borrow)]
    serial: Cow<'a, str>,
    #[serde(borrow)]
    serial_hex: Option<Cow<'a, str>>,
    #[serde(borrow)]
    model: Cow<'a, str>,
    #[serde(borrow)]
    model_hex: Option<Cow<'a, str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Process<'a> {
    #[serde(borrow)]
    exe: Option<Cow<'a, str>>,
    #[serde(borrow)]
    exe_hex: Option<Cow<'a, str>>,
    uid: Option<u32>,
    gid: Option<u32>,
    #[serde(borrow)]
    unit: Option<Cow<'a, str>>,
    #[serde(borrow)]
    container: Option<Cow<'a, str>>,
}

impl<'a> Line<'a> {
    /// Reads the line of an event, a control event included.
    ///
    /// # Errors
    /// What keeps it from being one.
    pub(super) fn read(line: &'a [u8]) -> Result<Line<'a>, serde_json::Error> {
        serde_json::from_slice(line)
    }

    /// What the process said of itself, where this line opens its stream.
    pub(super) fn opened(&self) -> Option<Stream> {
        let text = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
        self.hello.as_ref().map(|hello| Stream {
            service: text(&hello.service),
            host: text(&hello.host),
            policy: hello.policy.as_deref().map(Into::into),
        })
    }

    /// The handle of the session.
    pub(super) fn handle(&self) -> Option<u64> {
        self.session.as_ref().and_then(|session| session.handle)
    }

    /// The handle of the key that the call names first.
    pub(super) fn key_handle(&self) -> Option<u64> {
        self.key.as_ref().and_then(KeyLine::handle)
    }

    /// Whether the call was refused when it was made.
    pub(super) fn was_refused(&self) -> bool {
        self.verdict.as_ref().is_some_and(|verdict| verdict.action == "deny" && verdict.enforced)
    }

    /// The `id` of the event whose call began the operation that this one goes on with.
    pub(super) fn begun_by(&self) -> Option<String> {
        let (stream, operation) = (self.stream.as_deref()?, self.operation.as_ref()?);
        Some(format!("{stream}/{}", operation.id)).filter(|id| self.id.as_deref() != Some(id))
    }

    /// The call, if it is one that policies judge; of what its stream said of itself the service and the host.
    pub(super) fn call(&self, stream: &Stream) -> Option<Known> {
        let function = Function::from_name(self.function.as_deref()?)?;
        let act = acts::act(function)?;
        // NULL in place of a mechanism cancels an operation and is not judged (PKCS#11 3.0, section 5.8.1).
        if act.operation().is_some() && self.mechanism.is_none() {
            return None;
        }
        if act == Act::SignData {
            // Of the data that is signed an event tells the length alone.
            let mechanism = self.operation.as_ref()?.mechanism?.number;
            let input = Input { length: self.bytes_in, digest: None };
            return Some(Known {
                input,
                ..self.surrounded(Known::of(function, act, Some(mechanism)), stream)
            });
        }
        let mut known = Known::of(function, act, self.mechanism.as_ref().map(|mechanism| mechanism.number));
        known.parameters =
            self.mechanism.as_ref().map(|mechanism| mechanism.parameters.0.clone()).unwrap_or_default();
        known.key = self.key.as_ref().map(KeyLine::thing).unwrap_or_default();
        known.target = self.other_keys.first().map(KeyLine::thing).unwrap_or_default();
        let template = |place: usize| self.templates.get(place).map(TemplateLine::thing).unwrap_or_default();
        (known.template, known.private_template) = (template(0), template(1));
        if act == Act::Read {
            let secret =
                self.attributes.iter().any(|attribute| event::attribute::is_secret(attribute.number));
            known.template = Thing { present: !self.attributes.is_empty(), secret, ..Thing::default() };
        }
        known.flags = self.flags;
        Some(self.surrounded(known, stream))
    }

    /// What the call saw, each by itself: the slot with the token of its session, and every object that the event
    /// tells of.
    pub(super) fn sights(&self, stream: &Stream) -> Vec<Known> {
        let Some(function) = self.function.as_deref().and_then(Function::from_name) else {
            return Vec::new();
        };
        let seen = |act| {
            let mut known = self.surrounded(Known::of(function, act, None), stream);
            // Whom a login names is not yet there.
            known.user = self.logged_in();
            known
        };
        let slot = self.slot.or(self.session.as_ref().and_then(|session| session.slot));
        let slot = slot.map(|_| seen(Act::SeeToken));
        let keys = self.key.iter().chain(&self.other_keys);
        slot.into_iter().chain(keys.map(|key| Known { key: key.thing(), ..seen(Act::See) })).collect()
    }

    /// Who is logged in, where that is known; a session that is known and names nobody is known to be nobody's.
    fn logged_in(&self) -> Option<u64> {
        let session = self.session.as_ref().filter(|session| session.read_write.is_some());
        session.map(|session| session.user.map_or(NOBODY, User::number))
    }

    /// With the token, the user, the process and the time.
    fn surrounded(&self, mut known: Known, stream: &Stream) -> Known {
        if let Some(session) = &self.session {
            known.slot = session.slot;
            if let Some(token) = &session.token {
                known.token = Some(bytes(&token.label, token.label_hex.as_deref()));
                known.serial = Some(bytes(&token.serial, token.serial_hex.as_deref()));
                known.model = Some(bytes(&token.model, token.model_hex.as_deref()));
            }
        }
        known.slot = known.slot.or(self.slot);
        known.user = self.user.map(User::number).or_else(|| self.logged_in());
        known.process = self.process.as_ref().map(|process| process.who(stream)).unwrap_or_default();
        known.time = self.time_unix_ns.map(|ns| ns / 1_000_000_000);
        known
    }
}

impl User {
    fn number(self) -> u64 {
        use event::value::user_type::{CKU_CONTEXT_SPECIFIC, CKU_SO, CKU_USER};
        match self {
            User::Named(UserName::So) => CKU_SO,
            User::Named(UserName::User) => CKU_USER,
            User::Named(UserName::ContextSpecific) => CKU_CONTEXT_SPECIFIC,
            User::Number(number) => number,
        }
    }
}

impl Process<'_> {
    fn who(&self, stream: &Stream) -> Who {
        let text = |text: &Cow<'_, str>| text.as_bytes().to_vec();
        let said = |text: &Option<String>| text.as_ref().map(|text| text.as_bytes().to_vec());
        Who {
            exe: self.exe.as_deref().map(|exe| bytes(exe, self.exe_hex.as_deref())),
            uid: self.uid,
            gid: self.gid,
            unit: self.unit.as_ref().map(text),
            container: self.container.as_ref().map(text),
            host: said(&stream.host),
            service: said(&stream.service),
        }
    }
}

/// The bytes of a text that stands beside them in hexadecimal where it is not UTF-8.
fn bytes(text: &str, otherwise: Option<&str>) -> Vec<u8> {
    otherwise.and_then(hex).unwrap_or_else(|| text.as_bytes().to_vec())
}

#[cfg(test)]
mod tests;
