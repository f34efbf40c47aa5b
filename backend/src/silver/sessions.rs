//! `silver_sessions`: a visitor's events with no pause longer than 30 minutes. What a program did under a visitor's id is in
//! sessions of its own.
//!
//! Reads the events of visitors, gives each its session, and sums each session up. Feeds every gold table that counts
//! sessions.

use polars::prelude::*;

use crate::config::Reporting;
use crate::money;
use crate::table::ColumnType::{Boolean, Date, Integer, Text, Timestamp};
use crate::table::{Column, Layer, Table};

/// Longest pause within a session, in microseconds: 30 minutes, the web's customary value.
pub const GAP_US: i64 = 30 * 60 * 1_000_000;

/// A session ends with a half day (UTC) that it has filled from end to end without a longer pause: a program that never
/// rests makes sessions of less than 24 hours. Which events lie in which session is still decided by those around it.
const CELL_US: i64 = 12 * 60 * 60 * 1_000_000;

/// A session lasts less than 24 hours, and a day may have 23: it goes on so many days after the one it began on at most.
pub const DAYS_ON: i32 = 2;

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
        "orders_in_other_currencies",
        Integer,
        "Of the purchases those in another currency, whose value is in `silver_orders` only",
    )
    .optional(),
    Column::new(
        "currency",
        Text,
        "Currency of the session's first order, else the first one seen, else the reporting currency",
    ),
    Column::new(
        "funnel_step",
        Integer,
        "Furthest step reached in order: 1 session, 2 view_item, 3 add_to_cart, 4 begin_checkout, 5 an order",
    ),
    Column::new("entry_page", Text, "Path of the first page"),
    Column::new("exit_page", Text, "Path of the last page"),
    Column::new("referrer_host", Text, "Host that led to the session").optional(),
    Column::new("channel", Text, "Channel of the first event"),
    Column::new("utm_source", Text, "Campaign source of the first event").optional(),
    Column::new("utm_medium", Text, "Campaign medium of the first event").optional(),
    Column::new("utm_campaign", Text, "Campaign of the first event").optional(),
    Column::new("device", Text, "desktop, mobile, tablet or other")
        .one_of(&["desktop", "mobile", "tablet", "other"]),
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
    Column::new("is_bot", Boolean, "Made by a program; left out of gold"),
];

/// One row per session.
pub static TABLE: Table = Table {
    name: "silver_sessions",
    layer: Layer::Silver,
    description: "One row per session: a visitor's events with no pause longer than 30 minutes",
    columns: COLUMNS,
    partition: Some("day"),
    key: &["shop_id", "session_key"],
};

/// What identifies a session.
pub const IDENTITY: [&str; 2] = ["shop_id", "session_key"];

/// Cuts events into sessions: sets `session_key`, and `channel` to that of the session's first event.
///
/// Visitors must be complete around every event: all events of the sessions in question are in the frame.
pub fn cut(events: LazyFrame) -> PolarsResult<LazyFrame> {
    let micros = || col("event_time").to_physical();
    let before = |column: &str| col(column).shift(lit(1));
    let same_visitor = ["shop_id", "anonymous_id", "is_bot"]
        .map(|column| col(column).eq_missing(before(column)))
        .into_iter()
        .reduce(Expr::and)
        .unwrap_or_else(|| lit(true));
    let is_cut = col("half_day")
        .neq(before("half_day"))
        .and(before("fills_half_day"));
    let continues = same_visitor
        .and((micros() - micros().shift(lit(1))).lt_eq(lit(GAP_US)))
        .and(is_cut.not())
        .fill_null(lit(false));
    let of_session = |column: &str| col(column).first().over([col("session_number")]);
    let helpers = ["half_day", "fills_half_day", "session_number"];
    Ok(in_order(events)
        .with_column(micros().floor_div(lit(CELL_US)).alias("half_day"))
        .with_column(fills_half_day()?.alias("fills_half_day"))
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
        .drop(by_name(helpers, true, false)))
}

