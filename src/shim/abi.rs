// SPDX-License-Identifier: Apache-2.0
//! The C surface: the exports and the function tables, expanded from the one list in `event::table`. Nothing else
//! of this library is visible outside. Entries of a table are functions of their own, not the exported symbols, so that
//! no other library's symbols can stand in for them.
#![allow(unsafe_code, non_snake_case, non_camel_case_types)]
// The exports are reachable by the loader, not by Rust; how many arguments they take is the standard's.
#![allow(unreachable_pub, clippy::too_many_arguments)]

use cryptoki_sys::*;
use event::mechanism::Operation;
use event::{Active, Function};
use std::ffi::c_void;

use crate::call::{Call, Templates};
use crate::gate::gate;
use crate::vendor::Table;
use crate::{interfaces, lifecycle, mechanisms, visible};

/// What the standard's `CK_VOID_PTR` points to.
type CK_VOID = c_void;

/// An argument on its way to the vendor: as it came, but for a mechanism, which is the copy that was judged.
struct Argument<T>(T);

impl Argument<*mut CK_MECHANISM> {
    #[inline]
    fn forward(self, call: &mut Call<'_>) -> *mut CK_MECHANISM {
        call.mechanism_to_forward(self.0)
    }
}

/// Every other type: the inherent method above is preferred where there is one.
trait AsItCame<T> {
    fn forward(self, call: &mut Call<'_>) -> T;
}

impl<T> AsItCame<T> for Argument<T> {
    #[inline]
    fn forward(self, _: &mut Call<'_>) -> T {
        self.0
    }
}

/// A fact of the list, as the method of [`Call`] that reads it.
macro_rules! fact {
    ($call:ident, mechanism($operation:ident, $pointer:ident)) => { $call.mechanism(Operation::$operation, $pointer) };
    ($call:ident, message($active:ident, $pointer:ident, $length:ident)) => { $call.message(Active::$active, $pointer, $length) };
    ($call:ident, does($act:ident)) => { $call.does(policy::Act::$act) };
    ($call:ident, signs($active:ident, $data:ident, $length:ident)) => { $call.signs(Active::$active, $data, $length) };
    ($call:ident, begins_message($active:ident, $pointer:ident, $length:ident)) => { $call.begins_message(Active::$active, $pointer, $length) };
    ($call:ident, part_of($active:ident)) => { $call.part_of(Active::$active) };
    ($call:ident, starts($active:ident)) => { $call.starts(Active::$active) };
    ($call:ident, continues($active:ident)) => { $call.continues(Active::$active) };
    ($call:ident, ends($active:ident)) => { $call.ends(Active::$active) };
    ($call:ident, $word:ident($($argument:tt)*)) => { $call.$word($($argument)*) };
}

/// How many objects a function makes: it has as many templates for them.
macro_rules! makes {
    ([$($after:ident($($argument:tt)*))*]) => { 0 $(+ makes!(@ $after))* };
    (@ created) => { 1 };
    (@ $other:ident) => { 0 };
}

/// The templates among the facts of the list, as they go to the vendor: pointer and count get new values under their names.
macro_rules! templates {
    ($call:ident, $room:ident, [$($before:ident($($argument:tt)*))*]) => {
        $(templates!(@ $call, $room, $before($($argument)*));)*
    };
    (@ $call:ident, $room:ident, template($pointer:ident, $count:ident)) => {
        let ($pointer, $count) = $call.template_to_forward(&mut $room, $pointer, $count);
    };
    (@ $call:ident, $room:ident, $other:ident($($argument:tt)*)) => {};
}

/// What a function does: its own way where it has one, else through the gate to the vendor's function of its name.
macro_rules! body {
    (C_Initialize, $table:expr, ($arguments:ident), $before:tt, $after:tt) => { lifecycle::initialize($table, $arguments) };
    (C_Finalize, $table:expr, ($reserved:ident), $before:tt, $after:tt) => { lifecycle::finalize($table, $reserved) };
    (C_GetFunctionList, $table:expr, ($out:ident), $before:tt, $after:tt) => {{
        let _ = $table;
        interfaces::function_list($out)
    }};
    (C_GetInterfaceList, $table:expr, ($out:ident, $count:ident), $before:tt, $after:tt) => {{
        let _ = $table;
        interfaces::interface_list($out, $count)
    }};
    (C_GetInterface, $table:expr, ($name:ident, $version:ident, $out:ident, $flags:ident), $before:tt, $after:tt) => {{
        let _ = $table;
        interfaces::interface($name, $version, $out, $flags)
    }};
    (C_GetMechanismList, $table:expr, ($slot:ident, $list:ident, $count:ident), $before:tt, $after:tt) => {
        body!(@gate C_GetMechanismList, $table, $before, $after,
            |call, vendor| mechanisms::list(call.policy(), vendor, $slot, $list, $count))
    };
    (C_GetMechanismInfo, $table:expr, ($slot:ident, $mechanism:ident, $info:ident), $before:tt, $after:tt) => {
        body!(@gate C_GetMechanismInfo, $table, $before, $after,
            |call, vendor| mechanisms::info(call.policy(), vendor, $slot, $mechanism, $info))
    };
    (C_GetSlotList, $table:expr, ($present:ident, $list:ident, $count:ident), $before:tt, $after:tt) => {
        body!(@gate C_GetSlotList, $table, $before, $after,
            |call, vendor| visible::slots(call, vendor, $present, $list, $count))
    };
    (C_WaitForSlotEvent, $table:expr, ($flags:ident, $slot:ident, $reserved:ident), $before:tt, $after:tt) => {
        body!(@gate C_WaitForSlotEvent, $table, $before, $after,
            |call, vendor| visible::event(call, vendor, $flags, $slot, $reserved))
    };
    (C_FindObjects, $table:expr, ($session:ident, $list:ident, $most:ident, $count:ident), $before:tt, $after:tt) => {
        body!(@gate C_FindObjects, $table, $before, $after,
            |call, vendor| visible::objects(call, vendor, $session, $list, $most, $count))
    };
    ($name:ident, $table:expr, ($($argument:ident),*), $before:tt, $after:tt) => {
        body!(@gate $name, $table, $before, $after, |call, vendor| {
            let function = vendor.0.$name?;
            let mut _room = Templates::<{ makes!($after) }>::new();
            templates!(call, _room, $before);
            // SAFETY: the vendor's function of that name, with the caller's arguments.
            Some(unsafe { function($(Argument($argument).forward(call)),*) })
        })
    };
    (@gate $name:ident, $table:expr, [$($before:ident($($b:tt)*))*], [$($after:ident($($a:tt)*))*], |$call:ident, $vendor:ident| $forward:expr) => {
        gate(
            Function::$name,
            $table,
            |_call| { $(fact!(_call, $before($($b)*));)* },
            |$call, $vendor| $forward,
            |_call| { $(fact!(_call, $after($($a)*));)* },
        )
    };
}

macro_rules! surface {
    ($(($major:literal, $minor:literal) $name:ident($($argument:ident: $type:ty),*) [$($before:tt)*] -> [$($after:tt)*];)*) => {
        /// Each function once, told which of the vendor's tables it forwards to.
        mod through {
            use super::*;

            $(#[inline(never)]
            pub(super) fn $name($($argument: $type,)* table: usize) -> CK_RV {
                body!($name, table, ($($argument),*), [$($before)*], [$($after)*])
            })*
        }

        /// What tables point to: for each table of the vendor's, functions that forward to it.
        mod entry {
            use super::*;

            $(pub(super) unsafe extern "C" fn $name<const TABLE: usize>($($argument: $type),*) -> CK_RV {
                through::$name($($argument,)* TABLE)
            })*
        }

        $(
            #[doc = concat!("`", stringify!($name), "` of PKCS#11, judged, forwarded and recorded.")]
            ///
            /// # Safety
            /// As PKCS#11 demands of its callers.
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $name($($argument: $type),*) -> CK_RV {
                // SAFETY: the caller's promise.
                unsafe { entry::$name::<{ Table::Exports as usize }>($($argument),*) }
            }
        )*

        const fn entries<const TABLE: usize>(version: CK_VERSION) -> CK_FUNCTION_LIST_3_2 {
            CK_FUNCTION_LIST_3_2 { version, $($name: Some(entry::$name::<TABLE>)),* }
        }
    };
}
event::pkcs11!(surface);

/// A table of ours that forwards to one of the vendor's. It says the version it is given, and has what belongs to
/// that version as its beginning.
pub(crate) fn list(table: Table, version: CK_VERSION) -> CK_FUNCTION_LIST_3_2 {
    match table {
        Table::Exports => entries::<{ Table::Exports as usize }>(version),
        Table::V2 => entries::<{ Table::V2 as usize }>(version),
        Table::V30 => entries::<{ Table::V30 as usize }>(version),
        Table::V31 => entries::<{ Table::V31 as usize }>(version),
        Table::V32 => entries::<{ Table::V32 as usize }>(version),
    }
}

/// The table of `C_GetFunctionList`, in the library's own image.
pub(crate) struct StaticList(CK_FUNCTION_LIST_3_2);

// SAFETY: a constant.
unsafe impl Sync for StaticList {}

impl StaticList {
    pub(crate) const fn new(version: CK_VERSION) -> StaticList {
        StaticList(entries::<{ Table::V2 as usize }>(version))
    }

    /// As C has it. Nobody writes through it: PKCS#11 gives function lists out to be read.
    pub(crate) fn pointer(&'static self) -> *mut CK_FUNCTION_LIST {
        std::ptr::from_ref(&self.0).cast_mut().cast()
    }
}
