//! The queue's consumer: merges all messages of a batch into one call for each topic, reads every report, and lets go of a
//! message only when each of its records is in Kafka or in a message of its own.
//!
//! One call for each browser's batch would stop at Confluent's 25 calls a second.

use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use serde_json::json;
use worker::wasm_bindgen::{JsCast as _, JsValue};
use worker::worker_sys::{Message, MessageBatch};
use worker::{Date, Env, Queue, js_sys};

use crate::config::Config;
use crate::dead_letter;
use crate::hand_over::{QUEUE, send};
use crate::observe::{self, Level};
use crate::outgoing::Outgoing;
use crate::parcel::{self, Opened};
use crate::produce::{self, Delivery, call};
use crate::retry;
use crate::settle::{Settlement, settle};

/// How long one call may take: 100 full messages are 17 MB, at the gateway's 10 MB a second.
const PATIENCE: Duration = Duration::from_secs(15);

/// A queue message and where its records stand among those of the batch.
struct Received {
    message: Message,
    /// How often the queue brought it, from 1.
    attempts: u32,
    /// How often its records failed before it was sent.
    earlier_failures: u32,
    records: Range<usize>,
}

/// Consumes one batch of messages. Without a configuration all of it waits for one.
///
/// # Errors
/// If the platform's objects are not what they should be: then the whole batch comes again.
pub async fn consume(
    batch: &MessageBatch,
    env: &Env,
    config: Option<&Config>,
) -> Result<(), JsValue> {
    let queue = env.queue(QUEUE)?;
    let (received, records) = open(batch)?;
    let delivery = match config {
        Some(config) => {
            let call =
                async |topic, records| call::call(&config.kafka, topic, records, PATIENCE).await;
            produce::deliver(&records, call).await
        }
        None => Delivery::none(records.len()),
    };
    for received in &received {
        received.settle(&records, &delivery, &queue).await?;
    }
    log(received.len(), &delivery);
    Ok(())
}

/// Opens every message; one that is no parcel becomes a dead letter.
fn open(batch: &MessageBatch) -> Result<(Vec<Received>, Vec<Rc<Outgoing>>), JsValue> {
    let mut all = Vec::new();
    let mut records = Vec::new();
    for message in batch.messages()?.iter() {
        let message: Message = message.unchecked_into();
        let text = text(&message.body()?);
        let opened = parcel::open(&text).unwrap_or_else(|cause| {
            let now = i64::try_from(Date::now().as_millis()).unwrap_or(i64::MAX);
            Opened {
                failures: 0,
                records: vec![dead_letter::queue_message(&text, &cause.to_string(), now)],
            }
        });
        let start = records.len();
        records.extend(opened.records.into_iter().map(Rc::new));
        all.push(Received {
            attempts: attempts(&message),
            message,
            earlier_failures: opened.failures,
            records: start..records.len(),
        });
    }
    Ok((all, records))
}

/// Our parcels are texts; what others send is written as JSON, to be kept.
fn text(body: &JsValue) -> String {
    body.as_string().unwrap_or_else(|| {
        js_sys::JSON::stringify(body)
            .map(String::from)
            .unwrap_or_default()
    })
}

/// `worker` has no accessor for it.
fn attempts(message: &Message) -> u32 {
    let attempts = js_sys::Reflect::get(message, &"attempts".into())
        .ok()
        .and_then(|value| value.as_f64());
    attempts.map_or(1, |attempts| attempts as u32)
}

impl Received {
    async fn settle(
        &self,
        records: &[Rc<Outgoing>],
        delivery: &Delivery,
        queue: &Queue,
    ) -> Result<(), JsValue> {
        let records = records.get(self.records.clone()).unwrap_or_default();
        let fates = delivery.fates.get(self.records.clone()).unwrap_or_default();
        let failures = self.earlier_failures.saturating_add(self.attempts);
        let delay = retry::delay_seconds(failures, delivery.retry_after);
        match settle(fates, self.attempts) {
            Settlement::Done => self.message.ack(),
            Settlement::Retry => self.retry(delay),
            Settlement::SendAnew(positions) => {
                let left: Vec<_> = positions
                    .iter()
                    .filter_map(|position| records.get(*position).cloned())
                    .collect();
                match send_anew(&left, failures, delay, queue).await {
                    Ok(()) => self.message.ack(),
                    Err(_) => self.retry(delay),
                }
            }
        }
    }

    fn retry(&self, delay_seconds: u32) -> Result<(), JsValue> {
        let options = js_sys::Object::new();
        js_sys::Reflect::set(&options, &"delaySeconds".into(), &delay_seconds.into())?;
        self.message.retry(options.into())
    }
}

/// Sends the records that are left as messages of their own.
async fn send_anew(
    records: &[Rc<Outgoing>],
    failures: u32,
    delay: u32,
    queue: &Queue,
) -> worker::Result<()> {
    let packed = parcel::pack(records, failures)?;
    if !packed.oversized.is_empty() {
        return Err("a record of a parcel is too large for a parcel".into());
    }
    for parcels in &packed.sendings {
        send(queue, parcels, Some(delay)).await?;
    }
    Ok(())
}

fn log(messages: usize, delivery: &Delivery) {
    let level = if delivery.left() == 0 {
        Level::Info
    } else {
        Level::Warn
    };
    let fields = json!({
        "queue.messages": messages,
        "records.delivered": delivery.delivered,
        "records.dead_letters": delivery.dead_letters,
        "records.left": delivery.left(),
        "kafka.troubles": delivery.troubles,
    });
    observe::log(level, "queue batch consumed", fields);
}
