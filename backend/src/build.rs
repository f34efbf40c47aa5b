//! `shoptrail build`: one run from new bronze rows to published silver and gold tables.

mod by_sql;
mod customers;
mod identity;
mod increment;
mod parts;
mod plan;
mod products;
mod quality;
mod rebuild;
mod refresh;
mod rows;
mod runs;
mod scopes;
mod staged;
mod sums;
mod transactions;
mod visitors;

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use futures_util::FutureExt;
use polars::prelude::*;
use serde::Serialize;
use shoptrail_local::progress::now;

pub use self::by_sql::EngineError;
use self::plan::{Plan, Reason, days, plan, read_all, rebuilt_plan};
pub use self::quality::{Broken, TABLE as CHECKS, drop_samples};
pub use self::refresh::{Refresh, RefreshError};
pub use self::runs::TABLE as RUNS;
use self::scopes::{build_all, inputs, replace_days};
use crate::config::Reporting;
use crate::gold;
use crate::silver::{left_out, quarantine};
use crate::table::Table;
use crate::warehouse::{Basis, Change, Day, Publication, Replaces, Traffic, Warehouse};
use crate::{bronze, silver};

/// What a run makes, and of which bronze rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Those that came since the last run; all of them where tables were made under other settings or other logic.
    Increment,
    /// All, replacing every table.
    Rebuild,
    /// Tables of what is there, again. All tables from all rows where they were made under other settings or other logic.
    Refresh(Refresh),
    /// All, inside the warehouse by SQL; nothing if nothing came since the last run and it is not to rebuild.
    Sql {
        /// Whether nothing new is needed.
        rebuild: bool,
    },
}

/// How many days after the one it began on a session goes on at most.
const SESSION_DAYS: Day = silver::sessions::DAYS_ON;

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Version of the publication it made, or found nothing to add to.
    pub publication: u64,
    /// Bronze rows read.
    pub bronze_rows: usize,
    /// Whether it published anything.
    pub is_published: bool,
    /// Tables published.
    pub tables: usize,
    /// Days on which rows of them changed, counted again for each publication.
    pub days: usize,
    /// Rows written.
    pub rows: usize,
    /// New rows that came to `silver_left_out`: records that repeat an event or cannot be counted.
    pub left_out_rows: usize,
    /// New rows that came to `silver_quarantine`: records that cannot be counted.
    pub quarantined_rows: usize,
    /// Checks whose last finding is something to look at.
    pub checks_warned: usize,
    /// Milliseconds it took.
    pub duration_ms: u128,
    /// What it moved.
    #[serde(flatten)]
    pub traffic: Traffic,
}

/// What a run would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Forecast {
    /// Bronze rows that are new.
    pub bronze_rows: usize,
    /// Bytes that reading them, and the rows they touch, took.
    pub bytes_read: u64,
    /// Bytes of Parquet that would be written.
    pub bytes_to_write: usize,
    /// What would be written, table by table.
    pub changes: Vec<ForecastChange>,
}

/// What a run would write to one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ForecastChange {
    /// The table.
    pub table: &'static str,
    /// Stored rows that would go; absent where it is the whole table.
    pub rows_gone: Option<usize>,
    /// Rows that would come.
    pub rows: usize,
    /// Bytes of Parquet they are.
    pub bytes: usize,
}

/// All tables of the pipeline.
pub fn tables() -> Vec<&'static Table> {
    [&bronze::EVENTS, &bronze::QUARANTINE]
        .into_iter()
        .chain(built_tables())
        .chain([&quality::TABLE, &runs::TABLE])
        .collect()
}

/// The tables that a build makes from bronze.
pub fn built_tables() -> impl Iterator<Item = &'static Table> {
    let gold = gold::TABLES.iter().map(|gold| &gold.table);
    silver::TABLES.into_iter().chain(gold)
}

/// A library gave up in the middle of a run. The run fails; the next one starts from what is published.
#[derive(Debug, thiserror::Error)]
#[error("a library stopped unexpectedly: {0}\nhint: the log has more; please report it")]
pub struct Panicked(String);

/// How many rows of bronze a build takes into memory at a time, unless told otherwise: about a gigabyte.
pub const ROWS_AT_ONCE: usize = 300_000;

/// Runs once, with [`ROWS_AT_ONCE`]. A run that finds nothing new publishes nothing.
///
/// # Errors
/// Returns an error if the warehouse or a library fails, another build was faster, or a check fails; nothing is published then.
pub async fn run(
    warehouse: &dyn Warehouse,
    reporting: &Reporting,
    mode: Mode,
) -> anyhow::Result<Summary> {
    run_within(warehouse, reporting, mode, ROWS_AT_ONCE).await
}

