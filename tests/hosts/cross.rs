// SPDX-License-Identifier: Apache-2.0
//! Every function that takes a mechanism, by every way in, with whatever mechanisms are named; and for each call what the
//! stub vendor saw of it. Operations that were started stay active: what is judged may not depend on it.

use std::path::Path;

use cryptoki_sys::*;
use event::Function;
use harness::counts::Counts;

use crate::frame::{Frame, invoke, offers};
use crate::lifecycle::opened;
use crate::module::{Module, WAYS, judged};

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
    let file = std::env::var_os("VENDOR_COUNTS").unwrap_or_default();
    let before = Counts::read(Path::new(&file)).of(function);
    let rv = invoke(table, function, frame).unwrap_or(CK_RV::MAX);
    let after = Counts::read(Path::new(&file));
    Seen { rv, calls: after.of(function) - before, last: after.last_mechanism().0 }
}

/// Arguments that are numbers.
pub(crate) fn numbers(arguments: &[String]) -> Vec<u64> {
    arguments.iter().filter_map(|text| text.parse().ok()).collect()
}
