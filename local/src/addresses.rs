//! Where the parts of a running stack answer.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::origin::PageOrigin;

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
    /// Pages beside the demo shop that may send events.
    #[serde(default)]
    pub origins: Vec<PageOrigin>,
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

    /// The tag that a page needs, to paste into its HTML.
    #[must_use]
    pub fn tag(&self) -> String {
        let Self {
            edge, write_key, ..
        } = self;
        format!(r#"<script async src="{edge}/t.js" data-key="{write_key}"></script>"#)
    }

    /// What a person opens in a browser and pastes into a page, a line each.
    #[must_use]
    pub fn pages(&self) -> String {
        let Self {
            shop,
            dashboard,
            micro,
            edge,
            origins,
            ..
        } = self;
        let tag = self.tag();
        let mut lines = format!(
            "shop       {shop}\ndashboard  {dashboard}\nevents     {micro}\nedge       {edge}\ntag        {tag}\n"
        );
        for origin in origins {
            lines.push_str(&format!("origin     {origin}\n"));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn person_is_told_the_pages_the_edge_and_the_tag() {
        let addresses = Addresses {
            shop: "http://127.0.0.1:1/".to_owned(),
            dashboard: "http://127.0.0.1:1/dashboard/".to_owned(),
            micro: "http://127.0.0.1:1/micro/".to_owned(),
            edge: "http://127.0.0.1:2".to_owned(),
            confluent: String::new(),
            kafka: String::new(),
            write_key: "pk_demo".to_owned(),
            origins: vec!["https://shop.example/".parse().unwrap()],
        };
        let told = addresses.pages();
        let tag = r#"<script async src="http://127.0.0.1:2/t.js" data-key="pk_demo"></script>"#;
        assert!(told.contains(&format!("tag        {tag}\n")), "{told}");
        assert!(
            told.ends_with("origin     https://shop.example\n"),
            "{told}"
        );
    }
}
