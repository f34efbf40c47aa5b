//! Who comes, from where, and what comes of it.

use polars::prelude::*;
use serde::Serialize;

use super::attribution::Attribution;
use super::figures::{JsonRows, Sums, count, in_currency, largest, totals};
use super::question::DayRange;
use super::selected::SelectedRows;
use crate::gold::landing_pages;
use crate::money;

/// Rows of a table on the page.
const MOST: IdxSize = 50;

const COLUMNS: [&str; 13] = [
    "session_key",
    "channel",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "referrer_host",
    "device",
    "browser",
    "os",
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
        let landed = rows.gold(&landing_pages::GOLD, rows.days).await?;
        let landed = landed.collect()?.lazy();
        let sessions = sessions(rows, rows.days).await?.collect()?.lazy();
        let by = |rows_of: &LazyFrame, column| grouped(rows_of.clone(), &rows.currency, column);
        Ok(Self {
            now: totals(rows, rows.days).await?,
            before,
            channels: by(&landed, "channel")?,
            campaigns: by(&sessions, "campaign")?,
            landing_pages: by(&landed, "landing_page")?,
            referrers: by(&sessions, "referrer_host")?,
            countries: by(&landed, "country")?,
            devices: devices_of(sessions.clone())?,
            browsers: by(&sessions, "browser")?,
            attribution: Attribution::of(rows).await?,
        })
    }
}

/// Sessions by channel, with what came of them.
pub(super) async fn channels(rows: &SelectedRows, days: DayRange) -> anyhow::Result<JsonRows> {
    let landed = rows.gold(&landing_pages::GOLD, days).await?;
    grouped(landed, &rows.currency, "channel")
}

/// Sessions by device and operating system.
pub(super) async fn devices(rows: &SelectedRows, days: DayRange) -> anyhow::Result<JsonRows> {
    devices_of(rows.sessions(days, &["device", "os", "purchases"]).await?)
}

/// Sessions with the value of the orders made in them, each counted as `gold_landing_pages` counts them.
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
        lit(1_i64).alias("sessions"),
        col("is_bounce")
            .cast(DataType::Int64)
            .alias("bounced_sessions"),
        col("purchases")
            .gt(lit(0))
            .cast(DataType::Int64)
            .alias("converted_sessions"),
        col("duration_ms").alias("session_duration_ms"),
        col("orders").fill_null(lit(0_i64)),
        col("revenue_minor").fill_null(lit(0_i64)),
        lit(rows.currency.clone()).alias("currency"),
    ]))
}

/// Sessions by a column, those without a value left out.
fn grouped(sessions: LazyFrame, currency: &str, column: &str) -> anyhow::Result<JsonRows> {
    let visits = [
        "sessions",
        "bounced_sessions",
        "converted_sessions",
        "session_duration_ms",
    ];
    let money = ["orders", "revenue_minor"].map(|name| in_currency(name, currency));
    let sums = visits.map(|name| col(name).sum()).into_iter().chain(money);
    let groups = sessions
        .filter(col(column).is_not_null())
        .group_by([col(column)])
        .agg(sums.collect::<Vec<_>>());
    largest(groups, "sessions", column, MOST)
}

fn devices_of(sessions: LazyFrame) -> anyhow::Result<JsonRows> {
    let groups = sessions.group_by([col("device"), col("os")]).agg([
        len().cast(DataType::Int64).alias("sessions"),
        count(col("purchases").gt(lit(0))).alias("converted_sessions"),
    ]);
    largest(groups, "sessions", "os", MOST)
}
