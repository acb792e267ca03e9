// SPDX-License-Identifier: Apache-2.0
//! The policy parser on any bytes: it answers, it prints nothing that a terminal would obey, and a policy that it
//! accepts judges every call and hides only what it refuses.
#![no_main]

use event::mechanism::Operation;
use libfuzzer_sys::fuzz_target;
use policy::{Facts, Policy};

fuzz_target!(|bytes: &[u8]| {
    match Policy::parse("policy.toml", bytes) {
        Ok(policy) => {
            for mechanism in [0, 0x1041, 0x8000_0001, u64::MAX] {
                for operation in Operation::ALL {
                    for (key_bits, curve) in [(None, None), (Some(256), Some(0)), (Some(4096), None)] {
                        let facts = Facts { key_bits, curve, ..Facts::of(*operation, mechanism) };
                        let verdict = policy.judge(&facts);
                        assert!(policy.may_use(mechanism, *operation) || verdict.refuses());
                        assert!(!verdict.refuses() || verdict.rule().remedy().is_some());
                    }
                }
            }
        }
        Err(diagnostics) => {
            assert!(!diagnostics.list().is_empty());
            let said = diagnostics.to_string();
            assert!(said.chars().all(|character| character == '\n' || !character.is_control()));
        }
    }
});
