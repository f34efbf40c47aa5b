//! `gold_customer_ltv`: what each customer has been worth, and may be.
//!
//! The expected value is the orders to expect ([`crate::repeat_buying`]) times what an order of the customer has been worth.
//! The Gamma-Gamma model (Fader, Hardie, "The Gamma-Gamma Model of Monetary Value", 2013) would draw the latter towards the
//! mean of all customers; the customer's own mean is simpler and says of one customer nothing that others changed.
//!
//! Segments are RFM in the sense of A. M. Hughes, "Strategic Database Marketing" (1994), with fixed bounds of recency and
//! frequency in place of quintiles, so that a customer's segment does not depend on the others'.

use polars::prelude::*;

use super::{Gold, Input, Scope, Silver, average_minor, rows};
use crate::money;
use crate::repeat_buying::History;
use crate::silver::orders;
use crate::table::ColumnType::{Float, Integer, Text, Timestamp};
use crate::table::{Column, Layer, Table};

const YEAR_WEEKS: f64 = 365.0 / 7.0;
/// The segment of customers who have not ordered for this long is `Lost`.
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
                "Days from the day of the customer's last order to that of the shop's latest",
            ),
            Column::new(
                "rfm_segment",
                Text,
                "Champion, Loyal, New, At risk, Lost or Occasional, from recency and frequency",
            )
            .one_of(&["Champion", "Loyal", "New", "At risk", "Lost", "Occasional"]),
            Column::new("first_channel", Text, "Channel of the first order"),
            Column::new(
                "alive_probability",
                Float,
                "Probability that the customer is not lost, by the BG/NBD model, to six decimals",
            ),
            Column::new(
                "expected_orders_12m",
                Float,
                "Orders to expect in the next 365 days, by the BG/NBD model, to six decimals",
            ),
            Column::new(
                "expected_value_12m_minor",
                Integer,
                "These orders times lifetime value per order, minor units",
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
            "day",
            "ordered_at",
            "transaction_id",
            "gross_minor",
            "refunds_minor",
            "net_minor",
            "channel",
            "purchase_event_id",
        ],
    }],
    scope: Scope::Customers,
    build,
};

fn build(silver: &Silver) -> PolarsResult<LazyFrame> {
    let days = |from: &str| {
        let days = col("latest").to_physical() - col(from).to_physical();
        days.cast(DataType::Int64)
    };
    let in_time = ["ordered_at", "transaction_id"];
    let customers = silver
        .orders
        .clone()
        .with_column(col("day").max().over([col("shop_id")])?.alias("latest"))
        .sort(in_time, SortMultipleOptions::default())
        .group_by_stable([col("customer_id"), col("shop_id"), col("currency")])
        .agg([
            rows().alias("orders"),
            money::total(col("gross_minor")),
            money::total(col("refunds_minor")),
            money::total(col("net_minor")).alias("lifetime_value_minor"),
            col("ordered_at").first().alias("first_order_at"),
            col("ordered_at").last().alias("last_order_at"),
            col("channel").first().alias("first_channel"),
            col("day").min().alias("first_day"),
            col("day").max().alias("last_day"),
            col("day")
                .n_unique()
                .cast(DataType::Int64)
                .alias("order_days"),
            col("latest").first(),
        ])
        .with_columns([
            average_minor(col("gross_minor"), col("orders")).alias("average_order_value_minor"),
            days("last_day").alias("recency_days"),
            days("first_day").alias("history_days"),
        ])
        .with_column(segment().alias("rfm_segment"))
        .collect()?;
    let prospects = prospects(&customers)?;
    let customers = customers.hstack(prospects.columns())?;
    Ok(GOLD.table.conform(customers.lazy()))
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

/// Engines' logarithms differ in the last digits of a float.
fn to_millionths(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

/// What the model says of each customer.
fn prospects(customers: &DataFrame) -> PolarsResult<DataFrame> {
    let numbers = |name: &str| {
        let values = customers.column(name)?.i64()?.iter();
        PolarsResult::Ok(values.map(Option::unwrap_or_default).collect::<Vec<i64>>())
    };
    let (mut alive, mut orders, mut values) = (Vec::new(), Vec::new(), Vec::new());
    let days = numbers("order_days")?
        .into_iter()
        .zip(numbers("history_days")?);
    let days = days.zip(numbers("recency_days")?);
    let worth = numbers("lifetime_value_minor")?
        .into_iter()
        .zip(numbers("orders")?);
    for (((order_days, history_days), recency_days), (value, count)) in days.zip(worth) {
        let history = History {
            repeats: (order_days - 1) as f64,
            last: (history_days - recency_days) as f64 / 7.0,
            age: history_days as f64 / 7.0,
        };
        let expected = history.expected_orders(YEAR_WEEKS);
        alive.push(to_millionths(history.alive()));
        orders.push(to_millionths(expected));
        // As far as a float can be off, money of the future may be.
        values.push((expected * value as f64 / count as f64).round() as i64);
    }
    df!(
        "alive_probability" => alive,
        "expected_orders_12m" => orders,
        "expected_value_12m_minor" => values,
    )
}
