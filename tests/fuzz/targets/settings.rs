// SPDX-License-Identifier: Apache-2.0
//! The shim's configuration on any bytes: it is read or refused, and what is said of it can steer no terminal.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| match settings::Shim::parse("p11guard.toml", bytes) {
    Ok(shim) => {
        assert!(shim.module.is_absolute() && shim.policy.is_absolute() && shim.socket.is_absolute());
        assert!((1..=64).contains(&shim.ring.lanes) && shim.ring.lane_bytes.is_power_of_two());
    }
    Err(mistake) => {
        let said = mistake.to_string();
        assert!(said.contains("help: "));
        assert!(said.chars().all(|character| character == '\n' || !character.is_control()));
    }
});
