//! The promise of silver and gold: whatever the split, order, duplication or lateness of the input, the tables equal a
//! rebuild, row for row.

use rand::Rng;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use shoptrail_backend::build::Mode;

use super::world::{TestLake, TestWarehouse, assert_same_tables, build, land, shuffled_world};

#[tokio::test(flavor = "multi_thread")]
async fn increments_equal_a_rebuild_row_for_row() {
    for seed in 0..3 {
        let mut records = shuffled_world(seed, 24);
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

        build(&parts.lake, Mode::Rebuild).await;
        assert_same_tables(&parts.lake, &whole.lake, &format!("seed {seed}, rebuilt")).await;
    }
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
