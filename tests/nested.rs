// SPDX-License-Identifier: Apache-2.0
//! Is there a mechanism that the policy is not asked about? Every function that takes one with every mechanism, by every
//! way in; and every mechanism in every place inside the parameter of another. The stub vendor counts what gets through.

#[path = "nested/fields.rs"]
mod fields;
#[path = "nested/inside.rs"]
mod inside;
#[path = "nested/pairs.rs"]
mod pairs;
#[path = "nested/rows.rs"]
mod rows;

use event::{Function, mechanism};
use harness::guard::{Guard, Way};
use harness::token;

/// Mechanisms that no list knows: one the standard has left out, a vendor's, the largest number.
const STRANGERS: [u64; 3] = [0x22, 0x8000_0001, u64::MAX];

fn every_mechanism() -> Vec<u64> {
    mechanism::ALL.iter().map(|known| known.number).chain(STRANGERS).collect()
}

fn guarded(policy: &str) -> Way {
    let token = token::stub("");
    Way::guarded(Guard::new(&token.module, policy), token)
}

/// A `deny` rule; `asks` are lines of conditions.
fn rule(name: &str, asks: &str) -> String {
    format!("[[rule]]\nname = \"{name}\"\naction = \"deny\"\nremedy = \"none\"\n{asks}\n")
}

/// Whether a function takes a mechanism.
fn takes_mechanism(function: Function) -> bool {
    function.info().arguments.iter().any(|(name, _)| *name == "pMechanism")
}
