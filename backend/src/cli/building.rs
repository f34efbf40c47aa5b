//! `shoptrail build`, and `shoptrail run`, which lands and builds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use shoptrail_local::progress::live_line;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::warehouse::WarehouseArgs;
use super::{GRACE, print_json};
use crate::attention::Attention;
use crate::build::{self, EngineError, Mode, Refresh, RefreshError, Summary};
use crate::config::Reporting;
use crate::judging::JudgingArgs;
use crate::land::{self, LandArgs};
use crate::pace::Pace;
use crate::telemetry::{self, MetricsArgs};
use crate::warehouse::Warehouse;

/// How builds go on.
#[derive(Args, Clone, Debug)]
struct Building {
    /// Rows of bronze in memory at a time: more are built in parts
    #[arg(
        long,
        value_name = "ROWS",
        env = "SHOPTRAIL_BUILD_ROWS_AT_ONCE",
        default_value_t = build::ROWS_AT_ONCE as u64,
        value_parser = clap::value_parser!(u64).range(1_000..)
    )]
    rows_at_once: u64,
    #[command(flatten)]
    reporting: Reporting,
    #[command(flatten)]
    metrics: MetricsArgs,
}

/// Flags of `shoptrail build`.
#[derive(Args, Clone, Debug)]
pub(super) struct BuildArgs {
    /// Builds every table again from all of bronze
    #[arg(long, conflicts_with = "every_ms")]
    rebuild: bool,
    /// What makes the tables: this process, or SQL inside BigQuery, which makes every table from all of bronze
    #[arg(
        long,
        value_name = "ENGINE",
        env = "SHOPTRAIL_ENGINE",
        default_value = "polars"
    )]
    engine: Engine,
    /// Keeps building until it is stopped, and looks for new rows at this interval, in milliseconds
    #[arg(long, value_name = "MS")]
    every_ms: Option<u64>,
    /// Prints what a build would write, and writes nothing
    #[arg(long, conflicts_with = "every_ms")]
    dry_run: bool,
    #[command(flatten)]
    again: Again,
    #[command(flatten)]
    attention: Attention,
    #[command(flatten)]
    building: Building,
    #[command(flatten)]
    judging: JudgingArgs,
}

/// What makes tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// This process, from what is new.
    Polars,
    /// BigQuery, by SQL; rows stay there.
    Bigquery,
}

/// What of an existing warehouse is built again.
#[derive(Args, Clone, Debug)]
struct Again {
    /// Builds these tables again from what is there, and what follows from them: names with commas between them
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        conflicts_with_all = ["rebuild", "every_ms"]
    )]
    tables: Vec<String>,
    /// Builds tables again from this day of the reporting time zone on: those of `--tables`, or all
    #[arg(long, value_name = "DAY", value_parser = day, conflicts_with_all = ["rebuild", "every_ms"])]
    since: Option<NaiveDate>,
    /// Builds tables again until this day, which is included
    #[arg(long, value_name = "DAY", value_parser = day, conflicts_with_all = ["rebuild", "every_ms"])]
    until: Option<NaiveDate>,
}

impl Again {
    fn is_asked(&self) -> bool {
        !self.tables.is_empty() || self.since.is_some() || self.until.is_some()
    }

    /// What is asked for, if anything is.
    fn refresh(&self) -> Result<Option<Refresh>, RefreshError> {
        if !self.is_asked() {
            return Ok(None);
        }
        Refresh::of(&self.tables, self.since, self.until).map(Some)
    }
}

fn day(text: &str) -> Result<NaiveDate, &'static str> {
    text.parse().map_err(|_| "no day like `2026-11-23`")
}

/// Flags of `shoptrail run`.
#[derive(Args, Clone, Debug)]
pub(super) struct RunArgs {
    /// How often it looks for new rows to build from, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 30_000)]
    every_ms: u64,
    #[command(flatten)]
    land: LandArgs,
    #[command(flatten)]
    building: Building,
}

impl Building {
    /// How it builds records that are judged so.
    fn with(&self, judging: &JudgingArgs) -> anyhow::Result<Builder> {
        Ok(Builder {
            reporting: self.reporting.with(judging)?,
            rows_at_once: usize::try_from(self.rows_at_once).unwrap_or(usize::MAX),
        })
    }
}

/// What makes builds.
struct Builder {
    reporting: Reporting,
    rows_at_once: usize,
}

impl BuildArgs {
    /// Whether it goes on until it is stopped.
    pub(super) fn goes_on(&self) -> bool {
        self.every_ms.is_some()
    }
}

