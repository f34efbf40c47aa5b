//! Table definitions as BigQuery's: types, modes, partitioning, clustering, descriptions; and what of them a table has.

use gcp_bigquery_client::model::clustering::Clustering;
use gcp_bigquery_client::model::field_type::FieldType;
use gcp_bigquery_client::model::table::Table as Resource;
use gcp_bigquery_client::model::table_field_schema::TableFieldSchema;
use gcp_bigquery_client::model::table_schema::TableSchema;
use gcp_bigquery_client::model::time_partitioning::TimePartitioning;

use super::super::WarehouseError;
use super::settings::Settings;
use crate::bronze;
use crate::table::{Column, ColumnType, Layer, Table};

/// BigQuery clusters by so many columns at most.
const MAX_CLUSTERING: usize = 4;

/// The table as it is made.
pub(super) fn resource(settings: &Settings, table: &Table) -> Resource {
    let fields = table.columns.iter().map(field).collect();
    let mut resource = Resource::new(
        &settings.project,
        &settings.dataset,
        table.name,
        TableSchema::new(fields),
    );
    resource.description = Some(table.description.to_owned());
    resource.time_partitioning =
        partition(table).map(|column| TimePartitioning::per_day().field(column));
    resource.clustering = Some(Clustering {
        fields: Some(clustering(table)),
    });
    resource
}

/// A table that takes a Parquet file before its rows go into `table`: no column is required, because Parquet written by
/// polars says of none that it is, and a load may not change that.
pub(super) fn staging(settings: &Settings, table: &Table, name: &str, expires_ms: i64) -> Resource {
    let fields = table
        .columns
        .iter()
        .map(|column| field(&column.optional()))
        .collect();
    let mut resource = Resource::new(
        &settings.project,
        &settings.dataset,
        name,
        TableSchema::new(fields),
    );
    resource.expiration_time = Some(expires_ms.to_string());
    resource
}

/// The column by whose day the table is partitioned. Bronze is read by the time its rows landed.
fn partition(table: &Table) -> Option<&'static str> {
    table
        .partition
        .or((table.layer == Layer::Bronze).then_some(bronze::LANDED_AT))
}

/// The columns of the key: those a table is looked up by.
fn clustering(table: &Table) -> Vec<String> {
    let columns = table
        .key
        .iter()
        .filter(|column| partition(table) != Some(column));
    columns
        .take(MAX_CLUSTERING)
        .map(|column| (*column).to_owned())
        .collect()
}

/// The columns that a table lacks, as they are added.
///
/// # Errors
/// Returns [`WarehouseError::Altered`] if the table is not what its definition says, and adding columns does not help.
pub(super) fn missing(
    table: &Table,
    found: &Resource,
) -> Result<Vec<TableFieldSchema>, WarehouseError> {
    let altered = |column: &str, found: String, expected: String| WarehouseError::Altered {
        table: table.name.to_owned(),
        column: column.to_owned(),
        found,
        expected,
    };
    if let Some(column) = partition(table) {
        let by = found
            .time_partitioning
            .as_ref()
            .and_then(|partitioning| partitioning.field.as_deref());
        if by != Some(column) {
            let by = by.map_or("not the partition".to_owned(), |by| {
                format!("not the partition (that is `{by}`)")
            });
            return Err(altered(column, by, "the partition by day".to_owned()));
        }
    }
    let fields = found.schema.fields.as_deref().unwrap_or_default();
    let mut missing = Vec::new();
    for column in table.columns {
        match fields
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(column.name))
        {
            None if column.nullable => missing.push(field(column)),
            None => {
                return Err(altered(
                    column.name,
                    "missing".to_owned(),
                    column.kind.sql().to_owned(),
                ));
            }
            Some(field) if becomes_float(column, field) => {}
            Some(field) if kind(&field.r#type) != Some(column.kind) || is_repeated(field) => {
                let repeated = if is_repeated(field) { "repeated " } else { "" };
                let found = format!("{repeated}{:?}", field.r#type).to_uppercase();
                return Err(altered(column.name, found, column.kind.sql().to_owned()));
            }
            Some(_) => {}
        }
    }
    Ok(missing)
}

/// The columns that hold whole numbers and have become floats.
pub(super) fn widened(table: &Table, found: &Resource) -> Vec<&'static str> {
    let fields = found.schema.fields.as_deref().unwrap_or_default();
    let becomes_float = |column: &&Column| {
        fields.iter().any(|field| {
            field.name.eq_ignore_ascii_case(column.name) && becomes_float(column, field)
        })
    };
    let columns = table.columns.iter().filter(becomes_float);
    columns.map(|column| column.name).collect()
}

fn becomes_float(column: &Column, found: &TableFieldSchema) -> bool {
    column.kind == ColumnType::Float
        && kind(&found.r#type) == Some(ColumnType::Integer)
        && !is_repeated(found)
}

fn is_repeated(field: &TableFieldSchema) -> bool {
    field.mode.as_deref() == Some("REPEATED")
}

fn field(column: &Column) -> TableFieldSchema {
    let kind = match column.kind {
        ColumnType::Text => FieldType::String,
        ColumnType::Integer => FieldType::Integer,
        ColumnType::Float => FieldType::Float,
        ColumnType::Boolean => FieldType::Boolean,
        ColumnType::Date => FieldType::Date,
        ColumnType::Timestamp => FieldType::Timestamp,
    };
    let mut field = TableFieldSchema::new(column.name, kind);
    field.mode = Some(
        if column.nullable {
            "NULLABLE"
        } else {
            "REQUIRED"
        }
        .to_owned(),
    );
    field.description = Some(column.description.to_owned());
    field
}

fn kind(found: &FieldType) -> Option<ColumnType> {
    Some(match found {
        FieldType::String => ColumnType::Text,
        FieldType::Integer | FieldType::Int64 => ColumnType::Integer,
        FieldType::Float | FieldType::Float64 => ColumnType::Float,
        FieldType::Boolean | FieldType::Bool => ColumnType::Boolean,
        FieldType::Date => ColumnType::Date,
        FieldType::Timestamp => ColumnType::Timestamp,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build;

    #[test]
    fn every_table_is_partitioned_as_it_is_read_and_clustered_by_its_key() {
        for table in build::tables() {
            let clustering = clustering(table);
            assert!(
                !clustering.is_empty() && clustering.len() <= MAX_CLUSTERING,
                "{}",
                table.name
            );
            let by = partition(table);
            assert!(
                by.is_none_or(|by| table.columns.iter().any(|column| column.name == by)),
                "{}",
                table.name
            );
        }
        assert_eq!(partition(&bronze::EVENTS), Some("_landed_at"));
    }
}
