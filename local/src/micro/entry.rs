//! One record of either topic as the page shows it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Headers};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use shoptrail_schemas::{Record, wire};

use crate::broker::DEAD_LETTER_TOPIC;

/// A record, judged and written as JSON.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub is_good: bool,
    pub json: String,
    pub labels: Labels,
}

/// What an entry can be found by.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Labels {
    pub event_type: Option<String>,
    pub code: Option<String>,
    pub shop_id: Option<String>,
    pub page_url: Option<String>,
    pub received_at: Option<i64>,
    pub has_warnings: bool,
}

/// What of an event says where it is from. Of a bad one anything may be missing.
#[derive(Default, Deserialize)]
#[serde(default)]
struct EventLabels<'a> {
    #[serde(borrow)]
    event_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    page_url: Option<Cow<'a, str>>,
}

/// Where a record is in Kafka.
#[derive(Default, Serialize)]
struct RecordPosition<'a> {
    topic: &'a str,
    partition: i32,
    offset: i64,
    timestamp: Option<i64>,
    key: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
struct Good<'a> {
    /// The client's text, untouched.
    #[serde(flatten)]
    record: Record<&'a RawValue>,
    schema_id: u32,
    kafka: RecordPosition<'a>,
}

#[derive(Serialize)]
struct Bad<'a> {
    code: Option<&'a str>,
    pointer: Option<&'a str>,
    message: Option<&'a str>,
    rejections: Option<&'a RawValue>,
    shop_id: Option<&'a str>,
    received_at: Option<i64>,
    original: Cow<'a, str>,
    original_encoding: &'static str,
    kafka: RecordPosition<'a>,
}

impl Entry {
    pub(super) fn of(message: &BorrowedMessage) -> Self {
        let payload = message.payload().unwrap_or_default();
        let position = RecordPosition {
            topic: message.topic(),
            partition: message.partition(),
            offset: message.offset(),
            timestamp: message.timestamp().to_millis(),
            key: message.key().map(String::from_utf8_lossy),
        };
        if message.topic() == DEAD_LETTER_TOPIC {
            dead_letter(payload, &headers(message), position)
        } else {
            record(payload, position)
        }
    }
}

/// A record of the main topic. One that cannot be decoded goes to quarantine when it lands, so it counts as bad.
fn record(payload: &[u8], kafka: RecordPosition) -> Entry {
    let decoded = wire::decode(payload)
        .map_err(|error| error.to_string())
        .and_then(|(schema_id, text)| {
            let record: Record<&RawValue> =
                serde_json::from_slice(text).map_err(|error| error.to_string())?;
            Ok((schema_id, record))
        });
    match decoded {
        Ok((schema_id, record)) => Entry {
            is_good: true,
            labels: labels_of(&record),
            json: json(&Good {
                record,
                schema_id,
                kafka,
            }),
        },
        Err(reason) => {
            let headers = [
                ("shoptrail.code", "undecodable"),
                ("shoptrail.message", reason.as_str()),
            ];
            dead_letter(
                payload,
                &headers
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .into(),
                kafka,
            )
        }
    }
}

fn labels_of(record: &Record<&RawValue>) -> Labels {
    let event: EventLabels = serde_json::from_str(record.event.get()).unwrap_or_default();
    Labels {
        event_type: event.event_type.map(Cow::into_owned),
        code: None,
        shop_id: Some(record.edge.shop_id.clone()),
        page_url: event.page_url.map(Cow::into_owned),
        received_at: Some(record.edge.received_at),
        has_warnings: !record.edge.warnings.is_empty(),
    }
}

/// The refused bytes and why. Bytes that are no text are shown in base64.
fn dead_letter(payload: &[u8], headers: &BTreeMap<String, String>, kafka: RecordPosition) -> Entry {
    let header = |name: &str| {
        headers
            .get(&format!("shoptrail.{name}"))
            .map(String::as_str)
    };
    let (original_encoding, original) = match std::str::from_utf8(payload) {
        Ok(text) => ("text", text.into()),
        Err(_) => ("base64", BASE64_STANDARD.encode(payload).into()),
    };
    let received_at = header("received_at").and_then(|text| text.parse().ok());
    let event: EventLabels = serde_json::from_slice(payload).unwrap_or_default();
    Entry {
        is_good: false,
        labels: Labels {
            event_type: event.event_type.map(Cow::into_owned),
            code: header("code").map(str::to_owned),
            shop_id: header("shop_id").map(str::to_owned),
            page_url: event.page_url.map(Cow::into_owned),
            received_at,
            has_warnings: false,
        },
        json: json(&Bad {
            code: header("code"),
            pointer: header("pointer"),
            message: header("message"),
            rejections: header("rejections").and_then(|text| serde_json::from_str(text).ok()),
            shop_id: header("shop_id"),
            received_at,
            original,
            original_encoding,
            kafka,
        }),
    }
}

