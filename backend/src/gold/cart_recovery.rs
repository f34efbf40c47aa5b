//! `gold_cart_recovery`: carts followed over sessions, left or bought.
//!
//! A cart begins with the first product a visitor adds, goes on over sessions, and ends with an order or after 30 days
//! without anything added, removed or bought. It is bought when the order is made in the session the cart began in,
//! recovered when in a later one, and abandoned without an order: the terms of e-mail and shop platforms, such as Shopify's
//! "abandoned checkouts" (help.shopify.com/en/manual/orders/abandoned-checkouts).

use polars::prelude::*;

use super::{Gold, Input, Scope, Silver, Spans, count};
use crate::money;
use crate::silver::{self, events, orders};
use crate::table::ColumnType::{Date, Integer, Text, Timestamp};
use crate::table::{Column, Layer, Table};

/// After such a pause what a visitor adds is another cart.
const LAPSE_US: i64 = 30 * 24 * 60 * 60 * 1_000_000;

/// Carts of visitors.
pub static GOLD: Gold = Gold {
    table: Table {
        name: "gold_cart_recovery",
        layer: Layer::Gold,
        description: "One row per cart: what a visitor added over sessions until an order, or until 30 days without change",
        columns: &[
            Column::new(
                "cart_id",
                Text,
                "Id of the cart: the `event_id` of the first `add_to_cart`",
            ),
            Column::new(
                "day",
                Date,
                "Day the cart began, in the reporting time zone",
            ),
            Column::new("shop_id", Text, "Shop"),
            Column::new("anonymous_id", Text, "Visitor, as the tracker knows it"),
            Column::new("opened_at", Timestamp, "Time of the first `add_to_cart`"),
            Column::new(
                "ended_at",
                Timestamp,
                "Time of the order, else of the last change of the cart",
            ),
            Column::new(
                "status",
                Text,
                "`bought` in the session it began in, `recovered` in a later one, `abandoned` without an order so far",
            )
            .one_of(&["bought", "recovered", "abandoned"]),
            Column::new(
                "sessions",
                Integer,
                "Sessions in which it was changed or bought",
            ),
            Column::new("adds", Integer, "Events `add_to_cart`"),
            Column::new("removals", Integer, "Events `remove_from_cart`"),
            Column::new(
                "currency",
                Text,
                "ISO 4217 code of the first `add_to_cart`, else the reporting currency",
            ),
            Column::new(
                "value_minor",
                Integer,
                "Value added less value removed, in `currency`, never below zero, minor units",
            ),
            Column::new(
                "left_at",
                Timestamp,
                "Last change before the session of the order; of an abandoned cart the last change",
            )
            .optional(),
            Column::new("transaction_id", Text, "The order").optional(),
            Column::new(
                "time_to_recovery_ms",
                Integer,
                "Of a recovered cart: milliseconds from `left_at` to the order",
            )
            .optional(),
        ],
        partition: Some("day"),
        key: &["shop_id", "cart_id"],
    },
    reads: &[
        Input {
            table: &events::TABLE,
            columns: &[
                "day",
                "shop_id",
                "event_id",
                "event_type",
                "event_time",
                "seq",
                "anonymous_id",
                "session_key",
                "currency",
                "value_minor",
                "is_bot",
            ],
        },
        Input {
            table: &orders::TABLE,
            columns: &[
                "day",
                "shop_id",
                "anonymous_id",
                "transaction_id",
                "ordered_at",
                "purchase_event_id",
            ],
        },
    ],
    scope: Scope::Visitors(Spans {
        from: "opened_at",
        to: "ended_at",
        gap_us: LAPSE_US,
        event_types: &["add_to_cart", "remove_from_cart", "purchase"],
    }),
    build,
};

