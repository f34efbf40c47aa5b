//! `silver_quarantine`: records of bronze that cannot be counted as events, with the reason. They stop no build.

use polars::prelude::*;
use xxhash_rust::xxh3::xxh3_128;

use crate::bronze::Unreadable;
use crate::table::ColumnType::Text;
use crate::table::{Column, Layer, Table};

const COLUMNS: &[Column] = &[
    Column::new(
        "record_id",
        Text,
        "XXH3 of the record's text: one that came twice stands here once",
    ),
    Column::new(
        "code",
        Text,
        "What is wrong: `malformed_record`, `time_out_of_range`, `unknown_currency` or `amount_too_large`",
    ),
    Column::new("reason", Text, "What is wrong, in a sentence"),
    Column::new("record", Text, "The record's JSON"),
];

/// One row per record that is not an event.
pub static TABLE: Table = Table {
    name: "silver_quarantine",
    layer: Layer::Silver,
    description: "One row per record of bronze that cannot be counted as an event, with the reason",
    columns: COLUMNS,
    partition: None,
    key: &["record_id"],
};

/// The rows of records, each with why it cannot be read.
pub(crate) fn rows(unreadable: &[(String, Unreadable)]) -> PolarsResult<DataFrame> {
    let column =
        |name: &str, values: Vec<String>| polars::prelude::Column::new(name.into(), values);
    let rows = DataFrame::new(
        unreadable.len(),
        vec![
            column(
                "record_id",
                unreadable.iter().map(|(text, _)| record_id(text)).collect(),
            ),
            column(
                "code",
                unreadable
                    .iter()
                    .map(|(_, why)| why.code.to_owned())
                    .collect(),
            ),
            column(
                "reason",
                unreadable
                    .iter()
                    .map(|(_, why)| why.reason.clone())
                    .collect(),
            ),
            column(
                "record",
                unreadable.iter().map(|(text, _)| text.clone()).collect(),
            ),
        ],
    )?;
    TABLE.conform(once(rows.lazy())).collect()
}

/// What identifies a record that is no event.
pub(super) fn record_id(text: &str) -> String {
    format!("{:032x}", xxh3_128(text.as_bytes()))
}

/// Each record once.
pub(crate) fn once(rows: LazyFrame) -> LazyFrame {
    rows.unique_stable(
        Some(by_name(["record_id"], true, false)),
        UniqueKeepStrategy::First,
    )
}
