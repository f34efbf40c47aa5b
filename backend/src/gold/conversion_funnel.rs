//! `gold_conversion_funnel`: where sessions stop on the way to a purchase.

use polars::prelude::*;

use super::{Gold, Input, Scope, Silver, count, rows};
use crate::silver::{events, sessions};
use crate::table::ColumnType::{Date, Integer, Text};
use crate::table::{Column, Layer, Table};

/// Sessions by step and events by type.
pub static GOLD: Gold = Gold {
    table: Table {
        name: "gold_conversion_funnel",
        layer: Layer::Gold,
        description: "One row per day, shop, device, channel and step (`kind` step: sessions that went through the ordered steps \
            up to it) or event type (`kind` event: how often it happened and in how many sessions)",
        columns: &[
            Column::new(
                "day",
                Date,
                "Day the session started, for event types the day of the event, in the reporting time zone",
            ),
            Column::new("shop_id", Text, "Shop"),
            Column::new("device", Text, "Device of the session"),
            Column::new("channel", Text, "Channel of the session"),
            Column::new("kind", Text, "`step` or `event`").one_of(&["step", "event"]),
            Column::new(
                "step",
                Text,
                "`sessions`, `view_item`, `add_to_cart`, `begin_checkout`, `purchase`; or an event type",
            ),
            Column::new(
                "step_order",
                Integer,
                "Place in the funnel, from 1; 0 for event types",
            ),
            Column::new(
                "sessions",
                Integer,
                "Sessions that reached the step or had the event",
            ),
            Column::new(
                "events",
                Integer,
                "Events of the type; for steps the sessions again",
            ),
        ],
        partition: Some("day"),
        key: &["day", "shop_id", "device", "channel", "kind", "step"],
    },
    reads: &[
        Input {
            table: &sessions::TABLE,
            columns: &[
                "day",
                "shop_id",
                "device",
                "channel",
                "funnel_step",
                "is_bot",
            ],
        },
        Input {
            table: &events::TABLE,
            columns: &[
                "day",
                "shop_id",
                "device",
                "channel",
                "event_type",
                "session_key",
                "is_bot",
            ],
        },
    ],
    scope: Scope::Days { back: 0 },
    build,
};

fn build(silver: &Silver) -> PolarsResult<LazyFrame> {
    let rows = concat([steps(silver)?, event_types(silver)], UnionArgs::default())?;
    Ok(GOLD.table.conform(rows))
}

fn group() -> [Expr; 4] {
    [col("day"), col("shop_id"), col("device"), col("channel")]
}

fn steps(silver: &Silver) -> PolarsResult<LazyFrame> {
    let mut reached = Vec::new();
    for (order, step) in (1_i64..).zip(std::iter::once("sessions").chain(sessions::FUNNEL_STEPS)) {
        let sessions = count(col("funnel_step").gt_eq(lit(order)));
        let step = silver
            .sessions
            .clone()
            .group_by(group())
            .agg([sessions.alias("sessions")])
            .with_columns([
                lit("step").alias("kind"),
                lit(step).alias("step"),
                lit(order).alias("step_order"),
                col("sessions").alias("events"),
            ]);
        reached.push(step.select(layout()));
    }
    concat(reached, UnionArgs::default())
}

fn event_types(silver: &Silver) -> LazyFrame {
    let mut key = group().to_vec();
    key.push(col("event_type").alias("step"));
    silver
        .events
        .clone()
        .group_by(key)
        .agg([
            col("session_key")
                .n_unique()
                .cast(DataType::Int64)
                .alias("sessions"),
            rows().alias("events"),
        ])
        .with_columns([lit("event").alias("kind"), lit(0_i64).alias("step_order")])
        .select(layout())
}

fn layout() -> Vec<Expr> {
    GOLD.table.column_names().map(col).collect()
}
