//! One record of a produce call: what the Cloud's REST Produce v3 takes, and the errors it has for the rest.
//!
//! Source: Confluent Cloud API, "Produce records". Types with schemas (`JSONSCHEMA`, `AVRO`, `PROTOBUF`) are for
//! self-hosted clusters: the Cloud refuses them, and so does this.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::DateTime;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::broker::MAX_MESSAGE_BYTES;

/// A record, decoded.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ProduceRecord {
    /// Chosen by the client, else by the key.
    pub partition: Option<i32>,
    /// Names and bytes; a name may come twice, a value may be null.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// The key, if one was given.
    pub key: Option<RecordPart>,
    /// The value, if one was given.
    pub value: Option<RecordPart>,
    /// Milliseconds since the epoch; none means now.
    pub timestamp: Option<i64>,
}

/// A key or a value.
#[derive(Debug, PartialEq, Eq)]
pub struct RecordPart {
    /// How it was written.
    pub kind: PartKind,
    /// Its bytes; none is Kafka's null, as value a tombstone.
    pub bytes: Option<Vec<u8>>,
}

/// How the data of a part is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum PartKind {
    /// Base64.
    Binary,
    /// Any JSON, kept as its text.
    Json,
    /// A string, kept as UTF-8.
    String,
}

/// Why a record is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The next record is read nevertheless.
    #[error("Bad Request: {0}")]
    Invalid(String),
    /// Ends the stream.
    #[error(
        "Bad Request: Record is {0} bytes, larger than the maximum of {MAX_MESSAGE_BYTES} bytes"
    )]
    TooLarge(usize),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordText<'a> {
    partition_id: Option<i32>,
    #[serde(default)]
    headers: Vec<HeaderText>,
    #[serde(borrow)]
    key: Option<PartText<'a>>,
    #[serde(borrow)]
    value: Option<PartText<'a>>,
    timestamp: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderText {
    name: String,
    value: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PartText<'a> {
    #[serde(rename = "type")]
    kind: PartKind,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

impl ProduceRecord {
    /// Reads the JSON of one record.
    ///
    /// # Errors
    /// Returns an error if a field is unknown or of the wrong kind, base64 or a time cannot be read, or the record is too large.
    pub fn parse(text: &str) -> Result<Self, RecordError> {
        let read: RecordText =
            serde_json::from_str(text).map_err(|error| invalid("record", &error))?;
        let record = Self {
            partition: read.partition_id,
            headers: read
                .headers
                .into_iter()
                .map(header)
                .collect::<Result<_, _>>()?,
            key: read.key.map(|part| part.decode("key")).transpose()?,
            value: read.value.map(|part| part.decode("value")).transpose()?,
            timestamp: read.timestamp.as_deref().map(milliseconds).transpose()?,
        };
        match record.bytes() {
            bytes if bytes > MAX_MESSAGE_BYTES => Err(RecordError::TooLarge(bytes)),
            _ => Ok(record),
        }
    }

    /// Bytes of key, value and headers.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let parts = [&self.key, &self.value]
            .into_iter()
            .flatten()
            .map(RecordPart::size)
            .sum::<usize>();
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| name.len() + value.as_ref().map_or(0, Vec::len));
        parts + headers.sum::<usize>()
    }
}

impl RecordPart {
    /// Bytes; 0 for null.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.as_ref().map_or(0, Vec::len)
    }
}

impl PartText<'_> {
    fn decode(self, place: &str) -> Result<RecordPart, RecordError> {
        let bytes = self
            .data
            .map(|data| self.kind.decode(data, place))
            .transpose()?;
        Ok(RecordPart {
            kind: self.kind,
            bytes,
        })
    }
}

impl PartKind {
    fn decode(self, data: &RawValue, place: &str) -> Result<Vec<u8>, RecordError> {
        if self == Self::Json {
            return Ok(data.get().into());
        }
        let text: String = serde_json::from_str(data.get())
            .map_err(|_| RecordError::Invalid(format!("{place}.data must be a string")))?;
        match self {
            Self::Binary => base64(&text, place),
            Self::Json | Self::String => Ok(text.into_bytes()),
        }
    }
}

