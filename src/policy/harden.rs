// SPDX-License-Identifier: Apache-2.0
//! `harden = { … }`: what the templates of new keys get where they say nothing. Only what is stricter than leaving it out,
//! whatever the token; nothing that changes which key is made. What a template names is its caller's and stays.

use event::mechanism::{CKM_DSA_FIPS_G_GEN, CKM_DSA_PARAMETER_GEN, CKM_HKDF_DATA, CKM_PUB_KEY_FROM_PRIV_KEY};
use event::record::Flags;
use event::value::object_class::{CKO_OTP_KEY, CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_SECRET_KEY};
use toml::de::DeValue;

use crate::act::Act;
use crate::day::{self, Span};
use crate::diagnostic::Report;
use crate::facts::{Facts, Object};
use crate::kinds;
use crate::problem::{Problem, Wanted};
use crate::reader::{Value, string, wrong_type};
use crate::subject::Subject;

const HARDEN: Wanted =
    Wanted { what: "table of attributes", example: "{ sensitive = true, extractable = false }" };
const SPAN: Wanted = Wanted { what: "span of time", example: "\"2y\"" };
const END_DATE: &str = "end_date";

/// The attributes of which one value is the stricter one for every key, with that value. Not `destroyable`, because a key
/// that nobody can destroy is no safer; not `always_authenticate`, because applications must be written for it; no
/// usage, because a key that may not do its work is no key.
const STRICTER: Flags = Flags {
    known: Flags::PRIVATE
        | Flags::SENSITIVE
        | Flags::EXTRACTABLE
        | Flags::WRAP_WITH_TRUSTED
        | Flags::MODIFIABLE
        | Flags::COPYABLE,
    set: Flags::PRIVATE | Flags::SENSITIVE | Flags::WRAP_WITH_TRUSTED,
};

/// What a rule adds to the templates of the calls that it decides.
#[derive(Debug)]
pub struct Harden {
    flags: Flags,
    lives: Option<Span>,
}

/// What is added to one template.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Additions {
    /// Boolean attributes.
    pub flags: Flags,
    /// `CKA_END_DATE`, eight ASCII digits.
    pub end: Option<[u8; 8]>,
}

impl Additions {
    /// Whether nothing is added.
    pub fn is_empty(&self) -> bool {
        self.flags.known == 0 && self.end.is_none()
    }
}

/// What a template makes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Made {
    /// A secret or private key: all the attributes are defined for it (PKCS#11 3.2, sections 4.9 and 4.10).
    Hidden,
    /// A public key, which has nothing to hide, and an end.
    Public,
    /// No key, or nothing.
    Other,
}

impl Harden {
    /// Reads the value of the key; what is wrong with it goes to the report.
    #[inline(never)]
    pub(crate) fn read(value: &Value<'_>, report: &mut Report<'_>) -> Option<Harden> {
        let DeValue::Table(table) = value.get_ref() else {
            return wrong_type(value, HARDEN, report);
        };
        if table.is_empty() {
            report.add(value.span(), Problem::EmptyTable { what: "hardens nothing" });
            return None;
        }
        let flags = kinds::flags(table, STRICTER.known, Some(END_DATE), report);
        for (bit, _, attribute) in Flags::ALL {
            let stricter = STRICTER.set & bit != 0;
            if let Some(wish) = table.get(*attribute).filter(|_| flags.value(*bit) == Some(!stricter)) {
                report.add(wish.span(), Problem::Weakens { attribute, stricter });
            }
        }
        Some(Harden { flags, lives: table.get(END_DATE).and_then(|value| span(value, report)) })
    }

    /// Whether what it adds depends on facts of this kind.
    pub(crate) fn asks(&self, subject: Subject) -> bool {
        subject == Subject::Call || subject == Subject::Time && self.lives.is_some()
    }

    /// What is added to the first and to the second template of a call; nothing that they name.
    pub fn additions(&self, facts: &Facts<'_>) -> [Additions; 2] {
        let [first, second] = made(facts);
        [self.of(first, &facts.template, facts), self.of(second, &facts.private_template, facts)]
    }

    fn of(&self, made: Made, template: &Object<'_>, facts: &Facts<'_>) -> Additions {
        let mut flags = if made == Made::Hidden { self.flags } else { Flags::default() };
        flags.known &= !template.flags.known;
        flags.set &= flags.known;
        let lives = self.lives.filter(|_| made != Made::Other && template.end.is_none());
        let end = lives.zip(facts.time).and_then(|(span, time)| {
            // A key that begins later lives as long as one that begins today.
            let start = template.start.and_then(day::of_digits).unwrap_or(0);
            span.after(day::of_time(time).max(start))
        });
        Additions { flags, end }
    }

    /// The call as it is carried out.
    pub(crate) fn apply(&self, facts: &mut Facts<'_>) {
        let [first, second] = self.additions(facts);
        for (template, added) in [(&mut facts.template, first), (&mut facts.private_template, second)] {
            template.flags.known |= added.flags.known;
            template.flags.set |= added.flags.set;
            template.end = template.end.or(added.end);
            template.present |= !added.is_empty();
        }
    }
}

/// What the templates of a call make. A copy is none of it: what its template leaves out comes from its source.
fn made(facts: &Facts<'_>) -> [Made; 2] {
    let class_or = |usual| match facts.template.class {
        None => usual,
        Some(CKO_SECRET_KEY | CKO_PRIVATE_KEY | CKO_OTP_KEY) => Made::Hidden,
        Some(CKO_PUBLIC_KEY) => Made::Public,
        Some(_) => Made::Other,
    };
    let first = match (facts.act, facts.mechanism) {
        (Act::GenerateKeyPair, _) => return [Made::Public, Made::Hidden],
        // Domain parameters, a public key, data: made by mechanisms of operations that make keys otherwise.
        (Act::Generate, Some(CKM_DSA_PARAMETER_GEN..=CKM_DSA_FIPS_G_GEN)) => Made::Other,
        (Act::Derive, Some(CKM_PUB_KEY_FROM_PRIV_KEY)) => class_or(Made::Public),
        (Act::Derive, Some(CKM_HKDF_DATA)) => class_or(Made::Other),
        (Act::Generate | Act::Unwrap | Act::Derive | Act::Encapsulate | Act::Decapsulate, _) => {
            class_or(Made::Hidden)
        }
        (Act::Import, _) => class_or(Made::Other),
        _ => Made::Other,
    };
    [first, Made::Other]
}

fn span(value: &Value<'_>, report: &mut Report<'_>) -> Option<Span> {
    let written = string(value, SPAN, report)?;
    let span = Span::parse(written);
    if span.is_none() {
        report.add(value.span(), Problem::Lifetime { text: written.to_owned() });
    }
    span
}
