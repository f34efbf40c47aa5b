//! Dead letters: what was refused goes to a topic of its own with its bytes and the reason, in headers as Kafka Connect
//! writes them, so that a person can look, repair and replay.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::value::RawValue;
use shoptrail_schemas::Rejection;

use crate::outgoing::{Outgoing, Payload, Topic};

/// An event that the contract refuses: its JSON text as it came.
#[must_use]
pub fn event(
    event: &RawValue,
    rejections: &[Rejection],
    shop_id: &str,
    received_at: i64,
) -> Outgoing {
    letter(
        Payload::Json(event.to_owned()),
        rejections_headers(rejections),
        Some(shop_id),
        received_at,
    )
}

/// A body whose envelope is wrong, so that its events are not to be told apart.
#[must_use]
pub fn body(body: &[u8], rejections: &[Rejection], shop_id: &str, received_at: i64) -> Outgoing {
    letter(
        Payload::Base64(BASE64.encode(body)),
        rejections_headers(rejections),
        Some(shop_id),
        received_at,
    )
}

/// A queue message that is none of ours, found at `now` in milliseconds since the epoch.
#[must_use]
pub fn queue_message(text: &str, cause: &str, now: i64) -> Outgoing {
    let message = format!("the queue message cannot be read: {cause}");
    letter(
        Payload::Base64(BASE64.encode(text)),
        headers("undecodable_message", "", &message),
        None,
        now,
    )
}

/// A good event that Kafka refuses, and would refuse again: too large for the topic, for example.
#[must_use]
pub fn refused_by_kafka(record: &Outgoing, reason: &str) -> Outgoing {
    #[derive(Deserialize)]
    struct Record {
        edge: Edge,
    }
    #[derive(Deserialize)]
    struct Edge {
        shop_id: String,
        received_at: i64,
    }
    let edge = match &record.value {
        Payload::Json(json) => serde_json::from_str::<Record>(json.get())
            .ok()
            .map(|record| record.edge),
        Payload::Base64(_) => None,
    };
    let (shop_id, received_at) = edge.as_ref().map_or((None, 0), |edge| {
        (Some(edge.shop_id.as_str()), edge.received_at)
    });
    let headers = headers("refused_by_kafka", "", reason);
    Outgoing {
        key: record.key.clone(),
        ..letter(record.value.clone(), headers, shop_id, received_at)
    }
}

type Headers = Vec<(String, String)>;

fn letter(
    value: Payload,
    mut headers: Headers,
    shop_id: Option<&str>,
    received_at: i64,
) -> Outgoing {
    if let Some(shop_id) = shop_id {
        headers.push(header("shop_id", shop_id));
    }
    headers.push(header("received_at", &received_at.to_string()));
    Outgoing {
        topic: Topic::DeadLetters,
        key: None,
        headers,
        value,
    }
}

/// The first rejection on its own, to filter by, and all of them.
fn rejections_headers(rejections: &[Rejection]) -> Headers {
    let mut all = match rejections.first() {
        Some(first) => headers(first.code.as_str(), &first.pointer, &first.message),
        None => Vec::new(),
    };
    all.push(header(
        "rejections",
        &serde_json::json!(rejections).to_string(),
    ));
    all
}

fn headers(code: &str, pointer: &str, message: &str) -> Headers {
    vec![
        header("code", code),
        header("pointer", pointer),
        header("message", message),
    ]
}

fn header(name: &str, value: &str) -> (String, String) {
    (format!("shoptrail.{name}"), value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(letter: &Outgoing, name: &str) -> Option<String> {
        letter
            .headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.clone())
    }

    #[test]
    fn event_keeps_its_bytes_and_all_reasons() {
        let text = "{ \"event_type\" :\n\"nope\" }";
        let rejections = shoptrail_schemas::validate::event(text).unwrap_err();
        let raw = serde_json::from_str::<&RawValue>(text).unwrap();
        let letter = event(raw, &rejections, "demo", 7);
        let Payload::Json(json) = &letter.value else {
            panic!("an event is JSON")
        };
        assert_eq!(json.get(), text);
        assert_eq!(
            value(&letter, "shoptrail.code").as_deref(),
            Some(rejections[0].code.as_str())
        );
        assert_eq!(
            value(&letter, "shoptrail.pointer").as_deref(),
            Some(rejections[0].pointer.as_str())
        );
        assert_eq!(value(&letter, "shoptrail.shop_id").as_deref(), Some("demo"));
        assert_eq!(
            value(&letter, "shoptrail.received_at").as_deref(),
            Some("7")
        );
        let all: Vec<Rejection> =
            serde_json::from_str(&value(&letter, "shoptrail.rejections").unwrap()).unwrap();
        assert_eq!(all, rejections);
    }

    #[test]
    fn event_that_kafka_refuses_keeps_its_key_and_origin() {
        let json = r#"{"event":{},"edge":{"shop_id":"demo","received_at":7}}"#;
        let record = Outgoing {
            topic: Topic::Events,
            key: Some("visitor".to_owned()),
            headers: Vec::new(),
            value: Payload::Json(RawValue::from_string(json.to_owned()).unwrap()),
        };
        let letter = refused_by_kafka(&record, "record too large");
        assert_eq!(
            (letter.topic, letter.key.as_deref()),
            (Topic::DeadLetters, Some("visitor"))
        );
        assert_eq!(
            value(&letter, "shoptrail.code").as_deref(),
            Some("refused_by_kafka")
        );
        assert_eq!(
            value(&letter, "shoptrail.message").as_deref(),
            Some("record too large")
        );
        assert_eq!(
            value(&letter, "shoptrail.received_at").as_deref(),
            Some("7")
        );
    }
}
