//! Confluent's REST Produce v3 as a way into Kafka.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use worker::Date;

use crate::config::Kafka;
use crate::health::KafkaHealth;
use crate::outgoing::{Outgoing, Topic};
use crate::platform::{self, Call};
use crate::produce::answer::CallAnswer;
use crate::produce::{Sink, request};
use crate::retry;

/// Records in one chunk of the request's body: few enough to hold in memory, enough to keep chunks few.
const RECORDS_PER_CHUNK: usize = 50;

/// Most bytes of an answer: 1,000 records with 500 bytes for each report, four times over. What comes after counts as
/// unreported.
const MAX_ANSWER_BYTES: usize = 2_000_000;

/// A cluster behind Confluent's REST API.
#[derive(Debug)]
pub struct Confluent<'a> {
    /// Where it is and who may produce.
    pub kafka: &'a Kafka,
    /// How long one call may take, all of its answer included.
    pub patience: Duration,
}

impl Sink for Confluent<'_> {
    async fn call(&self, topic: Topic, records: Vec<Rc<Outgoing>>) -> CallAnswer {
        let call = Call {
            url: &request::url(self.kafka, topic),
            authorization: &request::authorization(self.kafka),
            patience: self.patience,
            max_answer_bytes: MAX_ANSWER_BYTES,
        };
        let answered = platform::converse(call, chunks(records, self.kafka.schema_id)).await;
        let retry_after = answered.retry_after.as_deref();
        CallAnswer {
            status: answered.status,
            body: answered.body,
            retry_after: retry_after
                .and_then(|value| retry::retry_after(value, Date::now().as_millis() / 1_000)),
            is_late: answered.is_late,
        }
    }
}

/// Asks the gateway for the events' topic; an answer holds for a while.
pub async fn health(kafka: &Kafka) -> KafkaHealth {
    /// How long an answer may take.
    const PATIENCE: Duration = Duration::from_secs(3);
    thread_local! {
        static KNOWN: Cell<Option<(i64, KafkaHealth)>> = const { Cell::new(None) };
    }
    let now = i64::try_from(Date::now().as_millis()).unwrap_or(i64::MAX);
    if let Some((asked_at, health)) = KNOWN.get()
        && KafkaHealth::holds(asked_at, now)
    {
        return health;
    }
    let url = request::topic_url(kafka, Topic::Events);
    let status = platform::ask(&url, &request::authorization(kafka), PATIENCE).await;
    let health = KafkaHealth::from_status(status);
    KNOWN.set(Some((now, health)));
    health
}

/// Writes the records, so many at a time: each chunk is made when it is asked for.
fn chunks(records: Vec<Rc<Outgoing>>, schema_id: u32) -> impl FnMut() -> Option<String> {
    let mut left = records.into_iter();
    move || {
        let mut objects = String::new();
        for record in left.by_ref().take(RECORDS_PER_CHUNK) {
            request::write(&mut objects, &record, schema_id);
        }
        (!objects.is_empty()).then_some(objects)
    }
}
