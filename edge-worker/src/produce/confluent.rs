//! Confluent's REST Produce v3 as a way into Kafka.

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use worker::js_sys::Uint8Array;
use worker::wasm_bindgen::JsValue;
use worker::{
    AbortController, Date, Delay, Fetch, Headers, Method, Request, RequestInit, Response,
};

use crate::config::Kafka;
use crate::health::KafkaHealth;
use crate::outgoing::{Outgoing, Topic};
use crate::platform;
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
        let controller = AbortController::default();
        let signal = controller.signal();
        let mut answer = CallAnswer::default();
        let is_late = {
            let conversation = pin!(converse(self.kafka, topic, records, &signal, &mut answer));
            matches!(
                select(conversation, Delay::from(self.patience)).await,
                Either::Right(_)
            )
        };
        if is_late {
            answer.is_late = true;
            controller.abort();
        }
        answer
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

/// Fills in the answer as it comes. Errors need no name: what is not filled in was not answered.
async fn converse(
    kafka: &Kafka,
    topic: Topic,
    records: Vec<Rc<Outgoing>>,
    signal: &worker::AbortSignal,
    answer: &mut CallAnswer,
) -> worker::Result<()> {
    let request = request(kafka, topic, records)?;
    let mut response = Fetch::Request(request).send_with_signal(signal).await?;
    answer.status = Some(response.status_code());
    answer.retry_after = retry_after(&response);
    let mut chunks = response.stream()?;
    while let Some(chunk) = chunks.next().await {
        answer.body.extend_from_slice(&chunk?);
        if answer.body.len() > MAX_ANSWER_BYTES {
            break;
        }
    }
    Ok(())
}

fn request(kafka: &Kafka, topic: Topic, records: Vec<Rc<Outgoing>>) -> worker::Result<Request> {
    let headers = Headers::new();
    headers.set("Content-Type", "application/json")?;
    headers.set("Authorization", &request::authorization(kafka))?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post)
        .with_headers(headers)
        .with_body(Some(body(records, kafka.schema_id)));
    Request::new_with_init(&request::url(kafka, topic), &init)
}

/// A body of unknown length is sent in chunks, which is how the gateway tells streaming from single records. Each chunk is
/// made when it is asked for.
fn body(records: Vec<Rc<Outgoing>>, schema_id: u32) -> JsValue {
    let chunks = futures_util::stream::iter(records)
        .chunks(RECORDS_PER_CHUNK)
        .map(move |records| {
            let mut objects = String::new();
            for record in &records {
                request::write(&mut objects, record, schema_id);
            }
            Ok(JsValue::from(Uint8Array::from(objects.as_bytes())))
        });
    wasm_streams::ReadableStream::from_stream(chunks)
        .into_raw()
        .into()
}

fn retry_after(response: &Response) -> Option<u32> {
    let value = response.headers().get("Retry-After").ok().flatten()?;
    retry::retry_after(&value, Date::now().as_millis() / 1_000)
}
