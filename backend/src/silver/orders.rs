//! `silver_orders`: one row per transaction.
//!
//! Reads all purchase and refund events of the transactions in question that people made. A transaction that was sent twice
//! (a thank-you page opened again) counts once: its earliest purchase event is the order. Refunds add up, but never to more
//! than the order; one of the same amount in the same session is the same refund, sent again.

use polars::prelude::*;

use super::items::sum_of_quantities;
use crate::config::Reporting;
use crate::money;
use crate::table::ColumnType::{Boolean, Date, Float, Integer, Text, Timestamp};
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
    Column::new(
        "customer_id",
        Text,
        "`user_id`, else the customer last known on the visitor's browser, else `anonymous_id`",
    ),
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
        "Refunded in the order's currency, never more than the order, minor units",
    ),
    Column::new(
        "excess_refunds_minor",
        Integer,
        "Sent as refunds in the order's currency and not counted: repetitions, and what exceeds the order; minor units",
    )
    .optional(),
    Column::new(
        "refunds_in_other_currencies",
        Integer,
        "Refund events in another currency than the order's, which are not counted",
    )
    .optional(),
    Column::new("net_minor", Integer, "Gross less refunds, minor units"),
    Column::new("quantity", Float, "Units bought, to three decimals"),
    Column::new("coupon", Text, "Coupon used").optional(),
    Column::new("payment_method", Text, "Payment method").optional(),
    Column::new(
        "order_number",
        Integer,
        "The customer's first, second, … order in the shop",
    ),
    Column::new("is_new_customer", Boolean, "The customer's first order"),
    Column::new("channel", Text, "Channel of the order's session"),
    Column::new("device", Text, "desktop, mobile, tablet or other")
        .one_of(&["desktop", "mobile", "tablet", "other"]),
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
    key: &IDENTITY,
};

/// What identifies an order.
pub const IDENTITY: [&str; 2] = ["shop_id", "transaction_id"];

/// Whether an event makes or changes an order; what a program does never does.
pub fn concerns_order() -> Expr {
    let is_refund = col("event_type").eq(lit("refund"));
    is_purchase().or(is_refund).and(col("is_bot").not())
}

fn is_purchase() -> Expr {
    col("event_type").eq(lit("purchase"))
}

/// The events of transactions in order, purchases first. `is_counted` says whether a refund is one: in the currency of its
/// order, and not the same refund sent again.
pub(super) fn marked(events: LazyFrame) -> PolarsResult<LazyFrame> {
    let order = ["is_refund", "event_time", "seq", "event_id"];
    let same_refund = [
        "shop_id",
        "transaction_id",
        "session_key",
        "currency",
        "value_minor",
        "is_refund",
    ];
    let is_repeated = col("event_id").neq(col("event_id").first().over(same_refund.map(col))?);
    let currency = col("currency").first().over(IDENTITY.map(col))?;
    let in_currency = col("currency")
        .is_null()
        .or(col("currency").eq_missing(currency));
    let is_counted = col("is_refund")
        .and(col("in_currency"))
        .and(is_repeated.not());
    Ok(events
        .filter(concerns_order())
        .with_column(is_purchase().not().alias("is_refund"))
        .sort(order, SortMultipleOptions::default())
        .with_column(in_currency.alias("in_currency"))
        .with_column(is_counted.alias("is_counted")))
}

/// Builds the orders of transactions from all their events. `customer_id` is set by [`with_customers`], and `order_number` by
/// [`number`] once the customer's other orders stand beside them.
pub fn build(
    events: LazyFrame,
    items: LazyFrame,
    reporting: &Reporting,
) -> PolarsResult<LazyFrame> {
    // A known purchase gives the row its facts; a refund alone still makes one, so that no money is forgotten.
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
    let in_other = col("is_refund")
        .and(col("in_currency").not())
        .sum()
        .cast(DataType::Int64);
    let sent = col("value_minor").filter(col("is_refund").and(col("in_currency")));
    let orders = marked(events)?.group_by_stable(IDENTITY.map(col)).agg(
        [
            col("event_time").first().alias("ordered_at"),
            col("event_time").max().alias("last_event_at"),
            col("event_time").min().alias("first_event_at"),
            col("is_refund").first().alias("refund_only"),
            col("value_minor").first().alias("gross_minor"),
            money::total(sent).alias("refunds_sent"),
            money::total(col("value_minor").filter(col("is_counted"))).alias("refunds_minor"),
            in_other.alias("refunds_in_other_currencies"),
        ]
        .into_iter()
        .chain(facts.map(|fact| col(fact).first()))
        .collect::<Vec<_>>(),
    );
    let of_event = || [col("shop_id"), col("event_id")];
    let quantity = sum_of_quantities(col("quantity")).alias("quantity");
    let quantities = items.group_by(of_event()).agg([quantity]);
    let none_if_refund = |column: &str| {
        when(col("refund_only"))
            .then(lit(0_i64))
            .otherwise(col(column).fill_null(lit(0_i64)))
            .alias(column)
    };
    let orders = orders
        .join(
            quantities,
            of_event(),
            of_event(),
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
            super::day("ordered_at", reporting).alias("day"),
            col("currency").fill_null(super::currency_without_amount(reporting)),
            lit(1_i64).alias("order_number"),
            lit(true).alias("is_new_customer"),
        ])
        .with_column(at_most(col("refunds_minor"), col("gross_minor")).alias("refunds_minor"))
        .with_columns([
            (col("gross_minor") - col("refunds_minor")).alias("net_minor"),
            (col("refunds_sent") - col("refunds_minor")).alias("excess_refunds_minor"),
        ]);
    Ok(TABLE.conform(orders))
}

fn at_most(amount: Expr, bound: Expr) -> Expr {
    when(amount.clone().gt(bound.clone()))
        .then(bound)
        .otherwise(amount)
}

/// Gives each order its customer: the one who ordered, else the one last known on the browser.
pub fn with_customers(orders: LazyFrame, visitors: LazyFrame) -> LazyFrame {
    let visitor = || ["shop_id", "anonymous_id"].map(col);
    let known = visitors.select([
        col("shop_id"),
        col("anonymous_id"),
        col("customer_id").alias("known_customer"),
    ]);
    let customer = coalesce(&[col("user_id"), col("known_customer"), col("anonymous_id")]);
    let joined = orders.join(known, visitor(), visitor(), JoinArgs::new(JoinType::Left));
    TABLE.conform(joined.with_column(customer.alias("customer_id")))
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