fn build(silver: &Silver) -> PolarsResult<LazyFrame> {
    let currency = col("currency").filter(is("add_to_cart")).first();
    let no_currency = silver::currency_without_amount(&silver.reporting);
    let in_currency = col("currency").eq_missing(col("cart_currency"));
    let value = |event_type: &str| {
        money::total(col("value_minor").filter(is(event_type).and(in_currency.clone())))
    };
    let last_change = is_order()
        .not()
        .and(col("session_key").neq_missing(col("order_session")));
    let carts = changes(silver)?
        .with_columns([
            currency
                .over(cart())?
                .fill_null(no_currency)
                .alias("cart_currency"),
            col("session_key")
                .filter(is_order())
                .first()
                .over(cart())?
                .alias("order_session"),
        ])
        .group_by_stable(cart())
        .agg([
            col("event_id").first().alias("cart_id"),
            col("anonymous_id").first(),
            col("event_time").first().alias("opened_at"),
            col("event_time").last().alias("ended_at"),
            col("session_key").first().alias("first_session"),
            col("order_session").first(),
            col("session_key")
                .n_unique()
                .cast(DataType::Int64)
                .alias("sessions"),
            count(is("add_to_cart")).alias("adds"),
            count(is("remove_from_cart")).alias("removals"),
            col("cart_currency").first().alias("currency"),
            (value("add_to_cart") - value("remove_from_cart")).alias("value_minor"),
            col("event_time")
                .filter(last_change)
                .last()
                .alias("left_at"),
            col("transaction_id").drop_nulls().first(),
        ]);
    let micros = |column: &str| col(column).to_physical();
    let recovery = (micros("ended_at") - micros("left_at")).floor_div(lit(1_000_i64));
    let none_below_zero = when(col("value_minor").lt(lit(0_i64)))
        .then(lit(0_i64))
        .otherwise(col("value_minor"));
    Ok(GOLD.table.conform(
        carts.with_columns([
            silver::day("opened_at", &silver.reporting).alias("day"),
            none_below_zero.alias("value_minor"),
            status().alias("status"),
            when(is_recovered())
                .then(recovery)
                .otherwise(lit(NULL))
                .alias("time_to_recovery_ms"),
        ]),
    ))
}

fn is_recovered() -> Expr {
    col("order_session")
        .is_not_null()
        .and(col("order_session").neq_missing(col("first_session")))
}

fn status() -> Expr {
    when(col("order_session").is_null())
        .then(lit("abandoned"))
        .when(is_recovered())
        .then(lit("recovered"))
        .otherwise(lit("bought"))
}

fn cart() -> [Expr; 2] {
    ["shop_id", "cart_number"].map(col)
}

/// What was added, removed and ordered from the first `add_to_cart` of each cart on, in order, with the cart's number.
fn changes(silver: &Silver) -> PolarsResult<LazyFrame> {
    let orders = silver.orders.clone().select([
        col("shop_id"),
        col("purchase_event_id").alias("event_id"),
        col("transaction_id"),
    ]);
    let of_event = || [col("shop_id"), col("event_id")];
    let in_order = ["shop_id", "anonymous_id", "event_time", "seq", "event_id"];
    let before = |column: &str| col(column).shift(lit(1));
    let micros = || col("event_time").to_physical();
    let continues = col("shop_id")
        .eq(before("shop_id"))
        .and(col("anonymous_id").eq(before("anonymous_id")))
        .and(before("transaction_id").is_null())
        .and((micros() - micros().shift(lit(1))).lt_eq(lit(LAPSE_US)))
        .fill_null(lit(false));
    let added = is("add_to_cart").cast(DataType::Int64).cum_sum(false);
    let changes = silver
        .events
        .clone()
        .join(
            orders,
            of_event(),
            of_event(),
            JoinArgs::new(JoinType::Left),
        )
        .filter(is("add_to_cart").or(is("remove_from_cart")).or(is_order()))
        .sort(in_order, SortMultipleOptions::default())
        .with_column(
            continues
                .not()
                .cast(DataType::Int64)
                .cum_sum(false)
                .alias("cart_number"),
        );
    Ok(changes
        .with_column(added.over(cart())?.alias("added"))
        .filter(col("added").gt(lit(0_i64))))
}

fn is_order() -> Expr {
    col("transaction_id").is_not_null()
}

fn is(event_type: &str) -> Expr {
    col("event_type").eq(lit(event_type))
}