/// Strings, numbers and JSON that was read before always have a JSON form.
fn json(entry: &impl Serialize) -> String {
    serde_json::to_string(entry).unwrap_or_else(|_| "null".to_owned())
}

fn headers(message: &BorrowedMessage) -> BTreeMap<String, String> {
    let headers = message
        .headers()
        .map(|headers| headers.iter().collect::<Vec<_>>())
        .unwrap_or_default();
    headers
        .into_iter()
        .map(|header| {
            (
                header.key.to_owned(),
                String::from_utf8_lossy(header.value.unwrap_or_default()).into_owned(),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const RECORD: &str = r#"{"event":{"z": 1.0, "a":"<b>"},"batch":{"sent_at":1,"tracker":{"name":"t","version":"1"}},
        "edge":{"received_at":2,"shop_id":"demo","schema_version":1,"device":"desktop","browser":"Chrome","os":"Linux",
        "bot_score":0,"bot_reasons":[]}}"#;

    fn bad(entry: Entry) -> Value {
        assert!(!entry.is_good, "{entry:?}");
        serde_json::from_str(&entry.json).expect("an entry is JSON")
    }

    #[test]
    fn record_shows_the_event_as_it_was_sent() {
        let entry = record(
            &wire::encode(100_001, RECORD.as_bytes()),
            RecordPosition::default(),
        );
        assert!(entry.is_good, "{entry:?}");
        let text = &entry.json;
        assert!(
            text.starts_with(r#"{"event":{"z": 1.0, "a":"<b>"},"batch":{"#),
            "{text}"
        );
        let entry: Value = serde_json::from_str(text).expect("an entry is JSON");
        assert_eq!(
            (&entry["schema_id"], &entry["edge"]["shop_id"]),
            (&json!(100_001), &json!("demo"))
        );
    }

    #[test]
    fn entry_is_found_by_what_its_event_says() {
        let text = RECORD
            .replace(
                r#"{"z": 1.0, "a":"<b>"}"#,
                r#"{"event_type":"search","page_url":"http://shop.example/s"}"#,
            )
            .replace(
                r#""bot_reasons":[]"#,
                r#""bot_reasons":[],"warnings":[{"code":"rounded","pointer":"/value","message":"m"}]"#,
            );
        let entry = record(&wire::encode(1, text.as_bytes()), RecordPosition::default());
        let expected = Labels {
            event_type: Some("search".to_owned()),
            code: None,
            shop_id: Some("demo".to_owned()),
            page_url: Some("http://shop.example/s".to_owned()),
            received_at: Some(2),
            has_warnings: true,
        };
        assert_eq!(entry.labels, expected);
        let headers = [("shoptrail.code".to_owned(), "missing".to_owned())];
        let refused = br#"{"event_type":"purchase","page_url":5}"#;
        let entry = dead_letter(refused, &headers.into(), RecordPosition::default());
        assert_eq!(entry.labels.code.as_deref(), Some("missing"));
        assert_eq!(entry.labels.event_type, None, "no text can be told of it");
    }

    #[test]
    fn undecodable_record_is_bad_and_keeps_its_bytes() {
        let entry = bad(record(b"\x01\xff\xff\xff\xff{}", RecordPosition::default()));
        assert_eq!(entry["code"], "undecodable");
        assert_eq!(
            (&entry["original_encoding"], &entry["original"]),
            (&json!("base64"), &json!("Af////97fQ=="))
        );
        assert_eq!(
            bad(record(&wire::encode(1, b"{}"), RecordPosition::default()))["code"],
            "undecodable"
        );
    }

    #[test]
    fn dead_letter_shows_its_reasons_and_its_text() {
        let headers = [
            ("shoptrail.code", "missing"),
            ("shoptrail.pointer", "/seq"),
            ("shoptrail.received_at", "1795392000123"),
            ("shoptrail.rejections", r#"[{"code":"missing"}]"#),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let entry = bad(dead_letter(
            b"<b>{",
            &headers.into(),
            RecordPosition::default(),
        ));
        assert_eq!(
            (&entry["code"], &entry["pointer"]),
            (&json!("missing"), &json!("/seq"))
        );
        assert_eq!(entry["received_at"], 1_795_392_000_123_i64);
        assert_eq!(entry["rejections"], json!([{"code": "missing"}]));
        assert_eq!(
            (&entry["original_encoding"], &entry["original"]),
            (&json!("text"), &json!("<b>{"))
        );
    }
}
