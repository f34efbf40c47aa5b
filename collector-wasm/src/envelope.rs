//! The envelope: what the core says about an event and about a batch, around what the page says in JSON.

use alloc::string::String;

use crate::id::{self, Random};
use crate::number;

/// What the core says about an event.
#[derive(Clone, Copy, Debug)]
pub struct EventHead {
    /// The browser's clock, milliseconds since the epoch.
    pub now: f64,
    /// Makes the event's id.
    pub random: Random,
    /// The event's number in the session.
    pub seq: u64,
    /// Whether the visitor agreed to analytics.
    pub analytics: bool,
    /// Whether the visitor agreed to advertising.
    pub ads: bool,
}

impl EventHead {
    /// The event as JSON: the head and the members of the JSON object `fields`.
    pub fn with_fields(self, fields: &str) -> String {
        let mut json = String::with_capacity(fields.len() + 200);
        json.push_str("{\"event_id\":\"");
        json.push_str(&id::uuid7(self.now, self.random));
        json.push_str("\",\"event_timestamp\":");
        number::push(&mut json, self.now as u64, 10, 1);
        json.push_str(",\"seq\":");
        number::push(&mut json, self.seq, 10, 1);
        json.push_str(",\"consent\":{\"analytics\":");
        json.push_str(literal(self.analytics));
        json.push_str(",\"ads\":");
        json.push_str(literal(self.ads));
        json.push('}');
        push_members(&mut json, fields);
        json.push('}');
        json
    }
}

/// A batch as JSON: the time, the members of the JSON object `head`, and `events`: JSON objects with commas between.
pub fn batch(sent_at: f64, head: &str, events: &str) -> String {
    let mut json = String::with_capacity(head.len() + events.len() + 50);
    json.push_str("{\"sent_at\":");
    number::push(&mut json, sent_at as u64, 10, 1);
    push_members(&mut json, head);
    json.push_str(",\"events\":[");
    json.push_str(events);
    json.push_str("]}");
    json
}

/// Appends the members of the JSON object `object` to an object that has some already.
fn push_members(json: &mut String, object: &str) {
    let members = object
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .unwrap_or_default();
    if !members.is_empty() {
        json.push(',');
        json.push_str(members);
    }
}

fn literal(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: EventHead = EventHead {
        now: 1_795_392_000_123.0,
        random: [1, 2, 3],
        seq: 3,
        analytics: true,
        ads: false,
    };

    #[test]
    fn an_event_is_head_and_fields_in_one_object() {
        let text = HEAD.with_fields(r#"{"event_type":"search","search_term":"}\"{"}"#);
        let event: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(
            event,
            serde_json::json!({
                "event_id": "01a205b3-d07b-7001-8002-000000000003", "event_timestamp": 1_795_392_000_123_u64, "seq": 3,
                "consent": {"analytics": true, "ads": false}, "event_type": "search", "search_term": "}\"{",
            })
        );
    }

    #[test]
    fn an_event_without_fields_is_json_too() {
        for fields in ["{}", "", "[]", "{"] {
            let event: serde_json::Value =
                serde_json::from_str(&HEAD.with_fields(fields)).expect("JSON");
            assert_eq!(event["seq"], 3, "{fields}");
        }
    }

    #[test]
    fn a_batch_says_once_what_its_events_share() {
        let text = batch(
            5.0,
            r#"{"write_key":"pk_\"demo"}"#,
            r#"{"seq":1},{"seq":2}"#,
        );
        let batch: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(
            batch,
            serde_json::json!({"sent_at": 5, "write_key": "pk_\"demo", "events": [{"seq": 1}, {"seq": 2}]})
        );
    }
}
