// SPDX-License-Identifier: Apache-2.0
//! How closely calls are recorded, by what kind of function was called and with which key. Only what is told together
//! differs: every call is received, numbered and accounted for at every level.

use event::Function;
use event::record::Key;
use serde::Deserialize;

/// How closely calls are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Every call is an event.
    Calls,
    /// An operation is an event, from its Init to the call that ends it. Calls outside operations are events.
    Operations,
    /// The calls of a second are one event, with sums by session, function, mechanism, key and result.
    Summary,
}

/// Kinds of functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Encryption, digests, signatures, random numbers.
    Data,
    /// Making, wrapping and deriving keys.
    Keys,
    /// Objects and their attributes.
    Objects,
    /// Sessions.
    Sessions,
    /// Logging in and out.
    Login,
    /// The library and its tokens: start, end, initialization, PINs.
    Administration,
    /// Everything that only asks.
    Queries,
}

impl Class {
    /// Every class.
    pub const ALL: [Class; 7] = [
        Class::Data,
        Class::Keys,
        Class::Objects,
        Class::Sessions,
        Class::Login,
        Class::Administration,
        Class::Queries,
    ];

    /// The class of a function.
    pub fn of(function: Function) -> Class {
        use Function::*;
        match function {
            C_GenerateKey
            | C_GenerateKeyPair
            | C_WrapKey
            | C_UnwrapKey
            | C_DeriveKey
            | C_EncapsulateKey
            | C_DecapsulateKey
            | C_WrapKeyAuthenticated
            | C_UnwrapKeyAuthenticated => Class::Keys,
            C_CreateObject | C_CopyObject | C_DestroyObject | C_GetObjectSize | C_GetAttributeValue
            | C_SetAttributeValue | C_FindObjectsInit | C_FindObjects | C_FindObjectsFinal => Class::Objects,
            C_OpenSession | C_CloseSession | C_CloseAllSessions | C_GetSessionInfo | C_SessionCancel
            | C_GetOperationState | C_SetOperationState => Class::Sessions,
            C_Login | C_LoginUser | C_Logout => Class::Login,
            C_Initialize | C_Finalize | C_InitToken | C_InitPIN | C_SetPIN => Class::Administration,
            C_GetInfo
            | C_GetFunctionList
            | C_GetInterfaceList
            | C_GetInterface
            | C_GetSlotList
            | C_GetSlotInfo
            | C_GetTokenInfo
            | C_GetMechanismList
            | C_GetMechanismInfo
            | C_WaitForSlotEvent
            | C_GetFunctionStatus
            | C_CancelFunction
            | C_GetSessionValidationFlags
            | C_AsyncComplete
            | C_AsyncGetID
            | C_AsyncJoin => Class::Queries,
            _ => Class::Data,
        }
    }
}

/// Keys that are recorded at a level of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLevel {
    /// `CKA_LABEL`, with `*` for any text and `?` for one byte; none for every label.
    pub label: Option<String>,
    /// `CKA_ID` in hexadecimal digits, with the same signs; none for every id.
    pub id: Option<String>,
    /// Their level.
    pub level: Level,
}

/// The level of every call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Levels {
    /// By class, in the order of [`Class::ALL`].
    pub classes: [Level; Class::ALL.len()],
    /// The first that the key meets counts more than the class.
    pub keys: Vec<KeyLevel>,
}

impl Default for Levels {
    fn default() -> Levels {
        let mut levels = Levels::CALLS;
        levels.classes[Class::Data as usize] = Level::Operations;
        levels
    }
}

impl Levels {
    /// Every call is an event.
    pub const CALLS: Levels = Levels { classes: [Level::Calls; Class::ALL.len()], keys: Vec::new() };

    /// The level of a call of this function, with this key, if it works with one.
    pub fn of(&self, function: Function, key: Option<&Key>) -> Level {
        let own = key.and_then(|key| self.keys.iter().find(|own| own.is_of(key)));
        own.map_or(self.classes[Class::of(function) as usize], |own| own.level)
    }
}

impl KeyLevel {
    fn is_of(&self, key: &Key) -> bool {
        let id = || key.id.bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        self.label.as_ref().is_none_or(|label| is_like(label.as_bytes(), &key.label.bytes))
            && self.id.as_ref().is_none_or(|pattern| is_like(pattern.as_bytes(), id().as_bytes()))
    }
}

/// Whether `text` is as `pattern` says. Of several `*` only the last is ever tried again, so no pattern takes long.
fn is_like(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where the last `*` stands, and where what it stands for ends at least.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match (pattern.get(p), star) {
            (Some(b'*'), _) => {
                star = Some((p, t));
                p += 1;
            }
            (Some(byte), _) if *byte == b'?' || *byte == text[t] => (p, t) = (p + 1, t + 1),
            (_, Some((at, end))) => {
                star = Some((at, end + 1));
                (p, t) = (at + 1, end + 1);
            }
            _ => return false,
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use event::record::Text;

    use super::*;

    #[test]
    fn a_pattern_is_met_by_what_it_describes_alone() {
        for (pattern, text, met) in [
            ("", "", true),
            ("*", "", true),
            ("tls-*", "tls-", true),
            ("tls-*", "tls", false),
            ("*-?-*x", "a-b-c-d-x", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("?", "", false),
            ("ab", "abc", false),
        ] {
            assert_eq!(is_like(pattern.as_bytes(), text.as_bytes()), met, "{pattern} {text}");
        }
    }

    #[test]
    fn a_key_counts_more_than_the_class_and_the_first_that_is_met_most() {
        let own = |label: &str, id: Option<&str>, level| KeyLevel {
            label: Some(label.into()),
            id: id.map(Into::into),
            level,
        };
        let keys = vec![own("*", Some("01*"), Level::Calls), own("bulk", None, Level::Operations)];
        let levels = Levels { keys, ..Levels::default() };
        let key = |label: &str, id: &[u8]| Key {
            label: Text::of(label),
            id: Text { bytes: id.into(), length: 2 },
            ..Key::default()
        };
        let of = |function, key: Option<Key>| levels.of(function, key.as_ref());
        assert_eq!(of(Function::C_SignInit, None), Level::Operations);
        assert_eq!(of(Function::C_SignInit, Some(key("bulk", &[2]))), Level::Operations);
        assert_eq!(of(Function::C_SignInit, Some(key("bulk", &[1, 2]))), Level::Calls);
        assert_eq!(of(Function::C_WrapKey, Some(key("bulk", &[2]))), Level::Operations);
        assert_eq!(of(Function::C_WrapKey, Some(key("other", &[2]))), Level::Calls);
    }

    #[test]
    fn every_class_stands_at_its_own_place_and_has_a_function() {
        for (place, class) in Class::ALL.iter().enumerate() {
            assert_eq!(*class as usize, place);
            assert!(Function::ALL.iter().any(|function| Class::of(*function) == *class));
        }
    }
}
