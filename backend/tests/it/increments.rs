//! The promise of silver and gold: whatever the split, order, duplication or lateness of the input, the tables equal a
//! rebuild, row for row.

use rand::Rng;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde_json::json;
use shoptrail_backend::build::{self, Mode, RUNS};
use shoptrail_backend::config::Reporting;
use shoptrail_backend::show;
use shoptrail_backend::silver::{orders, refunds};
use shoptrail_backend::warehouse::{Query, Warehouse};

use super::world::{
    EVENING, MINUTE, TestLake, TestWarehouse, assert_same_tables, build, land, record, reporting,
    shuffled_world, shuffled_world_from,
};

/// Usual days, and those around which the reporting time zone has one of 25 hours and one of 23: 2026-10-25 and 2026-03-29.
const STARTS: [i64; 3] = [EVENING, 1_792_843_200_000, 1_774_699_200_000];

#[tokio::test(flavor = "multi_thread")]
async fn increments_equal_a_rebuild_row_for_row() {
    for (seed, start) in (0..cases()).zip(STARTS.into_iter().cycle()) {
        let mut records = shuffled_world_from(start, seed, 24);
        let mut rng = StdRng::seed_from_u64(seed);
        records.shuffle(&mut rng);

        let whole = TestLake::new().await;
        land(&whole.lake, &records).await;
        build(&whole.lake, Mode::Increment).await;

        let parts = TestLake::new().await;
        let mut rest = records.as_slice();
        while !rest.is_empty() {
            let (part, tail) = rest.split_at(rng.random_range(1..=rest.len().min(60)));
            rest = tail;
            land(&parts.lake, part).await;
            if rng.random_bool(0.8) {
                // A new process each time: nothing may live in memory from run to run.
                build(parts.restarted().await.as_ref(), Mode::Increment).await;
            }
        }
        build(&parts.lake, Mode::Increment).await;
        assert_same_tables(&parts.lake, &whole.lake, &format!("seed {seed}, in parts")).await;

        for rows_at_once in [25, 1_000_000] {
            rebuild(&parts.lake, rows_at_once).await;
            let how = format!("seed {seed}, rebuilt {rows_at_once} rows at a time");
            assert_same_tables(&parts.lake, &whole.lake, &how).await;
        }
    }
}

/// How many worlds are tried; `SHOPTRAIL_TEST_CASES` says otherwise.
fn cases() -> u64 {
    let cases = std::env::var("SHOPTRAIL_TEST_CASES").ok();
    cases.map_or(3, |cases| cases.parse().unwrap())
}

