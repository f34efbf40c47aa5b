//! `gold_product_performance`: what sells, what is only looked at, what comes back.
//!
//! A refund of products is one that lists them, as in GA4 (developers.google.com/analytics/devguides/collection/ga4/refund):
//! one without a list is money of the order, and of no product.

use polars::prelude::*;

use super::{Gold, Input, Scope, Silver, count, ratio};
use crate::money;
use crate::silver::{items, orders, refunds};
use crate::table::ColumnType::{Date, Float, Integer, Text};
use crate::table::{Column, Layer, Table};

/// Views, carts and sales of a product on a day.
pub static GOLD: Gold = Gold {
    table: Table {
        name: "gold_product_performance",
        layer: Layer::Gold,
        description: "One row per day, shop, product and currency: views, carts, purchases, units, revenue and refunds",
        columns: &[
            Column::new("day", Date, "Day in the reporting time zone"),
            Column::new("shop_id", Text, "Shop"),
            Column::new("item_id", Text, "Product"),
            Column::new("item_name", Text, "Its name as last seen on the day"),
            Column::new(
                "item_category",
                Text,
                "Its category as last seen on the day",
            )
            .optional(),
            Column::new("currency", Text, "ISO 4217 code"),
            Column::new("views", Integer, "Times the product's page was viewed"),
            Column::new("carts", Integer, "Times it was added to a cart"),
            Column::new("purchases", Integer, "Orders it was part of"),
            Column::new("quantity", Float, "Units sold, to three decimals"),
            Column::new(
                "revenue_minor",
                Integer,
                "Price times quantity of the units sold, minor units",
            ),
            Column::new(
                "refunds",
                Integer,
                "Refunds of the day that list it, of orders of any day",
            ),
            Column::new(
                "refunded_quantity",
                Float,
                "Units they list, to three decimals",
            ),
            Column::new(
                "refunds_minor",
                Integer,
                "Price times quantity of these units, minor units",
            ),
            Column::new(
                "cart_rate",
                Float,
                "Carts / views of the day; above 1 where a list adds without a view, 0 without views",
            ),
            Column::new(
                "purchase_rate",
                Float,
                "Purchases / carts of the day, 0 without carts",
            ),
            Column::new(
                "view_to_purchase_rate",
                Float,
                "Purchases / views of the day, 0 without views",
            ),
        ],
        partition: Some("day"),
        key: &["day", "shop_id", "item_id", "currency"],
    },
    reads: &[
        Input {
            table: &items::TABLE,
            columns: &[
                "day",
                "shop_id",
                "event_id",
                "event_type",
                "event_time",
                "item_index",
                "item_id",
                "item_name",
                "item_category",
                "currency",
                "quantity",
                "amount_minor",
                "is_bot",
            ],
        },
        Input {
            table: &orders::TABLE,
            columns: &["shop_id", "purchase_event_id"],
        },
        Input {
            table: &refunds::TABLE,
            columns: &["shop_id", "event_id"],
        },
    ],
    scope: Scope::Days { back: 0 },
    build,
};

fn build(silver: &Silver) -> PolarsResult<LazyFrame> {
    let is = |event_type: &str| col("event_type").eq(lit(event_type));
    let sold = || is("purchase");
    let in_time = ["event_time", "event_id", "item_index"];
    let products = counted_items(silver)?
        .sort(in_time, SortMultipleOptions::default())
        .group_by([col("day"), col("shop_id"), col("item_id"), col("currency")])
        .agg([
            col("item_name").last(),
            col("item_category").drop_nulls().last(),
            interactions("view_item").alias("views"),
            interactions("add_to_cart").alias("carts"),
            interactions("purchase").alias("purchases"),
            items::sum_of_quantities(col("quantity").filter(sold())).alias("quantity"),
            money::total(col("amount_minor").filter(sold())).alias("revenue_minor"),
            interactions("refund").alias("refunds"),
            items::sum_of_quantities(col("quantity").filter(is("refund")))
                .alias("refunded_quantity"),
            money::total(col("amount_minor").filter(is("refund"))).alias("refunds_minor"),
        ])
        .with_columns([
            ratio(col("carts"), col("views")).alias("cart_rate"),
            ratio(col("purchases"), col("carts")).alias("purchase_rate"),
            ratio(col("purchases"), col("views")).alias("view_to_purchase_rate"),
        ]);
    Ok(GOLD.table.conform(products))
}

/// Lines of views, carts, purchases and refunds; of the last two only those that count, not their repetitions.
pub(super) fn counted_items(silver: &Silver) -> PolarsResult<LazyFrame> {
    let counts = |rows: &LazyFrame, event: &str| {
        rows.clone().select([
            col("shop_id"),
            col(event).alias("event_id"),
            lit(true).alias("counts"),
        ])
    };
    let money = concat(
        [
            counts(&silver.orders, "purchase_event_id"),
            counts(&silver.refunds, "event_id"),
        ],
        UnionArgs::default(),
    )?;
    let of_event = || [col("shop_id"), col("event_id")];
    let event_type = || col("event_type");
    let interest = event_type()
        .eq(lit("view_item"))
        .or(event_type().eq(lit("add_to_cart")));
    let first_line =
        col("item_index")
            .min()
            .over([col("shop_id"), col("event_id"), col("item_id")])?;
    Ok(silver
        .items
        .clone()
        .join(money, of_event(), of_event(), JoinArgs::new(JoinType::Left))
        .filter(interest.or(col("counts").is_not_null()))
        .with_column(col("item_index").eq(first_line).alias("is_first_line")))
}

/// How many events of a type the product was in; one that lists it on two lines is one.
pub(super) fn interactions(event_type: &str) -> Expr {
    count(
        col("event_type")
            .eq(lit(event_type))
            .and(col("is_first_line")),
    )
}
