//! What a new event touches: the exact increments.
//!
//! A new event can only change the stored sessions of its visitor that lie within 30 minutes of it; those sessions are
//! cut anew together with it. The transactions in them are built anew from all their events, their customers' orders
//! numbered anew, and sessions completed that an order came to or went from. Whole days are replaced: those in which
//! anything of that lies.

use std::collections::BTreeSet;

use polars::prelude::*;

use super::staged::{Staged, days_in};
use crate::config::Reporting;
use crate::silver::{self, events, items, orders, sessions};
use crate::warehouse::{Day, Filter, Query};

/// Brings silver up to date with events and items that were parsed from new bronze rows.
///
/// # Errors
/// When stored tables cannot be read or a plan fails.
pub async fn silver(
    staged: &mut Staged<'_>,
    new_events: DataFrame,
    new_items: DataFrame,
    reporting: &Reporting,
) -> anyhow::Result<()> {
    let fresh = Fresh::among(staged, new_events).await?;
    if fresh.events.height() == 0 {
        return Ok(());
    }
    let touched = touched_sessions(staged, &fresh).await?;
    let cut = cut_events(staged, &fresh, touched, reporting).await?;
    replace_items(staged, &fresh, new_items, &cut.days).await?;
    let ordered_in = replace_orders(staged, &cut, reporting).await?;
    replace_sessions(staged, &cut, ordered_in, reporting).await
}

/// New events that count: not stored yet, or received earlier than the stored record of the same event.
struct Fresh {
    events: DataFrame,
    /// `session_key` of stored sessions that hold a record which a fresh one replaces.
    replaced_in: DataFrame,
}

impl Fresh {
    async fn among(staged: &Staged<'_>, new: DataFrame) -> anyhow::Result<Self> {
        let new = events::dedupe(new.lazy()).collect()?;
        let identity = ["event_id", "received_at", "record_hash", "session_key"];
        // `dedupe` sorts by event id, and ids are UUIDv7, so this range is narrow and skips most files.
        let ids = new.column("event_id")?.str()?;
        let low = ids.first().unwrap_or_default().to_owned();
        let high = ids.last().unwrap_or_default().to_owned();
        let query = Query::all()
            .columns(&identity)
            .filter(Filter::TextBetween("event_id", low, high));
        let rivals = staged
            .stored(&events::TABLE, query)
            .await?
            .lazy()
            .with_column(lit(true).alias("is_stored"));
        let candidates = new
            .clone()
            .lazy()
            .select(identity.map(col))
            .with_column(lit(false).alias("is_stored"));
        // Stored ones first: of two equal records the stored one stays.
        let all = concat([rivals.clone(), candidates], in_order())?;
        let winners = all
            .sort(
                ["event_id", "received_at", "record_hash"],
                SortMultipleOptions::default().with_maintain_order(true),
            )
            .unique_stable(
                Some(by_name(["event_id"], true, false)),
                UniqueKeepStrategy::First,
            )
            .filter(col("is_stored").not());
        let replaced_in = semi(rivals, winners.clone(), &["event_id"]).select([col("session_key")]);
        Ok(Self {
            events: semi(new.lazy(), winners, &["event_id"]).collect()?,
            replaced_in: replaced_in.collect()?,
        })
    }
}

/// Stored sessions that fresh events reach or whose records they replace: key, start, end and day.
async fn touched_sessions(staged: &Staged<'_>, fresh: &Fresh) -> anyhow::Result<DataFrame> {
    let columns = [
        "session_key",
        "shop_id",
        "anonymous_id",
        "session_start",
        "session_end",
        "day",
    ];
    let times = fresh.events.column("event_time")?.to_physical_repr();
    let times = times.i64()?;
    let earliest = times.min().unwrap_or_default() - sessions::GAP_US;
    let latest = times.max().unwrap_or_default() + sessions::GAP_US;
    let query = Query::all()
        .columns(&columns)
        .filter(Filter::TimestampBetween("session_end", earliest, i64::MAX))
        .filter(Filter::TimestampBetween("session_start", 0, latest));
    let near = staged.stored(&sessions::TABLE, query).await?.lazy();
    let visitor = [col("shop_id"), col("anonymous_id")];
    let micros = |column: &str| col(column).to_physical();
    let moments = fresh.events.clone().lazy().select([
        col("shop_id"),
        col("anonymous_id"),
        col("event_time"),
    ]);
    let reached = near
        .join(
            moments,
            visitor.clone(),
            visitor,
            JoinArgs::new(JoinType::Inner),
        )
        .filter(micros("event_time").gt_eq(micros("session_start") - lit(sessions::GAP_US)))
        .filter(micros("event_time").lt_eq(micros("session_end") + lit(sessions::GAP_US)))
        .select(columns.map(col));
    let keys = texts(&fresh.replaced_in, "session_key")?;
    let query = Query::all()
        .columns(&columns)
        .filter(Filter::TextIn("session_key", keys));
    let replaced = staged.stored(&sessions::TABLE, query).await?.lazy();
    let both = concat([reached, replaced], UnionArgs::default())?;
    Ok(both
        .unique(
            Some(by_name(["session_key"], true, false)),
            UniqueKeepStrategy::Any,
        )
        .collect()?)
}

