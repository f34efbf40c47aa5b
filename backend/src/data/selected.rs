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
use crate::config::Reporting;
use crate::gold::{Gold, Scope, Silver, search_terms};
use crate::silver::{events, items, left_out, orders, refunds, sessions};
use crate::table::Table;
use crate::warehouse::{Filter, Publication, Query, Warehouse};

/// What tells sessions apart.
const SESSION: [&str; 2] = ["shop_id", "session_key"];

/// Rows of one publication, narrowed to one question.
pub(super) struct SelectedRows {
    pub warehouse: Arc<dyn Warehouse>,
    pub publication: Publication,
    pub question: Question,
    pub days: DayRange,
    pub days_before: Option<DayRange>,
    /// The currency of all money.
    pub currency: String,
    pub reporting: Reporting,
    pub now: DateTime<Utc>,
    /// Keys of the sessions that the filters leave, by the days that were asked for (`None`: all days).
    pub kept: Mutex<BTreeMap<Option<DayRange>, DataFrame>>,
}

impl SelectedRows {
    /// The same rows narrowed to another question.
    pub fn asking(&self, question: Question) -> Self {
        Self {
            warehouse: self.warehouse.clone(),
            publication: self.publication.clone(),
            question,
            days: self.days,
            days_before: self.days_before,
            currency: self.currency.clone(),
            reporting: self.reporting.clone(),
            now: self.now,
            kept: Mutex::default(),
        }
    }

    /// The rows of a gold table on these days, under all filters: of a table whose rows depend on few days.
    pub async fn gold(&self, gold: &'static Gold, days: DayRange) -> anyhow::Result<LazyFrame> {
        if self.question.is_told_by(&gold.table) {
            let columns: Vec<_> = gold.table.column_names().collect();
            let rows = self.read(&gold.table, &columns, Some(days)).await?;
            return Ok(self.question.narrow(&gold.table, rows));
        }
        let needed = match gold.scope {
            Scope::Days { back } => days.reaching_back(back),
            Scope::RestOfSessions { .. } => days.reaching_on(sessions::DAYS_ON),
            _ => days,
        };
        let silver = self.silver(gold, needed).await?;
        let rows = (gold.build)(&silver)?.filter(days.holds("day"));
        Ok(self.question.narrow(&gold.table, rows))
    }

