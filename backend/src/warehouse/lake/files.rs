//! New Parquet files of a Delta table, one per partition, each on disk to stay before the log names it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use deltalake_core::kernel::Add;
use polars::prelude::*;

use super::super::{Day, WarehouseError, parquet};
use super::statistics;
use crate::table::Table;

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
        return Ok(vec![write_one(folder, None, &rows)?]);
    };
    let what = || format!("table `{}`, column `{partition}`", table.name);
    let data = |source| WarehouseError::Data {
        what: what(),
        source,
    };
    let parts = rows.partition_by([partition], true).map_err(data)?;
    parts
        .into_iter()
        .map(|mut part| {
            let day = part.drop_in_place(partition).map_err(data)?;
            let day = day.date().ok().and_then(|days| days.physical().get(0));
            let day = day.ok_or_else(|| WarehouseError::Corrupt {
                path: what(),
                reason: "a row without a day".to_owned(),
            })?;
            write_one(folder, Some((partition, day)), &part)
        })
        .collect()
}

fn write_one(
    folder: &Path,
    partition: Option<(&str, Day)>,
    rows: &DataFrame,
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
    let data = |source| WarehouseError::Data {
        what: target.display().to_string(),
        source,
    };
    let size = write_to_stay(&target, rows).map_err(|error| match error {
        NotWritten::Io(source) => WarehouseError::Io {
            path: target.display().to_string(),
            source,
        },
        NotWritten::Data(source) => data(source),
    })?;
    Ok(Add {
        path,
        partition_values,
        size: i64::try_from(size).unwrap_or(i64::MAX),
        modification_time: chrono::Utc::now().timestamp_millis(),
        data_change: true,
        stats: Some(statistics::of(rows).map_err(data)?),
        ..Add::default()
    })
}

enum NotWritten {
    Io(io::Error),
    Data(PolarsError),
}

impl From<io::Error> for NotWritten {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Writes a file whose content and name survive the loss of power.
fn write_to_stay(target: &Path, rows: &DataFrame) -> Result<u64, NotWritten> {
    let folder = target.parent().unwrap_or(target);
    make_folder(folder)?;
    let file = File::create_new(target)?;
    let size = parquet::write(&file, rows).map_err(NotWritten::Data)?;
    file.sync_all()?;
    sync_folder(folder)?;
    Ok(size)
}

/// Makes a folder of files, if it is not there, to stay.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    if !folder.exists() {
        fs::create_dir_all(folder)?;
        sync_folder(folder.parent().unwrap_or(folder))?;
    }
    Ok(())
}

/// Makes what a folder holds survive the loss of power.
pub(super) fn sync_files(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        File::open(entry?.path())?.sync_all()?;
    }
    sync_folder(folder)
}

/// Makes the names in a folder survive the loss of power.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Says which file or folder an error of the system is about.
pub(super) fn io_error(path: &Path, source: io::Error) -> WarehouseError {
    WarehouseError::Io {
        path: path.display().to_string(),
        source,
    }
}

/// Bytes of files.
pub(super) fn size(adds: &[Add]) -> u64 {
    adds.iter()
        .map(|add| u64::try_from(add.size).unwrap_or(0))
        .sum()
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
