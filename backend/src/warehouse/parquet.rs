//! Parquet as every warehouse takes it.

use std::io::Write;

use polars::prelude::*;

/// Writes rows as one Parquet file; returns its size in bytes.
///
/// # Errors
/// When a column has no Parquet form or `out` does not take it.
pub(crate) fn write(out: impl Write, rows: &mut DataFrame) -> PolarsResult<u64> {
    ParquetWriter::new(out)
        .with_compression(ParquetCompression::Snappy)
        .finish(rows)
}

/// Rows as one Parquet file in memory.
///
/// # Errors
/// When a column has no Parquet form.
pub(crate) fn bytes(mut rows: DataFrame) -> PolarsResult<Vec<u8>> {
    let mut file = Vec::new();
    write(&mut file, &mut rows)?;
    Ok(file)
}
