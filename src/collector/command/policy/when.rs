// SPDX-License-Identifier: Apache-2.0
//! Times as they are typed: a point in time in RFC 3339 or so long ago, and days that rules are judged on.

use std::time::{SystemTime, UNIX_EPOCH};

use collector::render::Utc;
use toml::value::{Date, Datetime, Offset};

const DAY: u64 = 86_400;
const NS: u64 = 1_000_000_000;

/// A point in time, UTC nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Since(pub(super) u64);

/// A day, counted from 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Day(u64);

impl Since {
    /// Reads a time, a day or a span before now, for the command line.
    ///
    /// # Errors
    /// What would be understood.
    pub(super) fn parse(text: &str) -> Result<Since, String> {
        if let Some(seconds) = span(text) {
            return Ok(Since(now().saturating_sub(seconds).saturating_mul(NS)));
        }
        let seconds = text.parse().ok().and_then(|time| seconds(&time));
        let seconds = seconds.ok_or("write 7d, 12h, 2026-11-01 or 2026-11-01T08:00:00Z")?;
        Ok(Since(seconds.saturating_mul(NS)))
    }
}

impl Day {
    /// Reads a day, for the command line.
    ///
    /// # Errors
    /// What would be understood.
    pub(super) fn parse(text: &str) -> Result<Day, String> {
        let day = text.parse::<Datetime>().ok().filter(|day| day.time.is_none()).and_then(|day| day.date);
        day.and_then(days).map(Day).ok_or_else(|| "write a day such as 2031-01-01".into())
    }

    /// The same time of this day, in seconds; its beginning where no time is known.
    pub(super) fn at(self, time: Option<u64>) -> u64 {
        self.0 * DAY + time.unwrap_or(0) % DAY
    }

    /// `2031-01-01`.
    pub(super) fn text(self) -> String {
        day_of(self.0 * DAY)
    }
}

/// UTC seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The day that `seconds` since 1970 belong to: `2031-01-01`.
pub(super) fn day_of(seconds: u64) -> String {
    Utc(seconds.saturating_mul(NS)).to_string().chars().take("2031-01-01".len()).collect()
}

/// Seconds since 1970 of a time with an offset, or of the beginning of a day, UTC.
pub(super) fn seconds(time: &Datetime) -> Option<u64> {
    let day = days(time.date?)? * DAY;
    let Some(clock) = time.time else { return Some(day) };
    let seconds =
        u64::from(clock.hour) * 3600 + u64::from(clock.minute) * 60 + clock.second.map_or(0, u64::from);
    match time.offset {
        Some(Offset::Z) | None => Some(day + seconds),
        Some(Offset::Custom { minutes }) => (day + seconds).checked_add_signed(-60 * i64::from(minutes)),
    }
}

/// Seconds in `90s`, `30m`, `12h`, `7d` or `2w`.
fn span(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => DAY,
        "w" => 7 * DAY,
        _ => return None,
    };
    // No sign: a time that is to come was never meant.
    number
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| number.parse::<u64>().ok())??
        .checked_mul(seconds)
}

/// Days since 1970 of a Gregorian date. Years are counted from March, so that the leap day is a year's last, in eras
/// of 400 years, which all have 146,097 days.
fn days(date: Date) -> Option<u64> {
    let (month, day) = (u64::from(date.month), u64::from(date.day));
    let year = u64::from(date.year).checked_sub(u64::from(month <= 2))?;
    let (era, year_of_era) = (year / 400, year % 400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_the_same_there_and_back() {
        for day in
            ["1970-01-01", "2000-02-29", "2000-03-01", "2026-11-21", "2031-01-01", "2100-02-28", "2100-03-01"]
        {
            assert_eq!(Day::parse(day).unwrap().text(), day);
        }
        assert_eq!(Day::parse("2031-01-01").unwrap().at(Some(1_795_237_200)), 1_924_992_000 + 5 * 3600);
        for bad in ["", "2031", "2031-02-30", "31-01-01", "2031-01-01T00:00:00Z", "7d", "1969-12-31"] {
            assert!(Day::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_time_is_a_point_or_so_long_ago() {
        let at = |text: &str| Since::parse(text).unwrap().0 / NS;
        assert_eq!(at("2026-11-21T05:00:00Z"), 1_795_237_200);
        assert_eq!(at("2026-11-21T06:00:00+01:00"), 1_795_237_200);
        assert_eq!(at("2026-11-21"), 1_795_219_200);
        let week = now() - at("7d");
        assert!((7 * DAY..7 * DAY + 60).contains(&week), "{week}");
        assert_eq!(span("90s"), Some(90));
        for bad in ["", "d", "7", "-7d", "+7d", "7y", "yesterday", "\u{fc}d"] {
            assert!(Since::parse(bad).is_err(), "{bad}");
        }
    }
}
