//! What a lander hands to a warehouse: rows for bronze together with the offsets they reach.

use std::collections::BTreeMap;

use polars::prelude::*;

use super::WarehouseError;
use crate::bronze::LANDED_AT;
use crate::table::ColumnType;

/// Last landed offset by Kafka partition.
pub type Offsets = BTreeMap<i32, i64>;

/// Rows for bronze and quarantine together with the offsets they reach.
#[derive(Debug)]
pub struct Landing {
    /// Kafka topic the rows came from.
    pub topic: String,
    /// Offsets the lander started from; must still be the stored ones.
    pub after: Offsets,
    /// Offsets of the last record of each partition in this landing.
    pub up_to: Offsets,
    /// Rows of `bronze_events`.
    pub events: DataFrame,
    /// Rows of `bronze_quarantine`.
    pub quarantine: DataFrame,
}

/// The rows that lie after the given offsets of their partitions.
///
/// # Errors
/// Returns an error if the frame is not one of the bronze tables'.
pub(super) fn after_offsets(
    rows: &DataFrame,
    offsets: &Offsets,
) -> Result<DataFrame, WarehouseError> {
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
/// Returns an error if the frame is not one of the bronze tables'.
pub(super) fn landed_at(rows: &DataFrame, micros: i64) -> Result<DataFrame, WarehouseError> {
    let landed_at = lit(micros)
        .cast(ColumnType::Timestamp.polars())
        .alias(LANDED_AT);
    let rows = rows.clone().lazy().with_column(landed_at).collect();
    rows.map_err(|source| WarehouseError::Data {
        what: "rows to land".to_owned(),
        source,
    })
}
