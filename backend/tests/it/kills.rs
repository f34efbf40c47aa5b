//! The command's processes killed at any moment, again and again: nothing is lost, nothing counts twice, and the tables are as
//! a rebuild makes them.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use shoptrail_backend::bronze;
use shoptrail_backend::build::Mode;
use shoptrail_backend::warehouse::{Publication, Query};
use shoptrail_local::broker::client;
use shoptrail_schemas::wire;

use super::landing::{PATIENCE, broker, create};
use super::world::{TestLake, TestWarehouse, assert_same_tables, build, land, shuffled_world};

/// How often each process is killed; `SHOPTRAIL_TEST_KILLS` says otherwise.
fn kills() -> usize {
    let kills = std::env::var("SHOPTRAIL_TEST_KILLS").ok();
    kills.map_or(6, |kills| kills.parse().unwrap())
}

/// The command over a lake.
fn shoptrail(test: &TestLake, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shoptrail"));
    command
        .args(args)
        .arg("--warehouse")
        .arg(format!("lake:{}", test.folder.path().display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Runs it to its end; returns how long that took.
fn run(command: &mut Command) -> Duration {
    let started = Instant::now();
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
    started.elapsed()
}

/// Kills the process after a time, without warning; returns whether it was still at work.
async fn kill_after(mut child: Child, moment: Duration) -> bool {
    tokio::time::sleep(moment).await;
    let is_at_work = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    is_at_work
}

#[tokio::test(flavor = "multi_thread")]
async fn builds_killed_at_any_moment_leave_what_a_rebuild_makes() {
    let kills = kills();
    let records = shuffled_world(8, 5 * kills);
    let build_args = ["build", "--time-zone", "Europe/Berlin"];
    let test = TestLake::new().await;
    let mut rng = StdRng::seed_from_u64(8);
    let mut parts = records.chunks(records.len().div_ceil(kills + 1));
    land(&test.lake, parts.next().unwrap()).await;
    let usual = run(&mut shoptrail(&test, &build_args));
    let mut killed = 0;
    for part in parts {
        land(&test.lake, part).await;
        let moment = usual.mul_f64(rng.random_range(0.0..1.0));
        let child = shoptrail(&test, &build_args).spawn().unwrap();
        killed += usize::from(kill_after(child, moment).await);
    }
    assert!(killed > kills / 2, "{killed} of {kills} were at work");
    run(&mut shoptrail(&test, &build_args));

    let whole = TestLake::new().await;
    land(&whole.lake, &records).await;
    build(&whole.lake, Mode::Increment).await;
    let left = test.restarted().await;
    assert_same_tables(left.as_ref(), &whole.lake, "builds killed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn landers_killed_at_any_moment_land_each_record_once() {
    let (topic, kills) = ("of_killed_landers", kills());
    create(topic, 2).await;
    let test = TestLake::with(&[&bronze::EVENTS, &bronze::QUARANTINE]).await;
    let land_args = [
        "land",
        "--topic",
        topic,
        "--bootstrap-servers",
        broker(),
        "--max-event-age-days",
        "36500",
        // Many landings, so that a kill finds one under way.
        "--max-rows",
        "20",
        "--max-age-ms",
        "20",
    ];
    let mut rng = StdRng::seed_from_u64(9);
    let producer: BaseProducer = client(broker()).create().unwrap();
    let records = shuffled_world(9, 10);
    let mut produced = 0;
    let mut produce = || {
        for record in records.iter().cycle().take(200) {
            let event = wire::encode(1, record.as_bytes());
            // One in three is no event, so that bronze and quarantine change together.
            let value: &[u8] = if produced % 3 == 0 {
                b"no event"
            } else {
                &event
            };
            let record = BaseRecord::<(), [u8]>::to(topic)
                .partition(produced % 2)
                .payload(value);
            producer.send(record).map_err(|(error, _)| error).unwrap();
            produced += 1;
        }
        producer.flush(PATIENCE).unwrap();
    };
    produce();
    let once = [&land_args[..], &["--once"]].concat();
    let usual = run(&mut shoptrail(&test, &once));
    let mut killed = 0;
    for _ in 0..kills {
        produce();
        let moment = usual.mul_f64(rng.random_range(0.0..1.0));
        let child = shoptrail(&test, &once).spawn().unwrap();
        killed += usize::from(kill_after(child, moment).await);
    }
    assert!(killed > kills / 2, "{killed} of {kills} were at work");
    run(&mut shoptrail(&test, &once));

    let offsets = i64::from(produced / 2);
    for partition in 0..2 {
        let every: Vec<i64> = (0..offsets).collect();
        assert_eq!(
            landed(&test, partition).await,
            every,
            "partition {partition}"
        );
    }
}

/// The offsets of a partition in bronze and quarantine, in order.
async fn landed(test: &TestLake, partition: i64) -> Vec<i64> {
    let lake = test.restarted().await;
    let mut offsets = Vec::new();
    for table in [&bronze::EVENTS, &bronze::QUARANTINE] {
        let query = Query::all().columns(&["_partition", "_offset"]);
        let rows = lake
            .read(&Publication::default(), table, &query)
            .await
            .unwrap();
        let number = |name: &str| rows.column(name).unwrap().i64().unwrap().clone();
        let (partitions, here) = (number("_partition"), number("_offset"));
        let rows = partitions.iter().zip(here.iter());
        offsets.extend(
            rows.filter(|row| row.0 == Some(partition))
                .filter_map(|row| row.1),
        );
    }
    offsets.sort_unstable();
    offsets
}