/// Builds every table again, with so many rows of bronze at a time.
async fn rebuild(warehouse: &dyn Warehouse, rows_at_once: usize) {
    let reporting = reporting();
    let rebuilt = build::run_within(warehouse, &reporting, Mode::Rebuild, rows_at_once);
    rebuilt.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn much_that_is_new_is_built_in_portions() {
    let records = shuffled_world(6, 40);
    let (first, rest) = records.split_at(20);
    let test = TestLake::new().await;
    land(&test.lake, first).await;
    let begun = build(&test.lake, Mode::Increment).await;
    for part in rest.chunks(10) {
        land(&test.lake, part).await;
    }
    let run = build::run_within(&test.lake, &reporting(), Mode::Increment, 25).await;
    let run = run.unwrap();
    assert_eq!(run.bronze_rows, rest.len());
    let portions = u64::try_from(rest.len() / 30).unwrap();
    assert!(run.publication >= begun.publication + portions, "{run:?}");

    let whole = TestLake::new().await;
    land(&whole.lake, &records).await;
    build(&whole.lake, Mode::Increment).await;
    assert_same_tables(&test.lake, &whole.lake, "in portions").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn event_of_two_visitors_counts_once_though_their_parts_differ() {
    let mut records = shuffled_world(7, 30);
    let again: Vec<String> = records
        .iter()
        .step_by(5)
        .map(|text| text.replace(r#""anonymous_id":"visitor-"#, r#""anonymous_id":"other-"#))
        .collect();
    records.extend(again);
    let whole = TestLake::new().await;
    land(&whole.lake, &records).await;
    build(&whole.lake, Mode::Increment).await;
    let parts = TestLake::new().await;
    land(&parts.lake, &records).await;
    rebuild(&parts.lake, 20).await;
    assert_same_tables(&parts.lake, &whole.lake, "in parts").await;
}

/// Carts and the paths to orders reach over weeks.
#[tokio::test(flavor = "multi_thread")]
async fn increments_equal_a_rebuild_over_months() {
    let mut records = world_of_months();
    let mut rng = StdRng::seed_from_u64(9);
    records.shuffle(&mut rng);

    let whole = TestLake::new().await;
    land(&whole.lake, &records).await;
    build(&whole.lake, Mode::Increment).await;

    let parts = TestLake::new().await;
    for part in records.chunks(records.len().div_ceil(8)) {
        land(&parts.lake, part).await;
        build(&parts.lake, Mode::Increment).await;
    }
    assert_same_tables(&parts.lake, &whole.lake, "months, in parts").await;

    rebuild(&parts.lake, records.len() / 3).await;
    assert_same_tables(&parts.lake, &whole.lake, "months, rebuilt").await;
}

/// Visits around the pauses that end a cart and a path to an order, on browsers that customers share.
fn world_of_months() -> Vec<String> {
    const DAY: i64 = 24 * 60 * MINUTE;
    let mut rng = StdRng::seed_from_u64(9);
    let mut records = Vec::new();
    let pauses = [
        MINUTE,
        DAY,
        12 * DAY,
        30 * DAY - 1,
        30 * DAY,
        30 * DAY + 1,
        45 * DAY,
    ];
    for visitor in ["phone", "laptop", "kiosk"] {
        let mut at = EVENING - 400 * DAY;
        for step in 0..40 {
            at += pauses[rng.random_range(0..pauses.len())];
            let line = serde_json::json!([{"item_id": "mug", "price": 10, "quantity": 1}]);
            let money = serde_json::json!({"items": line, "currency": "EUR", "value": 10.01});
            let (kind, mut fields) = match rng.random_range(0..8) {
                0..3 => ("add_to_cart", money),
                3 => ("remove_from_cart", money),
                4..6 => ("purchase", money),
                6 => (
                    "login",
                    serde_json::json!({"user_id": format!("customer-{}", step % 2)}),
                ),
                _ => (
                    "page_view",
                    serde_json::json!({"referrer_url": "https://www.google.com/"}),
                ),
            };
            if kind == "purchase" {
                fields["transaction_id"] = format!("{visitor}-{step}").into();
            }
            records.push(record(visitor, at, rng.random(), kind, fields).to_string());
        }
    }
    records
}

#[tokio::test(flavor = "multi_thread")]
async fn run_reads_only_what_is_new_in_bronze() {
    let test = TestLake::new().await;
    let records = shuffled_world(2, 10);
    let (first, second) = records.split_at(records.len() - 3);
    land(&test.lake, first).await;
    build(&test.lake, Mode::Increment).await;
    land(&test.lake, second).await;
    assert_eq!(build(&test.lake, Mode::Increment).await.bronze_rows, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn increment_writes_the_rows_it_changes_and_no_others() {
    let test = TestLake::new().await;
    land(&test.lake, &shuffled_world(3, 2_000)).await;
    let whole = build(&test.lake, Mode::Increment).await;

    let at = EVENING + 24 * 60 * MINUTE;
    let view = record("newcomer", at, 1, "page_view", serde_json::json!({}));
    land(&test.lake, &[view.to_string()]).await;
    let one = build(&test.lake, Mode::Increment).await;
    // The event, its session and visitor, the day's figures, of the funnel the session and the event, its landing page, and
    // the hour.
    assert_eq!((one.bronze_rows, one.tables), (1, 8), "{one:?}");
    assert!(one.rows <= 9, "{one:?}");
    assert!(
        one.traffic.bytes_written * 20 < whole.traffic.bytes_written,
        "{one:?} {whole:?}"
    );
    // Files are counted whole, whatever columns are read of them. One event in ten has an id by a clock that is days off, so that
    // every file of events may hold any id.
    assert!(
        one.traffic.bytes_read < 2 * whole.traffic.bytes_written,
        "{one:?} {whole:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn order_writes_its_customer_and_no_other() {
    let test = TestLake::new().await;
    land(&test.lake, &shuffled_world(3, 60)).await;
    build(&test.lake, Mode::Increment).await;
    let at = EVENING + 400 * 24 * 60 * MINUTE;
    for (seed, visitor) in [(1, "first of the day"), (2, "second of the day")] {
        let order = serde_json::json!({"transaction_id": visitor, "currency": "EUR", "value": 9});
        let order = record(visitor, at, seed, "purchase", order);
        land(&test.lake, &[order.to_string()]).await;
        build(&test.lake, Mode::Increment).await;
    }
    let told = changes_of_runs(&test.lake).await;
    let [_, first, second] = told.as_slice() else {
        panic!("{told:?}");
    };
    // A day later, everybody's last order is a day further back.
    assert!(!first.contains("gold_customer_ltv +1 from"), "{first}");
    assert!(second.contains("gold_customer_ltv +1 from"), "{second}");
}

/// What each run changed, in order.
async fn changes_of_runs(warehouse: &dyn Warehouse) -> Vec<String> {
    let published = warehouse.publication().await.unwrap();
    let runs = warehouse.read(&published, &RUNS, &Query::all()).await;
    let runs = show::in_key_order(&RUNS, runs.unwrap()).unwrap();
    let changes = runs.column("changes").unwrap().str().unwrap();
    changes.iter().flatten().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn table_whose_inputs_stay_is_not_built() {
    let test = TestLake::new().await;
    land(&test.lake, &shuffled_world(4, 20)).await;
    build(&test.lake, Mode::Increment).await;
    land(&test.lake, &["no record".to_owned()]).await;
    let run = build(&test.lake, Mode::Increment).await;
    assert_eq!(
        (run.bronze_rows, run.tables, run.rows),
        (1, 3, 3),
        "quarantine, what is left out, and the hour it is counted in"
    );
    // The same record again changes nothing, and yet it has been read.
    land(&test.lake, &["no record".to_owned()]).await;
    let again = build(&test.lake, Mode::Increment).await;
    assert_eq!((again.bronze_rows, again.tables), (1, 0));
    let idle = build(&test.lake, Mode::Increment).await;
    assert_eq!(idle.bronze_rows, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_settings_make_every_table_again() {
    let records = shuffled_world(5, 30);
    let berlin = reporting();
    let tokyo = Reporting {
        time_zone: polars::prelude::TimeZone::opt_try_new(Some("Asia/Tokyo"))
            .unwrap()
            .unwrap(),
        ..Reporting::default()
    };
    let moved = TestLake::new().await;
    land(&moved.lake, &records).await;
    build::run(&moved.lake, &berlin, Mode::Increment)
        .await
        .unwrap();
    // Nothing new in bronze, and yet every row is of the new day.
    build::run(&moved.lake, &tokyo, Mode::Increment)
        .await
        .unwrap();

    let at_once = TestLake::new().await;
    land(&at_once.lake, &records).await;
    build::run(&at_once.lake, &tokyo, Mode::Increment)
        .await
        .unwrap();
    assert_same_tables(&moved.lake, &at_once.lake, "moved to Tokyo").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_beyond_64_bits_take_no_more_than_the_order() {
    let in_units = |value: f64| json!({"transaction_id": "T", "currency": "CLF", "value": value});
    let order = record("visitor", EVENING, 1, "purchase", in_units(11.9));
    let refunds = (2..1_002_u32).map(|seed| {
        let at = EVENING + MINUTE + i64::from(seed);
        let value = 1e12 - f64::from(seed);
        record("visitor", at, seed.into(), "refund", in_units(value))
    });
    let records: Vec<String> = std::iter::once(order)
        .chain(refunds)
        .map(|record| record.to_string())
        .collect();
    let test = TestLake::new().await;
    land(&test.lake, &records).await;
    build(&test.lake, Mode::Increment).await;

    let published = test.lake.publication().await.unwrap();
    let all = Query::all();
    let orders = test.lake.read(&published, &orders::TABLE, &all);
    let orders = orders.await.unwrap();
    let amount = |column: &str| orders.column(column).unwrap().i64().unwrap().get(0);
    assert_eq!(amount("refunds_minor"), amount("gross_minor"));
    assert_eq!(amount("net_minor"), Some(0));
    let refunds = test.lake.read(&published, &refunds::TABLE, &all);
    assert_eq!(refunds.await.unwrap().height(), 1);
}
