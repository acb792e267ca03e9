// SPDX-License-Identifier: Apache-2.0
//! A mistake in a TOML file, as `path:line:column: error: what`, the line, carets, and what to write instead.

use std::fmt::{self, Write};
use std::ops::Range;

/// What is wrong with a configuration, where, and what to do; printing it shows all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake(String);

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Mistake {}

impl Mistake {
    /// A mistake at the bytes `span` of `text`.
    pub fn new(path: &str, text: &str, span: Range<usize>, what: &str, help: &str) -> Mistake {
        let start = text.floor_char_boundary(span.start);
        let begin = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line = text[begin..].lines().next().unwrap_or_default();
        let number = text[..begin].matches('\n').count() + 1;
        let column = text[begin..start].chars().count();
        let end = text.floor_char_boundary(span.end).clamp(start, (begin + line.len()).max(start));
        let width = text[start..end].chars().count().max(1);
        let mut shown = format!("{}:{number}:{}: error: {}\n", clean(path), column + 1, clean(what.trim()));
        // Writing to a string cannot fail.
        let _ = write!(shown, "{}\n{}^{}", clean(line), " ".repeat(column), "~".repeat(width - 1));
        let _ = write!(shown, "\nhelp: {help}");
        Mistake(shown)
    }

    /// The mistake that the TOML reader found.
    pub fn of_toml(path: &str, text: &str, error: &toml::de::Error, help: &str) -> Mistake {
        Mistake::new(path, text, error.span().unwrap_or(0..0), error.message(), help)
    }

    /// A mistake of the file as a whole.
    pub fn of_file(path: &str, what: &str, help: &str) -> Mistake {
        Mistake(format!("{}: error: {}\nhelp: {help}", clean(path), clean(what)))
    }
}

/// Without anything that starts a line or steers a terminal.
fn clean(text: &str) -> String {
    let bad = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|c| {
            if c == '\t' || c == '\n' {
                ' '
            } else if bad(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}
