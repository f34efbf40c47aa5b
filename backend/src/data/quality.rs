//! Can the figures be trusted: what is missing, refused or left out, and how fresh it is.

use chrono::{DateTime, Utc};
use polars::prelude::*;
use serde::Serialize;

use super::figures::{JsonRows, count, in_order, json, largest};
use super::selected::SelectedRows;
use crate::bronze;
use crate::build::CHECKS;
use crate::gold::pipeline_completeness;
use crate::silver::{events, quarantine};
use crate::table::Table;
use crate::warehouse::Query;

const MOST_REASONS: IdxSize = 50;

/// What is told of a day of `gold_pipeline_completeness`.
const HOPS: [&str; 7] = [
    "made",
    "missing",
    "received",
    "refused",
    "by_programs",
    "used",
    "duplicates",
];

/// The page "Data quality".
#[derive(Serialize)]
pub(super) struct QualityPage {
    published_at: Option<DateTime<Utc>>,
    newest_event: JsonRows,
    days: JsonRows,
    hops: JsonRows,
    event_types: JsonRows,
    not_readable: JsonRows,
    not_counted: JsonRows,
    checks: JsonRows,
}

impl QualityPage {
    /// Answers for the page.
    pub(super) async fn of(rows: &SelectedRows) -> anyhow::Result<Self> {
        let events = events(rows).await?.collect()?.lazy();
        Ok(Self {
            published_at: DateTime::from_timestamp_millis(rows.publication.published_at),
            newest_event: json(
                events
                    .clone()
                    .select([col("event_time").max(), col("received_at").max()]),
            )?,
            days: in_order(days(events.clone()), "day")?,
            hops: hops(rows).await?,
            event_types: event_types(events)?,
            not_readable: reasons(rows, &bronze::QUARANTINE).await?,
            not_counted: reasons(rows, &quarantine::TABLE).await?,
            checks: checks(rows).await?,
        })
    }
}

async fn events(rows: &SelectedRows) -> anyhow::Result<LazyFrame> {
    let columns = [
        "day",
        "shop_id",
        "anonymous_id",
        "session_key",
        "event_type",
        "event_time",
        "received_at",
        "seq",
        "channel",
        "device",
        "country",
        "is_bot",
    ];
    let events = rows.read(&events::TABLE, &columns, Some(rows.days)).await?;
    rows.in_sessions(events, rows.days).await
}

/// By day: events counted, those of programs, and how long events were under way.
fn days(events: LazyFrame) -> LazyFrame {
    let late_ms = (col("received_at").cast(DataType::Int64)
        - col("event_time").cast(DataType::Int64))
        / lit(1_000_i64);
    let late = |share: f64, name: &str| {
        col("late_ms")
            .quantile(lit(share), QuantileMethod::Nearest)
            .cast(DataType::Int64)
            .alias(name)
    };
    events
        .with_column(late_ms.alias("late_ms"))
        .group_by([col("day")])
        .agg([
            count(col("is_bot").not()).alias("counted"),
            count(col("is_bot")).alias("of_programs"),
            late(0.5, "late_ms_median"),
            late(0.95, "late_ms_p95"),
        ])
}

/// By day: what became of the events that trackers made. Only the shop narrows it: what never came has no channel.
async fn hops(rows: &SelectedRows) -> anyhow::Result<JsonRows> {
    let mut columns = vec!["day", "shop_id"];
    columns.extend(HOPS);
    let table = &pipeline_completeness::GOLD.table;
    let hours = rows.read(table, &columns, Some(rows.days)).await?;
    let days = hours
        .group_by([col("day")])
        .agg(HOPS.map(|column| col(column).sum()));
    in_order(days, "day")
}

fn event_types(events: LazyFrame) -> anyhow::Result<JsonRows> {
    let types = events.group_by([col("event_type")]).agg([
        len().cast(DataType::Int64).alias("events"),
        col("event_time").max().alias("last_at"),
    ]);
    largest(types, "events", "event_type", MOST_REASONS)
}

/// What the checks of every build found last, of all shops: those that found something first.
async fn checks(rows: &SelectedRows) -> anyhow::Result<JsonRows> {
    let read = Query::all();
    let checks = rows.warehouse.read(&rows.publication, &CHECKS, &read);
    let order = SortMultipleOptions::default().with_order_descending_multi([true, false, false]);
    let checks = checks.await?.lazy();
    json(checks.sort(["failing_rows", "check_name", "table_name"], order))
}

/// Records of a quarantine by reason, of all time: they have no day.
async fn reasons(rows: &SelectedRows, table: &'static Table) -> anyhow::Result<JsonRows> {
    let query = Query::all().columns(&["code", "reason"]);
    let records = rows
        .warehouse
        .read(&rows.publication, table, &query)
        .await?;
    let reasons = records.lazy().group_by([col("code")]).agg([
        len().cast(DataType::Int64).alias("records"),
        col("reason").first(),
    ]);
    largest(reasons, "records", "code", MOST_REASONS)
}
