//! Builders of records, and warehouses to put them in.

use async_trait::async_trait;
use polars::prelude::*;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use shoptrail_backend::build::{self, Mode, Summary};
use shoptrail_backend::config::Reporting;
use shoptrail_backend::table::Table;
use shoptrail_backend::warehouse::bigquery::{BigQuery, Settings};
use shoptrail_backend::warehouse::lake::Lake;
use shoptrail_backend::warehouse::{
    Basis, Cursor, Landing, Offsets, Publication, Query, Recipe, Warehouse, WarehouseError,
};
use shoptrail_backend::{bronze, gold, silver};

use super::bigquery::server::{Server, connect};

pub const TOPIC: &str = "clickstream_event_v3";
pub const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// 2026-11-20T23:00:00Z: an hour before a day ends.
pub const EVENING: i64 = 1_795_215_600_000;

/// A warehouse of a test.
#[async_trait]
pub trait TestWarehouse: Sized + Send + Sync {
    /// One with these tables, which are empty.
    async fn with(tables: &[&'static Table]) -> Self;

    /// One with all tables of the pipeline.
    async fn new() -> Self {
        Self::with(&build::tables()).await
    }

    /// The warehouse.
    fn warehouse(&self) -> &dyn Warehouse;

    /// The same warehouse as a process sees it that has just started.
    async fn restarted(&self) -> Box<dyn Warehouse>;
}

/// A lake in a folder of its own.
pub struct TestLake {
    pub folder: tempfile::TempDir,
    pub lake: Lake,
}

#[async_trait]
impl TestWarehouse for TestLake {
    async fn with(tables: &[&'static Table]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::new(folder.path());
        lake.prepare(tables).await.unwrap();
        Self { folder, lake }
    }

    fn warehouse(&self) -> &dyn Warehouse {
        &self.lake
    }

    async fn restarted(&self) -> Box<dyn Warehouse> {
        Box::new(Lake::new(self.folder.path()))
    }
}

/// A dataset on a BigQuery server of its own.
pub struct TestBigQuery {
    pub server: Server,
    pub settings: Settings,
    pub bigquery: BigQuery,
}

#[async_trait]
impl TestWarehouse for TestBigQuery {
    async fn with(tables: &[&'static Table]) -> Self {
        let server = Server::start().await;
        let settings = server.settings(&server.rest);
        let bigquery = connect(settings.clone()).await;
        bigquery.prepare(tables).await.unwrap();
        Self {
            server,
            settings,
            bigquery,
        }
    }

    fn warehouse(&self) -> &dyn Warehouse {
        &self.bigquery
    }

    async fn restarted(&self) -> Box<dyn Warehouse> {
        Box::new(connect(self.settings.clone()).await)
    }
}

/// Lands records in partition 0, after what is there.
pub async fn land(warehouse: &dyn Warehouse, records: &[String]) {
    let after = warehouse.offsets(TOPIC).await.unwrap();
    let first = after.get(&0).map_or(0, |offset| offset + 1);
    let landing = landing(after, first, records);
    warehouse.land(landing).await.unwrap();
}

/// The rows of bronze after a cursor, and the cursor that ends there.
pub async fn bronze_since(
    warehouse: &dyn Warehouse,
    cursor: Option<&Cursor>,
) -> Result<(DataFrame, Cursor), WarehouseError> {
    let unread = warehouse.unread(cursor, None).await?;
    let mut rows = bronze::EVENTS.empty();
    for portion in unread.portions {
        let portion = warehouse.bronze(portion).await?;
        // Of Confluent's sink there are the records alone.
        rows = if rows.height() == 0 {
            portion
        } else {
            rows.vstack(&portion).unwrap()
        };
    }
    Ok((rows, unread.cursor))
}

/// A landing of records from offset `first` of partition 0.
pub fn landing(after: Offsets, first: i64, records: &[String]) -> Landing {
    let height = records.len();
    let last = first + i64::try_from(height).unwrap() - 1;
    let columns = vec![
        Column::new("_topic".into(), vec![TOPIC; height]),
        Column::new("_partition".into(), vec![0_i64; height]),
        Column::new("_offset".into(), (first..=last).collect::<Vec<_>>()),
        Column::new(
            "_kafka_timestamp".into(),
            vec![1_795_392_000_000_000_i64; height],
        ),
        Column::new("_landed_at".into(), vec![1_795_392_000_000_000_i64; height]),
        Column::new("schema_id".into(), vec![1_i64; height]),
        Column::new("record".into(), records.to_vec()),
    ];
    let rows = DataFrame::new(height, columns).unwrap();
    // As older versions have landed them: what the record tells is not beside it.
    let missing = bronze::EVENTS
        .columns
        .iter()
        .filter(|column| rows.column(column.name).is_err())
        .map(|column| lit(NULL).alias(column.name));
    let missing: Vec<Expr> = missing.collect();
    let rows = rows.lazy().with_columns(missing);
    Landing {
        topic: TOPIC.to_owned(),
        after,
        up_to: Offsets::from([(0, last)]),
        events: bronze::EVENTS.conform(rows).collect().unwrap(),
        quarantine: bronze::QUARANTINE.empty(),
    }
}

pub async fn build(warehouse: &dyn Warehouse, mode: Mode) -> Summary {
    build::run(warehouse, &reporting(), mode).await.unwrap()
}

/// A time zone east of UTC, so that the shop's day is not UTC's.
pub fn reporting() -> Reporting {
    Reporting {
        time_zone: TimeZone::opt_try_new(Some("Europe/Berlin"))
            .unwrap()
            .unwrap(),
        ..Reporting::default()
    }
}

/// The rows of a table as published, in the order of its key.
async fn rows(
    warehouse: &dyn Warehouse,
    publication: &Publication,
    table: &'static Table,
) -> DataFrame {
    let rows = warehouse
        .read(publication, table, &Query::all())
        .await
        .unwrap();
    rows.sort(table.key.iter().copied(), SortMultipleOptions::default())
        .unwrap()
}

/// Silver and gold tables.
pub fn built_tables() -> impl Iterator<Item = &'static Table> {
    silver::TABLES
        .into_iter()
        .chain(gold::TABLES.iter().map(|gold| &gold.table))
}

/// Asserts that two warehouses publish the same rows in every table; returns how many there are.
pub async fn assert_same_tables(left: &dyn Warehouse, right: &dyn Warehouse, what: &str) -> usize {
    let mut compared = 0;
    let (now_left, now_right) = (
        left.publication().await.unwrap(),
        right.publication().await.unwrap(),
    );
    for table in built_tables() {
        let (left, right) =
            tokio::join!(rows(left, &now_left, table), rows(right, &now_right, table));
        assert!(
            left.equals_missing(&right),
            "{what}: `{}` differs\n{}",
            table.name,
            differences(&left, &right)
        );
        compared += left.height();
    }
    compared
}

/// The columns in which tables of the same rows differ, and where; both tables otherwise.
fn differences(left: &DataFrame, right: &DataFrame) -> String {
    if left.height() != right.height() {
        return format!("{left}\n{right}");
    }
    let both = left.columns().iter().zip(right.columns());
    let odd = both.filter(|(left, right)| !left.equals_missing(right));
    let told = odd.map(|(left, right)| {
        let (left, right) = (
            left.as_materialized_series(),
            right.as_materialized_series(),
        );
        let rows = left.iter().zip(right.iter()).enumerate();
        let rows = rows.filter(|(_, (left, right))| left != right).take(5);
        let rows = rows.map(|(row, (left, right))| format!("row {row}: {left} and {right}"));
        format!("{}: {}", left.name(), rows.collect::<Vec<_>>().join(", "))
    });
    told.collect::<Vec<_>>().join("\n")
}

/// What a publication of a test is made from.
pub fn basis(cursor: &str) -> Basis {
    Basis {
        cursor: Cursor(cursor.to_owned()),
        recipe: Recipe::default(),
    }
}

/// An event of a visitor, `at` a time in milliseconds; `seed` makes its id.
pub fn record(visitor: &str, at: i64, seed: u128, event_type: &str, fields: Value) -> Value {
    let mut event = json!({
        "event_id": uuid_v7(at, seed),
        "event_type": event_type,
        "event_timestamp": at,
        "seq": 1 + at % 1_000_000,
        "anonymous_id": visitor,
        "session_id": "tracker-session",
        "page_url": "https://shop.example/",
        "consent": {"analytics": "granted", "ads": "denied"},
    });
    event
        .as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    json!({
        "event": event,
        "batch": {"sent_at": at + 100, "tracker": {"name": "test", "version": "1"}},
        "edge": {"received_at": at + 100, "shop_id": "demo", "schema_version": 1, "device": "desktop",
            "browser": "Chrome", "os": "Linux", "bot_score": 0, "bot_reasons": []},
    })
}

fn uuid_v7(at: i64, seed: u128) -> String {
    let time = u128::try_from(at).unwrap() << 80;
    let random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    let value =
        (time | (random & ((1 << 80) - 1))) & !(0xF << 76) & !(0x3 << 62) | (7 << 76) | (0x2 << 62);
    uuid::Uuid::from_u128(value).to_string()
}

/// Records of two shops and a few days: visitors who come back, shop, order twice, get refunds, some of them forty days later;
/// crawlers; clocks that are off, or jump between an event and its sending; deliveries that are repeated, with other times of
/// receipt, on another day, or from another visitor; in the order of their events.
pub fn shuffled_world(seed: u64, visits: usize) -> Vec<String> {
    shuffled_world_from(EVENING, seed, visits)
}

/// The same, in the three days that begin then.
pub fn shuffled_world_from(start: i64, seed: u64, visits: usize) -> Vec<String> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut records = Vec::new();
    let mut orders: Vec<(String, i64)> = Vec::new();
    for _ in 0..visits {
        let visitor = format!("visitor-{}", rng.random_range(0..visits.div_ceil(4)));
        let mut at = start + rng.random_range(0..3 * 24 * 60) * MINUTE;
        for _ in 0..rng.random_range(1..8) {
            // Around the gap that ends a session, exactly at it at times.
            at += *[1_000, MINUTE, 20 * MINUTE, 30 * MINUTE, 30 * MINUTE + 1]
                .choose(&mut rng)
                .unwrap();
            records.push(random_event(&mut rng, &visitor, at, &mut orders));
        }
    }
    let repeated: Vec<Value> = records
        .iter()
        .filter(|_| rng.random_bool(0.1))
        .cloned()
        .collect();
    for mut again in repeated {
        let delay = rng.random_range(-5_000..5_000_i64);
        let received = again["edge"]["received_at"]
            .as_i64()
            .unwrap()
            .saturating_add(delay);
        // At times the clock of the second delivery puts the event on another day.
        let late = if rng.random_bool(0.1) {
            40 * 60 * MINUTE
        } else {
            0
        };
        if rng.random_bool(0.1) {
            again["event"]["anonymous_id"] = "somebody-else".into();
        }
        again["edge"]["received_at"] = received.saturating_add(late).into();
        // A retried delivery has a later `sent_at` too, though never exactly as much.
        again["batch"]["sent_at"] =
            (again["batch"]["sent_at"].as_i64().unwrap() + delay / 2).into();
        records.push(again);
    }
    records
        .into_iter()
        .map(|record| record.to_string())
        .collect()
}

fn shift(time: &mut Value, by: i64) {
    *time = (time.as_i64().unwrap() + by).into();
}

fn random_event(
    rng: &mut StdRng,
    visitor: &str,
    at: i64,
    orders: &mut Vec<(String, i64)>,
) -> Value {
    let seed = rng.random();
    let sku = format!("sku-{}", rng.random_range(0..5));
    let cents = rng.random_range(100..10_000_i64);
    #[expect(clippy::cast_precision_loss, reason = "cents are small")]
    let price = cents as f64 / 100.0;
    let line = json!({"item_id": sku, "item_name": "Thing", "price": price, "quantity": 2});
    let items = json!(vec![line; rng.random_range(1..=2)]);
    let mut made = match rng.random_range(0..12) {
        0..3 => {
            let url = *[
                "https://shop.example/?utm_source=news&utm_medium=email",
                "https://shop.example/a",
            ]
            .choose(rng)
            .unwrap();
            record(
                visitor,
                at,
                seed,
                "page_view",
                json!({"page_url": url, "referrer_url": "https://www.google.com/"}),
            )
        }
        3..5 => record(
            visitor,
            at,
            seed,
            "view_item",
            json!({"items": items, "currency": "EUR"}),
        ),
        5 => record(
            visitor,
            at,
            seed,
            "add_to_cart",
            json!({"items": items, "currency": "EUR", "value": price}),
        ),
        6 => record(
            visitor,
            at,
            seed,
            "begin_checkout",
            json!({"items": items, "currency": "EUR", "value": price}),
        ),
        7 => record(
            visitor,
            at,
            seed,
            "page_ping",
            json!({"engagement_time_msec": 5_000}),
        ),
        10 => record(
            visitor,
            at,
            seed,
            "search",
            json!({"search_term": *["Mug", "mug ", "pot"].choose(rng).unwrap()}),
        ),
        11 => record(
            visitor,
            at,
            seed,
            "remove_from_cart",
            json!({"items": items, "currency": "EUR", "value": price}),
        ),
        8 if !orders.is_empty() && rng.random_bool(0.4) => {
            let (order, _) = orders.choose(rng).unwrap().clone();
            let waited = if rng.random_bool(0.3) { 40 * DAY } else { 0 };
            record(
                visitor,
                at + waited,
                seed,
                "refund",
                json!({"transaction_id": order, "currency": *["EUR", "USD"].choose(rng).unwrap(), "value": 1}),
            )
        }
        _ => {
            let again = !orders.is_empty() && rng.random_bool(0.2);
            let order = if again {
                orders.choose(rng).unwrap().0.clone()
            } else {
                format!("order-{}", orders.len())
            };
            orders.push((order.clone(), at));
            let currency = *["EUR", "EUR", "USD"].choose(rng).unwrap();
            let fields = json!({"transaction_id": order, "currency": currency, "value": price, "items": items});
            record(visitor, at, seed, "purchase", fields)
        }
    };
    if rng.random_bool(0.1) {
        made["edge"]["shop_id"] = "second".into();
    }
    if rng.random_bool(0.1) {
        let off = *[-3 * DAY, 26 * 60 * MINUTE, 400 * DAY].choose(rng).unwrap();
        shift(&mut made["event"]["event_timestamp"], off);
        let by_that_clock = made["event"]["event_timestamp"].as_i64().unwrap();
        made["event"]["event_id"] = uuid_v7(by_that_clock, seed).into();
        shift(&mut made["batch"]["sent_at"], off);
    }
    if rng.random_bool(0.03) {
        shift(&mut made["batch"]["sent_at"], 300 * DAY);
    }
    if rng.random_bool(0.02) {
        made["edge"]["received_at"] = i64::MAX.into();
    }
    if rng.random_bool(0.05) {
        made["edge"]["bot_score"] = 100.into();
    }
    if rng.random_bool(0.3) {
        made["event"]["user_id"] = format!("customer-{}", rng.random_range(0..6)).into();
    }
    made
}
