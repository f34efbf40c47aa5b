//! What visitors look for, and what they leave in their carts.

use polars::prelude::*;
use serde::Serialize;

use super::carts::{self, CartSums};
use super::figures::{JsonRows, count, json, largest};
use super::question::DayRange;
use super::selected::SelectedRows;
use super::traffic;
use crate::gold::search_terms;
use crate::money;

/// Terms on the page: more is a question to the warehouse.
const MOST_TERMS: IdxSize = 200;

/// The page "Search and carts".
#[derive(Serialize)]
pub(super) struct SearchPage {
    searches: JsonRows,
    searches_before: Option<JsonRows>,
    terms: JsonRows,
    /// Sessions with a search beside those without.
    visits: JsonRows,
    carts: CartSums,
    carts_before: Option<CartSums>,
    carts_by_day: JsonRows,
    left_carts: JsonRows,
    recovery_times: JsonRows,
}

impl SearchPage {
    /// Answers for the page.
    pub(super) async fn of(rows: &SelectedRows) -> anyhow::Result<Self> {
        let (searches_before, carts_before) = match rows.days_before {
            Some(days) => (
                Some(json(totals(&terms(rows, days).await?))?),
                Some(carts::sums(&carts::begun(rows, days).await?)?),
            ),
            None => (None, None),
        };
        let terms = terms(rows, rows.days).await?;
        let carts = carts::begun(rows, rows.days).await?;
        Ok(Self {
            searches: json(totals(&terms))?,
            searches_before,
            terms: largest(terms.lazy(), "searches", "search_term", MOST_TERMS)?,
            visits: json(visits(rows).await?)?,
            carts: carts::sums(&carts)?,
            carts_before,
            carts_by_day: carts::by_day(&carts)?,
            left_carts: carts::left(&carts)?,
            recovery_times: carts::recovery_times(&carts)?,
        })
    }
}

/// Terms with what followed their searches.
async fn terms(rows: &SelectedRows, days: DayRange) -> anyhow::Result<DataFrame> {
    let sums = [
        "searches",
        "clicked_searches",
        "refined_searches",
        "converted_searches",
    ];
    let terms = rows
        .gold(&search_terms::GOLD, days)
        .await?
        .group_by([col("search_term")])
        .agg(sums.map(|column| col(column).sum()));
    let term = || [col("search_term")];
    let revenue = revenue(rows, days).await?;
    let terms = terms
        .join(revenue, term(), term(), JoinArgs::new(JoinType::Left))
        .with_column(col("revenue_minor").fill_null(lit(0_i64)));
    Ok(terms.collect()?)
}

fn totals(terms: &DataFrame) -> LazyFrame {
    let sums = [
        "searches",
        "clicked_searches",
        "refined_searches",
        "converted_searches",
        "revenue_minor",
    ];
    terms
        .clone()
        .lazy()
        .select(sums.map(|column| col(column).sum()))
}

/// What was ordered in the currency shown after the searches of these days, by term: an order belongs to the search before it
/// in its session, as in `gold_search_terms`.
async fn revenue(rows: &SelectedRows, days: DayRange) -> anyhow::Result<LazyFrame> {
    // A session may go on on the next day.
    let days_on = days.reaching_on(1);
    let columns = ["day", "event_time", "seq", "event_id", "search_term"];
    let searches = rows.searches(days_on, &columns).await?;
    let searches = searches
        .filter(col("search_term").is_not_null())
        .with_column(search_terms::term());
    let columns = ["transaction_id", "ordered_at", "currency", "gross_minor"];
    let orders = rows.orders(days_on, &columns).await?;
    let in_currency = col("currency").eq(lit(rows.currency.clone()));
    let session = || ["shop_id", "session_key"].map(col);
    let in_order = ["event_time", "seq", "event_id"];
    let last = |column: &str| col(column).sort_by(in_order, SortMultipleOptions::default());
    Ok(searches
        .join(
            orders.filter(in_currency),
            session(),
            session(),
            JoinArgs::new(JoinType::Inner),
        )
        .filter(col("event_time").lt_eq(col("ordered_at")))
        .group_by(["shop_id", "transaction_id"].map(col))
        .agg([
            last("day").last(),
            last("search_term").last(),
            col("gross_minor").first(),
        ])
        .filter(days.holds("day"))
        .group_by([col("search_term")])
        .agg([money::total(col("gross_minor")).alias("revenue_minor")]))
}

/// Sessions with a search and without: how many, how many bought, and for how much.
async fn visits(rows: &SelectedRows) -> anyhow::Result<LazyFrame> {
    let searches = rows.searches(rows.days.reaching_on(1), &["session_key"]);
    let session = || ["shop_id", "session_key"].map(col);
    let searched = searches
        .await?
        .group_by(session())
        .agg([lit(true).alias("searched")]);
    let sessions = traffic::sessions(rows, rows.days).await?;
    Ok(sessions
        .join(
            searched,
            session(),
            session(),
            JoinArgs::new(JoinType::Left),
        )
        .with_column(col("searched").fill_null(lit(false)))
        .group_by([col("searched")])
        .agg([
            len().cast(DataType::Int64).alias("sessions"),
            count(col("purchases").gt(lit(0))).alias("converted_sessions"),
            money::total(col("revenue_minor")),
        ])
        .sort(
            ["searched"],
            SortMultipleOptions::default().with_order_descending(true),
        ))
}
