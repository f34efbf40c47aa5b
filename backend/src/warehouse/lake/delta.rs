//! One Delta table: its schema, its live files, its commits.

use std::collections::HashMap;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake_core::kernel::{
    Action, Add, DataType as DeltaType, MetadataValue, PrimitiveType, Remove, StructField,
    Transaction,
};
use deltalake_core::logstore::{get_actions, read_commit_entry};
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use url::Url;

use super::super::{Cursor, Offsets, WarehouseError};
use super::{files, protocol};
use crate::bronze;
use crate::table::{Column, ColumnType, Table};

/// Kafka partitions that a topic may have; offsets are looked up for each.
const MAX_PARTITIONS: i32 = 64;

/// A Delta table at one version.
#[derive(Clone)]
pub(super) struct DeltaTableFiles {
    definition: &'static Table,
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
        Self { definition, delta }.checked()
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

    /// Live files by path.
    pub(super) fn adds(&self) -> HashMap<String, Add> {
        let Ok(state) = self.delta.snapshot() else {
            return HashMap::new();
        };
        state
            .log_data()
            .iter()
            .map(|file| {
                let add = Add {
                    path: file.path().into_owned(),
                    partition_values: file.partition_values_map(),
                    size: file.size(),
                    modification_time: file.modification_time(),
                    data_change: true,
                    stats: file.stats(),
                    ..Add::default()
                };
                (add.path.clone(), add)
            })
            .collect()
    }

    /// Files added by the commits after `cursor`; all live files without one.
    pub(super) async fn added_since(
        &self,
        cursor: Option<&Cursor>,
    ) -> Result<Vec<Add>, WarehouseError> {
        let Some(cursor) = cursor else {
            return Ok(self.adds().into_values().collect());
        };
        let after: u64 = cursor.0.parse().map_err(|_| WarehouseError::Corrupt {
            path: self.definition.name.to_owned(),
            reason: format!("`{}` is not a table version", cursor.0),
        })?;
        let store = self.delta.object_store();
        let mut added = Vec::new();
        for version in after + 1..=self.version() {
            let entry = read_commit_entry(store.as_ref(), version)
                .await
                .map_err(|error| self.error(error))?;
            let entry = entry.ok_or_else(|| WarehouseError::Corrupt {
                path: self.definition.name.to_owned(),
                reason: format!(
                    "commit {version} is gone from its log\nhint: `shoptrail build --rebuild`"
                ),
            })?;
            let actions = get_actions(version, &entry).map_err(|error| self.error(error))?;
            added.extend(actions.into_iter().filter_map(|action| match action {
                Action::Add(add) => Some(add),
                _ => None,
            }));
        }
        Ok(added)
    }

    /// The offsets that landings of `topic` have stored in this table.
    pub(super) async fn offsets(&self, topic: &str) -> Result<Offsets, WarehouseError> {
        let state = self.delta.snapshot().map_err(|error| self.error(error))?;
        let store = self.delta.log_store();
        let mut offsets = Offsets::new();
        for partition in 0..MAX_PARTITIONS {
            let stored = state
                .transaction_version(store.as_ref(), land_app_id(topic, partition))
                .await;
            if let Some(offset) = stored.map_err(|error| self.error(error))? {
                offsets.insert(partition, offset);
            }
        }
        Ok(offsets)
    }

    /// Commits on top of this version; returns the new one.
    pub(super) async fn commit(
        &self,
        actions: Vec<Action>,
        transactions: Vec<Transaction>,
        writer: &'static str,
    ) -> Result<u64, WarehouseError> {
        let state = self.delta.snapshot().map_err(|error| self.error(error))?;
        let operation = DeltaOperation::Write {
            mode: if writer == "build" {
                SaveMode::Overwrite
            } else {
                SaveMode::Append
            },
            partition_by: self
                .definition
                .partition
                .map(|column| vec![column.to_owned()]),
            predicate: None,
        };
        let properties = CommitProperties::default().with_application_transactions(transactions);
        let committed = CommitBuilder::from(properties)
            .with_actions(actions)
            .build(Some(state), self.delta.log_store(), operation)
            .await;
        match committed {
            Ok(commit) => Ok(commit.version()),
            Err(DeltaTableError::Transaction { .. }) => Err(WarehouseError::Behind {
                writer,
                what: format!("table `{}`", self.definition.name),
            }),
            Err(error) => Err(self.error(error)),
        }
    }

