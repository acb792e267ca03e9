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
    Pattern { word: String },
    OutOfRange { found: String, least: u64, most: u64 },
    EmptyText,
    LongText { bytes: usize, most: usize },
    UnprintableText { character: char },
    EmptyList,
    LongList { most: usize },
    Repeated { word: String },
    ReservedName { name: String },
    DuplicateName { name: String, line: usize },
    DenyWithoutRemedy { rule: String },
    BitsCross { min: u32, max: u32 },
    CurveWithoutCurves { mechanism: &'static str },
    UselessOperation { operation: &'static str },
    UselessMechanism { mechanism: &'static str },
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
            Problem::Pattern { word } => {
                write!(f, "`{}` is a pattern, and mechanisms are named one by one", Shown(word))
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
            Problem::BitsCross { min, max } => {
                write!(f, "no key has at least {min} and at most {max} bits, so the rule never matches")
            }
            Problem::CurveWithoutCurves { mechanism } => {
                write!(f, "keys of `{mechanism}` lie on no curve, so the rule never matches it")
            }
            Problem::UselessOperation { operation } => {
                write!(f, "no mechanism of the rule can be used for `{operation}`")
            }
            Problem::UselessMechanism { mechanism } => {
                write!(f, "`{mechanism}` can be used for none of the rule's operations")
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
            Problem::Pattern { .. } => "list the full name of each mechanism that is meant".into(),
            Problem::OutOfRange { least, most, .. } => format!("write a number from {least} to {most}"),
            Problem::EmptyText => "write something, or leave the key out where it is optional".into(),
            Problem::LongText { most, .. } => format!("shorten it to at most {most} bytes"),
            Problem::UnprintableText { .. } => {
                "leave it out: the text is printed in logs and terminals".into()
            }
            Problem::EmptyList => "name something, or leave the key out to mean everything".into(),
            Problem::LongList { .. } => "spread it over several rules".into(),
            Problem::Repeated { .. } => "list it once".into(),
            Problem::ReservedName { .. } => {
                "choose another name; `default = …` at the top says what that verdict is".into()
            }
            Problem::DuplicateName { .. } => "give each rule a name of its own: events cite it".into(),
            Problem::DenyWithoutRemedy { .. } => {
                "add, for example, `remedy = \"use CKM_ECDSA_SHA256\"`".into()
            }
            Problem::BitsCross { .. } => "swap the two numbers, or correct one".into(),
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
