//! Events received, accepted and rejected, under the paths that users of Snowplow Micro know: `/micro/all`, `/micro/good`,
//! `/micro/bad`, `/micro/reset`.
//!
//! Both topics are followed from where they end when the stack starts. The newest events are kept, all are counted.

mod entry;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use serde::Deserialize;
use serde_json::{Value, json};

use super::broker::{DEAD_LETTER_TOPIC, PatientContext, TOPIC, client};
use entry::Entry;

/// Entries kept of each kind.
const MAX_ENTRIES: usize = 1_000;
/// Bytes of them, if they are large.
const MAX_BYTES: usize = 16 << 20;
const METADATA_TIMEOUT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(200);

/// Follows both topics until it is dropped.
pub struct Micro {
    seen: Arc<Seen>,
    ended: Arc<AtomicBool>,
}

#[derive(Default)]
struct Seen {
    good: Mutex<Recent>,
    bad: Mutex<Recent>,
}

/// The newest entries, newest first, and how many there were.
#[derive(Default)]
struct Recent {
    entries: VecDeque<String>,
    bytes: usize,
    total: u64,
}

#[derive(Deserialize)]
struct Limit {
    limit: Option<usize>,
}

impl Micro {
    /// Finds the ends of the topics and follows them from there.
    ///
    /// # Errors
    /// Returns an error if the broker does not answer.
    pub async fn start(bootstrap_servers: &str) -> Result<Self> {
        let bootstrap_servers = bootstrap_servers.to_owned();
        let consumer =
            tokio::task::spawn_blocking(move || consumer_at_the_ends(&bootstrap_servers)).await??;
        let micro = Self {
            seen: Arc::default(),
            ended: Arc::default(),
        };
        let (seen, ended) = (micro.seen.clone(), micro.ended.clone());
        thread::Builder::new()
            .name("micro".to_owned())
            .spawn(move || follow(&consumer, &seen, &ended))
            .context("cannot start a thread")?;
        Ok(micro)
    }

    /// The four routes.
    pub fn routes(&self) -> Router {
        Router::new()
            .route("/micro/all", get(all))
            .route("/micro/good", get(good))
            .route("/micro/bad", get(bad))
            .route("/micro/reset", get(reset).post(reset))
            .with_state(self.seen.clone())
    }
}

impl Drop for Micro {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

fn consumer_at_the_ends(bootstrap_servers: &str) -> Result<BaseConsumer<PatientContext>> {
    let consumer: BaseConsumer<_> = client(bootstrap_servers)
        .set("group.id", "shoptrail-micro")
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .set("queued.max.messages.kbytes", "8192")
        // A record ends the wait at once.
        .set("fetch.wait.max.ms", "10000")
        .create_with_context(PatientContext)
        .context("cannot make a consumer")?;
    let mut assignment = TopicPartitionList::new();
    for topic in [TOPIC, DEAD_LETTER_TOPIC] {
        let metadata = consumer.fetch_metadata(Some(topic), METADATA_TIMEOUT)?;
        for partition in metadata
            .topics()
            .iter()
            .flat_map(rdkafka::metadata::MetadataTopic::partitions)
        {
            assignment.add_partition_offset(
                topic,
                partition.id(),
                end_of(&consumer, topic, partition.id())?,
            )?;
        }
    }
    consumer.assign(&assignment)?;
    Ok(consumer)
}

/// The end of a partition; asks again while a partition that was just made has no leader yet.
fn end_of(consumer: &BaseConsumer<PatientContext>, topic: &str, partition: i32) -> Result<Offset> {
    let deadline = Instant::now() + METADATA_TIMEOUT;
    loop {
        match consumer.fetch_watermarks(topic, partition, METADATA_TIMEOUT) {
            Ok((_, end)) => return Ok(Offset::Offset(end)),
            Err(error) if Instant::now() > deadline => return Err(error.into()),
            Err(_) => thread::sleep(POLL),
        }
    }
}

fn follow(consumer: &BaseConsumer<PatientContext>, seen: &Seen, ended: &AtomicBool) {
    while !ended.load(Ordering::Relaxed) {
        match consumer.poll(POLL) {
            Some(Ok(message)) => seen.add(Entry::of(&message)),
            // The client reconnects by itself.
            Some(Err(error)) => tracing::debug!("following the topics: {error}"),
            None => {}
        }
    }
}

impl Seen {
    fn add(&self, entry: Entry) {
        match entry {
            Entry::Good(json) => locked(&self.good).add(json),
            Entry::Bad(json) => locked(&self.bad).add(json),
        }
    }

    fn counts(&self) -> Value {
        let (good, bad) = (locked(&self.good).total, locked(&self.bad).total);
        json!({"total": good + bad, "good": good, "bad": bad})
    }
}

impl Recent {
    fn add(&mut self, entry: String) {
        self.total += 1;
        self.bytes += entry.len();
        self.entries.push_front(entry);
        while self.entries.len() > MAX_ENTRIES || self.bytes > MAX_BYTES {
            let Some(oldest) = self.entries.pop_back() else {
                return;
            };
            self.bytes -= oldest.len();
        }
    }

    fn json(&self, limit: usize) -> String {
        let newest: Vec<&str> = self
            .entries
            .iter()
            .take(limit)
            .map(String::as_str)
            .collect();
        format!("[{}]", newest.join(","))
    }
}

fn locked(recent: &Mutex<Recent>) -> MutexGuard<'_, Recent> {
    recent.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn all(State(seen): State<Arc<Seen>>) -> Json<Value> {
    Json(seen.counts())
}

async fn good(State(seen): State<Arc<Seen>>, Query(Limit { limit }): Query<Limit>) -> Response {
    list(&seen.good, limit)
}

async fn bad(State(seen): State<Arc<Seen>>, Query(Limit { limit }): Query<Limit>) -> Response {
    list(&seen.bad, limit)
}

async fn reset(State(seen): State<Arc<Seen>>) -> Json<Value> {
    *locked(&seen.good) = Recent::default();
    *locked(&seen.bad) = Recent::default();
    Json(seen.counts())
}

fn list(recent: &Mutex<Recent>, limit: Option<usize>) -> Response {
    let json = locked(recent).json(limit.unwrap_or(MAX_ENTRIES));
    (
        [
            (CONTENT_TYPE, "application/json"),
            (CACHE_CONTROL, "no-store"),
        ],
        json,
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_entries_are_kept_and_all_are_counted() {
        let mut recent = Recent::default();
        for number in 0..MAX_ENTRIES + 5 {
            recent.add(number.to_string());
        }
        assert_eq!(recent.total, 1_005);
        assert_eq!(recent.entries.len(), MAX_ENTRIES);
        assert_eq!(recent.json(3), "[1004,1003,1002]");
    }

    #[test]
    fn large_entries_make_room_for_newer_ones() {
        let mut recent = Recent::default();
        for _ in 0..5 {
            recent.add("x".repeat(MAX_BYTES / 3));
        }
        assert_eq!((recent.total, recent.entries.len()), (5, 3));
    }
}
