//! The corpus's files, and an independent JSON Schema validator over the generated schemas.

use std::fs;
use std::path::Path;

use jsonschema::Validator;
use serde_json::Value;
use shoptrail_schemas::generate::json_schema;

/// An independent judge: the `jsonschema` crate with our generated schema.
pub struct Oracle(Validator);

impl Oracle {
    /// Judges single events.
    pub fn for_events() -> Self {
        Self::new(&json_schema::event())
    }

    /// Judges by any schema.
    pub fn new(schema: &Value) -> Self {
        Self(jsonschema::draft7::new(schema).unwrap())
    }

    pub fn accepts(&self, value: &Value) -> bool {
        self.0.is_valid(value)
    }

    pub fn reasons(&self, value: &Value) -> Vec<String> {
        let errors = self.0.iter_errors(value);
        errors
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect()
    }
}

/// Reads a folder of the corpus: each file's name without its ending, and its text; in order.
pub fn json_files(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus")).join(folder);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}
