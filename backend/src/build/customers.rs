//! Gold tables of customers: a run builds the rows of those whose orders it changes, and on the first order of a new day all
//! of them, as the others' then lie a day further back.

use polars::prelude::*;

use super::increment::MANY_IDS;
use super::rows::{anti, both, days_in, texts};
use super::staged::Staged;
use super::{build_all, inputs};
use crate::config::Reporting;
use crate::gold::Gold;
use crate::silver::orders;
use crate::table::Table;
use crate::warehouse::{Filter, Query};

/// Brings the rows of customers up to date whose orders this run changes.
///
/// # Errors
/// Returns an error if stored tables cannot be read or the plan fails.
pub(super) async fn build(
    staged: &mut Staged<'_>,
    gold: &'static Gold,
    reporting: &Reporting,
) -> anyhow::Result<()> {
    let touched = staged.changed(&orders::TABLE)?.collect()?;
    let touched = texts(&touched, "customer_id")?;
    let stored = staged.stored(&orders::TABLE, days()).await?.lazy();
    let (gone, came) = staged.replaced(&orders::TABLE);
    let kept = anti(stored.clone(), gone.lazy(), orders::TABLE.key);
    let latest = latest(both(columns(kept), columns(came.lazy()))?)?;
    if latest != self::latest(columns(stored))? || touched.len() > MANY_IDS {
        return build_all(staged, gold, reporting).await;
    }
    let customers = Filter::TextIn("customer_id", touched);
    let theirs = |_: &Table, query: Query| query.filter(customers.clone());
    let mut silver = inputs(staged, gold, theirs, reporting).await?;
    // They tell the plan which day is the latest.
    let days = days_in(&latest, "day")?;
    let newest = inputs(staged, gold, |_, query| query.days(&days), reporting).await?;
    let others = anti(newest.orders, silver.orders.clone(), orders::TABLE.key);
    silver.orders = both(silver.orders, others)?;
    let all = (gold.build)(&silver)?;
    let theirs = Query::all().filter(customers);
    let after = theirs.narrow(&gold.table, all)?.collect()?;
    let before = staged.stored(&gold.table, theirs).await?;
    staged.replace(&gold.table, before, after)?;
    Ok(())
}

const LATEST: [&str; 3] = ["shop_id", "day", "purchase_event_id"];

fn days() -> Query {
    Query::all()
        .columns(&LATEST)
        .with_columns(orders::TABLE.key)
}

fn columns(orders: LazyFrame) -> LazyFrame {
    orders.select(LATEST.map(col))
}

/// The day of each shop's latest order whose purchase is known.
fn latest(orders: LazyFrame) -> PolarsResult<DataFrame> {
    orders
        .filter(col("purchase_event_id").is_not_null())
        .group_by([col("shop_id")])
        .agg([col("day").max()])
        .sort(["shop_id"], SortMultipleOptions::default())
        .collect()
}
