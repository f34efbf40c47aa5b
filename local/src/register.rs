//! Registers the schema of records as a deployment does. A registry of an older data folder holds an older version of it.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::confluent::registry::{CompatibilityLevel, Registry, RegistryError, VersionChoice};

/// The schema of records, from the repository's root.
const SCHEMA: &str = "schemas/json/record.schema.json";

/// The version before objects were closed: `schemas/released/README.md` says why it can only be followed with a break.
const OPEN: &str = "schemas/released/record-1.schema.json";

/// Registers the schema of records under a subject, and returns its id.
///
/// # Errors
/// Returns an error if the schema cannot be read, or the registry refuses it.
pub fn register(registry: &Registry, root: &Path, subject: &str) -> Result<u32> {
    let text = read(root, SCHEMA)?;
    let registered = match registry.register(subject, &text) {
        Err(RegistryError::Incompatible { .. }) if holds_open_version(registry, root, subject)? => {
            follow_open_version(registry, subject, &text)
        }
        registered => registered,
    };
    registered.with_context(|| {
        format!(
            "`{SCHEMA}` cannot be registered\n\
             hint: keep it compatible with the last of schemas/released, or begin with a new data folder"
        )
    })
}

fn read(root: &Path, file: &str) -> Result<String> {
    let path = root.join(file);
    std::fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))
}

/// Whether the last version under a subject is the open one.
fn holds_open_version(registry: &Registry, root: &Path, subject: &str) -> Result<bool> {
    let last = registry.version(subject, VersionChoice::Latest)?;
    let last: Value = serde_json::from_str(&last.schema)?;
    let open: Value = serde_json::from_str(&read(root, OPEN)?)?;
    Ok(last == open)
}

/// Takes the one step that no level but `NONE` allows, and restores the level.
fn follow_open_version(
    registry: &Registry,
    subject: &str,
    text: &str,
) -> Result<u32, RegistryError> {
    let level = registry
        .level(Some(subject))
        .or_else(|_| registry.level(None))?;
    registry.set_level(Some(subject), CompatibilityLevel::None)?;
    let registered = registry.register(subject, text);
    registry.set_level(Some(subject), level)?;
    registered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
    }

    fn registry() -> (tempfile::TempDir, Registry) {
        let folder = tempfile::tempdir().expect("a folder");
        let registry = Registry::open(&folder.path().join("registry.json")).expect("a registry");
        (folder, registry)
    }

    #[test]
    fn data_folder_of_every_released_version_starts_with_the_present_one() {
        for version in [OPEN, "schemas/released/record-2.schema.json"] {
            let (_folder, registry) = registry();
            let old = read(root(), version).expect("a released version");
            let old = registry.register("s", &old).expect("the first");
            let new = register(&registry, root(), "s").expect("registered");
            assert!(new >= old, "{version}");
            assert_eq!(register(&registry, root(), "s").expect("again"), new);
        }
    }

    #[test]
    fn level_is_backward_again_after_the_step_from_the_open_version() {
        let (_folder, registry) = registry();
        let open = read(root(), OPEN).expect("a released version");
        registry.register("s", &open).expect("the first");
        register(&registry, root(), "s").expect("registered");
        assert_eq!(
            registry.level(Some("s")).expect("a level"),
            CompatibilityLevel::Backward
        );
        let stranger = r#"{"type":"object","required":["x"],"properties":{"x":{"type":"string"}}}"#;
        assert!(registry.register("s", stranger).is_err());
    }

    #[test]
    fn nothing_else_is_followed_with_a_break() {
        let (_folder, registry) = registry();
        registry
            .register("s", r#"{"type":"object","title":"another"}"#)
            .expect("the first");
        let error = register(&registry, root(), "s").expect_err("incompatible");
        assert!(format!("{error:#}").contains("hint: "), "{error:#}");
    }
}
