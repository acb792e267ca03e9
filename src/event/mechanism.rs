// SPDX-License-Identifier: Apache-2.0
//! What is known of every standard mechanism: number, name, family, operations, parameter structure,
//! strength, status. Facts only, no judgement: whether a mechanism may be used is for the policy to say. A
//! number that is not in the list is carried as a number and shown in hexadecimal, never hidden.

mod family;
mod list;
mod operation;
mod shape;

pub use family::Family;
pub use list::*;
pub use operation::{Operation, Operations};
pub use shape::Shape;

use crate::nearest;
use crate::value::Named;

/// From here on numbers are the vendors' own (`CKM_VENDOR_DEFINED`).
pub const VENDOR_DEFINED: u64 = 0x8000_0000;

/// One mechanism.
#[derive(Debug, PartialEq, Eq)]
pub struct Mechanism {
    /// The `CKM_` number.
    pub number: u64,
    /// The name in use today, with its `CKM_`.
    pub name: &'static str,
    /// Earlier names of the same number.
    pub aliases: &'static [&'static str],
    /// The algorithm it belongs to.
    pub family: Family,
    /// What it can be asked to do, by the standard's table of mechanisms and functions.
    pub operations: Operations,
    /// The structure that `pParameter` points to. May also be absent where the standard makes it optional.
    pub parameter: Shape,
    /// The `CKM_` number of the hash function built in; a hash function names itself. None where there is no
    /// hash, where a parameter chooses it, or where it has no number of its own (SHAKE).
    pub digest: Option<u64>,
    /// Bits of security, at most, against the best published attack (hash functions: against collisions).
    /// None where the key, the curve or a parameter decides.
    pub strength: Option<u16>,
    /// Its standing today.
    pub status: Status,
}

/// The standing of a mechanism. A fact about the algorithm itself, whatever key or parameter it is used with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Neither of the others.
    Current,
    /// Moved to the historical mechanisms by PKCS#11, or withdrawn by the body that standardised it (NIST,
    /// IETF, Rosstandart), but without a practical attack.
    Legacy,
    /// A practical attack is published (collisions, forgeries, plaintext recovery), or at most 64 bits of
    /// security.
    Broken,
}

impl Status {
    /// `current`, `legacy` or `broken`.
    pub fn name(self) -> &'static str {
        match self {
            Status::Current => "current",
            Status::Legacy => "legacy",
            Status::Broken => "broken",
        }
    }
}

/// The mechanism with this number, if it is a standard one.
#[inline]
pub fn by_number(number: u64) -> Option<&'static Mechanism> {
    let mut slot = home(number);
    while let Some(known) = ALL.get(usize::from(PLACES[slot])) {
        if known.number == number {
            return Some(known);
        }
        slot = (slot + 1) % PLACES.len();
    }
    None
}

/// Where each mechanism stands in [`ALL`], found by its number: every call with a mechanism asks, and the ten steps of a
/// search by halves, each waiting for the one before, would be a sixth of what the call costs. Half full at most.
#[allow(clippy::cast_possible_truncation)] // There are fewer mechanisms than slots.
static PLACES: [u16; 1024] = {
    let mut places = [FREE; 1024];
    let mut place = 0;
    while place < ALL.len() {
        let mut slot = home(ALL[place].number);
        while places[slot] != FREE {
            slot = (slot + 1) % places.len();
        }
        places[slot] = place as u16;
        place += 1;
    }
    places
};
const FREE: u16 = u16::MAX;

/// The slot where the search for a number begins: the high bits of a product with 2^64 divided by the golden ratio.
const fn home(number: u64) -> usize {
    (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54) as usize
}

/// The mechanism called `name`, today or earlier; exactly as in the standard (`CKM_AES_GCM`).
pub fn by_name(name: &str) -> Option<&'static Mechanism> {
    ALL.iter().find(|m| m.name == name || m.aliases.contains(&name))
}

/// The name of the mechanism with this number, if it is a standard one.
pub fn name(number: u64) -> Option<&'static str> {
    by_number(number).map(|m| m.name)
}

/// Every name, earlier ones included.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().flat_map(|m| std::iter::once(m.name).chain(m.aliases.iter().copied()))
}

/// The number that `text` stands for: a name, or for the vendors' own mechanisms a number as [`display`]
/// shows it.
pub fn parse(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) if !digits.starts_with('+') => u64::from_str_radix(digits, 16).ok(),
        Some(_) => None,
        None => by_name(text).map(|m| m.number),
    }
}

