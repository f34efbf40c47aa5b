//! What of bronze a build has not read yet, in portions that fit into memory.

use deltalake_core::kernel::Add;
use polars::prelude::DataFrame;

use super::Cursor;

/// Rows of bronze after a cursor.
#[derive(Debug)]
pub struct Unread {
    /// The rows, in portions.
    pub portions: Vec<Portion>,
    /// How many rows the portions have; some of them may have been read before.
    pub rows: usize,
    /// The cursor that ends with them.
    pub cursor: Cursor,
    /// Whether there is nothing after that cursor.
    pub is_all: bool,
}

/// Some rows of bronze; opaque to everyone but the warehouse that gave it.
#[derive(Debug)]
pub struct Portion(pub(super) Source);

/// Where a portion's rows are.
#[derive(Debug)]
pub(super) enum Source {
    /// In memory.
    Here(DataFrame),
    /// In files of a lake, those that landed after `after` and up to `up_to`, UTC microseconds.
    Files {
        files: Vec<Add>,
        after: i64,
        up_to: i64,
    },
}
