// SPDX-License-Identifier: Apache-2.0
//! A loaded module and its ways in: the exported symbols and the tables of each version, all in the shape of the widest
//! table, NULL where the way has no such function.

use std::ffi::CString;

use cryptoki_sys::*;
use event::{FUNCTIONS, Function};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

/// The ways in, as the stub vendor names them.
pub(crate) const WAYS: [&str; 4] = ["export", "2.40", "3.0", "3.2"];

/// A module in this process.
pub(crate) struct Module {
    library: Library,
}

impl Module {
    /// Loads the module as applications do, or ends the program with the loader's reason.
    pub(crate) fn load(path: &str) -> Module {
        // SAFETY: the modules under test run their own initialisers only.
        match unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) } {
            Ok(library) => Module { library },
            Err(error) => {
                println!("load {error}");
                std::process::exit(2);
            }
        }
    }

    /// Unloads it, as far as the module lets itself be unloaded.
    pub(crate) fn unload(self) {
        drop(self.library.close());
    }

    /// The address of an exported function.
    pub(crate) fn symbol(&self, name: &str) -> Option<*mut std::ffi::c_void> {
        let name = CString::new(name).ok()?;
        // SAFETY: the address is only kept, called later under its own name's type.
        unsafe { self.library.get::<*mut std::ffi::c_void>(name.as_bytes_with_nul()) }
            .ok()
            .map(|symbol| *symbol)
    }

    /// The functions as this way hands them out; `None` where the module has no such way.
    pub(crate) fn table(&self, way: &str) -> Option<CK_FUNCTION_LIST_3_2> {
        match way {
            "export" => Some(self.exports()),
            "2.40" => {
                let exports = self.exports();
                let mut list = std::ptr::null_mut();
                // SAFETY: C_GetFunctionList of the module, which stores one pointer.
                let rv = unsafe { (exports.C_GetFunctionList?)(&mut list) };
                (rv == CKR_OK).then(|| widened(list.cast(), (2, 40)))
            }
            "3.0" => self.interface(3, 0),
            "3.2" => self.interface(3, 2),
            _ => None,
        }
    }

    fn interface(&self, major: u8, minor: u8) -> Option<CK_FUNCTION_LIST_3_2> {
        let mut version = CK_VERSION { major, minor };
        let mut found: *mut CK_INTERFACE = std::ptr::null_mut();
        let name = c"PKCS 11".as_ptr().cast_mut().cast();
        // SAFETY: C_GetInterface of the module with a terminated name; it stores one pointer.
        let rv = unsafe { (self.exports().C_GetInterface?)(name, &mut version, &mut found, 0) };
        // SAFETY: CKR_OK promises a valid interface.
        (rv == CKR_OK && !found.is_null())
            .then(|| widened(unsafe { (*found).pFunctionList.cast() }, (major, minor)))
    }

    fn exports(&self) -> CK_FUNCTION_LIST_3_2 {
        let mut table = CK_FUNCTION_LIST_3_2::default();
        let entries = (&raw mut table).cast::<*mut std::ffi::c_void>();
        for (place, function) in FUNCTIONS.iter().enumerate() {
            if let Some(address) = self.symbol(function.name) {
                // SAFETY: entry `place` follows the version, and the symbol has the entry's name and type.
                unsafe { *entries.add(1 + place) = address };
            }
        }
        table
    }
}

/// How many functions a table of this version has.
pub(crate) fn length(version: (u8, u8)) -> usize {
    FUNCTIONS.iter().filter(|function| function.since <= version).count()
}

/// Every function that takes a `CK_MECHANISM`.
pub(crate) fn judged() -> impl Iterator<Item = Function> {
    Function::ALL.iter().copied().filter(|function| {
        function.info().arguments.iter().any(|(_, kind)| kind.replace(' ', "") == "*mutCK_MECHANISM")
    })
}

fn widened(list: *const CK_FUNCTION_LIST_3_2, version: (u8, u8)) -> CK_FUNCTION_LIST_3_2 {
    let mut table = CK_FUNCTION_LIST_3_2::default();
    // SAFETY: a table of this version has so many entries after its version; each list is a prefix of the widest.
    unsafe { (&raw mut table).cast::<usize>().copy_from(list.cast(), 1 + length(version)) };
    table
}
