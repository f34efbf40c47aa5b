//! Rows of a Delta table's files, whichever program wrote them.

use std::collections::BTreeMap;
use std::path::Path;

use deltalake_core::kernel::Add;
use polars::prelude::*;

use super::super::{Day, Query, WarehouseError, narrow};
use super::files::day_of;
use super::statistics::Bounds;
use crate::table::{ColumnType, Table};

/// What Parquet lets other writers choose, Spark's INT96 times among them. Delta says the types; that is what they become.
const CASTS: CastColumnsPolicy = CastColumnsPolicy {
    integer_upcast: true,
    integer_to_float_cast: true,
    float_upcast: true,
    datetime_nanoseconds_downcast: true,
    datetime_milliseconds_upcast: true,
    datetime_convert_timezone: true,
    categorical_to_string: true,
    ..CastColumnsPolicy::ERROR_ON_MISMATCH
};

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
    let in_bounds = |add: &Add| {
        if query.filters.is_empty() {
            return true;
        }
        let bounds = Bounds::read(add.stats.as_deref());
        query.filters.iter().all(|filter| bounds.may_hold(filter))
    };
    files
        .into_iter()
        .filter(|add| in_days(add) && in_bounds(add))
        .collect()
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

/// Scans the files of one partition; the partition column is not in them and is added, as are columns younger than the
/// file.
fn scan(table: &Table, day: Option<Day>, paths: Vec<PlRefPath>) -> PolarsResult<LazyFrame> {
    let stored: Schema = table
        .columns
        .iter()
        .filter(|column| table.partition != Some(column.name))
        .map(|column| Field::new(column.name.into(), column.kind.polars()))
        .collect();
    let options = ParquetOptions {
        schema: Some(stored.into()),
        use_statistics: true,
        ..Default::default()
    };
    let args = UnifiedScanArgs {
        // A folder's name may hold what a pattern would be made of.
        glob: false,
        cast_columns_policy: CASTS,
        missing_columns_policy: MissingColumnsPolicy::Insert,
        extra_columns_policy: ExtraColumnsPolicy::Ignore,
        ..Default::default()
    };
    let sources = ScanSources::Paths(paths.into());
    let rows: LazyFrame = DslBuilder::scan_parquet(sources, options, args)?
        .build()
        .into();
    let rows = match (table.partition, day) {
        (Some(partition), Some(day)) => {
            rows.with_column(lit(day).cast(ColumnType::Date.polars()).alias(partition))
        }
        _ => rows,
    };
    Ok(rows.select(table.column_names().map(col).collect::<Vec<_>>()))
}
