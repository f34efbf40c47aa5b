//! What is wrong with an event, said so that a person can use it: a code to count, a pointer to find the place, a sentence.

use serde::{Deserialize, Serialize};

/// One thing that is wrong with an event or a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
pub struct Rejection {
    /// What kind of wrong it is: bounded, so that it can be counted.
    pub code: RejectCode,
    /// Where: a JSON Pointer (RFC 6901) into the event or batch; empty for the whole of it.
    pub pointer: String,
    /// What is wrong and what to do, in one sentence. It may quote a short, escaped part of what was sent.
    pub message: String,
}

/// Every reason an event or batch can be refused for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RejectCode {
    /// Not JSON, or JSON that not every parser reads alike (a number beyond a double, too deep).
    MalformedJson,
    /// An object names a field twice: one parser would take the first, another the last.
    DuplicateField,
    /// More bytes than one event may have.
    TooLarge,
    /// A required field is absent or null.
    Missing,
    /// A value of another JSON type than the field's.
    WrongType,
    /// `event_type` is none of the known ones.
    UnknownEventType,
    /// A text that has not the field's form.
    BadFormat,
    /// A text with too few characters.
    TooShort,
    /// A text with too many characters.
    TooLong,
    /// A number below or above the field's range.
    OutOfRange,
    /// An event older than a tracker keeps one: 7 days, unless the edge is set otherwise.
    TooOld,
    /// An event from the future, by the clock of the edge.
    InFuture,
    /// An id whose own time is not the event's.
    IdTime,
    /// Price × quantity beyond the largest amount.
    AmountTooLarge,
    /// A currency that is no ISO 4217 code.
    UnknownCurrency,
    /// A list with too many entries.
    TooMany,
    /// A list without entries where at least one is needed.
    Empty,
}

impl RejectCode {
    /// Every code, in the order of the documentation.
    pub const ALL: [Self; 17] = [
        Self::MalformedJson,
        Self::DuplicateField,
        Self::TooLarge,
        Self::Missing,
        Self::WrongType,
        Self::UnknownEventType,
        Self::BadFormat,
        Self::TooShort,
        Self::TooLong,
        Self::OutOfRange,
        Self::TooOld,
        Self::InFuture,
        Self::IdTime,
        Self::AmountTooLarge,
        Self::UnknownCurrency,
        Self::TooMany,
        Self::Empty,
    ];

    /// Returns the code as it is written in replies, headers and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MalformedJson => "malformed_json",
            Self::DuplicateField => "duplicate_field",
            Self::TooLarge => "too_large",
            Self::Missing => "missing",
            Self::WrongType => "wrong_type",
            Self::UnknownEventType => "unknown_event_type",
            Self::BadFormat => "bad_format",
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::OutOfRange => "out_of_range",
            Self::TooOld => "too_old",
            Self::InFuture => "in_future",
            Self::IdTime => "id_time",
            Self::AmountTooLarge => "amount_too_large",
            Self::UnknownCurrency => "unknown_currency",
            Self::TooMany => "too_many",
            Self::Empty => "empty",
        }
    }
}

impl std::fmt::Display for RejectCode {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Quotes the beginning of a text that was sent, escaped: it goes into logs, headers and pages.
pub(crate) fn excerpt(text: &str) -> String {
    const CHARACTERS: usize = 40;
    let beginning: String = text.chars().take(CHARACTERS).collect();
    let rest = if beginning.len() < text.len() {
        "…"
    } else {
        ""
    };
    format!("`{}{rest}`", beginning.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_written_the_same_in_json_and_text() {
        for code in RejectCode::ALL {
            assert_eq!(
                serde_json::to_value(code).unwrap(),
                serde_json::json!(code.as_str())
            );
        }
    }

    #[test]
    fn excerpt_is_short_and_escaped() {
        assert_eq!(excerpt("a\nb\u{202e}"), "`a\\nb\\u{202e}`");
        assert_eq!(excerpt(&"x".repeat(100)), format!("`{}…`", "x".repeat(40)));
    }
}