    /// Deletes files that no version within the retention names.
    pub(super) async fn vacuum(self) -> Result<(), WarehouseError> {
        let definition = self.definition;
        self.delta
            .vacuum()
            .with_retention_period(files::RETENTION)
            .with_enforce_retention_duration(false)
            .await
            .map_err(|error| delta_error(definition, error))?;
        Ok(())
    }

    fn error(&self, error: DeltaTableError) -> WarehouseError {
        delta_error(self.definition, error)
    }
}

/// Makes the table or adds the columns it lacks.
///
/// # Errors
/// [`WarehouseError::Altered`] when a column has another type than its definition.
pub(super) async fn prepare(table: &'static Table, folder: &Path) -> Result<(), WarehouseError> {
    std::fs::create_dir_all(folder).map_err(|source| WarehouseError::Io {
        path: folder.display().to_string(),
        source,
    })?;
    let error = |error| delta_error(table, error);
    let mut delta = builder(table, folder)?.build().map_err(error)?;
    if !delta.verify_deltatable_existence().await.map_err(error)? {
        delta
            .create()
            .with_table_name(table.name)
            .with_comment(table.description)
            .with_columns(table.columns.iter().map(field))
            .with_partition_columns(table.partition)
            .with_configuration([("delta.enableExpiredLogCleanup", Some(expire_log(table)))])
            .await
            .map_err(error)?;
        return Ok(());
    }
    delta.load().await.map_err(error)?;
    let state = delta.snapshot().map_err(error)?;
    protocol::check(table, state)?;
    let schema = state.schema();
    let mut missing = Vec::new();
    for column in table.columns {
        match schema.field(column.name) {
            None if column.nullable => missing.push(field(column)),
            None => {
                return Err(WarehouseError::Altered {
                    table: table.name.to_owned(),
                    column: column.name.to_owned(),
                    found: "missing".to_owned(),
                    expected: data_type(column.kind).to_string(),
                });
            }
            Some(found) if *found.data_type() != data_type(column.kind) => {
                return Err(WarehouseError::Altered {
                    table: table.name.to_owned(),
                    column: column.name.to_owned(),
                    found: found.data_type().to_string(),
                    expected: data_type(column.kind).to_string(),
                });
            }
            Some(_) => {}
        }
    }
    if !missing.is_empty() {
        delta
            .add_columns()
            .with_fields(missing)
            .await
            .map_err(error)?;
    }
    Ok(())
}

/// A build's cursor points into bronze's log, so that log stays whole; the other tables' logs may be cut.
fn expire_log(table: &Table) -> &'static str {
    if bronze::is_bronze(table) {
        "false"
    } else {
        "true"
    }
}

/// The application id under which a partition's landed offset is kept.
pub(super) fn land_app_id(topic: &str, partition: i32) -> String {
    format!("land-{topic}-{partition}")
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

fn builder(table: &Table, folder: &Path) -> Result<DeltaTableBuilder, WarehouseError> {
    let address = |reason: &str| WarehouseError::Address {
        url: folder.display().to_string(),
        reason: reason.to_owned(),
    };
    let folder = std::path::absolute(folder).map_err(|error| address(&error.to_string()))?;
    let url = Url::from_directory_path(&folder).map_err(|()| address("is not a folder's path"))?;
    DeltaTableBuilder::from_url(url).map_err(|error| delta_error(table, error))
}

fn field(column: &Column) -> StructField {
    StructField::new(column.name, data_type(column.kind), column.nullable).with_metadata([(
        "comment",
        MetadataValue::String(column.description.to_owned()),
    )])
}

fn data_type(kind: ColumnType) -> DeltaType {
    DeltaType::Primitive(match kind {
        ColumnType::Text => PrimitiveType::String,
        ColumnType::Integer => PrimitiveType::Long,
        ColumnType::Float => PrimitiveType::Double,
        ColumnType::Boolean => PrimitiveType::Boolean,
        ColumnType::Date => PrimitiveType::Date,
        ColumnType::Timestamp => PrimitiveType::Timestamp,
    })
}

fn delta_error(table: &Table, source: DeltaTableError) -> WarehouseError {
    if let Some(refused) = protocol::refused(table, &source) {
        return refused;
    }
    WarehouseError::Delta {
        table: table.name.to_owned(),
        source: Box::new(source),
    }
}
