//! Bronze: events as they came, append only; and what could not be read, with its reason.

use polars::prelude::*;

use crate::table::ColumnType::{Integer, Text, Timestamp};
use crate::table::{Column, Layer, Table};
use crate::warehouse::{Offsets, WarehouseError};

/// The column that tells when a row landed.
pub const LANDED_AT: &str = "_landed_at";

/// Events as they came.
pub static EVENTS: Table = Table {
    name: "bronze_events",
    layer: Layer::Bronze,
    description: "One row per Kafka record that holds an event, as it came",
    columns: &[
        Column::new("_topic", Text, "Kafka topic"),
        Column::new("_partition", Integer, "Kafka partition"),
        Column::new("_offset", Integer, "Kafka offset"),
        Column::new(
            "_kafka_timestamp",
            Timestamp,
            "Time the broker gave the record",
        )
        .optional(),
        Column::new(LANDED_AT, Timestamp, "Time the record landed here"),
        Column::new("schema_id", Integer, "Id of its schema in Schema Registry"),
        Column::new("record", Text, "The record's JSON: event, batch and edge"),
    ],
    partition: None,
    key: &["_topic", "_partition", "_offset"],
};

/// Records that hold no event.
pub static QUARANTINE: Table = Table {
    name: "bronze_quarantine",
    layer: Layer::Bronze,
    description: "One row per Kafka record that could not be read, with the reason",
    columns: &[
        Column::new("_topic", Text, "Kafka topic"),
        Column::new("_partition", Integer, "Kafka partition"),
        Column::new("_offset", Integer, "Kafka offset"),
        Column::new(
            "_kafka_timestamp",
            Timestamp,
            "Time the broker gave the record",
        )
        .optional(),
        Column::new(LANDED_AT, Timestamp, "Time the record landed here"),
        Column::new("code", Text, "What is wrong, a bounded list"),
        Column::new(
            "pointer",
            Text,
            "Where in the record: JSON Pointer, empty for the whole",
        ),
        Column::new("reason", Text, "What is wrong, in a sentence"),
        Column::new("value_base64", Text, "The record's bytes"),
    ],
    partition: None,
    key: &["_topic", "_partition", "_offset"],
};

/// The rows that lie after the given offsets of their partitions.
///
/// # Errors
/// When the frame is not one of the bronze tables'.
pub fn after_offsets(rows: &DataFrame, offsets: &Offsets) -> Result<DataFrame, WarehouseError> {
    let landed = offsets
        .iter()
        .fold(lit(false), |landed, (partition, offset)| {
            let same_partition = col("_partition").eq(lit(i64::from(*partition)));
            landed.or(same_partition.and(col("_offset").lt_eq(lit(*offset))))
        });
    let after = rows.clone().lazy().filter(landed.not()).collect();
    after.map_err(|source| WarehouseError::Data {
        what: "rows to land".to_owned(),
        source,
    })
}

/// The rows with one time of landing, UTC microseconds: a warehouse that reads bronze by it decides it.
///
/// # Errors
/// When the frame is not one of the bronze tables'.
pub fn landed_at(rows: &DataFrame, micros: i64) -> Result<DataFrame, WarehouseError> {
    let landed_at = lit(micros).cast(Timestamp.polars()).alias(LANDED_AT);
    let rows = rows.clone().lazy().with_column(landed_at).collect();
    rows.map_err(|source| WarehouseError::Data {
        what: "rows to land".to_owned(),
        source,
    })
}
