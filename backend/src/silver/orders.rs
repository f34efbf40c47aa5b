//! `silver_orders`: one row per transaction.
//!
//! Reads all purchase and refund events of the transactions in question. A transaction that was sent twice (a thank-you
//! page opened again) counts once: its earliest purchase event is the order, refunds add up.

use polars::prelude::*;

use crate::config::Reporting;
use crate::table::ColumnType::{Boolean, Date, Integer, Text, Timestamp};
use crate::table::{Column, Layer, Table};

const COLUMNS: &[Column] = &[
    Column::new("transaction_id", Text, "Order number the shop gave"),
    Column::new("day", Date, "Day of the order, in the reporting time zone"),
    Column::new(
        "ordered_at",
        Timestamp,
        "Time of the purchase event; of the first refund where the purchase is not known",
    ),
    Column::new(
        "first_event_at",
        Timestamp,
        "Time of the first purchase or refund event",
    ),
    Column::new(
        "last_event_at",
        Timestamp,
        "Time of the last purchase or refund event",
    ),
    Column::new("shop_id", Text, "Shop"),
    Column::new("customer_id", Text, "`user_id`, else `anonymous_id`"),
    Column::new("anonymous_id", Text, "Visitor who ordered"),
    Column::new("user_id", Text, "Customer number").optional(),
    Column::new("session_key", Text, "Session of the order"),
    Column::new(
        "purchase_event_id",
        Text,
        "The event that is the order; none where only a refund is known",
    )
    .optional(),
    Column::new("currency", Text, "ISO 4217 code"),
    Column::new(
        "gross_minor",
        Integer,
        "Value as sent, before refunds, minor units",
    ),
    Column::new("tax_minor", Integer, "Tax, minor units"),
    Column::new("shipping_minor", Integer, "Shipping, minor units"),
    Column::new(
        "refunds_minor",
        Integer,
        "Refunded in the order's currency, minor units",
    ),
    Column::new("net_minor", Integer, "Gross less refunds, minor units"),
    Column::new("quantity", Integer, "Units bought"),
    Column::new("coupon", Text, "Coupon used").optional(),
    Column::new("payment_method", Text, "Payment method").optional(),
    Column::new(
        "order_number",
        Integer,
        "The customer's first, second, … order in the shop",
    ),
    Column::new("is_new_customer", Boolean, "The customer's first order"),
    Column::new("channel", Text, "Channel of the order's session"),
    Column::new("device", Text, "desktop, mobile, tablet or other"),
    Column::new("browser", Text, "Browser family"),
    Column::new("os", Text, "Operating system"),
];

/// One row per transaction.
pub static TABLE: Table = Table {
    name: "silver_orders",
    layer: Layer::Silver,
    description: "One row per transaction, with its refunds",
    columns: COLUMNS,
    partition: Some("day"),
    key: &["shop_id", "transaction_id"],
};

/// Whether an event makes or changes an order.
pub fn concerns_order() -> Expr {
    is_purchase().or(col("event_type").eq(lit("refund")))
}

fn is_purchase() -> Expr {
    col("event_type").eq(lit("purchase"))
}

/// Builds the orders of transactions from all their events; `order_number` counts within the frame and is set anew by
/// [`number`] once the customer's other orders stand beside them.
pub fn build(events: LazyFrame, items: LazyFrame, reporting: &Reporting) -> LazyFrame {
    let of_order = [col("shop_id"), col("transaction_id")];
    // A known purchase gives the row its facts; a refund alone still makes one, so that no money is forgotten.
    let order = ["is_refund", "event_time", "seq", "event_id"];
    let facts = [
        "event_id",
        "anonymous_id",
        "user_id",
        "session_key",
        "currency",
        "tax_minor",
        "shipping_minor",
        "coupon",
        "payment_method",
        "channel",
        "device",
        "browser",
        "os",
    ];
    let refunded = col("value_minor")
        .filter(
            is_purchase()
                .not()
                .and(col("currency").eq(col("currency").first())),
        )
        .sum();
    let orders = events
        .filter(concerns_order())
        .with_column(is_purchase().not().alias("is_refund"))
        .sort(order, SortMultipleOptions::default())
        .group_by_stable(of_order)
        .agg(
            [
                col("event_time").first().alias("ordered_at"),
                col("event_time").max().alias("last_event_at"),
                col("event_time").min().alias("first_event_at"),
                col("is_refund").first().alias("refund_only"),
                col("value_minor").first().alias("gross_minor"),
                refunded.alias("refunds_minor"),
            ]
            .into_iter()
            .chain(facts.map(|fact| col(fact).first()))
            .collect::<Vec<_>>(),
        );
    let quantities = items
        .group_by([col("event_id")])
        .agg([col("quantity").sum()]);
    let none_if_refund = |column: &str| {
        when(col("refund_only"))
            .then(lit(0_i64))
            .otherwise(col(column).fill_null(lit(0_i64)))
            .alias(column)
    };
    let orders = orders
        .join(
            quantities,
            [col("event_id")],
            [col("event_id")],
            JoinArgs::new(JoinType::Left),
        )
        .with_columns([
            none_if_refund("gross_minor"),
            none_if_refund("tax_minor"),
            none_if_refund("shipping_minor"),
            none_if_refund("quantity"),
            when(col("refund_only"))
                .then(lit(NULL))
                .otherwise(col("event_id"))
                .alias("purchase_event_id"),
            coalesce(&[col("user_id"), col("anonymous_id")]).alias("customer_id"),
            super::day("ordered_at", &reporting.time_zone).alias("day"),
            lit(1_i64).alias("order_number"),
            lit(true).alias("is_new_customer"),
        ])
        .with_column((col("gross_minor") - col("refunds_minor")).alias("net_minor"));
    TABLE.conform(orders)
}

/// Numbers each customer's orders in time; the frame holds all orders of its customers.
pub fn number(orders: LazyFrame) -> PolarsResult<LazyFrame> {
    let sorted = orders.sort(
        ["ordered_at", "transaction_id"],
        SortMultipleOptions::default(),
    );
    let customer = [col("shop_id"), col("customer_id")];
    let counted = col("purchase_event_id").is_not_null().cast(DataType::Int64);
    let numbered = sorted
        .with_column(counted.cum_sum(false).over(customer)?.alias("order_number"))
        .with_column(
            col("order_number")
                .eq(lit(1_i64))
                .and(col("purchase_event_id").is_not_null())
                .alias("is_new_customer"),
        );
    Ok(TABLE.conform(numbered))
}
