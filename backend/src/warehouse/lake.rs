//! The local lake: one Delta Lake table per folder, Parquet written by polars, commits by `deltalake-core`.
//!
//! Landing keeps Kafka's offsets as Delta application transactions of the bronze table, so rows and offsets move in one
//! commit. A build writes all its files, then commits table by table and makes one publication file: readers follow the
//! publication, so that they see all tables of a build or none. A build killed in between leaves commits that no
//! publication names; the next build's commit of that table takes them back. Landers take turns, and so do builds.
//!
//! Whoever writes also tidies: small files are merged, old versions, replaced files and those of killed writers deleted
//! once no reader can need them.

mod bronze;
mod compact;
mod delta;
mod erase;
mod files;
mod prepare;
mod protocol;
mod publications;
mod replace;
mod row_file;
mod scan;
mod settings;
mod statistics;
mod turns;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use deltalake_core::kernel::{Action, Add};
use polars::prelude::*;
use tokio::sync::Mutex;

use self::bronze::{Lander, Nothing};
use self::delta::{DeltaTableFiles, Kind};
pub use self::row_file::RowFile;
pub use self::settings::LakeArgs;
use self::statistics::Bounds;
use super::{
    Basis, BronzeMark, Change, Cursor, Day, Landing, Offsets, Portion, Publication, Query,
    Replaces, Rows, Traffic, Unread, Warehouse, WarehouseError,
};
use crate::bronze::EVENTS;
use crate::table::{Layer, Table};

/// A folder of Delta tables.
pub struct Lake {
    root: PathBuf,
    /// Tables as last loaded; kept because an update reads only the commits since.
    loaded: Mutex<HashMap<&'static str, DeltaTableFiles>>,
    settings: LakeArgs,
    lander: Mutex<Option<Lander>>,
    /// The last look for new rows, if it found none.
    nothing: Mutex<Option<Nothing>>,
    bytes_read: AtomicU64,
    bytes_written: AtomicU64,
}

impl Lake {
    /// A lake under `root`, kept as usual; nothing is read or made before the first use.
    pub fn new(root: &Path) -> Self {
        Self::with(root, LakeArgs::default())
    }

    /// A lake under `root`; nothing is read or made before the first use.
    pub fn with(root: &Path, settings: LakeArgs) -> Self {
        Self {
            root: root.to_path_buf(),
            loaded: Mutex::default(),
            settings,
            lander: Mutex::default(),
            nothing: Mutex::default(),
            bytes_read: AtomicU64::default(),
            bytes_written: AtomicU64::default(),
        }
    }

    fn folder(&self, table: &Table) -> PathBuf {
        self.root.join(table.name)
    }

    /// Whether the table has been made; only who writes makes it.
    fn exists(&self, table: &Table) -> bool {
        self.folder(table).join("_delta_log").exists()
    }

    fn write(&self, table: &Table, rows: DataFrame) -> Result<Vec<Add>, WarehouseError> {
        let adds = files::write(table, &self.folder(table), rows)?;
        self.bytes_written
            .fetch_add(files::size(&adds), Ordering::Relaxed);
        Ok(adds)
    }

    async fn rows(
        &self,
        table: &'static Table,
        adds: Vec<Add>,
        query: &Query,
    ) -> Result<DataFrame, WarehouseError> {
        let wanted = scan::wanted(table, adds, query);
        self.bytes_read
            .fetch_add(files::size(&wanted), Ordering::Relaxed);
        scan::read(table, &self.folder(table), wanted, query.clone()).await
    }

    /// The days on which a table has rows in a publication, with how many.
    ///
    /// # Errors
    /// Returns an error if the table cannot be read.
    pub(crate) async fn days(
        &self,
        publication: &Publication,
        table: &'static Table,
    ) -> Result<BTreeMap<Day, usize>, WarehouseError> {
        let mut days = BTreeMap::new();
        if let Some(version) = publication.tables.get(table.name) {
            for add in self.table(table, Some(*version)).await?.adds().values() {
                if let Some(day) = files::day_of(table, add) {
                    *days.entry(day).or_default() += Bounds::read(add.stats.as_deref()).rows();
                }
            }
        }
        Ok(days)
    }

    /// The table at `version`, or as it is now.
    async fn table(
        &self,
        table: &'static Table,
        version: Option<u64>,
    ) -> Result<DeltaTableFiles, WarehouseError> {
        let mut loaded = self.loaded.lock().await;
        let files = match loaded.remove(table.name) {
            Some(known) => known.at(version).await?,
            None => DeltaTableFiles::open(table, &self.folder(table), version).await?,
        };
        loaded.insert(table.name, files.clone());
        Ok(files)
    }

    /// The table as it is now, read from the beginning.
    async fn open(&self, table: &'static Table) -> Result<DeltaTableFiles, WarehouseError> {
        DeltaTableFiles::open(table, &self.folder(table), None).await
    }

    /// Tidies a table when it is time to. Of a table that builds make, only the published version is sure to stay.
    async fn tidy(&self, files: &DeltaTableFiles) {
        // What was committed stands; what could not be deleted is deleted later.
        if let Err(error) = files.tidy(self.settings.retention()).await {
            tracing::warn!(%error, "unused files not deleted");
        }
    }

