//! Where tables live: the seam between the pipeline and its storage.
//!
//! Landing appends to bronze and moves the Kafka offsets in the same step. A build reads what is new in bronze, reads
//! the partitions it touches, and publishes new contents for them: a reader of the publication sees all or nothing.

pub mod bigquery;
pub mod lake;
mod landing;
pub(crate) mod parquet;
mod person;
mod query;
mod rows;
mod sql_engine;
mod unread;

use std::collections::BTreeMap;
use std::path::PathBuf;

use async_trait::async_trait;
use polars::prelude::*;
use serde::{Deserialize, Serialize};

use self::bigquery::BigQueryError;
pub use self::landing::{Landing, Offsets};
pub use self::person::Person;
use self::query::narrow;
pub use self::query::{Filter, Query};
pub use self::rows::Rows;
pub use self::sql_engine::{BronzeNow, Inputs, MadeTable, SqlEngine};
pub use self::unread::{Portion, Unread};
use crate::table::Table;

/// A day as polars stores it: days since 1970-01-01.
pub type Day = i32;

/// See [`Warehouse::bronze_mark`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BronzeMark(pub(crate) std::time::SystemTime);

/// Storage of all tables.
#[async_trait]
pub trait Warehouse: Send + Sync {
    /// Creates tables that are missing and adds columns that a table lacks.
    async fn prepare(&self, tables: &[&'static Table]) -> Result<(), WarehouseError>;

    /// The last landed offsets of `topic`; empty before the first landing.
    async fn offsets(&self, topic: &str) -> Result<Offsets, WarehouseError>;

    /// Changes with every landing, and costs next to nothing to ask; `None` from a warehouse that cannot say.
    fn bronze_mark(&self) -> Option<BronzeMark> {
        None
    }

    /// Appends rows to bronze and moves the offsets, in one step that a kill cannot split.
    ///
    /// # Errors
    /// [`WarehouseError::Behind`] when another lander has moved the offsets since `landing.after` was read.
    async fn land(&self, landing: Landing) -> Result<(), WarehouseError>;

    /// What of bronze lies after `cursor`; all of it without one. With `enough`, no more landings than it takes to have so
    /// many rows, as far as the warehouse can tell them apart.
    async fn unread(
        &self,
        cursor: Option<&Cursor>,
        enough: Option<usize>,
    ) -> Result<Unread, WarehouseError>;

    /// The rows of a portion. Of those that landing understood, the record's text may be left out.
    async fn bronze(&self, portion: Portion) -> Result<DataFrame, WarehouseError>;

    /// What makes tables inside the warehouse, if it can.
    fn sql_engine(&self) -> Option<&dyn SqlEngine> {
        None
    }

    /// A folder on this machine for what a rebuild keeps until it is published.
    fn scratch_folder(&self) -> PathBuf;

    /// The newest publication; the default one before the first build.
    async fn publication(&self) -> Result<Publication, WarehouseError>;

    /// Rows of a table as `publication` has them; of a bronze table, which no publication names, as it is now.
    async fn read(
        &self,
        publication: &Publication,
        table: &'static Table,
        query: &Query,
    ) -> Result<DataFrame, WarehouseError>;

    /// Publishes changes, all tables at once, as the successor of `previous`.
    ///
    /// # Errors
    /// Returns [`WarehouseError::Behind`] if `previous` is no longer the newest publication.
    async fn publish(
        &self,
        previous: &Publication,
        changes: Vec<Change>,
        basis: Basis,
    ) -> Result<Publication, WarehouseError>;

    /// Deletes rows of a bronze table by their keys, in one step.
    ///
    /// # Errors
    /// Returns [`WarehouseError::Behind`] if a lander has changed the table meanwhile.
    async fn delete(&self, table: &'static Table, keys: DataFrame) -> Result<(), WarehouseError>;

    /// How many rows of bronze that another program writes tell of a person; they are deleted if so asked.
    async fn sink_rows(&self, _person: &Person, _delete: bool) -> Result<usize, WarehouseError> {
        Ok(0)
    }

    /// Deletes what only versions of the tables before the newest publication hold: readers of those fail. Returns where
    /// something remains of it, and until when.
    async fn purge(
        &self,
        tables: &[&'static Table],
    ) -> Result<Option<&'static str>, WarehouseError>;

    /// What this warehouse has moved since it was opened.
    fn traffic(&self) -> Traffic;
}

/// What has moved between this process and a warehouse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// Bytes of rows read.
    pub bytes_read: u64,
    /// Bytes of Parquet files written.
    pub bytes_written: u64,
    /// Bytes that the warehouse bills for queries.
    pub bytes_billed: u64,
    /// Jobs that the warehouse has run.
    pub jobs: u64,
    /// Calls over the network.
    pub requests: u64,
}

impl Traffic {
    /// What has moved since an earlier count.
    pub fn since(self, before: Self) -> Self {
        Self {
            bytes_read: self.bytes_read - before.bytes_read,
            bytes_written: self.bytes_written - before.bytes_written,
            bytes_billed: self.bytes_billed - before.bytes_billed,
            jobs: self.jobs - before.jobs,
            requests: self.requests - before.requests,
        }
    }
}

/// How far a build has read bronze; opaque to everyone but the warehouse that gave it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor(pub String);

/// The settings and the version of the logic that tables are made under. Tables of different recipes do not fit
/// together: a build under another recipe makes all of them again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recipe {
    /// Version of the plans of silver and gold.
    pub logic: u32,
    /// The reporting time zone.
    pub time_zone: String,
    /// The reporting currency.
    pub currency: String,
    /// Longest pause within a session, in milliseconds.
    pub session_gap_ms: i64,
    /// From this score on an event counts as made by a program.
    pub bot_score: u8,
    /// Hash of the settings that events are judged by where the edge has not judged them.
    pub judging: String,
    /// The shops that report otherwise than the others.
    pub shops: BTreeMap<String, ShopRecipe>,
}

/// What the tables are made under where they are of one shop.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShopRecipe {
    /// Its reporting time zone.
    pub time_zone: String,
    /// Its reporting currency.
    pub currency: String,
}

/// What a publication is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    /// What of bronze it contains.
    pub cursor: Cursor,
    /// What it was made under.
    pub recipe: Recipe,
}

