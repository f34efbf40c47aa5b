//! What a table asks of its readers: other programs may have turned on what this one cannot do, and rows must then be
//! refused rather than read wrongly.

use deltalake_core::DeltaTableError;
use deltalake_core::table::state::DeltaTableState;

use super::super::WarehouseError;
use crate::table::Table;

/// Turns deletion vectors into rewritten files.
const PURGE: &str =
    "have the program that deleted rows rewrite the files, in Spark `REORG TABLE … APPLY (PURGE)`";
/// Nothing else than a copy undoes a feature.
const COPY: &str =
    "copy the rows to a new table without it, or turn the feature off where it was turned on";

/// What the library says before it has read the table, of a feature that it does not know itself.
const UNKNOWN_FEATURE: &str = "Unsupported: Feature '";

/// Tells a table that the library refuses to read from one that it fails to read.
pub(super) fn refused(table: &Table, error: &DeltaTableError) -> Option<WarehouseError> {
    let DeltaTableError::KernelError(error) = error else {
        return None;
    };
    let said = error.to_string();
    let (feature, _) = said.strip_prefix(UNKNOWN_FEATURE)?.split_once('\'')?;
    Some(unsupported(
        table,
        format!("uses Delta's feature `{feature}`"),
        COPY,
    ))
}

fn unsupported(table: &Table, reason: String, hint: &'static str) -> WarehouseError {
    WarehouseError::Unsupported {
        table: table.name.to_owned(),
        reason,
        hint,
    }
}

/// Checks that the rows of a table mean what its files say.
///
/// # Errors
/// Returns [`WarehouseError::Unsupported`] otherwise.
pub(super) fn check(table: &Table, state: &DeltaTableState) -> Result<(), WarehouseError> {
    let unsupported = |reason, hint| unsupported(table, reason, hint);
    let features = state.protocol().reader_features().unwrap_or_default();
    let mut features = features.iter().map(ToString::to_string);
    if let Some(feature) = features.find(|feature| !READABLE.contains(&feature.as_str())) {
        return Err(unsupported(
            format!("uses Delta's feature `{feature}`"),
            COPY,
        ));
    }
    let mapping = state
        .metadata()
        .configuration()
        .get("delta.columnMapping.mode");
    if mapping.is_some_and(|mode| mode != "none") {
        return Err(unsupported(
            "uses Delta's feature `columnMapping`".to_owned(),
            COPY,
        ));
    }
    let has_vectors = state
        .log_data()
        .iter()
        .any(|file| file.deletion_vector_descriptor().is_some());
    if has_vectors {
        return Err(unsupported(
            "has rows that are deleted by deletion vectors".to_owned(),
            PURGE,
        ));
    }
    Ok(())
}

/// Features that change nothing about the rows of a file that has no deletion vector, nor about the types used here.
/// Whether column mapping is in use is said by a property of its own.
const READABLE: [&str; 5] = [
    "columnMapping",
    "deletionVectors",
    "timestampNtz",
    "v2Checkpoint",
    "vacuumProtocolCheck",
];
