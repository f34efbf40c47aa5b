//! Table definitions: one list of columns per table, from which come the polars schema, the warehouse's table, the
//! generated documentation, BigQuery's table and the Power BI model.

use polars::prelude::*;
use serde::{Serialize, Serializer};

/// The types a column can have; all of them flat, so that every reader (Power BI among them) can use every column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// UTF-8 text; BigQuery `STRING`.
    Text,
    /// 64-bit integer; BigQuery `INT64`. Money is an integer of the currency's minor units.
    Integer,
    /// 64-bit float; BigQuery `FLOAT64`. Only ratios, scores and quantities, never money.
    Float,
    /// BigQuery `BOOL`.
    Boolean,
    /// Calendar day in the shop's reporting time zone; BigQuery `DATE`.
    Date,
    /// UTC instant with microseconds; BigQuery `TIMESTAMP`.
    Timestamp,
}

impl ColumnType {
    /// The polars type that holds this column.
    pub fn polars(self) -> DataType {
        match self {
            Self::Text => DataType::String,
            Self::Integer => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Date => DataType::Date,
            Self::Timestamp => DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)),
        }
    }

    /// The name of the type in BigQuery's SQL, used in the documentation.
    pub fn sql(self) -> &'static str {
        match self {
            Self::Text => "STRING",
            Self::Integer => "INT64",
            Self::Float => "FLOAT64",
            Self::Boolean => "BOOL",
            Self::Date => "DATE",
            Self::Timestamp => "TIMESTAMP",
        }
    }
}

impl Serialize for ColumnType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.sql())
    }
}

/// One column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Name in every warehouse, `snake_case`.
    pub name: &'static str,
    /// Type of its values.
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// Whether a row may lack it.
    pub nullable: bool,
    /// The values it may have; empty where any will do.
    #[serde(skip)]
    pub accepts: &'static [&'static str],
    /// What it means, with its unit; shown wherever the table is.
    pub description: &'static str,
}

impl Column {
    /// A column every row has.
    pub const fn new(name: &'static str, kind: ColumnType, description: &'static str) -> Self {
        Self {
            name,
            kind,
            nullable: false,
            accepts: &[],
            description,
        }
    }

    /// The same column where it has one of these values.
    pub const fn one_of(self, values: &'static [&'static str]) -> Self {
        Self {
            accepts: values,
            ..self
        }
    }

    /// The same column where a row may lack it.
    pub const fn optional(self) -> Self {
        Self {
            nullable: true,
            ..self
        }
    }
}

/// Who writes a table and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// Landing appends what came.
    Bronze,
    /// A build types, counts once and puts together.
    Silver,
    /// A build makes what a business reads.
    Gold,
}

/// One table: its name, what a row is, and its columns in order.
#[derive(Debug, Serialize)]
pub struct Table {
    /// Name in every warehouse, prefixed with its layer.
    pub name: &'static str,
    /// Its layer.
    pub layer: Layer,
    /// What the table holds and what one row of it is.
    pub description: &'static str,
    /// Columns in order.
    pub columns: &'static [Column],
    /// The `DATE` column by which the table is cut.
    pub partition: Option<&'static str>,
    /// Columns that together identify a row.
    pub key: &'static [&'static str],
}

impl Table {
    /// The polars schema of the table, columns in order.
    pub fn schema(&self) -> Schema {
        self.columns
            .iter()
            .map(|column| Field::new(column.name.into(), column.kind.polars()))
            .collect()
    }

    /// Column names in order.
    pub fn column_names(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().map(|column| column.name)
    }

    /// The columns by which a row is found: its key, and its partition.
    pub fn address(&self) -> Vec<&'static str> {
        let partition = self.partition.filter(|column| !self.key.contains(column));
        self.key.iter().copied().chain(partition).collect()
    }

    /// An empty frame of this table.
    pub fn empty(&self) -> DataFrame {
        DataFrame::empty_with_schema(&self.schema())
    }

    /// Brings a frame to this table's columns, order and types.
    ///
    /// Collecting it fails when a column is missing or a value does not fit its type.
    pub fn conform(&self, frame: LazyFrame) -> LazyFrame {
        let columns = self
            .columns
            .iter()
            .map(|column| col(column.name).strict_cast(column.kind.polars()));
        frame.select(columns.collect::<Vec<_>>())
    }
}
