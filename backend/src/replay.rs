//! `shoptrail replay`: refused events back to where good ones are, and undelivered ones ([`undelivered`]).
//!
//! Dead letters are judged again by the present contract; what it accepts now goes to the topic of the events, under the
//! time at which the edge received it. Nothing is doubled: an event of the same shop and id that has come into that topic
//! since then is left out, so that a replay may be repeated. The letters stay where they are.

mod filter;
mod letters;
mod produce;
mod pull_queue;
mod topic;
pub mod undelivered;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use clap::Args;
use rdkafka::Message;
use serde::{Deserialize, Serialize};
use shoptrail_edge::replay::ReplayedEvent;
use shoptrail_schemas::wire;

pub use self::filter::Filter;
use self::produce::{KafkaRecord, produce};
pub use self::pull_queue::{CloudflareArgs, QueueError};
use crate::judging::JudgingArgs;
use crate::kafka::KafkaArgs;

/// What stands behind the events' topic in the name of the dead letters'.
const DEAD_LETTERS: &str = ".dlq";

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
    /// Takes back what the Worker could not hand to Kafka, from its queue of undelivered messages, in place of dead letters
    #[arg(
        long,
        requires_all = ["cloudflare_account", "cloudflare_queue", "cloudflare_api_token"],
        conflicts_with = "reasons"
    )]
    pub undelivered: bool,
    /// Which letters or messages
    #[command(flatten)]
    pub filter: Filter,
    /// How events are judged
    #[command(flatten)]
    pub judging: JudgingArgs,
    /// Where undelivered messages are
    #[command(flatten)]
    pub cloudflare: CloudflareArgs,
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
/// Returns an error if a setting has a fault, or Kafka cannot be read or does not take an event. What it took before stays there: the next replay
/// leaves it out.
pub async fn run(args: &ReplayArgs) -> anyhow::Result<ReplaySummary> {
    let judging = args.judging.read()?.again();
    let mut summary = ReplaySummary::default();
    let mut events = tokio::task::block_in_place(|| letters::read(args, &judging, &mut summary))?;
    let accepted = events.len();
    tokio::task::block_in_place(|| leave_out_known(&args.kafka, &mut events))?;
    summary.already_there += accepted - events.len();
    summary.replayed = events.len();
    if !args.dry_run {
        let events = events.into_values();
        let events = events.map(|event| event_record(args, event));
        produce(&args.kafka, events).await?;
    }
    tracing::info!(
        letters = summary.letters,
        events.replayed = summary.replayed,
        events.already_there = summary.already_there,
        "replayed"
    );
    Ok(summary)
}

/// Events by shop and id, as silver tells them apart.
type Events = HashMap<(String, String), ReplayedEvent>;

/// What an event is told apart by.
fn identity(event: &ReplayedEvent) -> (String, String) {
    (event.shop_id.clone(), event.event_id.clone())
}

/// Takes out the events that are in their topic since the first of them was received.
fn leave_out_known(kafka: &KafkaArgs, events: &mut Events) -> anyhow::Result<()> {
    #[derive(Deserialize)]
    struct Record<'a> {
        #[serde(borrow)]
        event: Event<'a>,
        #[serde(borrow)]
        edge: Edge<'a>,
    }
    #[derive(Deserialize)]
    struct Event<'a> {
        #[serde(borrow)]
        event_id: Cow<'a, str>,
    }
    #[derive(Deserialize)]
    struct Edge<'a> {
        #[serde(borrow)]
        shop_id: Cow<'a, str>,
    }
    let Some(first) = events.values().map(|event| event.received_at).min() else {
        return Ok(());
    };
    let since = first.saturating_sub(CLOCKS_APART_MS);
    topic::read(kafka, &kafka.topic, Some(since), |message| {
        let value = message.payload().unwrap_or_default();
        let json = wire::decode(value).map_or(value, |(_, json)| json);
        if let Ok(record) = serde_json::from_slice::<Record<'_>>(json) {
            let (shop, id) = (record.edge.shop_id, record.event.event_id);
            events.remove(&(shop.into_owned(), id.into_owned()));
        }
    })
}

/// An event as its topic has it.
fn event_record(args: &ReplayArgs, event: ReplayedEvent) -> KafkaRecord {
    KafkaRecord {
        topic: args.kafka.topic.clone(),
        value: wire::encode(args.schema_id, event.record.as_bytes()),
        key: Some(event.key),
        headers: Vec::new(),
    }
}
