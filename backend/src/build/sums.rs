//! Gold tables whose rows add up records of trackers' sessions: a run sums up the sessions that it touches as they were and as
//! they are, and adds the difference to what is stored.

use std::collections::BTreeSet;

use polars::prelude::*;

use super::inputs;
use super::rows::{anti, both, days_around, days_in, in_days, texts};
use super::staged::Staged;
use crate::config::Reporting;
use crate::gold::{Gold, Silver};
use crate::silver::{events, left_out};
use crate::table::Table;
use crate::warehouse::{Day, Filter, Query};

/// Whose events a run has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visitors {
    /// Those of anybody.
    Any,
    /// Those of visitors without a stored event, all at once, as a rebuild makes them.
    New,
}

/// Brings the sums that touched sessions are part of up to date. A record counts with those of its session so many days
/// `around` it.
///
/// # Errors
/// Returns an error if stored tables cannot be read or the plan fails.
pub(super) async fn build(
    staged: &mut Staged<'_>,
    gold: &'static Gold,
    around: Day,
    visitors: Visitors,
    reporting: &Reporting,
) -> anyhow::Result<()> {
    let changed = changed(staged)?.collect()?;
    let touched = days_in(&changed, "day")?;
    if touched.is_empty() {
        return Ok(());
    }
    let affected = days_around(&touched, around, around);
    let read = days_around(&affected, around, around);
    let sessions = Filter::TextIn("session_id", texts(&changed, "session_id")?);
    let narrow = |table: &Table, query: Query| match visitors {
        // Those that this run has made are at hand, and there are no others.
        Visitors::New if table.name == events::TABLE.name => query.days(&BTreeSet::new()),
        _ => query.days(&read).filter(sessions.clone()),
    };
    let mut after = inputs(staged, gold, narrow, reporting).await?;
    if visitors == Visitors::New {
        after.events = staged.replaced(&events::TABLE).1.lazy();
    }
    let before = Silver {
        events: before(staged, gold, &events::TABLE, &after.events)?,
        left_out: before(staged, gold, &left_out::TABLE, &after.left_out)?,
        ..after.clone()
    };
    let sums = |silver: &Silver| {
        let sums = (gold.build)(silver)?.filter(in_days(&affected)?);
        PolarsResult::Ok(sums)
    };
    let stored = staged
        .stored(&gold.table, Query::all().days(&affected))
        .await?;
    let negative = |figure: &'static str| (lit(0_i64) - col(figure)).alias(figure);
    let gone: Vec<Expr> = figures(&gold.table).map(negative).collect();
    let gone = sums(&before)?.with_columns(gone);
    let difference = both(sums(&after)?, gone)?;
    let total = added(&gold.table, both(stored.clone().lazy(), difference)?);
    staged.replace(&gold.table, stored, total.collect()?)?;
    Ok(())
}

/// The rows of a table as they were, by those that are: so they are read once.
fn before(
    staged: &Staged<'_>,
    gold: &Gold,
    table: &'static Table,
    after: &LazyFrame,
) -> PolarsResult<LazyFrame> {
    let (gone, came) = staged.replaced(table);
    let input = gold
        .reads
        .iter()
        .find(|input| input.table.name == table.name);
    let columns = input.map_or(&[] as &[&str], |input| input.columns);
    let columns: Vec<Expr> = columns.iter().copied().map(col).collect();
    let kept = anti(after.clone(), came.lazy(), table.key);
    both(kept.select(columns.clone()), gone.lazy().select(columns))
}

/// Days and sessions of records that come or go.
fn changed(staged: &Staged<'_>) -> PolarsResult<LazyFrame> {
    let places = |table| {
        let rows = staged.changed(table)?;
        PolarsResult::Ok(rows.select([col("day"), col("session_id")]))
    };
    both(places(&events::TABLE)?, places(&left_out::TABLE)?)
}

/// The columns that are sums.
fn figures(table: &'static Table) -> impl Iterator<Item = &'static str> {
    table
        .column_names()
        .filter(|column| !table.key.contains(column))
}

/// Rows of the same key added up, without those in which nothing is left.
pub(super) fn added(table: &'static Table, rows: LazyFrame) -> LazyFrame {
    let key: Vec<Expr> = table.key.iter().copied().map(col).collect();
    let sums: Vec<Expr> = figures(table).map(|figure| col(figure).sum()).collect();
    let is_anything = figures(table).map(|figure| col(figure).neq(lit(0_i64)));
    rows.group_by(key)
        .agg(sums)
        .filter(is_anything.reduce(Expr::or).unwrap_or_else(|| lit(true)))
}
