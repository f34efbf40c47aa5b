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
