// SPDX-License-Identifier: Apache-2.0
//! Every function that takes a mechanism, by every way in, with whatever mechanisms are named; and for each call what the
//! stub vendor saw of it. Operations that were started stay active: what is judged may not depend on it.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::LazyLock;

use cryptoki_sys::*;
use event::Function;

use crate::frame::{Frame, invoke, offers};
use crate::lifecycle::opened;
use crate::module::{Module, WAYS, judged};

#[path = "../vendor/counts.rs"]
#[allow(dead_code)]
mod layout;

/// The file in which the stub vendor counts.
static COUNTS: LazyLock<Option<File>> = LazyLock::new(|| File::open(std::env::var_os("VENDOR_COUNTS")?).ok());

/// What became of a call: what it returned, how often its function arrived at the vendor by any way, and with which
/// mechanism the last time that any arrived.
pub(crate) struct Seen {
    rv: CK_RV,
    calls: u64,
    last: u64,
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#x}:{}:{:#x}", self.rv, self.calls, self.last)
    }
}

/// `MODULE MECHANISM…`: each function with each of these mechanisms, without a parameter; one line per way and function:
/// `WAY FUNCTION RV:CALLS:LAST…`, in the order of the mechanisms.
pub(crate) fn cross(arguments: &[String]) {
    let module = Module::load(&arguments[0]);
    let mechanisms = numbers(&arguments[1..]);
    for way in WAYS {
        let Some(table) = module.table(way) else { continue };
        let session = opened(&table);
        for function in judged().filter(|function| offers(&table, *function)) {
            print!("{way} {}", function.name());
            for number in &mechanisms {
                let mut frame = Frame::new(session, *number);
                (frame.mechanism.pParameter, frame.mechanism.ulParameterLen) = (std::ptr::null_mut(), 0);
                print!(" {}", measured(&table, function, &mut frame));
            }
            println!();
        }
        invoke(&table, Function::C_Finalize, &mut Frame::new(0, 0));
    }
}

/// Makes a call between two looks at the counters of the stub vendor.
pub(crate) fn measured(table: &CK_FUNCTION_LIST_3_2, function: Function, frame: &mut Frame) -> Seen {
    let arrived = || {
        (0..WAYS.len()).map(|way| counted(layout::cell(way, function as usize))).fold(0, u64::wrapping_add)
    };
    let before = arrived();
    let rv = invoke(table, function, frame).unwrap_or(CK_RV::MAX);
    Seen { rv, calls: arrived().wrapping_sub(before), last: counted(layout::LAST) }
}

/// One cell of the counters; a number that no count reaches where there is no such file.
fn counted(cell: usize) -> u64 {
    let mut bytes = [0; 8];
    let read = COUNTS.as_ref().is_some_and(|file| file.read_exact_at(&mut bytes, 8 * cell as u64).is_ok());
    if read { u64::from_ne_bytes(bytes) } else { u64::MAX }
}

/// Arguments that are numbers.
pub(crate) fn numbers(arguments: &[String]) -> Vec<u64> {
    arguments.iter().filter_map(|text| text.parse().ok()).collect()
}
