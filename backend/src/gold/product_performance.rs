//! `gold_product_performance`: what sells, what is only looked at.

use polars::prelude::*;

use super::{Gold, Input, Scope, Silver, count};
use crate::silver::{items, orders};
use crate::table::ColumnType::{Date, Float, Integer, Text};
use crate::table::{Column, Layer, Table};

/// Views, carts and sales of a product on a day.
pub static GOLD: Gold = Gold {
    table: Table {
        name: "gold_product_performance",
        layer: Layer::Gold,
        description: "One row per day, shop, product and currency: views, carts, purchases, units and revenue",
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
            col("amount_minor")
                .filter(sold())
                .sum()
                .alias("revenue_minor"),
        ]);
    Ok(GOLD.table.conform(products))
}

/// Lines of views, carts and purchases; of purchases only those that are the order, not its repetitions.
pub(super) fn counted_items(silver: &Silver) -> PolarsResult<LazyFrame> {
    let orders = silver.orders.clone().select([
        col("shop_id"),
        col("purchase_event_id").alias("event_id"),
        lit(true).alias("is_order"),
    ]);
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
        .join(
            orders,
            of_event(),
            of_event(),
            JoinArgs::new(JoinType::Left),
        )
        .filter(
            interest.or(event_type()
                .eq(lit("purchase"))
                .and(col("is_order").is_not_null())),
        )
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
