//! The journal and the backlog together: one thread owns both, so that the messages of many calls share one write to the
//! disk.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use anyhow::{Context, Result};
use tokio::sync::{Notify, oneshot};

use super::backlog::{Backlog, BacklogMetrics, HandlerResult, QueueConsumer, Waiting, message_id};
use super::journal::{Journal, JournalEntry, JournalError, Place};

/// Below this the journal is left as it is.
const SMALL_JOURNAL: u64 = 1 << 20;
/// An empty journal is shortened at once; one that still holds messages is rewritten when this much of it is not needed.
const WASTE: u64 = 64 << 20;
/// Calls whose messages are written together.
const MAX_CALLS: usize = 256;

/// A message as it was sent.
#[derive(Debug)]
pub struct NewMessage {
    /// `text`, `json`, `bytes` or `v8`.
    pub format: String,
    /// In base64.
    pub body: String,
    /// Seconds until it may be delivered.
    pub delay: u32,
}

/// A message as it is delivered.
#[derive(Debug, serde::Serialize)]
pub struct QueuedMessage {
    id: String,
    timestamp: i64,
    attempts: u32,
    format: String,
    body: String,
}

/// Messages that were taken for one delivery.
#[derive(Debug)]
pub struct TakenBatch {
    ids: Vec<u64>,
    /// The messages.
    pub messages: Vec<QueuedMessage>,
}

enum StoreOrder {
    Send(SendOrder),
    Take(
        String,
        QueueConsumer,
        oneshot::Sender<Result<Option<TakenBatch>, JournalError>>,
    ),
    Settle(TakenBatch, HandlerResult, QueueConsumer),
    Release(TakenBatch),
    Next(String, QueueConsumer, oneshot::Sender<Option<i64>>),
    Busy(String, oneshot::Sender<bool>),
}

impl StoreOrder {
    /// Whether it changes what waits, other than by taking some of it.
    fn changes(&self) -> bool {
        matches!(self, Self::Send(_) | Self::Settle(..) | Self::Release(_))
    }
}

struct SendOrder {
    queue: String,
    messages: Vec<NewMessage>,
    done: oneshot::Sender<Result<BacklogMetrics, Arc<JournalError>>>,
}

/// The way to the thread. It ends when the last of these is gone.
#[derive(Clone, Debug)]
pub struct Store {
    orders: Sender<StoreOrder>,
    /// Told of whatever may bring the next delivery nearer.
    pub changed: Arc<Notify>,
}

impl Store {
    /// Opens the journal and starts the thread.
    ///
    /// # Errors
    /// Returns an error if the journal cannot be read or written.
    pub fn open(path: PathBuf) -> Result<Self> {
        let mut backlog = Backlog::default();
        let journal = Journal::open(path, |place, entry| backlog.apply(place, entry))?;
        let kept = backlog.iter().count();
        if kept > 0 {
            tracing::info!(
                messages = kept,
                "the local queue kept what the last run did not hand over"
            );
        }
        let last = backlog.iter().last().map_or(0, |(id, _)| id);
        let (orders, receiver) = channel();
        let changed = Arc::new(Notify::new());
        let mut owner = Owner {
            journal,
            backlog,
            last_id: last.max(u64::try_from(now_ms()).unwrap_or(0) << 16),
            refuses: false,
            changed: changed.clone(),
        };
        thread::Builder::new()
            .name("queue".to_owned())
            .spawn(move || owner.run(&receiver))
            .context("cannot start a thread")?;
        Ok(Self { orders, changed })
    }

    /// Keeps messages and returns when they are on the disk.
    ///
    /// # Errors
    /// Returns an error if the disk does not take them: none of them is kept then.
    pub async fn send(
        &self,
        queue: &str,
        messages: Vec<NewMessage>,
    ) -> Result<BacklogMetrics, Arc<JournalError>> {
        let queue = queue.to_owned();
        self.ask(|done| {
            StoreOrder::Send(SendOrder {
                queue,
                messages,
                done,
            })
        })
        .await
    }

