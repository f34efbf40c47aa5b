//! Reads JSON that every parser reads alike (I-JSON, RFC 7493): no name twice in an object, no lone surrogate, no number
//! beyond a double. What passes here means the same to the edge, the connector and the warehouse.

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::reject::{RejectCode, Rejection, excerpt};

/// Parses a whole JSON text.
pub(crate) fn parse(text: &str) -> Result<Value, Rejection> {
    serde_json::from_str::<StrictValue>(text)
        .map(|strict| strict.0)
        .map_err(|error| rejection(&error))
}

/// Parses an object one level deep and leaves its members as they came. `None` if the JSON is no object.
pub(crate) fn parse_members(
    bytes: &[u8],
) -> Result<Option<BTreeMap<String, &RawValue>>, Rejection> {
    let raw: &RawValue = serde_json::from_slice(bytes).map_err(|error| rejection(&error))?;
    if !raw.get().starts_with('{') {
        return Ok(None);
    }
    serde_json::from_str::<Members<'_>>(raw.get())
        .map(|members| Some(members.0))
        .map_err(|error| rejection(&error))
}

/// Turns an error of a strict reading into a rejection of the whole text.
fn rejection(error: &serde_json::Error) -> Rejection {
    // The types of this module take every JSON type: an error about data is a name that occurs twice.
    let (code, message) = match error.classify() {
        Category::Data => (RejectCode::DuplicateField, error.to_string()),
        _ => (
            RejectCode::MalformedJson,
            format!("not valid JSON: {error}"),
        ),
    };
    Rejection {
        code,
        pointer: String::new(),
        message,
    }
}

fn named_twice<E: Error>(name: &str) -> E {
    let name = excerpt(name);
    E::custom(format_args!(
        "send each name once in an object: {name} is there twice"
    ))
}

/// A JSON value in which no object names a member twice.
struct StrictValue(Value);

impl<'de> Deserialize<'de> for StrictValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor).map(Self)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(StrictValue(element)) = access.next_element()? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, StrictValue(value))) = access.next_entry::<String, _>()? {
            match object.entry(name) {
                serde_json::map::Entry::Vacant(vacant) => vacant.insert(value),
                serde_json::map::Entry::Occupied(first) => return Err(named_twice(first.key())),
            };
        }
        Ok(Value::Object(object))
    }
}

/// An object's members as they came.
struct Members<'a>(BTreeMap<String, &'a RawValue>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor).map(Self)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = BTreeMap<String, &'de RawValue>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = access.next_entry::<String, _>()? {
            match members.entry(name) {
                btree_map::Entry::Vacant(vacant) => vacant.insert(value),
                btree_map::Entry::Occupied(first) => {
                    return Err(named_twice::<A::Error>(first.key()));
                }
            };
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> RejectCode {
        parse(text).unwrap_err().code
    }

    #[test]
    fn same_value_as_serde_json() {
        for text in [
            "null",
            "[1, -1, 1.5, \"ä\", true]",
            r#"{"a": {"b": []}, "c": 1e2}"#,
        ] {
            assert_eq!(
                parse(text).unwrap(),
                serde_json::from_str::<Value>(text).unwrap()
            );
        }
    }

    #[test]
    fn name_twice_is_refused_at_every_depth() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"[{"x":{"a":1,"b":2,"a":3}}]"#,
            r#"{"a":1,"\u0061":1}"#,
        ] {
            assert_eq!(code(text), RejectCode::DuplicateField, "{text}");
        }
        let message = parse(r#"{"seq":1,"seq":2}"#).unwrap_err().message;
        assert_eq!(
            message,
            "send each name once in an object: `seq` is there twice at line 1 column 17"
        );
    }

    #[test]
    fn json_that_parsers_read_differently_is_refused() {
        let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
        for text in [
            "",
            "{",
            "{\"a\":1,}",
            "NaN",
            "1e999",
            r#""\ud800""#,
            "\u{feff}{}",
            "{} {}",
            &deep,
        ] {
            assert_eq!(
                code(text),
                RejectCode::MalformedJson,
                "{}",
                &text[..text.len().min(20)]
            );
        }
    }

    #[test]
    fn members_stay_as_they_came() {
        let members = parse_members(br#" {"a": 1.0, "b": [ 2 ]} "#)
            .unwrap()
            .unwrap();
        assert_eq!(members["a"].get(), "1.0");
        assert_eq!(members["b"].get(), "[ 2 ]");
        assert!(parse_members(b"[]").unwrap().is_none());
        assert_eq!(
            parse_members(b"\xff").unwrap_err().code,
            RejectCode::MalformedJson
        );
        let twice = parse_members(br#"{"a":1,"a":2}"#).unwrap_err();
        assert_eq!(twice.code, RejectCode::DuplicateField);
    }
}