/// Whether the visitor's events of the half day leave no pause longer than [`GAP_US`] in it.
fn fills_half_day() -> PolarsResult<Expr> {
    let micros = || col("event_time").to_physical();
    let within = || ["shop_id", "anonymous_id", "is_bot", "half_day"].map(col);
    let begins = micros().min() - col("half_day").first() * lit(CELL_US);
    let ends = (col("half_day").first() + lit(1_i64)) * lit(CELL_US) - micros().max();
    let pauses = (micros() - micros().shift(lit(1))).max();
    Ok(begins
        .over(within())?
        .lt_eq(lit(GAP_US))
        .and(ends.over(within())?.lt_eq(lit(GAP_US)))
        .and(
            pauses
                .over(within())?
                .fill_null(lit(0_i64))
                .lt_eq(lit(GAP_US)),
        ))
}

/// Sums sessions up, from all their events, which [`cut`] has seen, and all orders made in them. A purchase event that
/// repeats an order (a thank-you page opened again) is none.
pub fn build(
    events: LazyFrame,
    orders: LazyFrame,
    reporting: &Reporting,
) -> PolarsResult<LazyFrame> {
    let orders = orders.filter(col("purchase_event_id").is_not_null()).sort(
        ["ordered_at", "transaction_id"],
        SortMultipleOptions::default(),
    );
    let is_order = orders.clone().select([
        col("shop_id"),
        col("purchase_event_id").alias("event_id"),
        lit(true).alias("is_order"),
    ]);
    let events = left(events, is_order, &["shop_id", "event_id"])
        .with_column(col("is_order").fill_null(lit(false)));
    let sums = sums(in_order(events), reporting)?;
    let made = orders.clone().group_by_stable(IDENTITY.map(col)).agg([
        len().cast(DataType::Int64).alias("purchases"),
        col("currency").first().alias("order_currency"),
    ]);
    let paid = orders
        .group_by(["shop_id", "session_key", "currency"].map(col))
        .agg([
            money::total(col("gross_minor")).alias("revenue_minor"),
            len().cast(DataType::Int64).alias("in_currency"),
        ]);
    let zero = |column: &str| col(column).fill_null(lit(0_i64));
    let currency = coalesce(&[
        col("order_currency"),
        col("currency"),
        super::currency_without_amount(reporting),
    ]);
    let engaged = col("engaged_ms")
        .gt_eq(lit(ENGAGED_MS))
        .or(col("page_views").gt_eq(lit(2)))
        .or(col("purchases").gt(lit(0)));
    let sessions = left(sums, made, &IDENTITY).with_column(currency.alias("currency"));
    let sessions = left(sessions, paid, &["shop_id", "session_key", "currency"])
        .with_columns([
            zero("purchases"),
            zero("revenue_minor"),
            zero("in_currency"),
        ])
        .with_columns([
            (col("purchases") - col("in_currency")).alias("orders_in_other_currencies"),
            engaged.alias("is_engaged"),
        ])
        .with_column(col("is_engaged").not().alias("is_bounce"));
    Ok(TABLE.conform(sessions))
}

fn left(rows: LazyFrame, others: LazyFrame, on: &[&str]) -> LazyFrame {
    let on: Vec<Expr> = on.iter().copied().map(col).collect();
    rows.join(others, on.clone(), on, JoinArgs::new(JoinType::Left))
}

