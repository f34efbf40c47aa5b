//! Reads what a topic holds now, and ends.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::{Offset, TopicPartitionList};

use crate::kafka::{Consuming, KafkaArgs};

/// How long the broker may take for one answer.
const ANSWER: Duration = Duration::from_secs(30);

/// How long Kafka may be away before reading is given up.
const PATIENCE: Duration = Duration::from_secs(120);

/// Gives every record that is in a topic when reading begins to `take`; with `since`, in milliseconds since the epoch,
/// those that came into Kafka then or later.
///
/// # Errors
/// Returns an error if Kafka cannot be reached, or the topic does not exist.
pub(super) fn read(
    kafka: &KafkaArgs,
    topic: &str,
    since: Option<i64>,
    mut take: impl FnMut(&BorrowedMessage<'_>),
) -> anyhow::Result<()> {
    let consumer = consumer(kafka)?;
    let (assignment, mut ends) = ranges(&consumer, topic, since)?;
    consumer.assign(&assignment)?;
    let mut heard = Instant::now();
    while !ends.is_empty() {
        match consumer.poll(Duration::from_millis(500)) {
            Some(Ok(message)) => {
                heard = Instant::now();
                let (partition, offset) = (message.partition(), message.offset());
                if ends.get(&partition).is_some_and(|end| offset < *end) {
                    take(&message);
                }
                ends.retain(|number, end| *number != partition || offset + 1 < *end);
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                ends.remove(&partition);
            }
            Some(Err(error)) if heard.elapsed() > PATIENCE => {
                return Err(error).with_context(|| format!("reading `{topic}`"));
            }
            // The client reconnects by itself.
            Some(Err(error)) => tracing::warn!(%error, "Kafka is away"),
            None => anyhow::ensure!(
                heard.elapsed() <= PATIENCE,
                "Kafka gives no more of `{topic}`"
            ),
        }
    }
    Ok(())
}

fn consumer(kafka: &KafkaArgs) -> anyhow::Result<BaseConsumer<Consuming>> {
    let mut config = kafka.client();
    // A group id is required by the client; the group is never joined, offsets are never committed to it.
    config
        .set("group.id", "shoptrail-replay")
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .set("enable.partition.eof", "true");
    config
        .create_with_context(Consuming)
        .context("creating the Kafka consumer")
}

/// Where each partition is read from, and where those end that hold anything.
fn ranges(
    consumer: &BaseConsumer<Consuming>,
    topic: &str,
    since: Option<i64>,
) -> anyhow::Result<(TopicPartitionList, BTreeMap<i32, i64>)> {
    let metadata = consumer
        .fetch_metadata(Some(topic), ANSWER)
        .context("reading Kafka's metadata")?;
    let mut wanted = TopicPartitionList::new();
    let mut ends = BTreeMap::new();
    let known = metadata
        .topics()
        .iter()
        .flat_map(|topic| topic.partitions());
    for number in known.map(|partition| partition.id()) {
        let (low, high) = consumer
            .fetch_watermarks(topic, number, ANSWER)
            .with_context(|| format!("reading where partition {number} of `{topic}` ends"))?;
        let start = since.map_or(Offset::Beginning, Offset::Offset);
        wanted.add_partition_offset(topic, number, start)?;
        if low < high {
            ends.insert(number, high);
        }
    }
    anyhow::ensure!(
        wanted.count() > 0,
        "topic `{topic}` does not exist\nhint: name the topic of the events with `--topic`"
    );
    if since.is_none() {
        return Ok((wanted, ends));
    }
    let found = consumer
        .offsets_for_times(wanted, ANSWER)
        .with_context(|| format!("looking for a time in `{topic}`"))?;
    Ok((found, ends))
}
