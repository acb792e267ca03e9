// SPDX-License-Identifier: Apache-2.0
//! The one list of what a rule can ask. A line here is a key of `[[rule]]`: reading it, judging by it, finding rules
//! that it makes unreachable and looking up what it asks `of` all follow from the line and its kind (`kinds/`).
//!
//! To add a condition: a line below, a paragraph in `config/policy.toml`. Cheap ones stand first: they are asked first.

use event::mechanism;
use event::parameter::{Field, Kind as Reading, Parameter};
use event::record::Flags;

use crate::act::Act;
use crate::day;
use crate::diagnostic::Report;
use crate::facts::{Facts, Object, Origin};
use crate::kinds::*;
use crate::reader::Value;
use crate::strength;
use crate::subject::Subject;

/// A call as rules see it: the call itself, or a mechanism inside the parameter of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'c> {
    pub(crate) facts: &'c Facts<'c>,
    pub(crate) act: Act,
    pub(crate) mechanism: Option<u64>,
    pub(crate) parameters: &'c [Parameter],
}

impl<'c> Asked<'c> {
    /// The call itself.
    pub(crate) fn outer(facts: &'c Facts<'c>) -> Asked<'c> {
        Asked { facts, act: facts.act, mechanism: facts.mechanism, parameters: facts.parameters }
    }

    fn subject(self) -> &'c Object<'c> {
        self.facts.subject()
    }

    /// A boolean attribute of the key; of a key pair that is made the private half's, where it is said there.
    fn flag(self, bit: u32) -> Option<bool> {
        let private =
            self.facts.private_template.flags.value(bit).filter(|_| self.facts.act == Act::GenerateKeyPair);
        private.or_else(|| self.subject().flags.value(bit))
    }

    /// How the key came about: as it was seen; else a token that says CKA_LOCAL has generated it.
    fn origin(self) -> Option<u64> {
        let local = || (self.facts.key.flags.value(Flags::LOCAL) == Some(true)).then_some(Origin::Generated);
        self.facts.memory.origin.or_else(local).map(|origin| origin as u64)
    }

    fn values(self, fields: &'static [Field]) -> Values<'c> {
        Values { parameters: self.parameters, fields, more: [None; 2] }
    }

    /// The hash functions that parameters choose, that is built into the mechanism, that the data names.
    fn hashes(self) -> Values<'c> {
        let more = [built_in_hash(self.mechanism), self.facts.input.digest];
        Values { more, ..self.values(&[Field::Hash, Field::DigestMechanism]) }
    }

    /// Whether the token makes the IV. Where the parameter has no word on it, an IV in it is the caller's.
    fn iv_generator(self) -> Option<u64> {
        let first =
            |wanted: &[Field]| self.parameters.iter().find(|parameter| wanted.contains(&parameter.field));
        match first(&[Field::IvGenerator]) {
            Some(generator) => Some(u64::from(generator.value != 0)),
            None => first(IV).map(|_| 0),
        }
    }

    /// The day of the call, less a day of the key.
    fn days_since(self, day: Option<[u8; 8]>) -> Option<u64> {
        self.today()?.checked_sub(day::of_digits(day?)?)
    }

    fn today(self) -> Option<u64> {
        self.facts.time.map(day::of_time)
    }
}

const IV: &[Field] = &[Field::IvLen, Field::NonceLen];

/// A named curve; explicit parameters are never one, whatever they describe.
fn named_curve(key: &Object<'_>) -> Option<u64> {
    key.curve.filter(|_| !key.explicit_curve).map(u64::from)
}

