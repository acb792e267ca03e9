// SPDX-License-Identifier: Apache-2.0
//! Who called: the session with its token, and the process as the kernel describes it.

use event::record::Call;
use event::value::user_type::{CKU_CONTEXT_SPECIFIC, CKU_SO, CKU_USER};

use super::json::{Json, object};
use super::object::Version;
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
        call.header.session.map(|handle| Session { handle, known: call.session.as_ref() })
    }
}

impl Json for Session<'_> {
    fn json(&self, out: &mut Vec<u8>) {
        object(out, |o| {
            o.known("id", self.known.map(|session| session.id));
            o.put("handle", self.handle);
            let Some(session) = self.known else { return };
            o.known("slot", session.token.as_ref().map(|token| token.slot));
            o.put("read_write", session.read_write);
            o.known("user", session.user.map(User));
            o.known("token", session.token.as_ref().map(Token));
        });
    }
}

struct Token<'a>(&'a event::record::Token);

impl Json for Token<'_> {
    fn json(&self, out: &mut Vec<u8>) {
        let version = |(major, minor)| Version(major, minor);
        object(out, |o| {
            o.text("label", &self.0.label);
            o.text("serial", &self.0.serial);
            o.text("model", &self.0.model);
            o.text("manufacturer", &self.0.manufacturer);
            o.put("firmware", version(self.0.firmware));
            o.put("hardware", version(self.0.hardware));
        });
    }
}

/// A `CKU_` number: a word where it has one.
pub(super) struct User(pub(super) u64);

impl Json for User {
    fn json(&self, out: &mut Vec<u8>) {
        match self.0 {
            CKU_SO => "so".json(out),
            CKU_USER => "user".json(out),
            CKU_CONTEXT_SPECIFIC => "context_specific".json(out),
            number => number.json(out),
        }
    }
}

/// A process.
pub(super) struct Process<'a>(pub(super) &'a stream::Process);

impl Json for Process<'_> {
    fn json(&self, out: &mut Vec<u8>) {
        let process = self.0;
        object(out, |o| {
            o.put("pid", process.pid);
            o.known("start", process.start_ns.map(Utc));
            o.bytes("exe", process.exe.as_deref());
            o.bytes("comm", process.comm.as_deref());
            o.put("uid", process.uid);
            o.put("gid", process.gid);
            o.bytes("cgroup", process.cgroup.as_deref());
            o.known("unit", process.unit.as_deref());
            o.known("container", process.container.as_deref());
            o.mark("claimed", process.claimed);
        });
    }
}