/// One row per session from its events, in order and marked where they are orders.
fn sums(events: LazyFrame, reporting: &Reporting) -> PolarsResult<LazyFrame> {
    let count = |event_type: &str| is(event_type).sum().cast(DataType::Int64);
    let first = |column: &str| col(column).first();
    let sessions = with_funnel_step(events)?
        .group_by_stable(IDENTITY.map(col))
        .agg([
            col("event_time").first().alias("session_start"),
            col("event_time").last().alias("session_end"),
            first("anonymous_id"),
            col("user_id").drop_nulls().last(),
            col("engagement_time_ms").sum().alias("engaged_ms"),
            len().cast(DataType::Int64).alias("events"),
            count("page_view").alias("page_views"),
            count("view_item").alias("product_views"),
            count("add_to_cart").alias("adds_to_cart"),
            count("begin_checkout").alias("checkouts"),
            col("currency").drop_nulls().first(),
            first("funnel_step"),
            first("page_path").alias("entry_page"),
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
            first("is_bot"),
        ]);
    let micros = |name: &str| col(name).to_physical();
    Ok(sessions.with_columns([
        super::day("session_start", reporting).alias("day"),
        (micros("session_end") - micros("session_start"))
            .floor_div(lit(1_000))
            .alias("duration_ms"),
    ]))
}

/// The order in which a session's events happened; the same for the same events, however they arrived.
pub(super) fn in_order(events: LazyFrame) -> LazyFrame {
    // What tells most rows apart comes first.
    let order = [
        "anonymous_id",
        "shop_id",
        "is_bot",
        "event_time",
        "seq",
        "event_id",
    ];
    events.sort(order, SortMultipleOptions::default())
}

fn is(event_type: &str) -> Expr {
    col("event_type").eq(lit(event_type))
}

/// Adds `funnel_step`, the same on every event of a session: 1 plus the steps it went through in order, each not before
/// the one before it.
fn with_funnel_step(events: LazyFrame) -> PolarsResult<LazyFrame> {
    let mut events = events.with_columns([
        lit(1_i64).cast(DataType::Int64).alias("funnel_step"),
        col("event_time").alias("step_time"),
    ]);
    for (reached, step) in (1_i64..).zip(FUNNEL_STEPS) {
        let counts = if step == "purchase" {
            col("is_order")
        } else {
            is(step)
        };
        let eligible = counts
            .and(col("funnel_step").eq(lit(reached)))
            .and(col("event_time").gt_eq(col("step_time")));
        let time = col("event_time")
            .filter(eligible)
            .min()
            .over(IDENTITY.map(col))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 60 * 60 * 1_000_000;

    /// Starts of the sessions that events of one visitor, at these times, are cut into.
    fn starts(times: &[i64]) -> Vec<i64> {
        let height = times.len();
        let ids: Vec<String> = times.iter().map(|time| format!("{time:020}")).collect();
        let events = df!(
            "shop_id" => vec!["demo"; height],
            "anonymous_id" => vec!["visitor"; height],
            "is_bot" => vec![false; height],
            "event_time" => times,
            "seq" => vec![1_i64; height],
            "event_id" => ids,
            "page_channel" => vec!["Direct"; height],
        )
        .unwrap()
        .lazy()
        .with_column(col("event_time").cast(Timestamp.polars()));
        let keys = cut(events).unwrap().collect().unwrap();
        let keys = keys.column("session_key").unwrap().unique().unwrap();
        let mut starts: Vec<i64> = keys
            .str()
            .unwrap()
            .iter()
            .map(|key| key.unwrap().parse().unwrap())
            .collect();
        starts.sort_unstable();
        starts
    }

    #[test]
    fn pause_of_half_an_hour_continues_a_session_and_a_longer_one_ends_it() {
        assert_eq!(starts(&[0, GAP_US, 2 * GAP_US + 1]), [0, 2 * GAP_US + 1]);
    }

    #[test]
    fn session_over_the_end_of_a_half_day_stays_whole() {
        let evening: Vec<i64> = (22..27).map(|half_hour| half_hour * HOUR / 2).collect();
        assert_eq!(starts(&evening), [11 * HOUR]);
    }

    #[test]
    fn program_that_never_rests_makes_sessions_of_less_than_a_day() {
        let times: Vec<i64> = (0..240).map(|step| HOUR + step * HOUR / 4).collect();
        // From 1:00 on it fills the second half of the day, and every one after it.
        let noons: Vec<i64> = (2..6).map(|half_day| half_day * CELL_US).collect();
        assert_eq!(starts(&times), [&[HOUR][..], &noons].concat());
    }
}
