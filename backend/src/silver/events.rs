//! `silver_events`: every event once, typed, with its page, campaign, session and channel.

use polars::prelude::*;

use crate::config::Reporting;
use crate::table::ColumnType::{Boolean, Date, Integer, Text, Timestamp};
use crate::table::{Column, Layer, Table};

const COLUMNS: &[Column] = &[
    Column::new("event_id", Text, "Id the event was born with, UUIDv7"),
    Column::new("event_type", Text, "Type of the event"),
    Column::new(
        "event_time",
        Timestamp,
        "When it happened: the browser's clock, corrected where it is clearly off",
    ),
    Column::new("received_at", Timestamp, "When the edge received it"),
    Column::new(
        "day",
        Date,
        "Day of `event_time` in the reporting time zone",
    ),
    Column::new("shop_id", Text, "Shop"),
    Column::new("anonymous_id", Text, "Visitor, as the tracker knows it"),
    Column::new("user_id", Text, "Customer number, where the shop gave it").optional(),
    Column::new(
        "session_key",
        Text,
        "Session: `event_id` of its first event",
    ),
    Column::new("session_id", Text, "The tracker's id of the visit").optional(),
    Column::new(
        "seq",
        Integer,
        "Number of the event within the tracker's session, from 1",
    ),
    Column::new("page_url", Text, "Address of the page"),
    Column::new("page_path", Text, "Path of the address"),
    Column::new("page_title", Text, "Title of the page").optional(),
    Column::new("referrer_host", Text, "Host of the referrer").optional(),
    Column::new(
        "utm_source",
        Text,
        "Campaign source: `utm_source`, or the platform that a click id names",
    )
    .optional(),
    Column::new(
        "utm_medium",
        Text,
        "Campaign medium: `utm_medium`, or what a click id stands for",
    )
    .optional(),
    Column::new("utm_campaign", Text, "Campaign").optional(),
    Column::new(
        "page_channel",
        Text,
        "Channel that this event's page and referrer tell",
    ),
    Column::new(
        "channel",
        Text,
        "Channel of the session: that of its first event",
    ),
    Column::new("search_term", Text, "What was searched for").optional(),
    Column::new("transaction_id", Text, "Order number").optional(),
    Column::new("currency", Text, "ISO 4217 code").optional(),
    Column::new("value_minor", Integer, "Value, minor units").optional(),
    Column::new("tax_minor", Integer, "Tax, minor units").optional(),
    Column::new("shipping_minor", Integer, "Shipping, minor units").optional(),
    Column::new("coupon", Text, "Coupon").optional(),
    Column::new("payment_method", Text, "Payment method").optional(),
    Column::new(
        "engagement_time_ms",
        Integer,
        "Milliseconds in view and in use, of `page_ping`",
    )
    .optional(),
    Column::new("device", Text, "desktop, mobile, tablet or other"),
    Column::new("browser", Text, "Browser family"),
    Column::new("os", Text, "Operating system"),
    Column::new("country", Text, "Country, ISO 3166 code").optional(),
    Column::new("is_bot", Boolean, "Made by a program; left out of gold"),
    Column::new(
        "record_hash",
        Integer,
        "XXH3 of the record without `properties`; decides between two records of one event",
    ),
];

/// One row per event.
pub static TABLE: Table = Table {
    name: "silver_events",
    layer: Layer::Silver,
    description: "One row per event: typed, counted once, in its session",
    columns: COLUMNS,
    partition: Some("day"),
    key: &["shop_id", "event_id"],
};

/// What identifies an event: two shops may give the same id.
pub const IDENTITY: [&str; 2] = ["shop_id", "event_id"];

/// From this score on an event counts as made by a program.
pub(super) const BOT_SCORE: u8 = 50;

/// Whether a program made an event, by a row of bronze.
pub(super) fn is_bot() -> Expr {
    col("bot_score").gt_eq(lit(i64::from(BOT_SCORE)))
}

/// The events of bronze rows, before they are in sessions.
pub(super) fn read(bronze: LazyFrame, reporting: &Reporting) -> LazyFrame {
    let later = |column: &str| lit(NULL).alias(column);
    TABLE.conform(bronze.with_columns([
        super::day("event_time", reporting).alias("day"),
        col("campaign_source").alias("utm_source"),
        col("campaign_medium").alias("utm_medium"),
        col("campaign_name").alias("utm_campaign"),
        col("channel").alias("page_channel"),
        later("session_key"),
        later("channel"),
        is_bot().alias("is_bot"),
    ]))
}

/// What decides between the records of one event, in this order; of its identity, what tells most rows apart comes first.
pub const RIVALRY: [&str; 4] = ["event_id", "shop_id", "received_at", "record_hash"];

/// Keeps one record of each event: the one received first, whatever order they came in.
pub fn dedupe(events: LazyFrame) -> LazyFrame {
    events
        .sort(
            RIVALRY,
            SortMultipleOptions::default().with_maintain_order(true),
        )
        .unique_stable(
            Some(by_name(IDENTITY, true, false)),
            UniqueKeepStrategy::First,
        )
}

/// The rows without repeated records of an event.
///
/// # Errors
/// Returns an error if the frame lacks a column of [`RIVALRY`].
pub fn once(rows: &DataFrame) -> PolarsResult<DataFrame> {
    // Few columns are sorted, and the rest follows.
    let records = rows.select(RIVALRY)?.lazy().with_row_index("row", None);
    let winners = dedupe(records)
        .select([col("row")])
        .sort(["row"], SortMultipleOptions::default());
    rows.take(winners.collect()?.column("row")?.idx()?)
}