impl RunArgs {
    /// Whether it goes on until it is stopped.
    pub(super) fn goes_on(&self) -> bool {
        !self.land.once
    }
}

/// Builds once, or again and again until stopped.
pub(super) async fn build(
    args: &BuildArgs,
    warehouse: &WarehouseArgs,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    if args.engine == Engine::Bigquery && (args.dry_run || args.again.is_asked()) {
        return Err(EngineError::NotAsked.into());
    }
    let mode = match args.again.refresh()? {
        Some(refresh) => Mode::Refresh(refresh),
        None if args.engine == Engine::Bigquery => Mode::Sql {
            rebuild: args.rebuild,
        },
        None if args.rebuild => Mode::Rebuild,
        None => Mode::Increment,
    };
    let builder = args.building.with(&args.judging)?;
    if args.dry_run {
        let live = live_line("build");
        let warehouse = warehouse.open().await?;
        let forecast = build::forecast(warehouse.as_ref(), &builder.reporting, mode).await?;
        drop(live);
        return print_json(&forecast);
    }
    let warehouse = warehouse.open_to_build().await?;
    match args.every_ms {
        Some(look) => {
            let _metrics = args.building.metrics.serve().await?;
            let pace = Pace::new(Duration::from_millis(look), args.attention.clone());
            builder.until(stop, warehouse.as_ref(), pace, mode).await
        }
        None => {
            let _live = live_line("build");
            print_json(&builder.once(warehouse.as_ref(), mode).await?)
        }
    }
}

/// Lands and builds: both at once until stopped, or with `--once` what is there now, one after the other.
pub(super) async fn run(
    args: RunArgs,
    warehouse: &WarehouseArgs,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let builder = args.building.with(&args.land.judging)?;
    let landing = warehouse.open_to_land().await?;
    let building = warehouse.open_to_build().await?;
    if args.land.once {
        let _live = live_line("run");
        let landed = land::run(&args.land, landing.as_ref(), stop).await?;
        let built = builder.once(building.as_ref(), Mode::Increment).await?;
        return print_json(&serde_json::json!({"landed": landed, "built": built}));
    }
    let _metrics = args.building.metrics.serve().await?;
    // Each on a task of its own: landing waits for Kafka with its thread.
    let mut both = JoinSet::new();
    both.spawn(land_until(args.land.clone(), landing, stop.clone()));
    let pace = Pace::new(
        Duration::from_millis(args.every_ms),
        args.land.attention.clone(),
    );
    let until = stop.clone();
    both.spawn(async move {
        builder
            .until(&until, building.as_ref(), pace, Mode::Increment)
            .await
    });
    // Where one ends, by a fault or as it was asked to, the other ends too.
    let first = both.join_next().await;
    stop.cancel();
    let last = tokio::time::timeout(GRACE, both.join_next()).await;
    // A plan of polars that it works on ends with the process, and publishes nothing.
    both.abort_all();
    let ended = first.into_iter().chain(last.ok().flatten());
    ended.into_iter().try_for_each(|ended| ended?)
}

async fn land_until(
    args: LandArgs,
    warehouse: Arc<dyn Warehouse>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    land::run(&args, warehouse.as_ref(), &stop).await?;
    Ok(())
}

impl Builder {
    async fn until(
        &self,
        stop: &CancellationToken,
        warehouse: &dyn Warehouse,
        mut pace: Pace,
        mode: Mode,
    ) -> anyhow::Result<()> {
        telemetry::begins_to_build();
        loop {
            let seen = warehouse.bronze_mark();
            let started = Instant::now();
            let summary = self.once(warehouse, mode.clone()).await?;
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = pace.until_due(warehouse, seen, started.elapsed(), summary.bronze_rows) => {}
            }
        }
    }

    async fn once(&self, warehouse: &dyn Warehouse, mode: Mode) -> anyhow::Result<Summary> {
        let built = build::run_within(warehouse, &self.reporting, mode, self.rows_at_once);
        let summary = built.await?;
        telemetry::built(&summary);
        if summary.is_published {
            tracing::info!(
                publication = summary.publication,
                bronze.rows = summary.bronze_rows,
                tables = summary.tables,
                days = summary.days,
                bytes.read = summary.traffic.bytes_read,
                bytes.written = summary.traffic.bytes_written,
                bytes.billed = summary.traffic.bytes_billed,
                duration_ms = u64::try_from(summary.duration_ms).unwrap_or(u64::MAX),
                "published"
            );
        }
        Ok(summary)
    }
}
