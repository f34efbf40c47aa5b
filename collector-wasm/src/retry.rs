//! When to send again after a failure: exponential back-off with full jitter, so that the tabs of a whole shop do not
//! come back at the same moment (<https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>).

/// Upper bound of the first delay, in milliseconds.
const BASE_MS: f64 = 1000.0;

/// The bound doubles this often: to 64 seconds.
const DOUBLINGS: u32 = 6;

/// The longest `Retry-After` that is believed, in milliseconds.
const LONGEST_RETRY_AFTER_MS: f64 = 3_600_000.0;

/// Spread of the tabs when the browser says it is online again, in milliseconds.
const ONLINE_SPREAD_MS: f64 = 2000.0;

/// What a reply means for the batch it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Not taken: it is kept and sent again.
    Kept = 0,
    /// The edge has it: what it refused of it is in its dead letters.
    Done = 1,
    /// The edge will never take it.
    Refused = 2,
}

/// Reads the HTTP status of a reply; 0 stands for no reply at all.
pub fn outcome(status: u16) -> Outcome {
    match status {
        200..=299 | 400 => Outcome::Done,
        401 | 403 | 413 => Outcome::Refused,
        _ => Outcome::Kept,
    }
}

/// Milliseconds to wait after the given number of failures in a row. `retry_after` is the edge's wish in seconds (0 for
/// none) and is waited for in full; `random` is in 0..1.
pub fn delay(failures: u32, retry_after: f64, random: f64) -> f64 {
    let bound = BASE_MS * f64::from(1_u32 << failures.saturating_sub(1).min(DOUBLINGS));
    (retry_after.max(0.0) * 1000.0).min(LONGEST_RETRY_AFTER_MS) + random * bound
}

/// Milliseconds to wait when the browser comes online.
pub fn online_delay(random: f64) -> f64 {
    random * ONLINE_SPREAD_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_a_minute() {
        let bounds: Vec<f64> = (1..=8).map(|failures| delay(failures, 0.0, 1.0)).collect();
        assert_eq!(
            bounds,
            [
                1000.0, 2000.0, 4000.0, 8000.0, 16_000.0, 32_000.0, 64_000.0, 64_000.0
            ]
        );
        assert_eq!(delay(3, 0.0, 0.25), 1000.0);
    }

    #[test]
    fn the_edges_wish_comes_before_the_jitter() {
        assert_eq!(delay(1, 5.0, 0.5), 5500.0);
        assert_eq!(delay(1, 1e9, 0.0), 3_600_000.0);
        assert_eq!(delay(1, -5.0, 0.0), 0.0);
    }

    #[test]
    fn only_what_the_edge_will_never_take_is_refused() {
        for status in [200, 202, 207, 400] {
            assert_eq!(outcome(status), Outcome::Done, "{status}");
        }
        for status in [401, 403, 413] {
            assert_eq!(outcome(status), Outcome::Refused, "{status}");
        }
        for status in [0, 404, 408, 429, 500, 503] {
            assert_eq!(outcome(status), Outcome::Kept, "{status}");
        }
    }
}
