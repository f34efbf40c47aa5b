//! The rows that an answer is made of.
//!
//! Filters choose sessions: what is counted is what happened in them. A gold table whose own columns tell whether a row
//! belongs is read as it is published; of another one the same plan is run over the silver rows of those sessions.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use polars::prelude::*;
use tokio::sync::Mutex;

use super::question::{DayRange, Question};
use crate::gold::{Gold, Scope, Silver};
use crate::silver::{events, items, left_out, orders, refunds, sessions};
use crate::table::Table;
use crate::warehouse::{Filter, Publication, Query, Warehouse};

/// A session ends within a day: what happens on a day happens in a session of that day or of the one before.
const LONGEST_SESSION_DAYS: i32 = 1;

/// Rows of one publication, narrowed to one question.
pub(super) struct SelectedRows {
    pub warehouse: Arc<dyn Warehouse>,
    pub publication: Publication,
    pub question: Question,
    pub days: DayRange,
    pub days_before: Option<DayRange>,
    /// The currency of all money.
    pub currency: String,
    pub time_zone: TimeZone,
    pub now: DateTime<Utc>,
    /// Keys of the sessions that the filters leave, by the days that were asked for.
    pub kept: Mutex<BTreeMap<DayRange, DataFrame>>,
}

impl SelectedRows {
    /// The rows of a gold table on these days, under all filters.
    pub async fn gold(&self, gold: &'static Gold, days: DayRange) -> anyhow::Result<LazyFrame> {
        if self.question.is_told_by(&gold.table) {
            let columns: Vec<_> = gold.table.column_names().collect();
            let rows = self.read(&gold.table, &columns, Some(days)).await?;
            return Ok(self.question.narrow(&gold.table, rows));
        }
        let back = match gold.scope {
            Scope::Days { back } => back,
            _ => 0,
        };
        let silver = self.silver(gold, days.reaching_back(back)).await?;
        let rows = (gold.build)(&silver)?.filter(days.holds("day"));
        Ok(self.question.narrow(&gold.table, rows))
    }

