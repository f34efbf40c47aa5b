//! The rows of a change: in memory, in files of a rebuild, or where the warehouse has made them.

use polars::prelude::{DataFrame, PolarsResult};

use super::lake::RowFile;
use super::{MadeTable, parquet};

/// Rows of one table.
#[derive(Debug)]
pub enum Rows {
    /// In memory.
    Here(DataFrame),
    /// In files that a rebuild has written.
    Files(Vec<RowFile>),
    /// In a table that the warehouse has made.
    Made {
        /// The table.
        table: MadeTable,
        /// How many rows it has.
        height: usize,
    },
}

impl Rows {
    /// How many there are.
    pub fn height(&self) -> usize {
        match self {
            Self::Here(rows) => rows.height(),
            Self::Files(files) => files.iter().map(RowFile::height).sum(),
            Self::Made { height, .. } => *height,
        }
    }

    /// Bytes of Parquet they are; none where no file is written.
    ///
    /// # Errors
    /// Returns an error if a column has no Parquet form.
    pub(crate) fn bytes(&self) -> PolarsResult<usize> {
        match self {
            Self::Here(rows) => Ok(parquet::bytes(rows)?.len()),
            Self::Files(files) => Ok(files.iter().map(RowFile::bytes).sum()),
            Self::Made { .. } => Ok(0),
        }
    }
}

impl From<DataFrame> for Rows {
    fn from(rows: DataFrame) -> Self {
        Self::Here(rows)
    }
}
