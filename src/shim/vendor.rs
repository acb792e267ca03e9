// SPDX-License-Identifier: Apache-2.0
//! The vendor's module: loads it, takes a copy of its tables once, and is the only caller of its functions that no
//! application asked for. Refuses a module whose tables lead back to us.
#![allow(unsafe_code)]

use cryptoki_sys::*;
use event::Function;
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use std::ffi::{CStr, c_void};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::{mem, ptr};

/// Which of the vendor's tables a function of ours forwards to: modules answer differently by version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Table {
    /// The symbols that the vendor exports; for those it does not, the first table that has the function.
    Exports = 0,
    /// The list of `C_GetFunctionList`.
    V2 = 1,
    /// The "PKCS 11" interface of version 3.0.
    V30 = 2,
    /// The "PKCS 11" interface of version 3.1.
    V31 = 3,
    /// The "PKCS 11" interface of version 3.2 and later, as far as 3.2 goes.
    V32 = 4,
}

/// How many tables there are.
pub(crate) const TABLES: usize = 5;

/// One of the vendor's tables, our own copy: what the vendor does to its own later does not reach us.
pub(crate) struct List(pub(crate) CK_FUNCTION_LIST_3_2);

/// A vendor's module.
pub(crate) struct Vendor {
    /// By [`Table`].
    lists: [Option<List>; TABLES],
    /// What `C_GetInterfaceList` gave, in its order; empty where there is none.
    pub(crate) interfaces: Vec<CK_INTERFACE>,
    /// The vendor's own `C_GetInterface`.
    pub(crate) choose: CK_C_GetInterface,
    /// Never closed: functions of it may run until the process ends.
    _library: mem::ManuallyDrop<Library>,
}

// SAFETY: tables and interface names are the vendor's constants, and its functions may be called from any thread
// as far as PKCS#11 allows, which is the application's to observe.
unsafe impl Send for Vendor {}
// SAFETY: as above.
unsafe impl Sync for Vendor {}

/// Why a module cannot be used.
#[derive(Debug)]
pub(crate) enum Error {
    Load { path: PathBuf, reason: String },
    NoFunctionList { path: PathBuf },
    Refused { path: PathBuf, rv: CK_RV },
    Captured { path: PathBuf },
    Ourselves { path: PathBuf },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Load { path, reason } => {
                write!(
                    f,
                    "the vendor module {} does not load: {reason}\nhelp: check `module` in the configuration, and that this user may read the file and the libraries it needs (ldd)",
                    path.display()
                )
            }
            Error::NoFunctionList { path } => {
                write!(
                    f,
                    "{} exports no C_GetFunctionList, so it is no PKCS#11 module\nhelp: name the vendor's PKCS#11 library as `module`",
                    path.display()
                )
            }
            Error::Refused { path, rv } => {
                write!(
                    f,
                    "C_GetFunctionList of {} returned {rv:#x} or no list\nhelp: try it alone: pkcs11-tool --module {0} --show-info",
                    path.display()
                )
            }
            Error::Captured { path } => {
                write!(
                    f,
                    "the function table of {} leads back to p11guard, because p11guard's symbols are visible to it\nhelp: do not preload libp11guard.so or load it with RTLD_GLOBAL; name it as the application's module path",
                    path.display()
                )
            }
            Error::Ourselves { path } => {
                write!(
                    f,
                    "`module` names p11guard itself ({})\nhelp: name the vendor's PKCS#11 library",
                    path.display()
                )
            }
        }
    }
}

impl Vendor {
    /// Loads the module at `path`.
    pub(crate) fn load(path: &Path) -> Result<Vendor, Error> {
        match Vendor::open(path, RTLD_NOW | RTLD_LOCAL) {
            // Our exports stand in for its own where ours were loaded for all to see. Bound to itself first, it is
            // free of them; where it was loaded before and stays, only refusing is left.
            Err(Error::Captured { .. }) => Vendor::open(path, RTLD_NOW | RTLD_LOCAL | libc::RTLD_DEEPBIND),
            opened => opened,
        }
    }

