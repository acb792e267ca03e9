// SPDX-License-Identifier: Apache-2.0
//! Spans of time as policies write them: a whole number and its unit, `"5min"`.

use crate::diagnostic::Report;
use crate::problem::{Problem, Wanted};
use crate::reader::{Value, string};

const SPAN: Wanted = Wanted { what: "span of time", example: "\"5min\"" };

/// The units in seconds, each with the words that are taken for it.
const UNITS: [(&str, u64, &[&str]); 4] = [
    ("s", 1, &["sec", "secs", "second", "seconds"]),
    ("min", 60, &["m", "mins", "minute", "minutes"]),
    ("h", 3600, &["hr", "hrs", "hour", "hours"]),
    ("d", DAY, &["day", "days"]),
];
const DAY: u64 = 86_400;
/// The longest span, in seconds: what is to hold for longer is no matter of a running process.
const LONGEST: u64 = 366 * DAY;

/// A span, in seconds: at least one, at most a year.
pub(crate) fn seconds(value: &Value<'_>, report: &mut Report<'_>) -> Option<u64> {
    let text = string(value, SPAN, report)?;
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (amount, unit) = text.split_at(digits);
    let known = UNITS.iter().find(|known| known.0 == unit);
    let Some((amount, (_, seconds, _))) = amount.parse::<u64>().ok().zip(known) else {
        let near = UNITS.iter().find(|known| known.0 == unit.trim() || known.2.contains(&unit.trim()));
        let near = near.filter(|_| digits > 0).map(|known| format!("{amount}{}", known.0));
        report.add(value.span(), Problem::Span { text: text.to_owned(), near });
        return None;
    };
    let span = amount.checked_mul(*seconds).filter(|span| (1..=LONGEST).contains(span));
    if span.is_none() {
        report.add(value.span(), Problem::SpanOutOfRange { text: text.to_owned() });
    }
    span
}
