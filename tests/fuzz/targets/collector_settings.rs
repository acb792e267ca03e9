// SPDX-License-Identifier: Apache-2.0
//! The collector's configuration on any bytes: it is read or refused, and what is said of it can steer no terminal.
#![no_main]

use collector::Settings;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(mistake) = Settings::parse("collector.toml", bytes) {
        let said = mistake.to_string();
        assert!(said.contains("help: "));
        assert!(said.chars().all(|character| character == '\n' || !character.is_control()));
    }
});