fn header(header: HeaderText) -> Result<(String, Option<Vec<u8>>), RecordError> {
    let value = header
        .value
        .map(|text| base64(&text, "headers.value"))
        .transpose()?;
    Ok((header.name, value))
}

fn base64(text: &str, place: &str) -> Result<Vec<u8>, RecordError> {
    BASE64_STANDARD
        .decode(text)
        .map_err(|error| invalid(place, &error))
}

fn milliseconds(text: &str) -> Result<i64, RecordError> {
    let time = DateTime::parse_from_rfc3339(text).map_err(|error| invalid("timestamp", &error))?;
    Ok(time.timestamp_millis())
}

fn invalid(place: &str, error: &dyn std::error::Error) -> RecordError {
    RecordError::Invalid(format!("{place}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        ProduceRecord::parse(text).expect_err(text).to_string()
    }

    #[test]
    fn every_field_is_read() {
        let record = ProduceRecord::parse(
            r#"{"partition_id":2,"headers":[{"name":"a","value":"AAE="},{"name":"a","value":null}],
            "key":{"type":"STRING","data":"k\u00fc"},"value":{"type":"BINARY","data":"AAAAAAd7fQ=="},
            "timestamp":"2026-11-22T10:00:00.123+01:00"}"#,
        );
        let expected = ProduceRecord {
            partition: Some(2),
            headers: vec![("a".to_owned(), Some(vec![0, 1])), ("a".to_owned(), None)],
            key: Some(RecordPart {
                kind: PartKind::String,
                bytes: Some("kü".into()),
            }),
            value: Some(RecordPart {
                kind: PartKind::Binary,
                bytes: Some(b"\0\0\0\0\x07{}".to_vec()),
            }),
            timestamp: Some(1_795_338_000_123),
        };
        assert_eq!(record, Ok(expected));
    }

    #[test]
    fn null_or_absent_data_is_a_tombstone() {
        for text in [
            r#"{"value":{"type":"BINARY","data":null}}"#,
            r#"{"value":{"type":"BINARY"}}"#,
        ] {
            let value = ProduceRecord::parse(text).expect("it is a record").value;
            assert_eq!(
                value,
                Some(RecordPart {
                    kind: PartKind::Binary,
                    bytes: None
                })
            );
        }
        assert_eq!(ProduceRecord::parse("{}"), Ok(ProduceRecord::default()));
    }

    #[test]
    fn json_data_keeps_its_text() {
        let record = ProduceRecord::parse(r#"{"value":{"type":"JSON","data":{"b": 1.0, "a":[]}}}"#)
            .expect("it is a record");
        assert_eq!(
            record.value.and_then(|value| value.bytes),
            Some(br#"{"b": 1.0, "a":[]}"#.to_vec())
        );
    }

    #[test]
    fn types_with_schemas_are_refused_as_in_the_cloud() {
        let message = refused(r#"{"value":{"type":"JSONSCHEMA","data":{}}}"#);
        assert!(
            message.contains("`JSONSCHEMA`, expected one of `BINARY`, `JSON`, `STRING`"),
            "{message}"
        );
        let message = refused(r#"{"value":{"type":"BINARY","schema_id":1,"data":""}}"#);
        assert!(message.contains("unknown field `schema_id`"), "{message}");
    }

    #[test]
    fn bad_records_name_the_place() {
        assert!(
            refused(r#"{"value":{"type":"BINARY","data":"%"}}"#)
                .starts_with("Bad Request: value: ")
        );
        assert!(
            refused(r#"{"key":{"type":"BINARY","data":1}}"#).contains("key.data must be a string")
        );
        assert!(refused(r#"{"headers":[{"name":"a","value":"%"}]}"#).contains("headers.value"));
        assert!(refused(r#"{"timestamp":"yesterday"}"#).contains("timestamp"));
        assert!(refused(r#"{"valeu":{}}"#).contains("unknown field `valeu`"));
    }

    #[test]
    fn record_over_the_largest_message_is_too_large() {
        let text = format!(
            r#"{{"value":{{"type":"STRING","data":"{}"}}}}"#,
            "a".repeat(MAX_MESSAGE_BYTES + 1)
        );
        assert_eq!(
            ProduceRecord::parse(&text),
            Err(RecordError::TooLarge(MAX_MESSAGE_BYTES + 1))
        );
    }
}
