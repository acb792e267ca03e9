// SPDX-License-Identifier: Apache-2.0
//! Denied mechanisms: at every function that takes one, by every way in, with and without an active operation, and
//! while another thread changes the mechanism under the call.

use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering::Relaxed};

use cryptoki_sys::*;
use event::Function;

use crate::frame::{Frame, invoke, offers};
use crate::lifecycle::opened;
use crate::module::{Module, WAYS, judged};

/// `MODULE DENIED ALLOWED`: one line per way and function, `WAY FUNCTION denied=RV untouched=BOOL`, and for those that
/// start an operation, what became of an operation that was left alone, of one with a denied Init and then a second
/// allowed Init in its middle, and of one that a NULL mechanism cancelled.
pub(crate) fn veto(arguments: &[String]) {
    let module = Module::load(&arguments[0]);
    let [denied, allowed] = [1, 2].map(|place| arguments[place].parse().unwrap_or_default());
    for way in WAYS {
        let Some(table) = module.table(way) else { continue };
        for function in judged().filter(|function| offers(&table, *function)) {
            let session = opened(&table);
            let mut deny = Frame::new(session, denied);
            let rv = invoke(&table, function, &mut deny).unwrap_or(CK_RV::MAX);
            print!("{way} {} denied={rv:#x} untouched={}", function.name(), deny.untouched());
            if let Some(next) = finishes(function) {
                let mut allow = Frame::new(session, allowed);
                let mut call = |function, cancel| {
                    allow.cancel = cancel;
                    let rv = invoke(&table, function, &mut allow).unwrap_or(CK_RV::MAX);
                    (rv, allow.digest())
                };
                let (start, used, end) = (call(function, false).0, call(next, false), call(function, true).0);
                print!(" alone={start:#x},{:#x},{:x},{end:#x}", used.0, used.1);
                let start = call(function, false).0;
                let second = invoke(&table, function, &mut deny).unwrap_or(CK_RV::MAX);
                let (busy, used, end) = (call(function, false).0, call(next, false), call(function, true).0);
                print!(
                    " disturbed={start:#x},{:#x},{:x},{end:#x} second={second:#x} busy={busy:#x}",
                    used.0, used.1
                );
                let (start, cancel, after) =
                    (call(function, false).0, call(function, true).0, call(next, false).0);
                print!(" cancelled={start:#x},{cancel:#x},{after:#x}");
            }
            println!();
            invoke(&table, Function::C_Finalize, &mut Frame::new(0, 0));
        }
    }
}

/// `MODULE DENIED ALLOWED ROUNDS`: starts digests while another thread flips the mechanism between the two;
/// prints how many were allowed, denied and anything else.
pub(crate) fn race(arguments: &[String]) {
    let module = Module::load(&arguments[0]);
    let [denied, allowed, rounds] =
        [1, 2, 3].map(|place| arguments[place].parse::<u64>().unwrap_or_default());
    let Some(table) = module.table("2.40") else { return };
    let (Some(init), Some(cancel)) = (table.C_DigestInit, table.C_Digest) else { return };
    let session = opened(&table);
    let mut mechanism = CK_MECHANISM { mechanism: allowed, ..Default::default() };
    let shared = AtomicPtr::new(&raw mut mechanism);
    let stop = AtomicBool::new(false);
    let (mut passed, mut refused, mut other) = (0u64, 0u64, 0u64);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Relaxed) {
                for number in [denied, allowed] {
                    // SAFETY: an aligned word that outlives the thread; the race is the subject.
                    unsafe { (&raw mut (*shared.load(Relaxed)).mechanism).write_volatile(number) };
                }
            }
        });
        for _ in 0..rounds {
            let (mut digest, mut length) = ([0u8; 64], 64);
            // SAFETY: valid arguments for the session.
            match unsafe { init(session, shared.load(Relaxed)) } {
                CKR_OK => {
                    passed += 1;
                    // SAFETY: as above; ends the operation.
                    unsafe { cancel(session, digest.as_mut_ptr(), 1, digest.as_mut_ptr(), &mut length) };
                }
                CKR_MECHANISM_INVALID => refused += 1,
                _ => other += 1,
            }
        }
        stop.store(true, Relaxed);
    });
    println!("passed={passed} refused={refused} other={other}");
    invoke(&table, Function::C_Finalize, &mut Frame::new(0, 0));
}

/// `MODULE ALLOWED FUNCTION…`: one line per function: where the caller keeps the parameter of the mechanism that it hands over.
/// The functions go by the widest table.
pub(crate) fn parameter(arguments: &[String]) {
    let module = Module::load(&arguments[0]);
    let allowed = arguments[1].parse().unwrap_or_default();
    let Some(table) = module.table("3.2") else { return };
    let session = opened(&table);
    for function in judged().filter(|function| arguments[2..].iter().any(|name| name == function.name())) {
        let mut frame = Frame::new(session, allowed);
        invoke(&table, function, &mut frame);
        println!("parameter={} length={}", frame.mechanism.pParameter as u64, frame.mechanism.ulParameterLen);
    }
    invoke(&table, Function::C_Finalize, &mut Frame::new(0, 0));
}

/// The function that uses what `function` starts; `None` for those that are complete in one call.
fn finishes(function: Function) -> Option<Function> {
    Some(match function {
        Function::C_EncryptInit => Function::C_Encrypt,
        Function::C_DecryptInit => Function::C_Decrypt,
        Function::C_DigestInit => Function::C_Digest,
        Function::C_SignInit => Function::C_Sign,
        Function::C_SignRecoverInit => Function::C_SignRecover,
        Function::C_VerifyInit => Function::C_Verify,
        Function::C_VerifyRecoverInit => Function::C_VerifyRecover,
        Function::C_MessageEncryptInit => Function::C_EncryptMessage,
        Function::C_MessageDecryptInit => Function::C_DecryptMessage,
        Function::C_MessageSignInit => Function::C_SignMessage,
        Function::C_MessageVerifyInit => Function::C_VerifyMessage,
        Function::C_VerifySignatureInit => Function::C_VerifySignature,
        _ => return None,
    })
}
