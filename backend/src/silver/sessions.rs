//! `silver_sessions`: a visitor's events with gaps of at most 30 minutes.
//!
//! Reads the events of visitors, gives each its session, and sums each session up. Feeds every gold table that counts
//! sessions.

use polars::prelude::*;

use crate::config::Reporting;
use crate::table::ColumnType::{Boolean, Date, Integer, Text, Timestamp};
use crate::table::{Column, Layer, Table};

/// Longest pause within a session, in microseconds: 30 minutes, the web's customary value.
pub const GAP_US: i64 = 30 * 60 * 1_000_000;

/// Engaged means: at least this long in view, or two page views, or a purchase (GA4's definition of an engaged session).
const ENGAGED_MS: i64 = 10_000;

/// The ordered steps of the funnel after the session itself.
pub const FUNNEL_STEPS: [&str; 4] = ["view_item", "add_to_cart", "begin_checkout", "purchase"];

const COLUMNS: &[Column] = &[
    Column::new(
        "session_key",
        Text,
        "Id of the session: the `event_id` of its first event",
    ),
    Column::new(
        "day",
        Date,
        "Day the session started, in the reporting time zone",
    ),
    Column::new("session_start", Timestamp, "Time of the first event"),
    Column::new("session_end", Timestamp, "Time of the last event"),
    Column::new("shop_id", Text, "Shop"),
    Column::new("anonymous_id", Text, "Visitor, as the tracker knows it"),
    Column::new(
        "user_id",
        Text,
        "Customer number, from the last event of the session that has one",
    )
    .optional(),
    Column::new(
        "duration_ms",
        Integer,
        "Milliseconds from the first to the last event",
    ),
    Column::new(
        "engaged_ms",
        Integer,
        "Milliseconds the page was in view and in use",
    ),
    Column::new("events", Integer, "Events of any type"),
    Column::new("page_views", Integer, "Events `page_view`"),
    Column::new("product_views", Integer, "Events `view_item`"),
    Column::new("adds_to_cart", Integer, "Events `add_to_cart`"),
    Column::new("checkouts", Integer, "Events `begin_checkout`"),
    Column::new("purchases", Integer, "Orders made in the session"),
    Column::new(
        "revenue_minor",
        Integer,
        "Value of those orders in `currency`, minor units",
    ),
    Column::new(
        "currency",
        Text,
        "First currency seen in the session, else the reporting currency",
    ),
    Column::new(
        "funnel_step",
        Integer,
        "Furthest step reached in order: 1 session, 2 view_item, 3 add_to_cart, 4 begin_checkout, 5 purchase",
    ),
    Column::new("entry_page", Text, "Path of the first page"),
    Column::new("exit_page", Text, "Path of the last page"),
    Column::new("referrer_host", Text, "Host that led to the session").optional(),
    Column::new("channel", Text, "Channel of the first event"),
    Column::new("utm_source", Text, "Campaign source of the first event").optional(),
    Column::new("utm_medium", Text, "Campaign medium of the first event").optional(),
    Column::new("utm_campaign", Text, "Campaign of the first event").optional(),
    Column::new("device", Text, "desktop, mobile, tablet or other"),
    Column::new("browser", Text, "Browser family"),
    Column::new("os", Text, "Operating system"),
    Column::new(
        "country",
        Text,
        "Country, ISO 3166 code, where the edge knows it",
    )
    .optional(),
    Column::new("is_bounce", Boolean, "Not engaged"),
    Column::new(
        "is_engaged",
        Boolean,
        "10 seconds in view, two page views or a purchase",
    ),
    Column::new("is_bot", Boolean, "Made by a crawler; left out of gold"),
];

/// One row per session.
pub static TABLE: Table = Table {
    name: "silver_sessions",
    layer: Layer::Silver,
    description: "One row per session: a visitor's events with gaps of at most 30 minutes",
    columns: COLUMNS,
    partition: Some("day"),
    key: &["session_key"],
};

/// Cuts events into sessions: sets `session_key`, and `channel` to that of the session's first event.
///
/// Visitors must be complete around every event: all events of the sessions in question are in the frame.
pub fn cut(events: LazyFrame) -> PolarsResult<LazyFrame> {
    let micros = || col("event_time").to_physical();
    let same_visitor = col("shop_id")
        .eq_missing(col("shop_id").shift(lit(1)))
        .and(col("anonymous_id").eq_missing(col("anonymous_id").shift(lit(1))));
    let continues = same_visitor
        .and((micros() - micros().shift(lit(1))).lt_eq(lit(GAP_US)))
        .fill_null(lit(false));
    let of_session = |column: &str| col(column).first().over([col("session_number")]);
    Ok(in_order(events)
        .with_column(
            continues
                .not()
                .cast(DataType::Int64)
                .cum_sum(false)
                .alias("session_number"),
        )
        .with_columns([
            of_session("event_id")?.alias("session_key"),
            of_session("page_channel")?.alias("channel"),
        ])
        .drop(by_name(["session_number"], true, false)))
}

