//! Reads integers as JSON Schema does: `1.0` is one.

use serde::de::{Deserialize, Deserializer, Error};

use crate::limits::MAX_SAFE_INTEGER;

/// An integer written as any JSON number without a fraction.
struct Integer(i64);

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        from_number(&number).map(Self).ok_or_else(|| {
            D::Error::custom(format_args!(
                "`{number}` is not an integer of at most 53 bits"
            ))
        })
    }
}

/// Returns a number's integer value, if it has one that JavaScript holds exactly.
pub(crate) fn from_number(number: &serde_json::Number) -> Option<i64> {
    let safe = -MAX_SAFE_INTEGER..=MAX_SAFE_INTEGER;
    if let Some(integer) = number.as_i64() {
        return Some(integer).filter(|integer| safe.contains(integer));
    }
    let float = number.as_f64()?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "kept only where it was exact"
    )]
    let integer = float as i64;
    (float.fract() == 0.0 && safe.contains(&integer)).then_some(integer)
}

/// For `#[serde(deserialize_with)]` on a required field.
pub(crate) fn required<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    Integer::deserialize(deserializer).map(|integer| integer.0)
}

/// For `#[serde(deserialize_with)]` on an optional field.
pub(crate) fn optional<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<i64>, D::Error> {
    Option::<Integer>::deserialize(deserializer).map(|integer| integer.map(|integer| integer.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<i64, serde_json::Error> {
        required(&mut serde_json::Deserializer::from_str(json))
    }

    #[test]
    fn integers_are_read_however_they_are_written() {
        for (json, integer) in [("1", 1), ("1.0", 1), ("1e3", 1000), ("-0.0", 0), ("-7", -7)] {
            assert_eq!(read(json).unwrap(), integer, "{json}");
        }
        assert_eq!(read("9007199254740991").unwrap(), MAX_SAFE_INTEGER);
    }

    #[test]
    fn others_are_refused() {
        for json in [
            "1.5",
            "9007199254740992",
            "18446744073709551615",
            "1e300",
            "null",
            "\"1\"",
            "[]",
        ] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
