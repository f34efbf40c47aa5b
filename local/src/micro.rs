//! Events received, accepted and rejected, under the paths that users of Snowplow Micro know: `/micro/all`, `/micro/good`,
//! `/micro/bad`, `/micro/reset`.
//!
//! Both topics are followed from where they end when the stack starts. The newest events are kept, all are counted. Which are
//! listed is said by parameters of `GET`, or by the body of `POST`; `/micro/changes` tells of new ones as server-sent events.
//! Requests that the edge turned away as a whole are counted at `/micro/refusals`.

mod entry;
mod filter;
mod refusals;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::sse::{Event, KeepAlive};
use axum::response::{IntoResponse, Response, Sse};
use axum::routing::get;
use axum::{Json, Router};
use futures_util::stream::{self, Stream};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::broker::{DEAD_LETTER_TOPIC, PatientContext, TOPIC, client};
use entry::Entry;
use filter::{EntryFilter, EntryFormat};
use refusals::{Refusal, Refusals, ToldRefusal};

/// Entries kept of each kind.
const MAX_ENTRIES: usize = 1_000;
/// Bytes of them, if they are large.
const MAX_BYTES: usize = 16 << 20;
const METADATA_TIMEOUT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(200);
/// A page that is told of every single event of a busy shop has no time to show them.
const TELL_EVERY: Duration = Duration::from_millis(300);
/// How many entries a filter leaves, on all pages together.
const MATCHED: HeaderName = HeaderName::from_static("x-matched");

/// Follows both topics until it is dropped.
pub struct Micro {
    seen: Arc<Seen>,
    ended: Arc<AtomicBool>,
}

#[derive(Default)]
struct Seen {
    good: Mutex<Recent>,
    bad: Mutex<Recent>,
    refusals: Mutex<Refusals>,
    /// Changes with every entry.
    changes: watch::Sender<u64>,
}

/// The newest entries, newest first, and how many there were.
#[derive(Default)]
struct Recent {
    entries: VecDeque<Entry>,
    bytes: usize,
    total: u64,
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

    /// Its routes.
    pub fn routes(&self) -> Router {
        Router::new()
            .route("/micro/all", get(all).post(all))
            .route("/micro/good", get(good).post(good_by_body))
            .route("/micro/bad", get(bad).post(bad_by_body))
            .route("/micro/refusals", get(refusals).post(refused_at_the_edge))
            .route("/micro/changes", get(changes))
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
        let recent = if entry.is_good { &self.good } else { &self.bad };
        locked(recent).add(entry);
        self.tell();
    }