/// The events of touched sessions, cut anew.
struct Cut {
    /// Stored sessions that are no more.
    touched: DataFrame,
    /// Events with their new sessions.
    events: DataFrame,
    /// Days the events lie on.
    days: BTreeSet<Day>,
    /// `shop_id` and `transaction_id` of the events, before and after.
    transactions: DataFrame,
}

/// Cuts touched sessions and fresh events into sessions and replaces the days of `silver_events` they lie on.
async fn cut_events(
    staged: &mut Staged<'_>,
    fresh: &Fresh,
    touched: DataFrame,
    reporting: &Reporting,
) -> anyhow::Result<Cut> {
    let mut days = days_in(&fresh.events, "day")?;
    days.extend(days_spanned(
        &touched,
        "session_start",
        "session_end",
        reporting,
    )?);
    let stored = staged
        .stored(&events::TABLE, Query::all().days(&days))
        .await?
        .lazy();
    let untouched = anti(stored.clone(), touched.clone().lazy(), &["session_key"]);
    let before = semi(stored, touched.clone().lazy(), &["session_key"]);
    let fresh_events = fresh.events.clone().lazy();
    let together = concat(
        [
            anti(before.clone(), fresh_events.clone(), &["event_id"]),
            fresh_events,
        ],
        UnionArgs::default(),
    )?;
    let events = events::TABLE.conform(sessions::cut(together)?).collect()?;
    let rows = concat([untouched, events.clone().lazy()], UnionArgs::default())?.collect()?;
    staged.replace(&events::TABLE, Some(days.clone()), rows);
    let transactions = concat([before, events.clone().lazy()], UnionArgs::default())?
        .filter(orders::concerns_order())
        .select([col("shop_id"), col("transaction_id")])
        .unique(None, UniqueKeepStrategy::Any)
        .collect()?;
    Ok(Cut {
        touched,
        events,
        days,
        transactions,
    })
}

/// Replaces the products of fresh events.
async fn replace_items(
    staged: &mut Staged<'_>,
    fresh: &Fresh,
    new: DataFrame,
    days: &BTreeSet<Day>,
) -> anyhow::Result<()> {
    let fresh = fresh.events.clone().lazy();
    let stored = staged
        .stored(&items::TABLE, Query::all().days(days))
        .await?
        .lazy();
    let kept = anti(stored, fresh.clone(), &["event_id"]);
    // The same record may have landed twice; its products are the same both times.
    let new = semi(new.lazy(), fresh, &["event_id", "record_hash"]).unique(
        Some(by_name(["event_id", "item_index"], true, false)),
        UniqueKeepStrategy::Any,
    );
    let rows = items::TABLE
        .conform(concat([kept, new], UnionArgs::default())?)
        .collect()?;
    staged.replace(&items::TABLE, Some(days.clone()), rows);
    Ok(())
}

/// Builds the transactions of the cut events anew, from all their events wherever they lie, and numbers the orders of
/// their customers.
///
/// Returns the `session_key` of every session that has or had one of these orders.
async fn replace_orders(
    staged: &mut Staged<'_>,
    cut: &Cut,
    reporting: &Reporting,
) -> anyhow::Result<Vec<String>> {
    if cut.transactions.height() == 0 {
        return Ok(Vec::new());
    }
    let of_order = ["shop_id", "transaction_id"];
    let transactions = || cut.transactions.clone().lazy();
    let ids = texts(&cut.transactions, "transaction_id")?;
    let stored = staged
        .stored(
            &orders::TABLE,
            Query::all().filter(Filter::TextIn("transaction_id", ids)),
        )
        .await?;
    let before = semi(stored.lazy(), transactions(), &of_order).collect()?;
    let mut event_days = cut.days.clone();
    event_days.extend(days_spanned(
        &before,
        "first_event_at",
        "last_event_at",
        reporting,
    )?);
    let all_events = staged
        .contents(&events::TABLE, Some(&event_days))
        .await?
        .lazy();
    let all_items = staged
        .contents(&items::TABLE, Some(&event_days))
        .await?
        .lazy();
    let built = orders::build(
        semi(all_events, transactions(), &of_order),
        all_items,
        reporting,
    )
    .collect()?;

    let concerned = concat(
        [before.clone().lazy(), built.clone().lazy()],
        UnionArgs::default(),
    )?
    .collect()?;
    let query = Query::all().filter(Filter::TextIn(
        "customer_id",
        texts(&concerned, "customer_id")?,
    ));
    let theirs = staged.stored(&orders::TABLE, query).await?.lazy();
    let others = anti(theirs.clone(), transactions(), &of_order);
    let numbered = orders::number(concat([others, built.lazy()], UnionArgs::default())?)?
        .collect()?
        .lazy();
    let renumbered = anti(
        numbered.clone(),
        theirs,
        &["shop_id", "transaction_id", "order_number"],
    );
    let changed = concat(
        [
            anti(renumbered, transactions(), &of_order),
            semi(numbered, transactions(), &of_order),
        ],
        in_order(),
    )?;
    let changed = changed.collect()?;

    let mut days = days_in(&changed, "day")?;
    days.extend(days_in(&before, "day")?);
    let stored = staged
        .stored(&orders::TABLE, Query::all().days(&days))
        .await?
        .lazy();
    let kept = anti(
        anti(stored, transactions(), &of_order),
        changed.clone().lazy(),
        &of_order,
    );
    let rows = concat([kept, changed.lazy()], UnionArgs::default())?.collect()?;
    staged.replace(&orders::TABLE, Some(days), rows);
    Ok(texts(&concerned, "session_key")?)
}

