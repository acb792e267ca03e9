// SPDX-License-Identifier: Apache-2.0
//! Text that a rule asks for: bytes, compared as a whole. `*` stands for any bytes, `?` for one, a line end is a byte
//! like any other. Matching walks the text once, whatever the pattern: each bit of a word is a place in the pattern
//! that has been reached, so nothing is tried twice and nothing recurses.

/// A pattern with `*` or `?` has at most so many other bytes: its places, and the end, are bits of one word.
pub(crate) const LONGEST: usize = 127;

/// The longest text that is kept without a pointer to it.
const SHORT: usize = 22;

/// What a text is compared with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// These bytes and no others: the first so many, at hand because most names are as short.
    Short(u8, [u8; SHORT]),
    /// These bytes and no others.
    Exactly(Box<[u8]>),
    /// What a pattern describes.
    Like(Box<Glob>),
}

/// A pattern with `*` or `?`. Bit `n` of a word stands for the place before its byte number `n`.
#[derive(Debug, PartialEq, Eq, Default)]
pub(crate) struct Glob {
    /// Where a `*` stands.
    many: u128,
    /// Where a `?` stands.
    any: u128,
    /// Where each byte stands, sorted by byte.
    literals: Box<[(u8, u128)]>,
    /// The place behind the last byte.
    end: u128,
}

/// One piece of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    /// This byte.
    Byte(u8),
    /// `?`
    One,
    /// `*`
    Many,
}

impl Pattern {
    /// The pattern of `pieces`; none where it is too long.
    pub(crate) fn new(pieces: &[Piece]) -> Option<Pattern> {
        let bytes: Option<Box<[u8]>> = pieces
            .iter()
            .map(|piece| if let Piece::Byte(byte) = piece { Some(*byte) } else { None })
            .collect();
        if let Some(bytes) = bytes {
            let mut short = [0; SHORT];
            let room = short.get_mut(..bytes.len()).zip(u8::try_from(bytes.len()).ok());
            return Some(match room {
                Some((room, length)) => {
                    room.copy_from_slice(&bytes);
                    Pattern::Short(length, short)
                }
                None => Pattern::Exactly(bytes),
            });
        }
        if pieces.iter().filter(|piece| **piece != Piece::Many).count() > LONGEST {
            return None;
        }
        let mut glob = Glob { end: 1, ..Glob::default() };
        let mut literals: Vec<(u8, u128)> = Vec::new();
        for piece in pieces {
            let place = glob.end;
            match piece {
                Piece::Many => glob.many |= place,
                Piece::One => glob.any |= place,
                Piece::Byte(byte) => match literals.binary_search_by_key(byte, |literal| literal.0) {
                    Ok(known) => literals[known].1 |= place,
                    Err(new) => literals.insert(new, (*byte, place)),
                },
            }
            if *piece != Piece::Many {
                glob.end <<= 1;
            }
        }
        glob.literals = literals.into();
        Some(Pattern::Like(Box::new(glob)))
    }

    /// The one text that it matches, if there is one.
    pub(crate) fn text(&self) -> Option<&[u8]> {
        match self {
            Pattern::Short(length, bytes) => Some(&bytes[..usize::from(*length)]),
            Pattern::Exactly(bytes) => Some(bytes),
            Pattern::Like(_) => None,
        }
    }

    /// Whether the whole of `text` is as the pattern says.
    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        match self {
            Pattern::Like(glob) => glob.matches(text),
            exact => exact.text() == Some(text),
        }
    }

    /// Whether it certainly matches all that `narrow` matches.
    pub(crate) fn covers(&self, narrow: &Pattern) -> bool {
        match (self, narrow.text()) {
            (Pattern::Like(glob), _) if glob.end == 1 => true,
            (wide, Some(text)) => wide.matches(text),
            (wide, None) => wide == narrow,
        }
    }
}

impl Glob {
    fn matches(&self, text: &[u8]) -> bool {
        let mut reached = 1;
        for byte in text {
            let literal = self.literals.binary_search_by_key(byte, |literal| literal.0);
            let steps = self.any | literal.map_or(0, |place| self.literals[place].1);
            reached = reached & self.many | (reached & steps) << 1;
            if reached == 0 {
                return false;
            }
        }
        reached & self.end != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pieces(pattern: &str) -> Vec<Piece> {
        let piece = |byte| match byte {
            b'*' => Piece::Many,
            b'?' => Piece::One,
            byte => Piece::Byte(byte),
        };
        pattern.bytes().map(piece).collect()
    }

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::new(&pieces(pattern)).unwrap().matches(text.as_bytes())
    }

    #[test]
    fn a_pattern_speaks_of_the_whole_text() {
        for (pattern, text) in [
            ("a", "a"),
            ("*", ""),
            ("*", "a\nb"),
            ("a*", "a"),
            ("*a", "ba"),
            ("a?c", "a\nc"),
            ("a*b*c", "axxbyyc"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("a", "a\n"), ("a", "A"), ("ok*", "no\nok"), ("?", ""), ("a*", "b\na"), ("*a", "a\n")]
        {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_has_at_most_as_many_bytes_as_a_word_has_bits() {
        let long = |bytes| "a".repeat(bytes) + "*";
        assert!(matches(&long(LONGEST), &"a".repeat(LONGEST + 1)));
        assert!(!matches(&long(LONGEST), &"a".repeat(LONGEST - 1)));
        assert_eq!(Pattern::new(&pieces(&long(LONGEST + 1))), None);
    }

    /// By the definition, step by step.
    fn slowly(pattern: &[Piece], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, text) => text.is_none(),
            (Some((Piece::Many, rest)), Some((_, less))) => slowly(rest, text) || slowly(pattern, less),
            (Some((Piece::Many, rest)), None) => slowly(rest, text),
            (Some((Piece::One, rest)), Some((_, less))) => slowly(rest, less),
            (Some((Piece::Byte(byte), rest)), Some((first, less))) => byte == first && slowly(rest, less),
            (Some(_), None) => false,
        }
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_definition(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
            let pieces = pieces(&pattern);
            prop_assert_eq!(matches(&pattern, &text), slowly(&pieces, text.as_bytes()));
        }

        #[test]
        fn what_covers_matches_no_less(wide in "[ab*?]{0,4}", narrow in "[ab*?]{0,4}", text in "[ab]{0,5}") {
            let [wide, narrow] = [wide, narrow].map(|pattern| Pattern::new(&pieces(&pattern)).unwrap());
            prop_assert!(!wide.covers(&narrow) || !narrow.matches(text.as_bytes()) || wide.matches(text.as_bytes()));
        }
    }
}
