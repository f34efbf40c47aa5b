//! Bronze: events as they came, append only; and what could not be read, with its reason.

use crate::table::ColumnType::{Integer, Text, Timestamp};
use crate::table::{Column, Layer, Table};

/// The column that tells when a row landed.
pub const LANDED_AT: &str = "_landed_at";

/// Events as they came.
pub static EVENTS: Table = Table {
    name: "bronze_events",
    layer: Layer::Bronze,
    description: "One row per Kafka record that holds an event, as it came",
    columns: &[
        Column::new(
            "_topic",
            Text,
            "Kafka topic; `#N` follows once it was created again N times",
        ),
        Column::new("_partition", Integer, "Kafka partition"),
        Column::new("_offset", Integer, "Kafka offset"),
        Column::new(
            "_kafka_timestamp",
            Timestamp,
            "Time the broker gave the record",
        )
        .optional(),
        Column::new(
            LANDED_AT,
            Timestamp,
            "Time of the landing that brought the record, later than that of every landing before",
        ),
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
        Column::new(
            "_topic",
            Text,
            "Kafka topic; `#N` follows once it was created again N times",
        ),
        Column::new("_partition", Integer, "Kafka partition"),
        Column::new("_offset", Integer, "Kafka offset"),
        Column::new(
            "_kafka_timestamp",
            Timestamp,
            "Time the broker gave the record",
        )
        .optional(),
        Column::new(
            LANDED_AT,
            Timestamp,
            "Time of the landing that brought the record, later than that of every landing before",
        ),
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
