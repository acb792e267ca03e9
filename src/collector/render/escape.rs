// SPDX-License-Identifier: Apache-2.0
//! The two ways in which text from tokens and callers reaches a sink: as a JSON string of printable ASCII, and as a
//! word for a terminal. Neither lets a control character, a line break or a change of writing direction through.

use std::fmt;
use std::io;

use serde_json::ser::Formatter;

/// Writes JSON on one line, every character outside printable ASCII as `\uXXXX`.
pub(super) struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let plain = |byte: u8| byte.is_ascii() && byte != 0x7f;
        let mut rest = fragment;
        while let Some(at) = rest.bytes().position(|byte| !plain(byte)) {
            writer.write_all(&rest.as_bytes()[..at])?;
            let mut characters = rest[at..].chars();
            if let Some(character) = characters.next() {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
            rest = characters.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

/// Text for a terminal, on one line: what does not print as itself is shown as an escape (`\n`, `\u{202e}`).
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '\'' | '"' => write!(f, "{character}")?,
                // The standard library's word on what prints: not Cc, Cf (bidi controls among them), Cs, Co, Cn,
                // Zl, Zp, nor any space but the plain one. The backslash is doubled, so an escape cannot be forged.
                _ => write!(f, "{}", character.escape_debug())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;

    /// Characters that end a line, steer a terminal, hide or turn their neighbours.
    const HOSTILE: &str = "\0\u{1}\u{7}\u{8}\t\n\u{b}\u{c}\r\u{1b}[31m\u{1b}]0;x\u{7}\u{7f}\u{80}\u{85}\u{9b}31m\u{9f}\u{ad}\
        \u{61c}\u{200b}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2066}\u{2069}\u{feff}\u{fffd}\u{1f600}\u{e0041}\"\\";

    #[test]
    fn json_is_one_line_of_printable_ascii_that_reads_back_the_same() {
        let mut out = Vec::new();
        HOSTILE.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Ascii)).unwrap();
        assert!(out.iter().all(|byte| (0x20..0x7f).contains(byte)));
        assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), HOSTILE);
    }

    #[test]
    fn a_terminal_sees_no_control_character() {
        let shown = Shown(HOSTILE).to_string();
        assert!(shown.starts_with(r"\0\u{1}\u{7}\u{8}\t\n"), "{shown}");
        assert!(
            shown.chars().all(|c| c == ' ' || c.escape_debug().count() == 1 || "\"\\".contains(c)),
            "{shown}"
        );
    }

    #[test]
    fn an_escape_cannot_be_forged() {
        assert_eq!(Shown(r"\n").to_string(), r"\\n");
        assert_eq!(Shown("it's \"so\"").to_string(), "it's \"so\"");
    }
}
