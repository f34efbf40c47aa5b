//! `shoptrail run` as a process: it lands, builds, is watched, and stops when it is asked to.

use std::io::{BufRead, BufReader};
use std::process::{ChildStderr, Command, Stdio};

use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use serde_json::Value;
use shoptrail_local::broker::client;
use shoptrail_schemas::wire;

use super::landing::{PATIENCE, broker, create};
use super::world::{TestLake, TestWarehouse, shuffled_world};

fn shoptrail(test: &TestLake, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shoptrail"));
    let lake = format!("lake:{}", test.folder.path().display());
    command.args(args).args(["--warehouse", &lake]);
    command
}

/// The fields of the next log line with this message.
fn said(log: &mut impl Iterator<Item = String>, message: &str) -> Value {
    let fields = log.map(|line| serde_json::from_str::<Value>(&line).unwrap()["fields"].clone());
    let mut told = fields.filter(|fields| fields["message"] == message);
    told.next()
        .unwrap_or_else(|| panic!("it ended before `{message}`"))
}

fn lines(stderr: ChildStderr) -> impl Iterator<Item = String> {
    BufReader::new(stderr).lines().map_while(Result::ok)
}

fn produce(topic: &str, records: &[String]) {
    let producer: BaseProducer = client(broker()).create().unwrap();
    for record in records {
        let event = wire::encode(1, record.as_bytes());
        let record = BaseRecord::<(), [u8]>::to(topic).payload(&event);
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn run_lands_and_builds_and_tells_what_it_did() {
    let topic = "of_a_run";
    create(topic, 1).await;
    let records = shuffled_world(3, 4);
    produce(topic, &records);
    let test = TestLake::new().await;
    let args = [
        "run",
        "--every-ms",
        "50",
        "--max-age-ms",
        "50",
        "--max-event-age-days",
        "36500",
        "--topic",
        topic,
        "--bootstrap-servers",
        broker(),
        "--log-format",
        "json",
    ];
    let watched = [&args[..], &["--metrics", "127.0.0.1:0"]].concat();
    let mut child = shoptrail(&test, &watched)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = lines(child.stderr.take().unwrap());
    let address = said(&mut log, "metrics")["address"].clone();
    let mut built = 0;
    while built < records.len() as u64 {
        built += said(&mut log, "published")["bronze.rows"].as_u64().unwrap();
    }
    let address = format!("http://{}/metrics", address.as_str().unwrap());
    let metrics = reqwest::get(address).await.unwrap().text().await.unwrap();
    let landed = format!("shoptrail_landed_rows_total {}", records.len());
    assert!(metrics.contains(&landed), "{metrics}");
    assert!(
        metrics.contains("shoptrail_land_lag_offsets 0"),
        "{metrics}"
    );

    let pid = child.id().to_string();
    let kill = Command::new("kill").args(["-s", "TERM", &pid]).status();
    assert!(kill.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));

    let runs = shoptrail(&test, &["runs", "--format", "json"]).output();
    let runs: Vec<Value> = serde_json::from_slice(&runs.unwrap().stdout).unwrap();
    let first = runs.last().unwrap();
    assert_eq!(first["publication"], 1);
    assert_eq!(first["reason"], "first build");
    let read = runs.iter().map(|run| run["bronze_rows"].as_u64().unwrap());
    assert_eq!(read.sum::<u64>(), built);

    // What comes later lands and is built by a run that ends by itself.
    produce(topic, &shuffled_world(4, 2));
    let once = [&args[..], &["--once"]].concat();
    let once = shoptrail(&test, &once).output().unwrap();
    let once: Value = serde_json::from_slice(&once.stdout).unwrap();
    assert_eq!(once["landed"]["rows"], once["built"]["bronze_rows"]);
    assert_eq!(once["landed"]["lag"], 0);
}
