//! Checks before publishing, on a copy of the tables that somebody broke.

use polars::prelude::*;
use serde_json::json;
use shoptrail_backend::build::{self, Broken, Mode, RUNS};
use shoptrail_backend::exit;
use shoptrail_backend::show;
use shoptrail_backend::silver::{orders, sessions};
use shoptrail_backend::table::Table;
use shoptrail_backend::warehouse::{Basis, Change, Query, Replaces, Warehouse};

use super::world::{EVENING, MINUTE, TestLake, TestWarehouse, build, land, record, reporting};

#[tokio::test(flavor = "multi_thread")]
async fn broken_promise_publishes_nothing_but_what_the_checks_found() {
    let test = TestLake::new().await;
    let lake: &dyn Warehouse = test.warehouse();
    let order = json!({"transaction_id": "T1", "currency": "EUR", "value": 100});
    let purchase = record("visitor", EVENING, 1, "purchase", order);
    land(lake, &[purchase.to_string()]).await;
    build(lake, Mode::Increment).await;
    assert!(statuses(lake).await.iter().all(|status| status != "failed"));

    // Somebody deletes the session of the order, and the order changes: the order refers to nothing, and its value is in no
    // channel and on no landing page.
    delete_sessions(lake).await;
    let refund = json!({"transaction_id": "T1", "currency": "EUR", "value": 40});
    let refund = record("visitor", EVENING + 120 * MINUTE, 2, "refund", refund);
    land(lake, &[refund.to_string()]).await;
    let failed = build::run(lake, &reporting(), Mode::Increment).await;
    let failed = failed.unwrap_err();
    let broken = failed.downcast_ref::<Broken>().unwrap();
    assert_eq!(
        (broken.check.as_str(), broken.table, broken.rows),
        ("references silver_sessions", "silver_orders", 1)
    );
    assert_eq!(exit::code(&failed), 19);
    assert_eq!(
        integers(&rows(lake, &orders::TABLE).await, "refunds_minor"),
        [0]
    );
    let found = rows(lake, show::find("gold_quality_checks").unwrap()).await;
    let found = found
        .lazy()
        .filter(col("status").eq(lit("failed")))
        .collect()
        .unwrap();
    let samples = found.column("samples").unwrap().str().unwrap().get(0);
    assert!(samples.unwrap().contains(r#""transaction_id":"T1""#));

    // The same again says the same and publishes nothing more.
    let version = lake.publication().await.unwrap().version;
    build::run(lake, &reporting(), Mode::Increment)
        .await
        .unwrap_err();
    assert_eq!(lake.publication().await.unwrap().version, version);

    build(lake, Mode::Rebuild).await;
    assert_eq!(
        runs(lake).await,
        [
            ("first build", "published", 0),
            ("new rows", "failed", 3),
            ("asked", "published", 0)
        ]
        .map(|(reason, status, failed)| (reason.to_owned(), status.to_owned(), failed))
    );
    assert!(statuses(lake).await.iter().all(|status| status != "failed"));
    assert_eq!(
        integers(&rows(lake, &orders::TABLE).await, "refunds_minor"),
        [4_000]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn old_events_are_a_warning_and_are_published() {
    let test = TestLake::new().await;
    let year_ago = EVENING - 365 * 24 * 60 * MINUTE;
    // The first build is one of everything, however old: the increment after it is what should be new.
    for (seed, at) in [(1, year_ago), (2, year_ago + MINUTE)] {
        let view = record("visitor", at, seed, "page_view", json!({}));
        land(test.warehouse(), &[view.to_string()]).await;
        build(test.warehouse(), Mode::Increment).await;
    }
    let statuses = statuses(test.warehouse()).await;
    assert_eq!(
        statuses.iter().filter(|status| *status == "warned").count(),
        1
    );
    assert!(statuses.iter().all(|status| status != "failed"));
}

/// Reason, status and failed checks of each run, in order.
async fn runs(lake: &dyn Warehouse) -> Vec<(String, String, i64)> {
    let runs = show::in_key_order(&RUNS, rows(lake, &RUNS).await).unwrap();
    let texts = |column| runs.column(column).unwrap().str().unwrap().iter();
    let told = texts("reason").zip(texts("status"));
    let told = told.zip(integers(&runs, "checks_failed"));
    told.map(|((reason, status), failed)| {
        (
            reason.unwrap().to_owned(),
            status.unwrap().to_owned(),
            failed,
        )
    })
    .collect()
}

async fn delete_sessions(lake: &dyn Warehouse) {
    let published = lake.publication().await.unwrap();
    let gone = rows(lake, &sessions::TABLE).await;
    let gone = gone.select(sessions::TABLE.address()).unwrap();
    let change = Change {
        table: &sessions::TABLE,
        replaces: Replaces::Keys(gone),
        rows: sessions::TABLE.empty().into(),
    };
    let basis = Basis {
        cursor: published.cursor.clone().unwrap(),
        recipe: published.recipe.clone(),
    };
    lake.publish(&published, vec![change], basis).await.unwrap();
}

async fn rows(lake: &dyn Warehouse, table: &'static Table) -> DataFrame {
    let published = lake.publication().await.unwrap();
    lake.read(&published, table, &Query::all()).await.unwrap()
}

async fn statuses(lake: &dyn Warehouse) -> Vec<String> {
    let found = rows(lake, show::find("gold_quality_checks").unwrap()).await;
    let statuses = found.column("status").unwrap().str().unwrap();
    statuses.iter().flatten().map(str::to_owned).collect()
}

fn integers(rows: &DataFrame, column: &str) -> Vec<i64> {
    let values = rows.column(column).unwrap().i64().unwrap();
    values.iter().flatten().collect()
}
