//! The hand-over: a batch leaves the request for something durable, and only then is the client told.
//!
//! That is the Cloudflare Queue. Good events that the queue refuses, or that are too large for it, go to Kafka by a direct
//! call, and so do all of a shop without a queue; dead letters never do, as anybody can make them. A promise to do it later would not hold: `waitUntil` ends 30
//! seconds after the reply, and isolates die.

use std::cell::Cell;
use std::time::Duration;

use serde_json::json;
use worker::wasm_bindgen::JsValue;

use crate::config::{Config, HandOver};
use crate::health::LastHandOver;
use crate::observe::{self, LogLevel};
use crate::outgoing::{Outgoing, Topic};
use crate::platform::{self, QUEUE};
use crate::produce::confluent::Confluent;
use crate::produce::delivery::Delivery;
use crate::produce::{self, Tally};
use crate::queue_message::{self, Packed};

/// How long a client waits for a direct call; its own patience is not much longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Nothing durable took all of the batch; the client must keep it. What part of it was taken arrives twice.
#[derive(Debug)]
pub struct NotDurable;

thread_local! {
    static LAST: Cell<LastHandOver> = const { Cell::new(LastHandOver::NoneYet) };
}

/// Returns how the last hand-over of this instance went.
pub fn last() -> LastHandOver {
    LAST.get()
}

/// Hands records over and returns when all good events are durable, with how many dead letters are lost.
///
/// # Errors
/// Returns [`NotDurable`].
pub async fn hand_over(
    config: &Config,
    env: &JsValue,
    records: Vec<Outgoing>,
) -> Result<usize, NotDurable> {
    let lost = match config.hand_over {
        HandOver::Queue => {
            let (events, letters) = apart(park(env, records).await);
            if events.is_empty() {
                LAST.set(LastHandOver::Worked);
            } else {
                deliver(config, events, LastHandOver::WentDirectly).await?;
            }
            letters
        }
        HandOver::Direct => {
            let (events, letters) = apart(records);
            if !events.is_empty() {
                deliver(config, events, LastHandOver::Worked).await?;
            }
            // After the events: should they fail, the client sends the whole batch again.
            park(env, letters).await
        }
    };
    if !lost.is_empty() {
        let fields = json!({"records.dead_letters_lost": lost.len()});
        observe::log(LogLevel::Warn, "dead letters are not kept", fields);
    }
    Ok(lost.len())
}

/// Makes direct calls until all good events are in Kafka, and notes how that went.
async fn deliver(
    config: &Config,
    events: Vec<Outgoing>,
    success: LastHandOver,
) -> Result<(), NotDurable> {
    let sink = Confluent {
        kafka: &config.kafka,
        patience: PATIENCE,
    };
    let mut deliveries: Vec<_> = events.into_iter().map(Delivery::new).collect();
    let mut all: Vec<_> = deliveries.iter_mut().collect();
    let tally = produce::deliver(&mut all, &sink).await;
    log(&tally);
    // What Kafka refused for good is a dead letter by now: sent again it would be refused again.
    let is_durable = deliveries
        .iter()
        .all(|delivery| delivery.is_delivered() || delivery.record.topic() == Topic::DeadLetters);
    LAST.set(if is_durable {
        success
    } else {
        LastHandOver::Failed
    });
    if is_durable { Ok(()) } else { Err(NotDurable) }
}

/// Sends records to the queue and returns those it did not take.
async fn park(env: &JsValue, records: Vec<Outgoing>) -> Vec<Outgoing> {
    if records.is_empty() {
        return records;
    }
    if !platform::is_bound(env, QUEUE) {
        let fields = json!({"queue.binding": QUEUE});
        observe::log(LogLevel::Error, "queue is not bound", fields);
        return records;
    }
    let packed = match queue_message::pack(records, 0) {
        Ok(packed) => packed,
        Err(error) => {
            let fields = json!({"error": error.to_string()});
            observe::log(LogLevel::Error, "records cannot be packed", fields);
            return Vec::new();
        }
    };
    let Packed {
        sendings,
        oversized,
    } = packed;
    let mut rest = oversized;
    for messages in sendings {
        let bodies = messages.iter().map(|message| message.text.as_str());
        if platform::send(env, bodies, None).await.is_err() {
            let fields = json!({"queue.messages": messages.len()});
            observe::log(LogLevel::Warn, "queue refused messages", fields);
            rest.extend(messages.into_iter().flat_map(|message| message.records));
        }
    }
    rest
}

/// Tells good events and dead letters apart.
fn apart(records: Vec<Outgoing>) -> (Vec<Outgoing>, Vec<Outgoing>) {
    records
        .into_iter()
        .partition(|record| record.topic() == Topic::Events)
}

fn log(tally: &Tally) {
    let level = if tally.left == 0 {
        LogLevel::Info
    } else {
        LogLevel::Warn
    };
    observe::log(level, "records handed over directly", tally.fields());
}
