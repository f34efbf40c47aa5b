//! The seam to a warehouse that makes tables itself: rows go in and out of SELECTs there, and none comes here.

use std::collections::BTreeMap;

use async_trait::async_trait;
use polars::prelude::DataFrame;

use super::{Cursor, WarehouseError};
use crate::table::Table;

/// What stands for a name in SQL: by the input's name, a table or a query as it is written after `FROM`.
pub type Inputs = BTreeMap<&'static str, String>;

/// A warehouse that runs SELECTs in BigQuery's dialect.
#[async_trait]
pub trait SqlEngine: Send + Sync {
    /// Bronze as it is now.
    ///
    /// # Errors
    /// Returns an error if this bronze has no columns to select from, or the warehouse fails.
    async fn bronze_now(&self) -> Result<BronzeNow, WarehouseError>;

    /// Writes rows down as a table of a kind, which goes by itself after a day; returns what names it in SQL.
    ///
    /// # Errors
    /// Returns an error if the warehouse fails.
    async fn put(&self, table: &Table, rows: DataFrame) -> Result<MadeTable, WarehouseError>;

    /// Makes a table of what a SELECT gives, which goes by itself after a day.
    ///
    /// # Errors
    /// Returns an error if the warehouse fails, or the query would cost more than is allowed.
    async fn make(&self, name: &str, select: &str) -> Result<MadeTable, WarehouseError>;

    /// The numbers in the one row of a query.
    ///
    /// # Errors
    /// Returns an error if the warehouse fails, or a value is no whole number.
    async fn numbers(&self, what: &str, select: &str) -> Result<Vec<usize>, WarehouseError>;

    /// Takes tables away that are not needed any more.
    async fn drop_made(&self, tables: Vec<MadeTable>);
}

/// Bronze at one moment.
#[derive(Debug)]
pub struct BronzeNow {
    /// Where it ends.
    pub cursor: Cursor,
    /// How many rows it has.
    pub rows: usize,
    /// What stands for it in SQL.
    pub input: String,
    /// The rows that landing has not understood, which is told by Rust alone.
    pub not_understood: DataFrame,
}

/// A table that a SELECT has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeTable {
    /// Its name.
    pub(super) name: String,
    /// What stands for it in SQL.
    pub input: String,
}
