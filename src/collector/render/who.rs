// SPDX-License-Identifier: Apache-2.0
//! Who called: the session with its token, and the process as the kernel describes it.

use event::record::Call;
use event::value::user_type::{CKU_CONTEXT_SPECIFIC, CKU_SO, CKU_USER};
use serde::{Serialize, Serializer};

use super::object::{Shown, object};
use super::time::Utc;
use crate::stream;

/// The session of a call: all that was learnt of it, or its handle alone.
pub(super) struct Session<'a> {
    handle: u64,
    known: Option<&'a event::record::Session>,
}

impl<'a> Session<'a> {
    /// The session of `call`, if it has one.
    pub(super) fn of(call: &'a Call) -> Option<Session<'a>> {
        let known = call.session.as_ref();
        let handle = known.map(|session| session.handle).or(call.header.session)?;
        Some(Session { handle, known })
    }
}

impl Serialize for Session<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object(serializer, |o| {
            o.known("id", self.known.map(|session| session.id))?;
            o.put("handle", self.handle)?;
            let Some(session) = self.known else { return Ok(()) };
            o.put("slot", session.slot)?;
            o.put("read_write", session.read_write)?;
            o.known("user", session.user.map(User))?;
            o.put("token", Token(session))
        })
    }
}

struct Token<'a>(&'a event::record::Session);

impl Serialize for Token<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let version = |(major, minor): (u8, u8)| Shown(format!("{major}.{minor}"));
        object(serializer, |o| {
            o.text("label", &self.0.label)?;
            o.text("serial", &self.0.serial)?;
            o.text("model", &self.0.model)?;
            o.text("manufacturer", &self.0.manufacturer)?;
            o.put("firmware", version(self.0.firmware))?;
            o.put("hardware", version(self.0.hardware))
        })
    }
}

/// A `CKU_` number: a word where it has one.
pub(super) struct User(pub(super) u64);

impl Serialize for User {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            CKU_SO => serializer.serialize_str("so"),
            CKU_USER => serializer.serialize_str("user"),
            CKU_CONTEXT_SPECIFIC => serializer.serialize_str("context_specific"),
            number => serializer.serialize_u64(number),
        }
    }
}

/// A process.
pub(super) struct Process<'a>(pub(super) &'a stream::Process);

impl Serialize for Process<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let process = self.0;
        object(serializer, |o| {
            o.put("pid", process.pid)?;
            o.known("start", process.start_ns.map(Utc))?;
            o.bytes("exe", process.exe.as_deref())?;
            o.bytes("comm", process.comm.as_deref())?;
            o.put("uid", process.uid)?;
            o.put("gid", process.gid)?;
            o.bytes("cgroup", process.cgroup.as_deref())?;
            o.known("unit", process.unit.as_deref())?;
            o.known("container", process.container.as_deref())?;
            o.mark("claimed", process.claimed)
        })
    }
}
