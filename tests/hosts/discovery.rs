// SPDX-License-Identifier: Apache-2.0
//! What a module offers: interfaces, tables, mechanisms.

use std::ffi::{CStr, c_void};

use cryptoki_sys::*;
use event::{FUNCTIONS, Function};

use crate::frame::{Frame, invoke};
use crate::lifecycle::opened;
use crate::module::{Module, WAYS, length};

/// `MODULE`: every interface listed, and what `C_GetInterface` answers for each way of asking.
pub(crate) fn interfaces(arguments: &[String]) {
    let module = Module::load(&arguments[0]);
    let Some(exports) = module.table("export") else { return };
    if let Some(list) = exports.C_GetInterfaceList {
        let mut count = 0;
        // SAFETY: the two-call idiom, with as much room as the module asked for.
        let listed = unsafe {
            let sized = list(std::ptr::null_mut(), &mut count);
            let mut small = 0;
            let mut room = vec![
                CK_INTERFACE {
                    pInterfaceName: std::ptr::null_mut(),
                    pFunctionList: std::ptr::null_mut(),
                    flags: 0
                };
                64
            ];
            let too_small = list(room.as_mut_ptr(), &mut small);
            let filled = list(room.as_mut_ptr(), &mut count);
            println!("list sized={sized:#x} small={too_small:#x} filled={filled:#x} count={count}");
            room.truncate(if filled == CKR_OK { count as usize } else { 0 });
            room
        };
        for interface in &listed {
            println!("listed {}", described(interface));
        }
    }
    let Some(ask) = exports.C_GetInterface else { return println!("no C_GetInterface") };
    let names: [Option<&CStr>; 4] =
        [None, Some(c"PKCS 11"), Some(c"Vendor Stub Interface"), Some(c"No Such Interface")];
    let versions = [None, Some((2, 40)), Some((3, 0)), Some((3, 1)), Some((3, 2)), Some((9, 9))];
    for name in names {
        for version in versions {
            for flags in [0, CKF_INTERFACE_FORK_SAFE] {
                let mut asked = version.map(|(major, minor)| CK_VERSION { major, minor });
                let mut found: *mut CK_INTERFACE = std::ptr::null_mut();
                let spelled = name.map_or(std::ptr::null_mut(), |name| name.as_ptr().cast_mut().cast());
                let at = asked.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut);
                // SAFETY: a terminated name or NULL, a version or NULL, a place for one pointer.
                let rv = unsafe { ask(spelled, at, &mut found, flags) };
                // SAFETY: CKR_OK promises a valid interface.
                let what =
                    unsafe { found.as_ref() }.filter(|_| rv == CKR_OK).map_or(String::from("-"), described);
                println!("asked name={name:?} version={version:?} flags={flags} rv={rv:#x} {what}");
            }
        }
    }
}

/// `MODULE`: in which image each entry of each table lies, how many are NULL, and how many lie in the module itself.
pub(crate) fn tables(arguments: &[String]) {
    let module = Module::load(&arguments[0]);
    for way in WAYS {
        let Some(table) = module.table(way) else { continue };
        let entries = (&raw const table).cast::<*const c_void>();
        let most = if way == "2.40" {
            length((2, 40))
        } else if way == "3.0" {
            length((3, 0))
        } else {
            FUNCTIONS.len()
        };
        let (mut own, mut null, mut foreign) = (0, 0, 0);
        for place in 0..most {
            // SAFETY: entry `place` follows the version.
            let entry = unsafe { *entries.add(1 + place) };
            match image(entry) {
                None if entry.is_null() => null += 1,
                Some(path) if same_file(&path, &arguments[0]) => own += 1,
                _ => foreign += 1,
            }
        }
        println!(
            "{way} major={} minor={} own={own} null={null} foreign={foreign}",
            table.version.major, table.version.minor
        );
    }
}

/// `MODULE`: the mechanism list by its three paths and the information on each of the mechanisms named after it.
pub(crate) fn mechanisms(arguments: &[String]) {
    let module = Module::load(&arguments[0]);
    for way in WAYS {
        let Some(table) = module.table(way) else { continue };
        opened(&table);
        let (Some(list), Some(info)) = (table.C_GetMechanismList, table.C_GetMechanismInfo) else { continue };
        // SAFETY: the two-call idiom with the room that is said.
        unsafe {
            let (mut count, mut small, mut room) = (0, 1, [0u64; 512]);
            let sized = list(7, std::ptr::null_mut(), &mut count);
            let too_small = list(7, room.as_mut_ptr(), &mut small);
            let mut filled_count = 512;
            let filled = list(7, room.as_mut_ptr(), &mut filled_count);
            print!(
                "{way} sized={sized:#x} count={count} small={too_small:#x} count={small} filled={filled:#x} count={filled_count}"
            );
            println!(" list={:?}", &room[..filled_count as usize]);
            for number in arguments[1..].iter().filter_map(|text| text.parse().ok()) {
                let mut about = CK_MECHANISM_INFO::default();
                let rv = info(7, number, &mut about);
                println!("{way} info {number} rv={rv:#x} {about:?}");
            }
        }
        invoke(&table, Function::C_Finalize, &mut Frame::new(0, 0));
    }
}

fn described(interface: &CK_INTERFACE) -> String {
    // SAFETY: an interface of the module: a terminated name and a table that starts with its version.
    let (name, version) = unsafe {
        (
            CStr::from_ptr(interface.pInterfaceName.cast()).to_string_lossy(),
            *interface.pFunctionList.cast::<CK_VERSION>(),
        )
    };
    format!("\"{name}\" {}.{} flags={}", version.major, version.minor, interface.flags)
}

fn image(address: *const c_void) -> Option<String> {
    let mut found = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: dladdr fills the structure where it answers non-zero, with a path that lives as long as the image.
    unsafe {
        let known = libc::dladdr(address, found.as_mut_ptr()) != 0;
        known.then(|| CStr::from_ptr((*found.as_ptr()).dli_fname).to_string_lossy().into_owned())
    }
}

fn same_file(one: &str, other: &str) -> bool {
    std::fs::canonicalize(one).ok() == std::fs::canonicalize(other).ok()
}
