//! The topic: all its partitions, read by one consumer from the landed offsets on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{ClientConfig, ClientContext, Offset, Statistics, TopicPartitionList};

use super::LandArgs;
use super::start::{Gap, Partition};
use crate::kafka::{self, KafkaArgs};
use crate::warehouse::Offsets;

/// How long the broker may take for one answer.
const ANSWER: Duration = Duration::from_secs(30);

/// A topic that is being read.
pub(super) struct Source {
    consumer: BaseConsumer<Watch>,
    /// Where each partition is read from, and the offset of its next record when reading began.
    ranges: BTreeMap<i32, (i64, i64)>,
    /// The end to which a partition has been read since, whatever stands there besides records.
    read_to: Mutex<Offsets>,
}

/// What comes of waiting for a record.
pub(super) enum Polled<'a> {
    Record(BorrowedMessage<'a>),
    /// Reading has to begin again, at the landed offsets.
    Changed,
    Nothing,
}

/// What the client knows of the topic, as it tells every five seconds.
#[derive(Default)]
struct Watch {
    topic: String,
    /// The offset of the next record of each partition; none where it does not know.
    ends: Mutex<BTreeMap<i32, Option<i64>>>,
    /// Whether no broker is connected.
    is_away: AtomicBool,
}

impl ClientContext for Watch {
    fn stats(&self, statistics: Statistics) {
        let mut brokers = statistics.brokers.values();
        let is_away = !brokers.any(|broker| broker.state == "UP");
        self.is_away.store(is_away, Ordering::Relaxed);
        let Some(topic) = statistics.topics.get(&self.topic) else {
            return;
        };
        // The client has a partition of its own for records without one.
        let partitions = topic.partitions.iter().filter(|(number, _)| **number >= 0);
        let end = |offset: i64| (offset >= 0).then_some(offset);
        let ends = partitions.map(|(number, partition)| (*number, end(partition.hi_offset)));
        *self.ends.lock().unwrap_or_else(PoisonError::into_inner) = ends.collect();
    }

    fn error(&self, error: KafkaError, reason: &str) {
        kafka::on_consumer_error(&error, reason);
    }
}

impl ConsumerContext for Watch {}

impl Source {
    /// Begins to read every partition after its landed offset, or at its oldest record.
    ///
    /// # Errors
    /// Returns an error if Kafka cannot be reached, the topic does not exist, or the next record of a partition does not.
    pub(super) fn start(args: &LandArgs, landed: &Offsets) -> anyhow::Result<Self> {
        let topic = &args.kafka.topic;
        let watch = Watch {
            topic: topic.clone(),
            ..Watch::default()
        };
        let consumer: BaseConsumer<Watch> = consumer_config(&args.kafka)
            .create_with_context(watch)
            .context("creating the Kafka consumer")?;
        let ranges = ranges(&consumer, args, landed)?;
        let mut assignment = TopicPartitionList::new();
        for (number, (start, _)) in &ranges {
            assignment.add_partition_offset(topic, *number, Offset::Offset(*start))?;
        }
        consumer.assign(&assignment)?;
        let source = Self {
            consumer,
            ranges,
            read_to: Mutex::default(),
        };
        tracing::info!(
            kafka.topic = topic,
            kafka.partitions = source.ranges.len(),
            kafka.lag = source.lag(landed),
            "landing"
        );
        Ok(source)
    }

