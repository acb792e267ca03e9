// SPDX-License-Identifier: Apache-2.0
//! Every function with NULL pointers: none, all, and each alone.

use cryptoki_sys::*;
use event::Function;

use crate::frame::{Frame, Null, invoke, offers};
use crate::lifecycle::opened;
use crate::module::{Module, WAYS};

/// `MODULE`: one line per way, function and set of NULL pointers: the return value and a digest of what was written.
/// Each call has a freshly initialized module. Discovery writes addresses, which differ by nature: no digest.
pub(crate) fn nulls(arguments: &[String]) {
    let module = Module::load(&arguments[0]);
    for way in WAYS {
        let Some(table) = module.table(way) else { continue };
        for function in Function::ALL.iter().copied().filter(|function| offers(&table, *function)) {
            let mut set = vec![Null::None, Null::All];
            while let Some(null) = set.pop() {
                let session = opened(&table);
                let mut frame = Frame::new(session, CKM_AES_CBC);
                frame.null = null;
                let rv = invoke(&table, function, &mut frame).unwrap_or(CK_RV::MAX);
                if null == Null::None {
                    set.extend((0..frame.pointers()).map(Null::Only));
                }
                let addresses = matches!(
                    function,
                    Function::C_GetFunctionList | Function::C_GetInterfaceList | Function::C_GetInterface
                );
                let written = if addresses { 0 } else { frame.digest() };
                println!("{way} {} {null:?} rv={rv:#x} written={written:016x}", function.name());
                invoke(&table, Function::C_Finalize, &mut Frame::new(0, 0));
            }
        }
    }
}