    /// Takes the next batch that is due.
    ///
    /// # Errors
    /// Returns an error if the journal cannot be read.
    pub async fn take(
        &self,
        queue: &str,
        consumer: &QueueConsumer,
    ) -> Result<Option<TakenBatch>, JournalError> {
        self.ask(|done| StoreOrder::Take(queue.to_owned(), consumer.clone(), done))
            .await
    }

    /// Does with the messages of a batch what the Worker said.
    pub fn settle(&self, batch: TakenBatch, result: HandlerResult, consumer: &QueueConsumer) {
        self.order(StoreOrder::Settle(batch, result, consumer.clone()));
    }

    /// Takes back messages that the Worker never got.
    pub fn release(&self, batch: TakenBatch) {
        self.order(StoreOrder::Release(batch));
    }

    /// When the next batch is due, in milliseconds.
    pub async fn next_delivery(&self, queue: &str, consumer: &QueueConsumer) -> Option<i64> {
        self.ask(|done| StoreOrder::Next(queue.to_owned(), consumer.clone(), done))
            .await
    }

    /// Whether a message is due or being delivered.
    pub async fn is_busy(&self, queue: &str) -> bool {
        self.ask(|done| StoreOrder::Busy(queue.to_owned(), done))
            .await
    }

    fn order(&self, order: StoreOrder) {
        self.orders
            .send(order)
            .expect("the thread lives as long as there are handles");
    }

    async fn ask<T>(&self, order: impl FnOnce(oneshot::Sender<T>) -> StoreOrder) -> T {
        let (done, answer) = oneshot::channel();
        self.order(order(done));
        answer.await.expect("the thread answers every order")
    }
}

/// Milliseconds since the epoch.
#[must_use]
pub fn now_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

struct Owner {
    journal: Journal,
    backlog: Backlog,
    last_id: u64,
    /// Whether the disk took nothing the last time; said once.
    refuses: bool,
    changed: Arc<Notify>,
}

impl Owner {
    fn run(&mut self, orders: &Receiver<StoreOrder>) {
        while let Ok(first) = orders.recv() {
            let mut sends = Vec::new();
            let mut changes = false;
            for order in std::iter::once(first).chain(orders.try_iter().take(MAX_CALLS)) {
                changes |= order.changes();
                match order {
                    StoreOrder::Send(send) => sends.push(send),
                    other => self.obey(other),
                }
            }
            if !sends.is_empty() {
                self.send_all(sends);
            }
            if changes {
                self.tidy();
                self.changed.notify_waiters();
            }
        }
    }

    fn obey(&mut self, order: StoreOrder) {
        // Whoever asked may be gone.
        match order {
            StoreOrder::Send(send) => self.send_all(vec![send]),
            StoreOrder::Take(queue, consumer, done) => {
                let _ = done.send(self.take(&queue, &consumer));
            }
            StoreOrder::Settle(batch, result, consumer) => self.settle(&batch, &result, &consumer),
            StoreOrder::Release(batch) => self.backlog.release(&batch.ids),
            StoreOrder::Next(queue, consumer, done) => {
                let _ = done.send(self.backlog.next_delivery(&queue, &consumer));
            }
            StoreOrder::Busy(queue, done) => {
                let _ = done.send(self.backlog.is_busy(&queue, now_ms()));
            }
        }
    }

    /// One write for all; if there is no room for all, each call is tried alone.
    fn send_all(&mut self, sends: Vec<SendOrder>) {
        let entries: Vec<Vec<JournalEntry>> = sends.iter().map(|send| self.entries(send)).collect();
        let together = self.keep(entries.concat());
        for (send, entries) in sends.into_iter().zip(entries) {
            let kept = match &together {
                Ok(()) => Ok(()),
                Err(_) => self.keep(entries),
            };
            self.report(kept.as_ref().err());
            let metrics = kept
                .map(|()| self.backlog.metrics(&send.queue))
                .map_err(Arc::new);
            let _ = send.done.send(metrics);
        }
    }

