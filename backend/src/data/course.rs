//! How revenue and sessions went: by day, and by hour within a single day.

use polars::prelude::*;

use super::figures::{JsonRows, count, daily_sums, in_currency, in_order};
use super::question::DayRange;
use super::selected::SelectedRows;
use crate::gold::daily_kpis;
use crate::silver;

/// The course of some days: rows by `at`, a day `YYYY-MM-DD` or an hour from 0 to 23. Where nothing happened is no row.
pub(super) async fn course(rows: &SelectedRows, days: DayRange) -> anyhow::Result<JsonRows> {
    let course = if days.count() == 1 {
        by_hour(rows, days).await?
    } else {
        let daily = rows.gold(&daily_kpis::GOLD, days).await?;
        let by_day = daily
            .group_by([col("day")])
            .agg(daily_sums(&rows.currency))
            .with_column(col("day").alias("at"));
        by_day.select(shown())
    };
    in_order(course, "at")
}

fn shown() -> [Expr; 5] {
    [
        "at",
        "sessions",
        "converted_sessions",
        "orders",
        "revenue_gross_minor",
    ]
    .map(col)
}

async fn by_hour(rows: &SelectedRows, days: DayRange) -> anyhow::Result<LazyFrame> {
    let hour = |column: &str| {
        silver::hour(column, &rows.reporting)
            .cast(DataType::Int64)
            .alias("at")
    };
    let columns = ["shop_id", "session_start", "purchases"];
    let sessions = rows.sessions(days, &columns).await?;
    let visits = sessions.group_by([hour("session_start")]).agg([
        len().cast(DataType::Int64).alias("sessions"),
        count(col("purchases").gt(lit(0))).alias("converted_sessions"),
    ]);
    let orders = rows
        .orders(days, &["shop_id", "ordered_at", "currency", "gross_minor"])
        .await?;
    let money = orders.group_by([hour("ordered_at")]).agg([
        count(col("currency").eq(lit(rows.currency.clone()))).alias("orders"),
        in_currency("gross_minor", &rows.currency).alias("revenue_gross_minor"),
    ]);
    let full = JoinArgs::new(JoinType::Full).with_coalesce(JoinCoalesce::CoalesceColumns);
    let joined = visits.join(money, [col("at")], [col("at")], full);
    Ok(joined
        .with_columns([all().as_expr().fill_null(lit(0_i64))])
        .select(shown()))
}
