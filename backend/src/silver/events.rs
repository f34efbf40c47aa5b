//! `silver_events`: every event once, typed, with its page, campaign, session and channel.

use polars::prelude::*;

use super::Field;
use super::Read::{Boolean, Integer, Later, Text};
use super::parse::Parsed;
use crate::table::ColumnType::{Boolean as Bool, Date, Integer as Int, Text as Str, Timestamp};
use crate::table::{Column, Layer, Table};

/// The columns and how each is read from an event.
pub(super) static FIELDS: [Field<Parsed>; 34] = [
    field(
        Column::new("event_id", Str, "Id the event was born with, UUIDv7"),
        Text(|row| Some(&row.record.event.event_id)),
    ),
    field(
        Column::new("event_type", Str, "Type of the event"),
        Text(|row| Some(row.record.event.event_type.as_str())),
    ),
    field(
        Column::new(
            "event_time",
            Timestamp,
            "When it happened: received_at - (sent_at - event_timestamp), so that a wrong clock does no harm",
        ),
        Integer(|row| Some(row.event_time_us)),
    ),
    field(
        Column::new("received_at", Timestamp, "When the edge received it"),
        Integer(|row| Some(row.received_at_us())),
    ),
    field(
        Column::new(
            "day",
            Date,
            "Day of `event_time` in the reporting time zone",
        ),
        Later,
    ),
    field(
        Column::new("shop_id", Str, "Shop"),
        Text(|row| Some(&row.record.edge.shop_id)),
    ),
    field(
        Column::new("anonymous_id", Str, "Visitor, as the tracker knows it"),
        Text(|row| Some(&row.record.event.anonymous_id)),
    ),
    field(
        Column::new("user_id", Str, "Customer number, where the shop gave it").optional(),
        Text(|row| row.record.event.user_id.as_deref()),
    ),
    field(
        Column::new("session_key", Str, "Session: `event_id` of its first event"),
        Later,
    ),
    field(
        Column::new(
            "seq",
            Int,
            "Number of the event within the tracker's session, from 1",
        ),
        Integer(|row| Some(row.record.event.seq)),
    ),
    field(
        Column::new("page_url", Str, "Address of the page"),
        Text(|row| Some(&row.record.event.page_url)),
    ),
    field(
        Column::new("page_path", Str, "Path of the address"),
        Text(|row| Some(&row.page.path)),
    ),
    field(
        Column::new("page_title", Str, "Title of the page").optional(),
        Text(|row| row.record.event.page_title.as_deref()),
    ),
    field(
        Column::new("referrer_host", Str, "Host of the referrer").optional(),
        Text(|row| row.referrer_host.as_deref()),
    ),
    field(
        Column::new("utm_source", Str, "Campaign source").optional(),
        Text(|row| row.page.source.as_deref()),
    ),
    field(
        Column::new("utm_medium", Str, "Campaign medium").optional(),
        Text(|row| row.page.medium.as_deref()),
    ),
    field(
        Column::new("utm_campaign", Str, "Campaign").optional(),
        Text(|row| row.page.campaign.as_deref()),
    ),
    field(
        Column::new(
            "page_channel",
            Str,
            "Channel that this event's page and referrer tell",
        ),
        Text(|row| Some(row.channel)),
    ),
    field(
        Column::new(
            "channel",
            Str,
            "Channel of the session: that of its first event",
        ),
        Later,
    ),
    field(
        Column::new("search_term", Str, "What was searched for").optional(),
        Text(|row| row.record.event.search_term.as_deref()),
    ),
    field(
        Column::new("transaction_id", Str, "Order number").optional(),
        Text(|row| row.record.event.transaction_id.as_deref()),
    ),
    field(
        Column::new("currency", Str, "ISO 4217 code").optional(),
        Text(|row| row.record.event.currency.as_deref()),
    ),
    field(
        Column::new("value_minor", Int, "Value, minor units").optional(),
        Integer(|row| row.minor(row.record.event.value)),
    ),
    field(
        Column::new("tax_minor", Int, "Tax, minor units").optional(),
        Integer(|row| row.minor(row.record.event.tax)),
    ),
    field(
        Column::new("shipping_minor", Int, "Shipping, minor units").optional(),
        Integer(|row| row.minor(row.record.event.shipping)),
    ),
    field(
        Column::new("coupon", Str, "Coupon").optional(),
        Text(|row| row.record.event.coupon.as_deref()),
    ),
    field(
        Column::new("payment_method", Str, "Payment method").optional(),
        Text(|row| row.record.event.payment_method.as_deref()),
    ),
    field(
        Column::new(
            "engagement_time_ms",
            Int,
            "Milliseconds in view and in use, of `page_ping`",
        )
        .optional(),
        Integer(|row| row.record.event.engagement_time_msec),
    ),
    field(
        Column::new("device", Str, "desktop, mobile, tablet or other"),
        Text(|row| Some(row.record.edge.device.as_str())),
    ),
    field(
        Column::new("browser", Str, "Browser family"),
        Text(|row| Some(&row.record.edge.browser)),
    ),
    field(
        Column::new("os", Str, "Operating system"),
        Text(|row| Some(&row.record.edge.os)),
    ),
    field(
        Column::new("country", Str, "Country, ISO 3166 code").optional(),
        Text(|row| row.record.edge.country.as_deref()),
    ),
    field(
        Column::new("is_bot", Bool, "Made by a program; left out of gold"),
        Boolean(|row| Some(row.is_bot())),
    ),
    field(
        Column::new(
            "record_hash",
            Int,
            "XXH3 of the record without `properties`; decides between two records of one event",
        ),
        Integer(|row| Some(row.hash)),
    ),
];

const COLUMNS: [Column; 34] = super::columns(&FIELDS);

/// One row per event.
pub static TABLE: Table = Table {
    name: "silver_events",
    layer: Layer::Silver,
    description: "One row per event: typed, counted once, in its session",
    columns: &COLUMNS,
    partition: Some("day"),
    key: &["shop_id", "event_id"],
};

const fn field(column: Column, read: super::Read<Parsed>) -> Field<Parsed> {
    Field { column, read }
}

/// What identifies an event: two shops may give the same id.
pub const IDENTITY: [&str; 2] = ["shop_id", "event_id"];

/// Keeps one record of each event: the one received first, whatever order they came in.
pub fn dedupe(events: LazyFrame) -> LazyFrame {
    events
        .sort(
            ["shop_id", "event_id", "received_at", "record_hash"],
            SortMultipleOptions::default().with_maintain_order(true),
        )
        .unique_stable(
            Some(by_name(IDENTITY, true, false)),
            UniqueKeepStrategy::First,
        )
}
