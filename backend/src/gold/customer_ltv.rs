//! `gold_customer_ltv`: what each customer has been worth, and may be.

use polars::prelude::*;

use super::{Gold, Input, Scope, Silver, average_minor, rows};
use crate::silver::orders;
use crate::table::ColumnType::{Integer, Text, Timestamp};
use crate::table::{Column, Layer, Table};

const YEAR_DAYS: i64 = 365;
/// A customer known for a shorter time than this is taken as known this long, so that two orders on one day do not
/// promise hundreds a year.
const SHORTEST_HISTORY_DAYS: i64 = 90;
/// A customer who has not ordered for this long is expected to order no more.
const LOST_AFTER_DAYS: i64 = 365;

/// Orders, value and prospects of a customer.
pub static GOLD: Gold = Gold {
    table: Table {
        name: "gold_customer_ltv",
        layer: Layer::Gold,
        description: "One row per customer, shop and currency: orders, lifetime value, recency, segment, expected value",
        columns: &[
            Column::new(
                "customer_id",
                Text,
                "`user_id` of the orders, else `anonymous_id`",
            ),
            Column::new("shop_id", Text, "Shop"),
            Column::new("currency", Text, "ISO 4217 code"),
            Column::new("orders", Integer, "Orders so far"),
            Column::new(
                "gross_minor",
                Integer,
                "Their value before refunds, minor units",
            ),
            Column::new("refunds_minor", Integer, "Refunds, minor units"),
            Column::new(
                "lifetime_value_minor",
                Integer,
                "Gross less refunds, minor units",
            ),
            Column::new(
                "average_order_value_minor",
                Integer,
                "Gross per order, minor units",
            ),
            Column::new("first_order_at", Timestamp, "Time of the first order"),
            Column::new("last_order_at", Timestamp, "Time of the last order"),
            Column::new(
                "recency_days",
                Integer,
                "Days from the customer's last order to the shop's latest",
            ),
            Column::new(
                "rfm_segment",
                Text,
                "Champion, Loyal, New, At risk, Lost or Occasional, from recency and frequency",
            ),
            Column::new("first_channel", Text, "Channel of the first order"),
            Column::new(
                "expected_value_12m_minor",
                Integer,
                "Lifetime value per day of history (90 days at least) times 365, \
                0 for a customer lost for a year; minor units",
            ),
        ],
        partition: None,
        key: &["customer_id", "shop_id", "currency"],
    },
    reads: &[Input {
        table: &orders::TABLE,
        columns: &[
            "customer_id",
            "shop_id",
            "currency",
            "ordered_at",
            "transaction_id",
            "gross_minor",
            "refunds_minor",
            "net_minor",
            "channel",
            "purchase_event_id",
        ],
    }],
    scope: Scope::Everything,
    build,
};

fn build(silver: &Silver) -> PolarsResult<LazyFrame> {
    let days = |from: Expr, to: Expr| {
        (to.to_physical() - from.to_physical()).floor_div(lit(86_400_000_000_i64))
    };
    let in_time = ["ordered_at", "transaction_id"];
    let customers = silver
        .orders
        .clone()
        .with_column(
            col("ordered_at")
                .max()
                .over([col("shop_id")])?
                .alias("latest"),
        )
        .sort(in_time, SortMultipleOptions::default())
        .group_by_stable([col("customer_id"), col("shop_id"), col("currency")])
        .agg([
            rows().alias("orders"),
            col("gross_minor").sum(),
            col("refunds_minor").sum(),
            col("net_minor").sum().alias("lifetime_value_minor"),
            col("ordered_at").first().alias("first_order_at"),
            col("ordered_at").last().alias("last_order_at"),
            col("channel").first().alias("first_channel"),
            col("latest").first(),
        ])
        .with_columns([
            average_minor(col("gross_minor"), col("orders")).alias("average_order_value_minor"),
            days(col("last_order_at"), col("latest")).alias("recency_days"),
            days(col("first_order_at"), col("latest")).alias("history_days"),
        ])
        .with_columns([
            segment().alias("rfm_segment"),
            expected_value().alias("expected_value_12m_minor"),
        ]);
    Ok(GOLD.table.conform(customers))
}

fn segment() -> Expr {
    let recency = |days: i64| col("recency_days").lt_eq(lit(days));
    let orders = |number: i64| col("orders").gt_eq(lit(number));
    when(recency(30).and(orders(4)))
        .then(lit("Champion"))
        .when(recency(90).and(orders(2)))
        .then(lit("Loyal"))
        .when(recency(30))
        .then(lit("New"))
        .when(recency(LOST_AFTER_DAYS).not())
        .then(lit("Lost"))
        .when(orders(2))
        .then(lit("At risk"))
        .otherwise(lit("Occasional"))
}

fn expected_value() -> Expr {
    let history = when(col("history_days").lt(lit(SHORTEST_HISTORY_DAYS)))
        .then(lit(SHORTEST_HISTORY_DAYS))
        .otherwise(col("history_days"));
    // Whole days first, so that no amount is too large to multiply.
    let value = || col("lifetime_value_minor");
    let whole_days = value().floor_div(history.clone());
    let rest = value() - whole_days.clone() * history.clone();
    let yearly = whole_days * lit(YEAR_DAYS) + average_minor(rest * lit(YEAR_DAYS), history);
    when(col("recency_days").gt(lit(LOST_AFTER_DAYS)))
        .then(lit(0_i64))
        .otherwise(yearly)
}
