//! A column together with how it is read from a row in memory: one list says both.

use polars::prelude::{DataFrame, IntoColumn, NamedFrom, PlSmallStr, PolarsResult, Series};

use crate::table::Column;

/// How a column is read from a row of type `R`.
pub(super) enum Read<R> {
    Text(fn(&R) -> Option<&str>),
    Integer(fn(&R) -> Option<i64>),
    Boolean(fn(&R) -> Option<bool>),
}

/// A column of rows of type `R`.
pub(super) struct Field<R: 'static> {
    pub(super) column: Column,
    pub(super) read: Read<R>,
}

/// Columns followed by those of a list of fields, for a table's definition.
pub(super) const fn followed_by<R: 'static, const A: usize, const B: usize, const ALL: usize>(
    columns: &[Column; A],
    fields: &[Field<R>; B],
) -> [Column; ALL] {
    let mut all = [columns[0]; ALL];
    let mut index = 0;
    while index < A {
        all[index] = columns[index];
        index += 1;
    }
    while index < ALL {
        all[index] = fields[index - A].column;
        index += 1;
    }
    all
}

/// Reads rows into a frame, column by column; a row that is not there has no values.
pub(super) fn frame<R>(fields: &[Field<R>], rows: &[Option<&R>]) -> PolarsResult<DataFrame> {
    let columns = fields.iter().map(|field| {
        let name: PlSmallStr = field.column.name.into();
        let rows = rows.iter().copied();
        let values = match &field.read {
            Read::Text(read) => {
                Series::new(name, rows.map(|row| row.and_then(read)).collect::<Vec<_>>())
            }
            Read::Integer(read) => {
                Series::new(name, rows.map(|row| row.and_then(read)).collect::<Vec<_>>())
            }
            Read::Boolean(read) => {
                Series::new(name, rows.map(|row| row.and_then(read)).collect::<Vec<_>>())
            }
        };
        values
            .strict_cast(&field.column.kind.polars())
            .map(Series::into_column)
    });
    let columns = columns.collect::<PolarsResult<Vec<_>>>()?;
    DataFrame::new(rows.len(), columns)
}
