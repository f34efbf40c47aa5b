//! Gold tables of products and times: which rows changed lines touch, and what these are built from.
//!
//! A run reads the touched products alone, and of them only as far around what changed as it reaches.

use std::collections::BTreeSet;

use polars::prelude::*;

use super::inputs;
use super::rows::{anti, both, days_spanned, semi, texts};
use super::staged::Staged;
use crate::config::Reporting;
use crate::gold::{Around, Gold};
use crate::silver::{events, items, orders};
use crate::table::Table;
use crate::warehouse::{Day, Filter, Query};

const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

/// More products than these are read as all of them.
const MANY_PRODUCTS: usize = 20_000;

/// The columns that say which product a line is of, and when.
const LINE: [&str; 3] = ["shop_id", "item_id", "event_time"];

/// Brings the rows of touched products up to date.
///
/// # Errors
/// Returns an error if stored tables cannot be read or a plan fails.
pub(super) async fn build(
    staged: &mut Staged<'_>,
    gold: &'static Gold,
    around: Around,
    reporting: &Reporting,
) -> anyhow::Result<()> {
    let lines = touched_lines(staged, reporting).await?;
    let times = lines.column("event_time")?.datetime()?.physical().clone();
    let (Some(first), Some(last)) = (times.min(), times.max()) else {
        return Ok(());
    };
    let rows = (
        first.saturating_sub(around.before_us),
        last.saturating_add(around.after_us),
    );
    let read = (
        rows.0.saturating_sub(around.after_us),
        rows.1.saturating_add(around.before_us),
    );
    let products = texts(&lines, "item_id")?;
    let of_products = |query: Query| {
        if products.len() > MANY_PRODUCTS {
            return query;
        }
        query.filter(Filter::TextIn("item_id", products.clone()))
    };
    let narrow = |table: &Table, query: Query| {
        let query = query.days(&days_between(read));
        if table.name != items::TABLE.name {
            return query;
        }
        of_products(query).filter(Filter::TimestampBetween("event_time", read.0, read.1))
    };
    let silver = inputs(staged, gold, narrow, reporting).await?;
    let touched = of_products(Query::all().days(&days_between(rows)))
        .filter(Filter::TimestampBetween(around.time, rows.0, rows.1));
    let after = touched.narrow(&gold.table, (gold.build)(&silver)?)?;
    let after = after.collect()?;
    let before = staged.stored(&gold.table, touched).await?;
    staged.replace(&gold.table, before, after)?;
    Ok(())
}

/// Lines that come or go, and those of purchases that have become orders or are none any more.
async fn touched_lines(staged: &Staged<'_>, reporting: &Reporting) -> anyhow::Result<DataFrame> {
    let changed = staged.changed(&items::TABLE)?.select(LINE.map(col));
    let orders = turned_orders(staged)?;
    let days = days_spanned(&orders, "ordered_at", "ordered_at", reporting)?;
    let query = Query::all()
        .columns(&["shop_id", "event_id", "item_id", "event_time"])
        .days(&days)
        .filter(Filter::TextIn("event_id", texts(&orders, "event_id")?));
    let lines = staged.contents(&items::TABLE, query).await?.lazy();
    let lines = semi(lines, orders.lazy(), &events::IDENTITY).select(LINE.map(col));
    Ok(both(changed, lines)?.collect()?)
}

/// Purchase events that are an order either before or after the run, not both times.
fn turned_orders(staged: &Staged<'_>) -> PolarsResult<DataFrame> {
    let (gone, came) = staged.replaced(&orders::TABLE);
    let of_event = |rows: DataFrame| {
        rows.lazy()
            .filter(col("purchase_event_id").is_not_null())
            .select([
                col("shop_id"),
                col("purchase_event_id").alias("event_id"),
                col("ordered_at"),
            ])
    };
    let (gone, came) = (of_event(gone), of_event(came));
    let only_gone = anti(gone.clone(), came.clone(), &events::IDENTITY);
    both(only_gone, anti(came, gone, &events::IDENTITY))?.collect()
}

/// The days, in any time zone, between two instants.
fn days_between((from, to): (i64, i64)) -> BTreeSet<Day> {
    let day = |micros: i64| Day::try_from(micros.div_euclid(DAY_US)).unwrap_or_default();
    (day(from) - 1..=day(to) + 1).collect()
}
