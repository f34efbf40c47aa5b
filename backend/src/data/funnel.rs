//! Where sessions stop on the way to a purchase, and what they did.

use polars::prelude::*;
use serde::Serialize;

use super::figures::{JsonRows, Sums, in_order, json, largest, totals};
use super::products;
use super::question::DayRange;
use super::selected::SelectedRows;
use crate::gold::conversion_funnel;

/// Event types are a closed list; this is more than there are.
const ALL: IdxSize = 1_000;

/// The page "Funnel".
#[derive(Serialize)]
pub(super) struct FunnelPage {
    now: Sums,
    before: Option<Sums>,
    steps: JsonRows,
    steps_before: Option<JsonRows>,
    by_device: JsonRows,
    by_channel: JsonRows,
    categories: JsonRows,
    by_day: JsonRows,
    events: JsonRows,
}

impl FunnelPage {
    /// Answers for the page.
    pub(super) async fn of(rows: &SelectedRows) -> anyhow::Result<Self> {
        let (before, steps_before) = match rows.days_before {
            Some(days) => (
                Some(totals(rows, days).await?),
                Some(steps(rows, days).await?),
            ),
            None => (None, None),
        };
        Ok(Self {
            now: totals(rows, rows.days).await?,
            before,
            steps: steps(rows, rows.days).await?,
            steps_before,
            by_device: steps_by(rows, "device").await?,
            by_channel: steps_by(rows, "channel").await?,
            categories: products::categories(rows, rows.days).await?,
            by_day: by_day(rows).await?,
            events: events(rows, rows.days).await?,
        })
    }
}

/// Sessions by step, in order.
pub(super) async fn steps(rows: &SelectedRows, days: DayRange) -> anyhow::Result<JsonRows> {
    let steps = kind(rows, days, "step").await?;
    let steps = steps
        .group_by([col("step"), col("step_order")])
        .agg([col("sessions").sum()]);
    in_order(steps, "step_order")
}

/// Events by type, all of them.
pub(super) async fn events(rows: &SelectedRows, days: DayRange) -> anyhow::Result<JsonRows> {
    let events = kind(rows, days, "event").await?;
    let events = events
        .group_by([col("step").alias("event_type")])
        .agg([col("events").sum(), col("sessions").sum()]);
    largest(events, "events", "event_type", ALL)
}

/// Sessions by step and one more column.
async fn steps_by(rows: &SelectedRows, column: &str) -> anyhow::Result<JsonRows> {
    let steps = kind(rows, rows.days, "step").await?;
    let steps = steps
        .group_by([col(column), col("step"), col("step_order")])
        .agg([col("sessions").sum()]);
    let order = SortMultipleOptions::default();
    json(steps.sort([column, "step_order"], order))
}

/// Sessions, sessions with a cart and sessions with a purchase by day.
async fn by_day(rows: &SelectedRows) -> anyhow::Result<JsonRows> {
    let steps = kind(rows, rows.days, "step").await?;
    let reached = |step: &str| {
        col("sessions")
            .filter(col("step").eq(lit(step.to_owned())))
            .sum()
            .alias(step)
    };
    let days = steps
        .group_by([col("day")])
        .agg(["sessions", "add_to_cart", "purchase"].map(reached));
    in_order(days, "day")
}

async fn kind(rows: &SelectedRows, days: DayRange, kind: &str) -> anyhow::Result<LazyFrame> {
    let funnel = rows.gold(&conversion_funnel::GOLD, days).await?;
    Ok(funnel.filter(col("kind").eq(lit(kind.to_owned()))))
}