/// A consistent state of all silver and gold tables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// Number of the publication, from 1; 0 stands for "nothing published yet".
    pub version: u64,
    /// What of bronze it contains.
    pub cursor: Option<Cursor>,
    /// What its tables were made under.
    #[serde(default)]
    pub recipe: Recipe,
    /// The version of each table, in the warehouse's own numbering.
    pub tables: BTreeMap<String, u64>,
    /// When it was published, milliseconds since the epoch.
    pub published_at: i64,
}

/// New contents of a table.
#[derive(Debug)]
pub struct Change {
    /// The table.
    pub table: &'static Table,
    /// What the rows replace.
    pub replaces: Replaces,
    /// The rows, in the table's schema.
    pub rows: Rows,
}

/// What a change replaces.
#[derive(Clone, Debug)]
pub enum Replaces {
    /// The whole table.
    All,
    /// The rows with these keys: a frame of the table's [`Table::address`], as the rows that go have it. None go when it is
    /// empty; new rows may lie in any partition.
    Keys(DataFrame),
}

/// Why a warehouse could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WarehouseError {
    /// Another writer was faster.
    #[error(
        "another {writer} has written to {what} since this one read it\nhint: run again; only one {writer} may run at a time, and one that was killed may have been committing still"
    )]
    Behind {
        /// `lander` or `build`.
        writer: &'static str,
        /// What was written.
        what: String,
    },
    /// A table is not what its definition says.
    #[error(
        "table `{table}`: column `{column}` is {found}, expected {expected}\nhint: `shoptrail build --rebuild` after moving the altered table away"
    )]
    Altered {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The type it has.
        found: String,
        /// The type its definition gives.
        expected: String,
    },
    /// There is no lake to read.
    #[error(
        "there is no lake at `{folder}`\nhint: check `--warehouse` for a typing error; `shoptrail land` makes a lake"
    )]
    NoLake {
        /// The folder as given.
        folder: String,
    },
    /// There is no folder in which a lake could be made.
    #[error(
        "the folder of the lake `{folder}` is not there\nhint: check `--warehouse` for a typing error, or make the folder around the lake"
    )]
    NoPlace {
        /// The folder as given.
        folder: String,
    },
    /// Another program has done something to the table that this one would read wrongly.
    #[error("table `{table}` {reason}, which this program does not read\nhint: {hint}")]
    Unsupported {
        /// The table.
        table: String,
        /// What it uses.
        reason: String,
        /// What helps.
        hint: &'static str,
    },
    /// The Delta table could not be read or committed.
    #[error("table `{table}`: {source}")]
    Delta {
        /// The table.
        table: String,
        /// What the library says.
        source: Box<deltalake_core::DeltaTableError>,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// Data did not have the expected shape.
    #[error("{what}: {source}")]
    Data {
        /// What was read or written.
        what: String,
        /// What the library says.
        source: PolarsError,
    },
    /// A stored document could not be understood.
    #[error("{path}: {reason}")]
    Corrupt {
        /// The document.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// BigQuery refused, failed or was not reached.
    #[error(transparent)]
    BigQuery(#[from] BigQueryError),
}
