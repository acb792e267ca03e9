// SPDX-License-Identifier: Apache-2.0
//! The known word that a misspelt one was most likely meant to be. Refuses far-fetched guesses.

/// Longer words are nobody's typing error, and comparing them would cost their length squared.
const LONGEST: usize = 64;

/// The word of `known` with the fewest edits (letters put in, left out, replaced or swapped with the next) to
/// `word`, letter case aside; none where more than a third of `word` would have to change. Of equally near
/// ones the first.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    nearest_of(word, &mut known.into_iter())
}

/// Written once, not for every kind of list.
fn nearest_of<'k>(word: &str, known: &mut dyn Iterator<Item = &'k str>) -> Option<&'k str> {
    if word.len() > LONGEST {
        return None;
    }
    let edits = |candidate: &&'k str| distance(word.as_bytes(), candidate.as_bytes());
    let best = known.min_by_key(edits)?;
    (edits(&best) <= (word.len() / 3).max(1)).then_some(best)
}

fn distance(a: &[u8], b: &[u8]) -> usize {
    let same = |x: u8, y: u8| x.eq_ignore_ascii_case(&y);
    let mut second_last = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let replaced = last[j] + usize::from(!same(a[i], b[j]));
            let mut edits = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && same(a[i], b[j - 1]) && same(a[i - 1], b[j]) {
                edits = edits.min(second_last[j - 1] + 1);
            }
            row.push(edits);
        }
        second_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_edits_win() {
        let known = ["mechanism", "min_bits", "max_bits"];
        assert_eq!(nearest("mechanisms", known), Some("mechanism"));
        assert_eq!(nearest("minbits", known), Some("min_bits"));
        assert_eq!(nearest("MAX_BITS", known), Some("max_bits"));
        assert_eq!(nearest("sing", ["wrap", "link", "sign"]), Some("sign"));
    }

    #[test]
    fn nothing_is_guessed_from_afar() {
        assert_eq!(nearest("colour", ["mechanism", "min_bits"]), None);
        assert_eq!(nearest("", ["mechanism"]), None);
        assert_eq!(nearest("mechanism", []), None);
        assert_eq!(nearest(&"m".repeat(LONGEST + 1), ["mechanism"]), None);
    }
}