macro_rules! conditions {
    ($($(#[$doc:meta])* $key:ident: $kind:ident($how:expr) of $($subject:ident)+, |$call:ident| $fact:expr;)*) => {
        /// One thing that a rule asks.
        #[derive(Debug)]
        #[allow(non_camel_case_types)]
        pub(crate) enum Condition { $($(#[$doc])* $key($kind)),* }

        #[allow(non_camel_case_types)]
        enum Place { $($key),* }

        impl Condition {
            /// The keys, in the order in which they are asked.
            pub(crate) const KEYS: &[&'static str] = &[$(stringify!($key)),*];

            /// Reads the condition `key` and adds it to the others; false where there is no such key. What is wrong with it
            /// goes to the report.
            pub(crate) fn read(
                key: &str,
                value: &Value<'_>,
                every: bool,
                report: &mut Report<'_>,
                others: &mut Vec<Condition>,
            ) -> bool {
                match key {
                    $(stringify!($key) => if let Some(read) = $kind::read(value, $how, every, report) {
                        add(others, Condition::$key(read));
                    },)*
                    _ => return false,
                }
                true
            }

            /// Whether a call meets it.
            #[inline]
            pub(crate) fn met_by(&self, asked: &Asked<'_>) -> bool {
                match self {
                    $(Condition::$key(condition) => {
                        let $call = *asked;
                        condition.met_by($fact)
                    })*
                }
            }

            /// Whether every call that meets `narrow` certainly meets it too; both are of the same key.
            pub(crate) fn covers(&self, narrow: &Condition) -> bool {
                match (self, narrow) {
                    $((Condition::$key(wide), Condition::$key(narrow)) => wide.covers(narrow),)*
                    _ => false,
                }
            }

            /// Whether it asks for facts of this kind.
            pub(crate) fn asks(&self, subject: Subject) -> bool {
                const OF: &[&[Subject]] = &[$(&[$(Subject::$subject),*]),*];
                OF[self.place()].contains(&subject)
            }

            /// Whether there are mechanisms that decide it by themselves.
            pub(crate) fn settles(&self) -> bool {
                matches!(self, Condition::hash(_) | Condition::min_strength(_) | Condition::max_strength(_))
            }

            /// What a mechanism decides of it by itself: that every call with it meets it, or that none does.
            pub(crate) fn settled(&self, mechanism: u64) -> Option<bool> {
                // A call is never stronger than its mechanism.
                let strength = || mechanism::by_number(mechanism)?.strength.map(u64::from);
                match self {
                    Condition::hash(hash) => hash.settled((Reading::Mechanism, built_in_hash(Some(mechanism))?)),
                    Condition::min_strength(least) => (least.limit()? > strength()?).then_some(false),
                    Condition::max_strength(most) => (most.limit()? >= strength()?).then_some(true),
                    _ => None,
                }
            }

            /// The number that it sets as a limit, if it does.
            pub(crate) fn limit(&self) -> Option<u64> {
                match self { $(Condition::$key(condition) => condition.limit()),* }
            }

            /// Its place among the keys.
            pub(crate) fn place(&self) -> usize {
                match self { $(Condition::$key(_) => Place::$key as usize),* }
            }
        }
    };
}

conditions! {
    /// The function that is called.
    function: OneOf(Words::FUNCTION) of Call, |call| Some(call.facts.function as u64);
    /// How often something happened before.
    rate: Rate(()) of Past, |call| call.facts.memory.reached;
    /// The size of the key in bits.
    min_bits: AtLeast(Unit::BITS) of Key, |call| call.subject().bits.map(u64::from);
    max_bits: AtMost(Unit::BITS) of Key, |call| call.subject().bits.map(u64::from);
    /// The named curve of the key.
    curve: OneOf(Words::CURVE) of Key, |call| named_curve(call.subject());
    /// Whether the curve is spelled out instead of named.
    explicit_curve: Is(()) of Key, |call| {
        let key = call.subject();
        if key.explicit_curve { Some(true) } else { key.curve.map(|_| false) }
    };
    /// The parameter set of an ML-KEM, ML-DSA or SLH-DSA key.
    parameter_set: OneOf(Words::PARAMETER_SET) of Key, |call| strength::parameter_set(call.subject(), call.mechanism);
    /// The public exponent of an RSA key.
    min_exponent: AtLeast(Unit::PLAIN) of Key, |call| call.subject().exponent;
    max_exponent: AtMost(Unit::PLAIN) of Key, |call| call.subject().exponent;
    /// `CKA_CLASS` of the key.
    class: OneOf(Words::CLASS) of Key, |call| call.subject().class;
    /// `CKA_KEY_TYPE` of the key.
    key_type: OneOf(Words::KEY_TYPE) of Key, |call| call.subject().key_type;
    /// Boolean attributes of the key.
    local: Is(()) of Key, |call| call.flag(Flags::LOCAL);
    extractable: Is(()) of Key, |call| call.flag(Flags::EXTRACTABLE);
    sensitive: Is(()) of Key, |call| call.flag(Flags::SENSITIVE);
    trusted: Is(()) of Key, |call| call.flag(Flags::TRUSTED);
    token_object: Is(()) of Key, |call| call.flag(Flags::TOKEN);
    private: Is(()) of Key, |call| call.flag(Flags::PRIVATE);
    /// Whether the value of the key came from outside: imported, or unwrapped by an asymmetric key.
    foreign: Is(()) of Key, |call| Some(call.facts.memory.foreign);
    /// How the key came about.
    origin: OneOf(Words::ORIGIN) of Key, |call| call.origin();
    /// Boolean attributes that templates ask for.
    asks: Asks(()) of Call, |call| [call.facts.template.flags, call.facts.private_template.flags];
    /// The length of the key that a template asks for.
    min_value_len: AtLeast(Unit::BYTES) of Call, |call| call.facts.template.bits.map(|bits| u64::from(bits / 8));
    max_value_len: AtMost(Unit::BYTES) of Call, |call| call.facts.template.bits.map(|bits| u64::from(bits / 8));
    /// The slot, and who is logged in or logs in.
    slot: OneOf(Words::SLOT) of Token, |call| call.facts.token.slot;
    user: OneOf(Words::USER) of Token, |call| call.facts.user;
    /// The account that the process runs under.
    uid: OneOf(Words::UID) of Process, |call| call.facts.process.uid.map(u64::from);
    gid: OneOf(Words::GID) of Process, |call| call.facts.process.gid.map(u64::from);
    /// When the call comes in.
    from: From(()) of Time, |call| call.today();
    until: Until(()) of Time, |call| call.today();
    hours: Hours(()) of Time, |call| call.facts.time.map(day::minute);
    days: OneOf(Words::DAY) of Time, |call| call.facts.time.map(day::weekday);
    /// Whether the last day of the key is over.
    expired: Is(()) of Key Time, |call| call.subject().end.and_then(day::of_digits).zip(call.today()).map(|(end, today)| end < today);
    /// Days since the first day of the key.
    min_key_age_days: AtLeast(Unit::DAYS) of Key Time, |call| call.days_since(call.subject().start);
    max_key_age_days: AtMost(Unit::DAYS) of Key Time, |call| call.days_since(call.subject().start);
    /// The strength that the call works with.
    min_strength: AtLeast(Unit::BITS) of Key, |call| strength::of_call(call.subject(), call.mechanism);
    max_strength: AtMost(Unit::BITS) of Key, |call| strength::of_call(call.subject(), call.mechanism);
    /// Fields of the mechanism's parameter.
    hash: EachOf((Words::HASH, Reading::Mechanism, true)) of Parameter, |call| call.hashes();
    mgf: EachOf((Words::MGF, Reading::Generator, false)) of Parameter, |call| call.values(&[Field::Mgf]);
    kdf: EachOf((Words::KDF, Reading::Kdf, false)) of Parameter, |call| call.values(&[Field::Kdf]);
    prf: EachOf((Words::PRF, Reading::Prf, true)) of Parameter, |call| call.values(&[Field::Prf, Field::PrfMechanism]);
    source: EachOf((Words::SOURCE, Reading::Source, false)) of Parameter, |call| call.values(&[Field::Source]);
    iv_generator: OneOf(Words::IV_GENERATOR) of Parameter, |call| call.iv_generator();
    min_salt_len: EachAtLeast(Unit::BYTES) of Parameter, |call| call.values(&[Field::SaltLen]);
    max_salt_len: EachAtMost(Unit::BYTES) of Parameter, |call| call.values(&[Field::SaltLen]);
    min_tag_bits: EachAtLeast(Unit::BITS) of Parameter, |call| call.values(&[Field::TagBits]);
    max_tag_bits: EachAtMost(Unit::BITS) of Parameter, |call| call.values(&[Field::TagBits]);
    min_iv_len: EachAtLeast(Unit::BYTES) of Parameter, |call| call.values(IV);
    max_iv_len: EachAtMost(Unit::BYTES) of Parameter, |call| call.values(IV);
    min_mac_len: EachAtLeast(Unit::BYTES) of Parameter, |call| call.values(&[Field::MacLen]);
    max_mac_len: EachAtMost(Unit::BYTES) of Parameter, |call| call.values(&[Field::MacLen]);
    min_iterations: EachAtLeast(Unit::ROUNDS) of Parameter, |call| call.values(&[Field::Iterations]);
    max_iterations: EachAtMost(Unit::ROUNDS) of Parameter, |call| call.values(&[Field::Iterations]);
    min_context_len: EachAtLeast(Unit::BYTES) of Parameter, |call| call.values(&[Field::ContextLen]);
    max_context_len: EachAtMost(Unit::BYTES) of Parameter, |call| call.values(&[Field::ContextLen]);
    /// What the key is called.
    label: Texts(Like::Text) of Key, |call| call.subject().label;
    id: Texts(Like::Bytes) of Key, |call| call.subject().id;
    /// Which token.
    token: Texts(Like::Text) of Token, |call| call.facts.token.label;
    serial: Texts(Like::Text) of Token, |call| call.facts.token.serial;
    /// Which process.
    host: Texts(Like::Text) of Process, |call| call.facts.process.host;
    exe: Texts(Like::Text) of Process, |call| call.facts.process.exe;
    service: Texts(Like::Text) of Process, |call| call.facts.process.service;
    unit: Texts(Like::Text) of Process, |call| call.facts.process.unit;
    container: Texts(Like::Text) of Process, |call| call.facts.process.container;
}

impl Condition {
    /// The rate that it asks for, if that is what it does.
    pub(crate) fn rate_of(&self) -> Option<&Rate> {
        match self {
            Condition::rate(rate) => Some(rate),
            _ => None,
        }
    }

    /// The same, to give it its place.
    pub(crate) fn rate_mut(&mut self) -> Option<&mut Rate> {
        match self {
            Condition::rate(rate) => Some(rate),
            _ => None,
        }
    }
}

/// Written once, not for each condition.
#[inline(never)]
fn add(others: &mut Vec<Condition>, condition: Condition) {
    others.push(condition);
}

/// Whether calls that meet all of `narrow` certainly meet all of `wide`. Both are in the order of the list.
pub(crate) fn cover(wide: &[Condition], narrow: &[Condition]) -> bool {
    let mut rest = narrow.iter();
    wide.iter().all(|wide| {
        let same = rest.find(|narrow| narrow.place() >= wide.place());
        same.is_some_and(|narrow| wide.covers(narrow))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Policy;

    const EXAMPLE: &str = include_str!("../../config/policy.toml");

    #[test]
    fn the_example_holds_together_and_shows_every_condition() {
        if let Err(diagnostics) = Policy::parse("config/policy.toml", EXAMPLE.as_bytes()) {
            panic!("{diagnostics}");
        }
        for key in Condition::KEYS.iter().chain(&["operation", "mechanism"]) {
            let shown = |line: &str| line.trim_start_matches("# ").starts_with(&format!("{key} = "));
            assert!(EXAMPLE.lines().any(shown), "{key} is not shown");
        }
    }

    #[test]
    fn every_operation_is_named_in_the_example() {
        for act in Act::ALL {
            assert!(EXAMPLE.contains(act.name()), "{}", act.name());
        }
    }
}
