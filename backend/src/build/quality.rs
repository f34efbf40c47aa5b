//! Checks before publishing: a run whose tables break a promise publishes nothing and says which and where.

use std::collections::BTreeSet;

use polars::prelude::*;

use super::staged::Staged;
use crate::gold::daily_kpis;
use crate::silver::orders;
use crate::table::Table;
use crate::warehouse::{Day, Query};

/// A promise that a run's tables break.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A column that every row must have is empty somewhere.
    #[error("check `not null` failed: `{table}.{column}` is empty in {rows} rows")]
    Null {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// How many rows lack it.
        rows: usize,
    },
    /// Rows share what should identify one of them.
    #[error("check `unique` failed: {rows} rows of `{table}` share their `{key}` with another")]
    Duplicate {
        /// The table.
        table: &'static str,
        /// The columns of the key.
        key: String,
        /// How many rows are too many.
        rows: usize,
    },
    /// Two tables disagree about money.
    #[error(
        "check `totals agree` failed: `{left}` says {left_minor}, `{right}` says {right_minor} minor units on the same days"
    )]
    Totals {
        /// One table.
        left: &'static str,
        /// Its total.
        left_minor: i64,
        /// The other.
        right: &'static str,
        /// Its total.
        right_minor: i64,
    },
}

/// Checks what a run has made.
///
/// # Errors
/// Returns the first [`Broken`] promise, or an error if a table cannot be read.
pub async fn check(staged: &Staged<'_>) -> anyhow::Result<()> {
    rows_are_sound(staged)?;
    let mut days = staged.days(&orders::TABLE)?;
    days.extend(staged.days(&daily_kpis::GOLD.table)?);
    totals_agree(staged, Some(&days)).await
}

/// Checks the rows that a run has made, each table by itself.
///
/// # Errors
/// Returns the first [`Broken`] promise.
pub fn rows_are_sound(staged: &Staged<'_>) -> anyhow::Result<()> {
    for (table, rows) in staged.made() {
        not_null(table, rows)?;
        unique(table, rows)?;
    }
    Ok(())
}

/// Checks that tables say the same about money, on these days or on all.
///
/// # Errors
/// Returns a [`Broken`] promise, or an error if a table cannot be read.
pub async fn totals_agree(staged: &Staged<'_>, days: Option<&BTreeSet<Day>>) -> anyhow::Result<()> {
    let kpis = &daily_kpis::GOLD.table;
    let on_days = |columns| {
        let query = Query::all().columns(columns);
        days.into_iter().fold(query, |query, days| query.days(days))
    };
    let ordered = staged
        .contents(&orders::TABLE, on_days(&["gross_minor"]))
        .await?;
    let ordered = total(&ordered, "gross_minor")?;
    let reported = staged
        .contents(kpis, on_days(&["revenue_gross_minor"]))
        .await?;
    let reported = total(&reported, "revenue_gross_minor")?;
    if ordered != reported {
        let (left, right) = (orders::TABLE.name, kpis.name);
        return Err(Broken::Totals {
            left,
            left_minor: ordered,
            right,
            right_minor: reported,
        }
        .into());
    }
    Ok(())
}

fn not_null(table: &'static Table, rows: &DataFrame) -> anyhow::Result<()> {
    for column in table.columns.iter().filter(|column| !column.nullable) {
        let nulls = rows.column(column.name)?.null_count();
        if nulls > 0 {
            return Err(Broken::Null {
                table: table.name,
                column: column.name,
                rows: nulls,
            }
            .into());
        }
    }
    Ok(())
}

fn unique(table: &'static Table, rows: &DataFrame) -> anyhow::Result<()> {
    let key = by_name(table.key.iter().copied(), true, false);
    let distinct = rows
        .clone()
        .lazy()
        .unique(Some(key), UniqueKeepStrategy::Any)
        .collect()?
        .height();
    match rows.height() - distinct {
        0 => Ok(()),
        rows => Err(Broken::Duplicate {
            table: table.name,
            key: table.key.join(", "),
            rows,
        }
        .into()),
    }
}

fn total(rows: &DataFrame, column: &str) -> PolarsResult<i64> {
    Ok(rows.column(column)?.i64()?.sum().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_and_repeated_keys_are_named() {
        let days = Series::new("day".into(), [Some(1), Some(1), None])
            .cast(&DataType::Date)
            .unwrap();
        let columns = daily_kpis::GOLD
            .table
            .columns
            .iter()
            .map(|column| match column.name {
                "day" => days.clone().into_column(),
                name => Series::new(name.into(), [1_i64, 1, 1])
                    .strict_cast(&column.kind.polars())
                    .unwrap()
                    .into_column(),
            });
        let rows = DataFrame::new(3, columns.collect()).unwrap();
        let null = not_null(&daily_kpis::GOLD.table, &rows).unwrap_err();
        assert_eq!(
            null.to_string(),
            "check `not null` failed: `gold_daily_kpis.day` is empty in 1 rows"
        );
        let twice = unique(&daily_kpis::GOLD.table, &rows).unwrap_err();
        assert_eq!(
            twice.to_string(),
            "check `unique` failed: 1 rows of `gold_daily_kpis` share their `day, shop_id, currency` with another"
        );
    }
}
