//! Batches: the envelope is read without its events, and wrong ones are refused with a place.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use shoptrail_schemas::generate::json_schema;
use shoptrail_schemas::limits::MAX_REJECTIONS;
use shoptrail_schemas::{Batch, Rejection, batch, validate};

use super::oracle::{Oracle, json_files};

fn example(name: &str) -> String {
    let files = json_files("batches");
    files.into_iter().find(|(file, _)| file == name).unwrap().1
}

/// Returns code and pointer of everything that is wrong with a batch made from a good one.
fn refused(change: impl FnOnce(&mut Value)) -> Vec<(&'static str, String)> {
    let mut batch: Value = serde_json::from_str(&example("one_page_view")).unwrap();
    change(&mut batch);
    refused_text(batch.to_string().as_bytes())
}

fn refused_text(body: &[u8]) -> Vec<(&'static str, String)> {
    let rejections = batch::read_head(body).unwrap_err();
    rejections
        .into_iter()
        .map(|rejection| (rejection.code.as_str(), rejection.pointer))
        .collect()
}

#[test]
fn events_stay_the_bytes_they_came_in() {
    let body = example("whole_visit");
    let (head, events) = batch::read_head(body.as_bytes()).unwrap();
    assert_eq!(head.write_key, "pk_demo");
    assert_eq!(head.info.sent_at, 1_795_392_060_123);
    assert_eq!(head.info.context.unwrap().viewport_width, Some(1200));
    assert_eq!(events.len(), 10);
    for event in events {
        assert!(body.contains(event.get()));
        assert_eq!(validate::event(event.get(), None).map(|_| ()), Ok(()));
    }
}

#[test]
fn bad_event_does_not_spoil_its_batch() {
    let body = example("one_bad_among_good");
    let (_, events) = batch::read_head(body.as_bytes()).unwrap();
    let accepted: Vec<bool> = events
        .iter()
        .map(|event| validate::event(event.get(), None).is_ok())
        .collect();
    assert_eq!(accepted, [true, false, true]);
}

#[test]
fn events_that_are_no_objects_are_judged_one_by_one() {
    let body = example("all_bad");
    let (_, events) = batch::read_head(body.as_bytes()).unwrap();
    assert!(
        events
            .iter()
            .all(|event| validate::event(event.get(), None).is_err())
    );
}

