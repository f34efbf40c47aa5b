//! Plays Cloudflare's HTTP pull API for one queue, as its documentation has it: leases that end, attempts that are counted,
//! bodies in base64, and its errors. Its clock is the test's.
//! <https://developers.cloudflare.com/queues/configuration/pull-consumers/>

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

pub const ACCOUNT: &str = "023e105f4ecef8ad9ca31a8372d0c353";
pub const QUEUE: &str = "7f2e105f4ecef8ad9ca31a8372d0c353";
pub const TOKEN: &str = "a-secret-token";

/// Cloudflare's largest batch, and its longest lease in milliseconds.
const MAX_BATCH: u64 = 100;
const MAX_LEASE_MS: u64 = 12 * 60 * 60 * 1_000;

/// The fake, which ends with its test.
pub struct FakePullApi {
    pub endpoint: String,
    queue: Arc<Mutex<FakeQueue>>,
}

#[derive(Default)]
pub struct FakeQueue {
    pub now_ms: u64,
    pub messages: Vec<FakeMessage>,
    /// How the next calls of an action end: `pull` or `ack`, status and code.
    pub refusals: VecDeque<(&'static str, StatusCode, i64)>,
    /// How long each pull takes, in milliseconds.
    pub pull_ms: u64,
    sent: usize,
    leases: usize,
}

pub struct FakeMessage {
    id: String,
    body: String,
    content_type: &'static str,
    pub attempts: u32,
    lease_ids: Vec<String>,
    leased_until_ms: u64,
}

impl FakePullApi {
    pub async fn start() -> Self {
        let queue = Arc::new(Mutex::new(FakeQueue::default()));
        let routes = Router::new()
            .route(
                "/client/v4/accounts/{account}/queues/{queue}/messages/{action}",
                post(call),
            )
            .with_state(Arc::clone(&queue));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async { axum::serve(listener, routes).await });
        Self {
            endpoint: format!("http://{address}/client/v4"),
            queue,
        }
    }

    pub fn queue(&self) -> MutexGuard<'_, FakeQueue> {
        self.queue.lock().unwrap()
    }
}

impl FakeQueue {
    /// Takes a message as a Worker sends it.
    pub fn send(&mut self, body: &str, content_type: &'static str) {
        self.sent += 1;
        self.messages.push(FakeMessage {
            id: format!("message-{}", self.sent),
            body: match content_type {
                "text" => body.to_owned(),
                _ => BASE64_STANDARD.encode(body),
            },
            content_type,
            attempts: 0,
            lease_ids: Vec::new(),
            leased_until_ms: 0,
        });
    }

    pub fn pull(&mut self, asked: &Value) -> Value {
        let size = asked["batch_size"].as_u64().unwrap_or(5).min(MAX_BATCH);
        let lease_ms = asked["visibility_timeout_ms"].as_u64().unwrap_or(30_000);
        let now_ms = self.now_ms;
        let free = self
            .messages
            .iter_mut()
            .filter(|message| message.leased_until_ms <= now_ms);
        let mut pulled = Vec::new();
        for message in free.take(usize::try_from(size).unwrap()) {
            self.leases += 1;
            let lease_id = format!("lease-{}", self.leases);
            message.leased_until_ms = now_ms + lease_ms.min(MAX_LEASE_MS);
            message.attempts += 1;
            message.lease_ids.push(lease_id.clone());
            pulled.push(json!({"id": message.id, "body": message.body, "attempts": message.attempts,
                "timestamp_ms": 1_795_392_000_500_i64, "lease_id": lease_id,
                "metadata": {"CF-sourceMessageSource": "worker", "CF-Content-Type": message.content_type}}));
        }
        self.now_ms += self.pull_ms;
        json!({"message_backlog_count": self.messages.len(), "messages": pulled})
    }

    /// A lease that is over is taken as well: Cloudflare says that it is permissive there.
    fn settle(&mut self, asked: &Value) -> Value {
        let is_among = |list: &str, message: &FakeMessage| {
            let mut leases = asked[list].as_array().into_iter().flatten();
            leases.any(|lease| {
                let id = lease["lease_id"].as_str().unwrap();
                message.lease_ids.iter().any(|known| known == id)
            })
        };
        let before = self.messages.len();
        self.messages.retain(|message| !is_among("acks", message));
        let mut retried = 0;
        for message in &mut self.messages {
            if is_among("retries", message) {
                message.leased_until_ms = 0;
                retried += 1;
            }
        }
        json!({"ackCount": before - self.messages.len(), "retryCount": retried, "warnings": {}})
    }
}

async fn call(
    State(queue): State<Arc<Mutex<FakeQueue>>>,
    Path((account, name, action)): Path<(String, String, String)>,
    headers: HeaderMap,
    Json(asked): Json<Value>,
) -> Response {
    let mut queue = queue.lock().unwrap();
    if headers[header::AUTHORIZATION] != format!("Bearer {TOKEN}") {
        return refusal(StatusCode::UNAUTHORIZED, 10_000);
    }
    if (account.as_str(), name.as_str()) != (ACCOUNT, QUEUE) {
        return refusal(StatusCode::NOT_FOUND, 10_104);
    }
    if let Some((_, status, code)) = queue
        .refusals
        .front()
        .copied()
        .filter(|next| next.0 == action)
    {
        queue.refusals.pop_front();
        return refusal(status, code);
    }
    let result = match action.as_str() {
        "pull" => queue.pull(&asked),
        "ack" => queue.settle(&asked),
        _ => return refusal(StatusCode::NOT_FOUND, 7_003),
    };
    Json(json!({"success": true, "errors": [], "messages": [], "result": result})).into_response()
}

fn refusal(status: StatusCode, code: i64) -> Response {
    let error = json!({"code": code, "message": "no"});
    let body = json!({"success": false, "errors": [error], "messages": [], "result": null});
    (status, [(header::RETRY_AFTER, "1")], Json(body)).into_response()
}
