// SPDX-License-Identifier: Apache-2.0
//! The three discovery functions, answered here: forwarding them would hand out the vendor's own tables. The interfaces
//! offered are the vendor's, version by version, each with a table of ours behind it.
#![allow(unsafe_code)]

use cryptoki_sys::*;
use std::ffi::CStr;
use std::ptr;

use crate::abi;
use crate::gate::ours;
use crate::start::Shim;
use crate::trace;
use crate::vendor::{Table, Vendor, standard};

/// What an application can ask for.
pub(crate) struct Interfaces {
    /// In the vendor's order, ours last.
    list: Box<[CK_INTERFACE]>,
    /// For each of `list`, the vendor's own interface behind it; none for what the vendor does not have.
    behind: Box<[Option<CK_INTERFACE>]>,
}

// SAFETY: constants: tables and names that are never freed or written.
unsafe impl Send for Interfaces {}
// SAFETY: as above.
unsafe impl Sync for Interfaces {}

const STANDARD: &CStr = c"PKCS 11";

impl Interfaces {
    /// The vendor's interfaces with our tables. Where it has no `C_GetInterface`, its list of version 2.40 is one.
    pub(crate) fn mirror(vendor: &Vendor, pass_others: bool) -> Interfaces {
        let mut list = Vec::new();
        let mut behind = Vec::new();
        for interface in &vendor.interfaces {
            match standard(interface) {
                Some((table, _)) => {
                    // SAFETY: a function list, which begins with its version.
                    let version = unsafe { interface.pFunctionList.cast::<CK_VERSION>().read_unaligned() };
                    list.push(ours_as(table, version, interface.flags));
                    behind.push(Some(*interface));
                }
                None if pass_others => {
                    list.push(*interface);
                    behind.push(Some(*interface));
                }
                None => (),
            }
        }
        if list.is_empty() {
            list.push(ours_as(Table::V2, V2_40, 0));
            behind.push(None);
        }
        list.push(trace::interface());
        behind.push(None);
        Interfaces { list: list.into(), behind: behind.into() }
    }
}

const V2_40: CK_VERSION = CK_VERSION { major: 2, minor: 40 };

fn ours_as(table: Table, version: CK_VERSION, flags: CK_FLAGS) -> CK_INTERFACE {
    let functions = Box::leak(Box::new(abi::list(table, version)));
    CK_INTERFACE {
        pInterfaceName: STANDARD.as_ptr().cast_mut().cast(),
        pFunctionList: ptr::from_mut(functions).cast(),
        flags,
    }
}

/// The table of `C_GetFunctionList`. It does not depend on a configuration: without one, `C_Initialize` says so.
static FUNCTIONS: abi::StaticList = abi::StaticList::new(V2_40);

/// `C_GetFunctionList`.
pub(crate) fn function_list(out: *mut *mut CK_FUNCTION_LIST) -> CK_RV {
    if out.is_null() {
        return CKR_ARGUMENTS_BAD;
    }
    // Loaded now, so that what an application sees of interfaces does not depend on the order of its questions.
    let _ = ours(Shim::start);
    // SAFETY: not NULL, and the caller's promise that there is room for a pointer. Nobody writes to a function list.
    unsafe { out.write_unaligned(FUNCTIONS.pointer()) };
    CKR_OK
}

/// What is offered while there is no configuration to ask a vendor by.
fn without_vendor() -> &'static Interfaces {
    static ALONE: std::sync::OnceLock<Interfaces> = std::sync::OnceLock::new();
    ALONE.get_or_init(|| Interfaces {
        list: Box::new([ours_as(Table::V2, V2_40, 0)]),
        behind: Box::new([None]),
    })
}

fn offered() -> Option<&'static Interfaces> {
    ours(|| Shim::start().map_or_else(without_vendor, |shim| &shim.interfaces))
}

/// `C_GetInterfaceList`.
pub(crate) fn interface_list(out: *mut CK_INTERFACE, count: *mut CK_ULONG) -> CK_RV {
    let Some(interfaces) = offered() else { return CKR_GENERAL_ERROR };
    if count.is_null() {
        return CKR_ARGUMENTS_BAD;
    }
    let length = interfaces.list.len();
    // SAFETY: not NULL, and the caller's promise that it is a count.
    let room = unsafe { count.read_unaligned() };
    // SAFETY: as above.
    unsafe { count.write_unaligned(length as CK_ULONG) };
    if out.is_null() {
        return CKR_OK;
    }
    if room < length as CK_ULONG {
        return CKR_BUFFER_TOO_SMALL;
    }
    for (place, interface) in interfaces.list.iter().enumerate() {
        // SAFETY: the caller's promise of room for so many.
        unsafe { out.add(place).write_unaligned(*interface) };
    }
    CKR_OK
}

