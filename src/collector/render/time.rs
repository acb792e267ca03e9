// SPDX-License-Identifier: Apache-2.0
//! Times as events show them: UTC, nanoseconds, RFC 3339.

use super::json::Json;

const LENGTH: usize = "2026-11-21T05:00:00.123456789Z".len();

/// Nanoseconds since 1970 UTC; shown as `2026-11-21T05:00:00.123456789Z`. Reaches to the year 2554.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Utc(pub u64);

impl Utc {
    /// The text, as ASCII.
    fn text(self) -> [u8; LENGTH] {
        let (seconds, nanoseconds) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        let (year, month, day) = date(seconds / 86_400);
        let mut text = *b"0000-00-00T00:00:00.000000000Z";
        let mut digits = |range: std::ops::Range<usize>, mut value: u64| {
            for place in text[range].iter_mut().rev() {
                *place += (value % 10) as u8;
                value /= 10;
            }
        };
        digits(0..4, year);
        digits(5..7, month);
        digits(8..10, day);
        digits(11..13, seconds / 3600 % 24);
        digits(14..16, seconds / 60 % 60);
        digits(17..19, seconds % 60);
        digits(20..29, nanoseconds);
        text
    }
}

impl std::fmt::Display for Utc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.text().iter().try_for_each(|byte| std::fmt::Write::write_char(f, char::from(*byte)))
    }
}

impl Json for Utc {
    fn json(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        out.extend_from_slice(&self.text());
        out.push(b'"');
    }
}

/// Year, month and day of the Gregorian calendar from days since 1970. Years are counted from March, so that the
/// leap day is a year's last, in eras of 400 years, which all have 146,097 days.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_the_calendar_has_them() {
        for (ns, text) in [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (951_782_400_000_000_001, "2000-02-29T00:00:00.000000001Z"),
            (951_868_800_000_000_000, "2000-03-01T00:00:00.000000000Z"),
            (1_795_237_200_123_456_789, "2026-11-21T05:00:00.123456789Z"),
            (4_107_542_399_999_999_999, "2100-02-28T23:59:59.999999999Z"),
            (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000000Z"),
            (u64::MAX, "2554-07-21T23:34:33.709551615Z"),
        ] {
            assert_eq!(Utc(ns).to_string(), text);
        }
    }
}
