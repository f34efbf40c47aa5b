//! `stack.json`: where the parts of a running stack answer and which processes they are, for people, tests and scripts.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;
use tokio::task::JoinHandle;

use super::children::Pids;
use super::identity::write_private;

/// Addresses of a running stack. No secret is among them.
#[derive(Clone, Debug, Serialize)]
pub struct Addresses {
    /// The demo shop.
    pub shop: String,
    /// The dashboard.
    pub dashboard: String,
    /// What came in, good and bad.
    pub micro: String,
    /// The edge: `/t.js`, `/b`.
    pub edge: String,
    /// REST API (`/kafka/v3`) and Schema Registry (`/subjects`).
    pub confluent: String,
    /// `bootstrap.servers` of the broker.
    pub kafka: String,
    /// The write key that the edge knows.
    pub write_key: String,
}

#[derive(Serialize)]
struct Content<'a> {
    #[serde(flatten)]
    addresses: &'a Addresses,
    pids: BTreeMap<&'static str, u32>,
}

/// The file while the stack runs. Dropping it removes it.
pub struct StackFile {
    path: PathBuf,
    follower: JoinHandle<()>,
}

impl StackFile {
    /// Writes the file and keeps its process ids current.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn publish(path: PathBuf, addresses: Addresses, pids: &Pids) -> Result<Self> {
        let mut pids = pids.subscribe();
        write(&path, &addresses, pids.borrow_and_update().clone())?;
        let followed = path.clone();
        let follower = tokio::spawn(async move {
            while pids.changed().await.is_ok() {
                let now = pids.borrow_and_update().clone();
                if let Err(error) = write(&followed, &addresses, now) {
                    tracing::error!("{error:#}");
                }
            }
        });
        Ok(Self { path, follower })
    }
}

impl Drop for StackFile {
    fn drop(&mut self) {
        self.follower.abort();
        // It may have been removed with the whole folder.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn write(path: &std::path::Path, addresses: &Addresses, pids: BTreeMap<&'static str, u32>) -> Result<()> {
    write_private(path, &serde_json::to_vec_pretty(&Content { addresses, pids })?)
}
