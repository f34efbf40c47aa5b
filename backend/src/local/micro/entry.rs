//! One message of either topic as the page shows it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Headers};
use serde_json::{Value, json};
use shoptrail_schemas::wire;

use crate::local::broker::DEAD_LETTER_TOPIC;

/// Which list an entry belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Good,
    Bad,
}

/// A message, judged and written as JSON.
pub(super) struct Entry {
    pub verdict: Verdict,
    pub json: Value,
}

impl Entry {
    pub(super) fn of(message: &BorrowedMessage) -> Self {
        let payload = message.payload().unwrap_or_default();
        let mut entry = if message.topic() == DEAD_LETTER_TOPIC {
            Self { verdict: Verdict::Bad, json: dead_letter(payload, &headers(message)) }
        } else {
            Self::record(payload)
        };
        entry.json["kafka"] = json!({
            "topic": message.topic(),
            "partition": message.partition(),
            "offset": message.offset(),
            "timestamp": message.timestamp().to_millis(),
            "key": message.key().map(String::from_utf8_lossy),
        });
        entry
    }

    /// A record of the main topic. One that cannot be decoded will go to quarantine when it lands, so it is shown as bad.
    fn record(payload: &[u8]) -> Self {
        let decoded = wire::decode(payload).map_err(|error| error.to_string()).and_then(|(schema_id, text)| {
            let record: Value = serde_json::from_slice(text).map_err(|error| error.to_string())?;
            Ok((schema_id, record))
        });
        match decoded {
            Ok((schema_id, record)) => {
                let json = json!({
                    "schema_id": schema_id, "event": record["event"], "batch": record["batch"], "edge": record["edge"],
                });
                Self { verdict: Verdict::Good, json }
            }
            Err(reason) => {
                let headers = BTreeMap::from([
                    ("shoptrail.code".to_owned(), "undecodable".to_owned()),
                    ("shoptrail.message".to_owned(), reason),
                ]);
                Self { verdict: Verdict::Bad, json: dead_letter(payload, &headers) }
            }
        }
    }
}

/// The refused bytes and why. Bytes that are no text are shown in base64.
fn dead_letter(payload: &[u8], headers: &BTreeMap<String, String>) -> Value {
    let header = |name: &str| headers.get(&format!("shoptrail.{name}"));
    let rejections = header("rejections").and_then(|text| serde_json::from_str::<Value>(text).ok());
    let (encoding, original) = match std::str::from_utf8(payload) {
        Ok(text) => ("text", text.to_owned()),
        Err(_) => ("base64", BASE64_STANDARD.encode(payload)),
    };
    json!({
        "code": header("code"),
        "pointer": header("pointer"),
        "message": header("message"),
        "shop_id": header("shop_id"),
        "received_at": header("received_at").and_then(|text| text.parse::<i64>().ok()),
        "rejections": rejections,
        "original": original,
        "original_encoding": encoding,
    })
}

fn headers(message: &BorrowedMessage) -> BTreeMap<String, String> {
    let headers = message.headers().map(|headers| headers.iter().collect::<Vec<_>>()).unwrap_or_default();
    headers
        .into_iter()
        .map(|header| (header.key.to_owned(), String::from_utf8_lossy(header.value.unwrap_or_default()).into_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_shows_its_three_parts() {
        let bytes = wire::encode(100_001, br#"{"event":{"seq":1},"batch":{},"edge":{"shop_id":"demo"}}"#);
        let entry = Entry::record(&bytes);
        assert_eq!(entry.verdict, Verdict::Good);
        assert_eq!(entry.json["schema_id"], 100_001);
        assert_eq!(entry.json["event"]["seq"], 1);
        assert_eq!(entry.json["edge"]["shop_id"], "demo");
    }

    #[test]
    fn undecodable_record_is_bad_and_keeps_its_bytes() {
        let entry = Entry::record(b"\x01\xff\xff\xff\xff{}");
        assert_eq!(entry.verdict, Verdict::Bad);
        assert_eq!(entry.json["code"], "undecodable");
        assert_eq!(
            (&entry.json["original_encoding"], &entry.json["original"]),
            (&json!("base64"), &json!("Af////97fQ=="))
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
        let json = dead_letter(b"<b>{", &BTreeMap::from(headers));
        assert_eq!((&json["code"], &json["pointer"]), (&json!("missing"), &json!("/seq")));
        assert_eq!(json["received_at"], 1_795_392_000_123_i64);
        assert_eq!(json["rejections"], json!([{"code": "missing"}]));
        assert_eq!((&json["original_encoding"], &json["original"]), (&json!("text"), &json!("<b>{")));
    }
}
