//! Refused events come back from a real Apache Kafka, and only once.

use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};
use shoptrail_backend::judging::JudgingArgs;
use shoptrail_backend::kafka::KafkaArgs;
use shoptrail_backend::replay::{self, CloudflareArgs, Filter, ReplayArgs, ReplaySummary};
use shoptrail_local::broker::client;
use shoptrail_schemas::{Record, wire};

use super::landing::{PATIENCE, broker, create};

const SCHEMA_ID: u32 = 100_001;
pub(super) const RECEIVED_AT: &str = "1795392000123";

pub(super) fn args(topic: &str, filter: Filter) -> ReplayArgs {
    ReplayArgs {
        dry_run: false,
        schema_id: SCHEMA_ID,
        undelivered: false,
        filter,
        judging: JudgingArgs::default(),
        cloudflare: CloudflareArgs {
            cloudflare_account: None,
            cloudflare_queue: None,
            cloudflare_api_token: None,
            cloudflare_endpoint: "http://127.0.0.1:1".parse().unwrap(),
        },
        kafka: KafkaArgs {
            bootstrap_servers: broker().to_owned(),
            topic: topic.to_owned(),
            api_key: None,
            api_secret: None,
        },
    }
}

pub(super) fn of_shop(shop: &str) -> Filter {
    Filter {
        shops: vec![shop.to_owned()],
        ..Filter::default()
    }
}

async fn replayed(args: ReplayArgs) -> ReplaySummary {
    replay::run(&args).await.unwrap()
}

/// An event that the contract accepts; `number` tells one from another.
pub(super) fn event(number: u32) -> String {
    format!(
        r#"{{"event_id":"01a205b3-d000-7000-8000-{number:012}","event_type":"page_view","event_timestamp":1795392000000,"seq":1,"anonymous_id":"visitor","session_id":"s","page_url":"https://shop.example/","consent":{{"analytics":"granted","ads":"denied"}}}}"#
    )
}

/// Writes dead letters as the edge does: shop and value of each.
fn refuse(topic: &str, letters: &[(&str, &str)]) {
    let producer: BaseProducer = client(broker()).create().unwrap();
    let dead_letters = format!("{topic}.dlq");
    for (shop, value) in letters {
        let header = |key, value| Header {
            key,
            value: Some(value),
        };
        let headers = OwnedHeaders::new()
            .insert(header("shoptrail.code", "unknown_event_type"))
            .insert(header("shoptrail.shop_id", *shop))
            .insert(header("shoptrail.received_at", RECEIVED_AT));
        let record = BaseRecord::<(), str>::to(&dead_letters)
            .payload(value)
            .headers(headers);
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
}

/// What is in partition 0 of a topic: key and value.
fn contents(topic: &str) -> Vec<(Option<String>, Vec<u8>)> {
    let mut config = client(broker());
    config.set("group.id", "test");
    let consumer: BaseConsumer = config.create().unwrap();
    let (_, high) = consumer.fetch_watermarks(topic, 0, PATIENCE).unwrap();
    let mut from_the_start = TopicPartitionList::new();
    from_the_start
        .add_partition_offset(topic, 0, Offset::Beginning)
        .unwrap();
    consumer.assign(&from_the_start).unwrap();
    let read = (0..high).map(|_| {
        let message = consumer.poll(PATIENCE).expect("a record").unwrap();
        let key = message
            .key()
            .map(|key| String::from_utf8(key.to_vec()).unwrap());
        (key, message.payload().unwrap().to_vec())
    });
    read.collect()
}

/// The events of partition 0 of a topic: key, schema id and record.
pub(super) fn records(topic: &str, expected: usize) -> Vec<(String, u32, Record)> {
    let contents = contents(topic);
    assert_eq!(contents.len(), expected);
    let read = contents.into_iter().map(|(key, value)| {
        let (schema_id, json) = wire::decode(&value).unwrap();
        (
            key.unwrap(),
            schema_id,
            serde_json::from_slice(json).unwrap(),
        )
    });
    read.collect()
}

/// The texts in partition 0 of a topic.
pub(super) fn values(topic: &str) -> Vec<String> {
    let contents = contents(topic).into_iter();
    contents
        .map(|(_, value)| String::from_utf8(value).unwrap())
        .collect()
}

pub(super) async fn topics(topic: &str) {
    create(topic, 1).await;
    create(&format!("{topic}.dlq"), 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_event_that_is_accepted_now_comes_back_once() {
    let topic = "replayed_once";
    topics(topic).await;
    let good = event(1);
    let still_wrong = event(2).replace("page_view", "nope");
    refuse(
        topic,
        &[
            ("demo", &good),
            ("demo", &good),
            ("demo", &still_wrong),
            ("demo", "no event"),
            ("other", &good),
        ],
    );
    let dry = ReplayArgs {
        dry_run: true,
        ..args(topic, of_shop("demo"))
    };
    let first = replayed(dry).await;
    assert_eq!(records(topic, 0).len(), 0);
    assert_eq!(replayed(args(topic, of_shop("demo"))).await, first);
    assert_eq!(
        (first.letters, first.replayed, first.already_there),
        (4, 1, 1)
    );
    assert_eq!(first.refused_again["unknown_event_type"], 1);
    assert_eq!(first.refused_again["malformed_json"], 1);
    let [(key, schema_id, record)] = &records(topic, 1)[..] else {
        panic!("one record")
    };
    assert_eq!((key.as_str(), *schema_id), ("visitor", SCHEMA_ID));
    assert_eq!(record.edge.shop_id, "demo");
    assert_eq!(record.edge.received_at.to_string(), RECEIVED_AT);

    let again = replayed(args(topic, of_shop("demo"))).await;
    assert_eq!((again.replayed, again.already_there), (0, 2));
    let all = replayed(args(topic, Filter::default())).await;
    assert_eq!((all.letters, all.replayed), (5, 1));
    assert_eq!(records(topic, 2).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn replay_of_a_topic_that_does_not_exist_names_it() {
    let missing = replay::run(&args("never_replayed", Filter::default())).await;
    let error = format!("{:#}", missing.unwrap_err());
    assert!(error.contains("never_replayed.dlq"), "{error}");
}
