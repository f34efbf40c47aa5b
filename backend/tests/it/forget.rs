//! A person who is erased is in no table, as if there had never been a record of theirs.

use std::collections::HashSet;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use polars::prelude::*;
use serde_json::{Value, json};
use shoptrail_backend::bronze;
use shoptrail_backend::build::{self, Mode};
use shoptrail_backend::forget::{self, Erasure, ForgetArgs};
use shoptrail_backend::judging::JudgingArgs;
use shoptrail_backend::silver::visitors;
use shoptrail_backend::warehouse::{Filter, Query, Warehouse};

use super::world::{
    EVENING, MINUTE, TOPIC, TestBigQuery, TestLake, TestWarehouse, assert_same_tables, build, land,
    landing, record, reporting, shuffled_world,
};

const CUSTOMER: &str = "customer-1";

#[tokio::test(flavor = "multi_thread")]
async fn customer_is_gone_from_every_table_and_file_of_a_lake() {
    let records = shuffled_world(11, 30);
    let test = TestLake::new().await;
    let made_by_spark = test.folder.path().join("_spark/killed");
    std::fs::create_dir_all(&made_by_spark).unwrap();
    std::fs::write(
        made_by_spark.join("rows.json"),
        format!("{{\"user_id\":\"{CUSTOMER}\"}}"),
    )
    .unwrap();
    let theirs = customer_goes(&test.lake, &records).await;
    let others = others(&records, &theirs);

    let never = TestLake::new().await;
    land(&never.lake, &others).await;
    build(&never.lake, Mode::Increment).await;
    assert_same_tables(&test.lake, &never.lake, "erased").await;
    assert_no_file_tells_of(test.folder.path(), &theirs);

    // The lake goes on, for this process and for another one.
    let more = shuffled_world(12, 5);
    land(&test.lake, &more).await;
    build(test.restarted().await.as_ref(), Mode::Increment).await;
    land(&never.lake, &more).await;
    build(&never.lake, Mode::Increment).await;
    assert_same_tables(&test.lake, &never.lake, "erased, and went on").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn customer_is_gone_from_every_table_of_bigquery() {
    let records = shuffled_world(11, 30);
    let test = TestBigQuery::new().await;
    let theirs = customer_goes(&test.bigquery, &records).await;
    let never = TestLake::new().await;
    land(&never.lake, &others(&records, &theirs)).await;
    build(&never.lake, Mode::Increment).await;
    assert_same_tables(&test.bigquery, &never.lake, "erased").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn last_visitor_leaves_empty_tables() {
    let test = TestLake::new().await;
    let view = record("visitor", EVENING, 1, "page_view", json!({}));
    land(&test.lake, &[view.to_string()]).await;
    let before = build(&test.lake, Mode::Increment).await;
    let erased = forget(&test.lake, &["visitor"], &[], false).await;
    assert_eq!(erased.publication, Some(before.publication + 1));
    let empty = TestLake::new().await;
    assert_eq!(
        assert_same_tables(&test.lake, &empty.lake, "empty").await,
        0
    );
}

/// Rows of landings that understood them are found without their texts.
#[tokio::test(flavor = "multi_thread")]
async fn understood_rows_are_found_by_their_columns() {
    let test = TestLake::new().await;
    let mut landing = landing([].into(), 0, &["one".to_owned(), "two".to_owned()]);
    let told = df!("anonymous_id" => ["v", "w"], "user_id" => [None, Some("v")]).unwrap();
    let told = told
        .lazy()
        .with_columns([lit("id").alias("event_id"), lit("demo").alias("shop_id")])
        .collect()
        .unwrap();
    let mut rows = landing.events.clone();
    for column in told.columns() {
        rows.with_column(column.clone()).unwrap();
    }
    landing.events = bronze::EVENTS.conform(rows.lazy()).collect().unwrap();
    test.lake.land(landing).await.unwrap();
    let as_visitor = forget(&test.lake, &["v"], &[], true).await;
    assert_eq!(as_visitor.found["bronze_events"], 1);
    let as_either = forget(&test.lake, &["v"], &["v"], true).await;
    assert_eq!(as_either.found["bronze_events"], 2);
    let as_nobody = forget(&test.lake, &["demo"], &["w"], true).await;
    assert!(as_nobody.found.is_empty(), "{as_nobody:?}");
}

/// Records that no edge has cleaned have the ids as they came; silver has none, or hashes.
#[tokio::test(flavor = "multi_thread")]
async fn customer_whose_id_builds_take_out_or_hash_goes_with_their_visitors() {
    let hashed = JudgingArgs {
        privacy: Some(r#"{"fields":{"anonymous_id":"hash","user_id":"hash"}}"#.to_owned()),
        hash_key: Some("0123456789abcdef0123456789abcdef".to_owned()),
        ..JudgingArgs::default()
    };
    for (judging, user) in [(JudgingArgs::default(), "jo@x.example"), (hashed, "c-42")] {
        let reporting = reporting().with(&judging).unwrap();
        let named = json!({"user_id": user});
        let named = record("visitor", EVENING, 1, "page_view", named);
        let guest = record("visitor", EVENING + MINUTE, 2, "page_view", json!({}));
        let other = record("other", EVENING, 3, "page_view", json!({})).to_string();
        let records = [named.to_string(), guest.to_string(), other.clone()];
        let (test, never) = (TestLake::new().await, TestLake::new().await);
        for (lake, records) in [(&test.lake, &records[..]), (&never.lake, &[other][..])] {
            land(lake, records).await;
            let built = build::run(lake, &reporting, Mode::Increment).await;
            built.unwrap();
        }
        let erased = forget_under(&test.lake, judging, &[], &[user], false).await;
        assert_eq!(erased.found["bronze_events"], 2, "{erased:?}");
        assert_same_tables(&test.lake, &never.lake, user).await;
    }
}

async fn forget(
    warehouse: &dyn Warehouse,
    visitors: &[&str],
    users: &[&str],
    dry_run: bool,
) -> Erasure {
    forget_under(warehouse, JudgingArgs::default(), visitors, users, dry_run).await
}

async fn forget_under(
    warehouse: &dyn Warehouse,
    judging: JudgingArgs,
    visitors: &[&str],
    users: &[&str],
    dry_run: bool,
) -> Erasure {
    let texts = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    let args = ForgetArgs {
        visitors: texts(visitors),
        users: texts(users),
        shop: None,
        dry_run,
        reporting: reporting(),
        judging,
    };
    forget::run(warehouse, &args).await.unwrap()
}

/// Lands and builds, and forgets a customer; returns all ids of theirs.
async fn customer_goes(warehouse: &dyn Warehouse, records: &[String]) -> HashSet<String> {
    land(warehouse, records).await;
    land_broken(warehouse).await;
    let built = build(warehouse, Mode::Increment).await;
    let published = warehouse.publication().await.unwrap();
    let known = Query::all().filter(Filter::TextIn("user_id", vec![CUSTOMER.to_owned()]));
    let known = warehouse.read(&published, &visitors::TABLE, &known).await;
    let known = known.unwrap();
    let known = known.column("anonymous_id").unwrap().str().unwrap();
    let mut theirs: HashSet<String> = known.iter().flatten().map(str::to_owned).collect();
    assert!(!theirs.is_empty(), "the world has some");
    theirs.insert(CUSTOMER.to_owned());

    let asked = forget(warehouse, &[], &[CUSTOMER], true).await;
    for table in [
        "bronze_events",
        "bronze_quarantine",
        "silver_orders",
        "gold_customer_ltv",
    ] {
        assert!(asked.found.contains_key(table), "{table}: {asked:?}");
    }
    let same = warehouse.publication().await.unwrap();
    assert_eq!((same.version, asked.publication), (built.publication, None));

    let erased = forget(warehouse, &[], &[CUSTOMER], false).await;
    assert_eq!(erased.found, asked.found);
    let again = forget(warehouse, &[], &[CUSTOMER], true).await;
    assert!(again.found.is_empty(), "{again:?}");
    let kept = warehouse
        .read(&published, &bronze::QUARANTINE, &Query::all())
        .await;
    assert_eq!(kept.unwrap().height(), 1, "that of somebody else");
    theirs
}

/// Lands records that no one can read, one of the customer and one of somebody else.
async fn land_broken(warehouse: &dyn Warehouse) {
    let after = warehouse.offsets(TOPIC).await.unwrap();
    let first = after[&0] + 1;
    let mut landing = landing(after, first, &["one".to_owned(), "two".to_owned()]);
    let broken = [CUSTOMER, "somebody"].map(|id| {
        BASE64_STANDARD.encode(format!("\0\0\0\0\u{1}{{\"event\":{{\"user_id\":\"{id}\""))
    });
    let rows = landing.events.clone().lazy().with_columns([
        lit("malformed_record").alias("code"),
        lit("").alias("pointer"),
        lit("broken").alias("reason"),
        lit(Series::new("value_base64".into(), broken)),
    ]);
    landing.quarantine = bronze::QUARANTINE.conform(rows).collect().unwrap();
    landing.events = bronze::EVENTS.empty();
    warehouse.land(landing).await.unwrap();
}

fn others(records: &[String], theirs: &HashSet<String>) -> Vec<String> {
    let is_theirs = |record: &&String| {
        let record: Value = serde_json::from_str(record).unwrap();
        let is = |id: &Value| id.as_str().is_some_and(|id| theirs.contains(id));
        is(&record["event"]["anonymous_id"]) || is(&record["event"]["user_id"])
    };
    records
        .iter()
        .filter(|record| !is_theirs(record))
        .cloned()
        .collect()
}

/// Asserts that no log, no publication and no file of bronze, of any version, has one of the ids.
fn assert_no_file_tells_of(folder: &Path, ids: &HashSet<String>) {
    let mut texts = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_no_file_tells_of(&path, ids);
            continue;
        }
        let text = match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => std::fs::read_to_string(&path).unwrap(),
            Some("parquet") if folder.ends_with("bronze_events") => records_of(&path),
            _ => continue,
        };
        texts += 1;
        for id in ids {
            assert!(
                !text.contains(&format!("\"{id}\"")),
                "{id} in {}",
                path.display()
            );
        }
    }
    assert!(texts > 0 || !folder.ends_with("bronze_events"));
}

fn records_of(file: &Path) -> String {
    let rows = ParquetReader::new(std::fs::File::open(file).unwrap())
        .finish()
        .unwrap();
    let records = rows.column("record").unwrap().str().unwrap().clone();
    records.iter().flatten().collect()
}
