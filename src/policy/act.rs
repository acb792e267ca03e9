// SPDX-License-Identifier: Apache-2.0
//! What a call does, as rules name it: the fourteen operations with a mechanism, and what is done to objects, tokens
//! and logins without one. One line each. To see is done by nearly every call: what may not be seen is not there.

use event::mechanism::Operation;

macro_rules! acts {
    ($($act:ident $name:literal;)*) => {
        /// What a call does.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        // A whole word: a register is loaded from it, and a word that was stored as a byte has to be waited for.
        #[repr(u32)]
        #[allow(missing_docs)]
        pub enum Act { $($act),* }

        impl Act {
            /// Every act.
            pub const ALL: &[Act] = &[$(Act::$act),*];

            /// Its name in policies and events.
            pub const fn name(self) -> &'static str {
                match self { $(Act::$act => $name),* }
            }
        }
    };
}

// The first fourteen are `event::mechanism::Operation`, in its order.
acts! {
    Encrypt "encrypt";
    Decrypt "decrypt";
    Sign "sign";
    Verify "verify";
    SignRecover "sign-recover";
    VerifyRecover "verify-recover";
    Digest "digest";
    Generate "generate";
    GenerateKeyPair "generate-key-pair";
    Wrap "wrap";
    Unwrap "unwrap";
    Derive "derive";
    Encapsulate "encapsulate";
    Decapsulate "decapsulate";
    // C_CreateObject
    Import "import";
    // C_CopyObject
    Copy "copy";
    // C_SetAttributeValue
    Modify "modify";
    // C_DestroyObject
    Destroy "destroy";
    // C_GetAttributeValue
    Read "read";
    // C_FindObjectsInit
    Find "find";
    // C_DigestKey
    DigestKey "digest-key";
    // C_Login, C_LoginUser
    Login "login";
    // C_InitToken, C_InitPIN, C_SetPIN
    Administer "administer";
    // C_GetOperationState, C_SetOperationState
    State "state";
    // C_OpenSession
    Open "open";
    // C_Sign and its kin, of the data they are given
    SignData "sign-data";
    // C_EncryptMessage and C_EncryptMessageBegin, of the message's own parameter
    EncryptMessage "encrypt-message";
    // Every function that names or lists objects, of each object
    See "see";
    // Every function that names or lists slots, or works in a session, of the slot and its token
    SeeToken "see-token";
}

impl Act {
    /// The act called `name`.
    pub fn from_name(name: &str) -> Option<Act> {
        Act::ALL.iter().copied().find(|act| act.name() == name)
    }

    /// The operation with a mechanism that it is; none for an act without one.
    pub fn operation(self) -> Option<Operation> {
        Operation::ALL.get(self as usize).copied()
    }
}

impl From<Operation> for Act {
    fn from(operation: Operation) -> Act {
        Act::ALL[operation as usize]
    }
}

macro_rules! groups {
    ($($name:literal = [$($act:ident)*];)*) => {
        /// Words that stand for several acts: what protects data from now on, and what only processes data that was
        /// protected before. Rules for what is being phased out differ between the two (SP 800-131A, section 1.2.3).
        pub const GROUPS: &[(&str, &[Act])] = &[$(($name, &[$(Act::$act),*])),*];
    };
}

groups! {
    "protect" = [Encrypt Sign SignRecover Generate GenerateKeyPair Wrap Derive Encapsulate];
    "process" = [Decrypt Verify VerifyRecover Unwrap Decapsulate];
}

/// A set of acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Acts(u32);

impl Acts {
    /// What a rule that names no operation is for: everything but what is judged a second time: the data of signatures,
    /// the parameters of messages, and what a call may see at all.
    pub const UNNAMED: Acts = Acts((1 << Act::SignData as u32) - 1);
    /// The acts with a mechanism.
    pub const WITH_MECHANISM: Acts = Acts(
        ((1 << Operation::ALL.len()) - 1) | (1 << Act::SignData as u32) | (1 << Act::EncryptMessage as u32),
    );

    /// To be seen. What is refused here is not there, and that has return values of its own.
    pub const SEEN: Acts = Acts(1 << Act::See as u32 | 1 << Act::SeeToken as u32);
    /// The acts that make keys out of templates; a copy is made out of its source.
    pub const MAKING: Acts = Acts(
        1 << Act::Generate as u32
            | 1 << Act::GenerateKeyPair as u32
            | 1 << Act::Unwrap as u32
            | 1 << Act::Derive as u32
            | 1 << Act::Encapsulate as u32
            | 1 << Act::Decapsulate as u32
            | 1 << Act::Import as u32,
    );

    /// The members of both.
    pub const fn intersection(self, other: Acts) -> Acts {
        Acts(self.0 & other.0)
    }

    /// The members of either.
    pub const fn union(self, other: Acts) -> Acts {
        Acts(self.0 | other.0)
    }

    /// The members that are none of `other`.
    pub const fn without(self, other: Acts) -> Acts {
        Acts(self.0 & !other.0)
    }

    /// Whether it has no members.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `act` is a member.
    pub const fn contains(self, act: Act) -> bool {
        self.0 & (1 << act as u32) != 0
    }

    /// Its members.
    pub fn iter(self) -> impl Iterator<Item = Act> {
        Act::ALL.iter().copied().filter(move |act| self.contains(*act))
    }
}

impl FromIterator<Act> for Acts {
    fn from_iter<I: IntoIterator<Item = Act>>(acts: I) -> Acts {
        acts.into_iter().fold(Acts(0), |set, act| Acts(set.0 | 1 << act as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_with_a_mechanism_is_the_act_of_that_name() {
        for operation in Operation::ALL {
            let act = Act::from(*operation);
            assert_eq!((act.name(), act.operation()), (operation.name(), Some(*operation)));
            assert_eq!(Act::from_name(operation.name()), Some(act));
        }
        assert_eq!(Act::Import.operation(), None);
        assert!(Act::ALL.len() <= 32, "a set is 32 bits");
        let heard_by_name = [Act::SignData, Act::EncryptMessage, Act::See, Act::SeeToken];
        assert_eq!(Act::ALL.last_chunk(), Some(&heard_by_name));
    }
}
