//! What sells, what is only looked at, and what is rising.

use polars::prelude::*;
use serde::Serialize;

use super::figures::{JsonRows, Sums, in_currency, largest, product_name, totals};
use super::question::DayRange;
use super::selected::SelectedRows;
use crate::gold::{product_performance, trending_products};
use crate::money;

/// Products on their page: more is a question to the warehouse.
const MOST_PRODUCTS: IdxSize = 200;
/// Trending products on any page.
const MOST_TRENDING: IdxSize = 12;
/// Windows begin every five minutes and overlap: of the two latest the one that has just begun does not empty the list.
const WINDOW_STEP_US: i64 = 5 * 60 * 1_000_000;
/// What is shown of a window.
const TRENDING: [&str; 6] = [
    "window_start",
    "window_end",
    "views",
    "carts",
    "purchases",
    "trend_score",
];

/// The page "Products".
#[derive(Serialize)]
pub(super) struct ProductsPage {
    now: Sums,
    before: Option<Sums>,
    products: JsonRows,
    categories: JsonRows,
    trending: JsonRows,
}

impl ProductsPage {
    /// Answers for the page.
    pub(super) async fn of(rows: &SelectedRows) -> anyhow::Result<Self> {
        let before = match rows.days_before {
            Some(days) => Some(totals(rows, days).await?),
            None => None,
        };
        Ok(Self {
            now: totals(rows, rows.days).await?,
            before,
            products: products(rows, rows.days, MOST_PRODUCTS).await?,
            categories: categories(rows, rows.days).await?,
            trending: trending(rows).await?,
        })
    }
}

/// Products by revenue in the currency shown, those without any after them.
pub(super) async fn products(
    rows: &SelectedRows,
    days: DayRange,
    most: IdxSize,
) -> anyhow::Result<JsonRows> {
    let performance = rows.gold(&product_performance::GOLD, days).await?;
    let mut figures = figures(&rows.currency);
    figures.push(product_name("day"));
    figures.push(
        col("item_category")
            .sort_by(["day"], ascending())
            .drop_nulls()
            .last(),
    );
    let products = performance.group_by([col("item_id")]).agg(figures);
    let total = money::total(col("revenue_minor")).alias("total_minor");
    largest(
        products.with_column(total),
        "revenue_minor",
        "item_id",
        most,
    )
}

/// Categories by revenue in the currency shown.
pub(super) async fn categories(rows: &SelectedRows, days: DayRange) -> anyhow::Result<JsonRows> {
    let performance = rows.gold(&product_performance::GOLD, days).await?;
    let category = col("item_category").fill_null(lit("(none)"));
    let categories = performance
        .group_by([category.alias("category")])
        .agg(figures(&rows.currency));
    largest(categories, "revenue_minor", "category", MOST_PRODUCTS)
}

/// Products by trend score in the two latest windows of the period, the fastest riser first.
pub(super) async fn trending(rows: &SelectedRows) -> anyhow::Result<JsonRows> {
    // A window around midnight belongs to the day of its middle.
    let last_days = DayRange {
        from: rows.days.to,
        to: rows.days.to,
    }
    .reaching_back(1);
    let windows = rows.gold(&trending_products::GOLD, last_days).await?;
    let windows = windows.filter(col("currency").eq(lit(rows.currency.clone())));
    let start_us = || col("window_start").cast(DataType::Int64);
    let is_latest = start_us().gt_eq(start_us().max() - lit(WINDOW_STEP_US));
    let best = TRENDING.map(|column| col(column).sort_by(["trend_score"], ascending()).last());
    let named = [product_name("window_start")].into_iter().chain(best);
    let trending = windows
        .filter(is_latest)
        .group_by([col("shop_id"), col("item_id")])
        .agg(named.collect::<Vec<_>>())
        .filter(col("trend_score").gt(lit(0.0)));
    largest(trending, "trend_score", "item_id", MOST_TRENDING)
}

/// What becomes of interest counts in all currencies, as the interest does; what is paid for it is of one.
fn figures(currency: &str) -> Vec<Expr> {
    let interest = ["views", "carts", "purchases"].map(|column| col(column).sum());
    let sales =
        ["quantity", "revenue_minor", "refunds_minor"].map(|column| in_currency(column, currency));
    interest.into_iter().chain(sales).collect()
}

fn ascending() -> SortMultipleOptions {
    SortMultipleOptions::default()
}
