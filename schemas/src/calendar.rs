//! The calendar: what a date says in days since the epoch.

/// Returns how many days after 1970-01-01 a date is. `None` if there is no such day in the years 1 to 9999.
#[must_use]
pub fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if !(1..=9_999).contains(&year) || !(1..=12).contains(&month) || !(1..=length).contains(&day) {
        return None;
    }
    // Years begin in March, so that the leap day is the last: then 153 days are five months.
    let year = if month > 2 { year } else { year - 1 };
    let since_march = (153 * ((month + 9) % 12) + 2) / 5;
    Some(365 * year + year / 4 - year / 100 + year / 400 + since_march + day - 719_469)
}

/// Returns how many seconds after midnight a time is. `None` if a day has no such time; a leap second is the one after it.
#[must_use]
pub fn seconds(hour: i64, minute: i64, second: i64) -> Option<i64> {
    let is_time =
        (0..24).contains(&hour) && (0..60).contains(&minute) && (0..=60).contains(&second);
    is_time.then_some((hour * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_follow_each_other() {
        assert_eq!(days(1970, 1, 1), Some(0));
        assert_eq!(days(2026, 11, 23), Some(20_780));
        assert_eq!(days(9_999, 12, 31), Some(2_932_896));
        let mut next = days(1, 1, 1).unwrap();
        assert_eq!(next, -719_162);
        for year in 1..=9_999 {
            for month in 1..=12 {
                for day in 1..=31 {
                    if let Some(number) = days(year, month, day) {
                        assert_eq!(number, next, "{year}-{month}-{day}");
                        next += 1;
                    }
                }
            }
        }
        assert_eq!(next, 2_932_897);
    }

    #[test]
    fn days_that_no_calendar_has_are_none() {
        for (year, month, day) in [
            (2026, 2, 29),
            (2100, 2, 29),
            (2026, 4, 31),
            (2026, 0, 1),
            (2026, 13, 1),
            (2026, 1, 0),
            (0, 1, 1),
            (10_000, 1, 1),
        ] {
            assert_eq!(days(year, month, day), None, "{year}-{month}-{day}");
        }
        assert!(days(2000, 2, 29).is_some());
    }

    #[test]
    fn seconds_are_those_of_a_day() {
        assert_eq!(seconds(23, 59, 60), Some(86_400));
        for (hour, minute, second) in [(24, 0, 0), (0, 60, 0), (0, 0, 61), (-1, 0, 0)] {
            assert_eq!(seconds(hour, minute, second), None);
        }
    }
}
