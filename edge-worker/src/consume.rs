//! The queue's consumer: merges all messages of a batch into as few calls as fit, reads every report, and lets go of a
//! message only when each of its records is in Kafka or in a message of its own.
//!
//! One call for each browser's batch would stop at Confluent's 25 calls a second.

use std::rc::Rc;
use std::time::Duration;

use serde_json::json;
use worker::wasm_bindgen::{JsCast as _, JsValue};
use worker::worker_sys::{Message, MessageBatch};
use worker::{Date, js_sys};

use crate::config::Config;
use crate::dead_letter;
use crate::observe::{self, LogLevel};
use crate::outgoing::Outgoing;
use crate::platform;
use crate::produce::confluent::Confluent;
use crate::produce::delivery::Delivery;
use crate::produce::{self, Tally};
use crate::queue_message::{self, Opened};
use crate::retry;
use crate::settle::{Settlement, settle};

/// How long one call may take: its 10 MB are what the gateway takes in a second.
const PATIENCE: Duration = Duration::from_secs(15);

/// A queue message with its records.
struct Received {
    message: Message,
    /// How often the queue brought it, from 1.
    attempts: u32,
    /// How often its records failed before it was sent.
    earlier_failures: u32,
    deliveries: Vec<Delivery>,
}

/// Consumes one batch of messages. Without a configuration all of it waits for one.
///
/// # Errors
/// Returns an error if the platform's objects are not what they should be: then the whole batch comes again.
pub async fn consume(
    batch: &MessageBatch,
    env: &JsValue,
    config: Option<&Config>,
) -> Result<(), JsValue> {
    let mut received = receive(batch)?;
    let mut deliveries: Vec<_> = received
        .iter_mut()
        .flat_map(|message| message.deliveries.iter_mut())
        .collect();
    let tally = match config {
        Some(config) => {
            let sink = Confluent {
                kafka: &config.kafka,
                patience: PATIENCE,
            };
            produce::deliver(&mut deliveries, &sink).await
        }
        None => Tally {
            left: deliveries.len(),
            ..Tally::default()
        },
    };
    let messages = received.len();
    for received in received {
        received.settle(tally.retry_after, env).await?;
    }
    note(env, messages, &tally);
    Ok(())
}

/// Opens every message; one of another kind becomes a dead letter.
fn receive(batch: &MessageBatch) -> Result<Vec<Received>, JsValue> {
    let mut received = Vec::new();
    for message in batch.messages()?.iter() {
        let message: Message = message.unchecked_into();
        let text = text(&message.body()?);
        let opened = queue_message::open(&text).unwrap_or_else(|cause| {
            let now = i64::try_from(Date::now().as_millis()).unwrap_or(i64::MAX);
            Opened {
                failures: 0,
                records: vec![dead_letter::queue_message(&text, &cause.to_string(), now)],
            }
        });
        received.push(Received {
            attempts: attempts(&message),
            message,
            earlier_failures: opened.failures,
            deliveries: opened.records.into_iter().map(Delivery::new).collect(),
        });
    }
    Ok(received)
}

/// Our messages are the bytes of a text; what others send as text is taken too, and anything else written as JSON, to be
/// kept.
fn text(body: &JsValue) -> String {
    if body.is_instance_of::<js_sys::ArrayBuffer>() || js_sys::ArrayBuffer::is_view(body) {
        let bytes = js_sys::Uint8Array::new(body).to_vec();
        return String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    }
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
    async fn settle(self, retry_after: Option<u32>, env: &JsValue) -> Result<(), JsValue> {
        let failures = self.earlier_failures.saturating_add(self.attempts);
        let delay = retry::delay_seconds(failures, retry_after);
        match settle(&self.deliveries, self.attempts) {
            Settlement::Done => self.message.ack(),
            Settlement::Retry => retry(&self.message, delay),
            Settlement::SendLeft => match send_left(self.deliveries, failures, delay, env).await {
                Ok(()) => self.message.ack(),
                Err(_) => retry(&self.message, delay),
            },
        }
    }
}

fn retry(message: &Message, delay_seconds: u32) -> Result<(), JsValue> {
    let options = js_sys::Object::new();
    js_sys::Reflect::set(&options, &"delaySeconds".into(), &delay_seconds.into())?;
    message.retry(options.into())
}

/// Sends the records that are left as messages of their own.
async fn send_left(
    deliveries: Vec<Delivery>,
    failures: u32,
    delay: u32,
    env: &JsValue,
) -> Result<(), JsValue> {
    let left: Vec<Outgoing> = deliveries
        .into_iter()
        .filter(|delivery| !delivery.is_delivered())
        .map(|delivery| Rc::unwrap_or_clone(delivery.record))
        .collect();
    let packed = queue_message::pack(left, failures).map_err(|error| error.to_string())?;
    if !packed.oversized.is_empty() {
        return Err("a record of a message is too large for a message".into());
    }
    for messages in &packed.sendings {
        let bodies = messages.iter().map(|message| message.text.as_str());
        platform::send(env, bodies, Some(delay)).await?;
    }
    Ok(())
}

fn note(env: &JsValue, messages: usize, tally: &Tally) {
    let (level, outcome) = if tally.left == 0 {
        (LogLevel::Info, "delivered")
    } else {
        (LogLevel::Warn, "records_left")
    };
    let figures = [messages, tally.events, tally.dead_letters, tally.left];
    // Metrics are for counting; a batch of messages is rare enough to have its line as well.
    platform::count(
        env,
        "consume",
        outcome,
        "",
        &figures.map(|figure| figure as f64),
    );
    let mut fields = tally.fields();
    if let Some(fields) = fields.as_object_mut() {
        fields.insert("queue.messages".to_owned(), json!(messages));
    }
    observe::log(level, "queue batch consumed", fields);
}
