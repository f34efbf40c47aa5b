//! `shoptrail land`: Kafka to bronze.
//!
//! One lander reads all partitions of the topic from the offsets that bronze itself holds, and appends rows and offsets
//! in one step, so that a kill at any instant loses nothing and doubles nothing. Kafka's own committed offsets are not
//! used for anything.

mod decode;

use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tokio_util::sync::CancellationToken;

use self::decode::Rows;
use crate::attention::Attention;
use crate::kafka::KafkaArgs;
use crate::warehouse::{Landing, Offsets, Warehouse};

/// Rows in one landing at most: bounds memory.
const MAX_ROWS: usize = 20_000;
/// Bytes in one landing at most.
const MAX_BYTES: usize = 32 * 1024 * 1024;
/// How long the first record of a landing waits for more.
const LINGER: Duration = Duration::from_millis(100);
/// The same while nobody looks: fewer, larger files.
const LONG_LINGER: Duration = Duration::from_secs(5);
/// How long one wait for a record lasts; bounds the time to notice a stop.
const POLL: Duration = Duration::from_millis(100);

/// Flags of `shoptrail land`.
#[derive(Args, Clone, Debug)]
pub struct LandArgs {
    /// Lands what is in the topic now, then ends
    #[arg(long)]
    pub once: bool,
    /// Whether landings hurry
    #[command(flatten)]
    pub attention: Attention,
    /// Where Kafka is and how to reach it
    #[command(flatten)]
    pub kafka: KafkaArgs,
}

/// Lands until `stop` is cancelled (with `--once`: until the topic's present end).
///
/// # Errors
/// When Kafka or the warehouse fails for good, or another lander is at work.
pub async fn run(
    args: &LandArgs,
    warehouse: &dyn Warehouse,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let topic = &args.kafka.topic;
    let mut landed = warehouse.offsets(topic).await?;
    let consumer: BaseConsumer = consumer_config(&args.kafka)
        .create()
        .context("creating the Kafka consumer")?;
    let partitions = assign(&consumer, topic, &landed)?;
    let ends = if args.once {
        Some(ends(&consumer, topic, &partitions)?)
    } else {
        None
    };
    tracing::info!(
        kafka.topic = topic,
        kafka.partitions = partitions.len(),
        "landing"
    );
    while !stop.is_cancelled() && !ends.as_ref().is_some_and(|ends| reached(&landed, ends)) {
        // Waiting for Kafka blocks this thread, which has nothing else to do.
        let rows = tokio::task::block_in_place(|| collect(&consumer, args, stop))?;
        if !rows.is_empty() {
            landed = land(warehouse, topic, landed, rows).await?;
        }
    }
    Ok(())
}

async fn land(
    warehouse: &dyn Warehouse,
    topic: &str,
    landed: Offsets,
    rows: Rows,
) -> anyhow::Result<Offsets> {
    let start = Instant::now();
    let mut up_to = landed.clone();
    up_to.extend(rows.offsets());
    let (events, quarantine) = rows.into_frames()?;
    let (landed_rows, quarantined_rows) = (events.height(), quarantine.height());
    let landing = Landing {
        topic: topic.to_owned(),
        after: landed,
        up_to: up_to.clone(),
        events,
        quarantine,
    };
    warehouse.land(landing).await?;
    let duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(
        rows.landed = landed_rows,
        rows.quarantined = quarantined_rows,
        duration_ms,
        "landed"
    );
    Ok(up_to)
}

fn consumer_config(kafka: &KafkaArgs) -> ClientConfig {
    let mut config = kafka.client();
    // A group id is required by the client; the group is never joined, offsets are never committed to it.
    config
        .set("group.id", "shoptrail-land")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "error")
        .set("enable.partition.eof", "false")
        .set("queued.max.messages.kbytes", "32768")
        // A record ends the wait at once.
        .set("fetch.wait.max.ms", "10000");
    config
}

/// Starts every partition after its landed offset, or at its beginning.
fn assign(consumer: &BaseConsumer, topic: &str, landed: &Offsets) -> anyhow::Result<Vec<i32>> {
    let metadata = consumer
        .fetch_metadata(Some(topic), Duration::from_secs(30))
        .context("reading Kafka's metadata")?;
    let partitions: Vec<i32> = metadata
        .topics()
        .iter()
        .flat_map(|topic| topic.partitions())
        .map(|partition| partition.id())
        .collect();
    anyhow::ensure!(
        !partitions.is_empty(),
        "topic `{topic}` does not exist\nhint: create it, or name another with --topic"
    );
    let mut assignment = TopicPartitionList::new();
    for partition in &partitions {
        let offset = landed
            .get(partition)
            .map_or(Offset::Beginning, |offset| Offset::Offset(offset + 1));
        assignment.add_partition_offset(topic, *partition, offset)?;
    }
    consumer.assign(&assignment)?;
    Ok(partitions)
}

/// The offset after the last record of each partition that has any.
fn ends(consumer: &BaseConsumer, topic: &str, partitions: &[i32]) -> anyhow::Result<Offsets> {
    let mut ends = Offsets::new();
    for partition in partitions {
        let (low, high) = consumer.fetch_watermarks(topic, *partition, Duration::from_secs(30))?;
        if high > low {
            ends.insert(*partition, high);
        }
    }
    Ok(ends)
}

fn reached(landed: &Offsets, ends: &Offsets) -> bool {
    ends.iter().all(|(partition, end)| {
        landed
            .get(partition)
            .is_some_and(|offset| offset + 1 >= *end)
    })
}

/// Collects records until there are enough, the first has waited long enough, or nothing comes.
fn collect(
    consumer: &BaseConsumer,
    args: &LandArgs,
    stop: &CancellationToken,
) -> anyhow::Result<Rows> {
    let mut rows = Rows::default();
    let mut first: Option<Instant> = None;
    while rows.len() < MAX_ROWS && rows.bytes() < MAX_BYTES && !stop.is_cancelled() {
        let now = Instant::now();
        let linger = if args.once || args.attention.is_paid() {
            LINGER
        } else {
            LONG_LINGER
        };
        let left = first.map(|first| (first + linger).saturating_duration_since(now));
        let wait = left.map_or(POLL, |left| left.min(POLL));
        match consumer.poll(wait) {
            Some(Ok(message)) => {
                rows.push(&message);
                first.get_or_insert(now);
            }
            Some(Err(error)) if is_fatal(&error) => {
                return Err(error).context("reading from Kafka");
            }
            // The client reconnects by itself; what is missing then is only late.
            Some(Err(error)) => tracing::warn!(%error, "Kafka is away"),
            None if left.is_none_or(|left| left.is_zero()) => break,
            None => {}
        }
    }
    Ok(rows)
}

/// Whether waiting does not help: records that were not landed are gone, or access is refused.
fn is_fatal(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::AutoOffsetReset
                | RDKafkaErrorCode::OffsetOutOfRange
                | RDKafkaErrorCode::Fatal
                | RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::SaslAuthenticationFailed
        )
    )
}
