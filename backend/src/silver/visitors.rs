//! `silver_visitors`: one row per browser, with the customer it was last seen as.
//!
//! Identity is one hop: a browser belongs to the customer who was last known on it, so that orders made as a guest and after
//! a login are one customer's. What programs did makes no visitor.

use polars::prelude::*;

use super::sessions;
use crate::table::ColumnType::{Integer, Text, Timestamp};
use crate::table::{Column, Layer, Table};

const COLUMNS: &[Column] = &[
    Column::new("shop_id", Text, "Shop"),
    Column::new("anonymous_id", Text, "Visitor, as the tracker knows it"),
    Column::new(
        "customer_id",
        Text,
        "The customer last known on the browser, else `anonymous_id`",
    ),
    Column::new(
        "user_id",
        Text,
        "Customer number, from the last session that has one",
    )
    .optional(),
    Column::new("identified_at", Timestamp, "Start of that session").optional(),
    Column::new("identified_session_key", Text, "That session").optional(),
    Column::new("sessions", Integer, "Sessions so far"),
    Column::new("first_seen_at", Timestamp, "Start of the first session"),
    Column::new("first_session_key", Text, "The first session"),
    Column::new("first_channel", Text, "Its channel"),
    Column::new("first_utm_source", Text, "Its campaign source").optional(),
    Column::new("first_utm_medium", Text, "Its campaign medium").optional(),
    Column::new("first_utm_campaign", Text, "Its campaign").optional(),
    Column::new("last_seen_at", Timestamp, "Start of the last session"),
    Column::new("last_session_key", Text, "The last session"),
    Column::new("last_channel", Text, "Its channel"),
    Column::new("last_utm_source", Text, "Its campaign source").optional(),
    Column::new("last_utm_medium", Text, "Its campaign medium").optional(),
    Column::new("last_utm_campaign", Text, "Its campaign").optional(),
];

/// One row per visitor.
pub static TABLE: Table = Table {
    name: "silver_visitors",
    layer: Layer::Silver,
    description: "One row per visitor: the customer last known on the browser, first and last session",
    columns: COLUMNS,
    partition: None,
    key: &IDENTITY,
};

/// What identifies a visitor.
pub const IDENTITY: [&str; 2] = ["shop_id", "anonymous_id"];

/// What of a session tells about its visitor.
pub const VISIT: [&str; 9] = [
    "shop_id",
    "anonymous_id",
    "session_key",
    "session_start",
    "user_id",
    "channel",
    "utm_source",
    "utm_medium",
    "utm_campaign",
];

/// The sessions of people, from all their events, which [`sessions::cut`] has seen.
pub fn visits(events: LazyFrame) -> LazyFrame {
    let first = |column: &str| col(column).first();
    sessions::in_order(events.filter(col("is_bot").not()))
        .group_by_stable(sessions::IDENTITY.map(col))
        .agg([
            first("anonymous_id"),
            first("event_time").alias("session_start"),
            col("user_id").drop_nulls().last(),
            first("channel"),
            first("utm_source"),
            first("utm_medium"),
            first("utm_campaign"),
        ])
        .select(VISIT.map(col))
}

/// The sessions that stored visitors remember: the first, the last, and the one that told the customer.
///
/// A session may come more than once; `is_whole` is false where only its customer is known.
pub fn remembered(visitors: LazyFrame) -> PolarsResult<LazyFrame> {
    let end = |prefix: &str| {
        let of = |column: &str| col(format!("{prefix}_{column}"));
        visitors.clone().select([
            col("shop_id"),
            col("anonymous_id"),
            of("session_key").alias("session_key"),
            of("seen_at").alias("session_start"),
            lit(NULL).cast(DataType::String).alias("user_id"),
            of("channel").alias("channel"),
            of("utm_source").alias("utm_source"),
            of("utm_medium").alias("utm_medium"),
            of("utm_campaign").alias("utm_campaign"),
            lit(true).alias("is_whole"),
        ])
    };
    let none = |column: &str| lit(NULL).cast(DataType::String).alias(column);
    let identified = visitors
        .clone()
        .filter(col("identified_session_key").is_not_null())
        .select([
            col("shop_id"),
            col("anonymous_id"),
            col("identified_session_key").alias("session_key"),
            col("identified_at").alias("session_start"),
            col("user_id"),
            none("channel"),
            none("utm_source"),
            none("utm_medium"),
            none("utm_campaign"),
            lit(false).alias("is_whole"),
        ]);
    concat(
        [end("first"), end("last"), identified],
        UnionArgs::default(),
    )
}

/// Sums visitors up from visits, each with `is_whole`, and the number of their `sessions`.
pub fn build(visits: LazyFrame, sessions: LazyFrame) -> LazyFrame {
    let whole = |column: &str| col(column).filter(col("is_whole"));
    let first = |column: &str, name: &str| whole(column).first().alias(format!("first_{name}"));
    let last = |column: &str, name: &str| whole(column).last().alias(format!("last_{name}"));
    let known = |column: &str| col(column).filter(col("user_id").is_not_null()).last();
    let visitors = visits
        .sort(
            ["anonymous_id", "shop_id", "session_start", "session_key"],
            SortMultipleOptions::default().with_maintain_order(true),
        )
        .group_by_stable(IDENTITY.map(col))
        .agg([
            known("user_id"),
            known("session_start").alias("identified_at"),
            known("session_key").alias("identified_session_key"),
            first("session_start", "seen_at"),
            first("session_key", "session_key"),
            first("channel", "channel"),
            first("utm_source", "utm_source"),
            first("utm_medium", "utm_medium"),
            first("utm_campaign", "utm_campaign"),
            last("session_start", "seen_at"),
            last("session_key", "session_key"),
            last("channel", "channel"),
            last("utm_source", "utm_source"),
            last("utm_medium", "utm_medium"),
            last("utm_campaign", "utm_campaign"),
        ])
        .join(
            sessions,
            IDENTITY.map(col),
            IDENTITY.map(col),
            JoinArgs::new(JoinType::Left),
        )
        .with_column(coalesce(&[col("user_id"), col("anonymous_id")]).alias("customer_id"));
    TABLE.conform(visitors)
}
