// SPDX-License-Identifier: Apache-2.0
//! What is known of a call when it is judged, handed in whole: judging asks no clock, no file and no memory of its
//! own. `None` and "empty" are "not known", and meet no condition.

use event::Function;
use event::parameter::Parameter;
use event::record::Flags;

use crate::act::Act;

/// What stands for "nobody is logged in" where it is known who is.
pub const NOBODY: u64 = u64::MAX;

/// A call.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'c> {
    /// The function that was called.
    pub function: Function,
    /// What it does.
    pub act: Act,
    /// The `CKM_` number, where it takes a mechanism.
    pub mechanism: Option<u64>,
    /// The fields of the mechanism's parameter, those of nested mechanisms behind the field that names them.
    pub parameters: &'c [Parameter],
    /// The object that works, or that something is done to: for `C_WrapKey` the wrapping key.
    pub key: Object<'c>,
    /// The second object, which is worked on: for `C_WrapKey` the wrapped key.
    pub target: Object<'c>,
    /// What a template asks of the object that is made, changed or searched for; for a key pair of its public half.
    pub template: Object<'c>,
    /// What the second template asks: that of a private half.
    pub private_template: Object<'c>,
    /// The token.
    pub token: Token<'c>,
    /// The `CKU_` that is logged in, or that a login names; [`NOBODY`] where nobody is.
    pub user: Option<u64>,
    /// The process.
    pub process: Process<'c>,
    /// When it came in, UTC seconds since 1970.
    pub time: Option<u64>,
    /// What came of earlier calls.
    pub memory: Memory,
    /// The data that it hands in.
    pub input: Input,
    /// Its `CK_FLAGS` argument.
    pub flags: Option<u64>,
}

/// An object as its token described it, or as a template asks for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Object<'c> {
    /// `CKA_CLASS`.
    pub class: Option<u64>,
    /// `CKA_KEY_TYPE`.
    pub key_type: Option<u64>,
    /// Size in bits: modulus, prime, curve or value length.
    pub bits: Option<u32>,
    /// Place of its named curve in `event::curve::ALL`.
    pub curve: Option<u16>,
    /// It has curve parameters that are no named curve.
    pub explicit_curve: bool,
    /// `CKA_PUBLIC_EXPONENT`, saturated.
    pub exponent: Option<u64>,
    /// `CKA_PARAMETER_SET`.
    pub parameter_set: Option<u64>,
    /// Its boolean attributes, as far as told: in a template those that it names.
    pub flags: Flags,
    /// `CKA_LABEL`.
    pub label: Option<&'c [u8]>,
    /// `CKA_ID`.
    pub id: Option<&'c [u8]>,
    /// `CKA_START_DATE`, eight ASCII digits.
    pub start: Option<[u8; 8]>,
    /// `CKA_END_DATE`, eight ASCII digits.
    pub end: Option<[u8; 8]>,
    /// It names attributes that carry key material: read, they are a leak; written, an import.
    pub secret: bool,
    /// Attributes of it are named at all.
    pub present: bool,
    /// It names an attribute twice with different values, or so many that not all were looked at: which one its token
    /// goes by, nobody knows.
    pub ambiguous: bool,
}

/// A token as it was when it was learnt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Token<'c> {
    /// The slot.
    pub slot: Option<u64>,
    /// `CK_TOKEN_INFO.label`, without the padding.
    pub label: Option<&'c [u8]>,
    /// `CK_TOKEN_INFO.serialNumber`, without the padding.
    pub serial: Option<&'c [u8]>,
    /// `CK_TOKEN_INFO.model`, without the padding.
    pub model: Option<&'c [u8]>,
}

/// The process that calls, as the library in it sees it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Process<'c> {
    /// Name of the host that the kernel gives, in a container that of the container.
    pub host: Option<&'c [u8]>,
    /// Path of the program.
    pub exe: Option<&'c [u8]>,
    /// Effective user id.
    pub uid: Option<u32>,
    /// Effective group id.
    pub gid: Option<u32>,
    /// systemd unit.
    pub unit: Option<&'c [u8]>,
    /// Container id.
    pub container: Option<&'c [u8]>,
    /// `OTEL_SERVICE_NAME`.
    pub service: Option<&'c [u8]>,
}

