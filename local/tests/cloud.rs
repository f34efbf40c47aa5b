//! The local cloud on a real Apache Kafka: what the REST API acknowledges is in the log, whatever happens to the broker.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::stream;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, OwnedMessage};
use rdkafka::{Message, Offset, TopicPartitionList};
use serde_json::{Value, json};

use shoptrail_local::broker::{Broker, DEAD_LETTER_TOPIC, KafkaFiles, TOPIC, client};
use shoptrail_local::children::Family;
use shoptrail_local::confluent::Confluent;
use shoptrail_local::confluent::limits::Limits;
use shoptrail_local::identity::Identity;

const DEADLINE: Duration = Duration::from_secs(60);
const UNLIMITED: Limits = Limits {
    calls: 100_000,
    records: 1_000_000,
    bytes: 1_000_000_000,
};

/// A broker with the Confluent surface in front, in a folder of its own.
struct Cloud {
    dir: PathBuf,
    identity: Identity,
    broker: Broker,
    confluent: Confluent,
    family: Family,
}

impl Cloud {
    async fn start(name: &str, limits: Limits) -> Result<Self> {
        let dir =
            std::env::temp_dir().join(format!("shoptrail-cloud-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir)?;
        let identity = Identity::of(&dir)?;
        let family = Family::of(&dir).await?;
        let lib = kafka_lib();
        let place = KafkaFiles {
            lib: &lib,
            dir: &dir.join("kafka"),
            log: dir.join("kafka.log"),
        };
        let broker = Broker::child(place, &identity.ports, family.clone()).await?;
        broker.create_topics().await?;
        let confluent = Confluent::start(
            &identity,
            &broker.bootstrap_servers,
            limits,
            &dir.join("registry.json"),
        )
        .await?;
        Ok(Self {
            dir,
            identity,
            broker,
            confluent,
            family,
        })
    }

    async fn end(self) -> Result<()> {
        self.broker.stop().await?;
        std::fs::remove_dir_all(&self.dir)?;
        Ok(())
    }

    fn call(&self, topic: &str) -> reqwest::RequestBuilder {
        let cluster = &self.identity.cluster_id;
        let key = &self.identity.kafka_key;
        reqwest::Client::new()
            .post(format!(
                "{}/kafka/v3/clusters/{cluster}/topics/{topic}/records",
                self.confluent.address
            ))
            .basic_auth(&key.key, Some(&key.secret))
            .header("content-type", "application/json")
    }

    /// Sends records over one chunked call and returns their reports.
    async fn produce(&self, topic: &str, records: &[Value]) -> Result<Vec<Value>> {
        let chunks: Vec<_> = records
            .iter()
            .map(|record| Ok::<_, std::io::Error>(record.to_string()))
            .collect();
        let body = reqwest::Body::wrap_stream(stream::iter(chunks));
        let response = self.call(topic).body(body).send().await?;
        ensure!(response.status() == 200, "HTTP {}", response.status());
        reports(&response.text().await?)
    }

    fn read(&self, topic: &str, partitions: i32) -> Result<Vec<OwnedMessage>> {
        let mut config = client(&self.broker.bootstrap_servers);
        let consumer: BaseConsumer = config
            .set("group.id", "test")
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .create()?;
        let mut assignment = TopicPartitionList::new();
        for partition in 0..partitions {
            assignment.add_partition_offset(topic, partition, Offset::Beginning)?;
        }
        consumer.assign(&assignment)?;
        let (mut messages, mut ends) = (Vec::new(), 0);
        let started = Instant::now();
        while ends < partitions {
            ensure!(
                started.elapsed() < DEADLINE,
                "the end of `{topic}` was not reached"
            );
            match consumer.poll(Duration::from_millis(100)) {
                Some(Ok(message)) => messages.push(message.detach()),
                Some(Err(rdkafka::error::KafkaError::PartitionEOF(_))) => ends += 1,
                Some(Err(error)) => return Err(error.into()),
                None => {}
            }
        }
        Ok(messages)
    }
}

fn kafka_lib() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies in the workspace");
    std::env::var_os("SHOPTRAIL_KAFKA_LIB")
        .map_or_else(|| root.join("target/tools/kafka/lib"), PathBuf::from)
}

fn reports(text: &str) -> Result<Vec<Value>> {
    serde_json::Deserializer::from_str(text)
        .into_iter()
        .map(|report| report.context(text.to_owned()))
        .collect()
}

fn codes(reports: &[Value]) -> Vec<i64> {
    reports
        .iter()
        .map(|report| report["error_code"].as_i64().unwrap_or_default())
        .collect()
}

fn binary(bytes: &[u8]) -> Value {
    json!({"type": "BINARY", "data": BASE64_STANDARD.encode(bytes)})
}

#[tokio::test]
async fn produced_records_come_back_with_bytes_key_headers_and_time() -> Result<()> {
    let cloud = Cloud::start("produce", UNLIMITED).await?;
    let value = b"\0\0\x01\x86\xa1{\"event\":{}}";
    let full = json!({
        "partition_id": 2,
        "key": binary(b"visitor-1"),
        "value": binary(value),
        "headers": [{"name": "shoptrail.code", "value": BASE64_STANDARD.encode("missing")}],
        "timestamp": "2026-11-22T10:00:00.123Z",
    });
    let reports = cloud.produce(TOPIC, std::slice::from_ref(&full)).await?;
    assert_eq!(
        reports,
        [json!({
            "error_code": 200, "cluster_id": cloud.identity.cluster_id, "topic_name": TOPIC, "partition_id": 2, "offset": 0,
            "timestamp": "2026-11-22T10:00:00.123Z",
            "key": {"type": "BINARY", "size": 9}, "value": {"type": "BINARY", "size": value.len()},
        })]
    );
    let messages = cloud.read(TOPIC, 3)?;
    let [message] = messages.as_slice() else {
        panic!("one message, not {}", messages.len())
    };
    assert_eq!(message.payload(), Some(value.as_slice()));
    assert_eq!(message.key(), Some(b"visitor-1".as_slice()));
    assert_eq!(
        (message.partition(), message.timestamp().to_millis()),
        (2, Some(1_795_341_600_123))
    );
    let header = message.headers().expect("it has headers").get(0);
    assert_eq!(
        (header.key, header.value),
        ("shoptrail.code", Some(b"missing".as_slice()))
    );

    bad_records_are_reported_in_their_place(&cloud).await?;
    calls_that_are_wrong_get_confluents_answers(&cloud).await?;
    registry_answers_over_http(&cloud).await?;
    cloud.end().await
}

async fn bad_records_are_reported_in_their_place(cloud: &Cloud) -> Result<()> {
    let good = json!({"value": {"type": "STRING", "data": "x"}});
    let records = [
        good.clone(),
        json!({"value": {"type": "BINARY", "data": "%"}}),
        json!({"partition_id": 7, "value": {"type": "STRING", "data": "x"}}),
        json!({"value": {"type": "JSONSCHEMA", "data": {}}}),
        good.clone(),
    ];
    assert_eq!(
        codes(&cloud.produce(DEAD_LETTER_TOPIC, &records).await?),
        [200, 400, 40401, 400, 200]
    );
    assert_eq!(cloud.read(DEAD_LETTER_TOPIC, 1)?.len(), 2);

    let unknown = cloud
        .produce("clickstream_typo", &[good.clone(), good.clone()])
        .await?;
    assert_eq!(codes(&unknown), [40401, 40401]);
    assert_eq!(
        unknown[0]["message"],
        "Topic clickstream_typo not present in metadata after 60000 ms."
    );

    let malformed = cloud
        .call(DEAD_LETTER_TOPIC)
        .body(format!("{good}{good},{good}"))
        .send()
        .await?;
    assert_eq!(codes(&reports(&malformed.text().await?)?), [200, 200, 400]);
    Ok(())
}

async fn calls_that_are_wrong_get_confluents_answers(cloud: &Cloud) -> Result<()> {
    let address = &cloud.confluent.address;
    let cluster = &cloud.identity.cluster_id;
    let key = &cloud.identity.kafka_key;
    let record = r#"{"value":{"type":"STRING","data":"x"}}"#;
    let table = [
        (
            cluster.as_str(),
            TOPIC,
            "wrong",
            "application/json",
            record,
            401,
            40101,
        ),
        (
            "lkc-other",
            TOPIC,
            &key.secret,
            "application/json",
            record,
            404,
            404,
        ),
        (
            cluster,
            "__consumer_offsets",
            &key.secret,
            "application/json",
            record,
            403,
            40301,
        ),
        (cluster, TOPIC, &key.secret, "text/plain", record, 415, 415),
        (
            cluster,
            TOPIC,
            &key.secret,
            "application/json",
            " \n",
            422,
            422,
        ),
    ];
    for (cluster, topic, secret, media_type, body, status, code) in table {
        let request = reqwest::Client::new()
            .post(format!(
                "{address}/kafka/v3/clusters/{cluster}/topics/{topic}/records"
            ))
            .basic_auth(&key.key, Some(secret))
            .header("content-type", media_type)
            .body(body);
        let response = request.send().await?;
        assert_eq!(response.status(), status);
        let reply: Value = response.json().await?;
        assert_eq!(reply["error_code"], code, "{reply}");
    }
    Ok(())
}

async fn registry_answers_over_http(cloud: &Cloud) -> Result<()> {
    let client = reqwest::Client::new();
    let key = &cloud.identity.registry_key;
    let url = |path: &str| format!("{}{path}", cloud.confluent.address);
    let schema = |schema: Value| json!({"schemaType": "JSON", "schema": schema.to_string()});
    let post = |path: &str, body: Value| {
        client
            .post(url(path))
            .basic_auth(&key.key, Some(&key.secret))
            .json(&body)
            .send()
    };

    let wide = schema(json!({"type": "string", "maxLength": 9}));
    let narrow = schema(json!({"type": "string", "maxLength": 5}));
    let registered: Value = post("/subjects/t-value/versions", wide.clone())
        .await?
        .json()
        .await?;
    let id = registered["id"].as_u64().context("an id")?;
    assert_eq!(
        post("/subjects/t-value/versions", wide)
            .await?
            .json::<Value>()
            .await?["id"],
        id
    );
    let refused = post("/subjects/t-value/versions", narrow.clone()).await?;
    assert_eq!(refused.status(), 409);
    assert_eq!(
        refused.headers()["content-type"],
        "application/vnd.schemaregistry.v1+json"
    );
    let verdict: Value = post("/compatibility/subjects/t-value/versions/latest", narrow)
        .await?
        .json()
        .await?;
    assert_eq!(verdict, json!({"is_compatible": false}));

    let get = |path: String| {
        client
            .get(url(&path))
            .basic_auth(&key.key, Some(&key.secret))
            .send()
    };
    assert_eq!(
        get("/subjects/t-value/versions".into())
            .await?
            .json::<Value>()
            .await?,
        json!([1])
    );
    assert_eq!(
        get(format!("/schemas/ids/{id}"))
            .await?
            .json::<Value>()
            .await?["schemaType"],
        "JSON"
    );
    let unknown = get("/subjects/t-value/versions/nine".into()).await?;
    assert_eq!(
        (
            unknown.status().as_u16(),
            unknown.json::<Value>().await?["error_code"].as_u64()
        ),
        (422, Some(42202))
    );
    assert_eq!(client.get(url("/subjects")).send().await?.status(), 401);
    Ok(())
}

#[tokio::test]
async fn limits_are_the_clouds() -> Result<()> {
    let cloud = Cloud::start("limits", Limits::BASIC).await?;
    let record = json!({"value": {"type": "STRING", "data": "x"}});
    let reports = cloud
        .produce(DEAD_LETTER_TOPIC, &vec![record; 3_000])
        .await?;
    let count = |code| {
        codes(&reports)
            .into_iter()
            .filter(|found| *found == code)
            .count()
    };
    assert_eq!(count(200) + count(429), 3_000);
    assert!(
        count(200) >= 1_000,
        "a second's worth passes: {}",
        count(200)
    );
    assert!(count(429) > 0, "and no more");
    assert_eq!(
        cloud.read(DEAD_LETTER_TOPIC, 1)?.len(),
        count(200),
        "what was refused was not written"
    );

    let calls = (0..60).map(|_| cloud.call(DEAD_LETTER_TOPIC).body("{}").send());
    let mut refused = Vec::new();
    for response in futures_util::future::join_all(calls).await {
        let response = response?;
        if response.status() == 429 {
            refused.push(response);
        }
    }
    assert!(
        !refused.is_empty(),
        "60 calls at once are more than 25 a second"
    );
    assert!(
        refused[0].headers()["content-type"]
            .to_str()?
            .starts_with("text/html")
    );
    cloud.end().await
}

/// Sends one record at a time, under a number of its own, and returns the numbers that were acknowledged.
async fn send_numbered(cloud: &Cloud, numbers: std::ops::Range<usize>) -> Result<Vec<usize>> {
    let mut acknowledged = Vec::new();
    for number in numbers {
        let record =
            json!({"key": binary(b"k"), "value": {"type": "STRING", "data": number.to_string()}});
        if codes(&cloud.produce(TOPIC, &[record]).await?) == [200] {
            acknowledged.push(number);
        }
    }
    Ok(acknowledged)
}

fn count_numbers(messages: &[OwnedMessage]) -> Result<BTreeMap<usize, usize>> {
    let mut counts = BTreeMap::new();
    for message in messages {
        let text = std::str::from_utf8(message.payload().unwrap_or_default())?;
        *counts.entry(text.parse()?).or_default() += 1;
    }
    Ok(counts)
}

#[tokio::test]
async fn acknowledged_records_survive_a_broker_that_stops_and_one_that_is_killed() -> Result<()> {
    let cloud = Cloud::start("restart", UNLIMITED).await?;
    let mut acknowledged = send_numbered(&cloud, 0..50).await?;
    assert_eq!(acknowledged.len(), 50);

    cloud.broker.stop().await?;
    let while_away = cloud
        .produce(
            TOPIC,
            &[json!({"value": {"type": "STRING", "data": "999"}})],
        )
        .await?;
    assert_eq!(
        codes(&while_away),
        [50003],
        "a broker that is away is a reason to try again"
    );
    cloud.broker.resume().await?;
    acknowledged.extend(send_numbered(&cloud, 50..100).await?);

    let pid = cloud.family.pids.borrow()["kafka"];
    std::process::Command::new("kill")
        .args(["-KILL", &pid.to_string()])
        .status()?;
    let started = Instant::now();
    let mut next = 100;
    while acknowledged.last() < Some(&100) {
        ensure!(
            started.elapsed() < DEADLINE,
            "no record was taken after the broker was killed"
        );
        acknowledged.extend(send_numbered(&cloud, next..next + 1).await?);
        next += 1;
    }
    println!(
        "records are taken {:.1} s after the broker was killed",
        started.elapsed().as_secs_f64()
    );
    assert_ne!(cloud.family.pids.borrow()["kafka"], pid);

    let found = count_numbers(&cloud.read(TOPIC, 3)?)?;
    let lost: Vec<_> = acknowledged
        .iter()
        .filter(|number| !found.contains_key(number))
        .collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let twice: Vec<_> = found.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "written twice: {twice:?}");
    cloud.end().await
}
