// SPDX-License-Identifier: Apache-2.0
//! What a mechanism can be asked to do: the fourteen operations, one line each, and sets of them.

macro_rules! operations {
    ($($operation:ident $constant:ident $name:literal $flags:literal;)*) => {
        /// One thing that a call asks of a mechanism. The message functions, `C_VerifySignature…` and the
        /// authenticated wrapping functions ask for the same things as their elder kin.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Operation {
            $(#[doc = concat!("`", $name, "`.")] $operation),*
        }

        impl Operation {
            /// Every operation.
            pub const ALL: &[Operation] = &[$(Operation::$operation),*];

            /// Its name in policies and events.
            pub const fn name(self) -> &'static str {
                match self { $(Operation::$operation => $name),* }
            }

            /// The `CKF_` bits of `CK_MECHANISM_INFO.flags` that announce it, those of its message functions
            /// included.
            pub const fn flags(self) -> u64 {
                match self { $(Operation::$operation => $flags),* }
            }
        }

        impl Operations {
            $(
                #[doc = concat!("`", $name, "` alone.")]
                pub const $constant: Operations = Operations(1 << Operation::$operation as u8);
            )*
        }
    };
}

operations! {
    Encrypt         ENCRYPT           "encrypt"           0x0000_0102;
    Decrypt         DECRYPT           "decrypt"           0x0000_0204;
    Sign            SIGN              "sign"              0x0000_0808;
    Verify          VERIFY            "verify"            0x0000_2010;
    SignRecover     SIGN_RECOVER      "sign-recover"      0x0000_1000;
    VerifyRecover   VERIFY_RECOVER    "verify-recover"    0x0000_4000;
    Digest          DIGEST            "digest"            0x0000_0400;
    Generate        GENERATE          "generate"          0x0000_8000;
    GenerateKeyPair GENERATE_KEY_PAIR "generate-key-pair" 0x0001_0000;
    Wrap            WRAP              "wrap"              0x0002_0000;
    Unwrap          UNWRAP            "unwrap"            0x0004_0000;
    Derive          DERIVE            "derive"            0x0008_0000;
    Encapsulate     ENCAPSULATE       "encapsulate"       0x1000_0000;
    Decapsulate     DECAPSULATE       "decapsulate"       0x2000_0000;
}

impl Operation {
    /// The operation called `name`.
    pub fn from_name(name: &str) -> Option<Operation> {
        Operation::ALL.iter().copied().find(|o| o.name() == name)
    }
}

/// A set of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Operations(u16);

impl Operations {
    /// Encrypt and decrypt.
    pub const CIPHER: Operations = Operations::ENCRYPT.union(Operations::DECRYPT);
    /// Sign and verify, signatures and message authentication codes alike.
    pub const SIGNATURE: Operations = Operations::SIGN.union(Operations::VERIFY);
    /// Sign-recover and verify-recover.
    pub const RECOVERY: Operations = Operations::SIGN_RECOVER.union(Operations::VERIFY_RECOVER);
    /// Wrap and unwrap.
    pub const WRAPPING: Operations = Operations::WRAP.union(Operations::UNWRAP);
    /// Encapsulate and decapsulate.
    pub const ENCAPSULATION: Operations = Operations::ENCAPSULATE.union(Operations::DECAPSULATE);

    /// The set without members.
    pub const fn empty() -> Operations {
        Operations(0)
    }

    /// The members of both.
    pub const fn union(self, other: Operations) -> Operations {
        Operations(self.0 | other.0)
    }

    /// Whether `operation` is a member.
    pub const fn contains(self, operation: Operation) -> bool {
        self.0 & 1 << operation as u8 != 0
    }

    /// The members, in the order of [`Operation::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Operation> {
        Operation::ALL.iter().copied().filter(move |o| self.contains(*o))
    }
}

impl From<Operation> for Operations {
    fn from(operation: Operation) -> Operations {
        Operations(1 << operation as u8)
    }
}

impl FromIterator<Operation> for Operations {
    fn from_iter<I: IntoIterator<Item = Operation>>(operations: I) -> Operations {
        operations.into_iter().fold(Operations::empty(), |set, o| set.union(o.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_found_by_its_name_and_has_bits_of_its_own() {
        let mut bits = 0;
        for operation in Operation::ALL {
            assert_eq!(Operation::from_name(operation.name()), Some(*operation));
            assert_eq!(bits & operation.flags(), 0);
            bits |= operation.flags();
        }
        assert_eq!(Operation::from_name("Encrypt"), None);
    }

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        let set = Operations::SIGNATURE.union(Operations::DERIVE);
        assert_eq!(set.iter().collect::<Vec<_>>(), [Operation::Sign, Operation::Verify, Operation::Derive]);
        assert_eq!(set.iter().collect::<Operations>(), set);
        assert!(!set.contains(Operation::Encrypt) && Operations::empty().iter().next().is_none());
    }
}
