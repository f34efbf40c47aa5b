//! When to try again.

use shoptrail_schemas::calendar;

/// Longest delay, in seconds: what waits for a broker that was away for hours flows again within five minutes.
const MAX_DELAY_SECONDS: u32 = 300;

/// The attempt from which a queue message is sent again as a new one instead of being retried: Cloudflare drops a message after its
/// hundredth retry and after its retention of four days; a new one has both before it again.
const LAST_ATTEMPT: u32 = 90;

/// Returns how long to wait after so many failures, in seconds, or what the gateway asked for, if that is longer.
///
/// The delay is about a third of the time since the first failure: 1, 1, 2, 2, 3, 4, 6, 8, … Whoever was away for ten
/// seconds is back in use after at most four more, and a long outage costs few calls.
#[must_use]
pub fn delay_seconds(failures: u32, retry_after: Option<u32>) -> u32 {
    // The thirtieth power is beyond the longest delay already.
    let exponent = i32::try_from(failures.min(30)).unwrap_or(30);
    let grown = 1.3_f64.powi(exponent).floor();
    // Truncates nothing: 1 to 2619.
    let delay = (grown as u32).max(retry_after.unwrap_or(0));
    delay.clamp(1, MAX_DELAY_SECONDS)
}

/// Reads a `Retry-After` header, which has seconds or a date, as seconds from `now` (in seconds since the epoch).
#[must_use]
pub fn retry_after(value: &str, now: u64) -> Option<u32> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(seconds);
    }
    let date = u64::try_from(calendar::from_http_date(value)?).unwrap_or(0);
    Some(u32::try_from(date.saturating_sub(now)).unwrap_or(u32::MAX))
}

/// Whether the platform might drop a message if it were retried once more.
#[must_use]
pub fn is_last_attempt(attempts: u32) -> bool {
    attempts >= LAST_ATTEMPT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_delays_are_short_and_later_ones_grow_to_a_cap() {
        let delays: Vec<u32> = (1..=10)
            .map(|failures| delay_seconds(failures, None))
            .collect();
        assert_eq!(delays, [1, 1, 2, 2, 3, 4, 6, 8, 10, 13]);
        assert_eq!(delay_seconds(u32::MAX, None), 300);
    }

    #[test]
    fn broker_away_ten_seconds_is_tried_again_within_four() {
        let mut at = 0;
        let mut failures = 0;
        while at < 10 {
            failures += 1;
            at += delay_seconds(failures, None);
        }
        assert!(at <= 14, "{at}");
    }

    #[test]
    fn retry_after_has_seconds_or_a_date() {
        let now = 1_795_392_000;
        assert_eq!(retry_after(" 7 ", now), Some(7));
        assert_eq!(retry_after("Mon, 23 Nov 2026 00:00:30 GMT", now), Some(30));
        assert_eq!(retry_after("Sun, 22 Nov 2026 23:59:59 GMT", now), Some(0));
        assert_eq!(retry_after("Monday, 23-Nov-26 00:00:30 GMT", now), Some(30));
        assert_eq!(retry_after("Mon Nov 23 00:00:30 2026", now), Some(30));
        assert_eq!(
            retry_after("Sun Dec  6 00:00:00 2026", now),
            Some(1_123_200)
        );
        assert_eq!(retry_after("Sunday, 06-Nov-94 08:49:37 GMT", now), Some(0));
        for wrong in [
            "",
            "soon",
            "-1",
            "1.5",
            "Mon, 31 Feb 2026 00:00:30 GMT",
            "Mon, 23 ovD 2026 00:00:30 GMT",
            "Mon, 23 Nov 2026 24:00:30 GMT",
            "Mon, 23 Nov 2026 00:30",
            "Mon, 23 Nov",
        ] {
            assert_eq!(retry_after(wrong, now), None, "{wrong}");
        }
    }

    #[test]
    fn gateway_may_ask_for_more_time_within_the_cap() {
        assert_eq!(delay_seconds(1, Some(7)), 7);
        assert_eq!(delay_seconds(9, Some(7)), 10);
        assert_eq!(delay_seconds(1, Some(86_400)), 300);
    }
}
