//! What the steps of a build ask of rows: pure functions from frames to frames and plain values.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::*;

use crate::config::Reporting;
use crate::silver;
use crate::warehouse::Day;

/// Rows of `left` that have a partner in `right`.
pub(super) fn semi(left: LazyFrame, right: LazyFrame, on: &[&str]) -> LazyFrame {
    join(left, right, on, JoinType::Semi)
}

/// Rows of `left` that have no partner in `right`.
pub(super) fn anti(left: LazyFrame, right: LazyFrame, on: &[&str]) -> LazyFrame {
    join(left, right, on, JoinType::Anti)
}

fn join(left: LazyFrame, right: LazyFrame, on: &[&str], kind: JoinType) -> LazyFrame {
    let on: Vec<Expr> = on.iter().copied().map(col).collect();
    left.join(right, on.clone(), on, JoinArgs::new(kind))
}

/// The rows of both frames.
pub(super) fn both(left: LazyFrame, right: LazyFrame) -> PolarsResult<LazyFrame> {
    let in_order = UnionArgs {
        maintain_order: true,
        ..UnionArgs::default()
    };
    concat([left, right], in_order)
}

/// The distinct texts of a column, in order.
pub(super) fn texts(rows: &DataFrame, column: &str) -> PolarsResult<Vec<String>> {
    let texts: BTreeSet<String> = rows
        .column(column)?
        .str()?
        .iter()
        .flatten()
        .map(str::to_owned)
        .collect();
    Ok(texts.into_iter().collect())
}

/// The days that occur in a `DATE` column.
pub(super) fn days_in(rows: &DataFrame, column: &str) -> PolarsResult<BTreeSet<Day>> {
    let days = rows.column(column)?.date()?.physical();
    Ok(days.iter().flatten().collect())
}

/// The days, with so many before and after each.
pub(super) fn days_around(days: &BTreeSet<Day>, before: Day, after: Day) -> BTreeSet<Day> {
    days.iter()
        .flat_map(|day| day - before..=day + after)
        .collect()
}

/// Days in order, in groups of about so many rows; `rows` has how many a day has.
pub(super) fn day_groups(
    days: BTreeSet<Day>,
    rows: &BTreeMap<Day, usize>,
    rows_at_once: usize,
) -> Vec<BTreeSet<Day>> {
    let mut groups: Vec<BTreeSet<Day>> = Vec::new();
    let mut held = rows_at_once;
    for day in days {
        if held >= rows_at_once {
            groups.push(BTreeSet::new());
            held = 0;
        }
        held += rows.get(&day).copied().unwrap_or_default();
        if let Some(group) = groups.last_mut() {
            group.insert(day);
        }
    }
    groups
}

/// Rows whose `day` is one of these.
pub(super) fn in_days(days: &BTreeSet<Day>) -> PolarsResult<Expr> {
    let days: Vec<Day> = days.iter().copied().collect();
    let days = Series::new("days".into(), days)
        .cast(&DataType::Date)?
        .implode()?
        .into_series();
    Ok(col("day").is_in(lit(days), false))
}

/// Every day, in the time zone of its shop, between two instants of each row.
pub(super) fn days_spanned(
    rows: &DataFrame,
    from: &str,
    to: &str,
    reporting: &Reporting,
) -> PolarsResult<BTreeSet<Day>> {
    let ends = rows.clone().lazy().select([
        silver::day(from, reporting).alias("from"),
        silver::day(to, reporting).alias("to"),
    ]);
    let ends = ends.collect()?;
    let (from, to) = (
        ends.column("from")?.date()?.physical().clone(),
        ends.column("to")?.date()?.physical().clone(),
    );
    Ok(from
        .iter()
        .zip(to.iter())
        .filter_map(|(from, to)| Some(from?..=to?))
        .flatten()
        .collect())
}
