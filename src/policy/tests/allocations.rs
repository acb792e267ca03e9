// SPDX-License-Identifier: Apache-2.0
//! Judging allocates nothing: an allocator counts what this thread asks of it while calls of every kind are judged by a
//! policy with every profile, every kind of condition and pinned keys.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

use event::Function;
use event::mechanism::{self, Operation};
use event::parameter::{Field, Parameter};
use policy::{Act, Facts, Policy};

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is handed on as it came; the count is kept where nothing is allocated.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: our caller's promise about the layout.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: our caller's promise about what it got from us, which is what the system gave.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn judging_allocates_nothing() {
    let example = include_str!("../../../config/policy.toml");
    let all = "include = ['baseline', 'nist-800-131a', 'cnsa-2.0', 'bsi-tr-02102', 'fips-140-3', 'pci-pin', 'anti-tookan']";
    let policy = Policy::parse("policy.toml", example.replace("include = [\"baseline\"]", all).as_bytes());
    let policy = policy.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let parameters =
        [(0, Field::Hash, 0x220), (1, Field::Hash, 0x250), (0, Field::SaltLen, 20), (0, Field::TagBits, 96)]
            .map(|(depth, field, value)| Parameter { depth, field, value });
    let mut facts = Facts::of(Function::C_SignInit, Act::Sign, None);
    facts.parameters = &parameters;
    facts.key.label = Some(b"release-1");
    facts.key.id = Some(&[1, 2]);
    facts.key.bits = Some(2048);
    facts.token.label = Some(b"prod-1");
    facts.process.exe = Some(b"/usr/lib/signer/signer");
    facts.time = Some(1_795_251_907);

    let before = COUNT.with(Cell::get);
    let mut judged = 0;
    for known in mechanism::ALL {
        for act in Act::ALL {
            facts.act = *act;
            facts.mechanism = act.operation().map(|_| known.number);
            let verdict = black_box(policy.judge(black_box(&facts)));
            black_box((verdict.refuses(), verdict.rv(), verdict.decided_by(), verdict.nested()));
            judged += 1;
        }
        black_box(policy.may_use(known.number, Operation::Sign));
    }
    assert_eq!(COUNT.with(Cell::get) - before, 0, "in {judged} calls");
    // The counter counts.
    drop(black_box(Box::new(judged)));
    assert_eq!(COUNT.with(Cell::get) - before, 1);
}
