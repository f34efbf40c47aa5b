//! What was unusual with an accepted event: repaired, or kept as it is although shops rarely mean it.

use serde::{Deserialize, Serialize};

/// One thing that was unusual with an accepted event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
pub struct Warning {
    /// What kind of thing it is: bounded, so that it can be counted.
    #[cfg_attr(feature = "json-schema", schemars(with = "String"))]
    pub code: WarningCode,
    /// Where: a JSON Pointer (RFC 6901) into the event; empty for the whole of it.
    pub pointer: String,
    /// What was sent and what was made of it, in one sentence.
    pub message: String,
}

/// Every kind of warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WarningCode {
    /// A text where a number belongs was read as the number: `"19.99"`, `"4,245.42"`, an amount with its sign `"19,99 €"`.
    NumberFromText,
    /// A number where a text belongs was read as the text: a `user_id` of 42.
    TextFromNumber,
    /// `true` or `false` for a consent, or a name in another case, was read as `granted` or `denied`.
    ConsentFromBoolean,
    /// An amount was rounded to its currency's decimals, a quantity to three, or an integer that had a fraction.
    Rounded,
    /// An item of negative price or discount, such as a voucher's line: kept as it is.
    NegativeLine,
    /// A quantity that is no whole number: kept as it is.
    DecimalQuantity,
    /// What stands for no id (`undefined`, `null`, `0`, an unfilled template, an object, a text that is too long) was left out.
    PlaceholderId,
    /// An id was missing and another took its place: a purchase is an order of its own, an item goes by its name.
    IdReplaced,
    /// Spaces, or what is not seen, around an id were left out: `" 42"` is `"42"`.
    IdTrimmed,
    /// Half a character was replaced with U+FFFD.
    LoneSurrogate,
    /// A text beyond the field's limit was cut.
    Shortened,
    /// A page's address had spaces or control characters, as one that was decoded has: they were escaped.
    AddressEscaped,
    /// A currency or country in lower case, an `event_id` in upper case, or one with spaces around it, was read as it should be:
    /// `eur`.
    UpperCase,
    /// A field that only describes was not as it should be, one that may be absent was an empty text, or a line of `items` was
    /// none: left out.
    LeftOut,
}

impl WarningCode {
    /// Every code, in the order of the documentation.
    pub const ALL: [Self; 14] = [
        Self::NumberFromText,
        Self::TextFromNumber,
        Self::ConsentFromBoolean,
        Self::Rounded,
        Self::NegativeLine,
        Self::DecimalQuantity,
        Self::PlaceholderId,
        Self::IdReplaced,
        Self::IdTrimmed,
        Self::LoneSurrogate,
        Self::Shortened,
        Self::AddressEscaped,
        Self::UpperCase,
        Self::LeftOut,
    ];

    /// Returns the code as it is written in replies, records and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NumberFromText => "number_from_text",
            Self::TextFromNumber => "text_from_number",
            Self::ConsentFromBoolean => "consent_from_boolean",
            Self::Rounded => "rounded",
            Self::NegativeLine => "negative_line",
            Self::DecimalQuantity => "decimal_quantity",
            Self::PlaceholderId => "placeholder_id",
            Self::IdReplaced => "id_replaced",
            Self::IdTrimmed => "id_trimmed",
            Self::LoneSurrogate => "lone_surrogate",
            Self::Shortened => "shortened",
            Self::AddressEscaped => "address_escaped",
            Self::UpperCase => "upper_case",
            Self::LeftOut => "left_out",
        }
    }
}

impl std::fmt::Display for WarningCode {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_written_the_same_in_json_and_text() {
        for code in WarningCode::ALL {
            assert_eq!(
                serde_json::to_value(code).unwrap(),
                serde_json::json!(code.as_str())
            );
        }
    }
}
