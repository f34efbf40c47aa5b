//! `shoptrail build`: one run from new bronze rows to published silver and gold tables.

mod increment;
mod quality;
mod staged;

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::Context;
use polars::prelude::*;
use serde::Serialize;
use shoptrail_local::progress::now;

use self::staged::{Staged, in_days};
use crate::config::Reporting;
use crate::gold::{self, Gold, Scope, Silver};
use crate::silver::{events, items, orders, sessions};
use crate::table::Table;
use crate::warehouse::{Change, Cursor, Day, Publication, Replaces, Traffic, Warehouse, parquet};
use crate::{bronze, silver};

/// Which bronze rows a run takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Those that came since the last run.
    Increment,
    /// All, replacing every table.
    Rebuild,
}

/// What a run did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Version of the publication it made, or found nothing to add to.
    pub publication: u64,
    /// Bronze rows read.
    pub bronze_rows: usize,
    /// Tables published.
    pub tables: usize,
    /// Days replaced in them.
    pub days: usize,
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
    /// Days whose rows would be replaced; none for the whole table.
    pub days: Option<usize>,
    /// Rows that would take their place.
    pub rows: usize,
    /// Bytes of Parquet they are.
    pub bytes: usize,
}

/// All tables of the pipeline.
pub fn tables() -> Vec<&'static Table> {
    let gold = gold::TABLES.iter().map(|gold| &gold.table);
    [&bronze::EVENTS, &bronze::QUARANTINE]
        .into_iter()
        .chain(silver::TABLES)
        .chain(gold)
        .collect()
}

/// Runs once. A run that finds nothing new publishes nothing.
///
/// # Errors
/// When the warehouse fails, another build was faster, or a check fails; nothing is published then.
pub async fn run(
    warehouse: &dyn Warehouse,
    reporting: &Reporting,
    mode: Mode,
) -> anyhow::Result<Summary> {
    let start = Instant::now();
    let before = warehouse.traffic();
    let plan = plan(warehouse, reporting, mode).await?;
    let (tables, days) = (plan.changes.len(), plan.days);
    let publication = match plan.bronze_rows {
        0 => plan.published.version,
        _ => {
            now("publishing");
            warehouse
                .publish(&plan.published, plan.changes, plan.cursor)
                .await?
                .version
        }
    };
    Ok(Summary {
        publication,
        bronze_rows: plan.bronze_rows,
        tables,
        days,
        duration_ms: start.elapsed().as_millis(),
        traffic: warehouse.traffic().since(before),
    })
}

/// Reads and builds as a run does, and publishes nothing.
///
/// # Errors
/// As [`run`].
pub async fn forecast(
    warehouse: &dyn Warehouse,
    reporting: &Reporting,
    mode: Mode,
) -> anyhow::Result<Forecast> {
    let before = warehouse.traffic();
    let plan = plan(warehouse, reporting, mode).await?;
    let change = |change: Change| {
        let days = match change.replaces {
            Replaces::All => None,
            Replaces::Days(days) => Some(days.len()),
        };
        let (rows, bytes) = (change.rows.height(), parquet::bytes(&change.rows)?.len());
        PolarsResult::Ok(ForecastChange {
            table: change.table.name,
            days,
            rows,
            bytes,
        })
    };
    let changes = plan
        .changes
        .into_iter()
        .map(change)
        .collect::<PolarsResult<Vec<_>>>()?;
    Ok(Forecast {
        bronze_rows: plan.bronze_rows,
        bytes_read: warehouse.traffic().since(before).bytes_read,
        bytes_to_write: changes.iter().map(|change| change.bytes).sum(),
        changes,
    })
}

/// What a run publishes, and upon what.
struct Plan {
    published: Publication,
    bronze_rows: usize,
    changes: Vec<Change>,
    days: usize,
    cursor: Cursor,
}

async fn plan(
    warehouse: &dyn Warehouse,
    reporting: &Reporting,
    mode: Mode,
) -> anyhow::Result<Plan> {
    let published = warehouse.publication().await?;
    let base = match mode {
        Mode::Increment => published.clone(),
        Mode::Rebuild => Publication::default(),
    };
    let (bronze, cursor) = warehouse.bronze_since(base.cursor.as_ref()).await?;
    let mut plan = Plan {
        published,
        bronze_rows: bronze.height(),
        changes: Vec::new(),
        days: 0,
        cursor,
    };
    if plan.bronze_rows > 0 {
        tracing::debug!(bronze.rows = plan.bronze_rows, "building");
        now(format!("{} new rows", plan.bronze_rows));
        let (new_events, new_items) = silver::parse(&bronze, reporting)?;
        let mut staged = Staged::over(warehouse, base);
        increment::silver(&mut staged, new_events, new_items, reporting)
            .await
            .context("building silver")?;
        build_gold(&mut staged, reporting).await?;
        quality::check(&staged).await?;
        plan.days = staged.days().len();
        plan.changes = staged.into_changes(mode == Mode::Rebuild);
    }
    Ok(plan)
}

async fn build_gold(staged: &mut Staged<'_>, reporting: &Reporting) -> anyhow::Result<()> {
    let touched = staged.days();
    for gold in gold::TABLES {
        if gold.reads.iter().any(|table| staged.touches(table)) {
            now(gold.table.name);
            build_one(staged, gold, &touched, reporting)
                .await
                .with_context(|| format!("building `{}`", gold.table.name))?;
        }
    }
    Ok(())
}

async fn build_one(
    staged: &mut Staged<'_>,
    gold: &'static Gold,
    touched: &BTreeSet<Day>,
    reporting: &Reporting,
) -> anyhow::Result<()> {
    let Scope::Days { back } = gold.scope else {
        let rows = (gold.build)(&inputs(staged, gold, None, reporting).await?)?.collect()?;
        staged.replace(&gold.table, None, rows);
        return Ok(());
    };
    let affected: BTreeSet<Day> = touched.iter().flat_map(|day| *day..=day + back).collect();
    let read: BTreeSet<Day> = affected.iter().flat_map(|day| day - back..=*day).collect();
    let silver = inputs(staged, gold, Some(&read), reporting).await?;
    let rows = (gold.build)(&silver)?
        .filter(in_days(&affected)?)
        .collect()?;
    staged.replace(&gold.table, Some(affected), rows);
    Ok(())
}

/// The silver rows a gold table reads, crawlers left out.
async fn inputs(
    staged: &Staged<'_>,
    gold: &Gold,
    days: Option<&BTreeSet<Day>>,
    reporting: &Reporting,
) -> anyhow::Result<Silver> {
    let people = || col("is_bot").not();
    Ok(Silver {
        events: input(staged, gold, &events::TABLE, days)
            .await?
            .filter(people()),
        items: input(staged, gold, &items::TABLE, days)
            .await?
            .filter(people()),
        sessions: input(staged, gold, &sessions::TABLE, days)
            .await?
            .filter(people()),
        orders: input(staged, gold, &orders::TABLE, days).await?,
        time_zone: reporting.time_zone.clone(),
    })
}

async fn input(
    staged: &Staged<'_>,
    gold: &Gold,
    table: &'static Table,
    days: Option<&BTreeSet<Day>>,
) -> anyhow::Result<LazyFrame> {
    let reads = gold.reads.iter().any(|read| read.name == table.name);
    let rows = if reads {
        staged.contents(table, days).await?
    } else {
        table.empty()
    };
    Ok(rows.lazy())
}
