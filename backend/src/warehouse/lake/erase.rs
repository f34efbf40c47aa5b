//! Erasing: rows that go for good, and what old versions still hold of rows that went.

use std::time::Duration;
use std::{fs, io};

use deltalake_core::kernel::Action;
use deltalake_core::operations::vacuum::VacuumMode;
use polars::prelude::*;

use super::super::{Query, WarehouseError};
use super::delta::{self, DeltaTableFiles, Kind};
use super::files::io_error;
use super::{Lake, publications, replace, turns};
use crate::table::Table;

/// A writer that lives has named its files within this time; the others are of writers that were killed.
const WRITING: Duration = Duration::from_secs(60 * 60);

/// Where Spark makes tables until it is their turn (`deploy/databricks/rebuild.py`); a run that is killed leaves them.
const MADE_BY_SPARK: &str = "_spark";

impl Lake {
    /// Writes the files that hold rows with these keys again without them, one file in memory at a time.
    pub(super) async fn delete_rows(
        &self,
        table: &'static Table,
        gone: &DataFrame,
    ) -> Result<(), WarehouseError> {
        let _turn = turns::landing(&self.root).await?;
        let files = self.open(table).await?;
        let keys = Query::all().columns(table.key);
        let mut actions = Vec::new();
        for add in files.adds().into_values() {
            let stored = self.rows(table, vec![add.clone()], &keys).await?;
            let height = stored.height();
            if replace::without(table, stored, gone)?.height() == height {
                continue;
            }
            let stored = self.rows(table, vec![add.clone()], &Query::all()).await?;
            let kept = replace::without(table, stored, gone)?;
            actions.push(Action::Remove(delta::remove(&add)));
            actions.extend(self.write(table, kept)?.into_iter().map(Action::Add));
        }
        if !actions.is_empty() {
            files.commit(actions, Vec::new(), Kind::Erase).await?;
        }
        self.forget_what_is_known().await;
        Ok(())
    }

    /// Deletes what only versions before the newest publication name: publications, entries of the logs, files. Tables that
    /// Spark is making go too: what they were made of has been published otherwise by now.
    pub(super) async fn purge_tables(
        &self,
        tables: &[&'static Table],
    ) -> Result<(), WarehouseError> {
        let _turns = (
            turns::landing(&self.root).await?,
            turns::publishing(&self.root).await?,
        );
        let made = self.root.join(MADE_BY_SPARK);
        match fs::remove_dir_all(&made) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other.map_err(|source| io_error(&made, source))?,
        }
        let published = publications::keep_newest(&self.root)?;
        for table in tables.iter().filter(|table| self.exists(table)) {
            let version = published.tables.get(table.name).copied();
            let files = DeltaTableFiles::open(table, &self.folder(table), None).await?;
            let kept = version.unwrap_or(files.version());
            files
                .delete_unused(VacuumMode::Lite, Duration::ZERO, kept)
                .await?;
            files.delete_unused(VacuumMode::Full, WRITING, kept).await?;
            files.cut_log(kept).await?;
        }
        self.forget_what_is_known().await;
        Ok(())
    }

    /// Tables are read from the beginning after this.
    async fn forget_what_is_known(&self) {
        self.loaded.lock().await.clear();
        *self.lander.lock().await = None;
        *self.nothing.lock().await = None;
    }
}
