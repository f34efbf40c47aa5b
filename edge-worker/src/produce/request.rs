//! The produce call's request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use shoptrail_schemas::wire;

use crate::config::Kafka;
use crate::outgoing::{Outgoing, Payload, Topic};

/// Returns the call's address.
#[must_use]
pub fn url(kafka: &Kafka, topic: Topic) -> String {
    format!("{}/records", topic_url(kafka, topic))
}

/// Returns a topic's address.
#[must_use]
pub fn topic_url(kafka: &Kafka, topic: Topic) -> String {
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
    format!("{rest_url}/v3/clusters/{cluster_id}/topics/{topic}{suffix}")
}

/// Returns the `Authorization` header.
#[must_use]
pub fn authorization(kafka: &Kafka) -> String {
    format!(
        "Basic {}",
        BASE64.encode(format!("{}:{}", kafka.api_key, kafka.api_secret))
    )
}

/// Writes one record's JSON object. The body is such objects one after another, without a list around them.
///
/// Confluent Cloud takes no schemas here (`JSONSCHEMA` is for self-hosted gateways), so the value is `BINARY` with the wire
/// format's header already in it.
pub fn write(body: &mut String, record: &Outgoing, schema_id: u32) {
    let key = match record {
        Outgoing::Event(event) => Some(&event.key),
        Outgoing::DeadLetter(letter) => letter.key.as_ref(),
    };
    body.push('{');
    if let Outgoing::DeadLetter(letter) = record {
        write_headers(body, &letter.all_headers());
    }
    if let Some(key) = key {
        body.push_str(r#""key":"#);
        write_binary(body, |text| BASE64.encode_string(key, text));
        body.push(',');
    }
    body.push_str(r#""value":"#);
    write_binary(body, |text| match record {
        Outgoing::Event(event) => {
            BASE64.encode_string(wire::encode(schema_id, event.record().as_bytes()), text);
        }
        Outgoing::DeadLetter(letter) => match &letter.value {
            Payload::Json(json) => BASE64.encode_string(json.get(), text),
            Payload::Base64(base64) => text.push_str(base64),
        },
    });
    body.push('}');
}

/// Our headers' names need no escapes.
fn write_headers(body: &mut String, headers: &[(&str, &str)]) {
    body.push_str(r#""headers":["#);
    for (position, (name, value)) in headers.iter().enumerate() {
        let comma = if position == 0 { "" } else { "," };
        body.extend([comma, r#"{"name":""#, name, r#"","value":""#]);
        BASE64.encode_string(value, body);
        body.push_str(r#""}"#);
    }
    body.push_str("],");
}

fn write_binary(body: &mut String, data: impl FnOnce(&mut String)) {
    body.push_str(r#"{"type":"BINARY","data":""#);
    data(body);
    body.push_str(r#""}"#);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::outgoing::tests::{event, letter};

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

    fn written(record: &Outgoing) -> (Value, Vec<u8>) {
        let mut body = String::new();
        write(&mut body, record, 0x0001_86A1);
        let object: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(object["value"]["type"], "BINARY");
        let data = object["value"]["data"].as_str().unwrap();
        let bytes = BASE64.decode(data).unwrap();
        (object, bytes)
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
    fn event_is_in_the_wire_format_under_its_key() {
        let record = event("visitor", "{}");
        let Outgoing::Event(event) = &record else {
            panic!("it is an event")
        };
        let (object, bytes) = written(&record);
        assert_eq!(bytes, wire::encode(0x0001_86A1, event.record().as_bytes()));
        assert_eq!(
            object["key"],
            json!({"type": "BINARY", "data": BASE64.encode("visitor")})
        );
        assert_eq!(object.get("headers"), None);
    }

    #[test]
    fn dead_letter_is_as_it_came_with_its_headers() {
        let (object, bytes) = written(&letter("17"));
        assert_eq!(bytes, b"17");
        assert_eq!(object.get("key"), None);
        assert_eq!(
            object["headers"],
            json!([{"name": "shoptrail.code", "value": BASE64.encode("missing")}])
        );
    }

    #[test]
    fn credentials_are_basic() {
        assert_eq!(authorization(&kafka()), "Basic a2V5OnNlY3JldA==");
    }
}