#[test]
fn wrong_envelope_is_refused_with_its_places() {
    let one = |code, pointer: &str| vec![(code, pointer.to_owned())];
    assert_eq!(
        refused(|batch| batch["write_key"] = json!("")),
        one("too_short", "/write_key")
    );
    assert_eq!(
        refused(|batch| batch["sent_at"] = json!("now")),
        one("wrong_type", "/sent_at")
    );
    assert_eq!(
        refused(|batch| batch["tracker"] = json!({"name": "x"})),
        one("missing", "/tracker/version")
    );
    assert_eq!(
        refused(|batch| batch["events"] = json!([])),
        one("empty", "/events")
    );
    assert_eq!(
        refused(|batch| batch["events"] = json!({})),
        one("wrong_type", "/events")
    );
    assert_eq!(
        refused(|batch| batch["events"] = json!(vec![1; 101])),
        one("too_many", "/events")
    );
    assert_eq!(refused_text(b"[]"), one("wrong_type", ""));
    assert_eq!(refused_text(b"{\"write_key\":"), one("malformed_json", ""));
    assert_eq!(refused_text(b"\xff\xfe"), one("malformed_json", ""));
    assert_eq!(
        refused_text(br#"{"events":[1],"events":[2]}"#),
        one("duplicate_field", "")
    );
}

#[test]
fn odd_value_of_the_context_is_left_out_and_costs_no_batch() {
    let read = |context: Value| {
        let mut batch: Value = serde_json::from_str(&example("whole_visit")).unwrap();
        batch["sent_at"] = json!(1_795_392_060_123.4);
        batch["context"] = context;
        let (head, _) = batch::read_head(batch.to_string().as_bytes()).unwrap();
        assert_eq!(head.info.sent_at, 1_795_392_060_123);
        head.info.context
    };
    let context = read(json!({"screen_width": -1, "language": ["de"], "viewport_width": "800"}));
    let context = context.unwrap();
    assert_eq!((context.screen_width, context.language), (None, None));
    assert_eq!(context.viewport_width, Some(800));
    assert_eq!(read(json!("none")), None);
}

#[test]
fn everything_wrong_with_an_envelope_is_said_at_once() {
    let pointers: Vec<String> = refused_text(b"{}")
        .into_iter()
        .map(|(_, pointer)| pointer)
        .collect();
    assert_eq!(pointers, ["/events", "/write_key", "/sent_at", "/tracker"]);
}

#[test]
fn nested_value_of_the_envelope_is_read_strictly() {
    let twice = br#"{"write_key":"k","sent_at":1,"tracker":{"name":"a","name":"b","version":"1"},"events":[{}]}"#;
    assert_eq!(
        refused_text(twice)[0],
        ("duplicate_field", "/tracker".to_owned())
    );
}

#[test]
fn write_key_is_found_without_reading_the_rest() {
    assert_eq!(
        batch::write_key(example("whole_visit").as_bytes()).as_deref(),
        Some("pk_demo")
    );
    assert_eq!(
        batch::write_key(br#"{"events":[{"seq":"bad"}],"write_key":"pk_\u0061"}"#).as_deref(),
        Some("pk_a")
    );
    for body in [
        &b"{}"[..],
        b"",
        b"[]",
        br#"{"write_key":1}"#,
        br#"{"write_key":"a","write_key":"b"}"#,
    ] {
        assert_eq!(batch::write_key(body), None);
    }
}

#[test]
fn schema_and_envelope_agree() {
    let oracle = Oracle::new(&json_schema::batch());
    let good: Value = serde_json::from_str(&example("whole_visit")).unwrap();
    assert!(oracle.accepts(&good), "{:?}", oracle.reasons(&good));
    let values = [
        json!(null),
        json!(0),
        json!(1.0),
        json!(-1),
        json!(1.5),
        json!(""),
        json!("x"),
        json!([]),
        json!({}),
    ];
    for pointer in [
        "/write_key",
        "/sent_at",
        "/tracker",
        "/tracker/name",
        "/context",
        "/context/language",
        "/context/screen_width",
    ] {
        for value in &values {
            let mut batch = good.clone();
            *batch.pointer_mut(pointer).unwrap() = value.clone();
            let ours = batch::read_head(batch.to_string().as_bytes()).is_ok();
            assert_eq!(
                ours,
                oracle.accepts(&batch),
                "{pointer} = {value}: {:?}",
                oracle.reasons(&batch)
            );
        }
    }
}

#[test]
fn batch_that_is_written_is_read_again() {
    let written: Batch = serde_json::from_str(&example("whole_visit")).unwrap();
    let body = serde_json::to_vec(&written).unwrap();
    let (head, events) = batch::read_head(&body).unwrap();
    assert_eq!(head, written.head);
    let events: Vec<_> = events
        .iter()
        .map(|event| {
            let valid = validate::event(event.get(), None).unwrap();
            valid.to_event().unwrap()
        })
        .collect();
    assert_eq!(events, written.events);
}

/// Bytes changed anywhere: whatever comes, there is an answer, and it is small.
#[test]
fn hostile_bytes_get_a_bounded_answer() {
    let body = example("whole_visit").into_bytes();
    let mut random = StdRng::seed_from_u64(20_261_122);
    for _ in 0..5_000 {
        let mut changed = body.clone();
        for _ in 0..random.random_range(1..4) {
            let position = random.random_range(0..changed.len());
            changed[position] = *b"\"\\{}[],:0e-.\0\xff\xc3 nt".choose(&mut random).unwrap();
        }
        let _ = batch::write_key(&changed);
        let rejections = match batch::read_head(&changed) {
            Ok((_, events)) => events
                .iter()
                .filter_map(|event| validate::event(event.get(), None).err())
                .flatten()
                .collect(),
            Err(rejections) => {
                assert!((1..=MAX_REJECTIONS).contains(&rejections.len()));
                rejections
            }
        };
        for Rejection {
            pointer, message, ..
        } in rejections
        {
            assert!(
                pointer.len() < 300 && message.len() < 300,
                "{pointer}: {message}"
            );
        }
    }
}

#[test]
fn hostile_names_do_not_reach_the_answer() {
    let name = "n".repeat(100_000);
    let body = format!(r#"{{"{name}": "\ud800", "{name}": 1}}"#);
    let rejections = batch::read_head(body.as_bytes()).unwrap_err();
    assert!(
        rejections
            .iter()
            .all(|rejection| rejection.pointer.len() < 20 && rejection.message.len() < 200)
    );
}
