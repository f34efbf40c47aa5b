//! A small table, for what every table can do.

use polars::prelude::*;
use shoptrail_backend::bronze;
use shoptrail_backend::table::{Column as ColumnDefinition, ColumnType, Layer, Table};
use shoptrail_backend::warehouse::{Change, Publication, Query, Replaces, Warehouse};

use crate::world::{TestWarehouse, basis};

pub const COLUMNS: [ColumnDefinition; 3] = [
    ColumnDefinition::new("day", ColumnType::Date, "Day"),
    ColumnDefinition::new("name", ColumnType::Text, "Name"),
    ColumnDefinition::new("amount", ColumnType::Integer, "Amount"),
];

pub static SMALL: Table = with_columns(&COLUMNS);

/// The small table as another version of the program has it.
pub const fn with_columns(columns: &'static [ColumnDefinition]) -> Table {
    Table {
        name: "silver_small",
        layer: Layer::Silver,
        description: "For tests",
        columns,
        partition: Some("day"),
        key: &["day", "name"],
    }
}

pub const BRONZE: [&Table; 2] = [&bronze::EVENTS, &bronze::QUARANTINE];

pub fn small(rows: &[(i32, &str, i64)]) -> DataFrame {
    let days: Vec<i32> = rows.iter().map(|row| row.0).collect();
    let names: Vec<&str> = rows.iter().map(|row| row.1).collect();
    let amounts: Vec<i64> = rows.iter().map(|row| row.2).collect();
    SMALL
        .conform(
            df!("day" => days, "name" => names, "amount" => amounts)
                .unwrap()
                .lazy(),
        )
        .collect()
        .unwrap()
}

/// Replaces these rows.
pub fn gone(rows: &[(i32, &str, i64)]) -> Replaces {
    Replaces::Keys(small(rows).select(SMALL.address()).unwrap())
}

pub fn change(replaces: Replaces, rows: &[(i32, &str, i64)]) -> Change {
    Change {
        table: &SMALL,
        replaces,
        rows: small(rows).into(),
    }
}

pub async fn read(warehouse: &dyn Warehouse, publication: &Publication, query: Query) -> DataFrame {
    let rows = warehouse.read(publication, &SMALL, &query).await.unwrap();
    rows.sort(["day", "name"], SortMultipleOptions::default())
        .unwrap()
}

pub async fn with_small<W: TestWarehouse>() -> (W, Publication) {
    let test = W::with(&[&SMALL]).await;
    let rows = [(1, "a", 1), (1, "b", 2), (2, "a", 3)];
    let changes = vec![change(Replaces::All, &rows)];
    let first = test
        .warehouse()
        .publish(&Publication::default(), changes, basis("1"))
        .await
        .unwrap();
    (test, first)
}
