//! Landing from a real Apache Kafka, whatever has become of the topic.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};
use shoptrail_backend::bronze;
use shoptrail_backend::judging::JudgingArgs;
use shoptrail_backend::kafka::KafkaArgs;
use shoptrail_backend::land::{self, LandArgs, LandSummary, Limits};
use shoptrail_backend::warehouse::{Offsets, Publication, Query};
use shoptrail_local::broker::{Broker, KafkaFiles, client};
use shoptrail_local::children::Family;
use shoptrail_local::identity::Identity;
use tokio_util::sync::CancellationToken;

use super::world::{TestLake, TestWarehouse};

/// The broker may be busy with the topics of the other tests.
pub(super) const PATIENCE: Duration = Duration::from_secs(180);

/// Addresses of the broker that all tests share; it ends with this process.
pub(super) fn broker() -> &'static str {
    static BROKER: OnceLock<String> = OnceLock::new();
    BROKER.get_or_init(|| {
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let broker = start_broker().await;
                tell.send(broker.bootstrap_servers.clone()).unwrap();
                std::future::pending::<()>().await;
            });
        });
        told.recv().unwrap()
    })
}

async fn start_broker() -> Broker {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("landing");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    std::fs::create_dir_all(&folder).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let files = KafkaFiles {
        lib: &root.join("target/tools/kafka/lib"),
        dir: &folder.join("kafka"),
        log: folder.join("kafka.log"),
    };
    let ports = Identity::of(&folder).unwrap().ports;
    let family = Family::of(&folder).await.unwrap();
    Broker::child(files, &ports, family).await.unwrap()
}

/// A topic of a test, and a lake to land it in.
struct Landing {
    topic: &'static str,
    lake: TestLake,
}

impl Landing {
    async fn of(topic: &'static str, partitions: i32) -> Self {
        create(topic, partitions).await;
        Self {
            topic,
            lake: TestLake::with(&[&bronze::EVENTS, &bronze::QUARANTINE]).await,
        }
    }

    fn args(&self) -> LandArgs {
        LandArgs {
            attention: shoptrail_backend::attention::Attention::default(),
            once: true,
            skip_gone: false,
            generation: 0,
            judging: JudgingArgs {
                max_event_age_days: 36_500,
                ..JudgingArgs::default()
            },
            limits: Limits {
                max_age_ms: 50,
                max_rows: 1_000,
                max_mib: 1,
            },
            kafka: KafkaArgs {
                bootstrap_servers: broker().to_owned(),
                topic: self.topic.to_owned(),
                api_key: None,
                api_secret: None,
            },
        }
    }

    /// Lands as a process does that has just started, to the end of the topic.
    async fn once(&self, args: &LandArgs) -> anyhow::Result<LandSummary> {
        let lake = self.lake.restarted().await;
        let never = CancellationToken::new();
        let landed = land::run(args, lake.as_ref(), &never);
        tokio::time::timeout(PATIENCE, landed)
            .await
            .expect("landing ends")
    }

    /// Topic, partition and offset of each row in quarantine, where all records of these tests go.
    async fn landed(&self) -> Vec<(String, i64, i64)> {
        let rows = self.lake.restarted().await;
        let rows = rows
            .read(&Publication::default(), &bronze::QUARANTINE, &Query::all())
            .await
            .unwrap();
        let number = |name: &str| rows.column(name).unwrap().i64().unwrap().clone();
        let topics = rows.column("_topic").unwrap().str().unwrap().clone();
        let positions = number("_partition");
        let mut landed: Vec<_> = topics
            .iter()
            .zip(positions.iter().zip(number("_offset").iter()))
            .map(|(topic, (partition, offset))| {
                (
                    topic.unwrap().to_owned(),
                    partition.unwrap(),
                    offset.unwrap(),
                )
            })
            .collect();
        landed.sort();
        landed
    }
}

fn admin() -> AdminClient<DefaultClientContext> {
    client(broker()).create().unwrap()
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .operation_timeout(Some(PATIENCE))
        .request_timeout(Some(PATIENCE))
}

/// Creates a topic and waits until it can be written to.
pub(super) async fn create(topic: &str, partitions: i32) {
    let wanted = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
    let created = admin().create_topics(&[wanted], &options()).await.unwrap();
    created
        .into_iter()
        .for_each(|created| drop(created.unwrap()));
    let last = partitions - 1;
    produce(topic, last, 0);
}

/// Produces records that are no events; returns when the broker has them.
fn produce(topic: &str, partition: i32, records: usize) {
    let producer: BaseProducer = client(broker()).create().unwrap();
    send(&producer, topic, partition, records);
    producer.flush(PATIENCE).unwrap();
}

