//! `shoptrail replay --undelivered`: what the Worker's consumer could not hand to Kafka, from Cloudflare's queue of undelivered
//! messages to the topics where that consumer would have put it.
//!
//! Messages are acknowledged only after Kafka has confirmed their records, so that nothing is lost wherever this ends. An event
//! that is in its topic by then is not sent again; a dead letter is, as it has no id to be known by.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use shoptrail_edge::dead_letter::{self, PREFIX};
use shoptrail_edge::outgoing::{DeadLetter, Outgoing, OutgoingEvent, Payload};
use shoptrail_edge::queue_message;
use shoptrail_edge::replay::ReplayedEvent;

use super::produce::{KafkaRecord, produce};
use super::pull_queue::{PullQueue, Pulled};
use super::{DEAD_LETTERS, Events, ReplayArgs, event_record, identity, leave_out_known};

/// Most messages that are in hand at a time: up to 128 MB of them.
const MAX_IN_HAND: usize = 1_000;

/// What a replay of undelivered messages did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UndeliveredSummary {
    /// Messages that were asked for.
    pub messages: usize,
    /// Events that went to their topic, or would go.
    pub replayed: usize,
    /// Events that were there already.
    pub already_there: usize,
    /// Dead letters that went to their topic, or would go.
    pub dead_letters: usize,
    /// Messages that are none of the Worker's: they stay in the queue.
    pub not_readable: usize,
}

/// Brings messages back until the queue gives no more of them, or only such as stay in it.
///
/// # Errors
/// Returns an error if the queue cannot be read, or Kafka does not take a record. What is in no topic by then is in the queue:
/// the next replay takes it.
pub async fn run(args: &ReplayArgs) -> anyhow::Result<UndeliveredSummary> {
    let queue = PullQueue::new(&args.cloudflare)?;
    let mut held = Held::new();
    let brought = bring_back(args, &queue, &mut held).await;
    let given_back = queue.give_back(held.into_values()).await;
    let summary = brought?;
    given_back?;
    tracing::info!(
        queue.messages = summary.messages,
        events.replayed = summary.replayed,
        events.already_there = summary.already_there,
        "replayed"
    );
    Ok(summary)
}

/// The newest leases of messages that were pulled and are in the queue still, by the messages' ids.
type Held = HashMap<String, String>;

async fn bring_back(
    args: &ReplayArgs,
    queue: &PullQueue,
    held: &mut Held,
) -> anyhow::Result<UndeliveredSummary> {
    let mut summary = UndeliveredSummary::default();
    loop {
        let messages = pull(queue, held).await?;
        if messages.is_empty() {
            return Ok(summary);
        }
        let mut in_hand = InHand::default();
        for message in &messages {
            in_hand.take(message, args, &mut summary);
        }
        let taken = in_hand.events.len();
        tokio::task::block_in_place(|| leave_out_known(&args.kafka, &mut in_hand.events))?;
        summary.already_there += taken - in_hand.events.len();
        summary.replayed += in_hand.events.len();
        summary.dead_letters += in_hand.letters.len();
        if args.dry_run {
            continue;
        }
        let events = in_hand.events.into_values();
        let events = events.map(|event| event_record(args, event));
        produce(&args.kafka, events.chain(in_hand.letters)).await?;
        let leases = in_hand.messages.iter().filter_map(|id| held.get(id));
        let leases: Vec<String> = leases.cloned().collect();
        queue.acknowledge(leases).await?;
        held.retain(|id, _| !in_hand.messages.contains(id));
    }
}

/// Pulls messages that were not pulled before, until there are enough or no more. Their leases are in `held` at once, so that
/// they are given back whatever follows.
async fn pull(queue: &PullQueue, held: &mut Held) -> anyhow::Result<Vec<Pulled>> {
    let mut messages = Vec::new();
    while messages.len() < MAX_IN_HAND {
        let pulled = queue.pull().await?;
        let (all, before) = (pulled.len(), messages.len());
        messages.extend(pulled.into_iter().filter(|message| {
            let lease = message.lease_id.clone();
            held.insert(message.id.clone(), lease).is_none()
        }));
        if messages.len() == before {
            // Leases have ended meanwhile. To go on would cost each of them an attempt, and might never end.
            if all > 0 {
                tracing::warn!(
                    "messages that stay in the queue come again: there may be others behind them"
                );
            }
            break;
        }
    }
    Ok(messages)
}

