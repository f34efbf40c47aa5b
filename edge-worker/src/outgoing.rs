//! One Kafka record on its way: what a queue message holds and what a produce call sends.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The two topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// Good events, in Confluent's wire format.
    Events,
    /// What was refused, as it came.
    DeadLetters,
}

/// A Kafka record that is not in Kafka yet.
#[derive(Debug, Clone)]
pub enum Outgoing {
    /// A good event.
    Event(OutgoingEvent),
    /// What was refused.
    DeadLetter(DeadLetter),
}

/// A good event, in the parts that its record is written from.
#[derive(Debug, Clone)]
pub struct OutgoingEvent {
    /// What it shares with its batch.
    pub common: Rc<Common>,
    /// The Kafka key's text.
    pub key: String,
    /// The event's JSON.
    pub event: Box<str>,
    /// What the edge says of this event alone, a JSON object.
    pub derived: Box<str>,
}

/// What all good events of a batch share, as two JSON objects: written once, however many events there are.
#[derive(Debug, Clone)]
pub struct Common {
    /// What the client said about the batch.
    pub batch: Box<RawValue>,
    /// What the edge knows about the request.
    pub edge: Box<RawValue>,
}

/// What was refused, with the reasons.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The Kafka key's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Kafka headers: names and texts.
    pub headers: Vec<(String, String)>,
    /// What was refused.
    pub value: Payload,
    /// What a refused event shared with its batch: with it the event can be judged again. A queue message has it once.
    #[serde(skip)]
    pub common: Option<Rc<Common>>,
}

/// Bytes in the shortest form that a JSON text can carry.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// A JSON text, byte for byte.
    Json(Box<RawValue>),
    /// Anything else, as base64.
    Base64(String),
}

impl Outgoing {
    /// Returns where it goes.
    #[must_use]
    pub const fn topic(&self) -> Topic {
        match self {
            Self::Event(_) => Topic::Events,
            Self::DeadLetter(_) => Topic::DeadLetters,
        }
    }

    /// Returns what it shares with its batch.
    #[must_use]
    pub const fn common(&self) -> Option<&Rc<Common>> {
        match self {
            Self::Event(event) => Some(&event.common),
            Self::DeadLetter(letter) => letter.common.as_ref(),
        }
    }

    /// Returns about how many bytes it has.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Event(event) => event.bytes(),
            Self::DeadLetter(letter) => letter.bytes(),
        }
    }
}

impl OutgoingEvent {
    /// Writes the record: `{event, batch, edge}`.
    #[must_use]
    pub fn record(&self) -> String {
        let Common { batch, edge } = self.common.as_ref();
        let shared = edge.get().strip_suffix('}').unwrap_or_default();
        let own = self.derived.strip_prefix('{').unwrap_or_default();
        let comma = if own == "}" { "" } else { "," };
        [
            r#"{"event":"#,
            &self.event,
            r#","batch":"#,
            batch.get(),
            r#","edge":"#,
            shared,
            comma,
            own,
            "}",
        ]
        .concat()
    }

    /// Returns about how many bytes its record has.
    fn bytes(&self) -> usize {
        let Common { batch, edge } = self.common.as_ref();
        let parts = [&*self.event, &*self.derived, batch.get(), edge.get()];
        parts.iter().map(|part| part.len()).sum()
    }
}

impl DeadLetter {
    /// Returns the headers of its Kafka record: its own, and what its batch shared.
    #[must_use]
    pub fn all_headers(&self) -> Vec<(&str, &str)> {
        let own = self.headers.iter();
        let mut all: Vec<_> = own
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        if let Some(common) = &self.common {
            all.push(("shoptrail.batch", common.batch.get()));
            all.push(("shoptrail.edge", common.edge.get()));
        }
        all
    }

    /// Returns about how many bytes it has, headers included.
    fn bytes(&self) -> usize {
        let headers = self.headers.iter();
        let headers = headers.map(|(name, value)| name.len().saturating_add(value.len()));
        let value = match &self.value {
            Payload::Json(json) => json.get().len(),
            Payload::Base64(text) => text.len(),
        };
        let common = self.common.as_ref().map_or(0, |common| {
            common
                .batch
                .get()
                .len()
                .saturating_add(common.edge.get().len())
        });
        headers
            .sum::<usize>()
            .saturating_add(value)
            .saturating_add(common)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    /// An event whose JSON is a text, or whatever is given.
    pub(crate) fn event(key: &str, json: &str) -> Outgoing {
        Outgoing::Event(OutgoingEvent {
            common: Rc::new(Common {
                batch: raw(r#"{"sent_at":1}"#),
                edge: raw(r#"{"shop_id":"demo","received_at":7}"#),
            }),
            key: key.to_owned(),
            event: json.into(),
            derived: "{}".into(),
        })
    }

    pub(crate) fn letter(json: &str) -> Outgoing {
        Outgoing::DeadLetter(DeadLetter {
            key: None,
            headers: vec![("shoptrail.code".to_owned(), "missing".to_owned())],
            value: Payload::Json(raw(json)),
            common: None,
        })
    }

    #[test]
    fn record_is_written_from_its_parts() {
        let Outgoing::Event(mut event) = event("v", "{}") else {
            panic!("it is an event")
        };
        let shared =
            r#"{"event":{},"batch":{"sent_at":1},"edge":{"shop_id":"demo","received_at":7"#;
        assert_eq!(event.record(), format!("{shared}}}}}"));
        event.derived = r#"{"channel":"Direct"}"#.into();
        assert_eq!(
            event.record(),
            format!(r#"{shared},"channel":"Direct"}}}}"#)
        );
    }
}