fn send(producer: &BaseProducer, topic: &str, partition: i32, records: usize) {
    for _ in 0..records {
        let record = BaseRecord::<(), str>::to(topic)
            .partition(partition)
            .payload("no event");
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
}

/// Deletes the records of partition 0 before an offset, as retention does.
async fn delete_before(topic: &str, offset: i64) {
    let mut before = TopicPartitionList::new();
    before
        .add_partition_offset(topic, 0, Offset::Offset(offset))
        .unwrap();
    admin().delete_records(&before, &options()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn once_ends_behind_the_marker_of_a_transaction() {
    let test = Landing::of("with_transactions", 1).await;
    let mut config = client(broker());
    let producer: BaseProducer = config.set("transactional.id", "test").create().unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    for is_committed in [true, false] {
        producer.begin_transaction().unwrap();
        send(&producer, test.topic, 0, 3);
        producer.flush(PATIENCE).unwrap();
        if is_committed {
            producer.commit_transaction(PATIENCE).unwrap();
        } else {
            producer.abort_transaction(PATIENCE).unwrap();
        }
    }
    let summary = test.once(&test.args()).await.unwrap();
    assert_eq!((summary.quarantined, summary.lag), (3, 0));
    assert_eq!(test.once(&test.args()).await.unwrap().quarantined, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_seventy_partitions_land_once() {
    let test = Landing::of("with_many_partitions", 70).await;
    for partition in 0..70 {
        produce(test.topic, partition, 2);
    }
    let summary = test.once(&test.args()).await.unwrap();
    assert_eq!((summary.quarantined, summary.lag), (140, 0));
    produce(test.topic, 69, 1);
    assert_eq!(test.once(&test.args()).await.unwrap().quarantined, 1);
    assert_eq!(test.landed().await.len(), 141);
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_that_are_added_meanwhile_land() {
    let test = Landing::of("that_grows", 1).await;
    let stop = CancellationToken::new();
    let mut args = test.args();
    args.once = false;
    let (lake, stopped) = (test.lake.restarted().await, stop.clone());
    let lander = tokio::spawn(async move { land::run(&args, lake.as_ref(), &stopped).await });
    produce(test.topic, 0, 1);
    until(&test, Offsets::from([(0, 0)])).await;
    admin()
        .create_partitions(&[NewPartitions::new(test.topic, 3)], &options())
        .await
        .unwrap()
        .into_iter()
        .for_each(|grown| drop(grown.unwrap()));
    produce(test.topic, 2, 4);
    until(&test, Offsets::from([(0, 0), (2, 3)])).await;
    stop.cancel();
    assert_eq!(lander.await.unwrap().unwrap().quarantined, 5);
}

/// Waits until these offsets have landed.
async fn until(test: &Landing, wanted: Offsets) {
    let reached = async {
        while test
            .lake
            .restarted()
            .await
            .offsets(test.topic)
            .await
            .unwrap()
            != wanted
        {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, reached)
        .await
        .expect("the records land");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_gone_before_they_landed_are_told_and_skipped_only_when_asked() {
    let test = Landing::of("kept_too_short", 1).await;
    produce(test.topic, 0, 5);
    test.once(&test.args()).await.unwrap();
    produce(test.topic, 0, 5);
    delete_before(test.topic, 8).await;
    let refused = test.once(&test.args()).await.unwrap_err().to_string();
    assert!(
        refused.starts_with("records 5 to 7 of partition 0"),
        "{refused}"
    );
    let mut args = test.args();
    args.skip_gone = true;
    let summary = test.once(&args).await.unwrap();
    assert_eq!((summary.quarantined, summary.lag), (2, 0));
    let offsets: Vec<i64> = test.landed().await.into_iter().map(|row| row.2).collect();
    assert_eq!(offsets, [0, 1, 2, 3, 4, 8, 9]);
    test.once(&test.args()).await.expect("the gap is behind it");
}

#[tokio::test(flavor = "multi_thread")]
async fn topic_that_was_made_again_lands_from_its_beginning_when_asked() {
    let test = Landing::of("made_again", 1).await;
    produce(test.topic, 0, 3);
    test.once(&test.args()).await.unwrap();
    admin()
        .delete_topics(&[test.topic], &options())
        .await
        .unwrap();
    create(test.topic, 1).await;
    produce(test.topic, 0, 2);
    let refused = test.once(&test.args()).await.unwrap_err().to_string();
    assert!(refused.contains("was deleted and made again"), "{refused}");
    assert!(refused.contains("--generation 1"), "{refused}");
    let mut args = test.args();
    args.generation = 1;
    assert_eq!(test.once(&args).await.unwrap().quarantined, 2);
    assert_eq!(test.once(&args).await.unwrap().quarantined, 0);
    let streams: Vec<String> = test.landed().await.into_iter().map(|row| row.0).collect();
    assert_eq!(
        streams,
        [
            "made_again",
            "made_again",
            "made_again",
            "made_again#1",
            "made_again#1"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn topic_that_does_not_exist_is_named() {
    let test = Landing::of("that_exists", 1).await;
    let mut args = test.args();
    args.kafka.topic = "that_does_not_exist".to_owned();
    let refused = test.once(&args).await.unwrap_err().to_string();
    assert!(
        refused.starts_with("topic `that_does_not_exist` does not exist\nhint: "),
        "{refused}"
    );
}