/// Runs once, with about so many rows of bronze in memory at a time. Where more of them are new, it publishes several times.
///
/// # Errors
/// Returns an error as [`run`] does.
pub async fn run_within(
    warehouse: &dyn Warehouse,
    reporting: &Reporting,
    mode: Mode,
    rows_at_once: usize,
) -> anyhow::Result<Summary> {
    let start = Instant::now();
    let before = warehouse.traffic();
    let mut summary = Summary::default();
    let mut mode = mode;
    loop {
        let run = Started::now(warehouse);
        let plan = guarded(plan(warehouse, reporting, &mode, Some(rows_at_once))).await?;
        // A run that goes on failing in the same way is told once.
        let is_told = match plan.broken {
            Some(_) => plan.results.is_some(),
            None => plan.publishes,
        };
        let row = is_told.then(|| run.row(warehouse, &plan, reporting));
        let row = row.transpose()?;
        if let Some(broken) = plan.broken {
            let changes = plan.results.into_iter().chain(row).collect();
            publish_results(warehouse, plan.published, changes).await?;
            return Err(broken.into());
        }
        summary.bronze_rows += plan.bronze_rows;
        summary.tables = summary.tables.max(plan.changes.len());
        summary.days += plan.days;
        if plan.reason == Reason::NewRows {
            summary.left_out_rows += runs::came_to(&left_out::TABLE, &plan.changes);
            summary.quarantined_rows += runs::came_to(&quarantine::TABLE, &plan.changes);
        }
        summary.checks_warned = plan.warned;
        summary.is_published |= plan.publishes;
        let heights = plan.changes.iter().map(|change| change.rows.height());
        summary.rows += heights.sum::<usize>();
        summary.publication = match plan.publishes {
            false => plan.published.version,
            true => {
                now("publishing");
                let changes = plan.changes.into_iter().chain(plan.results).chain(row);
                let changes = changes.collect();
                let publish = warehouse.publish(&plan.published, changes, plan.basis);
                guarded(async { Ok(publish.await?) }).await?.version
            }
        };
        if plan.is_all {
            break;
        }
        mode = Mode::Increment;
    }
    summary.duration_ms = start.elapsed().as_millis();
    summary.traffic = warehouse.traffic().since(before);
    Ok(summary)
}

/// A run that has begun.
struct Started {
    at_us: i64,
    traffic: Traffic,
}

impl Started {
    fn now(warehouse: &dyn Warehouse) -> Self {
        Self {
            at_us: chrono::Utc::now().timestamp_micros(),
            traffic: warehouse.traffic(),
        }
    }

    /// Its row of `gold_runs`, as of now.
    fn row(
        &self,
        warehouse: &dyn Warehouse,
        plan: &Plan,
        reporting: &Reporting,
    ) -> PolarsResult<Change> {
        let run = runs::Run {
            publication: plan.published.version + 1,
            started_us: self.at_us,
            ready_us: chrono::Utc::now().timestamp_micros(),
            reason: plan.reason,
            bronze_rows: plan.bronze_rows,
            changes: &plan.changes,
            checks: plan.checks,
            traffic: warehouse.traffic().since(self.traffic),
        };
        run.change(reporting)
    }
}

/// Publishes what checks found beside the tables as they are, if there is anything to say.
async fn publish_results(
    warehouse: &dyn Warehouse,
    published: Publication,
    results: Vec<Change>,
) -> anyhow::Result<()> {
    if results.is_empty() {
        return Ok(());
    }
    // Before the first build there is no cursor: the empty one goes with an empty recipe, and so is never read.
    let basis = Basis {
        cursor: published.cursor.clone().unwrap_or_default(),
        recipe: published.recipe.clone(),
    };
    let publish = warehouse.publish(&published, results, basis);
    guarded(async { Ok(publish.await?) }).await?;
    Ok(())
}

/// Makes a panic an error of this run, so that a process that goes on building goes on.
async fn guarded<T>(step: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let outcome = AssertUnwindSafe(step).catch_unwind().await;
    outcome.unwrap_or_else(|panic| Err(Panicked(message(panic.as_ref())).into()))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a message".to_owned())
}

/// Reads and builds as a run does, and publishes nothing.
///
/// # Errors
/// Returns an error as [`run`] does.
pub async fn forecast(
    warehouse: &dyn Warehouse,
    reporting: &Reporting,
    mode: Mode,
) -> anyhow::Result<Forecast> {
    let before = warehouse.traffic();
    let plan = guarded(plan(warehouse, reporting, &mode, None)).await?;
    if let Some(broken) = plan.broken {
        return Err(broken.into());
    }
    let change = |change: Change| {
        let rows_gone = match change.replaces {
            Replaces::Keys(gone) => Some(gone.height()),
            Replaces::All => None,
        };
        let (rows, bytes) = (change.rows.height(), change.rows.bytes()?);
        PolarsResult::Ok(ForecastChange {
            table: change.table.name,
            rows_gone,
            rows,
            bytes,
        })
    };
    let published = plan.changes.into_iter().filter(|_| plan.publishes);
    let changes = published.map(change).collect::<PolarsResult<Vec<_>>>()?;
    Ok(Forecast {
        bronze_rows: plan.bronze_rows,
        bytes_read: warehouse.traffic().since(before).bytes_read,
        bytes_to_write: changes.iter().map(|change| change.bytes).sum(),
        changes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn panic_of_a_library_is_an_error_of_the_run() {
        let failed: anyhow::Result<()> = guarded(async { panic!("out of calendar") }).await;
        let error = failed.unwrap_err();
        assert!(error.downcast_ref::<Panicked>().is_some());
        assert!(error.to_string().contains("out of calendar"));
    }
}