    fn entries(&mut self, send: &SendOrder) -> Vec<JournalEntry> {
        let now = now_ms();
        let entry = |message: &NewMessage| {
            self.last_id += 1;
            JournalEntry::Sent {
                id: self.last_id,
                queue: send.queue.clone(),
                at: now,
                due: now + i64::from(message.delay) * 1_000,
                format: message.format.clone(),
                body: message.body.clone(),
            }
        };
        send.messages.iter().map(entry).collect()
    }

    fn keep(&mut self, entries: Vec<JournalEntry>) -> Result<(), JournalError> {
        let places = self.journal.append(&entries)?;
        for (place, entry) in places.into_iter().zip(entries) {
            self.backlog.apply(place, entry);
        }
        Ok(())
    }

    /// Says when the disk begins to refuse, and when it takes messages again.
    fn report(&mut self, error: Option<&JournalError>) {
        match error {
            Some(error) if !self.refuses => {
                tracing::error!(
                    "the local queue takes nothing: {error}\nhint: make room on the disk; until then the edge answers 503 and clients keep their events"
                );
            }
            None if self.refuses => tracing::info!("the local queue takes messages again"),
            _ => {}
        }
        self.refuses = error.is_some();
    }

    fn take(
        &mut self,
        queue: &str,
        consumer: &QueueConsumer,
    ) -> Result<Option<TakenBatch>, JournalError> {
        let ids = self.backlog.take(queue, consumer, now_ms());
        if ids.is_empty() {
            return Ok(None);
        }
        match ids.iter().map(|id| self.message(*id)).collect() {
            Ok(messages) => Ok(Some(TakenBatch { ids, messages })),
            Err(error) => {
                self.backlog.release(&ids);
                Err(error)
            }
        }
    }

    fn message(&self, id: u64) -> Result<QueuedMessage, JournalError> {
        let waiting = self
            .backlog
            .get(id)
            .expect("what was just taken is in the backlog");
        match self.journal.read(waiting.place)? {
            JournalEntry::Sent { format, body, .. } => Ok(QueuedMessage {
                id: message_id(id),
                timestamp: waiting.sent_at,
                attempts: waiting.attempts + 1,
                format,
                body,
            }),
            _ => unreachable!("a message lies where it was sent"),
        }
    }

    /// What cannot be written is true until the next start: messages then come twice, which delivery at least once allows.
    fn settle(&mut self, batch: &TakenBatch, result: &HandlerResult, consumer: &QueueConsumer) {
        let entries = self.backlog.settle(&batch.ids, result, consumer, now_ms());
        for entry in &entries {
            if let JournalEntry::Moved { id, queue } = entry {
                let id = message_id(*id);
                tracing::error!(
                    message.id = id,
                    dead_letter_queue = queue,
                    "a message of the local queue has used up its attempts"
                );
            }
        }
        if let Err(error) = self.journal.append(&entries) {
            self.report(Some(&error));
        }
        for entry in entries {
            self.backlog.apply(Place::default(), entry);
        }
    }

    /// Keeps the journal from growing.
    fn tidy(&mut self) {
        let needed: u64 = self.backlog.bytes();
        let waste = self.journal.length().saturating_sub(needed);
        let is_wasteful = if needed == 0 {
            waste > SMALL_JOURNAL
        } else {
            waste > WASTE.max(needed)
        };
        if !is_wasteful {
            return;
        }
        if let Err(error) = self.rewrite() {
            self.report(Some(&error));
        }
    }

    fn rewrite(&mut self) -> Result<(), JournalError> {
        let message = |(_, message): (u64, &Waiting)| {
            let sent = self.journal.read(message.place)?;
            Ok(message.moved(sent))
        };
        let messages = self.backlog.iter().map(message);
        let deliveries = self.backlog.deliveries().map(Ok);
        let (journal, places) = self.journal.rewritten(messages.chain(deliveries))?;
        self.journal = journal;
        self.backlog.relocate(places);
        Ok(())
    }
}
