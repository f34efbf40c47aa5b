//! Schema Registry for JSON Schema: subjects, versions, ids, and the check that a new version can read what the last one
//! wrote. Kept in one file, which is replaced whole.

mod error;
pub mod routes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::error::RegistryError;
use super::compatibility;
use crate::identity::write_private;

/// Ids begin where the Cloud's do, so that nothing relies on 1.
const FIRST_ID: u32 = 100_001;

/// What a new version is checked against. The registry judges no other levels.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CompatibilityLevel {
    /// Nothing.
    None,
    /// The latest version: readers of the new one can read its data.
    #[default]
    Backward,
}

/// One version of a subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Version {
    /// Its subject.
    pub subject: String,
    /// From 1.
    pub version: u32,
    /// Of the schema: the same schema has the same id in every subject.
    pub id: u32,
    /// As it was registered.
    pub schema: String,
}

/// Which version of a subject is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionChoice {
    /// By its number.
    Number(u32),
    /// The last one.
    Latest,
}

/// What the file holds.
#[derive(Clone, Default, Serialize, Deserialize)]
struct RegistryContent {
    level: CompatibilityLevel,
    subjects: BTreeMap<String, Subject>,
    schemas: BTreeMap<u32, String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Subject {
    level: Option<CompatibilityLevel>,
    /// Of the schemas; version 1 comes first.
    ids: Vec<u32>,
}

/// The registry.
pub struct Registry {
    file: PathBuf,
    content: Mutex<RegistryContent>,
}

impl Registry {
    /// Reads the registry, or makes an empty one.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read or is not a registry's.
    pub fn open(file: &Path) -> anyhow::Result<Self> {
        let content = match std::fs::read(file) {
            Ok(text) => serde_json::from_slice(&text).with_context(|| {
                format!(
                    "`{}` is not a schema registry\nhint: delete it",
                    file.display()
                )
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                RegistryContent::default()
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read `{}`", file.display()));
            }
        };
        Ok(Self {
            file: file.to_owned(),
            content: Mutex::new(content),
        })
    }

    /// Registers a schema and returns its id. One that the subject has already is found, not added.
    ///
    /// # Errors
    /// Returns an error if it is no schema that can be judged, is incompatible, or cannot be stored.
    pub fn register(&self, subject: &str, text: &str) -> Result<u32, RegistryError> {
        let schema = parse(text)?;
        self.change(|content| {
            if let Some((_, id)) = content.find(subject, &schema) {
                return Ok(id);
            }
            let details = content.breaking(subject, VersionChoice::Latest, &schema)?;
            if !details.is_empty() {
                return Err(RegistryError::Incompatible {
                    subject: subject.to_owned(),
                    details: details.join(", "),
                });
            }
            let id = content.add_schema(text, &schema);
            content
                .subjects
                .entry(subject.to_owned())
                .or_default()
                .ids
                .push(id);
            Ok(id)
        })
    }

    /// Returns every difference between a schema and a version that breaks readers.
    ///
    /// # Errors
    /// Returns an error if the subject or version does not exist, or the schema cannot be judged.
    pub fn breaking(
        &self,
        subject: &str,
        choice: VersionChoice,
        text: &str,
    ) -> Result<Vec<String>, RegistryError> {
        let schema = parse(text)?;
        let content = self.content();
        content.version(subject, choice)?;
        content.breaking(subject, choice, &schema)
    }

    /// Finds a schema among the versions of a subject.
    ///
    /// # Errors
    /// Returns an error if the subject or schema is not there.
    pub fn find(&self, subject: &str, text: &str) -> Result<Version, RegistryError> {
        let schema = parse(text)?;
        let content = self.content();
        content.subject(subject)?;
        let (version, _) = content
            .find(subject, &schema)
            .ok_or(RegistryError::UnknownSchema)?;
        content.version(subject, VersionChoice::Number(version))
    }

    /// Returns one version.
    ///
    /// # Errors
    /// Returns an error if the subject or version does not exist.
    pub fn version(&self, subject: &str, choice: VersionChoice) -> Result<Version, RegistryError> {
        self.content().version(subject, choice)
    }

    /// Returns the numbers of a subject's versions.
    ///
    /// # Errors
    /// Returns an error if the subject does not exist.
    pub fn versions(&self, subject: &str) -> Result<Vec<u32>, RegistryError> {
        let content = self.content();
        Ok((1..).take(content.subject(subject)?.ids.len()).collect())
    }

    /// Returns the names of all subjects.
    #[must_use]
    pub fn subjects(&self) -> Vec<String> {
        let content = self.content();
        content
            .subjects
            .iter()
            .filter(|(_, subject)| !subject.ids.is_empty())
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Returns a schema's text.
    ///
    /// # Errors
    /// Returns an error if no schema has this id.
    pub fn schema(&self, id: u32) -> Result<String, RegistryError> {
        self.content()
            .schemas
            .get(&id)
            .cloned()
            .ok_or(RegistryError::UnknownSchema)
    }

    /// Returns the level of a subject, or the one of all that have none.
    ///
    /// # Errors
    /// Returns an error if the subject has none of its own.
    pub fn level(&self, subject: Option<&str>) -> Result<CompatibilityLevel, RegistryError> {
        let content = self.content();
        let Some(name) = subject else {
            return Ok(content.level);
        };
        let own = content.subjects.get(name).and_then(|subject| subject.level);
        own.ok_or_else(|| RegistryError::NoLevel(name.to_owned()))
    }

    /// Sets the level of a subject, or the one of all that have none.
    ///
    /// # Errors
    /// Returns an error if it cannot be stored.
    pub fn set_level(
        &self,
        subject: Option<&str>,
        level: CompatibilityLevel,
    ) -> Result<(), RegistryError> {
        self.change(|content| {
            match subject {
                Some(name) => {
                    content.subjects.entry(name.to_owned()).or_default().level = Some(level)
                }
                None => content.level = level,
            }
            Ok(())
        })
    }

    /// Makes a change that counts only when it is on disk.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut RegistryContent) -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        let mut content = self.content();
        let mut changed = content.clone();
        let result = change(&mut changed)?;
        let text = serde_json::to_vec_pretty(&changed)
            .map_err(|error| RegistryError::Store(error.into()))?;
        write_private(&self.file, &text).map_err(RegistryError::Store)?;
        *content = changed;
        Ok(result)
    }

    fn content(&self) -> MutexGuard<'_, RegistryContent> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RegistryContent {
    fn subject(&self, name: &str) -> Result<&Subject, RegistryError> {
        let subject = self
            .subjects
            .get(name)
            .filter(|subject| !subject.ids.is_empty());
        subject.ok_or_else(|| RegistryError::UnknownSubject(name.to_owned()))
    }

    fn version(&self, name: &str, choice: VersionChoice) -> Result<Version, RegistryError> {
        let ids = &self.subject(name)?.ids;
        let number = match choice {
            VersionChoice::Number(number) => number,
            VersionChoice::Latest => u32::try_from(ids.len()).unwrap_or(u32::MAX),
        };
        let id = number
            .checked_sub(1)
            .and_then(|index| ids.get(index as usize))
            .copied();
        let id = id.ok_or(RegistryError::UnknownVersion(number))?;
        let schema = self
            .schemas
            .get(&id)
            .cloned()
            .ok_or(RegistryError::UnknownSchema)?;
        Ok(Version {
            subject: name.to_owned(),
            version: number,
            id,
            schema,
        })
    }

    /// Returns version and id of the same schema under a subject, however it is written.
    fn find(&self, subject: &str, schema: &Value) -> Option<(u32, u32)> {
        let ids = &self.subjects.get(subject)?.ids;
        (1..)
            .zip(ids.iter().copied())
            .find(|(_, id)| self.is_schema(*id, schema))
    }

    fn is_schema(&self, id: u32, schema: &Value) -> bool {
        let text = self.schemas.get(&id);
        text.and_then(|text| serde_json::from_str::<Value>(text).ok())
            .is_some_and(|stored| stored == *schema)
    }

    fn add_schema(&mut self, text: &str, schema: &Value) -> u32 {
        if let Some(id) = self
            .schemas
            .keys()
            .copied()
            .find(|id| self.is_schema(*id, schema))
        {
            return id;
        }
        let id = self
            .schemas
            .last_key_value()
            .map_or(FIRST_ID, |(last, _)| last + 1);
        self.schemas.insert(id, text.to_owned());
        id
    }

    /// Nothing breaks where nothing is checked: a new subject, or the level `NONE`.
    fn breaking(
        &self,
        name: &str,
        choice: VersionChoice,
        schema: &Value,
    ) -> Result<Vec<String>, RegistryError> {
        let level = self
            .subjects
            .get(name)
            .and_then(|subject| subject.level)
            .unwrap_or(self.level);
        if level == CompatibilityLevel::None || self.subject(name).is_err() {
            return Ok(Vec::new());
        }
        let old = parse(&self.version(name, choice)?.schema)?;
        let differences = compatibility::breaking(&old, schema);
        Ok(differences
            .into_iter()
            .map(|found| {
                format!(
                    "{{errorType:\"{}\", place:\"{}\"}}",
                    found.kind, found.place
                )
            })
            .collect())
    }
}

fn parse(text: &str) -> Result<Value, RegistryError> {
    let schema = serde_json::from_str(text)
        .map_err(|error| RegistryError::InvalidSchema(error.to_string()))?;
    compatibility::check(&schema)
        .map_err(|error| RegistryError::InvalidSchema(error.to_string()))?;
    Ok(schema)
}

#[cfg(test)]
mod tests;
