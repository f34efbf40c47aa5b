//! Reads JSON that every parser reads alike (I-JSON, RFC 7493): no name twice in an object, no number beyond a double.
//! What passes here means the same to the edge, the connector and the warehouse.
//!
//! A [`Tree`] borrows from the text it was read from: a string is copied only where it has escapes.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Number;
use serde_json::error::Category;

use crate::integer;
use crate::reject::{RejectCode, Rejection, excerpt};

/// Objects up to this size are searched for repeated names pair by pair; the names of larger ones are
/// kept in order.
const FEW_MEMBERS: usize = 32;

/// Room that an object is read with: items have about as many members, events twice as many.
const USUAL_MEMBERS: usize = 8;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tree<'a> {
    Null,
    Boolean(bool),
    Number(Number),
    Text(Cow<'a, str>),
    List(Vec<Tree<'a>>),
    Object(Members<'a>),
}

/// An object's members, in the order they came.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Members<'a>(pub(crate) Vec<(Cow<'a, str>, Tree<'a>)>);

impl<'a> Members<'a> {
    /// Returns a member's value; `null` is the same as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&Tree<'a>> {
        let member = self.0.iter().find(|(known, _)| known == name);
        member
            .map(|(_, value)| value)
            .filter(|value| !value.is_null())
    }

    /// Returns a member's text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Tree::as_text)
    }

    /// Returns a member's number.
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        match self.get(name)? {
            Tree::Number(number) => number.as_f64(),
            _ => None,
        }
    }

    /// Returns a member's integer.
    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        match self.get(name)? {
            Tree::Number(number) => integer::from_number(number),
            _ => None,
        }
    }

    /// Returns a member's object.
    pub(crate) fn object(&self, name: &str) -> Option<&Self> {
        match self.get(name)? {
            Tree::Object(members) => Some(members),
            _ => None,
        }
    }

    /// Gives a member another value, or adds it.
    pub(crate) fn set(&mut self, name: &'static str, value: Tree<'a>) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((Cow::Borrowed(name), value)),
        }
    }
}

impl Tree<'_> {
    /// Copies what was borrowed.
    pub(crate) fn into_owned(self) -> Tree<'static> {
        match self {
            Self::Null => Tree::Null,
            Self::Boolean(value) => Tree::Boolean(value),
            Self::Number(number) => Tree::Number(number),
            Self::Text(text) => Tree::Text(Cow::Owned(text.into_owned())),
            Self::List(entries) => Tree::List(entries.into_iter().map(Tree::into_owned).collect()),
            Self::Object(Members(members)) => {
                let own = |(name, value): (Cow<'_, str>, Tree<'_>)| {
                    (Cow::Owned(name.into_owned()), value.into_owned())
                };
                Tree::Object(Members(members.into_iter().map(own).collect()))
            }
        }
    }

    pub(crate) const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Parses a whole JSON text.
pub(crate) fn parse(text: &str) -> Result<Tree<'_>, Rejection> {
    serde_json::from_str(text).map_err(|error| rejection(&error))
}

/// Turns an error of a strict reading into a rejection of the whole text.
pub(crate) fn rejection(error: &serde_json::Error) -> Rejection {
    // The types of this module take every JSON type: an error about data is a name that occurs twice.
    match error.classify() {
        Category::Data => whole(RejectCode::DuplicateField, error.to_string()),
        _ => malformed(error),
    }
}

/// Turns what keeps a text from being JSON into a rejection of the whole text.
pub(crate) fn malformed(cause: &dyn fmt::Display) -> Rejection {
    whole(
        RejectCode::MalformedJson,
        format!("not valid JSON: {cause}"),
    )
}

const fn whole(code: RejectCode, message: String) -> Rejection {
    Rejection {
        code,
        pointer: String::new(),
        message,
    }
}

/// The error for an object that names a member twice.
pub(crate) fn named_twice<E: Error>(name: &str) -> E {
    let name = excerpt(name);
    E::custom(format_args!(
        "send each name once in an object: {name} is there twice"
    ))
}

/// Returns a name that occurs twice. Hostile objects have thousands of names: no pair is compared with every other.
fn repeated<'m>(members: &'m [(Cow<'_, str>, Tree<'_>)]) -> Option<&'m str> {
    if members.len() <= FEW_MEMBERS {
        let mut rest = members.iter();
        while let Some((name, _)) = rest.next() {
            if rest.clone().any(|(other, _)| other == name) {
                return Some(name);
            }
        }
        return None;
    }
    let mut known = BTreeSet::new();
    let mut names = members.iter().map(|(name, _)| name.as_ref());
    names.find(|name| !known.insert(*name))
}

impl<'de: 'a, 'a> Deserialize<'de> for Tree<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Tree::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Number::from_f64(value).map_or(Tree::Null, Tree::Number))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Tree::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Tree::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_element()? {
            entries.push(entry);
        }
        Ok(Tree::List(entries))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(USUAL_MEMBERS);
        while let Some((Name(name), value)) = access.next_entry()? {
            members.push((name, value));
        }
        match repeated(&members) {
            Some(name) => Err(named_twice(name)),
            None => Ok(Tree::Object(Members(members))),
        }
    }
}

/// A member's name, borrowed where it has no escapes.
pub(crate) struct Name<'a>(pub(crate) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor).map(Name)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
}

impl Serialize for Tree<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Boolean(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(entries) => serializer.collect_seq(entries),
            Self::Object(members) => members.serialize(serializer),
        }
    }
}

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> RejectCode {
        parse(text).unwrap_err().code
    }

    #[test]
    fn what_is_read_is_written_again() {
        for text in [
            "null",
            "[1,-1,1.5,\"ä\",true]",
            r#"{"b":{"a":[]},"a":"\"\n","c":{}}"#,
        ] {
            assert_eq!(serde_json::to_string(&parse(text).unwrap()).unwrap(), text);
        }
    }

    #[test]
    fn strings_without_escapes_are_borrowed() {
        let Tree::List(entries) = parse(r#"["plain","\u0061"]"#).unwrap() else {
            panic!("a list")
        };
        assert!(matches!(&entries[0], Tree::Text(Cow::Borrowed("plain"))));
        assert!(matches!(&entries[1], Tree::Text(Cow::Owned(text)) if text == "a"));
    }

    #[test]
    fn name_twice_is_refused_at_every_depth() {
        let many: String = (0..100).map(|number| format!("\"n{number}\":1,")).collect();
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"[{"x":{"a":1,"b":2,"a":3}}]"#,
            r#"{"a":1,"\u0061":1}"#,
            &format!("{{{many}\"n7\":1}}"),
        ] {
            assert_eq!(code(text), RejectCode::DuplicateField, "{text}");
        }
        assert!(parse(&format!("{{{many}\"other\":1}}")).is_ok());
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
            "01",
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
    fn null_is_the_same_as_absent() {
        let Tree::Object(mut members) = parse(r#"{"a":null,"b":2}"#).unwrap() else {
            panic!("an object")
        };
        assert_eq!((members.get("a"), members.get("c")), (None, None));
        assert_eq!(members.number("b"), Some(2.0));
        members.set("a", Tree::Boolean(true));
        members.set("c", Tree::Null);
        assert_eq!(
            serde_json::to_string(&Tree::Object(members)).unwrap(),
            r#"{"a":true,"b":2,"c":null}"#
        );
    }
}
