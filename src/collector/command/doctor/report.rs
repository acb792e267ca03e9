// SPDX-License-Identifier: Apache-2.0
//! Findings, each `ok`, `wrong` or `note`, with what to do.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

/// Between the lines of one text: what it says stays in its column.
const BREAK: &str = "\n                ";

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Report(Vec<Finding>);

#[derive(Debug, Serialize)]
struct Finding {
    state: State,
    subject: &'static str,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Wrong,
    Note,
}

impl Report {
    /// As it should be.
    pub(super) fn ok(&mut self, subject: &'static str, text: &str) {
        self.0.push(Finding { state: State::Ok, subject, text: text.into(), remedy: None });
    }

    /// Something does not work, or is not safe.
    pub(super) fn wrong(&mut self, subject: &'static str, text: &str, remedy: &str) {
        self.0.push(Finding { state: State::Wrong, subject, text: text.into(), remedy: Some(remedy.into()) });
    }

    /// Nothing is wrong, and yet it may not be what was meant.
    pub(super) fn note(&mut self, subject: &'static str, text: &str, remedy: &str) {
        self.0.push(Finding { state: State::Note, subject, text: text.into(), remedy: Some(remedy.into()) });
    }

    /// Whether nothing is wrong.
    pub(super) fn is_well(&self) -> bool {
        self.0.iter().all(|finding| finding.state != State::Wrong)
    }

    /// All of it, for a terminal or as lines of JSON.
    pub(super) fn shown(&self, json: bool) -> String {
        let mut shown = String::new();
        for finding in &self.0 {
            if json {
                shown += &serde_json::to_string(finding).unwrap_or_default();
                shown.push('\n');
                continue;
            }
            let (style, word) = match finding.state {
                State::Ok => (AnsiColor::Green.on_default(), "ok"),
                State::Wrong => (AnsiColor::Red.on_default().bold(), "wrong"),
                State::Note => (Style::new().bold(), "note"),
            };
            // Writing to a string cannot fail.
            let text = finding.text.replace('\n', BREAK);
            let _ = writeln!(shown, "{style}{word:<5}{style:#} {:<9} {text}", finding.subject);
            if let Some(remedy) = &finding.remedy {
                let _ = writeln!(shown, "                -> {remedy}");
            }
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_well_unless_something_is_wrong() {
        let mut report = Report::default();
        report.ok("library", "there");
        report.note("spool", "none", "make one");
        assert!(report.is_well());
        report.wrong("policy", "absent:\nlook", "write one");
        assert!(!report.is_well());
        let plain = anstream::adapter::strip_str(&report.shown(false)).to_string();
        assert_eq!(plain.lines().next(), Some("ok    library   there"));
        assert!(plain.ends_with("absent:\n                look\n                -> write one\n"), "{plain}");
        let json = report.shown(true);
        assert!(
            json.lines()
                .last()
                .is_some_and(|line| line.starts_with(r#"{"state":"wrong","subject":"policy""#))
        );
    }
}