    fn open(path: &Path, flags: i32) -> Result<Vendor, Error> {
        let failed = |error: libloading::Error| Error::Load { path: path.into(), reason: error.to_string() };
        // SAFETY: loading runs the module's initialisers; the owner of the configuration vouches for the module.
        let library = unsafe { Library::open(Some(path), flags) }.map_err(failed)?;
        let get = address(&library, c"C_GetFunctionList");
        if get.is_null() {
            return Err(Error::NoFunctionList { path: path.into() });
        }
        let image = image_of(get);
        if image == own_image() {
            return Err(Error::Ourselves { path: path.into() });
        }
        // A dependency of the module may export names that the module itself does not.
        let own = |name: &CStr| {
            let found = address(&library, name);
            if image_of(found) == image { found } else { ptr::null() }
        };
        let v2 = function_list(get, path)?;
        let interfaces = interfaces(own(c"C_GetInterfaceList"));
        let mut lists = [const { None }; TABLES];
        for interface in &interfaces {
            if let Some((table, size)) = standard(interface) {
                // SAFETY: the module says that this is a "PKCS 11" interface of that version.
                lists[table as usize].get_or_insert(unsafe { List::widened(interface.pFunctionList, size) });
            }
        }
        lists[Table::V2 as usize] = Some(v2);
        lists[Table::Exports as usize] = Some(List::exported(&own, &lists));
        if lists.iter().flatten().any(List::leads_back) {
            // Dropping the library unloads it, if nobody else has it: it can then be loaded another way.
            return Err(Error::Captured { path: path.into() });
        }
        // SAFETY: the symbol of that name is a C_GetInterface, or NULL, which is None.
        let choose = unsafe { mem::transmute::<*const c_void, CK_C_GetInterface>(own(c"C_GetInterface")) };
        Ok(Vendor { lists, interfaces, choose, _library: mem::ManuallyDrop::new(library) })
    }

    /// The vendor's table.
    pub(crate) fn list(&self, table: usize) -> Option<&List> {
        self.lists.get(table)?.as_ref()
    }

    /// The table that our own questions go to.
    pub(crate) fn own(&self) -> &List {
        match &self.lists[Table::V2 as usize] {
            Some(list) => list,
            None => const { &EMPTY },
        }
    }
}

/// The table and the size of the list behind a "PKCS 11" interface; none for a vendor's own.
pub(crate) fn standard(interface: &CK_INTERFACE) -> Option<(Table, usize)> {
    if interface.pInterfaceName.is_null() || interface.pFunctionList.is_null() {
        return None;
    }
    // SAFETY: interface names are NULL-terminated strings (PKCS#11 3.2, section 3.6), and every list begins with its version.
    let (name, version) = unsafe {
        (
            CStr::from_ptr(interface.pInterfaceName.cast()),
            ptr::read(interface.pFunctionList.cast::<CK_VERSION>()),
        )
    };
    if name != c"PKCS 11" {
        return None;
    }
    match (version.major, version.minor) {
        (2, _) => Some((Table::V2, mem::size_of::<CK_FUNCTION_LIST>())),
        (3, 0) => Some((Table::V30, mem::size_of::<CK_FUNCTION_LIST_3_0>())),
        (3, 1) => Some((Table::V31, mem::size_of::<CK_FUNCTION_LIST_3_0>())),
        (3, _) => Some((Table::V32, mem::size_of::<CK_FUNCTION_LIST_3_2>())),
        _ => None,
    }
}

/// The vendor's list of version 2.
fn function_list(get: *const c_void, path: &Path) -> Result<List, Error> {
    let mut list: *mut CK_FUNCTION_LIST = ptr::null_mut();
    // SAFETY: the symbol of that name is the module's C_GetFunctionList, called as PKCS#11 section 5.4.4 says.
    let rv = unsafe {
        mem::transmute::<*const c_void, CK_C_GetFunctionList>(get)
            .map_or(CKR_GENERAL_ERROR, |get| get(&mut list))
    };
    if rv != CKR_OK || list.is_null() {
        return Err(Error::Refused { path: path.into(), rv });
    }
    // SAFETY: the module gave a list of version 2, whatever its version field says: C_GetFunctionList knows no other
    // (SoftHSM 2.7 writes 3.x there).
    Ok(unsafe { List::widened(list.cast(), mem::size_of::<CK_FUNCTION_LIST>()) })
}

