//! The hand-over: a batch leaves the request for something durable, and only then is the client told.
//!
//! That is the Cloudflare Queue. What the queue refuses, and records too large for it, go to Kafka by a direct call. A
//! promise to do it later would not hold: `waitUntil` ends 30 seconds after the reply, and isolates die.

use std::rc::Rc;
use std::time::Duration;

use worker::{BatchMessageBuilder, Env, MessageBuilder, Queue, QueueContentType};

use crate::config::{Config, HandOver};
use crate::observe::{self, Level};
use crate::outgoing::Outgoing;
use crate::parcel::{self, Packed, Parcel};
use crate::produce::{self, Delivery, call};

/// The queue's binding in `wrangler.toml`.
pub const QUEUE: &str = "EVENTS";

/// How long a client waits for a direct call; its own patience is not much longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Nothing durable took all of the batch; the client must keep it. What part of it was taken arrives twice.
#[derive(Debug)]
pub struct NotDurable;

/// Hands records over and returns when all of them are durable.
///
/// # Errors
/// [`NotDurable`].
pub async fn hand_over(
    config: &Config,
    env: &Env,
    records: Vec<Rc<Outgoing>>,
) -> Result<(), NotDurable> {
    let rest = match config.hand_over {
        HandOver::Queue => park(env, records).await,
        HandOver::Direct => records,
    };
    if rest.is_empty() {
        return Ok(());
    }
    let delivery = produce::deliver(&rest, async |topic, records| {
        call::call(&config.kafka, topic, records, PATIENCE).await
    })
    .await;
    log(&delivery);
    if delivery.left() == 0 {
        Ok(())
    } else {
        Err(NotDurable)
    }
}

/// Sends records to the queue and returns those it did not take.
async fn park(env: &Env, records: Vec<Rc<Outgoing>>) -> Vec<Rc<Outgoing>> {
    let Ok(queue) = env.queue(QUEUE) else {
        observe::log(
            Level::Error,
            "queue is not bound",
            serde_json::json!({"queue.binding": QUEUE}),
        );
        return records;
    };
    let Packed {
        sendings,
        oversized,
    } = match parcel::pack(&records, 0) {
        Ok(packed) => packed,
        Err(_) => return records,
    };
    let mut rest = oversized;
    for parcels in sendings {
        if send(&queue, &parcels, None).await.is_err() {
            observe::log(
                Level::Warn,
                "queue refused parcels",
                serde_json::json!({"queue.parcels": parcels.len()}),
            );
            rest.extend(parcels.into_iter().flat_map(|parcel| parcel.records));
        }
    }
    rest
}

/// Sends parcels to the queue in one go, to be brought after a delay.
///
/// # Errors
/// If the queue does not take them.
pub async fn send(
    queue: &Queue,
    parcels: &[Parcel],
    delay_seconds: Option<u32>,
) -> worker::Result<()> {
    let mut batch = BatchMessageBuilder::new();
    for parcel in parcels {
        let message =
            MessageBuilder::new(parcel.text.as_str()).content_type(QueueContentType::Text);
        batch = batch.message(match delay_seconds {
            Some(delay) => message.delay_seconds(delay).build(),
            None => message.build(),
        });
    }
    queue.send_batch(batch.build()).await
}

fn log(delivery: &Delivery) {
    let level = if delivery.left() == 0 {
        Level::Info
    } else {
        Level::Warn
    };
    let fields = serde_json::json!({
        "records.delivered": delivery.delivered,
        "records.dead_letters": delivery.dead_letters,
        "records.left": delivery.left(),
        "kafka.troubles": delivery.troubles,
    });
    observe::log(level, "records handed over directly", fields);
}
