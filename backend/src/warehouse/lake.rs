//! The local lake: one Delta Lake table per folder, Parquet written by polars, commits by `deltalake-core`.
//!
//! Landing keeps Kafka's offsets as Delta application transactions of the bronze table, so rows and offsets move in one
//! commit. A build commits table by table and then makes one publication file: readers follow the publication, so that
//! they see all tables of a build or none. A build killed in between leaves commits that no publication names; the next
//! build's commit of that table takes them back.

mod delta;
mod files;
mod publications;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use deltalake_core::kernel::{Action, Add, Transaction};
use polars::prelude::*;
use tokio::sync::Mutex;

use self::delta::DeltaTableFiles;
use super::{
    BronzeMark, Change, Cursor, Landing, Offsets, Publication, Query, Replaces, Traffic, Warehouse,
    WarehouseError,
};
use crate::bronze;
use crate::table::Table;

/// A folder of Delta tables.
pub struct Lake {
    root: PathBuf,
    /// Tables as last loaded; kept because an update reads only the commits since.
    loaded: Mutex<HashMap<&'static str, DeltaTableFiles>>,
    /// Bronze tables and their offsets as this process last landed in them.
    landed: Mutex<HashMap<&'static str, (DeltaTableFiles, Offsets)>>,
    bytes_read: AtomicU64,
    bytes_written: AtomicU64,
}

impl Lake {
    /// A lake under `root`; nothing is read or made before the first use.
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
            loaded: Mutex::default(),
            landed: Mutex::default(),
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
        self.bytes_written.fetch_add(size(&adds), Ordering::Relaxed);
        Ok(adds)
    }

    async fn rows(
        &self,
        table: &'static Table,
        adds: Vec<Add>,
        query: &Query,
    ) -> Result<DataFrame, WarehouseError> {
        let wanted = files::wanted(table, adds, query);
        self.bytes_read.fetch_add(size(&wanted), Ordering::Relaxed);
        files::read(table, &self.folder(table), wanted, query.clone()).await
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

    /// Appends rows and offsets on top of what this lander last saw of the table; a second lander's commit since then
    /// makes it fail. Rows that the table has already are left out.
    async fn append(
        &self,
        table: &'static Table,
        rows: DataFrame,
        landing: &Landing,
        must_follow: bool,
    ) -> Result<(), WarehouseError> {
        let mut landed = self.landed.lock().await;
        let (files, stored) = match landed.remove(table.name) {
            Some(known) => known,
            None => {
                let files = DeltaTableFiles::open(table, &self.folder(table), None).await?;
                let stored = files.offsets(&landing.topic).await?;
                (files, stored)
            }
        };
        if must_follow && stored != landing.after {
            return Err(WarehouseError::Behind {
                writer: "lander",
                what: format!("topic `{}`", landing.topic),
            });
        }
        let rows = bronze::after_offsets(&rows, &stored)?;
        let actions: Vec<Action> = self
            .write(table, rows)?
            .into_iter()
            .map(Action::Add)
            .collect();
        let moved = landing
            .up_to
            .iter()
            .filter(|(partition, offset)| stored.get(*partition) != Some(*offset));
        let transactions = moved.map(|(partition, offset)| {
            Transaction::new(delta::land_app_id(&landing.topic, *partition), *offset)
        });
        let version = files
            .commit(actions, transactions.collect(), "lander")
            .await?;
        landed.insert(
            table.name,
            (files.at(Some(version)).await?, landing.up_to.clone()),
        );
        Ok(())
    }

    /// Commits new contents of one table; returns its new version.
    async fn replace(&self, previous: &Publication, change: Change) -> Result<u64, WarehouseError> {
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
        let (kept, replaced): (Vec<_>, Vec<_>) =
            published.into_values().partition(|add| match &replaces {
                Replaces::All => false,
                Replaces::Days(days) => {
                    files::day_of(table, add).is_none_or(|day| !days.contains(&day))
                }
            });
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
        actions.extend(self.write(table, rows)?.into_iter().map(Action::Add));
        tracing::debug!(
            table = table.name,
            files.replaced = replaced.len(),
            files.kept = kept.len(),
            "replaced partitions"
        );
        let version = now.commit(actions, Vec::new(), "build").await?;
        if version.is_multiple_of(files::VACUUM_EVERY) {
            self.table(table, None).await?.vacuum().await?;
        }
        Ok(version)
    }
}

#[async_trait]
impl Warehouse for Lake {
    /// A commit makes a file in the folder of commits. Before the first there is none, and nothing to be new.
    fn bronze_mark(&self) -> Option<BronzeMark> {
        let commits = self.folder(&bronze::EVENTS).join("_delta_log");
        let changed = commits.metadata().and_then(|found| found.modified());
        Some(BronzeMark(
            changed.unwrap_or(std::time::SystemTime::UNIX_EPOCH),
        ))
    }

    async fn prepare(&self, tables: &[&'static Table]) -> Result<(), WarehouseError> {
        for table in tables {
            delta::prepare(table, &self.folder(table)).await?;
        }
        Ok(())
    }

    async fn offsets(&self, topic: &str) -> Result<Offsets, WarehouseError> {
        self.table(&bronze::EVENTS, None)
            .await?
            .offsets(topic)
            .await
    }

    async fn land(&self, mut landing: Landing) -> Result<(), WarehouseError> {
        let quarantine = std::mem::take(&mut landing.quarantine);
        let events = std::mem::take(&mut landing.events);
        // Quarantine first: bronze holds the offsets that count, and a kill in between makes the next lander bring the
        // same records again, of which quarantine's own offsets then let none in twice.
        if quarantine.height() > 0 {
            self.append(&bronze::QUARANTINE, quarantine, &landing, false)
                .await?;
        }
        self.append(&bronze::EVENTS, events, &landing, true).await
    }

    async fn bronze_since(
        &self,
        cursor: Option<&Cursor>,
    ) -> Result<(DataFrame, Cursor), WarehouseError> {
        if !self.exists(&bronze::EVENTS) {
            return Ok((bronze::EVENTS.empty(), Cursor("0".to_owned())));
        }
        let files = self.table(&bronze::EVENTS, None).await?;
        let new = files.added_since(cursor).await?;
        let rows = self.rows(&bronze::EVENTS, new, &Query::all()).await?;
        Ok((rows, Cursor(files.version().to_string())))
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
            None if bronze::is_bronze(table) && self.exists(table) => {
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
        cursor: Cursor,
    ) -> Result<Publication, WarehouseError> {
        if publications::newest(&self.root)?.version != previous.version {
            return Err(WarehouseError::Behind {
                writer: "build",
                what: "the published tables".to_owned(),
            });
        }
        let mut tables = previous.tables.clone();
        for change in changes {
            let name = change.table.name;
            tables.insert(name.to_owned(), self.replace(previous, change).await?);
        }
        let publication = Publication {
            version: previous.version + 1,
            cursor: Some(cursor),
            tables,
            published_at: chrono::Utc::now().timestamp_millis(),
        };
        publications::write(&self.root, &publication)?;
        Ok(publication)
    }

    fn traffic(&self) -> Traffic {
        Traffic {
            bytes_read: self.bytes_read.load(Ordering::Relaxed),
            bytes_written: self.bytes_written.load(Ordering::Relaxed),
            ..Traffic::default()
        }
    }
}

/// Bytes of files.
fn size(adds: &[Add]) -> u64 {
    adds.iter()
        .map(|add| u64::try_from(add.size).unwrap_or(0))
        .sum()
}
