//! The producer behind the REST API.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rdkafka::ClientConfig;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer as _};

use super::report::{About, Pending, ProduceRefusal};
use crate::broker::{MAX_MESSAGE_BYTES, PatientContext, client};
use crate::confluent::record::{ProduceRecord, RecordPart};

/// A record that the broker did not take in this time is reported as failed: the edge retries, as long as it is set to.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(5);
const METADATA_TIMEOUT: Duration = Duration::from_secs(2);
/// How often a full queue is tried again.
const QUEUE_PAUSE: Duration = Duration::from_millis(10);
/// Room for what Kafka adds to a message.
const MESSAGE_OVERHEAD_BYTES: usize = 65_536;

/// What the broker says of a topic's name.
pub(super) enum KnownTopic {
    /// The number of its partitions.
    Partitions(i32),
    /// There is no such topic.
    Unknown,
    /// The broker does not say.
    Unreachable(String),
}

impl KnownTopic {
    /// Says whether a record may be sent.
    pub(super) fn takes(&self, partition: Option<i32>, topic: &str) -> Result<(), ProduceRefusal> {
        match (self, partition) {
            (Self::Partitions(count), Some(wanted)) if !(0..*count).contains(&wanted) => {
                Err(ProduceRefusal::unknown_partition(topic, wanted, *count))
            }
            (Self::Partitions(_), _) => Ok(()),
            (Self::Unknown, _) => Err(ProduceRefusal::unknown_topic(topic)),
            (Self::Unreachable(reason), _) => Err(ProduceRefusal::retriable(reason)),
        }
    }
}

/// An idempotent producer that is replaced when it broke for good, and the topics it has looked up.
pub struct Producer {
    config: ClientConfig,
    current: RwLock<FutureProducer<PatientContext>>,
    partitions: RwLock<HashMap<String, i32>>,
}

impl Producer {
    /// The broker need not answer yet.
    ///
    /// # Errors
    /// Returns an error if the producer cannot be made.
    pub fn new(bootstrap_servers: &str) -> Result<Self> {
        let mut config = client(bootstrap_servers);
        config
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("linger.ms", "5")
            .set("compression.type", "zstd")
            .set(
                "message.max.bytes",
                (MAX_MESSAGE_BYTES + MESSAGE_OVERHEAD_BYTES).to_string(),
            )
            // More waits outside, in the bodies of the calls.
            .set("queue.buffering.max.kbytes", "65536")
            .set(
                "message.timeout.ms",
                DELIVERY_TIMEOUT.as_millis().to_string(),
            )
            // As Java clients choose, so that a key gets the partition it has in the Cloud.
            .set("partitioner", "murmur2_random");
        let current = config
            .create_with_context(PatientContext)
            .context("cannot make a producer")?;
        Ok(Self {
            config,
            current: RwLock::new(current),
            partitions: RwLock::default(),
        })
    }

    /// Looks a topic up; one that was found is remembered.
    pub(super) async fn topic(&self, name: &str) -> KnownTopic {
        let known = self
            .partitions
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .copied();
        if let Some(count) = known {
            return KnownTopic::Partitions(count);
        }
        let producer = self.current();
        let asked = tokio::task::spawn_blocking(move || {
            producer.client().fetch_metadata(None, METADATA_TIMEOUT)
        })
        .await;
        let metadata = match asked {
            Ok(Ok(metadata)) => metadata,
            Ok(Err(error)) => return KnownTopic::Unreachable(error.to_string()),
            Err(error) => return KnownTopic::Unreachable(error.to_string()),
        };
        let mut partitions = self
            .partitions
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        partitions.extend(metadata.topics().iter().filter_map(|topic| {
            let count = i32::try_from(topic.partitions().len()).ok()?;
            Some((topic.name().to_owned(), count))
        }));
        partitions
            .get(name)
            .map_or(KnownTopic::Unknown, |count| KnownTopic::Partitions(*count))
    }

    /// Hands a record over; its result comes later. Waits while the queue is full.
    pub(super) async fn send(&self, topic: &str, record: ProduceRecord) -> Pending {
        let about = About::new(topic, &record);
        let started = Instant::now();
        let mut message: FutureRecord<[u8], [u8]> = FutureRecord::to(topic);
        message.partition = record.partition;
        message.timestamp = record.timestamp;
        message.key = record.key.as_ref().and_then(bytes);
        message.payload = record.value.as_ref().and_then(bytes);
        message.headers = (!record.headers.is_empty()).then(|| headers(&record));
        loop {
            match self.current().send_result(message) {
                Ok(delivery) => return Pending::Sent { delivery, about },
                Err((error, back)) => {
                    let full = error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull);
                    if !full || started.elapsed() > DELIVERY_TIMEOUT {
                        self.renew_if_broken();
                        return ProduceRefusal::of(&error, topic).into();
                    }
                    message = back;
                }
            }
            tokio::time::sleep(QUEUE_PAUSE).await;
        }
    }

    /// Replaces a producer that met a fatal error: it would refuse everything from then on.
    pub(super) fn renew_if_broken(&self) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let Some((code, reason)) = current.client().fatal_error() else {
            return;
        };
        tracing::warn!(%code, "the producer broke and is replaced: {reason}");
        match self.config.create_with_context(PatientContext) {
            Ok(fresh) => *current = fresh,
            Err(error) => tracing::error!("cannot make a producer: {error}"),
        }
    }

    fn current(&self) -> FutureProducer<PatientContext> {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn bytes(part: &RecordPart) -> Option<&[u8]> {
    part.bytes.as_deref()
}

fn headers(record: &ProduceRecord) -> OwnedHeaders {
    let empty = OwnedHeaders::new_with_capacity(record.headers.len());
    record.headers.iter().fold(empty, |headers, (name, value)| {
        headers.insert(Header {
            key: name,
            value: value.as_deref(),
        })
    })
}