/// Shows a mechanism by its name, or by its number in hexadecimal where it has none (`0x80000001`).
/// What is shown can be read back with [`parse`].
pub fn display(number: u64) -> Named {
    Named { number, name: name(number) }
}

/// The name that a misspelt `text` was most likely meant to be. The `CKM_` may be missing, `-` may stand for
/// `_`.
pub fn nearest(text: &str) -> Option<&'static str> {
    let text = text.trim().to_ascii_uppercase().replace('-', "_");
    let text = text.strip_prefix("CKM_").unwrap_or(&text);
    let found = nearest::nearest(text, names().map(|name| &name["CKM_".len()..]))?;
    names().find(|name| name.ends_with(found) && name.len() == "CKM_".len() + found.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_list_is_sorted_and_every_number_is_there_once() {
        assert!(ALL.is_sorted_by(|a, b| a.number < b.number));
        assert!(ALL.iter().all(|m| m.number < VENDOR_DEFINED));
    }

    #[test]
    fn every_name_is_there_once_and_leads_back_to_its_number() {
        let mut seen = HashSet::new();
        for mechanism in ALL {
            assert_eq!(by_number(mechanism.number), Some(mechanism));
            for name in mechanism.aliases.iter().chain([&mechanism.name]) {
                assert!(name.starts_with("CKM_") && seen.insert(name), "{name}");
                assert_eq!(by_name(name), Some(mechanism));
            }
        }
        assert_eq!(seen.len(), names().count());
    }

    #[test]
    fn an_earlier_name_leads_to_the_name_in_use() {
        assert_eq!(by_name("CKM_ECDSA_KEY_PAIR_GEN").unwrap().name, "CKM_EC_KEY_PAIR_GEN");
        assert_eq!(by_name("CKM_CAST5_CBC").unwrap().number, CKM_CAST128_CBC);
        assert_eq!(by_name("CKM_SHA3_256_KEY_DERIVE").unwrap().name, "CKM_SHA3_256_KEY_DERIVATION");
    }

    #[test]
    fn what_is_shown_can_be_read_back() {
        for number in [CKM_AES_GCM, 0, 0x22, VENDOR_DEFINED, 0x8000_0001, u64::MAX] {
            assert_eq!(parse(&display(number).to_string()), Some(number));
        }
        assert_eq!(display(0x8000_0001).to_string(), "0x80000001");
        for bad in ["", "AES", "ckm_aes_gcm", "0x", "0x+1", "0xg", "-1", "0x10000000000000000"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_misspelt_name_suggests_the_right_one() {
        assert_eq!(nearest("CKM_AES_GMC"), Some("CKM_AES_GCM"));
        assert_eq!(nearest("AES-GCM"), Some("CKM_AES_GCM"));
        assert_eq!(nearest("ckm_rsa_pkcs_pps"), Some("CKM_RSA_PKCS_PSS"));
        assert_eq!(nearest("CKM_SHA256_RSA_PKSC"), Some("CKM_SHA256_RSA_PKCS"));
        assert_eq!(nearest("quicksort"), None);
    }

    #[test]
    fn a_built_in_hash_is_itself_a_hash_function_of_the_list() {
        for mechanism in ALL {
            if let Some(digest) = mechanism.digest.map(|d| by_number(d).unwrap()) {
                assert!(digest.operations.contains(Operation::Digest), "{}", mechanism.name);
                assert_eq!(digest.digest, Some(digest.number));
                // SSL 3.0, HMAC and key derivation do not rest on collision resistance; signatures do.
                let collisions_matter = [Family::Rsa, Family::Dsa, Family::Ec].contains(&mechanism.family)
                    && mechanism.operations == Operations::SIGNATURE;
                assert!(!collisions_matter || mechanism.status >= digest.status, "{}", mechanism.name);
            }
        }
    }

    #[test]
    fn at_most_sixty_four_bits_is_broken() {
        for mechanism in ALL {
            let weak = mechanism.strength.is_some_and(|bits| bits <= 64);
            assert!(!weak || mechanism.status == Status::Broken, "{}", mechanism.name);
        }
    }

    #[test]
    fn generation_mechanisms_generate() {
        for mechanism in ALL {
            let expected = if mechanism.name.contains("KEY_PAIR_GEN") {
                Operations::GENERATE_KEY_PAIR
            } else if mechanism.name.ends_with("_KEY_GEN") || mechanism.name.ends_with("PARAMETER_GEN") {
                Operations::GENERATE
            } else {
                continue;
            };
            assert_eq!(mechanism.operations, expected, "{}", mechanism.name);
        }
    }
}
