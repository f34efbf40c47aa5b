//! Files of a lake's table as another warehouse takes them over: a lake by moving them, others by reading them.

use std::fs;
use std::path::{Path, PathBuf};

use deltalake_core::kernel::Add;
use polars::prelude::DataFrame;

use super::super::{Publication, Query, WarehouseError};
use super::files;
use super::statistics::Bounds;
use super::{Lake, scan};
use crate::table::Table;

/// A file with rows of a table.
#[derive(Debug)]
pub struct RowFile {
    folder: PathBuf,
    add: Add,
}

impl Lake {
    /// The files of a table as a publication has it.
    ///
    /// # Errors
    /// Returns an error if the table cannot be read.
    pub(crate) async fn row_files(
        &self,
        publication: &Publication,
        table: &'static Table,
    ) -> Result<Vec<RowFile>, WarehouseError> {
        let Some(version) = publication.tables.get(table.name) else {
            return Ok(Vec::new());
        };
        let files = self.table(table, Some(*version)).await?.adds();
        let folder = self.folder(table);
        Ok(files
            .into_values()
            .map(|add| RowFile {
                folder: folder.clone(),
                add,
            })
            .collect())
    }
}

impl RowFile {
    /// How many rows it has.
    pub(crate) fn height(&self) -> usize {
        Bounds::read(self.add.stats.as_deref()).rows()
    }

    /// Its size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        usize::try_from(self.add.size).unwrap_or(0)
    }

    /// Reads the rows of files of one table.
    ///
    /// # Errors
    /// Returns an error if they cannot be read.
    pub(crate) async fn read(
        table: &'static Table,
        files: Vec<Self>,
    ) -> Result<DataFrame, WarehouseError> {
        let Some(folder) = files.first().map(|file| file.folder.clone()) else {
            return Ok(table.empty());
        };
        let adds = files.into_iter().map(|file| file.add).collect();
        scan::read(table, &folder, adds, Query::all()).await
    }

    /// Moves the file into the folder of a table, on disk to stay; returns what names it there.
    ///
    /// # Errors
    /// Returns an error if the file system refuses.
    pub(super) fn move_into(self, folder: &Path) -> Result<Add, WarehouseError> {
        let (from, to) = (
            self.folder.join(&self.add.path),
            folder.join(&self.add.path),
        );
        let parent = to.parent().unwrap_or(folder);
        let moved = files::make_folder(parent)
            .and_then(|()| fs::rename(&from, &to))
            .and_then(|()| files::sync_folder(parent));
        moved.map_err(|source| WarehouseError::Io {
            path: to.display().to_string(),
            source,
        })?;
        Ok(self.add)
    }
}
