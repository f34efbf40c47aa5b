//! The hand-over: a batch leaves the request for something durable, and only then is the client told.
//!
//! That is the Cloudflare Queue. Good events that the queue refuses, or that are too large for it, go to Kafka by a direct
//! call; dead letters never do, as anybody can make them. A promise to do it later would not hold: `waitUntil` ends 30
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

/// Hands records over and returns when all good events are durable.
///
/// # Errors
/// Returns [`NotDurable`].
pub async fn hand_over(
    config: &Config,
    env: &JsValue,
    records: Vec<Outgoing>,
) -> Result<(), NotDurable> {
    let direct = match config.hand_over {
        HandOver::Queue => good_events(park(env, records).await),
        HandOver::Direct => records,
    };
    if direct.is_empty() {
        LAST.set(LastHandOver::Worked);
        return Ok(());
    }
    let is_durable = deliver(config, direct).await;
    LAST.set(match (is_durable, config.hand_over) {
        (false, _) => LastHandOver::Failed,
        (true, HandOver::Queue) => LastHandOver::WentDirectly,
        (true, HandOver::Direct) => LastHandOver::Worked,
    });
    if is_durable { Ok(()) } else { Err(NotDurable) }
}

/// Makes direct calls, and returns whether all good events are in Kafka.
async fn deliver(config: &Config, records: Vec<Outgoing>) -> bool {
    let sink = Confluent {
        kafka: &config.kafka,
        patience: PATIENCE,
    };
    let mut deliveries: Vec<_> = records.into_iter().map(Delivery::new).collect();
    let mut all: Vec<_> = deliveries.iter_mut().collect();
    let tally = produce::deliver(&mut all, &sink).await;
    log(&tally);
    deliveries
        .iter()
        .all(|delivery| delivery.is_delivered() || delivery.record.topic() == Topic::DeadLetters)
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

/// Leaves dead letters out, and says how many are lost so.
fn good_events(records: Vec<Outgoing>) -> Vec<Outgoing> {
    let (good, letters): (Vec<_>, Vec<_>) = records
        .into_iter()
        .partition(|record| record.topic() == Topic::Events);
    if !letters.is_empty() {
        let fields = json!({"records.dead_letters_lost": letters.len()});
        observe::log(LogLevel::Warn, "dead letters are not kept", fields);
    }
    good
}

fn log(tally: &Tally) {
    let level = if tally.left == 0 {
        LogLevel::Info
    } else {
        LogLevel::Warn
    };
    observe::log(level, "records handed over directly", tally.fields());
}
