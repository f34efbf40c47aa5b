//! Instants and days, as tables have them.

/// Milliseconds of a minute.
pub const MINUTE: i64 = 60_000;
/// Milliseconds of an hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Milliseconds of a day.
pub const DAY: i64 = 24 * HOUR;

/// A day, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i64);

impl Day {
    /// The UTC day of an instant.
    pub fn of(ms: i64) -> Self {
        Self(ms.div_euclid(DAY))
    }

    /// Year, month and day of the month.
    ///
    /// After H. Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`: years begin in March, so that the
    /// leap day is a year's last.
    pub fn civil(self) -> (i64, i64, i64) {
        let days = self.0 + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * from_march + 2) / 5 + 1;
        let month = (from_march + 2) % 12 + 1;
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year, month, day)
    }

    /// The first day of its month.
    pub fn first_of_month(self) -> Self {
        Self(self.0 - self.civil().2 + 1)
    }

    /// Months since the year 0.
    pub fn months(self) -> i64 {
        let (year, month, _) = self.civil();
        year * 12 + month
    }

    /// Appends it as `2025-11-03`.
    pub fn write(self, text: &mut String) {
        let (year, month, day) = self.civil();
        digits(text, year, 4);
        text.push('-');
        digits(text, month, 2);
        text.push('-');
        digits(text, day, 2);
    }
}

/// Appends what follows the UTC day of an instant: `T09:30:00.000Z`.
pub fn write_time(ms: i64, text: &mut String) {
    let of_day = ms.rem_euclid(DAY);
    for (sign, value, width) in [
        ('T', of_day / HOUR, 2),
        (':', of_day / MINUTE % 60, 2),
        (':', of_day / 1_000 % 60, 2),
        ('.', of_day % 1_000, 3),
    ] {
        text.push(sign);
        digits(text, value, width);
    }
    text.push('Z');
}

fn digits(text: &mut String, value: i64, width: usize) {
    let mut rest = value;
    let mut digits = [b'0'; 4];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
    }
    // Digits are ASCII.
    let shown = digits.get(4 - width..).unwrap_or_default();
    text.push_str(std::str::from_utf8(shown).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(ms: i64) -> String {
        let mut text = String::new();
        Day::of(ms).write(&mut text);
        write_time(ms, &mut text);
        text
    }

    #[test]
    fn instants_are_written_over_leap_days_and_the_turn_of_a_year() {
        assert_eq!(written(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(written(1_709_251_199_999), "2024-02-29T23:59:59.999Z");
        assert_eq!(written(1_767_225_600_000), "2026-01-01T00:00:00.000Z");
    }

    #[test]
    fn month_of_a_day_begins_on_its_first() {
        let last_of_december = Day::of(1_767_225_600_000 - 1);
        assert_eq!(last_of_december.first_of_month(), Day(20_423));
        assert_eq!(Day(20_454).months() - last_of_december.months(), 1);
    }
}
