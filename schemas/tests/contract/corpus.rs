//! The corpus: every valid example is accepted, and every invalid one refused for exactly the reasons it names.

use std::collections::BTreeSet;

use super::oracle::{Oracle, json_files};
use serde_json::{Value, json};
use shoptrail_schemas::{EventType, RejectCode, Rejection, validate};

/// An invalid example holds its event as JSON, or as text where JSON cannot hold it.
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

#[test]
fn valid_examples_are_accepted_by_us_and_by_the_schema() {
    let oracle = Oracle::for_events();
    for (name, text) in json_files("valid") {
        assert_eq!(validate::event(&text).map(|_| ()), Ok(()), "{name}");
        let event: Value = serde_json::from_str(&text).unwrap();
        assert!(
            oracle.accepts(&event),
            "{name}: {:?}",
            oracle.reasons(&event)
        );
    }
}

#[test]
fn invalid_examples_are_refused_for_the_reasons_they_name() {
    for (name, text) in json_files("invalid") {
        let example: Value = serde_json::from_str(&text).unwrap();
        let rejections = validate::event(&text_of(&example)).unwrap_err();
        assert_eq!(
            verdict(&rejections),
            example["verdict"],
            "{name}: {rejections:#?}"
        );
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
        assert_eq!(validate::event(text).unwrap().event_type, *event_type);
    }
}

#[test]
fn every_code_has_an_example() {
    let mut codes = BTreeSet::new();
    for (_, text) in json_files("invalid") {
        let example: Value = serde_json::from_str(&text).unwrap();
        codes.extend(
            validate::event(&text_of(&example))
                .unwrap_err()
                .iter()
                .map(|rejection| rejection.code),
        );
    }
    assert_eq!(codes, BTreeSet::from(RejectCode::ALL));
}

/// Messages go into HTTP headers' values, logs and pages.
#[test]
fn messages_are_one_short_line_that_says_what_to_do() {
    for (name, text) in json_files("invalid") {
        let example: Value = serde_json::from_str(&text).unwrap();
        for rejection in validate::event(&text_of(&example)).unwrap_err() {
            let message = &rejection.message;
            assert!(message.len() < 300, "{name}: {message}");
            assert!(!message.ends_with('.'), "{name}: {message}");
            assert!(
                !message.chars().any(char::is_control),
                "{name}: {message:?}"
            );
            assert!(!message.contains('\u{202e}'), "{name}: {message:?}");
        }
    }
}

#[test]
fn message_names_the_amount_the_currency_and_the_remedy() {
    let (_, text) = json_files("invalid")
        .into_iter()
        .find(|(name, _)| name == "money_decimals_item_price")
        .unwrap();
    let example: Value = serde_json::from_str(&text).unwrap();
    let rejections = validate::event(&text_of(&example)).unwrap_err();
    assert_eq!(
        rejections[0].message,
        "`price` is 19.999, but EUR has 2 decimals: round to 2 decimals before sending"
    );
}
