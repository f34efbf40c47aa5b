//! Answers, each computed once for a publication.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use axum::body::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use polars::prelude::*;
use serde::Serialize;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, oneshot};

use super::choices::{Choices, main_currency};
use super::page::DashboardPage;
use super::question::Question;
use super::selected::SelectedRows;
use crate::attention::Attention;
use crate::config::Reporting;
use crate::show;
use crate::table::Table;
use crate::warehouse::{Publication, Query, Warehouse};

/// Answers kept: readers who try out filters would else fill the memory.
const MOST_KEPT: usize = 200;
/// Plans over filtered rows are deep, and polars walks them by recursion: 2 MiB, as threads have else, are not enough.
const STACK_BYTES: usize = 32 * 1024 * 1024;
/// Until there is an order, money is shown in this currency.
const CURRENCY_OF_NONE: &str = "EUR";

/// What can be asked of the server.
pub(super) struct Answers {
    warehouse: Arc<dyn Warehouse>,
    reporting: Reporting,
    attention: Attention,
    /// Behind one lock, so that answers are computed one at a time: each takes every core.
    kept: Mutex<Kept>,
}

/// The answers of one publication.
#[derive(Default)]
struct Kept {
    version: u64,
    answers: BTreeMap<Asked, Bytes>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    Choices,
    Rows(&'static str),
    Page {
        page: DashboardPage,
        question: Question,
    },
}

/// The newest publication, and what day it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct PublishedVersion {
    version: u64,
    built_at: Option<DateTime<Utc>>,
    time_zone: String,
    today: NaiveDate,
    /// The day it is in shops with a time zone of their own.
    today_of: BTreeMap<String, NaiveDate>,
}

impl Answers {
    pub(super) fn of(
        warehouse: Arc<dyn Warehouse>,
        reporting: Reporting,
        attention: Attention,
    ) -> Self {
        Self {
            warehouse,
            reporting,
            attention,
            kept: Mutex::default(),
        }
    }

    /// Says that somebody looks.
    pub(super) fn attend(&self) {
        self.attention.pay();
    }

    /// Whether asking for what is published costs next to nothing.
    pub(super) fn looks_are_cheap(&self) -> bool {
        self.warehouse.bronze_mark().is_some()
    }

    /// What is published now.
    pub(super) async fn version(&self) -> anyhow::Result<PublishedVersion> {
        self.attend();
        let publication = self.warehouse.publication().await?;
        let now = Utc::now();
        let today_of = self.reporting.other_shops().map(|shop_id| {
            let today = day_in(self.reporting.time_zone_of(shop_id), now)?;
            anyhow::Ok((shop_id.to_owned(), today))
        });
        Ok(PublishedVersion {
            version: publication.version,
            built_at: match publication.version {
                0 => None,
                _ => DateTime::from_timestamp_millis(publication.published_at),
            },
            time_zone: self.reporting.time_zone.to_string(),
            today: day_in(&self.reporting.time_zone, now)?,
            today_of: today_of.collect::<anyhow::Result<_>>()?,
        })
    }

    /// What can be chosen.
    pub(super) async fn choices(self: &Arc<Self>) -> anyhow::Result<Bytes> {
        self.kept(Asked::Choices).await
    }

    /// The rows of a table.
    pub(super) async fn rows(self: &Arc<Self>, table: &'static Table) -> anyhow::Result<Bytes> {
        self.kept(Asked::Rows(table.name)).await
    }

    /// The answer of a page.
    pub(super) async fn answer(
        self: &Arc<Self>,
        page: DashboardPage,
        question: Question,
    ) -> anyhow::Result<Bytes> {
        self.kept(Asked::Page { page, question }).await
    }

    async fn kept(self: &Arc<Self>, asked: Asked) -> anyhow::Result<Bytes> {
        self.attend();
        let mut kept = self.kept.lock().await;
        let publication = self.warehouse.publication().await?;
        if kept.version != publication.version || kept.answers.len() >= MOST_KEPT {
            kept.answers.clear();
            kept.version = publication.version;
        }
        if let Some(json) = kept.answers.get(&asked) {
            return Ok(json.clone());
        }
        let (answers, runtime, question) = (self.clone(), Handle::current(), asked.clone());
        // Polars computes on the thread that asks: that must not be one that serves.
        let (tell, told) = oneshot::channel();
        std::thread::Builder::new()
            .name("answer".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || tell.send(runtime.block_on(answers.computed(publication, question))))?;
        let json = Bytes::from(told.await.context("an answer broke")??);
        if !asked.is_of_the_moment() {
            kept.answers.insert(asked, json.clone());
        }
        Ok(json)
    }

    async fn computed(&self, publication: Publication, asked: Asked) -> anyhow::Result<Vec<u8>> {
        match asked {
            Asked::Choices => {
                let choices = Choices::of(&self.warehouse, &publication).await?;
                Ok(serde_json::to_vec(&choices)?)
            }
            Asked::Rows(name) => {
                let table = show::find(name)?;
                let query = Query::all();
                let rows = self.warehouse.read(&publication, table, &query).await?;
                let mut json = Vec::new();
                show::write_json(show::in_key_order(table, rows)?, &mut json)?;
                Ok(json)
            }
            Asked::Page { page, question } => {
                let rows = self.selected(publication, question).await?;
                page.answer(&rows).await
            }
        }
    }

    async fn selected(
        &self,
        publication: Publication,
        question: Question,
    ) -> anyhow::Result<SelectedRows> {
        let shop = question.shop.as_deref();
        let currency = match &question.currency {
            Some(currency) => currency.clone(),
            None => main_currency(&self.warehouse, &publication, shop)
                .await?
                .unwrap_or_else(|| CURRENCY_OF_NONE.to_owned()),
        };
        let days = question.days()?;
        Ok(SelectedRows {
            warehouse: self.warehouse.clone(),
            publication,
            days,
            days_before: question.days_before(days),
            question,
            currency,
            reporting: self.reporting.clone(),
            now: Utc::now(),
            kept: Mutex::default(),
        })
    }
}

impl Asked {
    fn is_of_the_moment(&self) -> bool {
        matches!(self, Self::Page { page, .. } if page.is_of_the_moment())
    }
}

/// The calendar day of an instant in a time zone.
fn day_in(time_zone: &TimeZone, instant: DateTime<Utc>) -> anyhow::Result<NaiveDate> {
    let utc = DataType::Datetime(TimeUnit::Milliseconds, Some(TimeZone::UTC));
    let instant = Series::new("instant".into(), [instant.timestamp_millis()]).cast(&utc)?;
    let local = col("instant").dt().convert_time_zone(time_zone.clone());
    let days = DataFrame::new(1, vec![instant.into()])?
        .lazy()
        .select([local.dt().date().cast(DataType::Int32)])
        .collect()?;
    let mut days = days.column("instant")?.i32()?.iter().flatten();
    let day = days.next().context("no day")?;
    let since = chrono::Duration::days(day.into());
    NaiveDate::default()
        .checked_add_signed(since)
        .context("no such day")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn day_is_that_of_the_reporting_time_zone() {
        let instant = "2026-03-09T23:30:00Z".parse().unwrap();
        let day = |name: &str| {
            let zone = TimeZone::opt_try_new(Some(name)).unwrap().unwrap();
            day_in(&zone, instant).unwrap().to_string()
        };
        assert_eq!(day("UTC"), "2026-03-09");
        assert_eq!(day("Europe/Berlin"), "2026-03-10");
    }
}
