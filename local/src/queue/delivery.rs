//! Brings the messages of one queue to the Worker, batch after batch.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tokio::sync::watch;

use super::backlog::{HandlerResult, QueueConsumer};
use super::store::{Store, TakenBatch, now_ms};

/// How long Cloudflare lets a consumer work on a batch.
const PATIENCE: Duration = Duration::from_mins(15);
/// After a Worker was not there, or the journal could not be read.
const PAUSE: Duration = Duration::from_millis(500);

/// Delivers until it is dropped.
pub(super) async fn deliver(
    queue: String,
    mut consumers: watch::Receiver<QueueConsumer>,
    store: Store,
    token: String,
) {
    let client = reqwest::Client::new();
    loop {
        let consumer = consumers.borrow_and_update().clone();
        tokio::select! {
            () = until_due(&queue, &consumer, &store) => {}
            // A Worker that was started again listens elsewhere.
            changed = consumers.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
        }
        match store.take(&queue, &consumer).await {
            Ok(Some(batch)) => deliver_one(&queue, &consumer, &store, &client, &token, batch).await,
            Ok(None) => {}
            Err(error) => {
                tracing::error!("the local queue cannot be read: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn until_due(queue: &str, consumer: &QueueConsumer, store: &Store) {
    loop {
        // Registered before the question, so that no change between it and the wait is missed.
        let changed = store.changed.notified();
        tokio::pin!(changed);
        changed.as_mut().enable();
        let next = store.next_delivery(queue, consumer).await;
        let wait = next.map(|next| u64::try_from(next - now_ms()).unwrap_or(0));
        match wait {
            Some(0) => return,
            Some(milliseconds) => {
                let _ = tokio::time::timeout(Duration::from_millis(milliseconds), changed).await;
            }
            None => changed.await,
        }
    }
}

async fn deliver_one(
    queue: &str,
    consumer: &QueueConsumer,
    store: &Store,
    client: &reqwest::Client,
    token: &str,
    batch: TakenBatch,
) {
    let request = client
        .post(&consumer.deliver_to)
        .bearer_auth(token)
        .timeout(PATIENCE)
        .json(&json!({"queue": queue, "messages": batch.messages}));
    match request.send().await {
        // It is being started again: that is no attempt.
        Err(error) if error.is_connect() => {
            store.release(batch);
            tokio::time::sleep(PAUSE).await;
        }
        answer => {
            let result = result(answer).await.unwrap_or_else(|error| {
                tracing::warn!("the Worker's queue handler failed: {error:#}");
                HandlerResult::exception()
            });
            store.settle(batch, result, consumer);
        }
    }
}

async fn result(answer: reqwest::Result<reqwest::Response>) -> Result<HandlerResult> {
    let answer = answer.context("the connection ended")?;
    let status = answer.status();
    ensure!(status.is_success(), "status {status}");
    answer.json().await.context("an answer of another form")
}
