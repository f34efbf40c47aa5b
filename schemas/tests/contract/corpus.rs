//! The corpus: every valid example is accepted, and every invalid one refused for exactly the reasons it names.

use std::collections::BTreeSet;

use super::oracle::{Oracle, json_files};
use serde_json::{Value, json};
use shoptrail_schemas::derive::{self, Request, Rules};
use shoptrail_schemas::generate::json_schema;
use shoptrail_schemas::limits::MAX_WARNINGS;
use shoptrail_schemas::{Clock, EventType, RejectCode, Rejection, Warning, WarningCode, validate};

/// An example holds its event as JSON, or as text where JSON cannot hold it.
fn text_of(example: &Value) -> String {
    match example.get("text") {
        Some(text) => text.as_str().unwrap().to_owned(),
        None => example["event"].to_string(),
    }
}

fn verdict(rejections: &[Rejection]) -> Value {
    rejections
        .iter()
        .map(|rejection| json!({"code": rejection.code, "pointer": rejection.pointer}))
        .collect()
}

fn codes_of(warnings: &[Warning]) -> Value {
    warnings
        .iter()
        .map(|warning| json!({"code": warning.code, "pointer": warning.pointer}))
        .collect()
}

#[test]
fn valid_examples_are_accepted_as_they_came_by_us_and_by_the_schema() {
    let oracle = Oracle::for_events();
    for (name, text) in json_files("valid") {
        let valid =
            validate::event(&text, None).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(valid.text(), text, "{name}");
        assert_eq!(valid.warnings(), [], "{name}");
        let event: Value = serde_json::from_str(&text).unwrap();
        assert!(
            oracle.accepts(&event),
            "{name}: {:?}",
            oracle.reasons(&event)
        );
    }
}

#[test]
fn repaired_examples_become_what_they_say_with_their_warnings() {
    let oracle = Oracle::for_events();
    let in_kafka = Oracle::new(&event_of_records());
    for (name, text) in json_files("repaired") {
        let example: Value = serde_json::from_str(&text).unwrap();
        let text = text_of(&example);
        let valid =
            validate::event(&text, None).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let becomes: Value = serde_json::from_str(valid.text()).unwrap();
        assert_eq!(becomes, example["becomes"], "{name}");
        assert_eq!(codes_of(valid.warnings()), example["warnings"], "{name}");
        assert_eq!(
            valid.is_repaired(),
            example.get("event") != Some(&becomes),
            "{name}"
        );
        assert!(
            in_kafka.accepts(&becomes),
            "{name}: {:?}",
            in_kafka.reasons(&becomes)
        );
        if let Some(event) = example.get("event") {
            assert!(oracle.accepts(event), "{name}: {:?}", oracle.reasons(event));
        }
    }
}

/// The schema of `event` in a record.
fn event_of_records() -> Value {
    let record = json_schema::record();
    json!({"$ref": "#/definitions/Event", "definitions": record["definitions"]})
}

/// What is repaired needs no repair again.
#[test]
fn repaired_event_is_valid_as_it_is() {
    for (name, text) in json_files("repaired") {
        let example: Value = serde_json::from_str(&text).unwrap();
        let becomes = example["becomes"].to_string();
        let valid = validate::event(&becomes, None).unwrap();
        assert!(!valid.is_repaired(), "{name}: {:?}", valid.warnings());
    }
}

#[test]
fn invalid_examples_are_refused_for_the_reasons_they_name() {
    for (name, text) in json_files("invalid") {
        let example: Value = serde_json::from_str(&text).unwrap();
        let rejections = validate::event(&text_of(&example), None).unwrap_err();
        assert_eq!(
            verdict(&rejections),
            example["verdict"],
            "{name}: {rejections:#?}"
        );
    }
}

/// An event with the id and the time of an example in `clock/`.
fn event_at(example: &Value) -> String {
    let (_, text) = json_files("valid")
        .into_iter()
        .find(|(name, _)| name == "page_view")
        .unwrap();
    let mut event: Value = serde_json::from_str(&text).unwrap();
    event["event_id"] = example["event_id"].clone();
    event["event_timestamp"] = example["event_timestamp"].clone();
    event.to_string()
}