    fn tell(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    fn counts(&self) -> Value {
        let (good, bad) = (locked(&self.good).total, locked(&self.bad).total);
        let refused = locked(&self.refusals).total();
        json!({"total": good + bad, "good": good, "bad": bad, "refused_requests": refused})
    }
}

impl Recent {
    fn add(&mut self, entry: Entry) {
        self.total += 1;
        self.bytes += entry.json.len();
        self.entries.push_front(entry);
        while self.entries.len() > MAX_ENTRIES || self.bytes > MAX_BYTES {
            let Some(oldest) = self.entries.pop_back() else {
                return;
            };
            self.bytes -= oldest.json.len();
        }
    }
}

fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn all(State(seen): State<Arc<Seen>>) -> Json<Value> {
    Json(seen.counts())
}

type Asked = Result<Query<EntryFilter>, QueryRejection>;
type AskedByBody = Result<Json<EntryFilter>, JsonRejection>;

async fn good(State(seen): State<Arc<Seen>>, asked: Asked) -> Response {
    by_query(&seen.good, asked)
}

async fn bad(State(seen): State<Arc<Seen>>, asked: Asked) -> Response {
    by_query(&seen.bad, asked)
}

async fn good_by_body(State(seen): State<Arc<Seen>>, asked: AskedByBody) -> Response {
    by_body(&seen.good, asked)
}

async fn bad_by_body(State(seen): State<Arc<Seen>>, asked: AskedByBody) -> Response {
    by_body(&seen.bad, asked)
}

async fn refusals(State(seen): State<Arc<Seen>>) -> Json<Vec<Refusal>> {
    Json(locked(&seen.refusals).list())
}

/// The edge's front tells of a request that was turned away.
async fn refused_at_the_edge(
    State(seen): State<Arc<Seen>>,
    told: Result<Json<ToldRefusal>, JsonRejection>,
) -> Response {
    match told {
        Ok(Json(told)) => {
            locked(&seen.refusals).add(told);
            seen.tell();
            StatusCode::NO_CONTENT.into_response()
        }
        Err(rejection) => refused(&rejection.body_text()),
    }
}

async fn reset(State(seen): State<Arc<Seen>>) -> Json<Value> {
    *locked(&seen.good) = Recent::default();
    *locked(&seen.bad) = Recent::default();
    *locked(&seen.refusals) = Refusals::default();
    seen.tell();
    Json(seen.counts())
}

/// The counts at once and whenever they changed.
async fn changes(
    State(seen): State<Arc<Seen>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>> + Send> {
    let mut news = seen.changes.subscribe();
    news.mark_changed();
    let counts = stream::unfold((seen, news), async |(seen, mut news)| {
        // The sender is in `seen`: it does not go away.
        news.changed().await.ok()?;
        let event = Event::default().event("counts").json_data(seen.counts());
        tokio::time::sleep(TELL_EVERY).await;
        Some((Ok(event.ok()?), (seen, news)))
    });
    Sse::new(counts).keep_alive(KeepAlive::default())
}

fn by_query(recent: &Mutex<Recent>, asked: Asked) -> Response {
    match asked {
        Ok(Query(filter)) => list(recent, &filter),
        Err(rejection) => refused(&rejection.body_text()),
    }
}

fn by_body(recent: &Mutex<Recent>, asked: AskedByBody) -> Response {
    match asked {
        Ok(Json(filter)) => list(recent, &filter),
        Err(rejection) => refused(&rejection.body_text()),
    }
}

fn refused(reason: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"error": reason}))).into_response()
}

fn list(recent: &Mutex<Recent>, filter: &EntryFilter) -> Response {
    let recent = locked(recent);
    let found = filter.of(recent.entries.iter());
    let matched = HeaderValue::from(found.matched);
    let (kind, text) = match filter.format {
        EntryFormat::Json => ("application/json", format!("[{}]", found.page.join(","))),
        EntryFormat::Jsonl => (
            "application/jsonl",
            found.page.iter().flat_map(|json| [*json, "\n"]).collect(),
        ),
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (MATCHED, matched),
    ];
    match filter.format {
        EntryFormat::Json => (headers, text).into_response(),
        EntryFormat::Jsonl => {
            let file = "attachment; filename=\"events.jsonl\"";
            (headers, [(CONTENT_DISPOSITION, file)], text).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(json: String) -> Entry {
        Entry {
            is_good: true,
            json,
            labels: entry::Labels::default(),
        }
    }

    #[test]
    fn newest_entries_are_kept_and_all_are_counted() {
        let mut recent = Recent::default();
        for number in 0..MAX_ENTRIES + 5 {
            recent.add(entry(number.to_string()));
        }
        assert_eq!(recent.total, 1_005);
        assert_eq!(recent.entries.len(), MAX_ENTRIES);
        let newest = EntryFilter {
            limit: Some(3),
            ..EntryFilter::default()
        };
        let found = newest.of(recent.entries.iter());
        assert_eq!(found.page, ["1004", "1003", "1002"]);
    }

    #[test]
    fn large_entries_make_room_for_newer_ones() {
        let mut recent = Recent::default();
        for _ in 0..5 {
            recent.add(entry("x".repeat(MAX_BYTES / 3)));
        }
        assert_eq!((recent.total, recent.entries.len()), (5, 3));
    }
}
