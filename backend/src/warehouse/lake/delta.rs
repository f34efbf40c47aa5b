//! One Delta table: its live files, its offsets, its commits.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake_core::kernel::{Action, Add, LogicalFileView, Remove, Transaction};
use deltalake_core::operations::vacuum::VacuumMode;
use deltalake_core::protocol::{DeltaOperation, SaveMode, checkpoints};
use deltalake_core::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use url::Url;

use super::super::{Offsets, WarehouseError};
use super::files::io_error;
use super::{compact, files, protocol};
use crate::table::Table;

/// Kafka partitions whose offsets are looked for where nobody has written how many there are.
const UNCOUNTED_PARTITIONS: i64 = 64;

/// The log is tidied and unused files are deleted at every so many versions: both read whole folders.
const TIDY_EVERY: u64 = 100;

/// A Delta table at one version.
#[derive(Clone)]
pub(super) struct DeltaTableFiles {
    definition: &'static Table,
    folder: PathBuf,
    delta: DeltaTable,
}

impl DeltaTableFiles {
    /// Opens the table at `version`, or as it is now.
    pub(super) async fn open(
        definition: &'static Table,
        folder: &Path,
        version: Option<u64>,
    ) -> Result<Self, WarehouseError> {
        let mut delta = builder(definition, folder)?
            .build()
            .map_err(|error| delta_error(definition, error))?;
        delta
            .update_incremental(version)
            .await
            .map_err(|error| delta_error(definition, error))?;
        Self {
            definition,
            folder: folder.to_path_buf(),
            delta,
        }
        .checked()
    }

    /// The same table at `version`, or as it is now; reads only the commits in between.
    pub(super) async fn at(mut self, version: Option<u64>) -> Result<Self, WarehouseError> {
        let moved = match version {
            Some(version) => self.delta.load_version(version).await,
            None => self.delta.update_incremental(None).await,
        };
        moved.map_err(|error| self.error(error))?;
        self.checked()
    }

    fn checked(self) -> Result<Self, WarehouseError> {
        let state = self.delta.snapshot().map_err(|error| self.error(error))?;
        protocol::check(self.definition, state)?;
        Ok(self)
    }

    pub(super) fn version(&self) -> u64 {
        self.delta.version().unwrap_or_default()
    }

    /// Whether nobody has committed since. Entries of the log go in the order of their versions.
    pub(super) fn is_newest(&self) -> bool {
        let is_there = |version| self.entry(version).exists();
        is_there(self.version()) && !is_there(self.version() + 1)
    }

    fn log(&self) -> PathBuf {
        self.folder.join("_delta_log")
    }

    fn entry(&self, version: u64) -> PathBuf {
        self.log().join(format!("{version:020}.json"))
    }

    /// Live files by path.
    pub(super) fn adds(&self) -> HashMap<String, Add> {
        let Ok(state) = self.delta.snapshot() else {
            return HashMap::new();
        };
        state
            .log_data()
            .iter()
            .map(|file| {
                let add = add(&file);
                (add.path.clone(), add)
            })
            .collect()
    }

    /// The offsets that landings of `topic` have stored in this table.
    pub(super) async fn offsets(&self, topic: &str) -> Result<Offsets, WarehouseError> {
        let state = self.delta.snapshot().map_err(|error| self.error(error))?;
        let store = self.delta.log_store();
        let stored = async |app_id: String| {
            let version = state.transaction_version(store.as_ref(), app_id).await;
            version.map_err(|error| self.error(error))
        };
        let partitions = stored(partitions_app_id(topic))
            .await?
            .unwrap_or(UNCOUNTED_PARTITIONS);
        let mut offsets = Offsets::new();
        for partition in 0..i32::try_from(partitions).unwrap_or(i32::MAX) {
            if let Some(offset) = stored(land_app_id(topic, partition)).await? {
                offsets.insert(partition, offset);
            }
        }
        Ok(offsets)
    }

    /// Commits on top of this version, on disk to stay; returns the table at the new one.
    pub(super) async fn commit(
        self,
        actions: Vec<Action>,
        transactions: Vec<Transaction>,
        kind: Kind,
    ) -> Result<Self, WarehouseError> {
        let definition = self.definition;
        let state = self.delta.snapshot().map_err(|error| self.error(error))?;
        let properties = CommitProperties::default()
            .with_application_transactions(transactions)
            // What is still published may need it: only `tidy` knows.
            .with_cleanup_expired_logs(Some(false));
        let committed = CommitBuilder::from(properties)
            .with_actions(actions)
            .build(
                Some(state),
                self.delta.log_store(),
                kind.operation(definition),
            )
            .await;
        let version = match committed {
            Ok(commit) => commit.version(),
            Err(DeltaTableError::Transaction { .. }) => {
                return Err(WarehouseError::Behind {
                    writer: kind.writer(),
                    what: format!("table `{}`", definition.name),
                });
            }
            Err(error) => return Err(self.error(error)),
        };
        self.sync(version)?;
        self.at(Some(version)).await
    }

    /// Makes a commit, and the checkpoint that the library may have made of it, survive the loss of power: what follows
    /// depends on them.
    fn sync(&self, version: u64) -> Result<(), WarehouseError> {
        let log = self.log();
        let checkpoint = log.join(format!("{version:020}.checkpoint.parquet"));
        let mut written = vec![self.entry(version)];
        if checkpoint.exists() {
            written.extend([checkpoint, log.join("_last_checkpoint")]);
        }
        for path in written {
            let synced = File::open(&path).and_then(|file| file.sync_all());
            synced.map_err(|source| io_error(&path, source))?;
        }
        files::sync_folder(&log).map_err(|source| io_error(&log, source))
    }

