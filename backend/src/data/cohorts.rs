//! Who comes back: customers by the month of their first order.

use polars::prelude::*;

use super::figures::{JsonRows, json};
use super::selected::{SelectedRows, semi};
use crate::gold::Silver;
use crate::gold::cohort_retention::GOLD;
use crate::money;

/// Cohorts on the page, and months of each: two years.
const MOST_COHORTS: IdxSize = 24;
const MOST_MONTHS: i64 = 24;

/// The latest cohorts with the months in which they ordered in the currency shown. `cohort_customers` counts them all, in
/// whichever currency they ordered.
pub(super) async fn cohorts(rows: &SelectedRows) -> anyhow::Result<JsonRows> {
    let retention = retention(rows).await?.collect()?.lazy();
    let cohort = || ["cohort_month", "shop_id"].map(col);
    let sizes = retention
        .clone()
        .group_by(cohort())
        .agg([col("cohort_customers").first()])
        .group_by([col("cohort_month")])
        .agg([col("cohort_customers").sum()])
        .sort(["cohort_month"], SortMultipleOptions::default())
        .tail(MOST_COHORTS);
    let is_shown = col("currency").eq(lit(rows.currency.clone()));
    let months = retention
        .filter(is_shown.and(col("months_since_first").lt(lit(MOST_MONTHS))))
        .group_by(["cohort_month", "months_since_first"].map(col))
        .agg(
            ["customers", "orders", "revenue_gross_minor"].map(|column| money::total(col(column))),
        );
    let month = || [col("cohort_month")];
    let cohorts = months.join(sizes, month(), month(), JoinArgs::new(JoinType::Inner));
    let in_order = ["cohort_month", "months_since_first"];
    json(cohorts.sort(in_order, SortMultipleOptions::default()))
}

/// The table as it is published; under filters of the customers whose first order was made in a session that is left.
async fn retention(rows: &SelectedRows) -> anyhow::Result<LazyFrame> {
    if !rows.question.is_filtered() {
        let columns: Vec<_> = GOLD.table.column_names().collect();
        return rows.read(&GOLD.table, &columns, None).await;
    }
    let columns = ["customer_id", "is_new_customer"];
    let first = rows.orders_of_all_days(&columns).await?;
    let first = first.filter(col("is_new_customer"));
    let all = rows.asking(rows.question.unfiltered());
    let orders = GOLD.reads.iter().flat_map(|input| input.columns);
    let orders: Vec<_> = orders.copied().collect();
    let orders = all.orders_of_all_days(&orders).await?;
    Ok((GOLD.build)(&Silver {
        orders: semi(orders, first, &["shop_id", "customer_id"]),
        ..rows.no_silver()
    })?)
}