    /// Writes the rows of a change and says what commits them.
    async fn stage(
        &self,
        previous: &Publication,
        change: Change,
    ) -> Result<(DeltaTableFiles, Vec<Action>), WarehouseError> {
        let Change {
            table,
            replaces,
            rows,
        } = change;
        let now = self.table(table, None).await?;
        let published = match previous.tables.get(table.name) {
            Some(version) => self.table(table, Some(*version)).await?.adds(),
            None => HashMap::new(),
        };
        let (rows, written) = match rows {
            Rows::Here(rows) => (rows, Vec::new()),
            Rows::Files(files) => (table.empty(), files),
            Rows::Made { .. } => {
                return Err(WarehouseError::Corrupt {
                    path: table.name.to_owned(),
                    reason: "its new rows are in another warehouse".to_owned(),
                });
            }
        };
        let new_days = replace::days(table, &rows)?;
        let (replaced, kept): (Vec<_>, Vec<_>) = match &replaces {
            Replaces::All => (published.into_values().collect(), Vec::new()),
            Replaces::Keys(gone) => {
                replace::split(table, published.into_values().collect(), gone, &new_days)?
            }
        };
        let live = now.adds();
        let keep = |path: &str| kept.iter().any(|add| add.path == path);
        let mut actions: Vec<Action> = live
            .values()
            .filter(|add| !keep(&add.path))
            .map(|add| Action::Remove(delta::remove(add)))
            .collect();
        actions.extend(
            kept.iter()
                .filter(|add| !live.contains_key(&add.path))
                .cloned()
                .map(Action::Add),
        );
        let made = match &replaces {
            Replaces::Keys(gone) => self.rewrite(table, &replaced, gone, rows).await?,
            Replaces::All => self.write(table, rows)?,
        };
        actions.extend(made.into_iter().map(Action::Add));
        for file in written {
            let add = file.move_into(&self.folder(table))?;
            let bytes = u64::try_from(add.size).unwrap_or(0);
            self.bytes_written.fetch_add(bytes, Ordering::Relaxed);
            actions.push(Action::Add(add));
        }
        tracing::debug!(
            table = table.name,
            files.replaced = replaced.len(),
            files.kept = kept.len(),
            "staged partitions"
        );
        Ok((now, actions))
    }
}

#[async_trait]
impl Warehouse for Lake {
    /// A commit makes a file in the folder of commits. Before the first there is none, and nothing to be new.
    fn bronze_mark(&self) -> Option<BronzeMark> {
        let commits = self.folder(&EVENTS).join("_delta_log");
        let changed = commits.metadata().and_then(|found| found.modified());
        Some(BronzeMark(
            changed.unwrap_or(std::time::SystemTime::UNIX_EPOCH),
        ))
    }

    async fn prepare(&self, tables: &[&'static Table]) -> Result<(), WarehouseError> {
        for table in tables {
            prepare::prepare(table, &self.folder(table), self.settings.retention()).await?;
        }
        Ok(())
    }

    async fn offsets(&self, topic: &str) -> Result<Offsets, WarehouseError> {
        self.table(&EVENTS, None).await?.offsets(topic).await
    }

    async fn land(&self, landing: Landing) -> Result<(), WarehouseError> {
        self.land_rows(landing).await
    }

    async fn unread(
        &self,
        cursor: Option<&Cursor>,
        enough: Option<usize>,
    ) -> Result<Unread, WarehouseError> {
        self.landed_since(cursor, enough).await
    }

    async fn bronze(&self, portion: Portion) -> Result<DataFrame, WarehouseError> {
        self.landed_rows(portion).await
    }

    /// In the lake itself, so that files move into its tables by their names alone.
    fn scratch_folder(&self) -> PathBuf {
        self.root.join("_rebuild")
    }

    async fn publication(&self) -> Result<Publication, WarehouseError> {
        publications::newest(&self.root)
    }

    async fn read(
        &self,
        publication: &Publication,
        table: &'static Table,
        query: &Query,
    ) -> Result<DataFrame, WarehouseError> {
        let adds = match publication.tables.get(table.name) {
            Some(version) => self.table(table, Some(*version)).await?.adds(),
            None if table.layer == Layer::Bronze && self.exists(table) => {
                self.table(table, None).await?.adds()
            }
            None => HashMap::new(),
        };
        self.rows(table, adds.into_values().collect(), query).await
    }

    async fn publish(
        &self,
        previous: &Publication,
        changes: Vec<Change>,
        basis: Basis,
    ) -> Result<Publication, WarehouseError> {
        let _turn = turns::publishing(&self.root).await?;
        if publications::newest(&self.root)?.version != previous.version {
            return Err(WarehouseError::Behind {
                writer: "build",
                what: "the published tables".to_owned(),
            });
        }
        // All files first, so that the commits follow each other at once.
        let mut staged = Vec::new();
        for change in changes {
            staged.push((change.table.name, self.stage(previous, change).await?));
        }
        let mut tables = previous.tables.clone();
        let mut committed = Vec::new();
        for (table, (files, actions)) in staged {
            let files = files.commit(actions, Vec::new(), Kind::Replace).await?;
            tables.insert(table.to_owned(), files.version());
            committed.push(files);
        }
        let publication = Publication {
            version: previous.version + 1,
            cursor: Some(basis.cursor),
            recipe: basis.recipe,
            tables,
            published_at: chrono::Utc::now().timestamp_millis(),
        };
        publications::write(&self.root, &publication)?;
        for files in &committed {
            self.tidy(files).await;
        }
        Ok(publication)
    }

    async fn delete(&self, table: &'static Table, keys: DataFrame) -> Result<(), WarehouseError> {
        self.delete_rows(table, &keys).await
    }

    async fn purge(
        &self,
        tables: &[&'static Table],
    ) -> Result<Option<&'static str>, WarehouseError> {
        self.purge_tables(tables).await?;
        Ok(Some(
            "the lake: files of writers that were killed within the last hour go when their table is tidied next",
        ))
    }

    fn traffic(&self) -> Traffic {
        Traffic {
            bytes_read: self.bytes_read.load(Ordering::Relaxed),
            bytes_written: self.bytes_written.load(Ordering::Relaxed),
            ..Traffic::default()
        }
    }
}