/// Sums sessions up, from events that [`cut`] has seen; [`with_orders`] completes them.
pub fn summarize(events: LazyFrame, reporting: &Reporting) -> PolarsResult<LazyFrame> {
    let count = |event_type: &str| is(event_type).sum().cast(DataType::Int64);
    let funnel = with_funnel_step(in_order(events.clone()))?;
    let sessions = funnel.group_by_stable([col("session_key")]).agg([
        col("event_time").first().alias("session_start"),
        col("event_time").last().alias("session_end"),
        col("shop_id").first(),
        col("anonymous_id").first(),
        col("user_id").drop_nulls().last(),
        col("engagement_time_ms").sum().alias("engaged_ms"),
        len().cast(DataType::Int64).alias("events"),
        count("page_view").alias("page_views"),
        count("view_item").alias("product_views"),
        count("add_to_cart").alias("adds_to_cart"),
        count("begin_checkout").alias("checkouts"),
        col("currency")
            .drop_nulls()
            .first()
            .fill_null(lit(reporting.currency.clone())),
        col("funnel_step").first(),
        col("page_path").first().alias("entry_page"),
        col("page_path").last().alias("exit_page"),
        first("referrer_host"),
        first("channel"),
        first("utm_source"),
        first("utm_medium"),
        first("utm_campaign"),
        first("device"),
        first("browser"),
        first("os"),
        first("country"),
        col("is_bot").any(true),
    ]);
    let micros = |name: &str| col(name).to_physical();
    Ok(sessions.with_columns([
        super::day("session_start", &reporting.time_zone).alias("day"),
        (micros("session_end") - micros("session_start"))
            .floor_div(lit(1_000))
            .alias("duration_ms"),
    ]))
}

/// Completes summed-up sessions with the orders made in them, which must all be among `orders`. A purchase event that
/// repeats an order (a thank-you page opened again) makes none.
pub fn with_orders(sessions: LazyFrame, orders: LazyFrame) -> LazyFrame {
    let orders = orders.filter(col("purchase_event_id").is_not_null());
    let made = orders
        .clone()
        .group_by([col("session_key")])
        .agg([len().cast(DataType::Int64).alias("purchases")]);
    let paid = orders
        .group_by([col("session_key"), col("currency")])
        .agg([col("gross_minor").sum().alias("revenue_minor")]);
    let on = |columns: &[&str]| columns.iter().copied().map(col).collect::<Vec<_>>();
    let left = || JoinArgs::new(JoinType::Left);
    let engaged = col("engaged_ms")
        .gt_eq(lit(ENGAGED_MS))
        .or(col("page_views").gt_eq(lit(2)))
        .or(col("purchases").gt(lit(0)));
    let sessions = sessions
        .drop(by_name(["purchases", "revenue_minor"], false, false))
        .join(made, on(&["session_key"]), on(&["session_key"]), left())
        .join(
            paid,
            on(&["session_key", "currency"]),
            on(&["session_key", "currency"]),
            left(),
        )
        .with_columns([
            col("purchases").fill_null(lit(0_i64)),
            col("revenue_minor").fill_null(lit(0_i64)),
        ])
        .with_column(engaged.alias("is_engaged"))
        .with_column(col("is_engaged").not().alias("is_bounce"));
    TABLE.conform(sessions)
}

/// The order in which a session's events happened; the same for the same events, however they arrived.
fn in_order(events: LazyFrame) -> LazyFrame {
    let order = ["shop_id", "anonymous_id", "event_time", "seq", "event_id"];
    events.sort(order, SortMultipleOptions::default())
}

fn is(event_type: &str) -> Expr {
    col("event_type").eq(lit(event_type))
}

fn first(column: &str) -> Expr {
    col(column).first()
}

/// Adds `funnel_step`, the same on every event of a session: 1 plus the steps it went through in order, each not before
/// the one before it.
fn with_funnel_step(events: LazyFrame) -> PolarsResult<LazyFrame> {
    let mut events = events.with_columns([
        lit(1_i64).cast(DataType::Int64).alias("funnel_step"),
        col("event_time").alias("step_time"),
    ]);
    for (reached, step) in (1_i64..).zip(FUNNEL_STEPS) {
        let eligible = is(step)
            .and(col("funnel_step").eq(lit(reached)))
            .and(col("event_time").gt_eq(col("step_time")));
        let time = col("event_time")
            .filter(eligible)
            .min()
            .over([col("session_key")])?;
        events = events.with_column(time.alias("next_time")).with_columns([
            when(col("next_time").is_not_null())
                .then(lit(reached + 1))
                .otherwise(col("funnel_step"))
                .alias("funnel_step"),
            coalesce(&[col("next_time"), col("step_time")]).alias("step_time"),
        ]);
    }
    Ok(events)
}
