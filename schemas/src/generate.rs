//! The files that are generated from the types and their rules: JSON Schemas, TypeScript types, docs/events.md.
//!
//! Checked in; `cargo xtask schemas` writes them, and a test fails when they are stale.

pub mod events_md;
pub mod json_schema;
pub mod typescript;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::event_type::EventType;

/// Returns each generated file: its path from the repository's root, and its text.
///
/// # Errors
/// If the corpus lacks the example of an event type, or it cannot be read.
pub fn files(repository: &Path) -> io::Result<Vec<(PathBuf, String)>> {
    let examples = examples(&repository.join("schemas/corpus/valid"))?;
    Ok(vec![
        json_file("event", &json_schema::event()),
        json_file("batch", &json_schema::batch()),
        json_file("record", &json_schema::record()),
        (
            "schemas/typescript/events.d.ts".into(),
            typescript::declarations(),
        ),
        (
            "collector-wasm/npm/events.d.ts".into(),
            typescript::declarations(),
        ),
        ("docs/events.md".into(), events_md::page(&examples)),
    ])
}

fn json_file(name: &str, schema: &Value) -> (PathBuf, String) {
    // `{:#}` is serde_json's pretty printing.
    (
        format!("schemas/json/{name}.schema.json").into(),
        format!("{schema:#}\n"),
    )
}

/// Reads the example of each event type: the file of its name in the corpus.
fn examples(corpus: &Path) -> io::Result<BTreeMap<EventType, String>> {
    let read = |event_type: &EventType| {
        let path = corpus.join(format!("{event_type}.json"));
        let text = std::fs::read_to_string(&path);
        let text =
            text.map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
        Ok((*event_type, text))
    };
    EventType::ALL.iter().map(read).collect()
}
