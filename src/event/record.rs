// SPDX-License-Identifier: Apache-2.0
//! What is recorded of one call. There is no field for a PIN, a key value, plaintext, ciphertext or an output:
//! only for their lengths.

use crate::Function;
use crate::parameter::Parameter;

/// The fixed part of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The function that was called.
    pub function: Function,
    /// Kernel thread id of the caller.
    pub thread: u32,
    /// Position of the call in its lane, from 1; given before the call is judged.
    pub sequence: u64,
    /// Clock of the ring when the call came in, ticks.
    pub start: u64,
    /// Clock of the ring when the call went back, ticks.
    pub end: u64,
    /// The `CKR_` value the caller got.
    pub rv: u64,
    /// Ties Init, Update and Final together: the Init's lane and sequence ([`operation_id`]); 0 where there is none.
    pub operation: u64,
    /// Bytes handed in, where the function takes data.
    pub bytes_in: Option<u64>,
    /// Bytes given back, where the function gives data and gave some; on a size query the size.
    pub bytes_out: Option<u64>,
    /// The session handle, where the function takes one or gave one.
    pub session: Option<u64>,
    /// The place where the ring defines the [`Policy`] in force, or the first eight bytes of its hash.
    pub policy: u64,
    /// It is the place.
    pub policy_defined: bool,
    /// What the policy said.
    pub verdict: Verdict,
    /// Whether the verdict was carried out: false for a rule in shadow and in observe mode.
    pub enforced: bool,
    /// The caller asked for the length of the output only, or its buffer was too small.
    pub size_query: bool,
    /// Something did not fit and was shortened or left out.
    pub truncated: bool,
    /// A fault of our own kept facts or the verdict from being complete.
    pub degraded: bool,
    /// The call was answered here; the vendor did not see it.
    pub answered_here: bool,
    /// This is no call, but a [`Notice`]: function, result and end mean nothing.
    pub is_notice: bool,
}

/// The id that ties the calls of an operation together: its Init's lane and sequence.
pub fn operation_id(lane: u16, sequence: u64) -> u64 {
    u64::from(lane) << 48 | sequence & 0xffff_ffff_ffff
}

/// What the policy said of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Verdict {
    /// The function is none that the policy judges.
    NotJudged = 0,
    /// Allowed.
    Allow = 1,
    /// Allowed, but worth a look.
    Warn = 2,
    /// Denied.
    Deny = 3,
}

impl Verdict {
    /// The verdict with this wire number.
    pub fn from_number(number: u8) -> Option<Verdict> {
        [Verdict::NotJudged, Verdict::Allow, Verdict::Warn, Verdict::Deny].get(usize::from(number)).copied()
    }
}

/// Text of the vendor or the caller: bytes of any kind, cut to what fits, with the length it had.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    /// The bytes kept.
    pub bytes: Vec<u8>,
    /// The length the text had, bytes.
    pub length: u32,
}

impl Text {
    /// All of `text`.
    pub fn of(text: &str) -> Text {
        Text { bytes: text.into(), length: u32::try_from(text.len()).unwrap_or(u32::MAX) }
    }
}

/// A session; its handle is in the fixed part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    /// Our own id of the session: handles come back, this does not.
    pub id: u64,
    /// Opened with `CKF_RW_SESSION`.
    pub read_write: bool,
    /// The `CKU_` logged in to the token, as far as seen here.
    pub user: Option<u64>,
    /// Its token, where the record tells.
    pub token: Option<Token>,
}

/// A token as it was when it was learnt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Token {
    /// The slot.
    pub slot: u64,
    /// `CK_TOKEN_INFO.label`, without the padding.
    pub label: Text,
    /// `CK_TOKEN_INFO.serialNumber`, without the padding.
    pub serial: Text,
    /// `CK_TOKEN_INFO.model`, without the padding.
    pub model: Text,
    /// `CK_TOKEN_INFO.manufacturerID`, without the padding.
    pub manufacturer: Text,
    /// `CK_TOKEN_INFO.firmwareVersion`.
    pub firmware: (u8, u8),
    /// `CK_TOKEN_INFO.hardwareVersion`.
    pub hardware: (u8, u8),
}

/// An object as its token described it when it was learnt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Key {
    /// The handle.
    pub handle: u64,
    /// `CKA_CLASS`.
    pub class: Option<u64>,
    /// `CKA_KEY_TYPE`.
    pub key_type: Option<u64>,
    /// Size in bits: modulus, prime, curve, parameter set or value length.
    pub bits: Option<u32>,
    /// Place of its named curve in `curve::ALL`.
    pub curve: Option<u16>,
    /// `CKA_PARAMETER_SET`, never 0.
    pub parameter_set: Option<u64>,
    /// `CKA_PUBLIC_EXPONENT`, saturated; never 0.
    pub exponent: Option<u64>,
    /// `CKA_LOCAL`, `CKA_SENSITIVE`, … as far as the token told.
    pub flags: Flags,
    /// `CKA_START_DATE`, eight ASCII digits.
    pub start: Option<[u8; 8]>,
    /// `CKA_END_DATE`, eight ASCII digits.
    pub end: Option<[u8; 8]>,
    /// `CKA_LABEL`.
    pub label: Text,
    /// `CKA_ID`.
    pub id: Text,
    /// `CKA_UNIQUE_ID`.
    pub unique_id: Text,
    /// `CKA_ALLOWED_MECHANISMS`, at most sixteen of them.
    pub allowed_mechanisms: Vec<u64>,
}

