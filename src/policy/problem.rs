// SPDX-License-Identifier: Apache-2.0
//! Everything that can be wrong with a policy, and all the wording of it: the message, and what to write
//! instead.

use std::fmt;

/// One thing that is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    TooLarge { bytes: usize },
    NotUtf8 { byte: u8 },
    Syntax { message: String },
    Missing { key: &'static str, example: &'static str },
    UnknownKey { key: String, near: Option<&'static str>, known: Vec<&'static str> },
    WrongType { wanted: Wanted, found: &'static str },
    Version { found: String },
    UnknownWord { what: &'static str, word: String, near: Option<&'static str>, known: Vec<&'static str> },
    UnknownMechanism { word: String, near: Option<&'static str> },
    MatchesNothing { word: String },
    BadPattern { word: String },
    LongPattern { word: String, most: usize },
    Unit { text: String, unit: &'static str, amount: Option<u64> },
    Date { text: String },
    Hours { text: String },
    Span { text: String, near: Option<String> },
    SpanOutOfRange { text: String },
    RateInAllow,
    RateOfBoth,
    RateOfNothing { per: &'static str },
    ManyRates { most: usize },
    OnlyInQuarantine { key: &'static str },
    BrokenProfile { name: &'static str, message: String },
    OutOfRange { found: String, least: u64, most: u64 },
    EmptyText,
    LongText { bytes: usize, most: usize },
    UnprintableText { character: char },
    EmptyList,
    EmptyTable { what: &'static str },
    LongList { most: usize },
    Repeated { word: String },
    ReservedName { name: String },
    DuplicateName { name: String, line: usize },
    DenyWithoutRemedy { rule: String },
    GuardName { name: String },
    ProfileName { name: String, profile: String },
    UselessRv { action: &'static str },
    HiddenRv,
    NotOfSlots { key: &'static str },
    NotOfSights { key: &'static str },
    HeldSight,
    Cross { low: &'static str, high: &'static str },
    Weakens { attribute: &'static str, stricter: bool },
    Lifetime { text: String },
    HardensNoKey,
    HardensRefused,
    NeverEnforced,
    CurveSpelledOut,
    CurveWithoutCurves { mechanism: String },
    SetWithoutSets { mechanism: String },
    UselessOperation { operation: String },
    UselessMechanism { mechanism: String },
    Contradiction { rule: String, by: String },
    Unreachable { rule: String, by: Vec<String> },
}

/// What a value should have been, and how such a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) what: &'static str,
    pub(crate) example: &'static str,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::TooLarge { bytes } => {
                write!(f, "the policy has {bytes} bytes, at most {} are read", crate::MAX_BYTES)
            }
            Problem::NotUtf8 { byte } => {
                write!(f, "the policy is not UTF-8: byte 0x{byte:02x} begins no character here")
            }
            Problem::Syntax { message } => write!(f, "not TOML: {}", Shown(message)),
            Problem::Missing { key, .. } => write!(f, "`{key}` is missing"),
            Problem::UnknownKey { key, .. } => write!(f, "unknown key `{}`", Shown(key)),
            Problem::WrongType { wanted, found } => write!(f, "{found} is no {}", wanted.what),
            Problem::Version { found } => {
                write!(f, "version {} of the policy format is not known", Shown(found))
            }
            Problem::UnknownWord { what, word, .. } => {
                write!(f, "unknown {what} `{}`", Shown(word))
            }
            Problem::UnknownMechanism { word, .. } => {
                write!(f, "unknown mechanism `{}`", Shown(word))
            }
            Problem::MatchesNothing { word } => {
                write!(f, "no mechanism is called like `{}`", Shown(word))
            }
            Problem::BadPattern { word } => write!(f, "`{}` is no text and no pattern", Shown(word)),
            Problem::LongPattern { word, most } => {
                write!(f, "the pattern `{}` has more than {most} bytes", Shown(word))
            }
            Problem::Unit { text, unit: "", .. } => write!(f, "`{}` is text, a number is meant", Shown(text)),
            Problem::Unit { text, unit, .. } => {
                write!(f, "`{}` is text, a number is meant: how many {unit}", Shown(text))
            }
            Problem::Date { text } => write!(f, "`{}` is no day since 1970", Shown(text)),
            Problem::Hours { text } => write!(f, "`{}` is no span of hours", Shown(text)),
            Problem::Span { text, .. } => write!(f, "`{}` is no span of time", Shown(text)),
            Problem::SpanOutOfRange { text } => {
                write!(f, "`{}` is out of range, 1s to 366d is meant", Shown(text))
            }
            Problem::RateInAllow => {
                write!(f, "an `allow` by rate would let calls pass only once there are too many")
            }
            Problem::RateOfBoth => write!(f, "a rate counts calls, or those that failed, not both"),
            Problem::RateOfNothing { per } => {
                write!(f, "no call of the rule's operations names a {per}, so the rule never matches")
            }
            Problem::ManyRates { most } => write!(f, "the policy asks for more than {most} rates"),
            Problem::OnlyInQuarantine { key } => write!(f, "`{key}` is for `action = \"quarantine\"`"),
            Problem::BrokenProfile { name, message } => {
                write!(f, "the built-in profile `{name}` does not hold together: {}", Shown(message))
            }
            Problem::OutOfRange { found, least, most } => {
                write!(f, "{} is out of range, {least} to {most} is meant", Shown(found))
            }
            Problem::EmptyText => write!(f, "the text is empty"),
            Problem::LongText { bytes, most } => {
                write!(f, "the text has {bytes} bytes, at most {most} are taken")
            }
            Problem::UnprintableText { character } => {
                write!(f, "the text holds the unprintable character U+{:04X}", u32::from(*character))
            }
            Problem::EmptyList => write!(f, "the list is empty, so the rule never matches"),
            Problem::EmptyTable { what } => write!(f, "the table is empty, so it {what}"),
            Problem::LongList { most } => write!(f, "the list has more than {most} entries"),
            Problem::Repeated { word } => write!(f, "`{}` is listed twice", Shown(word)),
            Problem::ReservedName { name } => {
                write!(f, "`{}` is the name of the verdict where no rule matches", Shown(name))
            }
            Problem::DuplicateName { name, line } => {
                write!(f, "the rule on line {line} is called `{}` already", Shown(name))
            }
            Problem::DenyWithoutRemedy { rule } => {
                write!(f, "rule `{}` denies without saying what to do instead", Shown(rule))
            }
            Problem::GuardName { name } => write!(f, "`{}` is the name of a guard", Shown(name)),
            Problem::ProfileName { name, profile } => {
                write!(f, "the included profile `{profile}` has a rule called `{}`", Shown(name))
            }
            Problem::UselessRv { action } => {
                write!(f, "what the action `{action}` lets pass returns what the token returns")
            }
            Problem::HiddenRv => {
                write!(f, "what may not be seen is not there, and the call returns what it returns for that")
            }
            Problem::NotOfSlots { key } => {
                write!(f, "neither a slot nor its token has a `{key}`, so the rule never matches")
            }
            Problem::NotOfSights { key } => {
                write!(f, "`{key}` is asked of calls, not of all that they may see")
            }
            Problem::HeldSight => {
                write!(f, "a search asks for everything, so nobody is held for what it may not see")
            }
            Problem::Cross { low, high } => {
                write!(f, "`{low}` lies above `{high}`, so the rule never matches")
            }
            Problem::Weakens { attribute, stricter } => {
                write!(f, "`{attribute} = {}` hardens no key", !stricter)
            }
            Problem::Lifetime { text } => write!(f, "`{}` is no span of days, months or years", Shown(text)),
            Problem::HardensNoKey => write!(f, "no operation of the rule makes a key that could be hardened"),
            Problem::HardensRefused => write!(f, "what is denied makes no key that could be hardened"),
            Problem::NeverEnforced => {
                write!(f, "the days of the rule and of its stage are none, so it is never carried out")
            }
            Problem::CurveSpelledOut => {
                write!(f, "a curve that is spelled out is no named curve, so the rule never matches")
            }
            Problem::SetWithoutSets { mechanism } => {
                write!(
                    f,
                    "keys of `{mechanism}` have none of these parameter sets, so the rule never matches it"
                )
            }
            Problem::CurveWithoutCurves { mechanism } => {
                write!(f, "keys of `{}` lie on no curve, so the rule never matches it", Shown(mechanism))
            }
            Problem::UselessOperation { operation } => {
                write!(f, "no mechanism of the rule can be used for `{}`", Shown(operation))
            }
            Problem::UselessMechanism { mechanism } => {
                write!(f, "`{}` can be used for none of the rule's operations", Shown(mechanism))
            }
            Problem::Contradiction { rule, by } => {
                write!(
                    f,
                    "rule `{}` contradicts rule `{}` above it: both are for the same calls",
                    Shown(rule),
                    Shown(by)
                )
            }
            Problem::Unreachable { rule, by } => {
                write!(f, "rule `{}` is unreachable: whatever it matches, ", Shown(rule))?;
                match by.as_slice() {
                    [one] => write!(f, "rule `{}` above it has decided", Shown(one)),
                    all => write!(f, "rules {} above it have decided", Listed(all)),
                }
            }
        }
    }
}

impl Problem {
    /// What to write instead.
    pub(crate) fn help(&self) -> String {
        match self {
            Problem::TooLarge { .. } => "split the policy, or name mechanisms in fewer rules".into(),
            Problem::NotUtf8 { .. } => "save the file as UTF-8".into(),
            Problem::Syntax { message } if message == "duplicate key" => {
                "write each key once; a further rule begins with its own [[rule]]".into()
            }
            Problem::Syntax { .. } => {
                "text goes in \"quotes\", lists in [brackets], one `key = value` per line".into()
            }
            Problem::Missing { example, .. } => format!("write, for example, `{example}`"),
            Problem::UnknownKey { near, known, .. } => guess(*near, "keys here are", known),
            Problem::WrongType { wanted, .. } => format!("write, for example, `{}`", wanted.example),
            Problem::Version { .. } => {
                "write `version = 1`, or use a p11guard that knows this version".into()
            }
            Problem::UnknownWord { near, known, .. } => guess(*near, "known are", known),
            Problem::UnknownMechanism { near: Some(near), .. } => format!("did you mean `{near}`?"),
            Problem::UnknownMechanism { near: None, .. } => {
                "write a CKM_ name of PKCS#11 3.2, or the number of a vendor's mechanism (0x80000001)".into()
            }
            Problem::MatchesNothing { .. } => {
                "correct the pattern: `*` stands for any characters, `?` for one, the `CKM_` is part of a name".into()
            }
            Problem::BadPattern { .. } => {
                "after `\\` goes `*`, `?` or `\\`; after `0x` hexadecimal digits, two to a byte".into()
            }
            Problem::LongPattern { .. } => "shorten it, or put a `*` in place of a part".into(),
            Problem::Unit { amount: Some(amount), .. } => format!("write the number alone: `{amount}`"),
            Problem::Unit { unit: "", .. } => "write the number alone".into(),
            Problem::Unit { unit, .. } => format!("write the number of {unit} alone"),
            Problem::Date { .. } => "write year, month and day without quotes: `2031-01-01`".into(),
            Problem::Hours { .. } => "write two different times, UTC: `\"08:00-18:00\"`".into(),
            Problem::Span { near: Some(near), .. } => format!("did you mean `\"{near}\"`?"),
            Problem::Span { near: None, .. } => {
                "write a whole number and s, min, h or d: `\"5min\"`".into()
            }
            Problem::SpanOutOfRange { .. } => "write, for example, `\"5min\"`".into(),
            Problem::RateInAllow => {
                "deny by the rate, in a rule above the one that allows".into()
            }
            Problem::RateOfBoth => "leave one of `failed` and `calls` out".into(),
            Problem::RateOfNothing { .. } => "count per process or per token".into(),
            Problem::ManyRates { .. } => "put what is counted alike into one rule".into(),
            Problem::OnlyInQuarantine { .. } => "leave it out, or write `action = \"quarantine\"`".into(),
            Problem::BrokenProfile { .. } => "leave it out, and use another version of p11guard".into(),
            Problem::OutOfRange { least, most, .. } => format!("write a number from {least} to {most}"),
            Problem::EmptyText => "write something, or leave the key out where it is optional".into(),
            Problem::LongText { most, .. } => format!("shorten it to at most {most} bytes"),
            Problem::UnprintableText { .. } => {
                "leave it out: the text is printed in logs and terminals".into()
            }
            Problem::EmptyList => "name something, or leave the key out to mean everything".into(),
            Problem::EmptyTable { .. } => "say something in it, or leave the key out".into(),
            Problem::LongList { .. } => "spread it over several rules".into(),
            Problem::Repeated { .. } => "list it once".into(),
            Problem::ReservedName { .. } => {
                "choose another name; `default = …` at the top says what that verdict is".into()
            }
            Problem::DuplicateName { .. } => "give each rule a name of its own: events cite it".into(),
            Problem::DenyWithoutRemedy { .. } => {
                "add, for example, `remedy = \"use CKM_ECDSA_SHA256\"`".into()
            }
            Problem::GuardName { .. } => {
                "choose another name; `guards = […]` at the top switches guards on".into()
            }
            Problem::ProfileName { .. } => "give each rule a name of its own: events cite it".into(),
            Problem::UselessRv { .. } => "leave `rv` out, or deny".into(),
            Problem::HiddenRv => "leave `rv` out".into(),
            Problem::NotOfSights { .. } => "ask it in another rule, of what is done".into(),
            Problem::HeldSight => "write `deny`".into(),
            Problem::NotOfSlots { .. } => {
                "ask for `token`, `serial` or `slot`, or write `operation = \"see\"` for the objects of a token".into()
            }
            Problem::Cross { .. } => "swap the two, or correct one".into(),
            Problem::Weakens { attribute, stricter } => format!(
                "write `{attribute} = {stricter}`; what a template asks for itself is for a rule with `asks`"
            ),
            Problem::Lifetime { .. } => {
                "write a number with d, mo or y, up to a hundred years: `\"90d\"`, `\"18mo\"`, `\"2y\"`".into()
            }
            Problem::HardensNoKey => "harden where the operation is generate, generate-key-pair, import, unwrap, \
                                      derive, encapsulate or decapsulate"
                .into(),
            Problem::HardensRefused => "leave `harden` out, or let the rule allow or warn".into(),
            Problem::NeverEnforced => "let the stage begin before it ends, within the days of the rule".into(),
            Problem::CurveSpelledOut => "leave one of the two out".into(),
            Problem::Contradiction { by, .. } => {
                format!("remove one of them, or ask something in `{}` that sets it apart", Shown(by))
            }
            Problem::SetWithoutSets { .. } => "give this mechanism a rule without `parameter_set`".into(),
            Problem::CurveWithoutCurves { .. } => "give this mechanism a rule without `curve`".into(),
            Problem::UselessOperation { .. } => "leave the operation out, or add a mechanism for it".into(),
            Problem::UselessMechanism { .. } => "leave the mechanism out, or add its operation".into(),
            Problem::Unreachable { by, .. } if by.len() == 1 => {
                format!("remove the rule, or move it above `{}`", Shown(&by[0]))
            }
            Problem::Unreachable { .. } => "remove the rule, or move it above them".into(),
        }
    }
}

/// How many known words are listed where none is near.
const MOST_KNOWN: usize = 16;

fn guess(near: Option<&str>, lead: &str, known: &[&str]) -> String {
    match near {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.len() > MOST_KNOWN => format!("{lead} {}, …", known[..MOST_KNOWN].join(", ")),
        None => format!("{lead} {}", known.join(", ")),
    }
}

/// Text of the policy as it may stand in a message: short, and free of anything that a terminal would obey.
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl Shown<'_> {
    const LONGEST: usize = 80;
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars().take(Shown::LONGEST) {
            write!(f, "{}", if is_printable(character) { character } else { char::REPLACEMENT_CHARACTER })?;
        }
        if self.0.chars().nth(Shown::LONGEST).is_some() { write!(f, "…") } else { Ok(()) }
    }
}

struct Listed<'a>(&'a [String]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, name) in self.0.iter().enumerate() {
            let comma = match place {
                0 => "",
                _ if place + 1 == self.0.len() => " and ",
                _ => ", ",
            };
            write!(f, "{comma}`{}`", Shown(name))?;
        }
        Ok(())
    }
}

/// Whether a character shows as itself: no control character, and none that hides or reorders its
/// neighbours.
pub(crate) fn is_printable(character: char) -> bool {
    !character.is_control()
        && !matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
