//! The answer key: a world that `shoptrail simulate --out` writes, built in three increments, says in every table what its
//! plan says, to the cent, on the lake and in BigQuery. The truth is counted by code that shares nothing with the pipeline.
//!
//! `silver_left_out` is held by the counts of `gold_pipeline_completeness`: its key is a hash of a record.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use shoptrail_backend::build::{self, Mode};
use shoptrail_backend::config::{Reporting, ShopReporting};
use shoptrail_backend::show::{self, Format, ShowArgs};
use shoptrail_backend::warehouse::Warehouse;
use shoptrail_local::answer_key;
use tokio_util::sync::CancellationToken;

use super::world::{TestBigQuery, TestLake, TestWarehouse, built_tables, land};

/// Records of the world on the lake; of events there are at least 200,000.
const RECORDS: u64 = 215_500;
const INCREMENTS: usize = 3;
/// Records of the world in BigQuery, whose local server takes its time.
const RECORDS_IN_BIGQUERY: u64 = 6_000;
const SEED: u64 = 11;
/// Records of one landing.
const LANDING: usize = 5_000;

/// Tables of which the truth has no file: nothing of the world is quarantined, and what is left out is counted.
const UNTOLD: [&str; 2] = ["silver_left_out", "silver_quarantine"];

/// Most differences of one table that are named.
const NAMED: usize = 10;

/// Rows of a table by key, as texts by column.
type Rows = BTreeMap<Vec<String>, BTreeMap<String, String>>;

#[tokio::test(flavor = "multi_thread")]
async fn every_table_says_what_the_plan_of_the_world_says() {
    hold::<TestLake>(RECORDS, INCREMENTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_in_bigquery_say_what_the_plan_of_the_world_says() {
    hold::<TestBigQuery>(RECORDS_IN_BIGQUERY, 2).await;
}

/// Builds a world in so many increments, and compares every table with the truth.
async fn hold<W: TestWarehouse>(records: u64, increments: usize) {
    let folder = tempfile::tempdir().unwrap();
    let world = folder.path().join("world");
    let stop = CancellationToken::new();
    let written = answer_key::write(&world, records, SEED, &stop).unwrap();
    // One record in twenty repeats an event.
    assert!(written.told.events * 100 > records * 93, "{written:?}");
    let test = W::new().await;
    build_in(increments, &world, test.warehouse()).await;

    let mut told = 0;
    let mut differences = Vec::new();
    for table in built_tables().filter(|table| !UNTOLD.contains(&table.name)) {
        let file = world.join("truth").join(format!("{}.csv", table.name));
        let expected = rows(&fs::read_to_string(&file).unwrap(), table.key);
        let made = rows(&shown(test.warehouse(), table.name).await, table.key);
        told += expected.len() as u64;
        differences.extend(compared(table.name, &expected, &made));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert_eq!(told, written.told.rows, "a file of the truth has no table");
    let quarantined = shown(test.warehouse(), "silver_quarantine").await;
    assert_eq!(quarantined.lines().count(), 1, "{quarantined}");
    assert_lost_events_are_nowhere(&world, test.warehouse()).await;
}

/// Lands the world's records in the order of its days and builds, so many times.
async fn build_in(increments: usize, world: &Path, warehouse: &dyn Warehouse) {
    let reporting = Reporting {
        shops: ShopReporting::read(&answer_key::shop_reporting()).unwrap(),
        ..Reporting::default()
    };
    let files = answer_key::record_files(world).unwrap();
    for files in files.chunks(files.len().div_ceil(increments)) {
        let mut records = Vec::new();
        for file in files {
            let text = fs::read_to_string(file).unwrap();
            records.extend(text.lines().map(str::to_owned));
        }
        for landing in records.chunks(LANDING) {
            land(warehouse, landing).await;
        }
        build::run(warehouse, &reporting, Mode::Increment)
            .await
            .unwrap();
    }
}

/// A table as it is published.
async fn shown(lake: &dyn Warehouse, table: &str) -> String {
    let mut text = Vec::new();
    show::run(&ShowArgs::all(table, Format::Csv), lake, &mut text)
        .await
        .unwrap();
    String::from_utf8(text).unwrap()
}

/// The rows of a file without quotation marks, of which the world needs none.
fn rows(text: &str, key: &[&str]) -> Rows {
    assert!(!text.contains('"'), "a value is quoted");
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next().unwrap().split(',').collect();
    let mut rows = Rows::new();
    for line in lines {
        let values = line.split(',').map(str::to_owned);
        let names = columns.iter().copied().map(str::to_owned);
        let row: BTreeMap<String, String> = names.zip(values).collect();
        let key: Vec<String> = key.iter().map(|column| row[*column].clone()).collect();
        assert!(!rows.contains_key(&key), "{key:?} is there twice");
        rows.insert(key, row);
    }
    rows
}

/// What differs, each with its table, key, column and both values.
fn compared(table: &str, expected: &Rows, made: &Rows) -> Vec<String> {
    let mut differences = Vec::new();
    for (key, row) in expected {
        let Some(other) = made.get(key) else {
            differences.push(format!("{table} {key:?}: the row is missing"));
            continue;
        };
        for (column, value) in row {
            let other = &other[column];
            if !is_same(value, other) {
                differences.push(format!(
                    "{table} {key:?} {column}: true `{value}`, built `{other}`"
                ));
            }
        }
    }
    let extra = made.keys().filter(|key| !expected.contains_key(*key));
    differences.extend(extra.map(|key| format!("{table} {key:?}: there is no such row in truth")));
    let more = differences.len().saturating_sub(NAMED);
    differences.truncate(NAMED);
    if more > 0 {
        differences.push(format!("{table}: {more} more differences"));
    }
    differences
}

/// Whether two values are the same; of numbers with decimals, which are rates and expectations, as far as floats go.
fn is_same(left: &str, right: &str) -> bool {
    if left == right {
        return true;
    }
    let is_float = |text: &str| text.contains(['.', 'e']);
    match (left.parse::<f64>(), right.parse::<f64>()) {
        (Ok(left_number), Ok(right_number)) if is_float(left) && is_float(right) => {
            (left_number - right_number).abs() <= 1e-9 * left_number.abs().max(1e-3)
        }
        _ => false,
    }
}

async fn assert_lost_events_are_nowhere(world: &Path, lake: &dyn Warehouse) {
    let key = ["shop_id", "event_id"];
    let lost = rows(&fs::read_to_string(world.join("lost.csv")).unwrap(), &key);
    let made = rows(&shown(lake, "silver_events").await, &key);
    assert!(!lost.is_empty());
    let found: BTreeSet<_> = lost.keys().filter(|key| made.contains_key(*key)).collect();
    assert!(found.is_empty(), "{found:?}");
}
