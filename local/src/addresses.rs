//! Where the parts of a running stack answer.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// Addresses of a running stack, as `stack.json` in its data folder lists them. No secret is among them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Addresses {
    /// The demo shop.
    pub shop: String,
    /// The dashboard.
    pub dashboard: String,
    /// The page of events received, accepted and rejected.
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

impl Addresses {
    /// Reads the `stack.json` of a running stack.
    ///
    /// # Errors
    /// Returns an error if it cannot be read, or is not one.
    pub fn read(file: &Path) -> Result<Self> {
        let text =
            std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
        serde_json::from_slice(&text)
            .with_context(|| format!("`{}` does not list a stack's addresses", file.display()))
    }

    /// What a person opens in a browser, a line each.
    #[must_use]
    pub fn pages(&self) -> String {
        let Self {
            shop,
            dashboard,
            micro,
            ..
        } = self;
        format!("shop       {shop}\ndashboard  {dashboard}\nevents     {micro}\n")
    }
}
