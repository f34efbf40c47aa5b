//! Several shops in one warehouse, each with a time zone and a currency of its own.

use polars::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde_json::json;
use shoptrail_backend::build::{self, Mode};
use shoptrail_backend::config::{Reporting, ShopReporting};
use shoptrail_backend::silver::{events, orders, sessions};
use shoptrail_backend::table::Table;
use shoptrail_backend::warehouse::{Query, Warehouse};

use super::world::{
    EVENING, MINUTE, TestLake, TestWarehouse, assert_same_tables, land, record, reporting,
    shuffled_world,
};

/// The shop `second` beside `demo`, which reports in Berlin and in euros.
fn with_second(own: &str) -> Reporting {
    let shops = format!(r#"{{"second":{own}}}"#);
    Reporting {
        shops: ShopReporting::read(&shops).unwrap(),
        ..reporting()
    }
}

async fn build(lake: &dyn Warehouse, reporting: &Reporting, mode: Mode) {
    build::run_within(lake, reporting, mode, 100).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn shops_of_two_zones_and_currencies_do_not_mix() {
    let new_york = with_second(r#"{"time_zone":"America/New_York","currency":"USD"}"#);
    let mut records = shuffled_world(15, 40);
    records.extend(glances());
    let mut rng = StdRng::seed_from_u64(15);
    records.shuffle(&mut rng);

    let whole = TestLake::new().await;
    land(&whole.lake, &records).await;
    build(&whole.lake, &new_york, Mode::Rebuild).await;
    let parts = TestLake::new().await;
    for part in records.chunks(records.len().div_ceil(4)) {
        land(&parts.lake, part).await;
        build(&parts.lake, &new_york, Mode::Increment).await;
    }
    assert_same_tables(&parts.lake, &whole.lake, "two zones, in parts").await;

    for (table, instant) in [
        (&events::TABLE, "event_time"),
        (&sessions::TABLE, "session_start"),
        (&orders::TABLE, "ordered_at"),
    ] {
        let rows = rows(&parts.lake, table).await;
        for (shop, zone) in [("demo", "Europe/Berlin"), ("second", "America/New_York")] {
            assert_days_of(rows.clone(), instant, shop, zone);
        }
    }
    assert_eq!(currencies_of_glances(&parts.lake).await, ["EUR", "USD"]);

    // One shop moves, and each of its rows is of the new days, without anything new in bronze.
    let tokyo = with_second(r#"{"time_zone":"Asia/Tokyo","currency":"JPY"}"#);
    build(&parts.lake, &tokyo, Mode::Increment).await;
    build(&whole.lake, &tokyo, Mode::Rebuild).await;
    assert_same_tables(&parts.lake, &whole.lake, "moved to Tokyo").await;
    let events = rows(&parts.lake, &events::TABLE).await;
    assert_days_of(events.clone(), "event_time", "second", "Asia/Tokyo");
    assert_days_of(events, "event_time", "demo", "Europe/Berlin");
    assert_eq!(currencies_of_glances(&parts.lake).await, ["EUR", "JPY"]);

    // A setting that says what holds anyway changes nothing.
    let version = parts.lake.publication().await.unwrap().version;
    let shops =
        r#"{"second":{"time_zone":"Asia/Tokyo","currency":"JPY"},"demo":{"currency":"EUR"}}"#;
    let same = Reporting {
        shops: ShopReporting::read(shops).unwrap(),
        ..reporting()
    };
    build(&parts.lake, &same, Mode::Increment).await;
    assert_eq!(parts.lake.publication().await.unwrap().version, version);
}

/// One page view in each shop, of a visitor who did nothing else.
fn glances() -> [String; 2] {
    ["demo", "second"].map(|shop| {
        let at = EVENING + 5 * MINUTE;
        let mut glance = record("glance", at, 1, "page_view", json!({}));
        glance["edge"]["shop_id"] = shop.into();
        glance.to_string()
    })
}

/// The currencies of these visits, in the order of their shops.
async fn currencies_of_glances(lake: &dyn Warehouse) -> Vec<String> {
    let sessions = rows(lake, &sessions::TABLE).await;
    let glances = sessions
        .lazy()
        .filter(col("anonymous_id").eq(lit("glance")))
        .sort(["shop_id"], SortMultipleOptions::default())
        .collect()
        .unwrap();
    let currencies = glances.column("currency").unwrap().str().unwrap();
    currencies.iter().flatten().map(str::to_owned).collect()
}

async fn rows(lake: &dyn Warehouse, table: &'static Table) -> DataFrame {
    let published = lake.publication().await.unwrap();
    lake.read(&published, table, &Query::all()).await.unwrap()
}

/// Asserts that a shop has rows, and each on its day in a time zone.
fn assert_days_of(rows: DataFrame, instant: &str, shop: &str, zone: &str) {
    let zone = TimeZone::opt_try_new(Some(zone)).unwrap().unwrap();
    let local = col(instant).dt().convert_time_zone(zone).dt().date();
    let theirs = rows
        .lazy()
        .filter(col("shop_id").eq(lit(shop.to_owned())))
        .with_column(local.eq(col("day")).alias("is_on_its_day"))
        .collect()
        .unwrap();
    assert!(theirs.height() > 0, "{shop}");
    let is_on_its_day = theirs.column("is_on_its_day").unwrap().bool().unwrap();
    assert!(is_on_its_day.all(), "{instant} {shop}");
}
