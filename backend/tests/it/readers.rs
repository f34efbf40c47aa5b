//! The lake is read by others: every library finds in its tables what is there, and what they write is read or refused.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use polars::prelude::*;
use shoptrail_backend::build::Mode;
use shoptrail_backend::gold;
use shoptrail_backend::table::{Column as ColumnDefinition, ColumnType, Layer, Table};
use shoptrail_backend::warehouse::lake::Lake;
use shoptrail_backend::warehouse::{
    Change, Filter, Publication, Query, Replaces, Warehouse, WarehouseError,
};

use super::bigquery::server::python;
use super::world::{TestLake, TestWarehouse, basis, build, land, shuffled_world};

/// Every type, in partitions.
static MIXED: Table = Table {
    name: "silver_mixed",
    layer: Layer::Silver,
    description: "For tests",
    columns: &[
        ColumnDefinition::new("day", ColumnType::Date, "Day"),
        ColumnDefinition::new("number", ColumnType::Integer, "Number"),
        ColumnDefinition::new("text", ColumnType::Text, "Text").optional(),
        ColumnDefinition::new("ratio", ColumnType::Float, "Ratio").optional(),
        ColumnDefinition::new("yes", ColumnType::Boolean, "Yes").optional(),
        ColumnDefinition::new("date", ColumnType::Date, "Date").optional(),
        ColumnDefinition::new("instant", ColumnType::Timestamp, "Instant").optional(),
    ],
    partition: Some("day"),
    key: &["number"],
};

/// 2026-11-19.
const FIRST_DAY: i32 = 20_776;
/// 2026-11-20T23:00:00.123456Z.
const INSTANT: i64 = 1_795_215_600_123_456;

/// Rows of three days; the last has nothing but nulls in what may be null.
fn mixed() -> DataFrame {
    let long = format!("https://shop.example/{}", "a".repeat(60));
    let texts = [
        Some("EUR"),
        Some("CHF"),
        Some(long.as_str()),
        Some("EUR"),
        None,
        None,
        None,
    ];
    let rows = df!(
        "day" => [0, 0, 1, 1, 1, 2, 2].map(|day| FIRST_DAY + day),
        "number" => [1_i64, 2, 3, 4, 5, 6, 7],
        "text" => texts,
        "ratio" => [Some(0.25), Some(0.5), Some(-1.0), None, Some(2.0), None, None],
        "yes" => [Some(true), Some(true), Some(false), Some(true), None, None, None],
        "date" => [Some(0), Some(FIRST_DAY), Some(FIRST_DAY + 2), None, Some(FIRST_DAY + 3), None, None],
        "instant" => [Some(0), Some(INSTANT), Some(INSTANT + 1), Some(INSTANT), None, None, None],
    );
    MIXED.conform(rows.unwrap().lazy()).collect().unwrap()
}

async fn with_mixed(folder: &Path) -> Publication {
    let lake = Lake::new(folder);
    lake.prepare(&[&MIXED]).await.unwrap();
    let change = Change {
        table: &MIXED,
        replaces: Replaces::All,
        rows: mixed().into(),
    };
    lake.publish(&Publication::default(), vec![change], basis(""))
        .await
        .unwrap()
}

/// Runs a script of `tests/lake/` and returns what it says.
pub fn script(name: &str, args: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let said = Command::new(python())
        .arg(root.join("tests/lake").join(name))
        .args(args)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{name} {args:?}: {errors}");
    String::from_utf8_lossy(&said.stdout).into_owned()
}

fn table_folder(root: &Path) -> String {
    root.join(MIXED.name).to_str().unwrap().to_owned()
}

async fn rows(lake: &Lake, folder: &str, query: Query) -> DataFrame {
    let publication = Publication {
        tables: [(MIXED.name.to_owned(), newest_version(folder))].into(),
        ..Publication::default()
    };
    let rows = lake.read(&publication, &MIXED, &query).await.unwrap();
    rows.sort(["number"], SortMultipleOptions::default())
        .unwrap()
}