/// What is brought back together.
#[derive(Default)]
struct InHand {
    events: Events,
    letters: Vec<KafkaRecord>,
    /// Ids of the messages that all of this was in.
    messages: HashSet<String>,
}

impl InHand {
    fn take(&mut self, message: &Pulled, args: &ReplayArgs, summary: &mut UndeliveredSummary) {
        let Some(records) = open(message) else {
            summary.not_readable += 1;
            return;
        };
        // All records of a message are of one batch.
        let origin = records.first().map(Origin::of).unwrap_or_default();
        let came = origin.received_at.or(message.timestamp_ms);
        if !args.filter.includes(origin.shop_id.as_deref(), came) {
            return;
        }
        summary.messages += 1;
        self.messages.insert(message.id.clone());
        for record in records {
            match record {
                Outgoing::DeadLetter(letter) => {
                    self.letters.push(letter_record(&args.kafka.topic, &letter))
                }
                Outgoing::Event(event) => {
                    let event = replayed(&event, &origin, came);
                    match self.events.entry(identity(&event)) {
                        Entry::Vacant(place) => drop(place.insert(event)),
                        Entry::Occupied(_) => summary.already_there += 1,
                    }
                }
            }
        }
    }
}

/// Opens a message as the Worker's consumer does: one of another kind becomes a dead letter.
fn open(message: &Pulled) -> Option<Vec<Outgoing>> {
    let text = message.text()?;
    let opened = queue_message::open(&text).map(|opened| opened.records);
    Some(opened.unwrap_or_else(|cause| {
        let came = message.timestamp_ms.unwrap_or_default();
        vec![dead_letter::queue_message(&text, &cause.to_string(), came)]
    }))
}

/// Whose a record is, and when the edge received it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Origin {
    shop_id: Option<String>,
    received_at: Option<i64>,
}

impl Origin {
    fn of(record: &Outgoing) -> Self {
        if let Some(common) = record.common() {
            return serde_json::from_str(common.edge.get()).unwrap_or_default();
        }
        let Outgoing::DeadLetter(letter) = record else {
            return Self::default();
        };
        let header = |wanted: &str| {
            let mut headers = letter.headers.iter();
            let found = headers.find(|(name, _)| name.strip_prefix(PREFIX) == Some(wanted));
            found.map(|(_, value)| value.clone())
        };
        Self {
            shop_id: header("shop_id"),
            received_at: header("received_at").and_then(|text| text.parse().ok()),
        }
    }
}

/// The id of an event; one without has the text of the event for it, and is judged by `land` like any other.
fn event_id(event: &OutgoingEvent) -> String {
    #[derive(Deserialize)]
    struct Named {
        event_id: String,
    }
    let named = serde_json::from_str::<Named>(&event.event);
    named.map_or_else(|_| event.event.to_string(), |named| named.event_id)
}

fn replayed(event: &OutgoingEvent, origin: &Origin, came: Option<i64>) -> ReplayedEvent {
    ReplayedEvent {
        shop_id: origin.shop_id.clone().unwrap_or_default(),
        event_id: event_id(event),
        key: event.key.clone(),
        record: event.record(),
        received_at: came.unwrap_or_default(),
    }
}

fn letter_record(topic: &str, letter: &DeadLetter) -> KafkaRecord {
    let headers = letter.all_headers().into_iter();
    KafkaRecord {
        topic: format!("{topic}{DEAD_LETTERS}"),
        key: letter.key.clone(),
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        value: match &letter.value {
            Payload::Json(json) => json.get().as_bytes().to_vec(),
            Payload::Base64(text) => BASE64_STANDARD
                .decode(text)
                .unwrap_or_else(|_| text.as_bytes().to_vec()),
        },
    }
}
