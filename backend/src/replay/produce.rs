//! Writes records to Kafka, and returns when it has confirmed each.

use std::time::Duration;

use anyhow::Context;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord};

use crate::kafka::KafkaArgs;

/// How long Kafka may take for one record.
const PATIENCE: Duration = Duration::from_secs(30);

/// A record on its way to Kafka.
pub(super) struct KafkaRecord {
    pub(super) topic: String,
    pub(super) key: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) value: Vec<u8>,
}

impl KafkaRecord {
    fn headers(&self) -> OwnedHeaders {
        let empty = OwnedHeaders::new_with_capacity(self.headers.len());
        self.headers.iter().fold(empty, |all, (key, value)| {
            all.insert(Header {
                key,
                value: Some(value),
            })
        })
    }
}

/// Produces records with an idempotent producer.
///
/// # Errors
/// Returns an error if Kafka does not take one of them. Others may have been taken.
pub(super) async fn produce(
    kafka: &KafkaArgs,
    records: impl Iterator<Item = KafkaRecord>,
) -> anyhow::Result<()> {
    let mut config = kafka.client();
    config
        .set("enable.idempotence", "true")
        .set("compression.type", "zstd");
    let producer: FutureProducer = config.create().context("creating the Kafka producer")?;
    let mut under_way = Vec::new();
    for record in records {
        let mut to_send = FutureRecord::<String, Vec<u8>>::to(&record.topic)
            .payload(&record.value)
            .headers(record.headers());
        to_send.key = record.key.as_ref();
        let sent = match producer.send_result(to_send) {
            Ok(sent) => sent,
            // The client's own queue is full: it has room again when what is in it has arrived.
            Err((_, to_send)) => {
                arrived(std::mem::take(&mut under_way)).await?;
                producer
                    .send_result(to_send)
                    .map_err(|(error, _)| error)
                    .context("producing to Kafka")?
            }
        };
        under_way.push(sent);
    }
    arrived(under_way).await
}

async fn arrived(records: Vec<DeliveryFuture>) -> anyhow::Result<()> {
    for record in records {
        let delivered = tokio::time::timeout(PATIENCE, record).await;
        let delivered = delivered.context("Kafka did not answer in time")?;
        delivered
            .context("the Kafka producer ended")?
            .map_err(|(error, _)| error)
            .context("producing to Kafka")?;
    }
    Ok(())
}
