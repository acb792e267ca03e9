// SPDX-License-Identifier: Apache-2.0
//! The 104 functions, expanded from `event::pkcs11!` once per way in: as exported symbols and as entries of the tables
//! of 2.40, 3.0 and 3.2, so that the counters tell by which way a call came. Table entries are private functions.

use std::ffi::c_void as CK_VOID;

use cryptoki_sys::*;
use event::Function;

use crate::call::Call;
use crate::measure;
use crate::special::special;

/// Index into `counts::WAYS`.
const EXPORT: usize = 0;

macro_rules! entries {
    ($(($major:literal, $minor:literal) $name:ident($($argument:ident: $type:ty),*)
        [$($before:ident($($fact:expr),*))*] -> [$($after:ident($($outcome:expr),*))*];)*) => {
        /// Every function, once per way in.
        mod table {
            use super::*;
            use crate::words::Deed::*;
            use crate::words::Kind::*;
            $(
                pub(super) unsafe extern "C" fn $name<const WAY: usize>($($argument: $type),*) -> CK_RV {
                    measure::arrived(WAY, Function::$name);
                    Call::answer(Function::$name, |call| {
                        let _ = (&call, $(&$argument),*);
                        $(call.$before($($fact),*)?;)*
                        special!(call $name($($argument),*))?;
                        $(call.$after($($outcome),*)?;)*
                        Ok(())
                    })
                }
            )*
        }

        /// The exported symbols.
        mod export {
            use super::*;
            $(
                // SAFETY: the only symbol of this name in the module.
                #[unsafe(no_mangle)]
                pub(super) unsafe extern "C" fn $name($($argument: $type),*) -> CK_RV {
                    // SAFETY: the caller's promise about the arguments is passed on as it came.
                    unsafe { table::$name::<EXPORT>($($argument),*) }
                }
            )*
        }

        /// The widest list, entered by `WAY`; shorter versions are prefixes of it.
        pub(crate) const fn list<const WAY: usize>(version: CK_VERSION) -> CK_FUNCTION_LIST_3_2 {
            CK_FUNCTION_LIST_3_2 { version, $($name: Some(table::$name::<WAY>)),* }
        }

        /// The widest list, made of the exported and therefore interposable symbols.
        pub(crate) fn exported(version: CK_VERSION) -> CK_FUNCTION_LIST_3_2 {
            CK_FUNCTION_LIST_3_2 { version, $($name: Some(export::$name)),* }
        }

        /// `list` with holes: every fifth function that is not a discovery or life-cycle call is NULL.
        pub(crate) fn with_holes(mut list: CK_FUNCTION_LIST_3_2) -> CK_FUNCTION_LIST_3_2 {
            $(
                if Function::$name as u16 % 5 == 0 && Function::$name as u16 > 3 {
                    list.$name = None;
                }
            )*
            list
        }
    };
}
event::pkcs11!(entries);