macro_rules! flags {
    ($($bit:literal $constant:ident $attribute:literal $name:literal;)*) => {
        impl Flags {
            $(#[doc = concat!("`", $name, "`.")] pub const $constant: u32 = 1 << $bit;)*

            /// Every flag: bit, `CKA_` number, name in events.
            pub const ALL: &[(u32, u64, &str)] = &[$((1 << $bit, $attribute, $name)),*];
        }
    };
}

/// Boolean attributes, each true, false or not told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags {
    /// Which the token told.
    pub known: u32,
    /// Which of those are true.
    pub set: u32,
}

// Append only: the bits are on the wire.
flags! {
    0 TOKEN 0x1 "token";
    1 PRIVATE 0x2 "private";
    2 TRUSTED 0x86 "trusted";
    3 SENSITIVE 0x103 "sensitive";
    4 ENCRYPT 0x104 "encrypt";
    5 DECRYPT 0x105 "decrypt";
    6 WRAP 0x106 "wrap";
    7 UNWRAP 0x107 "unwrap";
    8 SIGN 0x108 "sign";
    9 SIGN_RECOVER 0x109 "sign_recover";
    10 VERIFY 0x10a "verify";
    11 VERIFY_RECOVER 0x10b "verify_recover";
    12 DERIVE 0x10c "derive";
    13 EXTRACTABLE 0x162 "extractable";
    14 LOCAL 0x163 "local";
    15 NEVER_EXTRACTABLE 0x164 "never_extractable";
    16 ALWAYS_SENSITIVE 0x165 "always_sensitive";
    17 MODIFIABLE 0x170 "modifiable";
    18 COPYABLE 0x171 "copyable";
    19 DESTROYABLE 0x172 "destroyable";
    20 ALWAYS_AUTHENTICATE 0x202 "always_authenticate";
    21 WRAP_WITH_TRUSTED 0x210 "wrap_with_trusted";
    22 ENCAPSULATE 0x633 "encapsulate";
    23 DECAPSULATE 0x634 "decapsulate";
}

impl Flags {
    /// The usage flags: what a key may be used for.
    pub const USAGE: u32 = Flags::ENCRYPT
        | Flags::DECRYPT
        | Flags::WRAP
        | Flags::UNWRAP
        | Flags::SIGN
        | Flags::SIGN_RECOVER
        | Flags::VERIFY
        | Flags::VERIFY_RECOVER
        | Flags::DERIVE
        | Flags::ENCAPSULATE
        | Flags::DECAPSULATE;

    /// Notes that the token told the flags `bits` to be `value`.
    pub fn tell(&mut self, bits: u32, value: bool) {
        self.known |= bits;
        self.set = if value { self.set | bits } else { self.set & !bits };
    }

    /// True, false, or not told.
    pub fn value(self, bit: u32) -> Option<bool> {
        (self.known & bit != 0).then_some(self.set & bit != 0)
    }
}

/// A policy in force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The SHA-256 of its text.
    pub hash: [u8; 32],
    /// Which of its revisions it is, 0 where it does not say.
    pub revision: u64,
    /// Its name.
    pub name: Text,
}

/// What the library says of itself, among the records of calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What happened.
    pub what: What,
    /// Why, for people to read.
    pub text: Vec<u8>,
}

/// What a [`Notice`] is about; the numbers are on the wire, append only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum What {
    /// A new policy is in force.
    PolicyReplaced = 1,
    /// A new policy was found and not taken in: the last good one stays in force.
    PolicyRefused = 2,
}

impl What {
    /// Its name in events.
    pub fn name(self) -> &'static str {
        match self {
            What::PolicyReplaced => "policy.replaced",
            What::PolicyRefused => "policy.refused",
        }
    }

    pub(crate) fn from_number(number: u64) -> Option<What> {
        [What::PolicyReplaced, What::PolicyRefused].into_iter().find(|what| *what as u64 == number)
    }
}

/// A rule as it applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// Its name.
    pub name: Text,
    /// The conditions that were met, in words.
    pub conditions: Text,
    /// The clause of the standard that it stands for.
    pub clause: Text,
    /// Why it stands in the policy.
    pub reason: Text,
    /// What to do instead.
    pub remedy: Text,
}

/// Whose calls a quarantine refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Extent {
    /// Those of the session that made the call; of the process, where the call was in none.
    Session = 1,
    /// Those of the process.
    Process = 2,
}

impl Extent {
    /// Every extent.
    pub const ALL: [Extent; 2] = [Extent::Session, Extent::Process];

