//! `gold_trending_products`: what is taking off right now.

use polars::prelude::*;

use super::product_performance::{counted_items, interactions};
use super::{Around, Gold, Input, Scope, Silver};
use crate::money;
use crate::silver::{self, items, orders};
use crate::table::ColumnType::{Date, Float, Integer, Text, Timestamp};
use crate::table::{Column, Layer, Table};

const STEP_MINUTES: i64 = 5;
const STEP_US: i64 = STEP_MINUTES * 60 * 1_000_000;
/// How far back a product's own baseline reaches.
const BASELINE: &str = "24h";
/// Ten-minute windows in it.
const BASELINE_WINDOWS: f64 = 144.0;
/// What an interaction counts for the score: a cart says more than a look, a purchase more than a cart.
const CART_WEIGHT: i64 = 3;
const PURCHASE_WEIGHT: i64 = 5;

/// Interest in a product within a window, and how unusual it is for that product.
pub static GOLD: Gold = Gold {
    table: Table {
        name: "gold_trending_products",
        layer: Layer::Gold,
        description: "One row per product and 10-minute window, windows starting every 5 minutes (so each event is in two of \
            them): views, carts, purchases, revenue and a trend score",
        columns: &[
            Column::new(
                "day",
                Date,
                "Day of the middle of the window, in the reporting time zone",
            ),
            Column::new("window_start", Timestamp, "Start of the window"),
            Column::new("window_end", Timestamp, "End of the window, not included"),
            Column::new("shop_id", Text, "Shop"),
            Column::new("item_id", Text, "Product"),
            Column::new("item_name", Text, "Its name as last seen in the window"),
            Column::new("currency", Text, "ISO 4217 code"),
            Column::new("views", Integer, "Times the product's page was viewed"),
            Column::new("carts", Integer, "Times it was added to a cart"),
            Column::new("purchases", Integer, "Orders it was part of"),
            Column::new(
                "revenue_minor",
                Integer,
                "Price times quantity of the units sold, minor units",
            ),
            Column::new(
                "trend_score",
                Float,
                "(interest - baseline) / sqrt(baseline + 1), where interest = views + 3 carts + \
                5 purchases and baseline = the product's mean interest per window over the 24 hours before",
            ),
        ],
        partition: Some("day"),
        key: &["window_start", "shop_id", "item_id", "currency"],
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
    // A line is in two windows, and in the baseline of those that follow for a day.
    scope: Scope::Products(Around {
        time: "window_start",
        before_us: 2 * STEP_US,
        after_us: 24 * 12 * STEP_US + STEP_US,
    }),
    build,
};

fn build(silver: &Silver) -> PolarsResult<LazyFrame> {
    let slots = slots(counted_items(silver)?);
    let windows = windows(slots.clone())?;
    let baseline =
        (col("before").cast(DataType::Float64) / lit(BASELINE_WINDOWS)).alias("baseline");
    let score = (interest().cast(DataType::Float64) - col("baseline"))
        / (col("baseline") + lit(1.0)).sqrt();
    let scored = with_interest_before(slots, windows)?
        .with_column(baseline)
        .with_column(score.alias("trend_score"));
    let timestamp = |micros: Expr| micros.cast(Timestamp.polars());
    let times = scored.with_columns([
        timestamp(col("start")).alias("window_start"),
        timestamp(col("start") + lit(STEP_US)).alias("window_middle"),
        timestamp(col("start") + lit(2 * STEP_US)).alias("window_end"),
    ]);
    Ok(GOLD
        .table
        .conform(times.with_column(silver::day("window_middle", &silver.reporting).alias("day"))))
}

fn key() -> [Expr; 4] {
    [
        col("start"),
        col("shop_id"),
        col("item_id"),
        col("currency"),
    ]
}

fn interest() -> Expr {
    col("views") + col("carts") * lit(CART_WEIGHT) + col("purchases") * lit(PURCHASE_WEIGHT)
}

/// Each product's interactions in slots of 5 minutes.
fn slots(items: LazyFrame) -> LazyFrame {
    let is_sold = col("event_type").eq(lit("purchase"));
    let start = col("event_time").to_physical().floor_div(lit(STEP_US)) * lit(STEP_US);
    items
        .with_column(start.alias("start"))
        .sort(
            ["event_time", "event_id", "item_index"],
            SortMultipleOptions::default(),
        )
        .group_by_stable(key())
        .agg([
            col("item_name").last(),
            interactions("view_item").alias("views"),
            interactions("add_to_cart").alias("carts"),
            interactions("purchase").alias("purchases"),
            money::total(col("amount_minor").filter(is_sold)).alias("revenue_minor"),
        ])
}

/// Windows of two slots: each slot is the second half of one window and the first half of the next.
fn windows(slots: LazyFrame) -> PolarsResult<LazyFrame> {
    let as_second_half = slots.clone().with_column(col("start") - lit(STEP_US));
    let halves = concat(
        [slots, as_second_half],
        UnionArgs {
            maintain_order: true,
            ..UnionArgs::default()
        },
    )?;
    let total = |column: &str| col(column).sum();
    Ok(halves.group_by_stable(key()).agg([
        col("item_name").last(),
        total("views"),
        total("carts"),
        total("purchases"),
        money::total(col("revenue_minor")),
    ]))
}

/// Adds `before`: the product's interest in the 24 hours before each window.
fn with_interest_before(slots: LazyFrame, windows: LazyFrame) -> PolarsResult<LazyFrame> {
    let before = RollingOptionsDynamicWindow {
        window_size: Duration::parse(BASELINE),
        min_periods: 0,
        closed_window: ClosedWindow::Left,
        fn_params: None,
    };
    let time = || col("start").cast(Timestamp.polars());
    let product = [col("shop_id"), col("item_id"), col("currency")];
    let slots = slots.with_columns([interest().alias("interest"), lit(false).alias("is_window")]);
    let windows = windows.with_columns([
        lit(0_i64).cast(DataType::Int64).alias("interest"),
        lit(true).alias("is_window"),
    ]);
    let both = concat([slots, windows], UnionArgs::default())?;
    let sum = col("interest")
        .rolling_sum_by(time(), before)
        .over(product)?;
    Ok(both
        .with_column(sum.fill_null(lit(0_i64)).alias("before"))
        .filter(col("is_window")))
}
