//! When a landing is made: by age or by size, whichever comes first.

use std::time::Duration;

use clap::Args;

use super::rows::Rows;

/// How long one wait for a record lasts; bounds the time to notice a stop.
const POLL: Duration = Duration::from_millis(100);

/// The age of a landing that is in no hurry.
const UNHURRIED_MS: u64 = 15_000;

/// Flags that say when a landing is made. More at once makes fewer and larger files, and tables that are older.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Landings")]
pub struct Limits {
    /// Longest time that a record waits for others before it lands, in milliseconds
    #[arg(
        long,
        value_name = "MS",
        env = "SHOPTRAIL_LAND_MAX_AGE_MS",
        default_value_t = 10_000
    )]
    pub max_age_ms: u64,
    /// Largest number of records in one landing
    #[arg(
        long,
        value_name = "N",
        env = "SHOPTRAIL_LAND_MAX_ROWS",
        default_value_t = 50_000
    )]
    pub max_rows: usize,
    /// Largest size of the records in one landing, in mebibytes; landing takes a few times as much memory
    #[arg(
        long,
        value_name = "MIB",
        env = "SHOPTRAIL_LAND_MAX_MIB",
        default_value_t = 64
    )]
    pub max_mib: usize,
}

impl Limits {
    /// Whether what was collected is to land now; `age` is that of its first record.
    pub(super) fn is_reached(&self, rows: &Rows, age: Option<Duration>) -> bool {
        rows.len() >= self.max_rows
            || rows.bytes() >= self.max_mib.saturating_mul(1 << 20)
            || age.is_some_and(|age| age >= self.max_age())
    }

    /// How long to wait for the next record.
    pub(super) fn wait(&self, age: Option<Duration>) -> Duration {
        age.map_or(POLL, |age| self.max_age().saturating_sub(age).min(POLL))
    }

    /// The same limits, or with time for larger files while nobody looks at the tables.
    pub(super) fn unhurried(self, takes_time: bool) -> Self {
        let max_age_ms = if takes_time {
            self.max_age_ms.max(UNHURRIED_MS)
        } else {
            self.max_age_ms
        };
        Self { max_age_ms, ..self }
    }

    fn max_age(&self) -> Duration {
        Duration::from_millis(self.max_age_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judging::Judging;

    const LIMITS: Limits = Limits {
        max_age_ms: 1_000,
        max_rows: 10,
        max_mib: 1,
    };

    #[test]
    fn records_that_never_stop_coming_land_when_the_first_is_old_enough() {
        let judging = Judging::default();
        let none = Rows::new("topic", &judging);
        assert!(!LIMITS.is_reached(&none, None));
        assert!(!LIMITS.is_reached(&none, Some(Duration::from_millis(999))));
        assert!(LIMITS.is_reached(&none, Some(Duration::from_secs(1))));
    }

    #[test]
    fn landing_that_nobody_waits_for_takes_more_time_but_never_less_than_it_was_told() {
        assert_eq!(LIMITS.unhurried(false).max_age_ms, 1_000);
        assert_eq!(LIMITS.unhurried(true).max_age_ms, UNHURRIED_MS);
        let slow = Limits {
            max_age_ms: 60_000,
            ..LIMITS
        };
        assert_eq!(slow.unhurried(true).max_age_ms, 60_000);
    }

    #[test]
    fn wait_ends_with_the_age_of_the_first_record() {
        assert_eq!(LIMITS.wait(None), POLL);
        assert_eq!(LIMITS.wait(Some(Duration::ZERO)), POLL);
        let left = LIMITS.wait(Some(Duration::from_millis(990)));
        assert_eq!(left, Duration::from_millis(10));
        assert_eq!(LIMITS.wait(Some(Duration::from_secs(9))), Duration::ZERO);
    }
}
