//! The same events through a lake and through BigQuery: every row of every table equal.

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use shoptrail_backend::build::Mode;

use super::super::world::{
    TestBigQuery, TestLake, TestWarehouse, assert_same_tables, build, land, shuffled_world,
};

/// Enough visits for 12,000 events.
const VISITS: usize = 3_000;
const EVENTS: usize = 12_000;
/// Records of one landing: several make what is there.
const LANDING: usize = 5_000;

#[tokio::test(flavor = "multi_thread")]
async fn increments_on_bigquery_equal_a_whole_build_on_the_lake_row_for_row() {
    let mut records = shuffled_world(7, VISITS);
    assert!(records.len() >= EVENTS, "{}", records.len());
    records.shuffle(&mut StdRng::seed_from_u64(7));

    let lake = TestLake::new().await;
    for part in records.chunks(LANDING) {
        land(lake.warehouse(), part).await;
    }
    build(lake.warehouse(), Mode::Increment).await;

    // Most of it, then an increment that reaches back into all of it.
    let bigquery = TestBigQuery::new().await;
    let (most, rest) = records.split_at(records.len() - 500);
    for part in most.chunks(LANDING) {
        land(bigquery.warehouse(), part).await;
    }
    build(bigquery.warehouse(), Mode::Increment).await;
    land(bigquery.warehouse(), rest).await;
    build(bigquery.restarted().await.as_ref(), Mode::Increment).await;
    let compared = assert_same_tables(
        bigquery.warehouse(),
        lake.warehouse(),
        "BigQuery against the lake",
    )
    .await;
    println!("rows compared: {compared}");

    build(bigquery.warehouse(), Mode::Rebuild).await;
    assert_same_tables(
        bigquery.warehouse(),
        lake.warehouse(),
        "BigQuery, rebuilt, against the lake",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_made_by_sql_inside_bigquery_equal_those_of_a_lake_row_for_row() {
    let mut records = shuffled_world(11, VISITS / 4);
    records.push("not a record".to_owned());
    records.shuffle(&mut StdRng::seed_from_u64(11));
    let (most, rest) = records.split_at(records.len() - 500);

    let lake = TestLake::new().await;
    let bigquery = TestBigQuery::new().await;
    for warehouse in [lake.warehouse(), bigquery.warehouse()] {
        land(warehouse, most).await;
    }
    let by_sql = Mode::Sql { rebuild: false };
    let first = build(bigquery.warehouse(), by_sql.clone()).await;
    assert!(first.is_published);
    assert_eq!(first.bronze_rows, most.len());
    assert!(
        !build(bigquery.warehouse(), by_sql.clone())
            .await
            .is_published
    );
    build(lake.warehouse(), Mode::Increment).await;
    let what = "made by SQL, against the lake";
    let compared = assert_same_tables(bigquery.warehouse(), lake.warehouse(), what).await;
    println!("rows compared: {compared}");

    // Engines take turns: what SQL has made, polars adds to, and the other way round.
    for (half, mode) in rest.chunks(250).zip([Mode::Increment, by_sql]) {
        for warehouse in [lake.warehouse(), bigquery.warehouse()] {
            land(warehouse, half).await;
        }
        build(bigquery.restarted().await.as_ref(), mode).await;
        build(lake.warehouse(), Mode::Increment).await;
        assert_same_tables(bigquery.warehouse(), lake.warehouse(), "in turns").await;
    }
}
