//! Cloudflare Queues on one laptop: a small fake that keeps every message on the disk before it says that it has it.
//!
//! workerd's own bindings send to it, and the Worker's queue handler gets its batches, by the settings of `wrangler.toml`
//! and within Cloudflare's documented [`limits`]: sizes, attempts, delays, batches that wait for company, the dead letter
//! queue. What it does not do: more than one delivery of a queue at a time, and forgetting messages after four days.
//!
//! [`journal`] is the file, [`backlog`] what waits, [`store`] both together.

mod backlog;
mod delivery;
mod journal;
mod limits;
mod service;
mod store;

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use self::backlog::QueueConsumer;
use self::store::Store;
use super::identity::random_text;

const JOURNAL: &str = "queues.journal";
const TOKEN_LENGTH: usize = 48;

/// The queues of a stack. Clones are the same queues; they end with [`QueueServer`].
#[derive(Clone)]
struct Queues {
    store: Store,
    token: String,
    consumers: Arc<Mutex<HashMap<String, Subscription>>>,
}

struct Subscription {
    consumer: watch::Sender<QueueConsumer>,
    task: AbortHandle,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The running server. Dropping it ends deliveries and closes the port.
pub struct QueueServer {
    /// Where it answers.
    pub url: String,
    /// What its clients have to say.
    pub token: String,
    queues: Queues,
    task: AbortHandle,
}

impl QueueServer {
    /// Opens the journal in `dir` and answers on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// Returns an error if the journal cannot be read or written.
    pub async fn start(dir: &Path) -> Result<Self> {
        std::fs::create_dir_all(dir)
            .with_context(|| format!("cannot create `{}`", dir.display()))?;
        let path = dir.join(JOURNAL);
        let store = tokio::task::spawn_blocking(|| Store::open(path)).await??;
        let token = random_text(TOKEN_LENGTH);
        let queues = Queues {
            store,
            token: token.clone(),
            consumers: Arc::default(),
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("no free port on 127.0.0.1")?;
        let url = format!("http://{}", listener.local_addr()?);
        let routes = service::routes(queues.clone());
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, routes).await {
                tracing::error!("the local queue's server ended: {error}");
            }
        });
        Ok(Self {
            url,
            token,
            queues,
            task: task.abort_handle(),
        })
    }

    /// Waits until nothing is due or being delivered, at most for `patience`; what is left then is on the disk. Messages
    /// that wait for another attempt do not count.
    pub async fn until_delivered(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        while self.is_busy().await {
            let changed = self.queues.store.changed.notified();
            // Messages also become due by themselves: look again after a moment.
            let look = (Instant::now() + LOOK).min(deadline);
            let _ = tokio::time::timeout_at(look, changed).await;
            if Instant::now() >= deadline {
                return;
            }
        }
    }

    async fn is_busy(&self) -> bool {
        let names: Vec<String> = self.queues.locked(|all| all.keys().cloned().collect());
        for queue in names {
            if self.queues.store.is_busy(&queue).await {
                return true;
            }
        }
        false
    }
}

const LOOK: Duration = Duration::from_millis(50);

impl Drop for QueueServer {
    fn drop(&mut self) {
        self.task.abort();
        self.queues.locked(HashMap::clear);
    }
}

impl Queues {
    /// From now on `consumer` gets the messages of `queue`.
    fn deliver(&self, queue: String, consumer: QueueConsumer) {
        self.locked(|all| {
            if let Some(subscription) = all.get(&queue) {
                subscription.consumer.send_replace(consumer);
                return;
            }
            let (sender, receiver) = watch::channel(consumer);
            let (store, token) = (self.store.clone(), self.token.clone());
            let task = tokio::spawn(delivery::deliver(queue.clone(), receiver, store, token));
            let subscription = Subscription {
                consumer: sender,
                task: task.abort_handle(),
            };
            all.insert(queue, subscription);
        });
    }

    fn locked<T>(&self, work: impl FnOnce(&mut HashMap<String, Subscription>) -> T) -> T {
        work(
            &mut self
                .consumers
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}
