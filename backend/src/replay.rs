//! `shoptrail replay`: refused events back to where good ones are.
//!
//! Dead letters are judged again by the present contract; what it accepts now goes to the topic of the events, under the
//! time at which the edge received it. Nothing is doubled: an event whose id has come into that topic since then is left
//! out, so that a replay may be repeated. The letters stay where they are.

mod filter;
mod letters;
mod topic;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use rdkafka::Message;
use rdkafka::producer::{FutureProducer, FutureRecord};
use serde::{Deserialize, Serialize};
use shoptrail_edge::replay::ReplayedEvent;
use shoptrail_schemas::wire;

pub use self::filter::Filter;
use crate::event_age::EventAge;
use crate::kafka::KafkaArgs;

/// How long Kafka may take for one record.
const PATIENCE: Duration = Duration::from_secs(30);

/// How far Kafka's clock may be behind the edge's, in milliseconds.
const CLOCKS_APART_MS: i64 = 60 * 60 * 1_000;

/// Flags of `shoptrail replay`.
#[derive(Args, Clone, Debug)]
pub struct ReplayArgs {
    /// Prints what would come back, and writes nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Id that Schema Registry gave the record's schema
    #[arg(long, value_name = "ID", env = "SHOPTRAIL_SCHEMA_ID")]
    pub schema_id: u32,
    /// How old an event may be
    #[command(flatten)]
    pub age: EventAge,
    /// Which letters
    #[command(flatten)]
    pub filter: Filter,
    /// Where Kafka is and how to reach it
    #[command(flatten)]
    pub kafka: KafkaArgs,
}

/// What a replay did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReplaySummary {
    /// Letters that were asked for.
    pub letters: usize,
    /// Events that went to their topic, or would go.
    pub replayed: usize,
    /// Events that were there already.
    pub already_there: usize,
    /// Events that the contract still refuses, by the first reason.
    pub refused_again: BTreeMap<String, usize>,
    /// Letters that hold no whole event.
    pub not_replayable: usize,
}

/// Judges dead letters again and produces the events that are accepted now.
///
/// # Errors
/// Returns an error if Kafka cannot be read, or does not take an event. What it took before stays there: the next replay
/// leaves it out.
pub async fn run(args: &ReplayArgs) -> anyhow::Result<ReplaySummary> {
    let mut summary = ReplaySummary::default();
    let mut events = tokio::task::block_in_place(|| letters::read(args, &mut summary))?;
    let accepted = events.len();
    tokio::task::block_in_place(|| leave_out_known(&args.kafka, &mut events))?;
    summary.already_there += accepted - events.len();
    summary.replayed = events.len();
    if !args.dry_run {
        produce(args, events.into_values()).await?;
    }
    tracing::info!(
        letters = summary.letters,
        events.replayed = summary.replayed,
        events.already_there = summary.already_there,
        "replayed"
    );
    Ok(summary)
}

/// Takes out the events whose ids are in their topic since the first of them was received.
fn leave_out_known(
    kafka: &KafkaArgs,
    events: &mut HashMap<String, ReplayedEvent>,
) -> anyhow::Result<()> {
    #[derive(Deserialize)]
    struct Record<'a> {
        #[serde(borrow)]
        event: Event<'a>,
    }
    #[derive(Deserialize)]
    struct Event<'a> {
        event_id: &'a str,
    }
    let Some(first) = events.values().map(|event| event.received_at).min() else {
        return Ok(());
    };
    let since = first.saturating_sub(CLOCKS_APART_MS);
    topic::read(kafka, &kafka.topic, Some(since), |message| {
        let value = message.payload().unwrap_or_default();
        let json = wire::decode(value).map_or(value, |(_, json)| json);
        if let Ok(record) = serde_json::from_slice::<Record<'_>>(json) {
            events.remove(record.event.event_id);
        }
    })
}

async fn produce(
    args: &ReplayArgs,
    events: impl Iterator<Item = ReplayedEvent>,
) -> anyhow::Result<()> {
    let mut config = args.kafka.client();
    config
        .set("enable.idempotence", "true")
        .set("compression.type", "zstd");
    let producer: FutureProducer = config.create().context("creating the Kafka producer")?;
    let mut under_way = Vec::new();
    for event in events {
        let value = wire::encode(args.schema_id, event.record.as_bytes());
        let record = FutureRecord::to(&args.kafka.topic)
            .key(event.key.as_str())
            .payload(&value);
        let sent = match producer.send_result(record) {
            Ok(sent) => sent,
            // The client's own queue is full: it has room again when what is in it has arrived.
            Err((_, record)) => {
                arrived(std::mem::take(&mut under_way)).await?;
                producer
                    .send_result(record)
                    .map_err(|(error, _)| error)
                    .context("producing to Kafka")?
            }
        };
        under_way.push(sent);
    }
    arrived(under_way).await
}

async fn arrived(records: Vec<rdkafka::producer::DeliveryFuture>) -> anyhow::Result<()> {
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
