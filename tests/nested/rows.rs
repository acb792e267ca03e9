// SPDX-License-Identifier: Apache-2.0
//! The host's subjects `cross`, `nested` and `words`: their runs, and what their lines say.

use event::Function;
use event::parameter::Field;
use harness::artifacts;
use harness::counts::WAYS;
use harness::guard::Way;
use harness::run::{Run, run};
use policy::Act;

/// A call with a mechanism: what it returned, how often its function arrived at the vendor, and which mechanism arrived
/// there last.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) way: usize,
    pub(crate) function: Function,
    pub(crate) mechanism: u64,
    pub(crate) rv: u64,
    pub(crate) calls: u64,
    pub(crate) last: u64,
}

/// A call with a number inside the parameter of its mechanism.
#[derive(Debug)]
pub(crate) struct Inside {
    pub(crate) function: Function,
    pub(crate) mechanism: u64,
    /// What the structure with the number was put into; it is here for messages.
    #[allow(dead_code)]
    pub(crate) wrapping: String,
    pub(crate) shape: String,
    pub(crate) field: Field,
    pub(crate) number: u64,
    pub(crate) rv: u64,
    pub(crate) calls: u64,
    pub(crate) last: u64,
}

/// What a function does with its mechanism, by hand.
pub(crate) fn act(function: Function) -> Act {
    use Function::*;
    match function {
        C_EncryptInit | C_MessageEncryptInit => Act::Encrypt,
        C_DecryptInit | C_MessageDecryptInit => Act::Decrypt,
        C_DigestInit => Act::Digest,
        C_SignInit | C_MessageSignInit => Act::Sign,
        C_SignRecoverInit => Act::SignRecover,
        C_VerifyInit | C_MessageVerifyInit | C_VerifySignatureInit => Act::Verify,
        C_VerifyRecoverInit => Act::VerifyRecover,
        C_GenerateKey => Act::Generate,
        C_GenerateKeyPair => Act::GenerateKeyPair,
        C_WrapKey | C_WrapKeyAuthenticated => Act::Wrap,
        C_UnwrapKey | C_UnwrapKeyAuthenticated => Act::Unwrap,
        C_DeriveKey => Act::Derive,
        C_EncapsulateKey => Act::Encapsulate,
        C_DecapsulateKey => Act::Decapsulate,
        other => panic!("{} takes no mechanism", other.name()),
    }
}

/// Every function that takes a mechanism with each of `mechanisms`, by every way in.
pub(crate) fn crossed(way: &Way, mechanisms: &[u64]) -> Vec<Row> {
    let run = host(way, "cross", None, mechanisms);
    let rows = run.stdout.lines().flat_map(|line| {
        let mut words = line.split(' ');
        let way = place(words.next());
        let function = words.next().and_then(Function::from_name).expect("a function");
        let calls: Vec<_> = words.map(outcome).collect();
        assert_eq!(calls.len(), mechanisms.len(), "{line}");
        let row = move |(mechanism, [rv, calls, last]): (&u64, [u64; 3])| Row {
            way,
            function,
            mechanism: *mechanism,
            rv,
            calls,
            last,
        };
        mechanisms.iter().zip(calls).map(row)
    });
    rows.collect()
}

/// Each of `numbers` in each field that names an algorithm; the host has the meaning of `extent`.
pub(crate) fn inside(way: &Way, subject: &str, extent: &str, numbers: &[u64]) -> Vec<Inside> {
    let run = host(way, subject, Some(extent), numbers);
    let rows = run.stdout.lines().map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let [_, function, mechanism, wrapping, shape, field, number, seen] = words[..] else {
            panic!("{line}");
        };
        let [rv, calls, last] = outcome(seen);
        let known = Field::ALL.iter().copied().find(|known| known.name() == field);
        Inside {
            function: Function::from_name(function).expect("a function"),
            mechanism: mechanism.parse().expect("a number"),
            wrapping: wrapping.to_owned(),
            shape: shape.to_owned(),
            field: known.expect("a field"),
            number: number.parse().expect("a number"),
            rv,
            calls,
            last,
        }
    });
    rows.collect()
}

fn host(way: &Way, subject: &str, extent: Option<&str>, numbers: &[u64]) -> Run {
    let mut command = way.command(artifacts::host());
    command.arg(subject).arg(&way.module).args(extent).args(numbers.iter().map(u64::to_string));
    run(&mut command).success()
}

fn place(way: Option<&str>) -> usize {
    WAYS.iter().position(|known| Some(*known) == way).expect("a way in")
}

/// `RV:CALLS:LAST`, the outer two in hexadecimal.
fn outcome(text: &str) -> [u64; 3] {
    let words: Vec<&str> = text.split(':').collect();
    let [rv, calls, last] = words[..] else { panic!("{text}") };
    let hexadecimal = |word: &str| {
        let digits = word.strip_prefix("0x").expect("a hexadecimal number");
        u64::from_str_radix(digits, 16).expect("a hexadecimal number")
    };
    [hexadecimal(rv), calls.parse().expect("a count"), hexadecimal(last)]
}
