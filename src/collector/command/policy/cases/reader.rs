// SPDX-License-Identifier: Apache-2.0
//! Values of a file of cases, each with its place: what is not as expected becomes a message with line, column, caret
//! and what to write instead.

use std::ops::Range;

use event::nearest::nearest;
use event::parameter::{Field, Kind, Parameter};
use event::{attribute, mechanism, names};
use settings::Mistake;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// A value and its place.
pub(super) type Value<'t> = Spanned<DeValue<'t>>;
/// A table with the places of its keys and values.
pub(super) type Table<'t> = DeTable<'t>;

/// How many known words are listed where none is near.
const MOST_KNOWN: usize = 24;
/// Deeper than any standard mechanism nests.
const DEEPEST: u8 = 8;

/// What is wrong, and where.
#[derive(Debug)]
pub(super) struct Problem {
    span: Range<usize>,
    what: String,
    help: String,
}

impl Problem {
    pub(super) fn new(span: Range<usize>, what: String, help: String) -> Problem {
        Problem { span, what, help }
    }
}

/// A file of cases.
pub(super) struct Reader<'t> {
    path: &'t str,
    text: &'t str,
}

impl<'t> Reader<'t> {
    /// The file with this text.
    ///
    /// # Errors
    /// It is not UTF-8.
    pub(super) fn new(path: &'t str, bytes: &'t [u8]) -> Result<Reader<'t>, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let what = format!("the file is not UTF-8 from byte {} on", error.valid_up_to());
            Mistake::of_file(path, &what, "save the file as UTF-8").to_string()
        })?;
        Ok(Reader { path, text })
    }

    /// Its top table.
    ///
    /// # Errors
    /// It is not TOML.
    pub(super) fn document(&self) -> Result<Spanned<Table<'t>>, String> {
        let help = "text goes in \"quotes\", lists in [brackets], one `key = value` per line";
        DeTable::parse(self.text)
            .map_err(|error| Mistake::of_toml(self.path, self.text, &error, help).to_string())
    }

    /// A problem as it is printed.
    pub(super) fn show(&self, problem: &Problem) -> String {
        Mistake::new(self.path, self.text, problem.span.clone(), &problem.what, &problem.help).to_string()
    }

    /// The line of a value, from 1.
    pub(super) fn line(&self, value: &Value<'_>) -> usize {
        self.text[..value.span().start].matches('\n').count() + 1
    }

    /// Refuses keys that are not among `known`.
    pub(super) fn only(&self, table: &Table<'_>, known: &[&str]) -> Result<(), Problem> {
        match table.keys().find(|key| !known.contains(&key.get_ref().as_ref())) {
            Some(key) => Err(unknown("key", key.get_ref(), key.span(), known)),
            None => Ok(()),
        }
    }

    /// The value of a key that must be there.
    pub(super) fn required<'v>(
        &self,
        table: &'v Table<'t>,
        key: &str,
        example: &str,
    ) -> Result<&'v Value<'t>, Problem> {
        // A table knows no place of its own: that of its first value is the nearest.
        let place = table.iter().map(|(key, _)| key.span()).min_by_key(|span| span.start).unwrap_or(0..0);
        let missing =
            || Problem::new(place, format!("`{key}` is missing"), format!("write, for example, `{example}`"));
        table.get(key).ok_or_else(missing)
    }

    pub(super) fn table<'v>(&self, value: &'v Value<'t>) -> Result<&'v Table<'t>, Problem> {
        value.get_ref().as_table().ok_or_else(|| wrong(value, "table", "{ bits = 2048 }"))
    }

    pub(super) fn array<'v>(&self, value: &'v Value<'t>) -> Result<&'v DeArray<'t>, Problem> {
        value.get_ref().as_array().ok_or_else(|| wrong(value, "list", "[ … ]"))
    }

    pub(super) fn text<'v>(&self, value: &'v Value<'t>) -> Result<&'v str, Problem> {
        value.get_ref().as_str().ok_or_else(|| wrong(value, "text", "\"text in quotes\""))
    }

    /// Text as bytes.
    pub(super) fn bytes(&self, value: &Value<'t>) -> Result<Vec<u8>, Problem> {
        self.text(value).map(|text| text.as_bytes().to_vec())
    }

    pub(super) fn boolean(&self, value: &Value<'t>) -> Result<bool, Problem> {
        value.get_ref().as_bool().ok_or_else(|| wrong(value, "truth value", "true"))
    }

    pub(super) fn number(&self, value: &Value<'t>) -> Result<u64, Problem> {
        let integer = value.get_ref().as_integer();
        let number = integer.and_then(|integer| u64::from_str_radix(integer.as_str(), integer.radix()).ok());
        number.ok_or_else(|| wrong(value, "number from 0 on", "2048"))
    }

    /// A number of 32 bits.
    pub(super) fn small(&self, value: &Value<'t>) -> Result<u32, Problem> {
        u32::try_from(self.number(value)?).map_err(|_| wrong(value, "number of 32 bits", "2048"))
    }

    /// The place of one of the words that `known` lists.
    pub(super) fn word(&self, value: &Value<'t>, what: &str, known: &[&str]) -> Result<usize, Problem> {
        let word = self.text(value)?;
        known.iter().position(|name| *name == word).ok_or_else(|| unknown(what, word, value.span(), known))
    }

    /// A number of the standard, by its name or as it is.
    pub(super) fn named(&self, value: &Value<'t>, what: &str, list: &[(u64, &str)]) -> Result<u64, Problem> {
        match value.get_ref() {
            DeValue::Integer(_) => self.number(value),
            _ => {
                let names: Vec<&str> = list.iter().map(|(_, name)| *name).collect();
                Ok(list[self.word(value, what, &names)?].0)
            }
        }
    }

    /// A mechanism by its name or number.
    pub(super) fn mechanism(&self, value: &Value<'t>) -> Result<u64, Problem> {
        if let DeValue::Integer(_) = value.get_ref() {
            return self.number(value);
        }
        let word = self.text(value)?;
        mechanism::parse(word).ok_or_else(|| {
            let help = match mechanism::nearest(word) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    "write a CKM_ name of PKCS#11 3.2, or the number of a vendor's mechanism (0x80000001)"
                        .into()
                }
            };
            Problem::new(value.span(), format!("unknown mechanism `{word}`"), help)
        })
    }

    /// The fields of a mechanism's parameter, by their names in events.
    pub(super) fn parameters(
        &self,
        value: &Value<'t>,
        depth: u8,
        into: &mut Vec<Parameter>,
    ) -> Result<(), Problem> {
        let known: Vec<&str> = Field::ALL.iter().map(|field| field.name()).collect();
        let table = self.table(value)?;
        self.only(table, &known)?;
        for field in Field::ALL {
            let Some(value) = table.get(field.name()) else { continue };
            let nested =
                value.get_ref().as_table().filter(|_| field.kind() == Kind::Mechanism && depth < DEEPEST);
            match nested {
                Some(nested) => {
                    self.only(nested, &["name", "parameters"])?;
                    let name = self.required(nested, "name", "name = \"CKM_RSA_PKCS_OAEP\"")?;
                    into.push(Parameter { depth, field: *field, value: self.mechanism(name)? });
                    if let Some(inside) = nested.get("parameters") {
                        self.parameters(inside, depth + 1, into)?;
                    }
                }
                None => into.push(Parameter { depth, field: *field, value: self.field(*field, value)? }),
            }
        }
        Ok(())
    }

    fn field(&self, field: Field, value: &Value<'t>) -> Result<u64, Problem> {
        match field.kind() {
            Kind::Number | Kind::Handle => self.number(value),
            Kind::Flag => self.boolean(value).map(u64::from),
            Kind::Mechanism => self.mechanism(value),
            Kind::Generator if field == Field::Mgf => {
                self.named(value, "mask generation function", names::mgf::ALL)
            }
            Kind::Generator => self.named(value, "generator", names::generator::ALL),
            Kind::Kdf => self.named(value, "key derivation function", names::kdf::ALL),
            Kind::Prf => self.named(value, "pseudo-random function", names::prf::ALL),
            Kind::Source => {
                let sources = [names::oaep_source::ALL, names::salt_source::ALL].concat();
                self.named(value, "source", &sources)
            }
            Kind::Hedge => self.named(value, "hedging", names::hedge::ALL),
            Kind::Attribute => {
                let known: Vec<(u64, &str)> =
                    attribute::ALL.iter().map(|attribute| (attribute.number, attribute.name)).collect();
                self.named(value, "attribute", &known)
            }
        }
    }
}

/// A value of another type than is meant.
pub(super) fn wrong(value: &Value<'_>, wanted: &str, example: &str) -> Problem {
    Problem::new(value.span(), format!("this is no {wanted}"), format!("write, for example, `{example}`"))
}

fn unknown(what: &str, word: &str, span: Range<usize>, known: &[&str]) -> Problem {
    let help = match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.len() > MOST_KNOWN => format!("known are {}, …", known[..MOST_KNOWN].join(", ")),
        None => format!("known are {}", known.join(", ")),
    };
    Problem::new(span, format!("unknown {what} `{word}`"), help)
}
