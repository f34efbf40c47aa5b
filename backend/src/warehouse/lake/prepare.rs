//! Tables as their definitions say: made where they are missing, completed where they lack columns, and with a float where
//! a whole number was.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake_core::kernel::{
    Action, DataType as DeltaType, MetadataExt, MetadataValue, PrimitiveType, StructField,
    StructType,
};
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::table::state::DeltaTableState;
use deltalake_core::{DeltaTable, DeltaTableError};

use super::super::WarehouseError;
use super::{delta, files, protocol};
use crate::table::{Column, ColumnType, Table};

/// Commits of others that a change of the table gives way to.
const MAX_RACES: usize = 20;

/// Makes the table, adds the columns it lacks, and sets how long it keeps what was replaced. Others may do the same at
/// the same time.
///
/// # Errors
/// Returns [`WarehouseError::Altered`] if a column has another type than its definition.
pub(super) async fn prepare(
    table: &'static Table,
    folder: &Path,
    retention: Duration,
) -> Result<(), WarehouseError> {
    let io_error = |source| WarehouseError::Io {
        path: folder.display().to_string(),
        source,
    };
    files::make_folder(folder).map_err(io_error)?;
    let mut races = 0;
    loop {
        match prepare_once(table, folder, retention).await {
            Err(error) if is_race(&error) && races < MAX_RACES => races += 1,
            Err(error) => return Err(error),
            Ok(Changed::No) => return Ok(()),
            Ok(Changed::Yes) => {
                return files::sync_files(&folder.join("_delta_log")).map_err(io_error);
            }
        }
    }
}

/// Whether somebody else has just made or changed the table.
fn is_race(error: &WarehouseError) -> bool {
    let WarehouseError::Delta { source, .. } = error else {
        return false;
    };
    matches!(
        source.as_ref(),
        // The last one is how deltalake says that the table has just been created: its own type is private.
        DeltaTableError::Transaction { .. }
            | DeltaTableError::VersionAlreadyExists(_)
            | DeltaTableError::GenericError { .. }
    )
}

/// Whether something was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Changed {
    Yes,
    No,
}

async fn prepare_once(
    table: &'static Table,
    folder: &Path,
    retention: Duration,
) -> Result<Changed, WarehouseError> {
    let error = |error| delta::delta_error(table, error);
    let mut delta = delta::builder(table, folder)?.build().map_err(error)?;
    if !delta.verify_deltatable_existence().await.map_err(error)? {
        return create(table, &delta, retention)
            .await
            .map(|_| Changed::Yes)
            .map_err(error);
    }
    delta.load().await.map_err(error)?;
    let state = delta.snapshot().map_err(error)?;
    protocol::check(table, state)?;
    let missing = missing_columns(table, state)?;
    let kept = state.metadata().configuration();
    let properties: HashMap<String, String> = properties(retention)
        .into_iter()
        .filter(|(name, value)| kept.get(name) != Some(value))
        .collect();
    let mut changed = Changed::No;
    if !properties.is_empty() {
        changed = Changed::Yes;
        delta = delta
            .set_tbl_properties()
            .with_properties(properties)
            .await
            .map_err(error)?;
    }
    if !missing.is_empty() {
        changed = Changed::Yes;
        delta = delta
            .add_columns()
            .with_fields(missing)
            .await
            .map_err(error)?;
    }
    let state = delta.snapshot().map_err(error)?;
    if let Some(schema) = widened(table, &state.schema()).map_err(error)? {
        changed = Changed::Yes;
        widen(&delta, &schema).await.map_err(error)?;
    }
    Ok(changed)
}

/// Gives the table another schema, and takes away the files that do not follow it. Publications name the version before,
/// in which they stand; the next build makes the table again.
async fn widen(delta: &DeltaTable, schema: &StructType) -> Result<(), DeltaTableError> {
    let state = delta.snapshot()?;
    let metadata = state.metadata().clone().with_schema(schema)?;
    let live = state.log_data();
    let removed = live
        .iter()
        .map(|file| Action::Remove(delta::remove(&delta::add(&file))));
    let actions = [Action::Metadata(metadata)].into_iter().chain(removed);
    let operation = DeltaOperation::Write {
        mode: SaveMode::Overwrite,
        partition_by: None,
        predicate: None,
    };
    CommitBuilder::from(CommitProperties::default())
        .with_actions(actions.collect())
        .build(Some(state), delta.log_store(), operation)
        .await
        .map(drop)
}

/// The schema with a float wherever the definition has one and a whole number is stored; `None` if there is no such column.
fn widened(table: &Table, stored: &StructType) -> Result<Option<StructType>, DeltaTableError> {
    let becomes_float = |field: &StructField| {
        let column = table
            .columns
            .iter()
            .find(|column| column.name == field.name());
        column.is_some_and(|column| may_widen(column, field))
    };
    if !stored.fields().any(becomes_float) {
        return Ok(None);
    }
    let fields = stored.fields().cloned().map(|mut field| {
        if becomes_float(&field) {
            field.data_type = data_type(ColumnType::Float);
        }
        field
    });
    StructType::try_new(fields)
        .map(Some)
        .map_err(DeltaTableError::from)
}

/// Whether the definition has a float where a whole number is stored.
fn may_widen(column: &Column, stored: &StructField) -> bool {
    column.kind == ColumnType::Float && *stored.data_type() == data_type(ColumnType::Integer)
}

fn create(table: &Table, delta: &DeltaTable, retention: Duration) -> CreateBuilder {
    let properties = properties(retention).map(|(name, value)| (name, Some(value)));
    delta
        .create()
        .with_table_name(table.name)
        .with_comment(table.description)
        .with_columns(table.columns.iter().map(field))
        .with_partition_columns(table.partition)
        .with_configuration(properties)
}

/// For everybody who tidies the table, not only for us.
fn properties(retention: Duration) -> [(String, String); 3] {
    let hours = format!("interval {} hours", retention.as_secs() / 3_600);
    [
        ("delta.enableExpiredLogCleanup", "true".to_owned()),
        ("delta.logRetentionDuration", hours.clone()),
        ("delta.deletedFileRetentionDuration", hours),
    ]
    .map(|(name, value)| (name.to_owned(), value))
}

/// The columns that may be added; one that every row must have is refused, since old rows lack it.
fn missing_columns(
    table: &Table,
    state: &DeltaTableState,
) -> Result<Vec<StructField>, WarehouseError> {
    let schema = state.schema();
    let altered = |column: &Column, found: String| WarehouseError::Altered {
        table: table.name.to_owned(),
        column: column.name.to_owned(),
        found,
        expected: data_type(column.kind).to_string(),
    };
    let mut missing = Vec::new();
    for column in table.columns {
        match schema.field(column.name) {
            None if column.nullable => missing.push(field(column)),
            None => return Err(altered(column, "missing".to_owned())),
            Some(found)
                if *found.data_type() != data_type(column.kind) && !may_widen(column, found) =>
            {
                return Err(altered(column, found.data_type().to_string()));
            }
            Some(_) => {}
        }
    }
    Ok(missing)
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
