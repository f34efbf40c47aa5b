//! `shoptrail show`: a table's rows for people, scripts and the dashboard.

mod condition;
mod layout;

use std::io::{self, IsTerminal, Write};

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use polars::prelude::*;

use self::condition::Condition;
use crate::build;
use crate::table::{ColumnType, Table};
use crate::warehouse::{Query, Warehouse};

/// Rows of a table for people, unless they ask for more.
const ROWS_FOR_PEOPLE: usize = 50;

/// Flags of `shoptrail show`.
#[derive(Args, Clone, Debug)]
pub struct ShowArgs {
    /// Name of the table, as `shoptrail tables` lists it
    pub table: String,
    /// How to print the rows; without it as a table on a terminal and as CSV elsewhere
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Prints only so many rows; without it all of them, of a table for people the first 50
    #[arg(long, value_name = "ROWS")]
    pub limit: Option<usize>,
    /// Prints only rows that satisfy this, such as `day>=2026-11-01` or `channel=Email`: a column, one of = != < <= > >=
    /// or ~ (contains), a value; several must all be satisfied
    #[arg(long = "where", value_name = "CONDITION")]
    pub conditions: Vec<Condition>,
}

/// How rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: money in units of its currency
    Table,
    /// Comma-separated values with a header
    Csv,
    /// An array of objects
    Json,
    /// A Parquet file
    Parquet,
}

impl ShowArgs {
    /// All rows of a table in a format.
    pub fn all(table: &str, format: Format) -> Self {
        Self {
            table: table.to_owned(),
            format: Some(format),
            limit: None,
            conditions: Vec::new(),
        }
    }
}

impl Format {
    /// For people on a terminal, for programs elsewhere.
    pub(crate) fn usual() -> Self {
        match io::stdout().is_terminal() {
            true => Self::Table,
            false => Self::Csv,
        }
    }
}

/// Prints the rows of a table to `out`: of bronze as it is now, of other tables as published.
///
/// # Errors
/// Returns an error if there is no such table or column, or the table cannot be read.
pub async fn run(
    args: &ShowArgs,
    warehouse: &dyn Warehouse,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let table = find(&args.table)?;
    let format = args.format.unwrap_or_else(Format::usual);
    ensure!(
        format != Format::Parquet || !io::stdout().is_terminal(),
        "a Parquet file is no text for a terminal\nhint: add `> {}.parquet`",
        table.name
    );
    let (mut query, mut judged) = (Query::all(), Vec::new());
    for condition in &args.conditions {
        query = condition.narrow(table, query)?;
        judged.push(condition.expression(table)?);
    }
    let rows = warehouse
        .read(&warehouse.publication().await?, table, &query)
        .await?;
    let rows = judged
        .into_iter()
        .fold(rows.lazy(), LazyFrame::filter)
        .collect()?;
    print(in_key_order(table, rows)?, args.limit, format, out)
}

/// Prints rows in a format, only so many of them if told; as a table no more than the first 50 unless told.
///
/// # Errors
/// Returns an error if a column has no form in the format, or `out` does not take it.
pub(crate) fn print(
    rows: DataFrame,
    limit: Option<usize>,
    format: Format,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let limit = match format {
        Format::Table => Some(limit.unwrap_or(ROWS_FOR_PEOPLE)),
        _ => limit,
    };
    let all = rows.height();
    let rows = limit.map_or(rows.clone(), |limit| rows.head(Some(limit)));
    let left = all - rows.height();
    match format {
        Format::Json => write_json(rows, out)?,
        Format::Csv => CsvWriter::new(out).finish(&mut texts(rows)?)?,
        Format::Parquet => {
            ParquetWriter::new(out).finish(&mut rows.clone())?;
        }
        Format::Table => layout::write(rows, out)?,
    }
    if format == Format::Table && left > 0 {
        eprintln!("{left} more rows\nhint: `--limit {all}` shows all");
    }
    Ok(())
}

/// The table of that name.
///
/// # Errors
/// Returns an error if there is none.
pub fn find(name: &str) -> anyhow::Result<&'static Table> {
    build::tables()
        .into_iter()
        .find(|table| table.name == name)
        .with_context(|| format!("there is no table `{name}`\nhint: `shoptrail tables` lists them"))
}

/// The rows of a table, ordered by its key.
///
/// # Errors
/// Returns an error if a column of the key is missing.
pub fn in_key_order(table: &Table, rows: DataFrame) -> PolarsResult<DataFrame> {
    rows.sort(table.key.iter().copied(), SortMultipleOptions::default())
}

/// Writes rows as a JSON array of objects: days as `YYYY-MM-DD`, instants as RFC 3339 with milliseconds.
///
/// # Errors
/// Returns an error if a column has no text form or `out` does not take it.
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
