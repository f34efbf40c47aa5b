//! `stack.json`: the addresses and process ids of a running stack, for people, tests and scripts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use serde::Serialize;

use crate::addresses::Addresses;
use crate::children::Pids;
use crate::identity::write_private;

#[derive(Serialize)]
struct StackFileText<'a> {
    #[serde(flatten)]
    addresses: &'a Addresses,
    pids: BTreeMap<&'static str, u32>,
}

/// The file while the stack runs. Dropping it removes it.
pub struct StackFile(Arc<Mutex<Option<PathBuf>>>);

impl StackFile {
    /// Writes the file and keeps its process ids current.
    ///
    /// # Errors
    /// Returns an error if it cannot be written.
    pub fn publish(path: PathBuf, addresses: Addresses, pids: &Pids) -> Result<Self> {
        let mut pids = pids.subscribe();
        write(&path, &addresses, pids.borrow_and_update().clone())?;
        let file = Self(Arc::new(Mutex::new(Some(path))));
        let followed = file.0.clone();
        tokio::spawn(async move {
            while pids.changed().await.is_ok() {
                let now = pids.borrow_and_update().clone();
                // Written under the lock: a file that was removed does not come back.
                let Some(path) = &*locked(&followed) else {
                    return;
                };
                if let Err(error) = write(path, &addresses, now) {
                    tracing::error!("{error:#}");
                }
            }
        });
        Ok(file)
    }
}

impl Drop for StackFile {
    fn drop(&mut self) {
        if let Some(path) = locked(&self.0).take() {
            // It may have been removed with the whole folder.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn locked(path: &Mutex<Option<PathBuf>>) -> MutexGuard<'_, Option<PathBuf>> {
    path.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write(path: &Path, addresses: &Addresses, pids: BTreeMap<&'static str, u32>) -> Result<()> {
    write_private(
        path,
        &serde_json::to_vec_pretty(&StackFileText { addresses, pids })?,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn file_follows_the_pids_and_goes_with_the_stack() {
        let path =
            std::env::temp_dir().join(format!("shoptrail-stack-{}.json", std::process::id()));
        let text = || String::new();
        let addresses = Addresses {
            shop: "http://127.0.0.1:8080/".to_owned(),
            dashboard: text(),
            micro: text(),
            edge: text(),
            confluent: text(),
            kafka: text(),
            write_key: text(),
            origins: Vec::new(),
        };
        let pids = Pids::default();
        let file = StackFile::publish(path.clone(), addresses, &pids).expect("it is written");
        let pid_of = |name: &str| {
            let content: serde_json::Value =
                serde_json::from_slice(&std::fs::read(&path).expect("it is there")).expect("JSON");
            assert_eq!(content["shop"], "http://127.0.0.1:8080/");
            content["pids"][name].as_u64()
        };
        assert_eq!(pid_of("land"), None);
        pids.send_replace(BTreeMap::from([("land", 7)]));
        tokio::time::timeout(std::time::Duration::from_secs(10), async {
            while pid_of("land") != Some(7) {
                tokio::task::yield_now().await;
            }
        })
        .await
        .expect("the new pid is written");
        drop(file);
        pids.send_replace(BTreeMap::new());
        tokio::task::yield_now().await;
        assert!(!path.exists());
    }
}
