//! The produce call's request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};
use shoptrail_schemas::wire;

use crate::config::Kafka;
use crate::outgoing::{Outgoing, Payload, Topic};

/// Returns the call's address.
#[must_use]
pub fn url(kafka: &Kafka, topic: Topic) -> String {
    let suffix = match topic {
        Topic::Events => "",
        Topic::DeadLetters => ".dlq",
    };
    let Kafka {
        rest_url,
        cluster_id,
        topic,
        ..
    } = kafka;
    format!("{rest_url}/v3/clusters/{cluster_id}/topics/{topic}{suffix}/records")
}

/// Returns the `Authorization` header.
#[must_use]
pub fn authorization(kafka: &Kafka) -> String {
    format!(
        "Basic {}",
        BASE64.encode(format!("{}:{}", kafka.api_key, kafka.api_secret))
    )
}

/// Returns one record's JSON object. The body is such objects one after another, without a list around them.
///
/// Confluent Cloud takes no schemas here (`JSONSCHEMA` is for self-hosted gateways), so the value is `BINARY` with the wire
/// format's header already in it.
#[must_use]
pub fn object(record: &Outgoing, schema_id: u32) -> String {
    let mut object = Map::new();
    if !record.headers.is_empty() {
        let header =
            |(name, value): &(String, String)| json!({"name": name, "value": BASE64.encode(value)});
        object.insert(
            "headers".to_owned(),
            record.headers.iter().map(header).collect(),
        );
    }
    if let Some(key) = &record.key {
        object.insert("key".to_owned(), binary(BASE64.encode(key)));
    }
    let value = match (&record.value, record.topic) {
        (Payload::Json(json), Topic::Events) => {
            BASE64.encode(wire::encode(schema_id, json.get().as_bytes()))
        }
        (Payload::Json(json), Topic::DeadLetters) => BASE64.encode(json.get()),
        (Payload::Base64(text), _) => text.clone(),
    };
    object.insert("value".to_owned(), binary(value));
    Value::Object(object).to_string()
}

fn binary(data: String) -> Value {
    json!({"type": "BINARY", "data": data})
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn kafka() -> Kafka {
        Kafka {
            rest_url: "https://pkc.example/kafka".to_owned(),
            cluster_id: "lkc-1".to_owned(),
            topic: "clickstream_event_v3".to_owned(),
            schema_id: 0x0001_86A1,
            api_key: "key".to_owned(),
            api_secret: "secret".to_owned(),
        }
    }

    fn record(topic: Topic) -> Outgoing {
        Outgoing {
            topic,
            key: Some("visitor".to_owned()),
            headers: vec![("shoptrail.code".to_owned(), "missing".to_owned())],
            value: Payload::Json(RawValue::from_string("{}".to_owned()).unwrap()),
        }
    }

    #[test]
    fn dead_letters_have_their_own_topic() {
        let url = url(&kafka(), Topic::DeadLetters);
        assert_eq!(
            url,
            "https://pkc.example/kafka/v3/clusters/lkc-1/topics/clickstream_event_v3.dlq/records"
        );
    }

    #[test]
    fn event_is_in_the_wire_format_and_a_dead_letter_is_not() {
        let value = |topic| {
            let object: Value = serde_json::from_str(&object(&record(topic), 0x0001_86A1)).unwrap();
            assert_eq!(object["value"]["type"], "BINARY");
            assert_eq!(
                object["key"],
                json!({"type": "BINARY", "data": BASE64.encode("visitor")})
            );
            assert_eq!(
                object["headers"],
                json!([{"name": "shoptrail.code", "value": BASE64.encode("missing")}])
            );
            BASE64
                .decode(object["value"]["data"].as_str().unwrap())
                .unwrap()
        };
        assert_eq!(value(Topic::Events), b"\x00\x00\x01\x86\xa1{}");
        assert_eq!(value(Topic::DeadLetters), b"{}");
    }

    #[test]
    fn credentials_are_basic() {
        assert_eq!(authorization(&kafka()), "Basic a2V5OnNlY3JldA==");
    }
}
