// SPDX-License-Identifier: Apache-2.0
//! What each function does, as policies name it: told by the words `mechanism(…)`, `does(…)`, `signs(…)` and
//! `begins_message(…)` in the one list of functions. To see is what nearly all of them do besides.

use event::Function;
use event::mechanism::Operation;
use policy::Act;

macro_rules! act_of {
    ([mechanism($operation:ident, $argument:ident) $($rest:tt)*]) => { Some(Act::from(Operation::$operation)) };
    ([does($act:ident) $($rest:tt)*]) => { Some(Act::$act) };
    ([signs($($arguments:tt)*) $($rest:tt)*]) => { Some(Act::SignData) };
    ([begins_message($($arguments:tt)*) $($rest:tt)*]) => { Some(Act::EncryptMessage) };
    ([$word:ident($($arguments:tt)*) $($rest:tt)*]) => { act_of!([$($rest)*]) };
    ([]) => { None };
}

macro_rules! acts {
    ($($version:tt $name:ident($($arguments:tt)*) [$($before:tt)*] -> [$($after:tt)*];)*) => {
        /// What the function does; none for one that no policy judges.
        pub(super) fn act(function: Function) -> Option<Act> {
            match function { $(Function::$name => act_of!([$($before)*])),* }
        }
    };
}
event::pkcs11!(acts);

/// The function that is meant where only the act is named: the first that the standard lists, and of those that see the
/// one that does nothing else.
pub(super) fn function(act: Act) -> Option<Function> {
    match act {
        Act::See => Some(Function::C_FindObjects),
        Act::SeeToken => Some(Function::C_GetSlotList),
        _ => Function::ALL.iter().copied().find(|function| self::act(*function) == Some(act)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_act_has_a_function_and_the_first_is_the_plain_one() {
        for act in Act::ALL {
            assert!(function(*act).is_some(), "{act:?}");
        }
        assert_eq!(function(Act::Sign), Some(Function::C_SignInit));
        assert_eq!(function(Act::Wrap), Some(Function::C_WrapKey));
        assert_eq!(function(Act::Login), Some(Function::C_Login));
    }

    #[test]
    fn what_no_policy_judges_does_nothing() {
        for function in [Function::C_Verify, Function::C_GetMechanismInfo, Function::C_Initialize] {
            assert_eq!(act(function), None);
        }
        assert_eq!(act(Function::C_MessageEncryptInit), Some(Act::Encrypt));
        assert_eq!(act(Function::C_SetPIN), Some(Act::Administer));
    }
}
