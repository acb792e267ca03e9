// SPDX-License-Identifier: Apache-2.0
//! Rows in columns as wide as what stands in them, for a stream that strips the colours its reader cannot show.

use anstyle::Style;

/// A word and its colour.
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) style: Style,
    /// Numbers stand at the right edge of their column.
    pub(super) right: bool,
}

impl Cell {
    /// A plain word.
    pub(super) fn new(text: impl Into<String>) -> Cell {
        Cell { text: text.into(), style: Style::new(), right: false }
    }

    /// The same in a colour.
    pub(super) fn styled(self, style: Style) -> Cell {
        Cell { style, ..self }
    }

    /// A number.
    pub(super) fn number(number: u64) -> Cell {
        Cell { right: true, ..Cell::new(number.to_string()) }
    }
}

/// The rows under their heads, one a line.
pub(super) fn columns(heads: &[&str], rows: Vec<Vec<Cell>>) -> String {
    let faint = Style::new().dimmed();
    let head = heads.iter().map(|head| Cell::new(*head).styled(faint)).collect();
    let rows: Vec<Vec<Cell>> = std::iter::once(head).chain(rows).collect();
    let mut widths = vec![0; heads.len()];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.text.chars().count());
        }
    }
    let mut out = String::new();
    for row in &rows {
        let mut line = String::new();
        for (place, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let gap = " ".repeat(width - cell.text.chars().count());
            let (before, after) = if cell.right { (gap, String::new()) } else { (String::new(), gap) };
            let between = if place == 0 { "" } else { "  " };
            line += &format!("{between}{before}{}{}{:#}{after}", cell.style, cell.text, cell.style);
        }
        out += line.trim_end();
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_at_the_left_and_numbers_at_the_right_of_their_column() {
        let row = |word: &str, number| vec![Cell::new(word), Cell::number(number), Cell::new("end")];
        let plain = anstream::adapter::strip_str(&columns(
            &["A", "COUNT", "Z"],
            vec![row("müde", 7), row("b", 123_456)],
        ))
        .to_string();
        assert_eq!(plain, "A     COUNT   Z\nmüde       7  end\nb     123456  end\n");
    }
}