fn newest_version(folder: &str) -> u64 {
    let log = std::fs::read_dir(Path::new(folder).join("_delta_log")).unwrap();
    let versions = log.filter_map(|entry| {
        let path = entry.unwrap().path();
        (path.extension()? == "json").then(|| path.file_stem()?.to_str()?.parse().ok())?
    });
    versions.max().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_library_finds_by_every_filter_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    with_mixed(folder.path()).await;
    let said = script("read.py", &[&table_folder(folder.path()), "7"]);
    assert!(said.contains("filters find what is there"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_of_the_docs_read_what_is_published() {
    let test = TestLake::new().await;
    for part in shuffled_world(10, 12).chunks(60) {
        land(&test.lake, part).await;
        build(&test.lake, Mode::Increment).await;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let document = root.join("docs/read-the-lake.md");
    let folder = test.folder.path().to_str().unwrap();
    let said = script("docs.py", &[document.to_str().unwrap(), folder]);

    let publication = test.lake.publication().await.unwrap();
    let query = Query::all().columns(&["currency", "revenue_net_minor"]);
    let table = &gold::daily_kpis::GOLD.table;
    let kpis = test.lake.read(&publication, table, &query).await.unwrap();
    let currencies = kpis.column("currency").unwrap().str().unwrap();
    let revenues = kpis.column("revenue_net_minor").unwrap().i64().unwrap();
    let mut sums = BTreeMap::<String, i64>::new();
    for (currency, revenue) in currencies.iter().zip(revenues.iter()) {
        *sums.entry(currency.unwrap().to_owned()).or_default() += revenue.unwrap();
    }
    assert_eq!(
        serde_json::from_str::<BTreeMap<String, i64>>(&said).unwrap(),
        sums
    );
    assert!(sums.values().any(|revenue| *revenue > 0), "{sums:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lake_in_a_folder_with_any_name_is_read() {
    let parent = tempfile::tempdir().unwrap();
    for name in ["shop [1]", "a*b?", "100% {x} #1", "späti"] {
        let folder = parent.path().join(name);
        let publication = with_mixed(&folder).await;
        let lake = Lake::new(&folder);
        let found = lake
            .read(&publication, &MIXED, &Query::all())
            .await
            .unwrap();
        assert_eq!(found.height(), 7, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_spark_wrote_with_its_own_times_are_read() {
    let folder = tempfile::tempdir().unwrap();
    with_mixed(folder.path()).await;
    script("rewrite.py", &["int96", &table_folder(folder.path())]);
    let lake = Lake::new(folder.path());
    let found = rows(&lake, &table_folder(folder.path()), Query::all()).await;
    assert!(found.height() > 7, "the rows of one file are there twice");
    let distinct = found.lazy().unique(None, UniqueKeepStrategy::Any);
    let distinct = distinct.sort(["number"], SortMultipleOptions::default());
    assert!(distinct.collect().unwrap().equals_missing(&mixed()));
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_skip_files_and_no_rows() {
    let folder = tempfile::tempdir().unwrap();
    with_mixed(folder.path()).await;
    let lake = Lake::new(folder.path());
    let numbers = async |filter: Filter| {
        let found = rows(
            &lake,
            &table_folder(folder.path()),
            Query::all().filter(filter),
        )
        .await;
        let numbers = found.column("number").unwrap().i64().unwrap().clone();
        numbers.iter().flatten().collect::<Vec<_>>()
    };
    let text = |value: &str| Filter::TextIn("text", vec![value.to_owned()]);
    assert_eq!(numbers(text("EUR")).await, [1, 4]);
    let before = lake.traffic();
    assert_eq!(numbers(text("CHF")).await, [2]);
    let one_file = lake.traffic().since(before).bytes_read;
    assert_eq!(numbers(text("zzz")).await, [0_i64; 0]);
    assert_eq!(lake.traffic().since(before).bytes_read, one_file);
    let at = Filter::TimestampBetween("instant", INSTANT + 1, i64::MAX);
    assert_eq!(numbers(at).await, [3]);
}

/// A commit by another program, with these actions.
fn commit(folder: &str, actions: &[serde_json::Value]) {
    let lines: Vec<String> = actions.iter().map(ToString::to_string).collect();
    let version = 1 + newest_version(folder);
    let entry = Path::new(folder).join(format!("_delta_log/{version:020}.json"));
    std::fs::write(entry, lines.join("\n")).unwrap();
}

async fn refused(root: &Path) -> String {
    let lake = Lake::new(root);
    match lake.prepare(&[&MIXED]).await {
        Err(error @ WarehouseError::Unsupported { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_deleted_by_deletion_vectors_are_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    with_mixed(folder.path()).await;
    let table = table_folder(folder.path());
    let features = serde_json::json!({"protocol": {"minReaderVersion": 3, "minWriterVersion": 7,
        "readerFeatures": ["deletionVectors"], "writerFeatures": ["deletionVectors"]}});
    commit(&table, &[features]);
    let lake = Lake::new(folder.path());
    lake.prepare(&[&MIXED]).await.unwrap();
    assert_eq!(
        rows(&lake, &table_folder(folder.path()), Query::all())
            .await
            .height(),
        7,
        "no row is deleted yet"
    );
    let log =
        std::fs::read_to_string(Path::new(&table).join("_delta_log/00000000000000000001.json"));
    let mut add = log
        .unwrap()
        .lines()
        .find_map(|line| {
            let action: serde_json::Value = serde_json::from_str(line).unwrap();
            action.get("add").cloned()
        })
        .unwrap();
    let mut remove = serde_json::json!({"path": add["path"], "dataChange": true,
        "deletionTimestamp": 1, "extendedFileMetadata": true, "partitionValues": add["partitionValues"],
        "size": add["size"]});
    remove["dataChange"] = true.into();
    add["deletionVector"] = serde_json::json!({"storageType": "i", "pathOrInlineDv": "wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L",
        "sizeInBytes": 44, "cardinality": 1});
    commit(
        &table,
        &[
            serde_json::json!({"remove": remove}),
            serde_json::json!({"add": add}),
        ],
    );
    let refused = refused(folder.path()).await;
    assert!(
        refused.contains("deletion vectors") && refused.contains("\nhint: "),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn features_that_nobody_here_knows_are_refused_with_a_sentence() {
    for feature in ["typeWidening", "columnOfTheFuture"] {
        let folder = tempfile::tempdir().unwrap();
        with_mixed(folder.path()).await;
        let features = serde_json::json!({"protocol": {"minReaderVersion": 3, "minWriterVersion": 7,
            "readerFeatures": [feature], "writerFeatures": [feature]}});
        commit(&table_folder(folder.path()), &[features]);
        let refused = refused(folder.path()).await;
        assert!(
            refused.contains(feature) && refused.contains("\nhint: "),
            "{refused}"
        );
    }
}