/// What came of earlier calls of this process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    /// Usage flags ([`Flags`] bits) that the value of the key ever had: on this object, its copies, the other half of
    /// its pair, other objects unwrapped from the same bytes or derived in the same way.
    pub key_uses: u32,
    /// The same of the value that a call copies, unwraps or derives.
    pub value_uses: u32,
    /// The key was unwrapped by an asymmetric key, or imported.
    pub foreign: bool,
    /// How the key came about, where that was seen.
    pub origin: Option<Origin>,
    /// The token generated the key, whatever it says of that (NSS says of every key that it is not local).
    pub generated: bool,
    /// The same key encrypted with the same IV or nonce before.
    pub nonce_repeats: bool,
    /// The rates of the policy that are reached, a bit for each ([`crate::Counted::reached`]).
    pub reached: u64,
}

/// How a key came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// `C_GenerateKey`, `C_GenerateKeyPair`.
    Generated,
    /// `C_CreateObject`.
    Imported,
    /// `C_UnwrapKey`, `C_UnwrapKeyAuthenticated`.
    Unwrapped,
    /// `C_DeriveKey`.
    Derived,
    /// `C_CopyObject`.
    Copied,
    /// `C_EncapsulateKey`, `C_DecapsulateKey`.
    Encapsulated,
}

impl Origin {
    /// Every one, by its word in policies.
    pub const WORDS: [(&'static str, Origin); 6] = [
        ("generated", Origin::Generated),
        ("imported", Origin::Imported),
        ("unwrapped", Origin::Unwrapped),
        ("derived", Origin::Derived),
        ("copied", Origin::Copied),
        ("encapsulated", Origin::Encapsulated),
    ];
}

/// What is known of the data that a call hands in. Its bytes are looked at for this alone and kept nowhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Input {
    /// How many bytes; of a number to be signed, without the zeros before it.
    pub length: Option<u64>,
    /// The digest mechanism that a DigestInfo (RFC 8017, section 9.2) names at its start.
    pub digest: Option<u64>,
}

impl Object<'_> {
    const UNKNOWN: Object<'static> = Object {
        class: None,
        key_type: None,
        bits: None,
        curve: None,
        explicit_curve: false,
        exponent: None,
        parameter_set: None,
        flags: Flags { known: 0, set: 0 },
        label: None,
        id: None,
        start: None,
        end: None,
        secret: false,
        present: false,
        ambiguous: false,
    };

    /// Whether `later`, which says all that this says and maybe more, says something else instead.
    #[must_use]
    pub fn contradicts(&self, later: &Object<'_>) -> bool {
        let Object { class, key_type, bits, curve, exponent, parameter_set, flags, start, end, .. } = self;
        let numbers = [(class, &later.class), (key_type, &later.key_type), (exponent, &later.exponent)];
        let changed = |(told, now): (&Option<u64>, &Option<u64>)| told.is_some() && told != now;
        numbers.into_iter().any(changed)
            || changed((parameter_set, &later.parameter_set))
            || (bits.is_some() && *bits != later.bits)
            || (curve.is_some() && *curve != later.curve)
            || (start.is_some() && *start != later.start)
            || (end.is_some() && *end != later.end)
            || (self.label.is_some() && self.label != later.label)
            || (self.id.is_some() && self.id != later.id)
            || flags.known & (flags.set ^ later.flags.set) != 0
    }
}

impl<'c> Facts<'c> {
    /// A call of which only this is known.
    #[inline]
    pub const fn of(function: Function, act: Act, mechanism: Option<u64>) -> Facts<'c> {
        Facts {
            function,
            act,
            mechanism,
            parameters: &[],
            key: Object::UNKNOWN,
            target: Object::UNKNOWN,
            template: Object::UNKNOWN,
            private_template: Object::UNKNOWN,
            token: Token { slot: None, label: None, serial: None, model: None },
            user: None,
            process: Process {
                host: None,
                exe: None,
                uid: None,
                gid: None,
                unit: None,
                container: None,
                service: None,
            },
            time: None,
            memory: Memory {
                key_uses: 0,
                value_uses: 0,
                foreign: false,
                origin: None,
                generated: false,
                nonce_repeats: false,
                reached: 0,
            },
            input: Input { length: None, digest: None },
            flags: None,
        }
    }

    /// The key that the call works with; where one is made out of nothing, the key that its templates ask for.
    pub fn subject(&self) -> &Object<'c> {
        match self.act {
            Act::Generate | Act::GenerateKeyPair | Act::Import => &self.template,
            _ => &self.key,
        }
    }
}