#[test]
fn times_are_judged_by_the_clocks_as_the_examples_say() {
    for (name, text) in json_files("clock") {
        let example: Value = serde_json::from_str(&text).unwrap();
        let ms = |field: &str| example[field].as_i64().unwrap();
        let clock = Clock::new(ms("received_at"), ms("sent_at"));
        let event = event_at(&example);
        match validate::event(&event, Some(&clock)) {
            Ok(valid) => {
                let request = Request {
                    shop_id: "demo",
                    gpc: false,
                    clock,
                };
                let derived = derive::event(&valid.facts(), &request, &Rules::default());
                assert_eq!(derived.event_time, ms("event_time"), "{name}");
                assert_eq!(
                    json!(derived.clock_corrected),
                    example["corrected"],
                    "{name}"
                );
            }
            Err(rejections) => assert_eq!(verdict(&rejections), example["verdict"], "{name}"),
        }
        assert!(validate::event(&event, None).is_ok(), "{name}");
    }
}

#[test]
fn every_event_type_has_its_example() {
    for event_type in EventType::ALL {
        let files = json_files("valid");
        let (_, text) = files
            .iter()
            .find(|(name, _)| name == event_type.as_str())
            .unwrap();
        assert_eq!(
            validate::event(text, None).unwrap().event_type(),
            *event_type
        );
    }
}

#[test]
fn every_code_has_an_example() {
    let mut codes = BTreeSet::new();
    for folder in ["invalid", "clock"] {
        for (_, text) in json_files(folder) {
            let example: Value = serde_json::from_str(&text).unwrap();
            let verdict = example["verdict"].as_array().cloned().unwrap_or_default();
            codes.extend(
                verdict
                    .iter()
                    .map(|rejection| rejection["code"].to_string()),
            );
        }
    }
    let all = RejectCode::ALL.map(|code| json!(code).to_string());
    assert_eq!(codes, BTreeSet::from(all));
}

#[test]
fn every_warning_has_an_example() {
    let mut codes = BTreeSet::new();
    for (_, text) in json_files("repaired") {
        let example: Value = serde_json::from_str(&text).unwrap();
        let warnings = example["warnings"].as_array().unwrap();
        codes.extend(warnings.iter().map(|warning| warning["code"].to_string()));
    }
    let all = WarningCode::ALL.map(|code| json!(code).to_string());
    assert_eq!(codes, BTreeSet::from(all));
}

/// Messages go into HTTP headers' values, logs and pages.
#[test]
fn messages_are_one_short_line_that_says_what_to_do() {
    let mut messages = Vec::new();
    for folder in ["invalid", "repaired"] {
        for (name, text) in json_files(folder) {
            let example: Value = serde_json::from_str(&text).unwrap();
            match validate::event(&text_of(&example), None) {
                Ok(valid) => messages.extend(
                    valid
                        .warnings()
                        .iter()
                        .map(|one| (name.clone(), one.message.clone())),
                ),
                Err(rejections) => messages.extend(
                    rejections
                        .into_iter()
                        .map(|one| (name.clone(), one.message)),
                ),
            }
        }
    }
    for (name, message) in messages {
        assert!(message.len() < 300, "{name}: {message}");
        assert!(!message.ends_with('.'), "{name}: {message}");
        assert!(
            !message.chars().any(char::is_control),
            "{name}: {message:?}"
        );
        assert!(!message.contains('\u{202e}'), "{name}: {message:?}");
    }
}

#[test]
fn warning_names_the_amount_the_currency_and_what_was_made_of_it() {
    let (_, text) = json_files("repaired")
        .into_iter()
        .find(|(name, _)| name == "rounded_item_price")
        .unwrap();
    let example: Value = serde_json::from_str(&text).unwrap();
    let text = text_of(&example);
    let valid = validate::event(&text, None).unwrap();
    assert_eq!(
        valid.warnings()[0].message,
        "`price` is 19.999, but EUR has 2 decimals: rounded to 20"
    );
}

#[test]
fn warnings_are_bounded_and_every_place_is_repaired_all_the_same() {
    let (_, text) = json_files("repaired")
        .into_iter()
        .find(|(name, _)| name == "price_as_text")
        .unwrap();
    let mut event: Value = serde_json::from_str::<Value>(&text).unwrap()["event"].take();
    event["items"] = json!(vec![json!({"item_id": "sku-1", "price": "1"}); 50]);
    let text = event.to_string();
    let valid = validate::event(&text, None).unwrap();
    assert_eq!(valid.warnings().len(), MAX_WARNINGS);
    let typed = valid.to_event().unwrap();
    let items = typed.items.unwrap();
    assert!(items.iter().all(|item| item.price == Some(1.0)));
}
