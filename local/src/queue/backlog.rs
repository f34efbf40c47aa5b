//! The messages that wait: which there are, when they may be delivered, and what becomes of a delivery. No I/O.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::journal::{JournalEntry, Place};

/// Cloudflare's defaults and bounds of a consumer.
/// Source: Cloudflare's documentation, "Queues: Configuration" and "Queues: Limits".
const DEFAULT_BATCH_SIZE: usize = 10;
const MAX_BATCH_SIZE: usize = 100;
/// Of the messages of one batch. Cloudflare names no such limit; here the Worker answers browsers in the same thread, and a
/// full batch of the largest messages would keep it from them for seconds.
const MAX_DELIVERY_BYTES: u64 = 1_000_000;
const DEFAULT_BATCH_TIMEOUT: u32 = 5;
const MAX_BATCH_TIMEOUT: u32 = 60;
const DEFAULT_RETRIES: u32 = 3;
const MAX_RETRIES: u32 = 100;

/// Who takes the messages of a queue, in the words of `wrangler.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct QueueConsumer {
    /// Where batches are posted to.
    pub deliver_to: String,
    max_batch_size: Option<usize>,
    max_batch_timeout: Option<u32>,
    max_retries: Option<u32>,
    retry_delay: Option<u32>,
    dead_letter_queue: Option<String>,
}

impl QueueConsumer {
    fn batch_size(&self) -> usize {
        let size = self.max_batch_size.unwrap_or(DEFAULT_BATCH_SIZE);
        size.clamp(1, MAX_BATCH_SIZE)
    }

    fn batch_timeout_ms(&self) -> i64 {
        let seconds = self.max_batch_timeout.unwrap_or(DEFAULT_BATCH_TIMEOUT);
        i64::from(seconds.min(MAX_BATCH_TIMEOUT)) * 1_000
    }

    fn max_attempts(&self) -> u32 {
        self.max_retries.unwrap_or(DEFAULT_RETRIES).min(MAX_RETRIES) + 1
    }
}

/// A message that waits or is being delivered.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Its queue.
    pub queue: String,
    /// When it was taken.
    pub sent_at: i64,
    /// When it may be delivered.
    due: i64,
    /// Deliveries until now.
    pub attempts: u32,
    /// Where its body lies.
    pub place: Place,
}

/// What Cloudflare says of a queue whenever a message is sent.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BacklogMetrics {
    backlog_count: usize,
    backlog_bytes: u64,
    oldest_message_timestamp: i64,
}

