//! `gold_search_terms`: what visitors look for in the shop, and whether they find it.
//!
//! A search owns what follows it in its session up to the next search. Its rates are those of search engines' analytics:
//! searches with at least one click, or one conversion, divided by all searches. Source: Algolia, "Search analytics
//! metrics" (algolia.com/doc/guides/search-analytics/concepts/metrics).

use polars::prelude::*;

use super::{Gold, Input, Scope, Silver, count, ratio, rows};
use crate::silver::{events, orders};
use crate::table::ColumnType::{Date, Float, Integer, Text};
use crate::table::{Column, Layer, Table};

/// Searches of a term on a day, and what came of them.
pub static GOLD: Gold = Gold {
    table: Table {
        name: "gold_search_terms",
        layer: Layer::Gold,
        description: "One row per day, shop and search term: searches, and what followed them in the same session before \
            the next search",
        columns: &[
            Column::new("day", Date, "Day of the search, in the reporting time zone"),
            Column::new("shop_id", Text, "Shop"),
            Column::new(
                "search_term",
                Text,
                "What was searched for, in lower case and without spaces around it",
            ),
            Column::new("searches", Integer, "Searches"),
            Column::new("sessions", Integer, "Sessions with such a search"),
            Column::new(
                "clicked_searches",
                Integer,
                "Searches after which a product was chosen or viewed",
            ),
            Column::new(
                "click_through_rate",
                Float,
                "Searches with a click / searches, 0 to 1",
            ),
            Column::new(
                "refined_searches",
                Integer,
                "Searches without a click after which the session searched for another term",
            ),
            Column::new(
                "converted_searches",
                Integer,
                "Searches with an order after them",
            ),
            Column::new(
                "conversion_rate",
                Float,
                "Searches with an order / searches, 0 to 1",
            ),
            Column::new("orders", Integer, "Orders after the searches"),
        ],
        partition: Some("day"),
        key: &["day", "shop_id", "search_term"],
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
                "session_key",
                "search_term",
                "is_bot",
            ],
        },
        Input {
            table: &orders::TABLE,
            columns: &["day", "shop_id", "purchase_event_id"],
        },
    ],
    scope: Scope::RestOfSessions {
        event_types: &["search", "select_item", "view_item", "purchase"],
    },
    build,
};

fn build(silver: &Silver) -> PolarsResult<LazyFrame> {
    let terms = searches(silver)?
        .group_by(["day", "shop_id", "search_term"].map(col))
        .agg([
            rows().alias("searches"),
            col("session_key")
                .n_unique()
                .cast(DataType::Int64)
                .alias("sessions"),
            count(col("clicks").gt(lit(0))).alias("clicked_searches"),
            count(col("is_refined")).alias("refined_searches"),
            count(col("orders").gt(lit(0))).alias("converted_searches"),
            col("orders").sum(),
        ])
        .with_columns([
            ratio(col("clicked_searches"), col("searches")).alias("click_through_rate"),
            ratio(col("converted_searches"), col("searches")).alias("conversion_rate"),
        ]);
    Ok(GOLD.table.conform(terms))
}

/// One row per search: its term, and what followed it in its session before the next one.
fn searches(silver: &Silver) -> PolarsResult<LazyFrame> {
    let session = || ["shop_id", "session_key"].map(col);
    let clicks = is("select_item").or(is("view_item"));
    let next = |column: &str| col(column).shift(lit(-1)).over(session());
    let is_refined = col("clicks")
        .eq(lit(0))
        .and(next("search_term")?.neq(col("search_term")))
        .fill_null(lit(false));
    let order = ["shop_id", "session_key", "search_number"];
    Ok(numbered(silver)?
        .group_by_stable(order.map(col))
        .agg([
            col("day").first(),
            col("search_term").first(),
            count(clicks).alias("clicks"),
            count(col("is_order")).alias("orders"),
        ])
        .sort(order, SortMultipleOptions::default())
        .with_column(is_refined.alias("is_refined")))
}

/// What happened from the first search of each session on, with the number of the latest search.
fn numbered(silver: &Silver) -> PolarsResult<LazyFrame> {
    let orders = silver.orders.clone().select([
        col("shop_id"),
        col("purchase_event_id").alias("event_id"),
        lit(true).alias("is_order"),
    ]);
    let of_event = || [col("shop_id"), col("event_id")];
    let session = || ["session_key", "shop_id"].map(col);
    let is_search = || is("search").and(col("search_term").is_not_null());
    let searches = is_search()
        .cast(DataType::Int64)
        .cum_sum(false)
        .over(session())?;
    let in_order = ["session_key", "shop_id", "event_time", "seq", "event_id"];
    let events = silver.events.clone();
    // Most sessions have none.
    let searching = events.clone().filter(is_search()).select(session());
    Ok(events
        .join(
            searching,
            session(),
            session(),
            JoinArgs::new(JoinType::Semi),
        )
        .join(
            orders,
            of_event(),
            of_event(),
            JoinArgs::new(JoinType::Left),
        )
        .with_columns([col("is_order").fill_null(lit(false)), term()])
        .sort(in_order, SortMultipleOptions::default())
        .with_column(searches.alias("search_number"))
        .filter(col("search_number").gt(lit(0))))
}

/// The term of a search as the table has it, from the `search_term` of an event.
pub(crate) fn term() -> Expr {
    col("search_term")
        .str()
        .strip_chars(lit(NULL))
        .str()
        .to_lowercase()
}

fn is(event_type: &str) -> Expr {
    col("event_type").eq(lit(event_type))
}
