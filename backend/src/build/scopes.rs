//! How a run brings gold tables up to date: by the scope of each, from what it changes of silver.

use std::collections::BTreeSet;

use anyhow::Context;
use polars::prelude::*;
use shoptrail_local::progress::now;

use super::rows::{days_around, days_in, in_days};
use super::staged::Staged;
use super::{SESSION_DAYS, customers, products, sums, visitors};
use crate::config::Reporting;
use crate::gold::{self, Gold, Scope, Silver};
use crate::silver::{events, items, left_out, orders, refunds, sessions};
use crate::table::Table;
use crate::warehouse::{Day, Query};

/// Builds the gold tables of which an input changes.
///
/// # Errors
/// Returns an error if stored tables cannot be read or a plan fails.
pub(super) async fn build_gold(
    staged: &mut Staged<'_>,
    reporting: &Reporting,
) -> anyhow::Result<()> {
    for gold in gold::TABLES {
        if gold.reads.iter().any(|input| staged.touches(input.table)) {
            now(gold.table.name);
            build_one(staged, gold, reporting)
                .await
                .with_context(|| format!("building `{}`", gold.table.name))?;
        }
    }
    Ok(())
}

async fn build_one(
    staged: &mut Staged<'_>,
    gold: &'static Gold,
    reporting: &Reporting,
) -> anyhow::Result<()> {
    match gold.scope {
        Scope::Days { back } => {
            let mut touched = BTreeSet::new();
            for input in gold.reads {
                touched.extend(staged.days(input.table)?);
            }
            build_days(staged, gold, &touched, (back, 0), reporting).await
        }
        Scope::RestOfSessions { event_types } => {
            let events = visitors::changed_events(staged, event_types)?.collect()?;
            let mut touched = days_in(&events, "day")?;
            touched.extend(staged.days(&orders::TABLE)?);
            build_days(staged, gold, &touched, (0, SESSION_DAYS), reporting).await
        }
        Scope::Products(around) => products::build(staged, gold, around, reporting).await,
        Scope::PathsToOrders { back } => visitors::build_paths(staged, gold, back, reporting).await,
        Scope::Visitors(spans) => visitors::build_spans(staged, gold, &spans, reporting).await,
        Scope::SumsOverVisits { around } => {
            sums::build(staged, gold, around, sums::Visitors::Any, reporting).await
        }
        Scope::Customers => customers::build(staged, gold, reporting).await,
        Scope::Everything => build_all(staged, gold, reporting).await,
    }
}

/// Builds all of a table from all of what it reads.
///
/// # Errors
/// Returns an error as [`build_gold`] does.
pub(super) async fn build_all(
    staged: &mut Staged<'_>,
    gold: &'static Gold,
    reporting: &Reporting,
) -> anyhow::Result<()> {
    let silver = inputs(staged, gold, |_, query| query, reporting).await?;
    let before = staged.stored(&gold.table, Query::all()).await?;
    staged.replace(&gold.table, before, (gold.build)(&silver)?.collect()?)?;
    Ok(())
}

/// Builds a table whose rows of a day depend on so many days before it and after it.
async fn build_days(
    staged: &mut Staged<'_>,
    gold: &'static Gold,
    touched: &BTreeSet<Day>,
    (back, ahead): (Day, Day),
    reporting: &Reporting,
) -> anyhow::Result<()> {
    if touched.is_empty() {
        return Ok(());
    }
    let affected = days_around(touched, ahead, back);
    let after = rows_of_days(staged, gold, &affected, (back, ahead), reporting).await?;
    replace_days(staged, gold, &affected, after).await
}

/// How many days before its own and after it a row depends on; `None` for a table whose rows depend on more than days.
pub(super) fn reach(scope: Scope) -> Option<(Day, Day)> {
    match scope {
        Scope::Days { back } | Scope::PathsToOrders { back } => Some((back, 0)),
        Scope::RestOfSessions { .. } => Some((0, SESSION_DAYS)),
        Scope::Products(around) => Some((around.days(), 0)),
        Scope::SumsOverVisits { around } => Some((around, around)),
        Scope::Visitors(_) | Scope::Customers | Scope::Everything => None,
    }
}

/// The rows of days of a table, built from so many days before them and after them.
///
/// # Errors
/// Returns an error as [`build_gold`] does.
pub(super) async fn rows_of_days(
    staged: &Staged<'_>,
    gold: &Gold,
    days: &BTreeSet<Day>,
    (back, ahead): (Day, Day),
    reporting: &Reporting,
) -> anyhow::Result<LazyFrame> {
    let read = days_around(days, back, ahead);
    let silver = inputs(staged, gold, |_, query| query.days(&read), reporting).await?;
    Ok((gold.build)(&silver)?.filter(in_days(days)?))
}

/// Replaces the rows of days.
///
/// # Errors
/// Returns an error as [`build_gold`] does.
pub(super) async fn replace_days(
    staged: &mut Staged<'_>,
    gold: &'static Gold,
    days: &BTreeSet<Day>,
    after: LazyFrame,
) -> anyhow::Result<()> {
    let before = staged.stored(&gold.table, Query::all().days(days)).await?;
    staged.replace(&gold.table, before, after.collect()?)?;
    Ok(())
}

/// The silver rows a gold table reads: what people did, and orders whose purchase is known; all of a table of records.
///
/// # Errors
/// Returns an error as [`build_gold`] does.
pub(super) async fn inputs(
    staged: &Staged<'_>,
    gold: &Gold,
    narrow: impl Fn(&Table, Query) -> Query,
    reporting: &Reporting,
) -> anyhow::Result<Silver> {
    Ok(Silver {
        events: input(staged, gold, &events::TABLE, &narrow).await?,
        items: input(staged, gold, &items::TABLE, &narrow).await?,
        sessions: input(staged, gold, &sessions::TABLE, &narrow).await?,
        orders: input(staged, gold, &orders::TABLE, &narrow).await?,
        refunds: input(staged, gold, &refunds::TABLE, &narrow).await?,
        left_out: input(staged, gold, &left_out::TABLE, &narrow).await?,
        reporting: reporting.clone(),
    })
}

/// The rows of one table that count.
async fn input(
    staged: &Staged<'_>,
    gold: &Gold,
    table: &'static Table,
    narrow: &impl Fn(&Table, Query) -> Query,
) -> anyhow::Result<LazyFrame> {
    let Some(input) = gold
        .reads
        .iter()
        .find(|input| input.table.name == table.name)
    else {
        return Ok(table.empty().lazy());
    };
    let counts = match table.name {
        name if name == orders::TABLE.name => col("purchase_event_id").is_not_null(),
        name if name == refunds::TABLE.name || name == left_out::TABLE.name => lit(true),
        _ if matches!(gold.scope, Scope::SumsOverVisits { .. }) => lit(true),
        _ => col("is_bot").not(),
    };
    let query = narrow(table, Query::all().columns(input.columns));
    Ok(staged.contents(table, query).await?.lazy().filter(counts))
}
