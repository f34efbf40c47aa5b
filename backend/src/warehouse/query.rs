//! What to read of a table.

use std::collections::BTreeSet;

use polars::prelude::*;

use super::Day;
use crate::table::{ColumnType, Table};

/// What to read of a table: all of it unless narrowed.
#[derive(Clone, Debug, Default)]
pub struct Query {
    pub(super) columns: Option<Vec<&'static str>>,
    pub(super) days: Option<BTreeSet<Day>>,
    pub(super) filters: Vec<Filter>,
}

/// A condition that every warehouse can evaluate where the data lies.
#[derive(Clone, Debug)]
pub enum Filter {
    /// Text between two values, both included.
    TextBetween(&'static str, String, String),
    /// UTC microseconds between two values, both included.
    TimestampBetween(&'static str, i64, i64),
    /// Text equal to one of the values.
    TextIn(&'static str, Vec<String>),
    /// No value.
    Missing(&'static str),
}

impl Query {
    /// Reads everything.
    pub fn all() -> Self {
        Self::default()
    }

    /// Reads only these columns.
    pub fn columns(mut self, columns: &[&'static str]) -> Self {
        self.columns = Some(columns.to_vec());
        self
    }

    /// Reads only these partitions.
    pub fn days(mut self, days: &BTreeSet<Day>) -> Self {
        self.days = Some(days.clone());
        self
    }

    /// Reads only rows that satisfy the filter as well.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filters.push(filter);
        self
    }

    /// Reads these columns as well.
    pub(crate) fn with_columns(mut self, more: &[&'static str]) -> Self {
        if let Some(columns) = &mut self.columns {
            columns.extend(more);
            columns.sort_unstable();
            columns.dedup();
        }
        self
    }

    /// The columns it asks for.
    pub(crate) fn selected(&self, table: &Table) -> Vec<&'static str> {
        match &self.columns {
            Some(columns) => columns.clone(),
            None => table.column_names().collect(),
        }
    }

    /// The rows that it asks for, of a frame in memory.
    ///
    /// # Errors
    /// Returns an error if the days do not fit into a frame.
    pub(crate) fn narrow(&self, table: &Table, rows: LazyFrame) -> PolarsResult<LazyFrame> {
        let rows = narrow(rows, &self.filters);
        let (Some(days), Some(partition)) = (&self.days, table.partition) else {
            return Ok(rows);
        };
        let days: Vec<Day> = days.iter().copied().collect();
        let days = Series::new("days".into(), days)
            .cast(&DataType::Date)?
            .implode()?
            .into_series();
        Ok(rows.filter(col(partition).is_in(lit(days), false)))
    }

    /// Whether it asks for nothing that could exist.
    pub(super) fn is_empty(&self) -> bool {
        let no_values =
            |filter: &Filter| matches!(filter, Filter::TextIn(_, values) if values.is_empty());
        self.days.as_ref().is_some_and(BTreeSet::is_empty) || self.filters.iter().any(no_values)
    }
}

impl Filter {
    /// The column it looks at.
    pub(super) fn column(&self) -> &'static str {
        match self {
            Self::TextBetween(column, ..)
            | Self::TimestampBetween(column, ..)
            | Self::TextIn(column, _)
            | Self::Missing(column) => column,
        }
    }
}

/// The rows that satisfy all filters.
pub(super) fn narrow(rows: LazyFrame, filters: &[Filter]) -> LazyFrame {
    filters
        .iter()
        .fold(rows, |rows, filter| rows.filter(condition(filter)))
}

fn condition(filter: &Filter) -> Expr {
    match filter {
        Filter::TextBetween(column, low, high) => col(*column)
            .gt_eq(lit(low.clone()))
            .and(col(*column).lt_eq(lit(high.clone()))),
        Filter::TimestampBetween(column, low, high) => {
            let instant = |micros: i64| lit(micros).cast(ColumnType::Timestamp.polars());
            col(*column)
                .gt_eq(instant(*low))
                .and(col(*column).lt_eq(instant(*high)))
        }
        Filter::Missing(column) => col(*column).is_null(),
        Filter::TextIn(column, values) => {
            let values = Series::new("values".into(), values)
                .implode()
                .map(|list| list.into_series());
            match values {
                Ok(values) => col(*column).is_in(lit(values), false),
                Err(_) => lit(false),
            }
        }
    }
}
