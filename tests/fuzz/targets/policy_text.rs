// SPDX-License-Identifier: Apache-2.0
//! The policy parser on any bytes: it answers, it prints nothing that a terminal would obey, and a policy that it
//! accepts judges every call and hides only what it refuses.
#![no_main]

use event::Function;
use event::mechanism::Operation;
use libfuzzer_sys::fuzz_target;
use policy::{Act, Facts, Object, Policy};

fuzz_target!(|bytes: &[u8]| {
    match Policy::parse("policy.toml", bytes) {
        Ok(policy) => {
            for mechanism in [0, 0x1041, 0x8000_0001, u64::MAX] {
                for operation in Operation::ALL {
                    for (bits, curve) in [(None, None), (Some(256), Some(0)), (Some(4096), None)] {
                        let key = Object { bits, curve, ..Object::default() };
                        let function = Function::C_Initialize;
                        let facts =
                            Facts { key, ..Facts::of(function, (*operation).into(), Some(mechanism)) };
                        let verdict = policy.judge(&facts);
                        assert!(policy.may_use(mechanism, *operation) || verdict.refuses());
                        assert!(!verdict.refuses() || verdict.rule().remedy().is_some());
                    }
                }
            }
            for act in Act::ALL {
                let verdict = policy.judge(&Facts::of(Function::C_Initialize, *act, None));
                assert!(policy.considers(*act) || !verdict.refuses());
            }
        }
        Err(diagnostics) => {
            assert!(!diagnostics.list().is_empty());
            let said = diagnostics.to_string();
            assert!(said.chars().all(|character| character == '\n' || !character.is_control()));
        }
    }
});
