//! Parquet as every warehouse and every other reader takes it.

use std::io::Write;
use std::sync::PoisonError;

use polars::prelude::*;

/// Rows of a row group: small enough for a reader to skip most of a large file by its statistics.
const ROW_GROUP: usize = 65_536;

/// Writes rows as one Parquet file; returns its size in bytes.
///
/// The file has no Arrow schema of polars in it: Parquet's own types say all there is to say, and polars' schema says
/// `string_view`, which pyarrow cannot compare.
///
/// # Errors
/// Returns an error if a column has no Parquet form or `out` does not take it.
pub(crate) fn write(out: impl Write, rows: &DataFrame) -> PolarsResult<u64> {
    let mut writer = ParquetWriter::new(out)
        .with_compression(ParquetCompression::Snappy)
        .batched(rows.schema())?;
    let mut start = 0;
    while start < rows.height() {
        let mut group = rows.slice(i64::try_from(start).unwrap_or(i64::MAX), ROW_GROUP);
        group.rechunk_mut();
        writer.write_batch(&group)?;
        start += ROW_GROUP;
    }
    let mut file = writer
        .get_writer()
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    file.end(Some(Vec::new()))
}

/// Rows as one Parquet file in memory.
///
/// # Errors
/// Returns an error if a column has no Parquet form.
pub(crate) fn bytes(rows: &DataFrame) -> PolarsResult<Vec<u8>> {
    let mut file = Vec::new();
    write(&mut file, rows)?;
    Ok(file)
}
