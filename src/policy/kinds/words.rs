// SPDX-License-Identifier: Apache-2.0
//! Conditions on a number that has names: classes, types, curves, users, functions, days of the week.

use toml::de::DeValue;

use super::Kind;
use crate::diagnostic::Report;
use crate::facts::{NOBODY, Origin};
use crate::problem::{Problem, Wanted};
use crate::reader::{Value, list, number, string};
use event::nearest::nearest;
use event::value::{key_type, object_class, user_type};
use event::{FUNCTIONS, curve, mechanism, names, parameter_set};

/// The names of one kind of number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words {
    pub(crate) wanted: Wanted,
    pub(crate) entry: Wanted,
    /// The number called so.
    pub(crate) number: fn(&str) -> Option<u64>,
    /// Every name.
    pub(crate) names: fn() -> Vec<&'static str>,
    /// The largest number that may stand for itself.
    pub(crate) most: Option<u64>,
}

/// Days of the week, Monday first.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Who is logged in.
const USERS: [(&str, u64); 4] = [
    ("so", user_type::CKU_SO),
    ("user", user_type::CKU_USER),
    ("context-specific", user_type::CKU_CONTEXT_SPECIFIC),
    ("none", NOBODY),
];
/// Who chose an IV.
const GENERATORS: [(&str, u64); 2] = [("caller", 0), ("token", 1)];

fn of_list(list: &'static [(u64, &'static str)]) -> Vec<&'static str> {
    list.iter().map(|(_, name)| *name).collect()
}

fn in_pairs(pairs: &[(&str, u64)], word: &str) -> Option<u64> {
    pairs.iter().find(|(name, _)| *name == word).map(|(_, number)| *number)
}

macro_rules! words {
    ($($constant:ident $what:literal $example:literal $most:expr, $number:expr, $names:expr;)*) => {
        impl Words {
            $(pub(crate) const $constant: Words = Words {
                wanted: Wanted { what: concat!("list of ", $what, "s"), example: concat!("[", $example, "]") },
                entry: Wanted { what: $what, example: $example },
                number: $number,
                names: $names,
                most: $most,
            };)*
        }
    };
}

words! {
    CLASS "object class" "\"CKO_PRIVATE_KEY\"" Some(u64::MAX), object_class::number, || of_list(object_class::ALL);
    KEY_TYPE "key type" "\"CKK_AES\"" Some(u64::MAX), key_type::number, || of_list(key_type::ALL);
    CURVE "curve" "\"P-256\"" None, curve_place,
        || curve::ALL.iter().map(|curve| curve.name).chain(curve::ALL.iter().flat_map(|curve| curve.aliases.iter().copied())).collect();
    PARAMETER_SET "parameter set" "\"ML-KEM-1024\"" None, place_of_set,
        || parameter_set::ALL.iter().map(|set| set.name).collect();
    FUNCTION "function" "\"C_WrapKey\"" None,
        |word| FUNCTIONS.iter().position(|function| function.name == word).map(|place| place as u64),
        || FUNCTIONS.iter().map(|function| function.name).collect();
    USER "user" "\"user\"" None, |word| in_pairs(&USERS, word), || USERS.map(|(name, _)| name).to_vec();
    ORIGIN "origin" "\"generated\"" None,
        |word| Origin::WORDS.iter().find(|(name, _)| *name == word).map(|(_, origin)| *origin as u64),
        || Origin::WORDS.map(|(name, _)| name).to_vec();
    DAY "weekday" "\"mon\"" None,
        |word| DAYS.iter().position(|day| *day == word).map(|place| place as u64), || DAYS.to_vec();
    IV_GENERATOR "IV generator" "\"token\"" None,
        |word| in_pairs(&GENERATORS, word), || GENERATORS.map(|(name, _)| name).to_vec();
    HASH "hash function" "\"CKM_SHA256\"" None, |_| None,
        || mechanism::ALL.iter().filter(|known| known.digest == Some(known.number)).map(|known| known.name).collect();
    MGF "mask generation function" "\"CKG_MGF1_SHA256\"" Some(u64::MAX), names::mgf::number, || of_list(names::mgf::ALL);
    KDF "key derivation function" "\"CKD_SHA256_KDF\"" Some(u64::MAX), names::kdf::number, || of_list(names::kdf::ALL);
    PRF "pseudo-random function" "\"CKP_PKCS5_PBKD2_HMAC_SHA256\"" None, names::prf::number, || of_list(names::prf::ALL);
    SOURCE "source" "\"CKZ_DATA_SPECIFIED\"" Some(u64::MAX),
        |word| names::oaep_source::number(word).or_else(|| names::salt_source::number(word)),
        || [of_list(names::oaep_source::ALL), of_list(names::salt_source::ALL)].concat();
    UID "user id" "1000" Some(u32::MAX as u64), |_| None, Vec::new;
    GID "group id" "1000" Some(u32::MAX as u64), |_| None, Vec::new;
    SLOT "slot" "0" Some(u64::MAX), |_| None, Vec::new;
}

fn curve_place(name: &str) -> Option<u64> {
    let known = curve::by_name(name)?;
    curve::ALL.iter().position(|curve| curve == known).map(|place| place as u64)
}

fn place_of_set(name: &str) -> Option<u64> {
    let known = parameter_set::by_name(name)?;
    parameter_set::ALL.iter().position(|set| set == known).map(|place| place as u64)
}

/// The number that an entry names.
pub(super) fn entry(entry: &Value<'_>, words: Words, report: &mut Report<'_>) -> Option<u64> {
    if let Some(most) = words.most
        && (matches!(entry.get_ref(), DeValue::Integer(_)) || (words.names)().is_empty())
    {
        return number(entry, words.entry, 0..=most, report);
    }
    let word = string(entry, words.entry, report)?;
    let known = (words.number)(word);
    if known.is_none() {
        let names = (words.names)();
        let near = nearest(word, names.iter().copied()).or_else(|| nearest_bare(word, &names));
        let problem =
            Problem::UnknownWord { what: words.entry.what, word: word.to_owned(), near, known: names };
        report.add(entry.span(), problem);
    }
    known
}

/// The name that is meant where its `CKK_` or the like was left out.
fn nearest_bare(word: &str, names: &[&'static str]) -> Option<&'static str> {
    const PREFIX: usize = "CKK_".len();
    let named = names.iter().filter(|name| name.starts_with("CK"));
    let found = nearest(word, named.clone().filter_map(|name| name.get(PREFIX..)))?;
    named.copied().find(|name| name.get(PREFIX..) == Some(found))
}

/// One of these numbers.
#[derive(Debug)]
pub(crate) struct OneOf(Box<[u64]>);

impl OneOf {
    /// The numbers that are named.
    pub(crate) fn numbers(&self) -> &[u64] {
        &self.0
    }
}

impl Kind for OneOf {
    type How = Words;
    type Fact<'f> = Option<u64>;

    #[inline(never)]
    fn read(value: &Value<'_>, words: Words, _: bool, report: &mut Report<'_>) -> Option<OneOf> {
        let numbers = list(value, words.wanted, report, |value, report| entry(value, words, report))?;
        Some(OneOf(numbers.into()))
    }

    fn met_by(&self, number: Option<u64>) -> bool {
        number.is_some_and(|number| self.0.contains(&number))
    }

    fn covers(&self, narrow: &OneOf) -> bool {
        narrow.0.iter().all(|number| self.0.contains(number))
    }
}
