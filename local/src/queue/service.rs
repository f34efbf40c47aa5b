//! What workerd and the edge's host say to the queues, over HTTP: `POST /message` and `/batch` as workerd's bindings send
//! them to Cloudflare, and `PUT /consumers/QUEUE`.

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{post, put};
use axum::{Json, Router, body::Bytes};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::json;

use super::Queues;
use super::backlog::QueueConsumer;
use super::limits;
use super::store::NewMessage;

/// Said by the binding's service: which queue it is of.
const QUEUE_HEADER: &str = "x-queue";
const DELAY_HEADER: &str = "x-msg-delay-secs";
const FORMAT_HEADER: &str = "x-msg-fmt";
/// What workerd means when it says nothing.
const DEFAULT_FORMAT: &str = "v8";

#[derive(Deserialize)]
struct SentBatch {
    messages: Vec<SentMessage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SentMessage {
    body: String,
    content_type: Option<String>,
    delay_secs: Option<u32>,
}

pub(super) fn routes(queues: Queues) -> Router {
    Router::new()
        .route("/message", post(message))
        .route("/batch", post(batch))
        .route("/consumers/{queue}", put(consumer))
        .layer(from_fn_with_state(queues.clone(), authorized))
        .with_state(queues)
}

/// Pages of any site can post to this port; only the edge knows the token.
async fn authorized(State(queues): State<Queues>, request: Request, next: Next) -> Response {
    let expected = format!("Bearer {}", queues.token);
    match request.headers().get(header::AUTHORIZATION) {
        Some(found) if found.as_bytes() == expected.as_bytes() => next.run(request).await,
        _ => (StatusCode::UNAUTHORIZED, "unauthorized\n").into_response(),
    }
}

async fn consumer(
    State(queues): State<Queues>,
    Path(queue): Path<String>,
    Json(consumer): Json<QueueConsumer>,
) -> StatusCode {
    queues.deliver(queue, consumer);
    StatusCode::NO_CONTENT
}

async fn message(State(queues): State<Queues>, headers: HeaderMap, body: Bytes) -> Response {
    let message = NewMessage {
        format: text(&headers, FORMAT_HEADER)
            .unwrap_or(DEFAULT_FORMAT)
            .to_owned(),
        delay: delay(&headers).unwrap_or(0),
        body: BASE64_STANDARD.encode(body),
    };
    keep(&queues, &headers, vec![message]).await
}

async fn batch(
    State(queues): State<Queues>,
    headers: HeaderMap,
    Json(batch): Json<SentBatch>,
) -> Response {
    let delay = delay(&headers).unwrap_or(0);
    let message = |message: SentMessage| NewMessage {
        format: message
            .content_type
            .unwrap_or_else(|| DEFAULT_FORMAT.to_owned()),
        delay: message.delay_secs.unwrap_or(delay),
        body: message.body,
    };
    let messages = batch.messages.into_iter().map(message).collect();
    keep(&queues, &headers, messages).await
}

async fn keep(queues: &Queues, headers: &HeaderMap, messages: Vec<NewMessage>) -> Response {
    let Some(queue) = text(headers, QUEUE_HEADER) else {
        return (StatusCode::BAD_REQUEST, "no queue is named\n").into_response();
    };
    let sizes: Vec<_> = messages
        .iter()
        .map(|message| (bytes(&message.body), message.delay))
        .collect();
    if let Err(error) = limits::check(&sizes) {
        return (StatusCode::PAYLOAD_TOO_LARGE, format!("{error}\n")).into_response();
    }
    match queues.store.send(queue, messages).await {
        Ok(metrics) => Json(json!({"metadata": {"metrics": metrics}})).into_response(),
        // The log says why.
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "nothing was kept\n").into_response(),
    }
}

/// How many bytes a text in base64 stands for.
fn bytes(base64: &str) -> usize {
    let padding = base64
        .bytes()
        .rev()
        .take_while(|byte| *byte == b'=')
        .count();
    (base64.len() / 4 * 3).saturating_sub(padding)
}

fn delay(headers: &HeaderMap) -> Option<u32> {
    text(headers, DELAY_HEADER)?.parse().ok()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
