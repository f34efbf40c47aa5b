//! Parquet files of a Delta table: written by polars into the table's folder, one per partition, and read back.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::Path;

use deltalake_core::kernel::Add;
use polars::prelude::*;
use serde_json::{Map, Value, json};

use super::super::{Day, Query, WarehouseError, narrow, parquet};
use crate::table::{ColumnType, Table};

/// How long a replaced file stays for readers that still follow an older publication.
pub(super) const RETENTION: chrono::Duration = chrono::Duration::minutes(10);

/// Replaced files are deleted at every so many versions of a table.
pub(super) const VACUUM_EVERY: u64 = 100;

/// Writes `rows` as new files, one per partition, and returns their add actions.
pub(super) fn write(
    table: &Table,
    folder: &Path,
    rows: DataFrame,
) -> Result<Vec<Add>, WarehouseError> {
    if rows.height() == 0 {
        return Ok(Vec::new());
    }
    let Some(partition) = table.partition else {
        return Ok(vec![write_one(folder, None, rows)?]);
    };
    let what = || format!("table `{}`, column `{partition}`", table.name);
    let parts = rows
        .partition_by([partition], true)
        .map_err(|source| WarehouseError::Data {
            what: what(),
            source,
        })?;
    parts
        .into_iter()
        .map(|mut part| {
            let day = part
                .drop_in_place(partition)
                .map_err(|source| WarehouseError::Data {
                    what: what(),
                    source,
                })?;
            let day = day
                .date()
                .ok()
                .and_then(|days| days.physical().get(0))
                .ok_or_else(|| WarehouseError::Corrupt {
                    path: what(),
                    reason: "a row without a day".to_owned(),
                })?;
            write_one(folder, Some((partition, day)), part)
        })
        .collect()
}

fn write_one(
    folder: &Path,
    partition: Option<(&str, Day)>,
    mut rows: DataFrame,
) -> Result<Add, WarehouseError> {
    let name = format!("part-{}.parquet", uuid::Uuid::new_v4());
    let (path, partition_values) = match partition {
        Some((column, day)) => {
            let day = day_text(day);
            (
                format!("{column}={day}/{name}"),
                HashMap::from([(column.to_owned(), Some(day))]),
            )
        }
        None => (name, HashMap::new()),
    };
    let target = folder.join(&path);
    let io = |source| WarehouseError::Io {
        path: target.display().to_string(),
        source,
    };
    if let Some(parent) = target.parent() {
        std::fs::create_dir_all(parent).map_err(io)?;
    }
    let file = File::create(&target).map_err(io)?;
    let size = parquet::write(file, &mut rows).map_err(|source| WarehouseError::Data {
        what: target.display().to_string(),
        source,
    })?;
    Ok(Add {
        path,
        partition_values,
        size: i64::try_from(size).unwrap_or(i64::MAX),
        modification_time: chrono::Utc::now().timestamp_millis(),
        data_change: true,
        stats: Some(stats(&rows).to_string()),
        ..Add::default()
    })
}

/// Per-file statistics in Delta's form, for other engines to skip files by. Text has none: it may be long, and personal.
fn stats(rows: &DataFrame) -> Value {
    let mut min = Map::new();
    let mut max = Map::new();
    let mut nulls = Map::new();
    for column in rows.columns() {
        let name = column.name().to_string();
        nulls.insert(name.clone(), json!(column.null_count()));
        if let DataType::Int64 = column.dtype() {
            let bounds = column.i64().map(|values| (values.min(), values.max()));
            if let Ok((Some(low), Some(high))) = bounds {
                min.insert(name.clone(), json!(low));
                max.insert(name, json!(high));
            }
        }
    }
    json!({"numRecords": rows.height(), "minValues": min, "maxValues": max, "nullCount": nulls})
}

/// The files that may hold rows `query` asks for.
pub(super) fn wanted(
    table: &Table,
    files: impl IntoIterator<Item = Add>,
    query: &Query,
) -> Vec<Add> {
    if query.is_empty() {
        return Vec::new();
    }
    let in_days = |add: &Add| match (&query.days, day_of(table, add)) {
        (Some(days), Some(day)) => days.contains(&day),
        _ => true,
    };
    files.into_iter().filter(in_days).collect()
}

/// Reads the rows of `files` that `query` asks for.
pub(super) async fn read(
    table: &'static Table,
    folder: &Path,
    files: Vec<Add>,
    query: Query,
) -> Result<DataFrame, WarehouseError> {
    let folder = folder.to_path_buf();
    tokio::task::spawn_blocking(move || collect(table, &folder, files, &query))
        .await
        .map_err(|error| WarehouseError::Corrupt {
            path: table.name.to_owned(),
            reason: error.to_string(),
        })?
        .map_err(|source| WarehouseError::Data {
            what: format!("table `{}`", table.name),
            source,
        })
}

fn collect(
    table: &Table,
    folder: &Path,
    files: Vec<Add>,
    query: &Query,
) -> PolarsResult<DataFrame> {
    let mut by_day: BTreeMap<Option<Day>, Vec<PlRefPath>> = BTreeMap::new();
    for add in files {
        let path = PlRefPath::new(folder.join(&add.path).to_string_lossy());
        by_day.entry(day_of(table, &add)).or_default().push(path);
    }
    let parts = by_day
        .into_iter()
        .map(|(day, paths)| scan(table, day, paths))
        .collect::<PolarsResult<Vec<_>>>()?;
    let rows = if parts.is_empty() {
        table.empty().lazy()
    } else {
        concat(parts, UnionArgs::default())?
    };
    let rows = narrow(rows, &query.filters);
    let columns = match &query.columns {
        Some(columns) => columns.clone(),
        None => table.column_names().collect(),
    };
    rows.select(columns.into_iter().map(col).collect::<Vec<_>>())
        .collect()
}

/// Scans the files of one partition; the partition column is not in them and is added, as are columns younger than the file.
fn scan(table: &Table, day: Option<Day>, paths: Vec<PlRefPath>) -> PolarsResult<LazyFrame> {
    let stored: Schema = table
        .columns
        .iter()
        .filter(|column| table.partition != Some(column.name))
        .map(|column| Field::new(column.name.into(), column.kind.polars()))
        .collect();
    let args = ScanArgsParquet {
        schema: Some(stored.into()),
        allow_missing_columns: true,
        ..Default::default()
    };
    let rows = LazyFrame::scan_parquet_files(paths.into(), args)?;
    let rows = match (table.partition, day) {
        (Some(partition), Some(day)) => {
            rows.with_column(lit(day).cast(ColumnType::Date.polars()).alias(partition))
        }
        _ => rows,
    };
    Ok(rows.select(table.column_names().map(col).collect::<Vec<_>>()))
}

/// The partition of a file.
pub(super) fn day_of(table: &Table, add: &Add) -> Option<Day> {
    let text = add.partition_values.get(table.partition?)?.as_deref()?;
    let date = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    i32::try_from(
        date.signed_duration_since(chrono::NaiveDate::default())
            .num_days(),
    )
    .ok()
}

fn day_text(day: Day) -> String {
    (chrono::NaiveDate::default() + chrono::Duration::days(day.into())).to_string()
}