    /// Its word in policies and events.
    pub const fn name(self) -> &'static str {
        match self {
            Extent::Session => "session",
            Extent::Process => "process",
        }
    }
}

/// A quarantine that a call was refused in, or brought about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quarantine {
    /// Who is held.
    pub of: Extent,
    /// Until when, UTC nanoseconds since 1970; none where nobody is held, in shadow and in observe mode.
    pub until: Option<u64>,
}

/// One attribute of a template: its value only where it is public and short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateAttribute {
    /// The `CKA_` number.
    pub attribute: u64,
    /// `ulValueLen` as the caller gave it.
    pub length: u64,
    /// The value, for attributes that cannot carry key material.
    pub value: Option<Vec<u8>>,
}

/// A template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Template {
    /// How many attributes the caller gave.
    pub count: u64,
    /// Those that were kept.
    pub attributes: Vec<TemplateAttribute>,
}

/// What the policy adds to a template where the caller's says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hardened {
    /// Which template, from 0.
    pub template: u64,
    /// Whether it was added: false for a rule in shadow and in observe mode, which say what they would add.
    pub applied: bool,
    /// The attributes, each with its value.
    pub attributes: Vec<TemplateAttribute>,
}

/// A mechanism with the decoded fields of its parameter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MechanismUse {
    /// The `CKM_` number.
    pub number: u64,
    /// The fields of its parameter, nested mechanisms one level deeper.
    pub parameters: Vec<Parameter>,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The fixed part.
    pub header: Header,
    /// The session, where one is involved and known.
    pub session: Option<Session>,
    /// The slot, where the function takes one.
    pub slot: Option<u64>,
    /// The mechanism, where the function takes one.
    pub mechanism: Option<MechanismUse>,
    /// Fields of the parameter of one message of the message functions.
    pub message: Vec<Parameter>,
    /// The objects involved, in argument order: the key that works first, the key worked on second.
    pub keys: Vec<Key>,
    /// Handles of the objects that the call made.
    pub created: Vec<u64>,
    /// The templates, in argument order.
    pub templates: Vec<Template>,
    /// The attributes asked for by `C_GetAttributeValue`.
    pub attributes: Vec<u64>,
    /// The rule that decided.
    pub rule: Option<Rule>,
    /// The mechanism that it decided on, where that is one inside another's parameter.
    pub nested: Option<u64>,
    /// The quarantine that it orders, or that the call was refused in.
    pub quarantine: Option<Quarantine>,
    /// Mechanisms of the token that would be allowed in place of the refused one.
    pub instead: Vec<u64>,
    /// What the policy adds to templates, once for each that it adds to.
    pub hardened: Vec<Hardened>,
    /// The `CK_FLAGS` argument.
    pub flags: Option<u64>,
    /// The `CKU_` argument.
    pub user: Option<u64>,
    /// The user name of `C_LoginUser`.
    pub username: Option<Text>,
    /// How many slots, mechanisms or objects were given.
    pub count: Option<u64>,
    /// W3C trace context of the calling thread.
    pub trace: Option<Trace>,
    /// Why the shim itself failed the call, in its own words.
    pub fault: Option<Text>,
    /// The policy in force, where the ring defines it.
    pub policy: Option<Policy>,
    /// What this says, if it is no call.
    pub notice: Option<Notice>,
}

/// W3C trace context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    /// trace-id.
    pub trace_id: [u8; 16],
    /// parent-id: the span that the call belongs to.
    pub span_id: [u8; 8],
    /// trace-flags.
    pub flags: u8,
}

impl Trace {
    /// Reads a `traceparent` of W3C Trace Context version 00; later versions are read by their first four fields.
    pub fn parse(traceparent: &str) -> Option<Trace> {
        let mut fields = traceparent.trim().split('-');
        let (version, trace, span, flags) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let version = hex::<1>(version)?[0];
        if version == 0xff || (version == 0 && fields.next().is_some()) {
            return None;
        }
        let (trace_id, span_id) = (hex::<16>(trace)?, hex::<8>(span)?);
        if trace_id == [0; 16] || span_id == [0; 8] {
            return None;
        }
        Some(Trace { trace_id, span_id, flags: hex::<1>(flags)?[0] })
    }
}

/// Exactly `N` bytes from lower-case hexadecimal digits, as Trace Context demands.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let text = text.as_bytes();
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_read_or_refused_as_the_standard_says() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let trace = Trace::parse(good).unwrap();
        assert_eq!((trace.trace_id[0], trace.span_id[7], trace.flags), (0x0a, 0x31, 1));
        for bad in [
            "",
            "00",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        ] {
            assert_eq!(Trace::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_flag_is_true_false_or_not_told() {
        let mut flags = Flags::default();
        assert_eq!(flags.value(Flags::LOCAL), None);
        flags.tell(Flags::LOCAL, true);
        assert_eq!(flags.value(Flags::LOCAL), Some(true));
        flags.tell(Flags::LOCAL, false);
        assert_eq!(flags.value(Flags::LOCAL), Some(false));
    }
}
