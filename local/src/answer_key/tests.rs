//! Worlds as a whole: the same from the same seed, and with everything in them that they are for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use shoptrail_schemas::{WarningCode, validate};

use super::*;

/// Writes a world into a folder of its own.
fn world(records: u64, seed: u64) -> (tempfile::TempDir, Written) {
    let folder = tempfile::tempdir().unwrap();
    let written = write(folder.path(), records, seed, &CancellationToken::new()).unwrap();
    (folder, written)
}

/// All files below a folder, with what is in them.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            for (name, bytes) in contents(&path) {
                files.insert(Path::new(path.file_name().unwrap()).join(name), bytes);
            }
        } else {
            let bytes = fs::read(&path).unwrap();
            files.insert(path.file_name().unwrap().into(), bytes);
        }
    }
    files
}

fn records(out: &Path) -> Vec<Value> {
    let mut records = Vec::new();
    for file in record_files(out).unwrap() {
        let text = fs::read_to_string(file).unwrap();
        records.extend(text.lines().map(|line| serde_json::from_str(line).unwrap()));
    }
    records
}

fn rows(out: &Path, table: &str) -> u64 {
    let text = fs::read_to_string(out.join("truth").join(format!("{table}.csv"))).unwrap();
    text.lines().count() as u64 - 1
}

#[test]
fn same_seed_writes_the_same_bytes_and_another_seed_others() {
    let (first, written) = world(3_000, 7);
    let (again, _) = world(3_000, 7);
    let (other, _) = world(3_000, 8);
    let files = contents(first.path());
    assert!(files.len() > written.files, "{files:?}");
    assert!(files == contents(again.path()));
    assert!(files != contents(other.path()));
}

#[test]
fn every_record_is_an_event_of_the_contract_and_is_counted_once() {
    let (folder, written) = world(20_000, 3);
    let records = records(folder.path());
    assert_eq!(records.len() as u64, written.records);
    let ids = records.iter().map(|record| {
        let shop = record["edge"]["shop_id"].as_str().unwrap();
        (
            shop.to_owned(),
            record["event"]["event_id"].as_str().unwrap().to_owned(),
        )
    });
    let ids: BTreeSet<_> = ids.collect();
    assert_eq!(ids.len() as u64, written.told.events);
    assert_eq!(rows(folder.path(), "silver_events"), written.told.events);
    assert_eq!(
        rows(folder.path(), "silver_sessions"),
        written.told.sessions
    );
    assert_eq!(rows(folder.path(), "silver_orders"), written.told.orders);
    for record in &records {
        let event = record["event"].to_string();
        let clock = shoptrail_schemas::Clock::new(
            record["edge"]["received_at"].as_i64().unwrap(),
            record["batch"]["sent_at"].as_i64().unwrap(),
        );
        let valid = validate::event(&event, Some(&clock)).unwrap();
        // Some products are sold by weight.
        let mut warnings = valid.warnings().iter();
        assert!(
            warnings.all(|warning| warning.code == WarningCode::DecimalQuantity),
            "{event}"
        );
    }
}

#[test]
fn everything_that_can_go_wrong_happens() {
    let (folder, written) = world(20_000, 4);
    assert!(written.told.lost > 100, "{written:?}");
    let records = records(folder.path());
    let number = |record: &Value, pointer: &str| record.pointer(pointer).unwrap().as_i64().unwrap();
    let many = |what: &str, condition: &dyn Fn(&Value) -> bool| {
        let count = records.iter().filter(|record| condition(record)).count();
        assert!(count > 20, "{what}: {count}");
    };
    let ahead =
        |record: &Value| number(record, "/batch/sent_at") - number(record, "/edge/received_at");
    let waited = |record: &Value| {
        number(record, "/batch/sent_at") - number(record, "/event/event_timestamp")
    };
    many("programs", &|record| {
        number(record, "/edge/bot_score") >= 50
    });
    many("clocks ahead", &|record| {
        ahead(record) > 3 * calendar::MINUTE
    });
    many("clocks behind", &|record| {
        ahead(record) < -3 * calendar::MINUTE
    });
    many("offline", &|record| waited(record) > calendar::HOUR);
    for kind in ["refund", "purchase", "remove_from_cart", "search", "login"] {
        many(kind, &|record| record["event"]["event_type"] == kind);
    }
    for shop in &market::SHOPS {
        for currency in shop.currencies {
            many(currency.code, &|record| {
                record["edge"]["shop_id"] == shop.id && record["event"]["currency"] == currency.code
            });
        }
    }
    let texts: BTreeSet<String> = records.iter().map(Value::to_string).collect();
    assert!(texts.len() + 20 < records.len(), "the same words twice");
    assert!(texts.len() as u64 > written.told.events + 100, "sent again");
}

#[test]
fn folder_with_something_in_it_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine"), "").unwrap();
    let refused = write(folder.path(), 1, 1, &CancellationToken::new()).unwrap_err();
    assert!(refused.to_string().contains("is not empty"), "{refused}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn stop_is_told_from_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let stop = CancellationToken::new();
    stop.cancel();
    let stopped = write(folder.path(), 1, 1, &stop).unwrap_err();
    assert!(stopped.to_string().contains("not whole"), "{stopped}");
}
