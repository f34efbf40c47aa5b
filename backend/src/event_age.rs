//! How old an event may be, where records are judged again after the edge.

use clap::Args;

/// Flag of commands that judge records.
#[derive(Args, Clone, Debug)]
pub struct EventAge {
    /// Oldest event that is taken, in days before the edge received it. What the edge's variable of this name says
    #[arg(
        long,
        value_name = "DAYS",
        env = "SHOPTRAIL_MAX_AGE_DAYS",
        default_value_t = 7,
        value_parser = clap::value_parser!(u32).range(1..=36_500)
    )]
    pub max_event_age_days: u32,
}

impl EventAge {
    /// The bound in milliseconds.
    #[must_use]
    pub fn max_ms(&self) -> i64 {
        i64::from(self.max_event_age_days) * 24 * 60 * 60 * 1_000
    }
}
