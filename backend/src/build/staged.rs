//! The tables as they will be after a run: what the run replaces, in memory, over what stays stored.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::*;

use crate::table::Table;
use crate::warehouse::{Change, Day, Publication, Query, Replaces, Warehouse, WarehouseError};

/// Contents a run has made, over the publication it started from.
pub struct Staged<'a> {
    warehouse: &'a dyn Warehouse,
    base: Publication,
    replaced: BTreeMap<&'static str, Contents>,
}

struct Contents {
    table: &'static Table,
    days: Option<BTreeSet<Day>>,
    rows: DataFrame,
}

impl<'a> Staged<'a> {
    /// Starts from `base`; the empty publication makes a rebuild.
    pub fn over(warehouse: &'a dyn Warehouse, base: Publication) -> Self {
        Self {
            warehouse,
            base,
            replaced: BTreeMap::new(),
        }
    }

    /// What is stored, without what this run has made.
    ///
    /// # Errors
    /// When the warehouse cannot be read.
    pub async fn stored(
        &self,
        table: &'static Table,
        query: Query,
    ) -> Result<DataFrame, WarehouseError> {
        self.warehouse.read(&self.base, table, &query).await
    }

    /// The rows a table will have on `days` (everywhere without them).
    ///
    /// # Errors
    /// When the warehouse cannot be read.
    pub async fn contents(
        &self,
        table: &'static Table,
        days: Option<&BTreeSet<Day>>,
    ) -> anyhow::Result<DataFrame> {
        let Some(made) = self.replaced.get(table.name) else {
            return Ok(self.stored(table, within(days)).await?);
        };
        let Some(made_days) = &made.days else {
            return Ok(made.rows.clone());
        };
        let stored = match days {
            Some(days) => self
                .stored(table, Query::all().days(&(days - made_days)))
                .await?
                .lazy(),
            None => self
                .stored(table, Query::all())
                .await?
                .lazy()
                .filter(in_days(made_days)?.not()),
        };
        let made = match days {
            Some(days) => made.rows.clone().lazy().filter(in_days(days)?),
            None => made.rows.clone().lazy(),
        };
        Ok(concat([stored, made], UnionArgs::default())?.collect()?)
    }

    /// Replaces `days` of a table (the whole table without them).
    pub fn replace(&mut self, table: &'static Table, days: Option<BTreeSet<Day>>, rows: DataFrame) {
        self.replaced
            .insert(table.name, Contents { table, days, rows });
    }

    /// Whether this run has made anything of a table.
    pub fn touches(&self, table: &Table) -> bool {
        self.replaced.contains_key(table.name)
    }

    /// The tables this run has made anything of, with what it made.
    pub fn made(&self) -> impl Iterator<Item = (&'static Table, &DataFrame)> {
        self.replaced
            .values()
            .map(|contents| (contents.table, &contents.rows))
    }

    /// Days of which this run has made anything.
    pub fn days(&self) -> BTreeSet<Day> {
        self.replaced
            .values()
            .filter_map(|contents| contents.days.as_ref())
            .flatten()
            .copied()
            .collect()
    }

    /// What to publish. A rebuild replaces whole tables.
    pub fn into_changes(self, rebuild: bool) -> Vec<Change> {
        let change = |contents: Contents| Change {
            table: contents.table,
            replaces: match contents.days {
                Some(days) if !rebuild => Replaces::Days(days),
                _ => Replaces::All,
            },
            rows: contents.rows,
        };
        self.replaced.into_values().map(change).collect()
    }
}

fn within(days: Option<&BTreeSet<Day>>) -> Query {
    match days {
        Some(days) => Query::all().days(days),
        None => Query::all(),
    }
}

/// Rows whose `day` is one of these.
pub fn in_days(days: &BTreeSet<Day>) -> PolarsResult<Expr> {
    let days: Vec<Day> = days.iter().copied().collect();
    let days = Series::new("days".into(), days)
        .cast(&DataType::Date)?
        .implode()?
        .into_series();
    Ok(col("day").is_in(lit(days), false))
}

/// The days that occur in a `DATE` column.
pub fn days_in(rows: &DataFrame, column: &str) -> PolarsResult<BTreeSet<Day>> {
    Ok(rows
        .column(column)?
        .date()?
        .physical()
        .iter()
        .flatten()
        .collect())
}
