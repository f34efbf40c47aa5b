//! `shoptrail build`: one run from new bronze rows to published silver and gold tables.

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::Context;
use polars::prelude::*;
use serde::Serialize;

use crate::config::Reporting;
use crate::gold::{self, Gold, Scope, Silver};
use crate::silver::{events, items, orders, sessions};
use crate::staged::{Staged, in_days};
use crate::table::Table;
use crate::warehouse::{Day, Publication, Warehouse};
use crate::{bronze, increment, quality, silver};

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
}

/// All tables of the pipeline.
pub fn tables() -> Vec<&'static Table> {
    let gold = gold::TABLES.iter().map(|gold| &gold.table);
    [&bronze::EVENTS, &bronze::QUARANTINE].into_iter().chain(silver::TABLES).chain(gold).collect()
}

/// Runs once. A run that finds nothing new publishes nothing.
///
/// # Errors
/// When the warehouse fails, another build was faster, or a check fails; nothing is published then.
pub async fn run(warehouse: &dyn Warehouse, reporting: &Reporting, mode: Mode) -> anyhow::Result<Summary> {
    let start = Instant::now();
    let published = warehouse.publication().await?;
    let base = match mode {
        Mode::Increment => published.clone(),
        Mode::Rebuild => Publication::default(),
    };
    let (bronze_rows, cursor) = warehouse.bronze_since(base.cursor.as_ref()).await?;
    let mut summary = Summary {
        publication: published.version,
        bronze_rows: bronze_rows.height(),
        tables: 0,
        days: 0,
        duration_ms: 0,
    };
    if bronze_rows.height() > 0 {
        let (new_events, new_items) = silver::parse(&bronze_rows, reporting)?;
        let mut staged = Staged::over(warehouse, base);
        increment::silver(&mut staged, new_events, new_items, reporting).await.context("building silver")?;
        build_gold(&mut staged, reporting).await?;
        quality::check(&staged).await?;
        summary.days = staged.days().len();
        let changes = staged.into_changes(mode == Mode::Rebuild);
        summary.tables = changes.len();
        summary.publication = warehouse.publish(&published, changes, cursor).await?.version;
    }
    summary.duration_ms = start.elapsed().as_millis();
    Ok(summary)
}

async fn build_gold(staged: &mut Staged<'_>, reporting: &Reporting) -> anyhow::Result<()> {
    let touched = staged.days();
    for gold in gold::TABLES {
        if gold.reads.iter().any(|table| staged.touches(table)) {
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
    let rows = (gold.build)(&silver)?.filter(in_days(&affected)?).collect()?;
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
        events: input(staged, gold, &events::TABLE, days).await?.filter(people()),
        items: input(staged, gold, &items::TABLE, days).await?.filter(people()),
        sessions: input(staged, gold, &sessions::TABLE, days).await?.filter(people()),
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
    let rows = if reads { staged.contents(table, days).await? } else { table.empty() };
    Ok(rows.lazy())
}