/// What the vendor's `C_GetInterfaceList` gives; nothing where it has none or will not say.
fn interfaces(get: *const c_void) -> Vec<CK_INTERFACE> {
    // SAFETY: the symbol of that name is a C_GetInterfaceList, or NULL, which is None.
    let Some(get) = (unsafe { mem::transmute::<*const c_void, CK_C_GetInterfaceList>(get) }) else {
        return Vec::new();
    };
    let none = CK_INTERFACE { pInterfaceName: ptr::null_mut(), pFunctionList: ptr::null_mut(), flags: 0 };
    let mut list = vec![none; MOST_INTERFACES];
    let mut count = list.len() as CK_ULONG;
    // The count is not asked for first: pkcs11-spy over a module of 2.40 then writes to the NULL pointer.
    // SAFETY: the module's own function, with room for `count` interfaces (PKCS#11 3.2, section 5.4.5).
    if unsafe { get(list.as_mut_ptr(), &mut count) } != CKR_OK {
        return Vec::new();
    }
    list.truncate(usize::try_from(count).unwrap_or(0));
    list
}

/// More interfaces than this are no list.
const MOST_INTERFACES: usize = 64;

impl List {
    /// A copy of the first `size` bytes of a list; what a longer list would have behind them is absent.
    ///
    /// # Safety
    /// `list` is a function list of at least `size` bytes; every version's list begins with those before it.
    unsafe fn widened(list: *const c_void, size: usize) -> List {
        // SAFETY: all zeros is version 0.0 and no function at all.
        let mut wide: CK_FUNCTION_LIST_3_2 = unsafe { mem::zeroed() };
        // SAFETY: the caller's promise for the source; `size` is that of a list type, none longer than this one.
        unsafe { ptr::copy_nonoverlapping(list.cast::<u8>(), (&raw mut wide).cast::<u8>(), size) };
        List(wide)
    }

    /// `C_GetTokenInfo`, asked by ourselves.
    pub(crate) fn token_info(&self, slot: u64, info: &mut CK_TOKEN_INFO) -> Option<CK_RV> {
        // SAFETY: the vendor's function with a place for its answer.
        self.0.C_GetTokenInfo.map(|ask| unsafe { ask(slot, info) })
    }

    /// `C_GetSessionInfo`, asked by ourselves.
    pub(crate) fn session_info(&self, session: u64, info: &mut CK_SESSION_INFO) -> Option<CK_RV> {
        // SAFETY: the vendor's function with a place for its answer.
        self.0.C_GetSessionInfo.map(|ask| unsafe { ask(session, info) })
    }

    /// `C_GetAttributeValue`, asked by ourselves.
    ///
    /// # Safety
    /// Every attribute of `template` has room for `ulValueLen` bytes at `pValue`.
    pub(crate) unsafe fn attributes(
        &self,
        session: u64,
        object: u64,
        template: &mut [CK_ATTRIBUTE],
    ) -> Option<CK_RV> {
        let ask = self.0.C_GetAttributeValue?;
        // SAFETY: the caller's promise.
        Some(unsafe { ask(session, object, template.as_mut_ptr(), template.len() as CK_ULONG) })
    }

    /// `C_GetMechanismList`, asked by ourselves. `list` is None for the count.
    pub(crate) fn mechanism_list(
        &self,
        slot: u64,
        list: Option<&mut [u64]>,
        count: &mut CK_ULONG,
    ) -> Option<CK_RV> {
        let place = place_of(list, count);
        // SAFETY: the vendor's function, with room for as many as the count says, or NULL for the count.
        self.0.C_GetMechanismList.map(|ask| unsafe { ask(slot, place, count) })
    }

