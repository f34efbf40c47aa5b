//! What a local cloud keeps between starts: its cluster's id, its API keys, the ports that clients remember.
//!
//! Chosen at random when the data folder is new, and kept in `local.json`, which only its owner can read.

use std::fmt;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::ports;

/// Letters and digits of ids and keys.
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const FILE: &str = "local.json";

/// The lasting part of a local cloud.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Identity {
    /// Confluent's form of a cluster id: `lkc-` and six characters.
    pub cluster_id: String,
    /// Opens the REST API of the cluster.
    pub kafka_key: ApiKey,
    /// Opens the Schema Registry: a key of its own, as in the Cloud.
    pub registry_key: ApiKey,
    /// Where the parts listen.
    pub ports: Ports,
}

/// Ports on 127.0.0.1, taken again at the next start if they are still free.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ports {
    /// Clients of the broker.
    pub kafka: u16,
    /// The broker's own quorum.
    pub controller: u16,
    /// REST API and Schema Registry.
    pub confluent: u16,
}

impl Ports {
    /// The address of the stack's own broker, as its clients are given it.
    #[must_use]
    pub fn bootstrap_servers(&self) -> String {
        format!("127.0.0.1:{}", self.kafka)
    }
}

/// A key and its secret. `Debug` shows neither.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// The user name of HTTP Basic authentication.
    pub key: String,
    /// The password.
    pub secret: String,
}

impl ApiKey {
    /// Makes a new one: 80 bits for the key, 330 for the secret.
    #[must_use]
    pub fn random() -> Self {
        Self {
            key: random_text(16),
            secret: random_text(64),
        }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKey(…)")
    }
}

impl Identity {
    /// Reads the identity of a data folder, or makes one. Ports that were taken meanwhile are replaced.
    ///
    /// # Errors
    /// Returns an error if `local.json` cannot be read or written, or is not one of ours.
    pub fn of(data: &Path) -> Result<Self> {
        let file = data.join(FILE);
        let mut identity = match fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text).with_context(|| {
                format!("`{}` is not an identity\nhint: delete it", file.display())
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::new()?,
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read `{}`", file.display()));
            }
        };
        for port in [
            &mut identity.ports.kafka,
            &mut identity.ports.controller,
            &mut identity.ports.confluent,
        ] {
            *port = ports::free_or(*port).context("no free port on 127.0.0.1")?;
        }
        let text = serde_json::to_vec_pretty(&identity)?;
        write_private(&file, &text)?;
        Ok(identity)
    }

    fn new() -> Result<Self> {
        let ports = free_ports()?;
        Ok(Self {
            cluster_id: format!("lkc-{}", random_text(6).to_lowercase()),
            kafka_key: ApiKey::random(),
            registry_key: ApiKey::random(),
            ports,
        })
    }
}

fn free_ports() -> Result<Ports> {
    let [kafka, controller, confluent] = ports::free().context("no free port on 127.0.0.1")?;
    Ok(Ports {
        kafka,
        controller,
        confluent,
    })
}

/// Writes a file that only its owner can read, whole or not at all.
///
/// # Errors
/// Returns an error if it cannot be written.
pub fn write_private(file: &Path, bytes: &[u8]) -> Result<()> {
    let unfinished = file.with_extension("unfinished");
    let write = || {
        let mut options = fs::OpenOptions::new();
        let mut open = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&unfinished)?;
        open.write_all(bytes)?;
        open.sync_all()?;
        fs::rename(&unfinished, file)
    };
    write().with_context(|| format!("cannot write `{}`", file.display()))
}

/// From the system's generator, which is fit for secrets.
pub(crate) fn random_text(length: usize) -> String {
    let mut random = rand::rng();
    let letter = |_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())]);
    (0..length).map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn second_start_finds_the_identity_of_the_first_in_a_private_file() {
        let data = std::env::temp_dir().join(format!("shoptrail-identity-{}", std::process::id()));
        fs::create_dir_all(&data).expect("a directory for the test");
        let first = Identity::of(&data).expect("it is made");
        let second = Identity::of(&data).expect("it is found");
        assert_eq!(first.cluster_id, second.cluster_id);
        assert_eq!(first.kafka_key, second.kafka_key);
        assert_ne!(first.kafka_key, first.registry_key);
        let mode = fs::metadata(data.join(FILE))
            .expect("it exists")
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "readable by its owner alone");
        fs::remove_dir_all(data).expect("the directory can be removed");
    }

    #[test]
    fn debug_text_holds_no_secret() {
        let key = ApiKey::random();
        let text = format!("{key:?}");
        assert!(
            !text.contains(&key.secret) && !text.contains(&key.key),
            "{text}"
        );
    }
}