/// What workerd says of a batch that the Worker was given.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HandlerResult {
    outcome: String,
    #[serde(default)]
    ack_all: bool,
    #[serde(default)]
    retry_batch: RetryBatch,
    #[serde(default)]
    explicit_acks: Vec<String>,
    #[serde(default)]
    retry_messages: Vec<RetryMessage>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RetryBatch {
    retry: bool,
    delay_seconds: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RetryMessage {
    msg_id: String,
    delay_seconds: Option<u32>,
}

impl Waiting {
    /// The entry it was sent with, in the queue where it is now.
    #[must_use]
    pub fn moved(&self, entry: JournalEntry) -> JournalEntry {
        match entry {
            JournalEntry::Sent {
                id,
                at,
                due,
                format,
                body,
                ..
            } => JournalEntry::Sent {
                id,
                queue: self.queue.clone(),
                at,
                due,
                format,
                body,
            },
            other => other,
        }
    }
}

impl HandlerResult {
    /// Stands for the answer of a Worker that gave none.
    #[must_use]
    pub fn exception() -> Self {
        Self {
            outcome: "exception".to_owned(),
            ..Self::default()
        }
    }
}

/// How a message is called outside.
#[must_use]
pub fn message_id(id: u64) -> String {
    format!("{id:032x}")
}

/// All messages of all queues.
#[derive(Debug, Default)]
pub struct Backlog {
    messages: BTreeMap<u64, Waiting>,
    queues: BTreeMap<String, QueueState>,
}

#[derive(Debug, Default)]
struct QueueState {
    ids: BTreeSet<u64>,
    /// Those that are not being delivered, the next first.
    ready: BTreeSet<(i64, u64)>,
    bytes: u64,
}

impl Backlog {
    /// Changes as an entry says. `place` is where it lies, which matters for messages alone.
    pub fn apply(&mut self, place: Place, entry: JournalEntry) {
        match entry {
            JournalEntry::Sent {
                id, queue, at, due, ..
            } => {
                let message = Waiting {
                    queue,
                    sent_at: at,
                    due,
                    attempts: 0,
                    place,
                };
                self.wait(id, message);
            }
            JournalEntry::Failed { id, attempts, due } => {
                if let Some(message) = self.forget(id) {
                    self.wait(
                        id,
                        Waiting {
                            attempts,
                            due,
                            ..message
                        },
                    );
                }
            }
            JournalEntry::Moved { id, queue } => {
                if let Some(message) = self.forget(id) {
                    self.wait(
                        id,
                        Waiting {
                            queue,
                            attempts: 0,
                            ..message
                        },
                    );
                }
            }
            JournalEntry::Done { ids } => {
                for id in ids {
                    self.forget(id);
                }
            }
        }
    }

    fn wait(&mut self, id: u64, message: Waiting) {
        let queue = self.queues.entry(message.queue.clone()).or_default();
        queue.ids.insert(id);
        queue.ready.insert((message.due, id));
        queue.bytes += message.place.bytes();
        self.messages.insert(id, message);
    }

    fn forget(&mut self, id: u64) -> Option<Waiting> {
        let message = self.messages.remove(&id)?;
        if let Some(queue) = self.queues.get_mut(&message.queue) {
            queue.ids.remove(&id);
            queue.ready.remove(&(message.due, id));
            queue.bytes = queue.bytes.saturating_sub(message.place.bytes());
        }
        Some(message)
    }

    /// When the next batch of a queue goes out, if nothing else is sent before: as soon as it is full, or when its first
    /// message has waited for others.
    #[must_use]
    pub fn next_delivery(&self, queue: &str, consumer: &QueueConsumer) -> Option<i64> {
        let ready = &self.queues.get(queue)?.ready;
        let (first, _) = ready.first()?;
        let waited = first + consumer.batch_timeout_ms();
        let full = ready.iter().nth(consumer.batch_size() - 1);
        Some(full.map_or(waited, |(due, _)| waited.min(*due)))
    }

    /// Takes the next batch for delivery: none of it is ready until it is settled or released.
    pub fn take(&mut self, queue: &str, consumer: &QueueConsumer, now: i64) -> Vec<u64> {
        let Some(QueueState { ready, .. }) = self.queues.get_mut(queue) else {
            return Vec::new();
        };
        let mut bytes = 0;
        let mut fits = |id: &u64| {
            let message = self.messages.get(id);
            bytes += message.map_or(0, |message| message.place.bytes());
            bytes <= MAX_DELIVERY_BYTES
        };
        let due: Vec<(i64, u64)> = ready
            .iter()
            .take_while(|(due, _)| *due <= now)
            .take(consumer.batch_size())
            .enumerate()
            .take_while(|(index, (_, id))| fits(id) || *index == 0)
            .map(|(_, one)| *one)
            .collect();
        for one in &due {
            ready.remove(one);
        }
        due.into_iter().map(|(_, id)| id).collect()
    }

    /// Makes messages ready again that were taken and not delivered.
    pub fn release(&mut self, ids: &[u64]) {
        for id in ids {
            if let Some(message) = self.messages.get(id)
                && let Some(queue) = self.queues.get_mut(&message.queue)
            {
                queue.ready.insert((message.due, *id));
            }
        }
    }

    /// A message that waits.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<&Waiting> {
        self.messages.get(&id)
    }

    /// Every message, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Waiting)> {
        self.messages.iter().map(|(id, message)| (*id, message))
    }

    /// Bytes of the journal that hold messages.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.queues.values().map(|queue| queue.bytes).sum()
    }

    /// The entries that say of deliveries what a journal with the messages alone would not.
    pub fn deliveries(&self) -> impl Iterator<Item = JournalEntry> {
        let failed = self.messages.iter().filter(|(_, one)| one.attempts > 0);
        failed.map(|(id, message)| JournalEntry::Failed {
            id: *id,
            attempts: message.attempts,
            due: message.due,
        })
    }

    /// Says where messages lie after the journal was rewritten, in the order of [`Backlog::iter`].
    pub fn relocate(&mut self, places: impl IntoIterator<Item = Place>) {
        for (message, place) in self.messages.values_mut().zip(places) {
            if let Some(queue) = self.queues.get_mut(&message.queue) {
                queue.bytes = queue.bytes - message.place.bytes() + place.bytes();
            }
            message.place = place;
        }
    }

    /// Whether a message of the queue is due or being delivered.
    #[must_use]
    pub fn is_busy(&self, queue: &str, now: i64) -> bool {
        self.queues.get(queue).is_some_and(|queue| {
            queue.ids.len() > queue.ready.len()
                || queue.ready.first().is_some_and(|(due, _)| *due <= now)
        })
    }

    /// What is said of a queue.
    #[must_use]
    pub fn metrics(&self, queue: &str) -> BacklogMetrics {
        let Some(queue) = self.queues.get(queue) else {
            return BacklogMetrics::default();
        };
        let oldest = queue.ids.first().and_then(|id| self.messages.get(id));
        BacklogMetrics {
            backlog_count: queue.ids.len(),
            backlog_bytes: queue.bytes,
            oldest_message_timestamp: oldest.map_or(0, |message| message.sent_at),
        }
    }

    /// What becomes of a batch that was delivered: entries for the journal.
    #[must_use]
    pub fn settle(
        &self,
        batch: &[u64],
        result: &HandlerResult,
        consumer: &QueueConsumer,
        now: i64,
    ) -> Vec<JournalEntry> {
        let mut done = Vec::new();
        let mut entries = Vec::new();
        for id in batch {
            let Some(message) = self.get(*id) else {
                continue;
            };
            let attempts = message.attempts.saturating_add(1);
            match result.delay(&message_id(*id)) {
                None => done.push(*id),
                Some(_) if attempts >= consumer.max_attempts() => {
                    match &consumer.dead_letter_queue {
                        Some(queue) => entries.push(JournalEntry::Moved {
                            id: *id,
                            queue: queue.clone(),
                        }),
                        None => done.push(*id),
                    }
                }
                Some(seconds) => {
                    let seconds = seconds.or(consumer.retry_delay).unwrap_or(0);
                    entries.push(JournalEntry::Failed {
                        id: *id,
                        attempts,
                        due: now + i64::from(seconds) * 1_000,
                    });
                }
            }
        }
        if !done.is_empty() {
            entries.push(JournalEntry::Done { ids: done });
        }
        entries
    }
}

impl HandlerResult {
    /// For a message that comes again: the delay that the Worker asked for, if it did.
    fn delay(&self, id: &str) -> Option<Option<u32>> {
        let asked = self.retry_messages.iter().find(|one| one.msg_id == id);
        if let Some(asked) = asked {
            return Some(asked.delay_seconds.or(self.retry_batch.delay_seconds));
        }
        let fails = self.retry_batch.retry || (self.outcome != "ok" && !self.ack_all);
        let acknowledged = self.explicit_acks.iter().any(|one| one == id);
        (fails && !acknowledged).then_some(self.retry_batch.delay_seconds)
    }
}

#[cfg(test)]
mod tests;
