//! Carts that began on some days: bought, recovered or left.

use polars::prelude::*;
use serde::Serialize;

use super::figures::{JsonRows, in_order, json, largest};
use super::question::DayRange;
use super::selected::SelectedRows;
use crate::gold::cart_recovery;
use crate::money;

/// Carts that were left, of the largest value.
const MOST_LEFT: IdxSize = 50;
const MINUTE_MS: i64 = 60 * 1000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Upper bounds of the groups of recovered carts by the time that it took.
const WITHIN_MS: [i64; 5] = [HOUR_MS, DAY_MS, 3 * DAY_MS, 7 * DAY_MS, 30 * DAY_MS];

/// How many carts became what, and what was in them.
#[derive(Serialize)]
pub(super) struct CartSums {
    bought: i64,
    recovered: i64,
    abandoned: i64,
    recovered_minor: i64,
    abandoned_minor: i64,
    /// Median time from leaving a cart to its order.
    recovery_ms: Option<i64>,
}

/// Carts in the currency shown that began on these days in a session that the filters leave.
pub(super) async fn begun(rows: &SelectedRows, days: DayRange) -> anyhow::Result<DataFrame> {
    let table = &cart_recovery::GOLD.table;
    let columns: Vec<_> = table.column_names().collect();
    let carts = rows.read(table, &columns, Some(days)).await?;
    let carts = carts.filter(col("currency").eq(lit(rows.currency.clone())));
    // A cart's id is that of the event it began with.
    let carts = carts.with_column(col("cart_id").alias("event_id"));
    let carts = rows.in_sessions_of_events(carts, Some(days)).await?;
    Ok(carts.collect()?)
}

/// Sums over carts.
pub(super) fn sums(carts: &DataFrame) -> anyhow::Result<CartSums> {
    let of = |status: &str| {
        let is_status = || col("status").eq(lit(status.to_owned()));
        [
            is_status().cast(DataType::Int64).sum().alias(status),
            money::total(col("value_minor").filter(is_status())).alias(format!("{status}_minor")),
        ]
    };
    let median = col("time_to_recovery_ms").quantile(lit(0.5), QuantileMethod::Nearest);
    let sums = carts
        .clone()
        .lazy()
        .select(["bought", "recovered", "abandoned"].map(of).concat())
        .collect()?;
    let times = carts
        .clone()
        .lazy()
        .select([median.cast(DataType::Int64)])
        .collect()?;
    let whole = |frame: &DataFrame, column: &str| {
        let value = frame.column(column)?.i64()?.iter().flatten().next();
        anyhow::Ok(value)
    };
    let sum = |column: &str| anyhow::Ok(whole(&sums, column)?.unwrap_or(0));
    Ok(CartSums {
        bought: sum("bought")?,
        recovered: sum("recovered")?,
        abandoned: sum("abandoned")?,
        recovered_minor: sum("recovered_minor")?,
        abandoned_minor: sum("abandoned_minor")?,
        recovery_ms: whole(&times, "time_to_recovery_ms")?,
    })
}

/// Carts and their value by day and what became of them.
pub(super) fn by_day(carts: &DataFrame) -> anyhow::Result<JsonRows> {
    let days = carts
        .clone()
        .lazy()
        .group_by(["day", "status"].map(col))
        .agg([
            len().cast(DataType::Int64).alias("carts"),
            money::total(col("value_minor")),
        ]);
    json(days.sort(["day", "status"], SortMultipleOptions::default()))
}

/// Carts that were left, the one with the largest value first.
pub(super) fn left(carts: &DataFrame) -> anyhow::Result<JsonRows> {
    let shown = [
        "cart_id",
        "opened_at",
        "left_at",
        "adds",
        "sessions",
        "value_minor",
    ];
    let is_left = col("status").eq(lit("abandoned"));
    let left = carts.clone().lazy().filter(is_left).select(shown.map(col));
    largest(left, "value_minor", "cart_id", MOST_LEFT)
}

/// Recovered carts by how long it took.
pub(super) fn recovery_times(carts: &DataFrame) -> anyhow::Result<JsonRows> {
    let [.., last] = WITHIN_MS;
    let within = WITHIN_MS.iter().rev().fold(lit(last), |beyond, bound| {
        when(col("time_to_recovery_ms").lt_eq(lit(*bound)))
            .then(lit(*bound))
            .otherwise(beyond)
    });
    let times = carts
        .clone()
        .lazy()
        .filter(col("time_to_recovery_ms").is_not_null())
        .group_by([within.alias("within_ms")])
        .agg([
            len().cast(DataType::Int64).alias("carts"),
            money::total(col("value_minor")),
        ]);
    in_order(times, "within_ms")
}
