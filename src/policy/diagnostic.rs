// SPDX-License-Identifier: Apache-2.0
//! Where in the text a problem is, and how it is shown: `path:line:column: error: message`, the line,
//! carets, help. What is shown can forge no line and steer no terminal, whatever the policy holds.

use crate::problem::{Problem, Shown, is_printable};
use std::fmt;
use std::ops::Range;

/// More problems than this are counted, not kept.
const MOST_KEPT: usize = 50;
/// A longer line is shown in part, around the problem.
const WIDEST_LINE: usize = 120;

/// A mistake of a policy: where it is, what it is and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    line: usize,
    column: usize,
    problem: Problem,
    excerpt: String,
    carets: String,
}

impl Diagnostic {
    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column in characters, from 1.
    pub fn column(&self) -> usize {
        self.column
    }

    /// What is wrong.
    pub fn message(&self) -> String {
        self.problem.to_string()
    }

    /// What to write instead.
    pub fn help(&self) -> String {
        self.problem.help()
    }
}

/// Every mistake of a policy, in the order of its text. Printing it shows them all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics {
    path: String,
    list: Vec<Diagnostic>,
    left_out: usize,
}

impl Diagnostics {
    /// The mistakes, at most fifty of them; there is at least one.
    pub fn list(&self) -> &[Diagnostic] {
        &self.list
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, d) in self.list.iter().enumerate() {
            let gap = if place == 0 { "" } else { "\n\n" };
            write!(f, "{gap}{}:{}:{}: error: {}", Shown(&self.path), d.line, d.column, d.problem)?;
            if !d.excerpt.is_empty() {
                write!(f, "\n{}\n{}", d.excerpt, d.carets)?;
            }
            write!(f, "\nhelp: {}", d.help())?;
        }
        match self.left_out {
            0 => Ok(()),
            more => write!(f, "\n\n{}: and {more} more", Shown(&self.path)),
        }
    }
}

impl std::error::Error for Diagnostics {}

/// Collects problems while a text is read.
pub(crate) struct Report<'t> {
    text: &'t str,
    /// Where each line begins.
    lines: Vec<usize>,
    problems: Vec<(Range<usize>, Problem)>,
}

impl<'t> Report<'t> {
    /// A report on `text`, with nothing in it.
    pub(crate) fn new(text: &'t str) -> Report<'t> {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(ends.map(|(place, _)| place + 1)).collect();
        Report { text, lines, problems: Vec::new() }
    }

    /// Adds a problem with the bytes `span` of the text.
    pub(crate) fn add(&mut self, span: Range<usize>, problem: Problem) {
        self.problems.push((span, problem));
    }

    /// How many problems there are.
    pub(crate) fn len(&self) -> usize {
        self.problems.len()
    }

    /// The line of a byte of the text, from 1.
    pub(crate) fn line(&self, byte: usize) -> usize {
        self.lines.partition_point(|begin| *begin <= byte)
    }

    /// What was read where nothing is wrong, else everything that is, in the order of the text.
    pub(crate) fn finish<T>(mut self, path: &str, read: Option<T>) -> Result<T, Diagnostics> {
        if let Some(read) = read.filter(|_| self.problems.is_empty()) {
            return Ok(read);
        }
        self.problems.sort_by_key(|(span, _)| span.start);
        let left_out = self.problems.len().saturating_sub(MOST_KEPT);
        self.problems.truncate(MOST_KEPT);
        let problems = std::mem::take(&mut self.problems);
        let list = problems.into_iter().map(|(span, problem)| self.place(span, problem)).collect();
        Err(Diagnostics { path: path.to_owned(), list, left_out })
    }

    fn place(&self, span: Range<usize>, problem: Problem) -> Diagnostic {
        let start = self.text.floor_char_boundary(span.start);
        let number = self.line(start);
        let begin = self.lines[number - 1];
        let next = self.lines.get(number).copied().unwrap_or(self.text.len());
        let line = self.text[begin..next].trim_end_matches(['\n', '\r']);

        let column = self.text[begin..start].chars().count();
        let end = self.text.floor_char_boundary(span.end).clamp(start, start.max(begin + line.len()));
        let width = self.text[start..end].chars().count().max(1);

        // A long line is cut so that the problem's beginning is in sight.
        let skip =
            if line.chars().nth(WIDEST_LINE).is_some() { column.saturating_sub(WIDEST_LINE / 3) } else { 0 };
        let excerpt = line
            .chars()
            .skip(skip)
            .take(WIDEST_LINE)
            .map(|c| match c {
                '\t' => ' ',
                c if is_printable(c) => c,
                _ => char::REPLACEMENT_CHARACTER,
            })
            .collect();
        let column_shown = column - skip;
        let width_shown = width.min(WIDEST_LINE.saturating_sub(column_shown)).max(1);
        let carets = format!("{}^{}", " ".repeat(column_shown), "~".repeat(width_shown - 1));
        Diagnostic { line: number, column: column + 1, problem, excerpt, carets }
    }
}
