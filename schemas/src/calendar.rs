//! The calendar: what a date says in days since the epoch, and a time in milliseconds.

use crate::number::SPACES;

/// Reads a date of HTTP as seconds since the epoch, in each of the three forms that RFC 9110 wants read:
/// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`.
#[must_use]
pub fn from_http_date(text: &str) -> Option<i64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let words = text.split([' ', ',', '-']).filter(|word| !word.is_empty());
    // The day of the week says nothing new.
    let mut words = words.skip(1);
    let [first, second, third, fourth] = [(); 4].map(|()| words.next().unwrap_or_default());
    let (day, month, year, time) = match second.parse::<u8>() {
        Ok(_) => (second, first, fourth, third),
        Err(_) => (first, second, third, fourth),
    };
    let place = MONTHS.find(month)?;
    let month = (place % 3 == 0 && month.len() == 3).then_some(place / 3 + 1)?;
    let year: i64 = match year.parse().ok()? {
        year @ 0..70 => year + 2000,
        year @ 70..100 => year + 1900,
        year => year,
    };
    let days = days(year, i64::try_from(month).ok()?, day.parse().ok()?)?;
    let mut time = time.split(':').map(|part| part.parse().ok());
    let seconds = seconds(time.next()??, time.next()??, time.next()??)?;
    Some(days * 86_400 + seconds)
}

/// Returns how many days after 1970-01-01 a date is. `None` if there is no such day in the years 1 to 9999.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
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
    Some(unchecked_days(year, month, day))
}

/// The same where the month is one. A day beyond its end is one of the next month.
const fn unchecked_days(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the leap day is the last: then 153 days are five months.
    let year = if month > 2 { year } else { year - 1 };
    let since_march = (153 * ((month + 9) % 12) + 2) / 5;
    365 * year + year / 4 - year / 100 + year / 400 + since_march + day - 719_469
}

/// Reads a time as ISO 8601 writes it, as milliseconds since the epoch: `2026-11-23T00:00:00.123Z`. Without an offset from
/// UTC nobody knows which instant is meant. As in JavaScript, 30 February is a day of March.
pub(crate) fn from_iso_8601(text: &str) -> Option<i64> {
    let text = text.trim_matches(SPACES);
    let (date, rest) = text.split_at_checked("2026-11-23".len())?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, offset) = rest.split_at_checked(rest.find(['Z', 'z', '+', '-'])?)?;
    let days = days_of(date)?;
    let minutes = offset_minutes(offset)?;
    Some((days * 1_440 - minutes) * 60_000 + milliseconds(time)?)
}

/// The texts that [`from_iso_8601`] reads, as a regular expression (ECMA 262) without its ends.
#[cfg(feature = "json-schema")]
pub(crate) fn iso_8601_pattern() -> String {
    let (hour, sixtieth) = ("([01][0-9]|2[0-3])", "[0-5][0-9]");
    format!(
        "[0-9]{{4}}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt ]\
         {hour}:{sixtieth}(:{sixtieth}([.,][0-9]+)?)?([Zz]|[-+]{hour}(:?{sixtieth})?)"
    )
}

fn days_of(date: &str) -> Option<i64> {
    let mut parts = date.splitn(3, '-');
    let year = number(parts.next()?, 4, 9_999)?;
    let month = number(parts.next()?, 2, 12).filter(|month| *month > 0)?;
    let day = number(parts.next()?, 2, 31).filter(|day| *day > 0)?;
    Some(unchecked_days(year, month, day))
}

/// Reads `00:00`, `00:00:00` or `00:00:00.123` as milliseconds.
fn milliseconds(time: &str) -> Option<i64> {
    let (hour, rest) = time.split_once(':')?;
    let (minute, second) = rest.split_once(':').unwrap_or((rest, "00"));
    let (second, fraction) = second.split_once(['.', ',']).unwrap_or((second, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths = format!("{fraction:0<3}");
    let thousandths = number(thousandths.get(..3)?, 3, 999)?;
    let seconds =
        (number(hour, 2, 23)? * 60 + number(minute, 2, 59)?) * 60 + number(second, 2, 59)?;
    Some(seconds * 1_000 + thousandths)
}

/// Reads `Z`, `+01`, `+0100` or `+01:00`.
fn offset_minutes(offset: &str) -> Option<i64> {
    let (sign, rest) = match offset.split_at_checked(1)? {
        ("Z" | "z", "") => return Some(0),
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hour, rest) = rest.split_at_checked(2)?;
    let minute = match rest.strip_prefix(':').unwrap_or(rest) {
        "" if rest.is_empty() => "00",
        minute => minute,
    };
    Some(sign * (number(hour, 2, 23)? * 60 + number(minute, 2, 59)?))
}

/// Reads so many digits, up to a number.
fn number(digits: &str, width: usize, max: i64) -> Option<i64> {
    let is_number = digits.len() == width && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse().ok().filter(|number| *number <= max);
    number.filter(|_| is_number)
}

/// Returns how many seconds after midnight a time is. `None` if a day has no such time; a leap second is the one after it.
fn seconds(hour: i64, minute: i64, second: i64) -> Option<i64> {
    let is_time =
        (0..24).contains(&hour) && (0..60).contains(&minute) && (0..=60).contains(&second);
    is_time.then_some((hour * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_iso_8601_are_instants() {
        for (text, ms) in [
            ("2026-11-23T00:00:00.123Z", 1_795_392_000_123),
            ("2026-11-23T00:00:00Z", 1_795_392_000_000),
            ("2026-11-23 00:00z", 1_795_392_000_000),
            ("2026-11-23t01:30:00,5+01:30", 1_795_392_000_500),
            ("2026-11-22T19:00:00.123456789-0500", 1_795_392_000_123),
            (" 2026-11-23T01:00:00+01\n", 1_795_392_000_000),
            ("2026-02-30T00:00:00Z", 1_772_409_600_000),
            ("1970-01-01T00:00:00Z", 0),
        ] {
            assert_eq!(from_iso_8601(text), Some(ms), "{text}");
        }
    }

    #[test]
    fn what_names_no_instant_is_no_time() {
        for text in [
            "",
            "2026-11-23",
            "2026-11-23T00:00:00",
            "2026-11-23T00:00:00.Z",
            "2026-11-23T00:00:00.1x Z",
            "2026-11-23T24:00:00Z",
            "2026-11-23T00:60:00Z",
            "2026-11-23T00:00:60Z",
            "2026-13-23T00:00:00Z",
            "2026-00-23T00:00:00Z",
            "2026-11-32T00:00:00Z",
            "2026-11-00T00:00:00Z",
            "2026-11-23T0:00:00Z",
            "2026-11-23T00:00:00:00Z",
            "2026-11-23T00:00:00+1",
            "2026-11-23T00:00:00+01:",
            "2026-11-23T00:00:00+01:0",
            "2026-11-23T00:00:00ZZ",
            "2026-11-23T00:00:00 Z",
            "26-11-23T00:00:00Z",
            "+026-11-23T00:00:00Z",
            "2026-11-2éT00:00:00Z",
            "11/23/2026 00:00:00Z",
        ] {
            assert_eq!(from_iso_8601(text), None, "{text}");
        }
    }

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