    /// Rows of people's sessions that began on these days.
    pub async fn sessions(
        &self,
        days: DayRange,
        columns: &[&'static str],
    ) -> anyhow::Result<LazyFrame> {
        self.silver_rows(&sessions::TABLE, columns, days).await
    }

    /// Rows of orders of these days, in every currency.
    pub async fn orders(
        &self,
        days: DayRange,
        columns: &[&'static str],
    ) -> anyhow::Result<LazyFrame> {
        self.silver_rows(&orders::TABLE, columns, days).await
    }

    /// The rows of a table as they are published, of the chosen shop.
    pub async fn read(
        &self,
        table: &'static Table,
        columns: &[&'static str],
        days: Option<DayRange>,
    ) -> anyhow::Result<LazyFrame> {
        self.read_where(table, columns, days, None).await
    }

    /// As [`Self::read`], with a condition that the warehouse evaluates.
    pub async fn read_where(
        &self,
        table: &'static Table,
        columns: &[&'static str],
        days: Option<DayRange>,
        condition: Option<Filter>,
    ) -> anyhow::Result<LazyFrame> {
        let mut query = Query::all().columns(columns);
        if let (Some(days), Some(_)) = (days, table.partition) {
            query = query.days(&days.numbers());
        }
        if let Some(shop) = &self.question.shop {
            query = query.filter(Filter::TextIn("shop_id", vec![shop.clone()]));
        }
        if let Some(condition) = condition {
            query = query.filter(condition);
        }
        let rows = self.warehouse.read(&self.publication, table, &query).await;
        Ok(rows?.lazy())
    }

    /// Rows of a silver table that count, in the sessions that the filters leave.
    async fn silver_rows(
        &self,
        table: &'static Table,
        columns: &[&'static str],
        days: DayRange,
    ) -> anyhow::Result<LazyFrame> {
        let is_person = || col("is_bot").not();
        let (key, mark, counts) = match table.name {
            name if name == orders::TABLE.name => {
                let is_known = col("purchase_event_id").is_not_null();
                ("session_key", Some("purchase_event_id"), is_known)
            }
            name if name == refunds::TABLE.name => ("event_id", None, lit(true)),
            name if name == items::TABLE.name => ("event_id", Some("is_bot"), is_person()),
            _ => ("session_key", Some("is_bot"), is_person()),
        };
        let mut needed = columns.to_vec();
        needed.extend(["shop_id", key]);
        needed.extend(mark);
        needed.sort_unstable();
        needed.dedup();
        let rows = self.read(table, &needed, Some(days)).await?.filter(counts);
        if self.question.filters().next().is_none() {
            return Ok(rows);
        }
        let kept = self.kept_sessions(days).await?;
        if key == "session_key" {
            return Ok(semi(rows, kept, &["shop_id", "session_key"]));
        }
        let in_sessions = semi(
            self.keys_of_events(days).await?,
            kept,
            &["shop_id", "session_key"],
        );
        Ok(semi(rows, in_sessions, &["shop_id", "event_id"]))
    }

    /// Keys of the sessions that the filters leave, of those that may have events on these days.
    async fn kept_sessions(&self, days: DayRange) -> anyhow::Result<LazyFrame> {
        let mut kept = self.kept.lock().await;
        if let Some(keys) = kept.get(&days) {
            return Ok(keys.clone().lazy());
        }
        let began = days.reaching_back(LONGEST_SESSION_DAYS);
        let columns = ["shop_id", "session_key", "channel", "device", "country"];
        let rows = self.read(&sessions::TABLE, &columns, Some(began)).await?;
        let rows = self.question.narrow(&sessions::TABLE, rows);
        let rows = match &self.question.product {
            None => rows,
            Some(product) => {
                let product = Filter::TextIn("item_id", vec![product.clone()]);
                let columns = ["shop_id", "event_id", "item_id"];
                let seen = self.read_where(&items::TABLE, &columns, Some(began), Some(product));
                let events = self.keys_of_events(began).await?;
                let seen = semi(events, seen.await?, &["shop_id", "event_id"]);
                semi(rows, seen, &["shop_id", "session_key"])
            }
        };
        let keys = rows
            .select([col("shop_id"), col("session_key")])
            .collect()?;
        kept.insert(days, keys.clone());
        Ok(keys.lazy())
    }

    /// Which session each event is in.
    async fn keys_of_events(&self, days: DayRange) -> anyhow::Result<LazyFrame> {
        let columns = ["shop_id", "event_id", "session_key"];
        self.read(&events::TABLE, &columns, Some(days)).await
    }

    /// What a gold table reads of silver on these days, in the sessions that the filters leave.
    async fn silver(&self, gold: &'static Gold, days: DayRange) -> anyhow::Result<Silver> {
        Ok(Silver {
            events: self.input(gold, &events::TABLE, days).await?,
            items: self.input(gold, &items::TABLE, days).await?,
            sessions: self.input(gold, &sessions::TABLE, days).await?,
            orders: self.input(gold, &orders::TABLE, days).await?,
            refunds: self.input(gold, &refunds::TABLE, days).await?,
            // No table that reads it is offered under filters.
            left_out: left_out::TABLE.empty().lazy(),
            time_zone: self.time_zone.clone(),
            currency: self.publication.recipe.currency.clone(),
        })
    }

    async fn input(
        &self,
        gold: &'static Gold,
        table: &'static Table,
        days: DayRange,
    ) -> anyhow::Result<LazyFrame> {
        let input = gold
            .reads
            .iter()
            .find(|input| input.table.name == table.name);
        match input {
            Some(input) => self.silver_rows(table, input.columns, days).await,
            None => Ok(table.empty().lazy()),
        }
    }
}

/// Rows of `left` that have a partner in `right`.
pub(super) fn semi(left: LazyFrame, right: LazyFrame, on: &[&str]) -> LazyFrame {
    let on: Vec<Expr> = on.iter().copied().map(col).collect();
    left.join(right, on.clone(), on, JoinArgs::new(JoinType::Semi))
}