    /// Waits for a record.
    ///
    /// # Errors
    /// Returns an error if waiting longer does not help.
    pub(super) fn poll(&self, wait: Duration) -> anyhow::Result<Polled<'_>> {
        let polled = self.consumer.poll(wait);
        match polled {
            Some(Ok(message)) => Ok(Polled::Record(message)),
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                let end = self.end(partition);
                let mut read_to = self.read_to.lock().unwrap_or_else(PoisonError::into_inner);
                read_to.insert(partition, end);
                Ok(Polled::Nothing)
            }
            Some(Err(error)) if is_out_of_range(&error) => Ok(Polled::Changed),
            Some(Err(error)) if is_fatal(&error) => Err(error).context("reading from Kafka"),
            // The client reconnects by itself; what is missing then is only late.
            Some(Err(error)) => {
                tracing::warn!(%error, "Kafka is away");
                Ok(Polled::Nothing)
            }
            None if self.has_new_partitions() => Ok(Polled::Changed),
            None => Ok(Polled::Nothing),
        }
    }

    fn has_new_partitions(&self) -> bool {
        let known = self.known_ends();
        known.keys().any(|number| !self.ranges.contains_key(number))
    }

    fn known_ends(&self) -> BTreeMap<i32, Option<i64>> {
        let ends = &self.consumer.context().ends;
        ends.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The offset of the partition's next record, when it was last known.
    fn end(&self, partition: i32) -> i64 {
        let began = self.ranges.get(&partition).map_or(0, |range| range.1);
        let known = self.known_ends().get(&partition).copied().flatten();
        known.map_or(began, |known| known.max(began))
    }

    /// The offset up to which a partition has landed. Its last offsets may be those of transactions, which are no
    /// records: then its end was seen.
    fn next(&self, landed: &Offsets, partition: i32) -> i64 {
        let start = self.ranges.get(&partition).map_or(0, |range| range.0);
        let landed = landed.get(&partition).map_or(start, |offset| offset + 1);
        let read_to = self.read_to.lock().unwrap_or_else(PoisonError::into_inner);
        let read_to = read_to.get(&partition).copied().unwrap_or(start);
        start.max(landed).max(read_to)
    }

    /// Whether everything has been read that was there when reading began.
    pub(super) fn is_through(&self, reached: &Offsets) -> bool {
        self.ranges
            .iter()
            .all(|(partition, (_, end))| self.next(reached, *partition) >= *end)
    }

    /// Whether Kafka was in reach when that was last known.
    pub(super) fn is_in_reach(&self) -> bool {
        !self.consumer.context().is_away.load(Ordering::Relaxed)
    }

    /// Offsets between what has landed and where the topic ended when that was last known.
    pub(super) fn lag(&self, landed: &Offsets) -> i64 {
        let behind = self.ranges.keys().map(|partition| {
            let behind = self.end(*partition) - self.next(landed, *partition);
            behind.max(0)
        });
        behind.sum()
    }
}

/// Where each partition is to be read from and where it ends.
fn ranges(
    consumer: &BaseConsumer<Watch>,
    args: &LandArgs,
    landed: &Offsets,
) -> anyhow::Result<BTreeMap<i32, (i64, i64)>> {
    let topic = &args.kafka.topic;
    let mut ranges = BTreeMap::new();
    for number in partitions(consumer, topic)? {
        let (low, high) = consumer
            .fetch_watermarks(topic, number, ANSWER)
            .with_context(|| format!("reading where partition {number} ends"))?;
        let partition = Partition {
            topic,
            generation: args.generation,
            number,
            low,
            high,
            landed: landed.get(&number).copied(),
        };
        let start = match partition.start() {
            Err(gap @ Gap::Gone { .. }) if args.skip_gone => {
                tracing::warn!("{gap}");
                low
            }
            other => other?,
        };
        ranges.insert(number, (start, high));
    }
    Ok(ranges)
}

fn consumer_config(kafka: &KafkaArgs) -> ClientConfig {
    let mut config = kafka.client();
    // A group id is required by the client; the group is never joined, offsets are never committed to it.
    config
        .set("group.id", "shoptrail-land")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "error")
        .set("enable.partition.eof", "true")
        .set("statistics.interval.ms", "5000")
        // How soon a new partition is seen.
        .set("topic.metadata.refresh.interval.ms", "10000")
        .set("queued.max.messages.kbytes", "32768")
        // A record ends the wait at once.
        .set("fetch.wait.max.ms", "10000");
    config
}

fn partitions(consumer: &BaseConsumer<Watch>, topic: &str) -> anyhow::Result<BTreeSet<i32>> {
    let metadata = consumer
        .fetch_metadata(Some(topic), ANSWER)
        .context("reading Kafka's metadata")?;
    let partitions: BTreeSet<i32> = metadata
        .topics()
        .iter()
        .flat_map(|topic| topic.partitions())
        .map(|partition| partition.id())
        .collect();
    anyhow::ensure!(
        !partitions.is_empty(),
        "topic `{topic}` does not exist\nhint: create it, or name another with `--topic`"
    );
    Ok(partitions)
}

/// Whether the next record is not there: it was deleted, or the topic was made again.
fn is_out_of_range(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange)
    )
}

/// Whether waiting does not help: the topic is gone, or access is refused.
fn is_fatal(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::Fatal
                | RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::SaslAuthenticationFailed
        )
    )
}
