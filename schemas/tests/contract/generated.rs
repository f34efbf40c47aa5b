//! The generated files are what the types say.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use shoptrail_schemas::generate::{self, json_schema};

#[test]
fn generated_files_are_fresh() {
    let repository = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    for (path, text) in generate::files(repository).unwrap() {
        let current = std::fs::read_to_string(repository.join(&path)).unwrap_or_default();
        assert!(
            current == text,
            "`{}` is stale: run `cargo xtask schemas`",
            path.display()
        );
    }
}

#[test]
fn schemas_are_valid_draft_07() {
    for schema in [
        json_schema::event(),
        json_schema::batch(),
        json_schema::record(),
    ] {
        assert!(
            jsonschema::draft7::meta::is_valid(&schema),
            "{}",
            schema["title"]
        );
    }
}

/// Schema Registry gets one text without references to others.
#[test]
fn record_schema_is_self_contained() {
    let schema = json_schema::record();
    assert_eq!(schema["title"], "ClickstreamEvent");
    let mut references = BTreeSet::new();
    collect_references(&schema, &mut references);
    assert!(references.contains("#/definitions/Event"));
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(schema.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect_references(schema: &Value, references: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            references.extend(
                members
                    .get("$ref")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            );
            members
                .values()
                .for_each(|member| collect_references(member, references));
        }
        Value::Array(elements) => elements
            .iter()
            .for_each(|element| collect_references(element, references)),
        _ => {}
    }
}

/// No field is in a type without a rule, or has a rule without being in the type.
#[test]
fn every_field_of_the_schema_is_limited() {
    let schema = json_schema::record();
    let definitions = schema["definitions"].as_object().unwrap();
    let from_clients = definitions
        .iter()
        .filter(|(name, _)| !["Edge", "Warning"].contains(&name.as_str()));
    for (object, definition) in from_clients {
        for (field, property) in definition["properties"].as_object().into_iter().flatten() {
            let limits = [
                "maxLength",
                "maximum",
                "maxItems",
                "maxProperties",
                "enum",
                "pattern",
                "$ref",
                "allOf",
                "anyOf",
            ];
            let is_boolean = property["type"] == "boolean";
            assert!(
                is_boolean || limits.iter().any(|limit| property.get(limit).is_some()),
                "{object}.{field}"
            );
        }
    }
}