/// Replaces touched sessions by those that were cut, and completes these and the sessions whose orders came or went.
async fn replace_sessions(
    staged: &mut Staged<'_>,
    cut: &Cut,
    ordered_in: Vec<String>,
    reporting: &Reporting,
) -> anyhow::Result<()> {
    let summed = sessions::summarize(cut.events.clone().lazy(), reporting)?.collect()?;
    let stored = staged
        .stored(
            &sessions::TABLE,
            Query::all().filter(Filter::TextIn("session_key", ordered_in)),
        )
        .await?;
    let others = anti(
        anti(stored.lazy(), cut.touched.clone().lazy(), &["session_key"]),
        summed.clone().lazy(),
        &["session_key"],
    );
    let columns: Vec<Expr> = summed
        .get_column_names()
        .into_iter()
        .cloned()
        .map(col)
        .collect();
    let open = concat(
        [summed.lazy(), others.select(columns)],
        UnionArgs::default(),
    )?
    .collect()?;
    let order_days = days_spanned(&open, "session_start", "session_end", reporting)?;
    let orders = staged.contents(&orders::TABLE, Some(&order_days)).await?;
    let complete = sessions::with_orders(open.lazy(), orders.lazy()).collect()?;

    let mut days = days_in(&complete, "day")?;
    days.extend(days_in(&cut.touched, "day")?);
    let stored = staged
        .stored(&sessions::TABLE, Query::all().days(&days))
        .await?
        .lazy();
    let kept = anti(
        anti(stored, cut.touched.clone().lazy(), &["session_key"]),
        complete.clone().lazy(),
        &["session_key"],
    );
    let rows = concat([kept, complete.lazy()], UnionArgs::default())?.collect()?;
    staged.replace(&sessions::TABLE, Some(days), rows);
    Ok(())
}

/// Rows of `left` that have a partner in `right`.
fn semi(left: LazyFrame, right: LazyFrame, on: &[&str]) -> LazyFrame {
    join(left, right, on, JoinType::Semi)
}

/// Rows of `left` that have no partner in `right`.
fn anti(left: LazyFrame, right: LazyFrame, on: &[&str]) -> LazyFrame {
    join(left, right, on, JoinType::Anti)
}

fn join(left: LazyFrame, right: LazyFrame, on: &[&str], kind: JoinType) -> LazyFrame {
    let on: Vec<Expr> = on.iter().copied().map(col).collect();
    left.join(right, on.clone(), on, JoinArgs::new(kind))
}

fn in_order() -> UnionArgs {
    UnionArgs {
        maintain_order: true,
        ..UnionArgs::default()
    }
}

/// The distinct texts of a column.
fn texts(rows: &DataFrame, column: &str) -> PolarsResult<Vec<String>> {
    Ok(rows
        .column(column)?
        .unique()?
        .str()?
        .iter()
        .flatten()
        .map(str::to_owned)
        .collect())
}

/// Every day, in the reporting time zone, between two instants of each row.
fn days_spanned(
    rows: &DataFrame,
    from: &str,
    to: &str,
    reporting: &Reporting,
) -> PolarsResult<BTreeSet<Day>> {
    let ends = rows.clone().lazy().select([
        silver::day(from, &reporting.time_zone).alias("from"),
        silver::day(to, &reporting.time_zone).alias("to"),
    ]);
    let ends = ends.collect()?;
    let (from, to) = (
        ends.column("from")?.date()?.physical().clone(),
        ends.column("to")?.date()?.physical().clone(),
    );
    Ok(from
        .iter()
        .zip(to.iter())
        .filter_map(|(from, to)| Some(from?..=to?))
        .flatten()
        .collect())
}