    /// Rows of people's sessions that began on these days.
    pub async fn sessions(
        &self,
        days: DayRange,
        columns: &[&'static str],
    ) -> anyhow::Result<LazyFrame> {
        self.silver_rows(&sessions::TABLE, columns, Some(days))
            .await
    }

    /// Searches of these days.
    pub async fn searches(
        &self,
        days: DayRange,
        columns: &[&'static str],
    ) -> anyhow::Result<LazyFrame> {
        let searches = Filter::TextIn("event_type", vec!["search".to_owned()]);
        self.silver_rows_where(&events::TABLE, columns, Some(days), Some(searches))
            .await
    }

    /// Rows of orders of these days, in every currency.
    pub async fn orders(
        &self,
        days: DayRange,
        columns: &[&'static str],
    ) -> anyhow::Result<LazyFrame> {
        self.silver_rows(&orders::TABLE, columns, Some(days)).await
    }

    /// Rows of orders of all days, in every currency.
    pub async fn orders_of_all_days(&self, columns: &[&'static str]) -> anyhow::Result<LazyFrame> {
        self.silver_rows(&orders::TABLE, columns, None).await
    }

    /// Those of some rows with a `session_key` whose session the filters leave.
    pub async fn in_sessions(&self, rows: LazyFrame, days: DayRange) -> anyhow::Result<LazyFrame> {
        if !self.question.is_filtered() {
            return Ok(rows);
        }
        let kept = self.kept_sessions(Some(days)).await?;
        Ok(semi(rows, kept, &SESSION))
    }

    /// Those of some rows with an `event_id` whose event happened in a session that the filters leave.
    pub async fn in_sessions_of_events(
        &self,
        rows: LazyFrame,
        days: Option<DayRange>,
    ) -> anyhow::Result<LazyFrame> {
        if !self.question.is_filtered() {
            return Ok(rows);
        }
        let kept = self.kept_sessions(days).await?;
        let events = semi(self.keys_of_events(days).await?, kept, &SESSION);
        Ok(semi(rows, events, &["shop_id", "event_id"]))
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
        days: Option<DayRange>,
    ) -> anyhow::Result<LazyFrame> {
        self.silver_rows_where(table, columns, days, None).await
    }

    async fn silver_rows_where(
        &self,
        table: &'static Table,
        columns: &[&'static str],
        days: Option<DayRange>,
        condition: Option<Filter>,
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
        let rows = self.read_where(table, &needed, days, condition).await?;
        let rows = rows.filter(counts);
        if key == "event_id" {
            return self.in_sessions_of_events(rows, days).await;
        }
        if !self.question.is_filtered() {
            return Ok(rows);
        }
        Ok(semi(rows, self.kept_sessions(days).await?, &SESSION))
    }

    /// Keys of the sessions that the filters leave, of those that may have events on these days.
    async fn kept_sessions(&self, days: Option<DayRange>) -> anyhow::Result<LazyFrame> {
        let mut kept = self.kept.lock().await;
        if let Some(keys) = kept.get(&days) {
            return Ok(keys.clone().lazy());
        }
        let began = days.map(|days| days.reaching_back(sessions::DAYS_ON));
        let columns = ["shop_id", "session_key", "channel", "device", "country"];
        let rows = self.read(&sessions::TABLE, &columns, began).await?;
        let mut rows = self.question.narrow(&sessions::TABLE, rows);
        if let Some(product) = &self.question.product {
            let seen = self.sessions_with_product(product, began).await?;
            rows = semi(rows, seen, &SESSION);
        }
        if let Some(term) = &self.question.term {
            let searched = self.sessions_with_search(term, began).await?;
            rows = semi(rows, searched, &SESSION);
        }
        let keys = rows.select(SESSION.map(col)).collect()?;
        kept.insert(days, keys.clone());
        Ok(keys.lazy())
    }

    async fn sessions_with_product(
        &self,
        product: &str,
        days: Option<DayRange>,
    ) -> anyhow::Result<LazyFrame> {
        let product = Filter::TextIn("item_id", vec![product.to_owned()]);
        let columns = ["shop_id", "event_id", "item_id"];
        let seen = self.read_where(&items::TABLE, &columns, days, Some(product));
        let seen = seen.await?;
        let events = self.keys_of_events(days).await?;
        Ok(semi(events, seen, &["shop_id", "event_id"]))
    }

    async fn sessions_with_search(
        &self,
        term: &str,
        days: Option<DayRange>,
    ) -> anyhow::Result<LazyFrame> {
        let searches = Filter::TextIn("event_type", vec!["search".to_owned()]);
        let columns = ["shop_id", "session_key", "event_type", "search_term"];
        let searches = self.read_where(&events::TABLE, &columns, days, Some(searches));
        let is_term = search_terms::term().eq(lit(term.to_owned()));
        Ok(searches.await?.filter(is_term))
    }

    /// Which session each event is in.
    async fn keys_of_events(&self, days: Option<DayRange>) -> anyhow::Result<LazyFrame> {
        let columns = ["shop_id", "event_id", "session_key"];
        self.read(&events::TABLE, &columns, days).await
    }

    /// What a gold table reads of silver on these days, in the sessions that the filters leave.
    async fn silver(&self, gold: &'static Gold, days: DayRange) -> anyhow::Result<Silver> {
        Ok(Silver {
            events: self.input(gold, &events::TABLE, days).await?,
            items: self.input(gold, &items::TABLE, days).await?,
            sessions: self.input(gold, &sessions::TABLE, days).await?,
            orders: self.input(gold, &orders::TABLE, days).await?,
            refunds: self.input(gold, &refunds::TABLE, days).await?,
            ..self.no_silver()
        })
    }

    /// Empty tables, with what else a plan needs to know.
    pub fn no_silver(&self) -> Silver {
        Silver {
            events: events::TABLE.empty().lazy(),
            items: items::TABLE.empty().lazy(),
            sessions: sessions::TABLE.empty().lazy(),
            orders: orders::TABLE.empty().lazy(),
            refunds: refunds::TABLE.empty().lazy(),
            // No table that reads it is offered under filters.
            left_out: left_out::TABLE.empty().lazy(),
            reporting: self.reporting.clone(),
        }
    }

    /// What a gold table reads of one silver table, in the sessions that the filters leave.
    pub async fn input(
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
            Some(input) => self.silver_rows(table, input.columns, Some(days)).await,
            None => Ok(table.empty().lazy()),
        }
    }
}

/// Rows of `left` that have a partner in `right`.
pub(super) fn semi(left: LazyFrame, right: LazyFrame, on: &[&str]) -> LazyFrame {
    let on: Vec<Expr> = on.iter().copied().map(col).collect();
    left.join(right, on.clone(), on, JoinArgs::new(JoinType::Semi))
}
