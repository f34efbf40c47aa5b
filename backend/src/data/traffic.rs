//! Who comes, from where, and what comes of it.

use polars::prelude::*;
use serde::Serialize;

use super::attribution::Attribution;
use super::figures::{JsonRows, Sums, count, in_currency, largest, totals};
use super::question::DayRange;
use super::selected::SelectedRows;
use crate::money;

/// Rows of a table on the page.
const MOST: IdxSize = 50;

const COLUMNS: [&str; 15] = [
    "session_key",
    "channel",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "referrer_host",
    "entry_page",
    "device",
    "browser",
    "os",
    "country",
    "duration_ms",
    "purchases",
    "is_bounce",
    "currency",
];

/// The page "Traffic".
#[derive(Serialize)]
pub(super) struct TrafficPage {
    now: Sums,
    before: Option<Sums>,
    channels: JsonRows,
    campaigns: JsonRows,
    landing_pages: JsonRows,
    referrers: JsonRows,
    countries: JsonRows,
    devices: JsonRows,
    browsers: JsonRows,
    attribution: Attribution,
}

impl TrafficPage {
    /// Answers for the page.
    pub(super) async fn of(rows: &SelectedRows) -> anyhow::Result<Self> {
        let before = match rows.days_before {
            Some(days) => Some(totals(rows, days).await?),
            None => None,
        };
        let sessions = sessions(rows, rows.days).await?.collect()?.lazy();
        let by = |column: &str| grouped(sessions.clone(), &rows.currency, column);
        Ok(Self {
            now: totals(rows, rows.days).await?,
            before,
            channels: by("channel")?,
            campaigns: by("campaign")?,
            landing_pages: by("entry_page")?,
            referrers: by("referrer_host")?,
            countries: by("country")?,
            devices: devices_of(sessions.clone())?,
            browsers: by("browser")?,
            attribution: Attribution::of(rows).await?,
        })
    }
}

/// Sessions by channel, with what came of them.
pub(super) async fn channels(rows: &SelectedRows, days: DayRange) -> anyhow::Result<JsonRows> {
    let sessions = sessions(rows, days).await?;
    grouped(sessions, &rows.currency, "channel")
}

/// Sessions by device and operating system.
pub(super) async fn devices(rows: &SelectedRows, days: DayRange) -> anyhow::Result<JsonRows> {
    devices_of(rows.sessions(days, &["device", "os", "purchases"]).await?)
}

/// Sessions with the value of the orders made in them.
pub(super) async fn sessions(rows: &SelectedRows, days: DayRange) -> anyhow::Result<LazyFrame> {
    // A session may order on the day after it began.
    let orders = rows
        .orders(
            days.reaching_on(1),
            &["session_key", "currency", "gross_minor"],
        )
        .await?;
    let key = || [col("shop_id"), col("session_key")];
    let value = orders
        .filter(col("currency").eq(lit(rows.currency.clone())))
        .group_by(key())
        .agg([
            len().cast(DataType::Int64).alias("orders"),
            money::total(col("gross_minor")).alias("revenue_minor"),
        ]);
    let sessions = rows.sessions(days, &COLUMNS).await?;
    let left = JoinArgs::new(JoinType::Left);
    let part = |column: &str| col(column).fill_null(lit("–"));
    let is_campaign = col("utm_campaign")
        .is_not_null()
        .or(col("utm_source").is_not_null());
    let named = when(is_campaign)
        .then(
            part("utm_campaign")
                + lit(" / ")
                + part("utm_source")
                + lit(" / ")
                + part("utm_medium"),
        )
        .otherwise(lit(NULL));
    Ok(sessions.join(value, key(), key(), left).with_columns([
        named.alias("campaign"),
        col("orders").fill_null(lit(0_i64)),
        col("revenue_minor").fill_null(lit(0_i64)),
        lit(rows.currency.clone()).alias("currency"),
    ]))
}

/// Sessions by a column, those without a value left out (countries: as `unknown`).
fn grouped(sessions: LazyFrame, currency: &str, column: &str) -> anyhow::Result<JsonRows> {
    let sessions = match column {
        "country" => sessions.with_column(col(column).fill_null(lit(super::question::UNKNOWN))),
        _ => sessions.filter(col(column).is_not_null()),
    };
    let groups = sessions.group_by([col(column)]).agg([
        len().cast(DataType::Int64).alias("sessions"),
        count(col("is_bounce")).alias("bounced_sessions"),
        count(col("purchases").gt(lit(0))).alias("converted_sessions"),
        col("duration_ms").sum().alias("session_duration_ms"),
        in_currency("orders", currency),
        in_currency("revenue_minor", currency),
    ]);
    largest(groups, "sessions", column, MOST)
}

fn devices_of(sessions: LazyFrame) -> anyhow::Result<JsonRows> {
    let groups = sessions.group_by([col("device"), col("os")]).agg([
        len().cast(DataType::Int64).alias("sessions"),
        count(col("purchases").gt(lit(0))).alias("converted_sessions"),
    ]);
    largest(groups, "sessions", "os", MOST)
}
