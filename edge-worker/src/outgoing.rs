//! One Kafka record on its way: what a queue message parks and what a produce call sends.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A Kafka record that is not in Kafka yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Outgoing {
    /// Where it goes.
    pub topic: Topic,
    /// The Kafka key's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Kafka headers: names and texts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// The Kafka value, without the wire format's header.
    pub value: Payload,
}

/// The two topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Good events, in Confluent's wire format.
    Events,
    /// What was refused, as it came.
    DeadLetters,
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
