//! When to try again.

/// Longest delay, in seconds: what waits for a broker that was away for hours flows again within five minutes.
const MAX_DELAY_SECONDS: u32 = 300;

/// The attempt from which a queue message is sent anew instead of being retried: Cloudflare drops a message after its
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
    fn gateway_may_ask_for_more_time_within_the_cap() {
        assert_eq!(delay_seconds(1, Some(7)), 7);
        assert_eq!(delay_seconds(9, Some(7)), 10);
        assert_eq!(delay_seconds(1, Some(86_400)), 300);
    }
}
