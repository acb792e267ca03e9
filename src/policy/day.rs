// SPDX-License-Identifier: Apache-2.0
//! Days, counted from 1970-01-01, and what a moment is in UTC.

/// Seconds of a day.
const SECONDS: u64 = 86_400;

/// The day of a date of the calendar; none where there is no such date, or it lies before 1970.
pub(crate) fn of_date(year: u16, month: u8, day: u8) -> Option<u64> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let months = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let month = usize::from(month).checked_sub(1)?;
    if year < 1970 || day == 0 || u64::from(day) > *months.get(month)? {
        return None;
    }
    let before = u64::from(year) - 1;
    // Days up to the end of the year before, less those up to the end of 1969.
    let years = before * 365 + before / 4 - before / 100 + before / 400 - 719_162;
    Some(years + months[..month].iter().sum::<u64>() + u64::from(day) - 1)
}

/// The day of a `CK_DATE`: eight ASCII digits.
pub(crate) fn of_digits(digits: [u8; 8]) -> Option<u64> {
    let text =
        std::str::from_utf8(&digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    of_date(text[..4].parse().ok()?, text[4..6].parse().ok()?, text[6..].parse().ok()?)
}

/// The day of a moment in seconds.
pub(crate) fn of_time(time: u64) -> u64 {
    time / SECONDS
}

/// The minute of its day that a moment lies in.
pub(crate) fn minute(time: u64) -> u64 {
    time % SECONDS / 60
}

/// The day of the week of a moment: 0 is Monday. The first of all days was a Thursday.
pub(crate) fn weekday(time: u64) -> u64 {
    (of_time(time) + 3) % 7
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_since_1970() {
        assert_eq!(of_date(1970, 1, 1), Some(0));
        assert_eq!(of_date(1972, 3, 1), Some(790));
        assert_eq!(of_date(2000, 2, 29), Some(11_016));
        assert_eq!(of_date(2031, 1, 1), Some(22_280));
        assert_eq!(of_digits(*b"20310101"), Some(22_280));
        for (year, month, day) in
            [(1969, 12, 31), (2031, 2, 29), (2100, 2, 29), (2031, 13, 1), (2031, 0, 1), (2031, 1, 0)]
        {
            assert_eq!(of_date(year, month, day), None, "{year} {month} {day}");
        }
        assert_eq!(of_digits(*b"2031 101"), None);
    }

    #[test]
    fn a_moment_has_a_day_a_minute_and_a_weekday() {
        // 2026-11-21, a Saturday, 09:05:07 UTC.
        let time = 1_795_251_907;
        assert_eq!(
            (of_time(time), minute(time), weekday(time)),
            (of_date(2026, 11, 21).unwrap(), 9 * 60 + 5, 5)
        );
    }
}
