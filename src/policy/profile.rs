// SPDX-License-Identifier: Apache-2.0
//! The profiles that a policy can include by name: policies themselves, part of the program, one line each.

/// A profile.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
}

macro_rules! profiles {
    ($($name:literal)*) => {
        /// Every profile.
        pub(crate) const ALL: &[Profile] = &[$(Profile {
            name: $name,
            text: include_str!(concat!("../../config/profiles/", $name, ".toml")),
        }),*];
    };
}

profiles! {
    "baseline"
    "nist-800-131a"
    "cnsa-2.0"
    "bsi-tr-02102"
    "fips-140-3"
    "pci-pin"
    "anti-tookan"
}
