//! How a lake is kept.

use std::time::Duration;

use clap::Args;

/// Shorter would take files from under a reader that is slow, or that began before a pause of its machine.
const SHORTEST_HOURS: u64 = 1;

/// How a lake is kept; of no effect on BigQuery.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Lake")]
pub struct LakeArgs {
    /// How long replaced files and old versions of a table are kept for readers that still use them, in hours
    #[arg(
        long,
        value_name = "HOURS",
        env = "SHOPTRAIL_LAKE_RETENTION_HOURS",
        default_value_t = 24,
        value_parser = clap::value_parser!(u64).range(SHORTEST_HOURS..)
    )]
    pub lake_retention_hours: u64,
}

impl Default for LakeArgs {
    fn default() -> Self {
        Self {
            lake_retention_hours: 24,
        }
    }
}

impl LakeArgs {
    /// The same flags for a child process.
    pub fn to_args(self) -> Vec<String> {
        vec![
            "--lake-retention-hours".to_owned(),
            self.lake_retention_hours.to_string(),
        ]
    }

    /// How long what was replaced stays.
    pub(super) fn retention(self) -> Duration {
        Duration::from_secs(self.lake_retention_hours * 60 * 60)
    }
}
