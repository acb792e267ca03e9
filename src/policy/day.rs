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

/// The year, the month and the day of the month.
fn date_of(day: u64) -> (u64, u64, u64) {
    // Years from March on have their leap day at their end; 400 of them have 146,097 days.
    let days = day + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month, day)
}

/// A number of days, or of months of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span {
    Days(u64),
    Months(u64),
}

impl Span {
    /// Reads `90d`, `18mo` or `2y`: at least a day, at most a hundred years.
    pub(crate) fn parse(text: &str) -> Option<Span> {
        let (digits, unit) = text.split_at(text.bytes().take_while(u8::is_ascii_digit).count());
        let number = digits.parse::<u64>().ok()?;
        let (span, most) = match unit {
            "d" => (Span::Days(number), 36_525),
            "mo" => (Span::Months(number), 1_200),
            "y" => (Span::Months(number.checked_mul(12)?), 100),
            _ => return None,
        };
        (1..=most).contains(&number).then_some(span)
    }

    /// The day that lies so much later, as a `CK_DATE`: that of the same number, or the last of a shorter month. None
    /// past the year 9999.
    pub(crate) fn after(self, day: u64) -> Option<[u8; 8]> {
        let (year, month, day) = match self {
            Span::Days(days) => date_of(day + days),
            Span::Months(months) => {
                let (year, month, day) = date_of(day);
                let months = year * 12 + month - 1 + months;
                let (year, month) = (months / 12, months % 12 + 1);
                let fits = |day: &u64| {
                    let narrow = (u16::try_from(year), u8::try_from(month), u8::try_from(*day));
                    matches!(narrow, (Ok(year), Ok(month), Ok(day)) if of_date(year, month, day).is_some())
                };
                (year, month, (1..=day).rev().find(fits)?)
            }
        };
        let number = year * 10_000 + month * 100 + day;
        let mut rest = number;
        let mut digits = [b'0'; 8];
        for digit in digits.iter_mut().rev() {
            *digit += (rest % 10) as u8;
            rest /= 10;
        }
        (rest == 0).then_some(digits)
    }
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
    fn a_day_has_its_date_and_a_span_leads_to_another() {
        for day in 0..150_000 {
            let (year, month, date) = date_of(day);
            let narrow =
                (u16::try_from(year).unwrap(), u8::try_from(month).unwrap(), u8::try_from(date).unwrap());
            assert_eq!(of_date(narrow.0, narrow.1, narrow.2), Some(day));
        }
        let after = |span: &str, (year, month, day)| {
            let digits = Span::parse(span)?.after(of_date(year, month, day)?)?;
            Some(std::str::from_utf8(&digits).unwrap().parse::<u64>().unwrap())
        };
        assert_eq!(after("2y", (2026, 11, 21)), Some(20_281_121));
        assert_eq!(after("1y", (2028, 2, 29)), Some(20_290_228));
        assert_eq!(after("1mo", (2027, 1, 31)), Some(20_270_228));
        assert_eq!(after("13mo", (2026, 12, 1)), Some(20_280_101));
        assert_eq!(after("90d", (2026, 11, 21)), Some(20_270_219));
        assert_eq!(after("100y", (9900, 1, 1)), None);
        for bad in
            ["", "y", "0d", "2", "2 y", "+2y", "101y", "36526d", "2Y", "2m", "99999999999999999999y", "1ü"]
        {
            assert_eq!(Span::parse(bad), None, "{bad}");
        }
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
