//! What an answer means, and when to send again after a failure: exponential back-off with full jitter, so that the tabs
//! of a whole shop do not come back at the same moment
//! (<https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>).

/// Upper bound of the first delay, in milliseconds.
const BASE_MS: f64 = 1000.0;

/// The bound doubles this often: to 64 seconds.
const DOUBLINGS: u32 = 6;

/// The longest `Retry-After` that is believed, in milliseconds.
const LONGEST_RETRY_AFTER_MS: f64 = 3_600_000.0;

/// The longest delay that [`delay`] comes to.
pub const LONGEST_DELAY_MS: f64 = 2.0 * LONGEST_RETRY_AFTER_MS;

/// How long a stranger stays away, in milliseconds: a wrong key or origin is a wrong deployment, which somebody has to
/// notice and put right.
const STRANGER_MS: f64 = 60_000.0;

/// Spread of the tabs when the browser says it is online again, in milliseconds.
const ONLINE_SPREAD_MS: f64 = 2000.0;

/// An answer to a request.
#[derive(Clone, Copy, Debug)]
pub struct Reply {
    /// The HTTP status; 0 stands for no reply at all.
    pub status: u16,
    /// Whether the body is the edge's: anything in front of it can answer 200 with a page of its own.
    pub is_edges: bool,
    /// The edge's wish in seconds, 0 for none.
    pub retry_after: f64,
}

/// What a reply means for the events it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Not taken: they are kept and sent again.
    Kept = 0,
    /// The edge has them: what it rejected of them is in its dead letters.
    Done = 1,
    /// Too large together: they are sent again in smaller requests, and an event that is too large alone is given up.
    TooLarge = 2,
}

/// Reads a reply.
pub fn outcome(reply: Reply) -> Outcome {
    match reply.status {
        200..=299 | 400 if reply.is_edges => Outcome::Done,
        413 => Outcome::TooLarge,
        _ => Outcome::Kept,
    }
}

/// Milliseconds to wait after the given number of failures in a row; `random` is in 0..1. `Retry-After` is waited for in
/// full, and then up to as long again: a thousand tabs that were told the same are spread over it.
pub fn delay(failures: u32, reply: Reply, random: f64) -> f64 {
    let bound = BASE_MS * f64::from(1_u32 << failures.saturating_sub(1).min(DOUBLINGS));
    let wish = match reply.status {
        401 | 403 => STRANGER_MS,
        _ => (reply.retry_after.max(0.0) * 1000.0).min(LONGEST_RETRY_AFTER_MS),
    };
    wish + random * bound.max(wish)
}

/// Milliseconds to wait when the browser comes online.
pub fn online_delay(random: f64) -> f64 {
    random * ONLINE_SPREAD_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn reply(status: u16, retry_after: f64) -> Reply {
        Reply {
            status,
            is_edges: true,
            retry_after,
        }
    }

    #[test]
    fn the_bound_doubles_up_to_a_minute() {
        let bounds: Vec<f64> = (1..=8)
            .map(|failures| delay(failures, reply(503, 0.0), 1.0))
            .collect();
        assert_eq!(
            bounds,
            [
                1000.0, 2000.0, 4000.0, 8000.0, 16_000.0, 32_000.0, 64_000.0, 64_000.0
            ]
        );
        assert_eq!(delay(3, reply(503, 0.0), 0.25), 1000.0);
    }

    #[test]
    fn the_edges_wish_is_waited_for_and_spread() {
        assert_eq!(delay(1, reply(429, 5.0), 0.0), 5000.0);
        assert_eq!(delay(1, reply(429, 5.0), 0.5), 7500.0);
        assert_eq!(delay(1, reply(429, 1e9), 1.0), LONGEST_DELAY_MS);
        assert_eq!(delay(1, reply(429, -5.0), 0.0), 0.0);
    }

    #[test]
    fn a_stranger_stays_away_for_a_minute() {
        assert_eq!(delay(1, reply(401, 0.0), 0.0), 60_000.0);
        assert_eq!(delay(1, reply(403, 1.0), 0.5), 90_000.0);
    }

    #[test]
    fn only_the_edges_own_word_ends_events() {
        for status in [200, 202, 207, 400] {
            assert_eq!(outcome(reply(status, 0.0)), Outcome::Done, "{status}");
            let foreign = Reply {
                is_edges: false,
                ..reply(status, 0.0)
            };
            assert_eq!(outcome(foreign), Outcome::Kept, "{status}");
        }
        assert_eq!(outcome(reply(413, 0.0)), Outcome::TooLarge);
        for status in [0, 302, 401, 403, 404, 408, 429, 500, 503] {
            assert_eq!(outcome(reply(status, 0.0)), Outcome::Kept, "{status}");
        }
    }
}
