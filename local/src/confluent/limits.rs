//! The Cloud's rate limits, counted as token buckets that hold one second's worth.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a cluster accepts per second over REST.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Calls per second.
    pub calls: u32,
    /// Streamed records per second.
    pub records: u32,
    /// Bytes of records per second.
    pub bytes: u32,
}

impl Limits {
    /// Basic, Standard, Enterprise and Freight clusters.
    /// Source: Confluent Cloud documentation, "Kafka cluster types", REST Produce v3.
    pub const BASIC: Self = Self {
        calls: 25,
        records: 1_000,
        bytes: 10_000_000,
    };
}

/// A limit of units per second.
#[derive(Debug)]
pub struct RateLimit {
    per_second: f64,
    tokens: f64,
    filled_at: Duration,
}

impl RateLimit {
    /// Starts full.
    #[must_use]
    pub fn new(per_second: u32) -> Self {
        let per_second = f64::from(per_second);
        Self {
            per_second,
            tokens: per_second,
            filled_at: Duration::ZERO,
        }
    }

    /// Takes `units` at the time `now` (any clock that never goes back); false if that many are not left. More than a second's
    /// worth passes when the bucket is full: otherwise it never would.
    pub fn take(&mut self, units: f64, now: Duration) -> bool {
        let passed = now.saturating_sub(self.filled_at).as_secs_f64();
        self.filled_at = self.filled_at.max(now);
        self.tokens = (self.tokens + passed * self.per_second).min(self.per_second);
        let allowed = self.tokens >= units.min(self.per_second);
        if allowed {
            self.tokens -= units;
        }
        allowed
    }
}

/// The limits of one cluster, shared by all calls.
pub struct Meter {
    started: Instant,
    calls: Mutex<RateLimit>,
    records: Mutex<RateLimit>,
    bytes: Mutex<RateLimit>,
}

impl Meter {
    /// Counts against `limits`.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            started: Instant::now(),
            calls: Mutex::new(RateLimit::new(limits.calls)),
            records: Mutex::new(RateLimit::new(limits.records)),
            bytes: Mutex::new(RateLimit::new(limits.bytes)),
        }
    }

    /// Counts a call; false: too many.
    pub fn call(&self) -> bool {
        self.take(&self.calls, 1.0)
    }

    /// Counts a record; false: too many.
    pub fn record(&self, bytes: usize) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "a record has at most 8 MB")]
        let bytes = bytes as f64;
        self.take(&self.records, 1.0) && self.take(&self.bytes, bytes)
    }

    fn take(&self, limit: &Mutex<RateLimit>, units: f64) -> bool {
        let mut limit = limit.lock().unwrap_or_else(PoisonError::into_inner);
        limit.take(units, self.started.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(limit: &mut RateLimit, times: u32, now: Duration) -> usize {
        (0..times).filter(|_| limit.take(1.0, now)).count()
    }

    #[test]
    fn second_holds_as_many_as_the_limit_says() {
        let mut limit = RateLimit::new(25);
        assert_eq!(allowed(&mut limit, 100, Duration::ZERO), 25);
        assert_eq!(allowed(&mut limit, 100, Duration::from_millis(40)), 1);
        assert_eq!(allowed(&mut limit, 100, Duration::from_millis(1_040)), 25);
    }

    #[test]
    fn quiet_time_is_not_saved_up() {
        let mut limit = RateLimit::new(1_000);
        assert_eq!(
            allowed(&mut limit, 5_000, Duration::from_secs(3_600)),
            1_000
        );
    }

    #[test]
    fn clock_that_stands_or_goes_back_gives_nothing() {
        let mut limit = RateLimit::new(10);
        assert_eq!(allowed(&mut limit, 20, Duration::from_secs(5)), 10);
        assert_eq!(allowed(&mut limit, 20, Duration::from_secs(4)), 0);
        assert_eq!(allowed(&mut limit, 20, Duration::from_secs(5)), 0);
    }

    #[test]
    fn one_record_larger_than_a_seconds_worth_passes_and_is_paid_back() {
        let mut limit = RateLimit::new(100);
        assert!(limit.take(250.0, Duration::ZERO));
        assert!(!limit.take(1.0, Duration::from_millis(1_500)));
        assert!(limit.take(1.0, Duration::from_millis(1_600)));
    }
}
