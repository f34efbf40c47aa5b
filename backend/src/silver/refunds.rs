//! `silver_refunds`: one row per refund that counts, on the day it was given.
//!
//! Reads the events of transactions as [`orders`] does, which sums the same refunds up by order.

use polars::prelude::*;

use super::orders;
use crate::config::Reporting;
use crate::money;
use crate::table::ColumnType::{Date, Integer, Text, Timestamp};
use crate::table::{Column, Layer, Table};

const COLUMNS: &[Column] = &[
    Column::new("event_id", Text, "Event that is the refund"),
    Column::new(
        "day",
        Date,
        "Day the refund was given, in the reporting time zone",
    ),
    Column::new("refunded_at", Timestamp, "When it was given"),
    Column::new("shop_id", Text, "Shop"),
    Column::new("transaction_id", Text, "The order"),
    Column::new("currency", Text, "ISO 4217 code of the order"),
    Column::new(
        "refund_minor",
        Integer,
        "What of it counts: nothing beyond the order's value, minor units",
    ),
];

/// One row per refund.
pub static TABLE: Table = Table {
    name: "silver_refunds",
    layer: Layer::Silver,
    description: "One row per refund that counts: no repetitions, none beyond its order or in another currency",
    columns: COLUMNS,
    partition: Some("day"),
    key: &["shop_id", "event_id"],
};

/// Builds the refunds of transactions from all their events.
pub fn build(events: LazyFrame, reporting: &Reporting) -> PolarsResult<LazyFrame> {
    let order = || orders::IDENTITY.map(col);
    let gross = col("value_minor")
        .filter(col("is_refund").not())
        .first()
        .over(order())?
        .fill_null(lit(0_i64));
    let so_far = money::running_total(col("value_minor").fill_null(lit(0_i64))).over(order())?;
    let at_most = |amount: Expr| {
        when(amount.clone().gt(col("gross_minor")))
            .then(col("gross_minor"))
            .otherwise(amount)
    };
    let refund = at_most(col("so_far")) - at_most(col("so_far") - col("value_minor"));
    let refunds = orders::marked(events)?
        .with_columns([
            gross.alias("gross_minor"),
            col("currency")
                .first()
                .over(order())?
                .fill_null(super::currency_without_amount(reporting)),
        ])
        .filter(col("is_counted"))
        .with_column(so_far.alias("so_far"))
        .with_columns([
            refund.alias("refund_minor"),
            col("event_time").alias("refunded_at"),
            super::day("event_time", reporting).alias("day"),
        ])
        .filter(col("refund_minor").gt(lit(0_i64)));
    Ok(TABLE.conform(refunds))
}