/// `C_GetInterface`: the vendor chooses among its own, and its choice is answered with our table. Modules differ in what
/// they make of missing names, versions and flags, and an application must not see us differ from them.
pub(crate) fn interface(
    name: *mut CK_UTF8CHAR,
    version: *mut CK_VERSION,
    out: *mut *mut CK_INTERFACE,
    flags: CK_FLAGS,
) -> CK_RV {
    let Some(interfaces) = offered() else { return CKR_GENERAL_ERROR };
    if out.is_null() {
        return CKR_ARGUMENTS_BAD;
    }
    let give = |place: usize| {
        // SAFETY: not NULL, and the caller's promise that there is room for a pointer. Nobody writes to an interface.
        unsafe { out.write_unaligned(ptr::from_ref(&interfaces.list[place]).cast_mut()) };
        CKR_OK
    };
    // SAFETY: the caller's promise: NULL or a NULL-terminated name.
    let wanted = (!name.is_null()).then(|| unsafe { CStr::from_ptr(name.cast()) });
    let ours_at = interfaces.list.len() - 1;
    if wanted == Some(trace::NAME) && Shim::current().is_some() {
        return if version.is_null() || flags == 0 { give(ours_at) } else { CKR_ARGUMENTS_BAD };
    }
    let choose = Shim::current().and_then(|shim| shim.vendor.choose);
    let mut chosen: *mut CK_INTERFACE = ptr::null_mut();
    // SAFETY: the caller's arguments as they came, with a place of our own for the answer.
    match choose.map(|choose| unsafe { choose(name, version, &mut chosen, flags) }) {
        Some(CKR_OK) if !chosen.is_null() => {
            // SAFETY: the vendor said CKR_OK and gave an interface. It is read once and never written.
            let chosen = unsafe { chosen.read_unaligned() };
            match interfaces
                .behind
                .iter()
                .position(|behind| behind.is_some_and(|behind| same(&behind, &chosen)))
            {
                Some(place) => give(place),
                // One that is hidden. Who asked for none by name gets the newest of the standard.
                None if wanted.is_none() => newest(interfaces).map_or(CKR_ARGUMENTS_BAD, give),
                None => CKR_ARGUMENTS_BAD,
            }
        }
        // Old firmware answers so behind a new library, and means the same as having no such function.
        None | Some(CKR_FUNCTION_NOT_SUPPORTED) => {
            // SAFETY: the caller's promise: NULL or a version.
            let version = (!version.is_null()).then(|| unsafe { version.read_unaligned() });
            let named = wanted.is_none_or(|wanted| wanted == STANDARD);
            let fits = version.is_none_or(|v| (v.major, v.minor) == (V2_40.major, V2_40.minor));
            if named && fits && flags == 0 { give(0) } else { CKR_ARGUMENTS_BAD }
        }
        Some(CKR_OK) => CKR_ARGUMENTS_BAD,
        Some(rv) => rv,
    }
}

/// Whether two of the vendor's interfaces are one: the same table under the same name.
fn same(one: &CK_INTERFACE, other: &CK_INTERFACE) -> bool {
    if one.pInterfaceName.is_null() || other.pInterfaceName.is_null() {
        return false;
    }
    // SAFETY: interface names are NULL-terminated strings (PKCS#11 3.2, section 3.6).
    let names = unsafe { [one, other].map(|it| CStr::from_ptr(it.pInterfaceName.cast())) };
    names[0] == names[1] && ptr::eq(one.pFunctionList, other.pFunctionList)
}

fn newest(interfaces: &Interfaces) -> Option<usize> {
    let version = |interface: &CK_INTERFACE| {
        // SAFETY: a function list, which begins with its version.
        let version = unsafe { interface.pFunctionList.cast::<CK_VERSION>().read_unaligned() };
        (version.major, version.minor)
    };
    let standard = interfaces.list.iter().enumerate().filter(|(_, interface)| standard(interface).is_some());
    standard.max_by_key(|(_, interface)| version(interface)).map(|(place, _)| place)
}
