//! The rows of a change: in memory, or in files of a rebuild.

use polars::prelude::{DataFrame, PolarsResult};

use super::lake::RowFile;
use super::parquet;

/// Rows of one table.
#[derive(Debug)]
pub enum Rows {
    /// In memory.
    Here(DataFrame),
    /// In files that a rebuild has written.
    Files(Vec<RowFile>),
}

impl Rows {
    /// How many there are.
    pub fn height(&self) -> usize {
        match self {
            Self::Here(rows) => rows.height(),
            Self::Files(files) => files.iter().map(RowFile::height).sum(),
        }
    }

    /// Bytes of Parquet they are.
    ///
    /// # Errors
    /// Returns an error if a column has no Parquet form.
    pub(crate) fn bytes(&self) -> PolarsResult<usize> {
        match self {
            Self::Here(rows) => Ok(parquet::bytes(rows)?.len()),
            Self::Files(files) => Ok(files.iter().map(RowFile::bytes).sum()),
        }
    }
}

impl From<DataFrame> for Rows {
    fn from(rows: DataFrame) -> Self {
        Self::Here(rows)
    }
}