    /// `C_GetSlotList`, asked by ourselves. `list` is None for the count.
    pub(crate) fn slot_list(
        &self,
        present: CK_BBOOL,
        list: Option<&mut [u64]>,
        count: &mut CK_ULONG,
    ) -> Option<CK_RV> {
        let place = place_of(list, count);
        // SAFETY: as above.
        self.0.C_GetSlotList.map(|ask| unsafe { ask(present, place, count) })
    }
}

/// A list as C has it, its length in `count`; NULL for none.
fn place_of(list: Option<&mut [u64]>, count: &mut CK_ULONG) -> *mut u64 {
    list.map_or(ptr::null_mut(), |list| {
        *count = list.len() as CK_ULONG;
        list.as_mut_ptr()
    })
}

/// The address of a symbol; NULL where there is none.
fn address(library: &Library, name: &CStr) -> *const c_void {
    // SAFETY: only the address is taken; who calls it says what it is.
    unsafe { library.get::<*const c_void>(name.to_bytes_with_nul()) }.map_or(ptr::null(), |symbol| *symbol)
}

/// Where the library that holds an address is loaded; 0 for none.
fn image_of(address: *const c_void) -> usize {
    // SAFETY: all zeros is a Dl_info; dladdr takes any address.
    let mut info: libc::Dl_info = unsafe { mem::zeroed() };
    // SAFETY: as above.
    if unsafe { libc::dladdr(address, &mut info) } == 0 { 0 } else { info.dli_fbase as usize }
}

fn own_image() -> usize {
    image_of(own_image as *const c_void)
}

/// Where our own library was loaded from.
pub(crate) fn own_path() -> PathBuf {
    // SAFETY: all zeros is a Dl_info; dladdr takes any address.
    let mut info: libc::Dl_info = unsafe { mem::zeroed() };
    // SAFETY: as above.
    let found = unsafe { libc::dladdr(own_image as *const c_void, &mut info) };
    if found == 0 || info.dli_fname.is_null() {
        return PathBuf::new();
    }
    // SAFETY: dladdr gives the loader's own copy of the path, which stays.
    let path = unsafe { CStr::from_ptr(info.dli_fname) };
    PathBuf::from(std::ffi::OsStr::from_bytes(path.to_bytes()))
}

impl List {
    /// The functions that the module exports by name; for those it does not, the first table's that has them.
    fn exported(own: &dyn Fn(&CStr) -> *const c_void, lists: &[Option<List>]) -> List {
        let mut list = EMPTY;
        list.0.version = CK_VERSION { major: 3, minor: 2 };
        let mut name = [0; LONGEST_NAME + 1];
        for (place, function) in event::FUNCTIONS.iter().enumerate() {
            name.fill(0);
            name[..function.name.len()].copy_from_slice(function.name.as_bytes());
            let exported = CStr::from_bytes_until_nul(&name).map_or(ptr::null(), own);
            let of_a_table =
                || lists.iter().flatten().map(|list| list.entries()[place]).find(|it| !it.is_null());
            let found = if exported.is_null() { of_a_table() } else { Some(exported) };
            // SAFETY: the entry of that place is that function, or NULL, which is None.
            unsafe {
                (&raw mut list.0).cast::<*const c_void>().add(1 + place).write(found.unwrap_or(ptr::null()))
            };
        }
        list
    }

    /// Whether an entry lies inside our own image: calling it would call us, and we it.
    fn leads_back(&self) -> bool {
        let ours = own_image();
        self.entries().iter().any(|function| !function.is_null() && image_of(*function) == ours)
    }

    /// The functions as addresses, NULL where there is none: a list is its version, padded to a pointer, and one pointer
    /// for each function.
    fn entries(&self) -> &[*const c_void; Function::ALL.len()] {
        const { assert!(size_of::<List>() == (1 + Function::ALL.len()) * size_of::<*const c_void>()) };
        // SAFETY: so it is laid out, and a function pointer or None is an address or NULL.
        unsafe { &*(&raw const self.0).cast::<*const c_void>().add(1).cast() }
    }
}

/// No function has a longer name.
const LONGEST_NAME: usize = 63;

/// What is asked of a vendor that has nothing.
const EMPTY: List = List({
    // SAFETY: all zeros is version 0.0 and no function at all.
    unsafe { mem::zeroed() }
});
