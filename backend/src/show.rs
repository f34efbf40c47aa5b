//! `shoptrail show`: a table's rows for people, scripts and the dashboard.

use std::io::Write;

use anyhow::Context;
use clap::{Args, ValueEnum};
use polars::prelude::*;

use crate::build;
use crate::table::{ColumnType, Table};
use crate::warehouse::{Query, Warehouse};

/// Flags of `shoptrail show`.
#[derive(Args, Clone, Debug)]
pub struct ShowArgs {
    /// Name of the table, as `shoptrail tables` lists it
    pub table: String,
    /// How to print the rows
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    pub format: Format,
}

/// How rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Comma-separated values with a header.
    Csv,
    /// An array of objects.
    Json,
}

/// Prints the rows of a table to `out`: of bronze as it is now, of other tables as published.
///
/// # Errors
/// When there is no such table, or it cannot be read.
pub async fn run(
    args: &ShowArgs,
    warehouse: &dyn Warehouse,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let table = find(&args.table)?;
    let rows = warehouse
        .read(&warehouse.publication().await?, table, &Query::all())
        .await?;
    let rows = in_key_order(table, rows)?;
    match args.format {
        Format::Json => write_json(rows, out)?,
        Format::Csv => CsvWriter::new(out).finish(&mut texts(rows)?)?,
    }
    Ok(())
}

/// The table of that name.
///
/// # Errors
/// When there is none.
pub fn find(name: &str) -> anyhow::Result<&'static Table> {
    build::tables()
        .into_iter()
        .find(|table| table.name == name)
        .with_context(|| format!("there is no table `{name}`\nhint: `shoptrail tables` lists them"))
}

/// The rows of a table, ordered by its key.
///
/// # Errors
/// When a column of the key is missing.
pub fn in_key_order(table: &Table, rows: DataFrame) -> PolarsResult<DataFrame> {
    rows.sort(table.key.iter().copied(), SortMultipleOptions::default())
}

/// Writes rows as a JSON array of objects: days as `YYYY-MM-DD`, instants as RFC 3339 with milliseconds.
///
/// # Errors
/// When a column has no text form or `out` does not take it.
pub fn write_json(rows: DataFrame, out: &mut impl Write) -> anyhow::Result<()> {
    JsonWriter::new(out)
        .with_json_format(JsonFormat::Json)
        .finish(&mut texts(rows)?)?;
    Ok(())
}

/// Replaces days and instants by their text.
fn texts(rows: DataFrame) -> PolarsResult<DataFrame> {
    let instants: Vec<Expr> = rows
        .schema()
        .iter()
        .filter(|(_, kind)| **kind == ColumnType::Timestamp.polars())
        .map(|(name, _)| col(name.clone()).dt().to_string("%Y-%m-%dT%H:%M:%S%.3fZ"))
        .collect();
    let days: Vec<Expr> = rows
        .schema()
        .iter()
        .filter(|(_, kind)| **kind == DataType::Date)
        .map(|(name, _)| col(name.clone()).dt().to_string("%Y-%m-%d"))
        .collect();
    rows.lazy()
        .with_columns(instants)
        .with_columns(days)
        .collect()
}