    /// Deletes entries of the log that the retention does not cover and files that no version within it names, those of
    /// killed writers among them; only now and then.
    pub(super) async fn tidy(&self, retention: Duration) -> Result<(), WarehouseError> {
        if !is_tidied_at(self.version()) {
            return Ok(());
        }
        let cleaned = checkpoints::cleanup_metadata(&self.delta, None).await;
        cleaned.map_err(|error| self.error(error))?;
        self.delete_unused(VacuumMode::Full, retention, self.version())
            .await
    }

    /// Deletes files that neither this version nor `kept` names, nor any within the retention.
    pub(super) async fn delete_unused(
        &self,
        mode: VacuumMode,
        retention: Duration,
        kept: u64,
    ) -> Result<(), WarehouseError> {
        let retention = chrono::Duration::from_std(retention).unwrap_or(chrono::Duration::MAX);
        let mut vacuum = self.delta.clone().vacuum();
        if kept != self.version() {
            vacuum = vacuum.with_keep_versions(&[kept]);
        }
        let (_, found) = vacuum
            .with_mode(mode)
            .with_retention_period(retention)
            .with_enforce_retention_duration(false)
            // The library would write to the log before and after.
            .with_dry_run(true)
            .await
            .map_err(|error| self.error(error))?;
        for path in found.files_deleted {
            let file = self.folder.join(&path);
            match fs::remove_file(&file) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(io_error(&file, source));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Deletes the entries of the log before a version, which a checkpoint then tells; their bounds hold values of rows.
    pub(super) async fn cut_log(&self, kept: u64) -> Result<(), WarehouseError> {
        let at = self.clone().at(Some(kept)).await?;
        let log = self.log();
        if !log.join(format!("{kept:020}.checkpoint.parquet")).exists() {
            let made = checkpoints::create_checkpoint(&at.delta, None).await;
            made.map_err(|error| self.error(error))?;
        }
        let io_error = |source| io_error(&log, source);
        for entry in fs::read_dir(&log).map_err(io_error)? {
            let path = entry.map_err(io_error)?.path();
            if version_of_entry(&path).is_some_and(|version| version < kept) {
                fs::remove_file(&path).map_err(io_error)?;
            }
        }
        files::sync_folder(&log).map_err(io_error)
    }

    fn error(&self, error: DeltaTableError) -> WarehouseError {
        delta_error(self.definition, error)
    }
}

/// The version in the name of a log's entry.
fn version_of_entry(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.get(..20)?.parse().ok()
}

/// Why a commit is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Rows have landed.
    Append,
    /// The same rows stand in other files.
    Compaction,
    /// Rows go for good.
    Erase,
    /// A build has made rows that take the place of others.
    Replace,
}

impl Kind {
    fn writer(self) -> &'static str {
        match self {
            Self::Append | Self::Compaction | Self::Erase => "lander",
            Self::Replace => "build",
        }
    }

    fn operation(self, table: &Table) -> DeltaOperation {
        let write = |mode| DeltaOperation::Write {
            mode,
            partition_by: table.partition.map(|column| vec![column.to_owned()]),
            predicate: None,
        };
        match self {
            Self::Append => write(SaveMode::Append),
            Self::Compaction => DeltaOperation::Optimize {
                predicate: None,
                target_size: compact::FULL_BYTES,
            },
            Self::Erase => DeltaOperation::Delete { predicate: None },
            Self::Replace => write(SaveMode::Overwrite),
        }
    }
}

fn is_tidied_at(version: u64) -> bool {
    version.is_multiple_of(TIDY_EVERY)
}

/// The application id under which the number of partitions with a landed offset is kept.
pub(super) fn partitions_app_id(topic: &str) -> String {
    format!("land-partitions-{topic}")
}

/// The application id under which a partition's landed offset is kept.
pub(super) fn land_app_id(topic: &str, partition: i32) -> String {
    format!("land-{topic}-{partition}")
}

/// What names a live file.
pub(super) fn add(file: &LogicalFileView) -> Add {
    Add {
        path: file.path().into_owned(),
        partition_values: file.partition_values_map(),
        size: file.size(),
        modification_time: file.modification_time(),
        data_change: true,
        stats: file.stats(),
        ..Add::default()
    }
}

/// The tombstone of a file.
pub(super) fn remove(add: &Add) -> Remove {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Remove {
        path: add.path.clone(),
        data_change: true,
        deletion_timestamp: i64::try_from(now.as_millis()).ok(),
        extended_file_metadata: Some(true),
        partition_values: Some(add.partition_values.clone()),
        size: Some(add.size),
        ..Remove::default()
    }
}

pub(super) fn builder(table: &Table, folder: &Path) -> Result<DeltaTableBuilder, WarehouseError> {
    let refused = |source: std::io::Error| WarehouseError::Io {
        path: folder.display().to_string(),
        source,
    };
    let absolute = std::path::absolute(folder).map_err(refused)?;
    let url = Url::from_directory_path(&absolute)
        .map_err(|()| refused(std::io::Error::other("this is not the path of a folder")))?;
    DeltaTableBuilder::from_url(url).map_err(|error| delta_error(table, error))
}

pub(super) fn delta_error(table: &Table, source: DeltaTableError) -> WarehouseError {
    if let Some(refused) = protocol::refused(table, &source) {
        return refused;
    }
    WarehouseError::Delta {
        table: table.name.to_owned(),
        source: Box::new(source),
    }
}
