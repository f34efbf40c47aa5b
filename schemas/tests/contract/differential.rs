//! Holds [`validate::event`] against an independent JSON Schema validator with the generated schemas: the same verdict on
//! every input, except for what JSON Schema cannot say; and what is accepted stands in Kafka as the record's schema says.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shoptrail_schemas::generate::json_schema;
use shoptrail_schemas::{Event, EventType, RejectCode, Rejection, validate};

use super::mutation::{self, Mutator};
use super::oracle::{Oracle, json_files};

/// How many events the seeded test makes.
const EVENTS: usize = 100_000;

/// Both judges.
struct Judges {
    client: Oracle,
    record: Oracle,
}

impl Judges {
    fn new() -> Self {
        let record = json_schema::record();
        let event = json!({"$ref": "#/definitions/Event", "definitions": record["definitions"]});
        Self {
            client: Oracle::for_events(),
            record: Oracle::new(&event),
        }
    }

    /// Compares both verdicts on one event, and returns whether it was accepted.
    fn compare(&self, event: &Value) -> bool {
        let text = event.to_string();
        let ours = validate::event(&text, None);
        let is_beyond_the_schema = matches!(&ours, Err(rejections)
            if rejections.iter().all(|one| is_beyond_the_schema(event, one)));
        assert!(
            is_beyond_the_schema || ours.is_ok() == self.client.accepts(event),
            "{text}\nours: {:#?}\ntheirs: {:#?}",
            ours.as_ref().err(),
            self.client.reasons(event)
        );
        if let Ok(valid) = &ours {
            let record: Value = serde_json::from_str(valid.text()).unwrap();
            let reasons = || self.record.reasons(&record);
            assert!(
                self.record.accepts(&record),
                "{}\n{:#?}",
                valid.text(),
                reasons()
            );
            let typed: Event = valid.to_event().unwrap();
            assert_eq!(typed.facts(), valid.facts(), "{text}");
        }
        ours.is_ok()
    }
}

/// The product of two numbers, and the range of a number that is sent as a text.
fn is_beyond_the_schema(event: &Value, rejection: &Rejection) -> bool {
    match rejection.code {
        RejectCode::AmountTooLarge => true,
        RejectCode::OutOfRange => event
            .pointer(&rejection.pointer)
            .is_some_and(Value::is_string),
        _ => false,
    }
}

fn field_names(schema: &Value) -> Vec<String> {
    schema["properties"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect()
}

#[test]
fn every_field_with_every_value_has_the_same_verdict() {
    let judges = Judges::new();
    let schema = json_schema::event();
    let purchase = json_files("valid")
        .into_iter()
        .find(|(name, _)| name == "purchase")
        .unwrap()
        .1;
    let purchase: Value = serde_json::from_str(&purchase).unwrap();
    let definitions = &schema["definitions"];
    for (object, parent, field) in [
        (&schema, ""),
        (&definitions["Item"], "/items/1"),
        (&definitions["Consent"], "/consent"),
        (&definitions["Demographics"], "/demographics"),
    ]
    .iter()
    .flat_map(|(object, parent)| {
        let fields = field_names(object);
        fields
            .into_iter()
            .map(move |field| (*object, *parent, field))
    }) {
        let mut verdicts = BTreeSet::new();
        for value in mutation::values() {
            let mut event = purchase.clone();
            event.pointer_mut(parent).unwrap()[&field] = value;
            verdicts.insert(judges.compare(&event));
        }
        // What only describes has a description and no limits.
        let describes = object["properties"][&field]
            .as_object()
            .is_some_and(|property| property.keys().eq(["description"]));
        let expected = BTreeSet::from([true, describes]);
        assert_eq!(verdicts, expected, "{parent}/{field}");
    }
}

#[test]
fn mutated_events_have_the_same_verdict() {
    let judges = Judges::new();
    let schema = json_schema::event();
    let mut fields = field_names(&schema);
    fields.extend(field_names(&schema["definitions"]["Item"]));
    let mut mutator = Mutator::new(20_261_122, fields);
    let accepted = (0..EVENTS)
        .filter(|_| judges.compare(&mutator.event()))
        .count();
    // Both sides of the border are visited.
    assert!(
        (EVENTS / 10..EVENTS * 9 / 10).contains(&accepted),
        "{accepted} of {EVENTS} accepted"
    );
}

#[test]
fn each_type_requires_its_fields_by_both_verdicts() {
    let judges = Judges::new();
    let examples = json_files("valid");
    for event_type in EventType::ALL {
        let (_, text) = examples
            .iter()
            .find(|(name, _)| name == event_type.as_str())
            .unwrap();
        let example: Value = serde_json::from_str(text).unwrap();
        for field in event_type.spec().required {
            let mut absent = example.clone();
            absent.as_object_mut().unwrap().remove(*field);
            let mut null = example.clone();
            null[*field] = json!(null);
            assert!(!judges.compare(&absent), "{event_type} without {field}");
            assert!(!judges.compare(&null), "{event_type} with {field} null");
            for value in mutation::values() {
                let mut other = example.clone();
                other[*field] = value;
                judges.compare(&other);
            }
        }
    }
}
