//! What a build costs: 200,000 events, then 1 % more, in BigQuery and on the lake beside it. Prints figures; takes minutes.
//!
//! `cargo test --package shoptrail-backend --test it -- --ignored --nocapture figures`

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use shoptrail_backend::build::Mode;
use shoptrail_backend::warehouse::Warehouse;

use super::super::world::{
    TestBigQuery, TestLake, TestWarehouse, assert_same_tables, build, land, shuffled_world,
};

const VISITS: usize = 46_000;
const EVENTS: usize = 200_000;
const INCREMENT: usize = EVENTS / 100;
const LANDING: usize = 20_000;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes and prints figures"]
async fn figures_of_a_build_and_of_an_increment() {
    let mut records = shuffled_world(11, VISITS);
    records.shuffle(&mut StdRng::seed_from_u64(11));
    records.truncate(EVENTS + INCREMENT);
    assert_eq!(records.len(), EVENTS + INCREMENT);
    let (stored, new) = records.split_at(EVENTS);
    let (bigquery, lake) = (TestBigQuery::new().await, TestLake::new().await);
    for (name, warehouse) in [
        ("bigquery", bigquery.warehouse()),
        ("lake", lake.warehouse()),
    ] {
        measure(name, "land", warehouse, land_all(warehouse, stored)).await;
        measure(name, "build", warehouse, build(warehouse, Mode::Increment)).await;
        measure(name, "land 1 %", warehouse, land_all(warehouse, new)).await;
        measure(
            name,
            "build 1 %",
            warehouse,
            build(warehouse, Mode::Increment),
        )
        .await;
    }
    let compared = assert_same_tables(
        bigquery.warehouse(),
        lake.warehouse(),
        "BigQuery against the lake",
    )
    .await;
    println!("rows compared: {compared}, all equal");
}

async fn land_all(warehouse: &dyn Warehouse, records: &[String]) {
    for part in records.chunks(LANDING) {
        land(warehouse, part).await;
    }
}

async fn measure<T>(
    name: &str,
    step: &str,
    warehouse: &dyn Warehouse,
    work: impl Future<Output = T>,
) {
    let (before, cpu, start) = (
        warehouse.traffic(),
        cpu_seconds(),
        std::time::Instant::now(),
    );
    work.await;
    let traffic = serde_json::to_string(&warehouse.traffic().since(before)).unwrap();
    let (cpu, wall) = (cpu_seconds() - cpu, start.elapsed().as_secs_f64());
    println!("{name:<8} {step:<9} {cpu:6.1} s CPU {wall:6.1} s wall {traffic}");
}

/// User and system time of this process, without the server's. Linux counts in hundredths of a second.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    fields
        .split(' ')
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<f64>().unwrap())
        .sum::<f64>()
        / 100.0
}
