//! Replacing rows by key: which files are written again, and how.
//!
//! Only files that may hold a row that goes are read. A large one becomes one file again; small ones are merged with what
//! is new, also when they have become many, so that merging is part of writing.

use std::collections::{BTreeMap, BTreeSet};

use deltalake_core::kernel::Add;
use polars::prelude::*;

use super::super::{Day, Filter, Query, WarehouseError};
use super::statistics::Bounds;
use super::{Lake, files};
use crate::table::{ColumnType, Table};

/// A file of this size or more is merged with no other.
const LARGE_BYTES: i64 = 4 * 1024 * 1024;
/// This many small files in a partition are merged by the next write to it.
const MANY: usize = 8;

/// The partitions that rows lie in; an unpartitioned table has one, `None`.
pub(super) fn days(
    table: &Table,
    rows: &DataFrame,
) -> Result<BTreeSet<Option<Day>>, WarehouseError> {
    let Some(column) = table.partition else {
        return Ok((rows.height() > 0).then_some(None).into_iter().collect());
    };
    let days = rows.column(column).and_then(|days| days.date().cloned());
    let days = days.map_err(|source| data(table, source))?;
    Ok(days.physical().iter().collect())
}

/// Splits files into those to write again and those that stay.
pub(super) fn split(
    table: &Table,
    published: Vec<Add>,
    gone: &DataFrame,
    new_days: &BTreeSet<Option<Day>>,
) -> Result<(Vec<Add>, Vec<Add>), WarehouseError> {
    let gone = filters_by_day(table, gone)?;
    let mut small: BTreeMap<Option<Day>, usize> = BTreeMap::new();
    for add in published.iter().filter(|add| add.size < LARGE_BYTES) {
        *small.entry(files::day_of(table, add)).or_default() += 1;
    }
    let is_crowded = |add: &Add, day: &Option<Day>| {
        add.size < LARGE_BYTES
            && new_days.contains(day)
            && small.get(day).is_some_and(|files| *files >= MANY)
    };
    let may_hold = |add: &Add, day: &Option<Day>| {
        gone.get(day).is_some_and(|filters| {
            let bounds = Bounds::read(add.stats.as_deref());
            filters.iter().all(|filter| bounds.may_hold(filter))
        })
    };
    Ok(published.into_iter().partition(|add| {
        let day = files::day_of(table, add);
        is_crowded(add, &day) || may_hold(add, &day)
    }))
}

/// For each partition what is true of all rows that go.
fn filters_by_day(
    table: &Table,
    gone: &DataFrame,
) -> Result<BTreeMap<Option<Day>, Vec<Filter>>, WarehouseError> {
    let mut filters = BTreeMap::new();
    if gone.height() == 0 {
        return Ok(filters);
    }
    let parts = match table.partition {
        Some(column) => gone.partition_by([column], true),
        None => Ok(vec![gone.clone()]),
    };
    for part in parts.map_err(|source| data(table, source))? {
        let texts = text_filters(table, &part).map_err(|source| data(table, source))?;
        for day in days(table, &part)? {
            filters.insert(day, texts.clone());
        }
    }
    Ok(filters)
}

fn text_filters(table: &Table, gone: &DataFrame) -> PolarsResult<Vec<Filter>> {
    let texts = table
        .columns
        .iter()
        .filter(|column| column.kind == ColumnType::Text && table.key.contains(&column.name));
    texts
        .map(|column| {
            let values = gone.column(column.name)?.unique()?;
            let values = values.str()?.iter().flatten().map(str::to_owned).collect();
            Ok(Filter::TextIn(column.name, values))
        })
        .collect()
}

impl Lake {
    /// Writes files again without the rows that go, and what is new with the small ones of them.
    pub(super) async fn rewrite(
        &self,
        table: &'static Table,
        replaced: &[Add],
        gone: &DataFrame,
        rows: DataFrame,
    ) -> Result<Vec<Add>, WarehouseError> {
        let (large, small): (Vec<Add>, Vec<Add>) = replaced
            .iter()
            .cloned()
            .partition(|add| add.size >= LARGE_BYTES);
        let mut made = Vec::new();
        for file in large {
            let stored = self.rows(table, vec![file], &Query::all()).await?;
            made.extend(self.write(table, without(table, stored, gone)?)?);
        }
        let stored = self.rows(table, small, &Query::all()).await?;
        let kept = without(table, stored, gone)?;
        let together = kept.vstack(&rows).map_err(|source| data(table, source))?;
        made.extend(self.write(table, together)?);
        Ok(made)
    }
}

/// The rows whose key is not among those that go.
pub(super) fn without(
    table: &Table,
    rows: DataFrame,
    gone: &DataFrame,
) -> Result<DataFrame, WarehouseError> {
    let key: Vec<Expr> = table.key.iter().copied().map(col).collect();
    let kept = rows.lazy().join(
        gone.clone().lazy(),
        key.clone(),
        key,
        JoinArgs::new(JoinType::Anti),
    );
    kept.collect().map_err(|source| data(table, source))
}

fn data(table: &Table, source: PolarsError) -> WarehouseError {
    WarehouseError::Data {
        what: format!("rows of `{}`", table.name),
        source,
    }
}
