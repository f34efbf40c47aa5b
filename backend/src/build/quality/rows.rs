//! Checks of the rows a run has made, table by table: nothing empty, nothing twice, no value that is not one of its column's.

use polars::prelude::*;

use super::Found;
use crate::table::Table;

/// The rows that lack a value which every row must have.
pub(super) fn not_null(table: &Table, rows: &DataFrame) -> PolarsResult<Found> {
    let is_null = |column: &str| col(column).is_null();
    let required = table.columns.iter().filter(|column| !column.nullable);
    let any = required
        .map(|column| is_null(column.name))
        .reduce(Expr::or)
        .unwrap_or_else(|| lit(false));
    Found::of(rows.clone().lazy().filter(any), table.key)
}

/// The rows that share their key with another.
pub(super) fn unique(table: &Table, rows: &DataFrame) -> PolarsResult<Found> {
    let key: Vec<Expr> = table.key.iter().copied().map(col).collect();
    let repeated = rows
        .clone()
        .lazy()
        .group_by(key)
        .agg([len().alias("rows")])
        .filter(col("rows").gt(lit(1)));
    Found::of(repeated, table.key)
}

/// The rows with a value that their column's definition does not list.
pub(super) fn accepted_values(table: &Table, rows: &DataFrame) -> PolarsResult<Found> {
    let mut columns = table.key.to_vec();
    let mut is_other = lit(false);
    for column in table
        .columns
        .iter()
        .filter(|column| !column.accepts.is_empty())
    {
        let accepted = Series::new("accepted".into(), column.accepts)
            .implode()?
            .into_series();
        let is_accepted = col(column.name).is_in(lit(accepted), false);
        is_other = is_other.or(col(column.name).is_not_null().and(is_accepted.not()));
        if !columns.contains(&column.name) {
            columns.push(column.name);
        }
    }
    Found::of(rows.clone().lazy().filter(is_other), &columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::ColumnType::{Integer, Text};
    use crate::table::{Column, Layer};

    static TABLE: Table = Table {
        name: "silver_checked",
        layer: Layer::Silver,
        description: "One row per thing",
        columns: &[
            Column::new("id", Text, "Its id"),
            Column::new("kind", Text, "Its kind").one_of(&["small", "large"]),
            Column::new("size", Integer, "Its size").optional(),
        ],
        partition: None,
        key: &["id"],
    };

    fn rows() -> DataFrame {
        df!(
            "id" => [Some("a"), Some("b"), Some("b"), None],
            "kind" => [Some("small"), Some("huge"), Some("large"), None],
            "size" => [None, Some(1_i64), Some(2), Some(3)],
        )
        .unwrap()
    }

    #[test]
    fn each_check_finds_its_rows_and_keeps_samples_of_them() {
        let empty = not_null(&TABLE, &rows()).unwrap();
        assert_eq!(empty.failing, 1);
        let twice = unique(&TABLE, &rows()).unwrap();
        assert_eq!(
            (twice.failing, twice.samples.as_str()),
            (1, r#"[{"id":"b"}]"#)
        );
        let other = accepted_values(&TABLE, &rows()).unwrap();
        assert_eq!(
            (other.failing, other.samples.as_str()),
            (1, r#"[{"id":"b","kind":"huge"}]"#)
        );
    }
}
