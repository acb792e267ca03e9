// SPDX-License-Identifier: Apache-2.0
//! Text from tokens and callers as a word for a terminal: no control character, line break or change of writing
//! direction gets through.

use std::fmt;

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
pub(super) mod tests {
    use super::*;

    /// Characters that end a line, steer a terminal, hide or turn their neighbours.
    pub(in crate::render) const HOSTILE: &str = "\0\u{1}\u{7}\u{8}\t\n\u{b}\u{c}\r\u{1b}[31m\u{1b}]0;x\u{7}\u{7f}\u{80}\u{85}\u{9b}31m\u{9f}\u{ad}\
        \u{61c}\u{200b}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2066}\u{2069}\u{feff}\u{fffd}\u{1f600}\u{e0041}\"\\";

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
