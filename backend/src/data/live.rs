//! What happens now: the last hour by minute, and the newest events.

use chrono::{DateTime, TimeDelta, Utc};
use polars::prelude::*;
use serde::Serialize;

use super::figures::{JsonRows, count, in_order, json, largest, product_name};
use super::question::DayRange;
use super::selected::{SelectedRows, semi};
use crate::money;
use crate::silver::{events, items};
use crate::warehouse::Filter;

const LAST_HOUR: TimeDelta = TimeDelta::hours(1);
/// A browser's clock may run ahead by as much as the edge believes it.
const AHEAD: TimeDelta = TimeDelta::minutes(5);
/// Whoever did something within this time is a visitor now.
const PRESENT: TimeDelta = TimeDelta::minutes(5);
const NEWEST: IdxSize = 40;
const MOST: IdxSize = 10;

/// The page "Live".
#[derive(Serialize)]
pub(super) struct LivePage {
    at: DateTime<Utc>,
    present: JsonRows,
    minutes: JsonRows,
    pages: JsonRows,
    products: JsonRows,
    newest: JsonRows,
}

impl LivePage {
    /// Answers for the page: of the last hour, whatever period is chosen.
    pub(super) async fn of(rows: &SelectedRows) -> anyhow::Result<Self> {
        let hour = last_hour(rows).await?.collect()?.lazy();
        Ok(Self {
            at: rows.now,
            present: json(present(rows, hour.clone()))?,
            minutes: in_order(minutes(rows, hour.clone()), "minute")?,
            pages: pages(hour.clone())?,
            products: products(rows, hour.clone()).await?,
            newest: newest(hour)?,
        })
    }
}

fn micros(time: DateTime<Utc>) -> i64 {
    time.timestamp_micros()
}

/// Today and yesterday: the last hour lies in them, in any time zone.
fn days(rows: &SelectedRows) -> DayRange {
    let today = rows.now.date_naive();
    DayRange {
        from: today.pred_opt().unwrap_or(today),
        to: today.succ_opt().unwrap_or(today),
    }
}

async fn last_hour(rows: &SelectedRows) -> anyhow::Result<LazyFrame> {
    let columns = [
        "event_id",
        "event_time",
        "event_type",
        "shop_id",
        "anonymous_id",
        "session_key",
        "page_path",
        "channel",
        "device",
        "country",
        "currency",
        "value_minor",
        "is_bot",
    ];
    let (from, to) = (micros(rows.now - LAST_HOUR), micros(rows.now + AHEAD));
    let within = Filter::TimestampBetween("event_time", from, to);
    let events = rows
        .read_where(&events::TABLE, &columns, Some(days(rows)), Some(within))
        .await?;
    let events = rows.question.narrow(&events::TABLE, events);
    let events = events.filter(col("is_bot").not());
    let events = match rows.question.term {
        None => events,
        Some(_) => rows.in_sessions(events, days(rows)).await?,
    };
    Ok(match &rows.question.product {
        None => events,
        Some(_) => {
            let items = items_of_the_hour(rows).await?;
            semi(events, items, &["shop_id", "event_id"])
        }
    })
}

fn present(rows: &SelectedRows, hour: LazyFrame) -> LazyFrame {
    let since = micros(rows.now - PRESENT);
    let people = || col("anonymous_id").n_unique().cast(DataType::Int64);
    let is_now = col("event_time").cast(DataType::Int64).gt_eq(lit(since));
    hour.select([
        col("anonymous_id")
            .filter(is_now)
            .n_unique()
            .cast(DataType::Int64)
            .alias("visitors_now"),
        people().alias("visitors"),
        len().cast(DataType::Int64).alias("events"),
        count(is_purchase()).alias("orders"),
        revenue(rows).alias("revenue_minor"),
    ])
}

fn minutes(rows: &SelectedRows, hour: LazyFrame) -> LazyFrame {
    hour.group_by([col("event_time").dt().truncate(lit("1m")).alias("minute")])
        .agg([
            len().cast(DataType::Int64).alias("events"),
            col("anonymous_id")
                .n_unique()
                .cast(DataType::Int64)
                .alias("visitors"),
            count(is_purchase()).alias("orders"),
            revenue(rows).alias("revenue_minor"),
        ])
}

fn is_purchase() -> Expr {
    col("event_type").eq(lit("purchase"))
}

fn revenue(rows: &SelectedRows) -> Expr {
    let value = when(is_purchase())
        .then(col("value_minor"))
        .otherwise(lit(0_i64));
    let is_shown = col("currency").eq(lit(rows.currency.clone()));
    money::total(value.filter(is_shown))
}

fn pages(hour: LazyFrame) -> anyhow::Result<JsonRows> {
    let views = hour.filter(col("event_type").eq(lit("page_view")));
    let pages = views.group_by([col("page_path")]).agg([
        len().cast(DataType::Int64).alias("views"),
        col("anonymous_id")
            .n_unique()
            .cast(DataType::Int64)
            .alias("visitors"),
    ]);
    largest(pages, "views", "page_path", MOST)
}

async fn products(rows: &SelectedRows, hour: LazyFrame) -> anyhow::Result<JsonRows> {
    let items = items_of_the_hour(rows).await?;
    let seen = semi(items, hour, &["shop_id", "event_id"]);
    let is = |event_type: &str| count(col("event_type").eq(lit(event_type.to_owned())));
    let products = seen.group_by([col("item_id")]).agg([
        product_name("event_time"),
        is("view_item").alias("views"),
        is("add_to_cart").alias("carts"),
        is("purchase").alias("purchases"),
    ]);
    largest(products, "views", "item_id", MOST)
}

async fn items_of_the_hour(rows: &SelectedRows) -> anyhow::Result<LazyFrame> {
    let columns = [
        "event_id",
        "event_type",
        "event_time",
        "shop_id",
        "item_id",
        "item_name",
    ];
    let (from, to) = (micros(rows.now - LAST_HOUR), micros(rows.now + AHEAD));
    let within = Filter::TimestampBetween("event_time", from, to);
    let items = rows
        .read_where(&items::TABLE, &columns, Some(days(rows)), Some(within))
        .await?;
    Ok(rows.question.narrow(&items::TABLE, items))
}

fn newest(hour: LazyFrame) -> anyhow::Result<JsonRows> {
    let shown = [
        "event_id",
        "event_time",
        "event_type",
        "page_path",
        "channel",
        "device",
        "country",
        "currency",
        "value_minor",
    ];
    largest(
        hour.select(shown.map(col)),
        "event_time",
        "event_id",
        NEWEST,
    )
}
