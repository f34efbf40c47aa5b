//! Orders and refunds of the transactions that a run's events concern, wherever their other events lie.

use polars::prelude::*;

use super::identity;
use super::rows::{anti, both, days_in, days_spanned, semi, texts};
use super::staged::Staged;
use crate::config::Reporting;
use crate::silver::{events, items, orders, refunds};
use crate::warehouse::{Filter, Query};

/// Builds transactions again from all their events, gives their orders and those of visitors who turned out to be another
/// customer's their customers, and numbers the orders of these customers. `concerned` are events that make or change
/// orders, and those that did.
///
/// Returns where the sessions lie that have or had one of the orders built again.
///
/// # Errors
/// Returns an error if stored tables cannot be read or a plan fails.
pub(super) async fn replace(
    staged: &mut Staged<'_>,
    concerned: &DataFrame,
    reporting: &Reporting,
) -> anyhow::Result<DataFrame> {
    let transactions = concerned
        .clone()
        .lazy()
        .select(orders::IDENTITY.map(col))
        .unique(None, UniqueKeepStrategy::Any)
        .collect()?;
    let same = Query::all().filter(Filter::TextIn(
        "transaction_id",
        texts(&transactions, "transaction_id")?,
    ));
    let stored = staged.stored(&orders::TABLE, same).await?;
    let before = of(stored, &transactions).collect()?;
    let theirs = events_of(staged, concerned, &transactions, &before, reporting).await?;
    replace_refunds(staged, &transactions, &theirs, reporting).await?;
    let built = build(staged, theirs, reporting).await?;
    let moved = identity::moved_orders(staged, &transactions).await?;
    replace_orders(staged, &before, built.clone(), moved).await?;
    let ordered_in = both(before.lazy(), built.lazy())?.select([
        col("shop_id"),
        col("session_key"),
        col("ordered_at"),
    ]);
    Ok(ordered_in.collect()?)
}

/// Rows of transactions.
fn of(rows: DataFrame, transactions: &DataFrame) -> LazyFrame {
    semi(rows.lazy(), transactions.clone().lazy(), &orders::IDENTITY)
}

/// All events of transactions.
async fn events_of(
    staged: &Staged<'_>,
    concerned: &DataFrame,
    transactions: &DataFrame,
    before: &DataFrame,
    reporting: &Reporting,
) -> anyhow::Result<DataFrame> {
    let mut days = days_spanned(before, "first_event_at", "last_event_at", reporting)?;
    days.extend(days_in(concerned, "day")?);
    let query = Query::all().days(&days).filter(Filter::TextIn(
        "transaction_id",
        texts(transactions, "transaction_id")?,
    ));
    let all = staged.contents(&events::TABLE, query).await?;
    Ok(of(all, transactions)
        .filter(orders::concerns_order())
        .collect()?)
}

async fn build(
    staged: &Staged<'_>,
    theirs: DataFrame,
    reporting: &Reporting,
) -> anyhow::Result<DataFrame> {
    let query = Query::all()
        .columns(&["shop_id", "event_id", "quantity"])
        .days(&days_in(&theirs, "day")?)
        .filter(Filter::TextIn("event_id", texts(&theirs, "event_id")?));
    let items = staged.contents(&items::TABLE, query).await?;
    let built = orders::build(theirs.lazy(), items.lazy(), reporting)?;
    Ok(built.collect()?)
}

async fn replace_refunds(
    staged: &mut Staged<'_>,
    transactions: &DataFrame,
    theirs: &DataFrame,
    reporting: &Reporting,
) -> anyhow::Result<()> {
    let same = Query::all().filter(Filter::TextIn(
        "transaction_id",
        texts(transactions, "transaction_id")?,
    ));
    let stored = staged.stored(&refunds::TABLE, same).await?;
    let before = of(stored, transactions).collect()?;
    let after = refunds::build(theirs.clone().lazy(), reporting)?;
    staged.replace(&refunds::TABLE, before, after.collect()?)?;
    Ok(())
}

/// Replaces the orders of transactions and those that moved to another customer, and numbers all of these customers'.
async fn replace_orders(
    staged: &mut Staged<'_>,
    before: &DataFrame,
    built: DataFrame,
    moved: DataFrame,
) -> anyhow::Result<()> {
    let changed = both(built.lazy(), moved.clone().lazy())?.collect()?;
    let changed = identity::with_customers(staged, changed).await?.collect()?;
    let gone = both(before.clone().lazy(), moved.lazy())?;
    let gone = gone.collect()?;
    let customers = both(gone.clone().lazy(), changed.clone().lazy())?.collect()?;
    let theirs = Query::all().filter(Filter::TextIn(
        "customer_id",
        texts(&customers, "customer_id")?,
    ));
    let theirs = staged.stored(&orders::TABLE, theirs).await?.lazy();
    let others = anti(theirs, gone.clone().lazy(), &orders::IDENTITY).collect()?;
    let numbered = orders::number(both(others.clone().lazy(), changed.lazy())?)?.collect()?;
    let replaced = both(gone.lazy(), others.lazy())?.collect()?;
    staged.replace(&orders::TABLE, replaced, numbered)?;
    Ok(())
}
