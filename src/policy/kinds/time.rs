// SPDX-License-Identifier: Apache-2.0
//! Conditions on when a call comes in. All of it is UTC: a policy means the same on every machine.

use toml::de::DeValue;

use super::Kind;
use crate::day;
use crate::diagnostic::Report;
use crate::problem::{Problem, Wanted};
use crate::reader::{Value, string, wrong_type};

const DATE: Wanted = Wanted { what: "date", example: "2031-01-01" };
const HOURS: Wanted = Wanted { what: "span of hours", example: "\"08:00-18:00\"" };

/// From this day on. Where the day is not known, what is announced does not hold yet.
#[derive(Debug)]
pub(crate) struct From(u64);

/// Up to this day and on it. Where the day is not known, what is to end holds still.
#[derive(Debug)]
pub(crate) struct Until(u64);

fn date(value: &Value<'_>, report: &mut Report<'_>) -> Option<u64> {
    let DeValue::Datetime(written) = value.get_ref() else {
        return wrong_type(value, DATE, report);
    };
    let day = written
        .date
        .filter(|_| written.time.is_none() && written.offset.is_none())
        .and_then(|date| day::of_date(date.year, date.month, date.day));
    if day.is_none() {
        report.add(value.span(), Problem::Date { text: written.to_string() });
    }
    day
}

impl Kind for From {
    type How = ();
    type Fact<'f> = Option<u64>;

    #[inline(never)]
    fn read(value: &Value<'_>, (): (), _: bool, report: &mut Report<'_>) -> Option<From> {
        date(value, report).map(From)
    }

    fn met_by(&self, day: Option<u64>) -> bool {
        day.is_some_and(|day| day >= self.0)
    }

    fn covers(&self, narrow: &From) -> bool {
        self.0 <= narrow.0
    }

    fn limit(&self) -> Option<u64> {
        Some(self.0)
    }
}

impl Kind for Until {
    type How = ();
    type Fact<'f> = Option<u64>;

    #[inline(never)]
    fn read(value: &Value<'_>, (): (), _: bool, report: &mut Report<'_>) -> Option<Until> {
        date(value, report).map(Until)
    }

    fn met_by(&self, day: Option<u64>) -> bool {
        day.is_none_or(|day| day <= self.0)
    }

    fn covers(&self, narrow: &Until) -> bool {
        self.0 >= narrow.0
    }

    fn limit(&self) -> Option<u64> {
        Some(self.0)
    }
}

/// Between two times of the day, in minutes: from the first until just before the second, past midnight where the
/// second is the smaller.
#[derive(Debug)]
pub(crate) struct Hours {
    from: u64,
    until: u64,
}

impl Kind for Hours {
    type How = ();
    type Fact<'f> = Option<u64>;

    #[inline(never)]
    fn read(value: &Value<'_>, (): (), _: bool, report: &mut Report<'_>) -> Option<Hours> {
        let written = string(value, HOURS, report)?;
        let hours = written.split_once('-').and_then(|(from, until)| {
            let (from, until) = (minute(from)?, minute(until)?);
            (from != until && from < 24 * 60).then_some(Hours { from, until })
        });
        if hours.is_none() {
            report.add(value.span(), Problem::Hours { text: written.to_owned() });
        }
        hours
    }

    fn met_by(&self, minute: Option<u64>) -> bool {
        minute.is_some_and(|minute| self.holds(minute))
    }

    fn covers(&self, narrow: &Hours) -> bool {
        (0..24 * 60).all(|minute| !narrow.holds(minute) || self.holds(minute))
    }
}

impl Hours {
    fn holds(&self, minute: u64) -> bool {
        if self.from < self.until {
            (self.from..self.until).contains(&minute)
        } else {
            minute >= self.from || minute < self.until
        }
    }
}

/// `08:30`, up to `24:00`.
fn minute(text: &str) -> Option<u64> {
    let (hour, minute) = text.trim().split_once(':')?;
    let two = |digits: &str| {
        let right = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
        right.then(|| digits.parse::<u64>().ok())?
    };
    let minute = two(hour)? * 60 + two(minute).filter(|minute| *minute < 60)?;
    (minute <= 24 * 60).then_some(minute)
}
