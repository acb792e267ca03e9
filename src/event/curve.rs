// SPDX-License-Identifier: Apache-2.0
//! Named curves and what `CKA_EC_PARAMS` says of them: an object identifier or a name, both in DER.
//! Identifiers are kept as numbers and compared as numbers, so no encoding is written down here twice.
//! Explicit parameters are recognised, never read: which curve they describe is not decided here.

mod list;

pub use list::ALL;

use std::fmt;

/// One named curve.
#[derive(Debug, PartialEq, Eq)]
pub struct Curve {
    /// The name used in policies and events.
    pub name: &'static str,
    /// Other names of the same curve.
    pub aliases: &'static [&'static str],
    /// Its object identifiers, each as arcs.
    pub oids: &'static [&'static [u32]],
    /// The `PrintableString` that PKCS#11 also allows in `CKA_EC_PARAMS` (section 6.3.3); empty where it has
    /// none.
    pub printable: &'static str,
    /// What kind of curve it is.
    pub form: Form,
    /// Size of the field, bits.
    pub bits: u16,
    /// Bits of security against the best published attack: half the size of the group.
    pub strength: u16,
}

/// The kinds of curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// Weierstrass, over a prime field.
    Prime,
    /// Weierstrass, over a binary field.
    Binary,
    /// Edwards: signatures.
    Edwards,
    /// Montgomery: key agreement.
    Montgomery,
}

/// What `CKA_EC_PARAMS` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameters<'a> {
    /// A curve of the list.
    Named(&'static Curve),
    /// An object identifier that is not in the list.
    UnknownOid(Oid<'a>),
    /// A name that is not in the list.
    UnknownName(&'a str),
    /// The equation itself instead of a name.
    Explicit,
    /// NULL: the curve of the certificate authority that issued the certificate.
    Inherited,
    /// None of the above.
    Invalid,
}

/// An object identifier: the contents of its DER encoding, known to be well formed. Shown in dotted numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Oid<'a>(&'a [u8]);

/// Reads the value of `CKA_EC_PARAMS`.
pub fn from_parameters(der: &[u8]) -> Parameters<'_> {
    match value(der) {
        Some((0x06, contents)) => Oid::new(contents).map_or(Parameters::Invalid, |oid| {
            let curve = ALL.iter().find(|c| c.oids.iter().any(|known| oid.is(known)));
            curve.map_or(Parameters::UnknownOid(oid), Parameters::Named)
        }),
        Some((0x13, contents)) => printable(contents).map_or(Parameters::Invalid, |name| {
            let curve = ALL.iter().find(|c| c.printable == name);
            curve.map_or(Parameters::UnknownName(name), Parameters::Named)
        }),
        Some((0x30, _)) => Parameters::Explicit,
        Some((0x05, [])) => Parameters::Inherited,
        _ => Parameters::Invalid,
    }
}

/// The curve called `name`, by any of its names, letter case aside.
pub fn by_name(name: &str) -> Option<&'static Curve> {
    ALL.iter().find(|c| c.aliases.iter().chain([&c.name]).any(|known| known.eq_ignore_ascii_case(name)))
}

/// Every name of every curve.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().flat_map(|c| std::iter::once(c.name).chain(c.aliases.iter().copied()))
}

impl<'a> Oid<'a> {
    /// None unless every arc ends, starts with a digit other than zero and fits 64 bits.
    fn new(contents: &'a [u8]) -> Option<Oid<'a>> {
        let mut length = 0;
        for byte in contents {
            length = match (length, byte) {
                (0, 0x80) | (9.., _) => return None,
                (_, 0x80..) => length + 1,
                _ => 0,
            };
        }
        (length == 0 && !contents.is_empty()).then_some(Oid(contents))
    }

    fn is(self, arcs: &[u32]) -> bool {
        self.arcs().eq(arcs.iter().map(|arc| u64::from(*arc)))
    }

    /// The arcs. The first byte group holds the first two of them: 40 times the one plus the other (X.690,
    /// 8.19.4).
    fn arcs(self) -> impl Iterator<Item = u64> + 'a {
        let groups = self.0.split_inclusive(|byte| byte & 0x80 == 0);
        let mut numbers = groups.map(|group| group.iter().fold(0, |n, byte| n << 7 | u64::from(byte & 0x7f)));
        let (root, second) = match numbers.next().unwrap_or_default() {
            n @ 0..40 => (0, n),
            n @ 40..80 => (1, n - 40),
            n => (2, n - 80),
        };
        [root, second].into_iter().chain(numbers)
    }
}

impl fmt::Display for Oid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (place, arc) in self.arcs().enumerate() {
            write!(f, "{}{arc}", if place == 0 { "" } else { "." })?;
        }
        Ok(())
    }
}

/// Tag and contents of the one DER value that `der` consists of.
fn value(der: &[u8]) -> Option<(u8, &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (length, contents) = match rest.split_first()? {
        (&short @ ..=0x7f, contents) => (usize::from(short), contents),
        (0x81, [length @ 0x80..=0xff, contents @ ..]) => (usize::from(*length), contents),
        (0x82, [high @ 1..=0xff, low, contents @ ..]) => (u16::from_be_bytes([*high, *low]).into(), contents),
        _ => return None,
    };
    (contents.len() == length).then_some((tag, contents))
}

/// The text of a `PrintableString` that is not empty and holds only what one may hold (X.680, table 10).
fn printable(contents: &[u8]) -> Option<&str> {
    let allowed = |c: &u8| c.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(c);
    std::str::from_utf8(contents).ok().filter(|_| !contents.is_empty() && contents.iter().all(allowed))
}

#[cfg(test)]
mod tests;
