// SPDX-License-Identifier: Apache-2.0
//! `enum Function`, expanded from the list in `table.rs`, and the kinds of operation that a session can have active.

/// What the list says of one function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionInfo {
    /// `C_…`, as in the standard.
    pub name: &'static str,
    /// Name and Rust type of each argument, in order.
    pub arguments: &'static [(&'static str, &'static str)],
    /// The version of the function list that first has it.
    pub since: (u8, u8),
}

macro_rules! functions {
    ($(($major:literal, $minor:literal) $name:ident($($argument:ident: $type:ty),*) [$($before:tt)*] -> [$($after:tt)*];)*) => {
        /// A function of PKCS#11; the number is its position in `CK_FUNCTION_LIST_3_2`, which is also its wire number.
        #[allow(non_camel_case_types, missing_docs)]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Function { $($name),* }

        impl Function {
            /// Every function, in list order.
            pub const ALL: &[Function] = &[$(Function::$name),*];
        }

        /// What the list says of every function, in list order.
        pub const FUNCTIONS: &[FunctionInfo] = &[$(FunctionInfo {
            name: stringify!($name),
            arguments: &[$((stringify!($argument), stringify!($type))),*],
            since: ($major, $minor),
        }),*];
    };
}
crate::pkcs11!(functions);

impl Function {
    /// The function with this wire number.
    pub fn from_number(number: u16) -> Option<Function> {
        Function::ALL.get(usize::from(number)).copied()
    }

    /// The function called `name`, as in the standard (`C_Sign`).
    pub fn from_name(name: &str) -> Option<Function> {
        FUNCTIONS.iter().position(|f| f.name == name).map(|i| Function::ALL[i])
    }

    /// The entry of the list.
    pub fn info(self) -> &'static FunctionInfo {
        &FUNCTIONS[self as usize]
    }

    /// `C_…`, as in the standard.
    pub fn name(self) -> &'static str {
        self.info().name
    }
}

/// A kind of operation of which a session can have one active (PKCS#11 3.2, section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Active {
    Find,
    Encrypt,
    Decrypt,
    Digest,
    Sign,
    SignRecover,
    Verify,
    VerifyRecover,
    MessageEncrypt,
    MessageDecrypt,
    MessageSign,
    MessageVerify,
    VerifySignature,
}

impl Active {
    /// How many kinds there are.
    pub const COUNT: usize = 13;

    /// Every kind, with the `CKF_` bit that names it to `C_SessionCancel` (PKCS#11 3.0, section 5.6.9).
    pub const ALL: [(Active, u64); Active::COUNT] = [
        (Active::Find, 0x40),
        (Active::Encrypt, 0x100),
        (Active::Decrypt, 0x200),
        (Active::Digest, 0x400),
        (Active::Sign, 0x800),
        (Active::SignRecover, 0x1000),
        (Active::Verify, 0x2000),
        (Active::VerifyRecover, 0x4000),
        (Active::MessageEncrypt, 0x2),
        (Active::MessageDecrypt, 0x4),
        (Active::MessageSign, 0x8),
        (Active::MessageVerify, 0x10),
        (Active::VerifySignature, 0x2000),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_is_found_by_its_number_and_its_name() {
        assert_eq!(Function::ALL.len(), 104);
        for (number, function) in Function::ALL.iter().enumerate() {
            assert_eq!(Function::from_number(u16::try_from(number).unwrap()), Some(*function));
            assert_eq!(Function::from_name(function.name()), Some(*function));
        }
        assert_eq!(Function::from_number(104), None);
        assert_eq!(Function::C_SignInit.name(), "C_SignInit");
    }

    #[test]
    fn the_list_is_ordered_by_version() {
        assert!(FUNCTIONS.is_sorted_by_key(|f| f.since));
        assert_eq!(FUNCTIONS.iter().filter(|f| f.since == (2, 40)).count(), 68);
        assert_eq!(FUNCTIONS.iter().filter(|f| f.since <= (3, 0)).count(), 92);
    }

    #[test]
    fn every_kind_of_operation_stands_at_its_own_place() {
        for (place, (active, _)) in Active::ALL.iter().enumerate() {
            assert_eq!(*active as usize, place);
        }
    }
}
