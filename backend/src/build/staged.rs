//! The tables as they will be after a run: what the run replaces, in memory, over what stays stored.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::*;

use super::rows::{anti, both, days_in, semi};
use crate::table::Table;
use crate::warehouse::{Change, Day, Publication, Query, Replaces, Warehouse, WarehouseError};

/// What a run has made, over the publication it started from.
pub struct Staged<'a> {
    warehouse: &'a dyn Warehouse,
    base: Publication,
    edits: BTreeMap<&'static str, Edit>,
}

struct Edit {
    table: &'static Table,
    /// The stored rows that go.
    gone: DataFrame,
    rows: DataFrame,
}

impl<'a> Staged<'a> {
    /// Starts from `base`.
    pub fn over(warehouse: &'a dyn Warehouse, base: Publication) -> Self {
        Self {
            warehouse,
            base,
            edits: BTreeMap::new(),
        }
    }

    /// What is stored, without what this run has made.
    ///
    /// # Errors
    /// Returns an error if the warehouse cannot be read.
    pub async fn stored(
        &self,
        table: &'static Table,
        query: Query,
    ) -> Result<DataFrame, WarehouseError> {
        self.warehouse.read(&self.base, table, &query).await
    }

    /// The rows a table will have.
    ///
    /// # Errors
    /// Returns an error if the warehouse cannot be read.
    pub async fn contents(&self, table: &'static Table, query: Query) -> anyhow::Result<DataFrame> {
        let Some(edit) = self.edits.get(table.name) else {
            return Ok(self.stored(table, query).await?);
        };
        let columns: Vec<Expr> = query.selected(table).into_iter().map(col).collect();
        let made = query.narrow(table, edit.rows.clone().lazy())?;
        let stored = self.stored(table, query.with_columns(table.key)).await?;
        let kept = anti(stored.lazy(), edit.gone.clone().lazy(), table.key);
        let together = concat(
            [kept.select(columns.clone()), made.select(columns)],
            UnionArgs::default(),
        )?;
        Ok(together.collect()?)
    }

    /// Replaces stored rows of a table, given whole, by others. Rows that are the same before and after stay as they are.
    ///
    /// # Errors
    /// Returns an error if a frame is not one of the table.
    pub fn replace(
        &mut self,
        table: &'static Table,
        before: DataFrame,
        after: DataFrame,
    ) -> PolarsResult<()> {
        let same = unchanged(table, &before, &after);
        self.edits
            .insert(table.name, Edit::of(table, before, after, same)?);
        Ok(())
    }

    /// Brings stored rows of a table, given whole, in line with what they should be, beside others that were given before. Where
    /// somebody has stored a key more than once, all of its rows go.
    ///
    /// # Errors
    /// Returns an error if a frame is not one of the table.
    pub fn correct(
        &mut self,
        table: &'static Table,
        before: DataFrame,
        after: DataFrame,
    ) -> PolarsResult<()> {
        let key: Vec<Expr> = table.key.iter().copied().map(col).collect();
        let times = before
            .clone()
            .lazy()
            .group_by(key)
            .agg([len().alias("times")]);
        let once = times.filter(col("times").eq(lit(1)));
        let same = semi(unchanged(table, &before, &after), once, table.key);
        let mut edit = Edit::of(table, before, after, same)?;
        if let Some(earlier) = self.edits.remove(table.name) {
            edit.gone = earlier.gone.vstack(&edit.gone)?;
            edit.rows = earlier.rows.vstack(&edit.rows)?;
        }
        self.edits.insert(table.name, edit);
        Ok(())
    }

    /// Leaves a table as it is stored, after all.
    pub fn leave(&mut self, table: &Table) {
        self.edits.remove(table.name);
    }

    /// The tables of which this run changes rows, with the new ones.
    pub fn made(&self) -> impl Iterator<Item = (&'static Table, &DataFrame)> {
        self.edits
            .values()
            .filter(|edit| edit.changes())
            .map(|edit| (edit.table, &edit.rows))
    }

    /// The rows of a table that go, and those that come.
    pub fn replaced(&self, table: &Table) -> (DataFrame, DataFrame) {
        match self.edits.get(table.name) {
            Some(edit) => (edit.gone.clone(), edit.rows.clone()),
            None => (table.empty(), table.empty()),
        }
    }

    /// The rows of a table that go and those that come, together.
    ///
    /// # Errors
    /// Returns an error if the two do not fit together.
    pub fn changed(&self, table: &Table) -> PolarsResult<LazyFrame> {
        let (gone, came) = self.replaced(table);
        both(gone.lazy(), came.lazy())
    }

    /// Whether this run changes rows of a table.
    pub fn touches(&self, table: &Table) -> bool {
        self.edits.get(table.name).is_some_and(Edit::changes)
    }

    /// The days on which rows of a table change.
    ///
    /// # Errors
    /// Returns an error if the partition of the table is not a day.
    pub fn days(&self, table: &Table) -> PolarsResult<BTreeSet<Day>> {
        let (Some(edit), Some(day)) = (self.edits.get(table.name), table.partition) else {
            return Ok(BTreeSet::new());
        };
        let mut days = days_in(&edit.rows, day)?;
        days.extend(days_in(&edit.gone, day)?);
        Ok(days)
    }

    /// What to publish.
    ///
    /// # Errors
    /// Returns an error if a frame lacks its table's key.
    pub fn into_changes(self) -> PolarsResult<Vec<Change>> {
        let changed = self.edits.into_values().filter(Edit::changes);
        changed.map(Edit::into_change).collect()
    }
}

impl Edit {
    /// What becomes of rows, without those whose keys are in `same`.
    fn of(
        table: &'static Table,
        before: DataFrame,
        after: DataFrame,
        same: LazyFrame,
    ) -> PolarsResult<Self> {
        let same = same.collect()?;
        let gone = anti(before.lazy(), same.clone().lazy(), table.key);
        let rows = anti(after.lazy(), same.lazy(), table.key);
        Ok(Self {
            table,
            gone: table.conform(gone).collect()?,
            rows: table.conform(rows).collect()?,
        })
    }

    fn changes(&self) -> bool {
        self.gone.height() + self.rows.height() > 0
    }

    fn into_change(self) -> PolarsResult<Change> {
        Ok(Change {
            table: self.table,
            replaces: Replaces::Keys(self.gone.select(self.table.address())?),
            rows: self.rows.into(),
        })
    }
}

/// The keys of rows that are the same in both frames.
fn unchanged(table: &Table, before: &DataFrame, after: &DataFrame) -> LazyFrame {
    let key = || table.key.iter().copied().map(col).collect::<Vec<_>>();
    let others = || {
        table
            .column_names()
            .filter(|column| !table.key.contains(column))
    };
    let other_name = |column: &str| format!("{column} after");
    let right = key()
        .into_iter()
        .chain(others().map(|column| col(column).alias(other_name(column))));
    let right = after.clone().lazy().select(right.collect::<Vec<_>>());
    let same = others()
        .map(|column| col(column).eq_missing(col(other_name(column))))
        .reduce(Expr::and)
        .unwrap_or_else(|| lit(true));
    before
        .clone()
        .lazy()
        .join(right, key(), key(), JoinArgs::new(JoinType::Inner))
        .filter(same)
        .select(key())
}
