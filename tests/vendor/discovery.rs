// SPDX-License-Identifier: Apache-2.0
//! The tables and interfaces that the module offers: 2.40, 3.0 and 3.2, each entered by its own way, 3.2 first.
//! They are built once and never freed, for a caller may keep them as long as the library is loaded.

use std::sync::OnceLock;

use cryptoki_sys::*;

use crate::entry;
use crate::misbehaviour::{Misbehaviour, wanted};

/// The list that `C_GetFunctionList` hands out.
pub(crate) fn function_list() -> *mut CK_FUNCTION_LIST {
    (&raw const offered().first).cast_mut().cast()
}

/// The interfaces, most preferred first.
pub(crate) fn interfaces() -> &'static [CK_INTERFACE] {
    &offered().interfaces
}

/// The interface that a caller of `C_GetInterface` asked for: no name or no version asks for any.
pub(crate) fn interface(
    name: Option<&[u8]>,
    version: Option<CK_VERSION>,
    flags: CK_FLAGS,
) -> Option<&'static CK_INTERFACE> {
    interfaces().iter().find(|offer| {
        // SAFETY: both pointers are ours: a literal, and a table that starts with its version.
        let (known, has) = unsafe {
            (std::ffi::CStr::from_ptr(offer.pInterfaceName.cast()), *offer.pFunctionList.cast::<CK_VERSION>())
        };
        name.is_none_or(|name| name == known.to_bytes())
            && version.is_none_or(|asked| (asked.major, asked.minor) == (has.major, has.minor))
            && offer.flags & flags == flags
    })
}

struct Offered {
    /// What `C_GetFunctionList` hands out.
    first: CK_FUNCTION_LIST_3_2,
    v2: CK_FUNCTION_LIST_3_2,
    v3_0: CK_FUNCTION_LIST_3_2,
    v3_2: CK_FUNCTION_LIST_3_2,
    own: CK_FUNCTION_LIST_3_2,
    interfaces: Vec<CK_INTERFACE>,
}

// SAFETY: written once before it is shared, and only read after.
unsafe impl Send for Offered {}
// SAFETY: as above.
unsafe impl Sync for Offered {}

fn offered() -> &'static Offered {
    static OFFERED: OnceLock<&'static Offered> = OnceLock::new();
    OFFERED.get_or_init(|| {
        let holes = |list| if wanted(Misbehaviour::NullEntries) { entry::with_holes(list) } else { list };
        let made = |list: CK_FUNCTION_LIST_3_2| {
            holes(if wanted(Misbehaviour::Captured) { entry::exported(list.version) } else { list })
        };
        let first = if wanted(Misbehaviour::V3InV2List) { version(3, 0) } else { version(2, 40) };
        let offered = Box::leak(Box::new(Offered {
            first: made(entry::list::<1>(first)),
            v2: made(entry::list::<1>(version(2, 40))),
            v3_0: made(entry::list::<2>(version(3, 0))),
            v3_2: made(entry::list::<3>(version(3, 2))),
            own: made(entry::list::<3>(version(3, 2))),
            interfaces: Vec::new(),
        }));
        let standard = c"PKCS 11";
        let mut interfaces = vec![
            offer(standard, &offered.v3_2, 0),
            offer(standard, &offered.v3_0, CKF_INTERFACE_FORK_SAFE),
            offer(standard, &offered.v2, 0),
        ];
        if wanted(Misbehaviour::VendorInterface) {
            interfaces.push(offer(c"Vendor Stub Interface", &offered.own, 0));
        }
        offered.interfaces = interfaces;
        offered
    })
}

fn offer(name: &'static std::ffi::CStr, list: &CK_FUNCTION_LIST_3_2, flags: CK_FLAGS) -> CK_INTERFACE {
    CK_INTERFACE {
        pInterfaceName: name.as_ptr().cast_mut().cast(),
        pFunctionList: (&raw const *list).cast_mut().cast(),
        flags,
    }
}

const fn version(major: u8, minor: u8) -> CK_VERSION {
    CK_VERSION { major, minor }
}
